"""Hook: after the build, every link, picture and anchor of every page has to lead somewhere within the site.

MkDocs itself checks Markdown pages, but neither notebooks nor HTML; this reads what was written, whatever made it.
"""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from project import remembered

log = logging.getLogger("mkdocs.hooks.course")
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
# Such a link names an address without loading anything.
NOT_LOADED = {"canonical", "prev", "next", "alternate", "edit"}
STYLE_LOADS = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")
LARGE = re.compile(r"data:[\w/+;=-]+,[A-Za-z0-9+/=]+")


class Contents(NamedTuple):
    """A page's anchors, what it links to, and what it loads."""

    anchors: set[str]
    links: list[str]
    loads: list[str]


class PageReader(HTMLParser):
    """Collects a page's anchors, what it links to, and what it loads."""

    def __init__(self):
        super().__init__()
        self.anchors, self.links, self.loads = set(), set(), set()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors.update(filter(None, (attributes.get("id"), attributes.get("name"))))
        if tag == "a" and attributes.get("href"):
            self.links.add(attributes["href"])
        elif tag in LOADS and attributes.get(LOADS[tag]) and attributes.get("rel") not in NOT_LOADED:
            self.loads.add(attributes[LOADS[tag]])


@event_priority(-100)  # after all others have written
def on_post_build(config: MkDocsConfig) -> None:
    """Warn of what leads nowhere; with `--strict`, a warning fails the build."""
    for warning in problems(Path(config.site_dir)):
        log.warning(warning)


def problems(site: Path) -> Iterator[str]:
    """What is wrong with the links of a built site, one sentence each."""
    for path in sorted(site.rglob("*.css")):
        for address in STYLE_LOADS.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site).as_posix()} loads {address} from another host"
    names = {path: path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))}
    pages = {path: read(path, name) for path, name in names.items() if name != "404.html"}
    for path, page in pages.items():
        name = names[path]
        for address in page.loads:
            if urlsplit(address).scheme in ("http", "https") or address.startswith("//"):
                yield f"{name} loads {address} from another host"
        for address in sorted({*page.links, *page.loads}):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = find(site, path, unquote(parts.path))
            if target is None:
                yield f"{name} links to {address}, where nothing is"
            elif parts.fragment and target in pages and not has_anchor(pages[target], unquote(parts.fragment)):
                yield f"{name} links to {address}, but that page has no such anchor"


def read(path: Path, name: str) -> Contents:
    """What a page holds; one that has not changed since the last build is not read again."""
    text = LARGE.sub("data:", path.read_text(encoding="utf-8"))
    anchors, links, loads = remembered(f"links of {name}", text, lambda: contents(text))
    return Contents(set(anchors), links, loads)


def contents(text: str) -> list[list[str]]:
    """Anchors, links, and what is loaded, each in alphabetical order."""
    reader = PageReader()
    reader.feed(text)
    return [sorted(reader.anchors), sorted(reader.links), sorted(reader.loads)]


def has_anchor(page: Contents, fragment: str) -> bool:
    return fragment in page.anchors or fragment.startswith("__")  # the theme's own switches


def find(site: Path, page: Path, address: str) -> Path | None:
    """The file behind an address that stands on a page; None if there is none."""
    if not address:
        return page
    start = "" if address.startswith("/") else page.parent.relative_to(site).as_posix()
    target = site / posixpath.normpath(posixpath.join(start, address.lstrip("/")))
    if target.is_dir():
        target = target / "index.html"
    return target if target.is_file() else None
