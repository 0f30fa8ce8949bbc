"""Care with words: coarse words are starred on every page, and shown to those who ask for them.

A starred word keeps its letters in an encoded attribute, so that neither the page's text nor the search has them.
"""

from __future__ import annotations

import base64
import csv
import re
from functools import cache

from bs4 import BeautifulSoup, NavigableString, Tag
from project import ROOT

from course import mask
from milestone2.examples import EXAMPLES, TWEETS

STARRED = re.compile(r"(?<![\w*])\w\*+\w(?![\w*])")
LEFT_ALONE = ("script", "style", "textarea")
# Nothing that can be pressed may lie within something else that can.
PRESSED = ("a", "button", "summary", "label")
TEXT_ATTRIBUTES = ("alt", "title", "aria-label", "content")
BANNER = (
    '<aside class="course-care" aria-label="Content note"><p><strong>Content note.</strong> Hurtful words occur on '
    'this page. They are starred until you choose to see them. <a href="{more}">How masking works</a></p></aside>'
)


@cache
def known_words() -> dict[str, str]:
    """Coarse words of the course's own texts, by their starred form, where that form is of one word alone."""
    with (ROOT / "milestone3" / "comp" / "practice.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["comment_text"] for row in csv.DictReader(file)]
    texts += [*EXAMPLES, *(text for text, _ in TWEETS)]
    found: dict[str, set[str]] = {}
    for text in texts:
        starred = mask(text).lower()
        for match in STARRED.finditer(starred):
            found.setdefault(match[0], set()).add(text[match.start() : match.end()].lower())
    return {starred: words.pop() for starred, words in found.items() if len(words) == 1 and "*" not in min(words)}


def mask_page(page: BeautifulSoup) -> int:
    """Star every coarse word of a page, and mark what can be shown again; return how many starred words there are."""
    count = 0
    for string in list(page.find_all(string=True)):
        is_candidate = type(string) is NavigableString and ("*" in string or mask(string) != string)
        if is_candidate and not string.find_parent(LEFT_ALONE):
            count += mask_string(page, string)
    for element in page.find_all(True):
        for name in TEXT_ATTRIBUTES:
            if element.get(name):
                element[name] = mask(element[name])
    return count


def mask_string(page: BeautifulSoup, string: NavigableString) -> int:
    """Star the coarse words of one piece of text; return how many starred words it has."""
    text = str(string)
    starred = mask(text)
    pieces: list[NavigableString | Tag] = []
    end = count = 0
    for match in STARRED.finditer(starred):
        word = text[match.start() : match.end()]
        word = known_words().get(word.lower()) if "*" in word else word
        if word is None:
            continue
        pieces += [NavigableString(starred[end : match.start()]), revealable(page, match[0], word, string)]
        end = match.end()
        count += 1
    if count:
        string.replace_with(*pieces, NavigableString(starred[end:]))
    elif starred != text:
        string.replace_with(NavigableString(starred))
        return 1
    return count


def revealable(page: BeautifulSoup, starred: str, word: str, place: NavigableString) -> Tag:
    """The starred word; docs/assets/course.js makes a button of it where one may stand."""
    kept = word if word[0] == starred[0] else word.upper() if starred.isupper() else word.capitalize()
    encoded = base64.b64encode(kept.encode()).decode()
    element = page.new_tag("span", attrs={"class": "masked", "data-word": encoded})
    if place.find_parent(PRESSED):
        element["data-plain"] = ""
    element.string = starred
    return element


def add_banner(page: BeautifulSoup, more: str) -> None:
    """Put a note above the text of a page with starred words, or make one of the note that it has already."""
    for quote in page.find_all("blockquote"):
        if quote.get_text().strip().startswith("Content note."):
            quote.name = "aside"
            quote["class"] = "course-care"
            quote["aria-label"] = "Content note"
            link = BeautifulSoup(f' <a href="{more}">How masking works</a>', "html.parser")
            quote.find_all("p")[-1].append(link)
            return
    banner = BeautifulSoup(BANNER.format(more=more), "html.parser")
    place = page.select_one(".course-hero") or page.find("h1")
    if place is None:
        page.insert(0, banner)
    else:
        place.insert_after(banner)
