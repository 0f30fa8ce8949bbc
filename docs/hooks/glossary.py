"""The glossary's words, linked where a notebook or a page introduces them in italics."""

from __future__ import annotations

import re
from functools import cache

from bs4 import BeautifulSoup, NavigableString
from project import ROOT

ENTRY = re.compile(r"^(?P<names>[^\n{]+?) \{ #(?P<anchor>[\w-]+) \}$", re.MULTILINE)


@cache
def read_glossary(changed: int) -> dict[str, str]:
    """Anchors by words. An entry may have several words, as in "ROC-AUC, area under the ROC curve"."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    return {plain(name): entry["anchor"] for entry in ENTRY.finditer(text) for name in entry["names"].split(", ")}


def plain(word: str) -> str:
    """A word without what its place in a sentence adds: case, and the plural's s."""
    word = " ".join(word.split()).lower().strip(".,:;")
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 4 else word


def link_words(soup: BeautifulSoup, address: str) -> None:
    """Link words in italics to their entries: the first time each occurs, and every word of a list."""
    anchors = read_glossary((ROOT / "docs" / "glossary.md").stat().st_mtime_ns)
    seen: set[str] = set()
    for emphasis in soup.find_all("em"):
        if emphasis.find_parent(["a", "h1", "h2", "h3", "button"]) or emphasis.find(True):
            continue
        words = emphasis.get_text().split(", ")
        found = [anchors.get(plain(word)) for word in words]
        if not any(found) or (len(words) == 1 and found[0] in seen):
            continue
        seen.update(filter(None, found))
        parts: list = []
        for word, anchor in zip(words, found):
            parts.append(NavigableString(", " if parts else ""))
            if anchor:
                link = soup.new_tag("a", attrs={"class": "course-word", "href": f"{address}#{anchor}"})
                link.string = word
                parts.append(link)
            else:
                parts.append(NavigableString(word))
        emphasis.clear()
        emphasis.extend(parts)
