"""What a notebook says of itself in its first cells: title, minutes, and what the student has at its end."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from project import ROOT, repository

from course.badges import launch_links

NAME = re.compile(r"(\d)_(\d+)_(\w+)")
MINUTES = re.compile(r"[Aa]bout (\d+) minutes")
LAUNCHERS = ("colab.research.google.com", "mybinder.org", "raw.githubusercontent.com")
# Words that a file's name has in lower case.
SPELLING = {
    "bert": "BERT",
    "docker": "Docker",
    "finetune": "fine-tune",
    "gpu": "GPU",
    "onnx": "ONNX",
    "space": "Space",
    "wsl": "WSL",
}


@dataclass(frozen=True)
class Notebook:
    """One notebook of the course.

    Attributes
    ----------
    path : str
        From the root, as in "notebooks/3_1_explore_the_comments.ipynb".
    milestone, place : int
        3 and 1 in this example.
    title : str
        Its heading.
    short : str
        For a list, as in "3.1 Explore the comments".
    outcome : str
        What the student has or can do at its end; Markdown.
    minutes : int or None
        How long it takes.
    """

    path: str
    milestone: int
    place: int
    title: str
    short: str
    outcome: str
    minutes: int | None

    @property
    def number(self) -> str:
        return f"{self.milestone}.{self.place}"

    @property
    def launch_links(self) -> dict[str, str]:
        """Where it can be opened without an installation: name of the place to address."""
        links = launch_links(repository(), self.path)
        return {"Open in Colab": links["Colab"], "Open in Binder": links["Binder"]}


def find_notebooks() -> list[Notebook]:
    """All notebooks whose name begins with a milestone's number, in the order of the course."""
    paths = [path for path in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts]
    found = [read_facts(path, path.stat().st_mtime_ns) for path in sorted(paths) if NAME.fullmatch(path.stem)]
    return sorted(found, key=lambda notebook: (notebook.milestone, notebook.place, notebook.path))


@cache
def read_facts(path: Path, changed: int) -> Notebook:
    """Read a notebook; `changed` makes the cache forget it when the file is written again."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    opening = "\n\n".join("".join(cell["source"]) for cell in cells[:3] if cell["cell_type"] == "markdown")
    milestone, place, words = NAME.fullmatch(path.stem).groups()
    heading = re.search(r"^# (.+)$", opening, re.MULTILINE)
    minutes = MINUTES.search(opening)
    short = " ".join(SPELLING.get(word, word) for word in words.split("_"))
    return Notebook(
        path=path.relative_to(ROOT).as_posix(),
        milestone=int(milestone),
        place=int(place),
        title=heading[1].strip() if heading else short,
        short=f"{milestone}.{int(place)} {short[0].upper()}{short[1:]}",
        outcome=outcome_of(opening),
        minutes=int(minutes[1]) if minutes else None,
    )


def outcome_of(opening: str) -> str:
    """The paragraph below the title that says what the student has at the end, without the words "At the end"."""
    for paragraph in re.split(r"\n\s*\n", opening):
        text = " ".join(paragraph.split())
        if text and not text.startswith(("#", "|", ">")) and not any(place in text for place in LAUNCHERS):
            text = re.sub(r"^At the end,? ", "", text)
            return text[0].upper() + text[1:]
    return ""
