"""What can be seen in the built site without a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from site_build import ROOT
from slurs import contains_slur

from course import mask
from milestone2.classifier import load_classifier
from milestone3.comments import load_comments

pytestmark = pytest.mark.browser  # the build needs npm
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("[0-9]_*.ipynb"))


class Reader(HTMLParser):
    """A second, simple reader of pages: their text, headings, pictures and metadata."""

    def __init__(self, path: Path):
        super().__init__()
        self.text, self.headings, self.pictures, self.metadata = [], [], [], []
        self._skipped = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in ("script", "style"):
            self._skipped += 1
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.pictures.append(attributes.get("alt"))
        self.metadata += [
            attributes[name] or "" for name in ("content", "alt", "title", "aria-label") if name in attributes
        ]

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._skipped -= 1

    def handle_data(self, data):
        if not self._skipped:
            self.text.append(data)


@pytest.fixture(scope="module")
def read(pages) -> dict[str, Reader]:
    return {name: Reader(path) for name, path in pages.items()}


def test_no_slur_is_in_any_file_and_no_coarse_word_in_text_metadata_or_search(site, read):
    for path in site.rglob("*"):
        if path.suffix in (".html", ".json", ".xml", ".ipynb") and path.name != "tokenizer.json":
            text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))
            assert not contains_slur(text), path
    for name, page in read.items():
        for text in (*page.text, *page.metadata):
            assert mask(text) == text, (name, text[:200])
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    for entry in index["docs"]:
        assert mask(entry["text"]) == entry["text"] and mask(entry["title"]) == entry["title"], entry["location"]


def test_where_words_are_starred_a_note_says_so(pages):
    marked = [name for name, path in pages.items() if 'class="masked"' in path.read_text(encoding="utf-8")]
    assert "content-note/" in marked
    for name in marked:
        assert "course-care" in pages[name].read_text(encoding="utf-8"), name


def test_every_picture_says_what_it_shows_and_headings_are_in_order(read):
    pictures = 0
    for name, page in read.items():
        own = [alt for alt in page.pictures if alt != "logo"]
        pictures += len(own)
        assert all(own), name
        assert page.headings.count(1) == 1 and page.headings[0] == 1, (name, page.headings)
        for above, below in zip(page.headings, page.headings[1:]):
            assert below <= above + 1, (name, page.headings)
    assert pictures >= 8


def test_every_notebook_is_in_the_navigation_with_its_minutes(pages):
    start = pages["milestone3/"].read_text(encoding="utf-8")
    for notebook in NOTEBOOKS:
        minutes = re.search(r"[Aa]bout (\d+) minutes", notebook.read_text(encoding="utf-8"))
        page = pages[f"notebooks/{notebook.stem}/"].read_text(encoding="utf-8")
        assert f'href="../notebooks/{notebook.stem}/"' in start
        assert minutes is None or f"<small>{minutes[1]} minutes</small>" in re.sub(r"\s*\n\s*", "", page)
        assert 'rel="prev"' in page and 'rel="next"' in page
        assert "md-path" in page


def test_a_notebook_page_has_the_notebooks_text_and_outputs_and_no_tags(pages):
    for notebook in NOTEBOOKS:
        page = Reader(pages[f"notebooks/{notebook.stem}/"])
        text = "".join("".join(page.text).split())
        assert "nbval-" not in text and "raises-exception" not in text
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                assert "".join(mask("".join(cell["source"])).split()) in text
                for output in cell["outputs"]:
                    if output["output_type"] == "stream" and output["name"] == "stdout":
                        assert "".join(mask("".join(output["text"])).split()) in text


def test_glossary_words_are_linked_from_notebooks(pages):
    for notebook in NOTEBOOKS:
        page = pages[f"notebooks/{notebook.stem}/"].read_text(encoding="utf-8")
        assert 'href="../../glossary/"' in page
    assert 'href="../../glossary/#tokenizer"' in pages["notebooks/3_2_encode_text_for_bert/"].read_text("utf-8")


def test_functions_are_explained_by_their_docstrings(pages, read):
    for function in (load_comments, load_classifier, mask):
        package = function.__module__.partition(".")[0]
        first = function.__doc__.strip().splitlines()[0].replace("`", "")
        assert f'id="{function.__module__}.{function.__name__}"' in pages[f"api/{package}/"].read_text(encoding="utf-8")
        assert first in " ".join("".join(read[f"api/{package}/"].text).split())


def test_pages_say_when_they_last_changed(pages):
    if not (ROOT / ".git").exists():
        pytest.skip("without git's history, pages have no date")
    page = pages["notebooks/3_1_explore_the_comments/"].read_text(encoding="utf-8")
    assert re.search(r"Last changed on \d{1,2} [A-Z][a-z]+ 20\d\d", page[page.index("md-source-file") :])
