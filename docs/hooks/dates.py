"""Hook: when each page last changed, from git's history; without git, pages have no date."""

from __future__ import annotations

import datetime
import subprocess
from functools import cache
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from project import ROOT


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Give the page its date, under the name that the theme shows."""
    source = page.file.abs_src_path
    if source:
        day = last_changes().get(Path(source).relative_to(ROOT).as_posix())
        if day:
            page.meta["git_revision_date_localized"] = f"Last changed on {day.day} {day:%B %Y}"
    return markdown


@cache
def last_changes() -> dict[str, datetime.date]:
    """The day of the last commit of each file, by its path from the root; one call of git for all."""
    command = ["git", "log", "--format=%x00%cs", "--name-only", "--", "docs", "notebooks"]
    try:
        said = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    days: dict[str, datetime.date] = {}
    for commit in said.split("\0")[1:]:
        day, *names = commit.split("\n")
        for name in filter(None, names):
            days.setdefault(name, datetime.date.fromisoformat(day))  # the newest commit comes first
    return days
