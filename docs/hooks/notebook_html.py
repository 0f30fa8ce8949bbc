"""From the HTML of mkdocs-jupyter to the site's own: the same elements, and so the same look, as on every other page.

JupyterLab's style sheet (0.6 MB in each page), its copy buttons and its tags are left out; the theme has its own.
"""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from markdown.extensions.toc import slugify
from notebook_facts import LAUNCHERS, Notebook

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
FIRST = '<div class="jupyter-wrapper">'
STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL)
# Widgets that do something only while a kernel runs.
NEEDS_KERNEL = re.compile(r"Button|Text|Slider|Dropdown|Select|Checkbox|FileUpload")
KERNEL_NOTE = (
    "The controls below are shown as they were when the notebook was run. They answer only in a running notebook: open "
    "it on your laptop, in Binder or in Colab."
)


def read_cells(rendered: str) -> BeautifulSoup:
    """Take the cells out of a rendered notebook, without what surrounds them.

    Parameters
    ----------
    rendered : str
        What mkdocs-jupyter made of the notebook.

    Returns
    -------
    BeautifulSoup
        Prose as plain elements, code as the theme's code blocks, outputs each in a `div.course-output`.
    """
    # The style sheets and programs before the first cell are most of it.
    source = BeautifulSoup(STYLE.sub("", rendered[rendered.index(FIRST) :]), "html.parser")
    page = BeautifulSoup("", "html.parser")
    cells = [cell for cell in source.select(".jp-Notebook-cell") if cell.get("id")]
    for number, cell in enumerate(cells):
        if "jp-MarkdownCell" in cell["class"]:
            prose = cell.select_one(".jp-RenderedMarkdown")
            for pre in prose.find_all("pre"):
                (pre.find_parent("div", class_="highlight") or pre).replace_with(code_block(page, pre))
            page.extend(list(prose.contents))
        else:
            add_code(page, cell, number)
    state = source.find("script", type=WIDGET_STATE)
    if state is not None:
        page.append(state.extract())
    return page


def add_code(page: BeautifulSoup, cell: Tag, number: int) -> None:
    """Add a code cell and its outputs."""
    source = cell.select_one(".highlight-ipynb pre")
    if source is not None and source.get_text().strip():
        page.append(code_block(page, source))
    for output in cell.select(".jp-OutputArea-output"):
        kept = make_output(page, output)
        if kept is not None:
            page.append(kept)


def code_block(page: BeautifulSoup, pre: Tag) -> Tag:
    """The theme's code block, with its copy button, of a `pre` with or without highlighted lines."""
    block = page.new_tag("div", attrs={"class": "language-python highlight"})
    code = page.new_tag("code")
    code.extend(list((pre.code or pre).contents))
    new = page.new_tag("pre")
    new.append(code)
    block.append(new)
    return block


def make_output(page: BeautifulSoup, output: Tag) -> Tag | None:
    """One output of a cell, in a box of its own; None where nothing is to be seen."""
    box = page.new_tag("div", attrs={"class": "course-output"})
    kind = output.get("data-mime-type", "")
    if view := output.find("script", type=WIDGET_VIEW):
        box["class"] = "course-output course-widget"
        box.append(view.extract())
        return box
    for script in output.find_all("script"):
        script.decompose()
    if not output.get_text(strip=True) and not output.find(["img", "svg"]):
        return None
    if sources := output.select("div.highlight > pre"):  # course.show_source
        box["class"] = "course-output course-source"
        for pre in sources:
            box.append(code_block(page, pre))
        return box
    box["data-kind"] = "error" if "error" in kind or "stderr" in kind else "result"
    box.extend(list(output.contents))
    for table in box.find_all("table"):
        make_table(page, table)
    for pre in box.find_all("pre"):
        make_scrollable(pre, "Output")
    return box


def make_table(page: BeautifulSoup, table: Tag) -> None:
    """Let a table look like the site's others, and scroll by itself where it is too wide."""
    for attribute in ("border", "style", "class"):
        del table[attribute]
    table["class"] = "course-table"
    for cell in table.find_all("th"):
        # An empty corner is no heading of anything.
        if not cell.get_text(strip=True):
            cell.name = "td"
        elif cell.find_parent("thead"):
            cell["scope"] = "col"
        else:
            cell["scope"] = "row"
    wrapper = page.new_tag("div", attrs={"class": "course-scroll"})
    table.wrap(wrapper)
    make_scrollable(wrapper, "Table")


def make_scrollable(element: Tag, name: str) -> None:
    """What scrolls sideways has to be reached with the keyboard, and to say what it is."""
    element["tabindex"] = "0"
    element["role"] = "region"
    element["aria-label"] = name


def number_headings(page: BeautifulSoup) -> list[dict]:
    """Give each heading its anchor, and return them as the table of contents that MkDocs builds from."""
    tokens: list[dict] = []
    seen: dict[str, int] = {}
    for link in page.select("a.anchor-link"):
        link.decompose()
    for heading in page.find_all(re.compile(r"^h[1-6]$")):
        if heading.find_parent(class_="course-output"):
            continue
        text = heading.get_text().strip()
        slug = anchor(text)
        seen[slug] = seen.get(slug, 0) + 1
        heading["id"] = slug if seen[slug] == 1 else f"{slug}_{seen[slug] - 1}"
        if heading.name != "h1":
            mark = page.new_tag(
                "a", attrs={"class": "headerlink", "href": f"#{heading['id']}", "title": "Permanent link"}
            )
            mark.string = "¶"
            heading.append(mark)
        place(tokens, {"level": int(heading.name[1]), "id": heading["id"], "name": html.escape(text), "html": text,
                       "children": []})  # fmt: skip
    return tokens


def anchor(heading: str) -> str:
    """The anchor of a heading, which JupyterLab's links name in its own way: `#My-heading` for "My heading"."""
    return slugify(unquote(heading), "-")


def place(tokens: list[dict], token: dict) -> None:
    """Hang a heading below the last one that is above it in rank."""
    siblings = tokens
    while siblings and siblings[-1]["level"] < token["level"]:
        siblings = siblings[-1]["children"]
    siblings.append(token)


def add_launch_buttons(page: BeautifulSoup, notebook: Notebook) -> None:
    """Put the site's buttons where the notebook has its own launch links; the download is the site's own copy."""
    for link in page.find_all("a", href=True):
        if any(place in link["href"] for place in LAUNCHERS) and notebook.path in link["href"]:
            paragraph = link.find_parent("p") or link
            paragraph.decompose()
            break
    bar = page.new_tag("div", attrs={"class": "course-launch", "role": "group", "aria-label": "Open this notebook"})
    for text, address in notebook.launch_links.items():
        button = page.new_tag("a", attrs={"class": "md-button", "href": address})
        button.string = text
        bar.append(button)
    name = notebook.path.rsplit("/", 1)[1]
    download = page.new_tag("a", attrs={"class": "md-button", "href": name, "download": ""})
    download.string = "Download"
    bar.append(download)
    if notebook.minutes:
        minutes = page.new_tag("span", attrs={"class": "course-time"})
        minutes.string = f"about {notebook.minutes} minutes"
        bar.append(minutes)
    title = page.find("h1")
    if title is None:
        page.insert(0, bar)
    else:
        title.insert_after(bar)


def name_facts(page: BeautifulSoup) -> None:
    """The table of what you'll do, learn and need has no head row, but a name in each row."""
    for table in page.find_all("table"):
        head = table.find("thead")
        if head is not None and not head.get_text(strip=True):
            head.decompose()
            table["class"] = "course-facts"
            for row in table.find_all("tr"):
                first = row.find("td")
                first.name = "th"
                first["scope"] = "row"


def note_kernel(page: BeautifulSoup) -> None:
    """Say at the first widget that it needs a kernel, if any does."""
    state = page.find("script", type=WIDGET_STATE)
    first = page.select_one(".course-widget")
    if state is None or first is None:
        return
    if re.search(rf'"_model_name": "\w*({NEEDS_KERNEL.pattern})\w*Model"', state.get_text()):
        note = page.new_tag("p", attrs={"class": "course-kernel"})
        note.string = KERNEL_NOTE
        first.insert_before(note)
