"""Hook: the navigation. Notebooks and packages find their place in it by their names."""

from __future__ import annotations

import os
import posixpath
import re

from api import PACKAGES, modules_of
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from notebook_facts import find_notebooks
from project import ROOT, add_files, repository

MILESTONE = re.compile(r"milestone(\d)/index\.md")
LIST = re.compile(r"<!-- notebooks: (\d) -->")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the site's home, and fill in what mkdocs.yml only hints at."""
    owner, name = repository().split("/")
    config.site_url = os.environ.get("COURSE_SITE_URL") or f"https://{owner.lower()}.github.io/{name}/"
    config.repo_url = f"https://github.com/{repository()}"
    config.repo_name = "Source"
    config.nav = [expand(item) for item in config.nav]
    return config


def expand(item):
    """Put notebooks beside their milestone's page, and modules' pages in place of "api"."""
    if isinstance(item, list):
        return [expand(each) for each in item]
    if isinstance(item, str):
        return item
    ((title, content),) = item.items()
    if isinstance(content, str) and (milestone := MILESTONE.fullmatch(content)):
        chosen = [each for each in find_notebooks() if each.milestone == int(milestone[1])]
        return {title: [content, *({each.short: each.path} for each in chosen)]}
    if content == "api":
        return {title: [{package: f"api/{package}.md"} for package in PACKAGES if modules_of(package)]}
    return {title: expand(content)}


@event_priority(100)  # before mkdocs-jupyter takes the notebooks for its own
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Read the notebooks where they are, outside of docs/."""
    for notebook in find_notebooks():
        files.append(
            File(
                notebook.path, src_dir=str(ROOT), dest_dir=config.site_dir, use_directory_urls=config.use_directory_urls
            )
        )
    pictures = ROOT / "notebooks" / "images"
    if pictures.is_dir():
        add_files(files, config, pictures, "notebooks/images")
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Tell the theme a notebook's minutes, and write the lists of notebooks into the pages that ask for one."""
    facts = {notebook.path: notebook for notebook in find_notebooks()}
    notebook = facts.get(page.file.src_uri)
    if notebook:
        page.meta["description"] = re.sub(r"[*`]", "", notebook.outcome)
        page.meta["subtitle"] = f"{notebook.minutes} minutes" if notebook.minutes else ""
        return markdown
    here = posixpath.dirname(page.file.src_uri)
    return LIST.sub(lambda found: notebook_list(int(found[1]), here), markdown)


def notebook_list(milestone: int, here: str) -> str:
    """A milestone's notebooks as a Markdown list, for a page in the folder `here`: number, title, outcome, minutes."""
    chosen = [each for each in find_notebooks() if each.milestone == milestone]
    if not chosen:
        return "*These notebooks are being written.*"
    lines = ['<div class="course-list" markdown>', ""]
    for each in chosen:
        minutes = f"{each.minutes} min" if each.minutes else ""
        lines += [
            f'- <span class="course-number">{each.number}</span>',
            "",
            f"    **[{each.title}]({posixpath.relpath(each.path, here)})**",
            "",
            f"    {each.outcome}",
            "",
            f'    <span class="course-minutes">{minutes}</span>',
            "",
        ]
    return "\n".join([*lines, "</div>"])
