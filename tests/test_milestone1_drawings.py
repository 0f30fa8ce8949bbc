"""The drawings of milestone 1: self-contained, told in words, in the course's colours, and legible in both modes."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browser import chromium, watched_page

from course import PALETTE
from milestone1.drawings import FIGURES, description, figure_names

PICTURE = re.compile(r'<img alt="([^"]*)" width="760" src="data:image/svg\+xml;base64,([^"]*)">')
ROOT = Path(__file__).resolve().parent.parent
NAMES = sorted(path.stem for path in FIGURES.glob("*.svg"))
# Each text must lie in the drawing, in the smallest box around its middle, and on no other text.
TEXTS_OUT_OF_PLACE = """
() => {
    const box = element => element.getBoundingClientRect();
    const inside = (inner, outer) => inner.left >= outer.left && inner.right <= outer.right
        && inner.top >= outer.top && inner.bottom <= outer.bottom;
    const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const rectangles = [...document.querySelectorAll('rect')].map(box);
    const texts = [...document.querySelectorAll('text')].map(text => [text.textContent, box(text)]);
    const wrong = [];
    texts.forEach(([words, place], number) => {
        const x = (place.left + place.right) / 2, y = (place.top + place.bottom) / 2;
        const around = rectangles.filter(r => r.left < x && x < r.right && r.top < y && y < r.bottom)
            .sort((a, b) => a.width * a.height - b.width * b.height)[0];
        if (!around || !inside(place, around)) wrong.push(words + ': out of its box');
        texts.slice(number + 1).forEach(([others, other]) => {
            if (overlap(place, other)) wrong.push(words + ' on ' + others);
        });
    });
    return wrong;
}
"""
COLOURS = """
() => [...document.querySelectorAll('text')].map(text => [
    getComputedStyle(text).fill, getComputedStyle(document.querySelector('.paper')).fill])
"""


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def root(name: str) -> ElementTree.Element:
    return ElementTree.parse(FIGURES / f"{name}.svg").getroot()


def test_there_are_drawings_for_both_notebooks():
    assert figure_names() == NAMES and len(NAMES) >= 4


def test_says_what_it_shows_to_those_who_cannot_see_it(name):
    drawing = root(name)
    assert drawing.get("role") == "img"
    labels = {element.get("id"): element.text.strip() for element in drawing.findall("*") if element.get("id")}
    assert list(labels) == drawing.get("aria-labelledby").split() == ["title", "desc"]
    assert len(labels["title"]) > 10 and len(labels["desc"]) > 100
    assert description(name) == labels["desc"]


def test_needs_nothing_from_elsewhere(name):
    text = (FIGURES / f"{name}.svg").read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"\s]+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@import|@font-face|href|<(?:script|image|foreignObject|use)\b|\bon\w+=", text)
    assert set(re.findall(r"url\(([^)]*)\)", text)) <= {"#head"}


def test_is_drawn_in_the_course_s_colours_and_greys(name):
    text = (FIGURES / f"{name}.svg").read_text(encoding="utf-8")
    for colour in set(re.findall(r"#[0-9a-fA-F]{6}\b", text)) - set(PALETTE):
        channels = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
        assert max(channels) - min(channels) <= 26, f"{colour} is neither in the palette nor a grey"


def test_the_notebooks_show_the_drawings_as_they_are_with_their_words():
    shown = []
    for path in sorted((ROOT / "notebooks").glob("1_*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            pages = ["".join(output.get("data", {}).get("text/html", "")) for output in cell.get("outputs", [])]
            shown += re.findall(
                r'<img alt="([^"]*)" width="\d+" src="data:image/svg\+xml;base64,([^"]*)">', "".join(pages)
            )
    files = {(FIGURES / f"{name}.svg").read_bytes(): description(name) for name in NAMES}
    assert {base64.b64decode(data): html.unescape(alt) for alt, data in shown} == files


def test_a_drawing_that_is_not_there_is_named():
    with pytest.raises(KeyError, match="no drawing 'cat'; there are commit_or_dockerfile"):
        description("cat")


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)`, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    shares = [int(channel) / 255 for channel in re.findall(r"\d+", colour)[:3]]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_text_is_in_its_box_and_legible(browser, name, mode):
    with watched_page(browser, color_scheme=mode, viewport={"width": 800, "height": 500}) as page:
        page.goto((FIGURES / f"{name}.svg").as_uri())
        assert page.evaluate(TEXTS_OUT_OF_PLACE) == []
        colours = page.evaluate(COLOURS)
    assert colours
    for ink, paper in colours:
        dark, light = sorted((luminance(ink), luminance(paper)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5
        assert (luminance(paper) < 0.05) == (mode == "dark")
