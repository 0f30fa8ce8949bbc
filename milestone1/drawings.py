"""The drawings of milestone 1, shown in a notebook with the description that each carries in words."""

from __future__ import annotations

import base64
import html
from pathlib import Path
from xml.etree import ElementTree

FIGURES = Path(__file__).resolve().parent / "figures"
SVG = "{http://www.w3.org/2000/svg}"


def figure_names() -> list[str]:
    """Names of the drawings, sorted."""
    return sorted(path.stem for path in FIGURES.glob("*.svg"))


def description(name: str) -> str:
    """What a drawing says in words: its `desc` element.

    Raises
    ------
    KeyError
        If there is no drawing of this name.
    """
    if name not in figure_names():
        raise KeyError(f"There is no drawing {name!r}; there are {', '.join(figure_names())}.")
    return ElementTree.parse(FIGURES / f"{name}.svg").getroot().findtext(f"{SVG}desc").strip()


def show_drawing(name: str) -> None:
    """Display a drawing with its description as alternative text; it follows the reader's dark or light mode."""
    from IPython.display import display

    alt = description(name)
    data = base64.b64encode((FIGURES / f"{name}.svg").read_bytes()).decode()
    # As a picture rather than as part of the page: Jupyter takes svg elements out of what it does not trust.
    page = f'<img alt="{html.escape(alt)}" width="760" src="data:image/svg+xml;base64,{data}">'
    display({"text/html": page, "text/plain": alt}, raw=True)
