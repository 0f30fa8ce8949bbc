"""Hook: the text of every page, after MkDocs made HTML of it. Links, glossary, starred words."""

from __future__ import annotations

import logging
import posixpath
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import care
import notebook_html
from bs4 import BeautifulSoup
from glossary import link_words
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc
from mkdocs.utils import get_relative_url
from notebook_facts import find_notebooks
from project import ROOT, remembered, repository

from course import mask

SEARCH = 'data-md-component="search" role="dialog"'
LAST_WORD = '<p class="course-last">Unsure of a word? <a href="{glossary}">The glossary</a> explains it.</p>'

log = logging.getLogger("mkdocs.hooks.course")  # below "mkdocs", so that `--strict` counts its warnings


@event_priority(100)  # before the search reads the page
def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the page's HTML as the site shows it; what has not changed since the last build is not made again."""
    if page.file.src_uri.startswith("api/") and mask(html) == html and not care.STARRED.search(html):
        return html  # large pages, in which there is nothing to do
    addresses = sorted(f"{file.src_uri} {file.url}" for file in files)
    texts = [(ROOT / path).read_text(encoding="utf-8") for path in ("docs/glossary.md", "milestone3/comp/practice.csv")]
    made_from = "\0".join([html, repr(page.meta), repr(find_notebooks()), repository(), *addresses, *texts])
    made, headings, warnings = remembered(page.file.src_uri, made_from, lambda: dress(html, page, files))
    if headings is not None:
        page.toc = get_toc(headings)
    for warning in (*warnings, *repository_problems(made)):
        log.warning("%s: %s", page.file.src_uri, warning)
    return made


def dress(html: str, page: Page, files: Files) -> tuple[str, list | None, list[str]]:
    """The page's HTML, a notebook's headings, and what is wrong."""
    notebook = {each.path: each for each in find_notebooks()}.get(page.file.src_uri)
    headings = None
    if notebook:
        soup = notebook_html.read_cells(html)
        notebook_html.add_launch_buttons(soup, notebook)
        notebook_html.name_facts(soup)
        notebook_html.note_kernel(soup)
        headings = notebook_html.number_headings(soup)
        fix_links(soup, page, files)
        link_notebooks(soup, page, files)
    else:
        soup = BeautifulSoup(html, "html.parser")
    glossary = get_relative_url(files.get_file_from_path("glossary.md").url, page.url)
    if page.file.src_uri != "glossary.md":
        link_words(soup, glossary)
    if notebook:
        soup.append(BeautifulSoup(LAST_WORD.format(glossary=glossary), "html.parser"))
    starred = care.mask_page(soup)
    if starred or page.meta.get("content_note") or has_note(soup):
        care.add_banner(soup, get_relative_url(files.get_file_from_path("content-note.md").url, page.url))
    pictures = [picture for picture in soup.find_all("img") if not picture.get("alt")]
    warnings = [f"a picture has no alternative text: {str(picture)[:80]}" for picture in pictures]
    return str(soup), headings, warnings


def has_note(soup: BeautifulSoup) -> bool:
    return any(quote.get_text().strip().startswith("Content note.") for quote in soup.find_all("blockquote"))


def fix_links(soup: BeautifulSoup, page: Page, files: Files) -> None:
    """Turn a notebook's links to files into links to pages, or to the repository, where a file has no page."""
    for element in soup.find_all(["a", "img"]):
        attribute = "href" if element.name == "a" else "src"
        address = element.get(attribute, "")
        if address.startswith("#"):
            element[attribute] = f"#{notebook_html.anchor(address[1:])}"
        if not address or re.match(r"[a-z]+:|#|/", address) or element.has_attr("download"):
            continue
        path, _, fragment = address.partition("#")
        place = posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), path))
        # In the repository, the site's own pages lie in docs/.
        target = files.get_file_from_path(place) or files.get_file_from_path(place.removeprefix("docs/"))
        if target is not None:
            if place.endswith(".ipynb"):
                fragment = notebook_html.anchor(fragment)
            element[attribute] = get_relative_url(target.url, page.url) + (f"#{fragment}" if fragment else "")
        else:
            element[attribute] = f"https://github.com/{repository()}/blob/main/{place}"


def repository_problems(made: str) -> list[str]:
    """What a page links to in the repository although it is not there."""
    places = re.findall(rf'(?:href|src)="https://github\.com/{re.escape(repository())}/blob/main/([^"#?]+)', made)
    missing = sorted({place for place in places if not (ROOT / unquote(place)).exists()})
    return [f"nothing is at {place!r} in the repository, to which it links" for place in missing]


def link_notebooks(soup: BeautifulSoup, page: Page, files: Files) -> None:
    """Link each mention of another notebook, such as `3_2_encode_text_for_bert` or `3_2`, to its page."""
    pages = {}
    for notebook in find_notebooks():
        stem = Path(notebook.path).stem
        pages[stem] = pages[f"{notebook.milestone}_{notebook.place}"] = notebook.path
    for code in soup.find_all("code"):
        target = pages.get(code.get_text())
        if target and target != page.file.src_uri and not code.find_parent(["a", "pre"]):
            link = soup.new_tag("a", href=get_relative_url(files.get_file_from_path(target).url, page.url))
            code.wrap(link)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Name the theme's search for screen readers, and put a notebook beside its page, for the download button."""
    output = output.replace(SEARCH, f'{SEARCH} aria-label="Search"')
    if page.file.src_uri.endswith(".ipynb"):
        target = Path(page.file.abs_dest_path).with_name(posixpath.basename(page.file.src_uri))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page.file.abs_src_path, target)
    return output
