"""What pyproject.toml asks for, and whether a Python has it already. Standard library only."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
import tomllib
from pathlib import Path

from course.preflight import SetupError

EXTRA = "lab"


def read_project(root: Path) -> dict:
    """Return the table ``[project]`` of pyproject.toml in `root`; raise SetupError where there is none."""
    try:
        with (root / "pyproject.toml").open("rb") as file:
            return tomllib.load(file)["project"]
    except FileNotFoundError:
        raise SetupError(
            f"There is no pyproject.toml in {root}: get the whole course with git clone, and run this command in its "
            "folder."
        ) from None


def name_of(requirement: str) -> str:
    """Return the package's name in a requirement.

    >>> name_of("huggingface_hub>=1.20,<3")
    'huggingface-hub'
    """
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def torch_requirement(project: dict) -> str | None:
    """Return what `project` asks of PyTorch, as in ``torch>=2.9,<3``, or None if it needs none."""
    return next((line for line in project["dependencies"] if name_of(line) == "torch"), None)


def missing_packages(project: dict, path: list[str]) -> list[str]:
    """Return the packages that `project`, its extra and itself need and that are in none of the folders `path`."""
    wanted = [*project["dependencies"], *project.get("optional-dependencies", {}).get(EXTRA, []), project["name"]]
    return [
        name
        for name in dict.fromkeys(map(name_of, wanted))
        if not any(importlib.metadata.distributions(name=name, path=path))
    ]


def check_here(root: Path) -> None:
    """Raise SetupError where the running Python has not all that the course in `root` needs."""
    # The folder itself does not count: the course's metadata lies there after an installation into any Python.
    path = [folder for folder in sys.path if folder and Path(folder).resolve() != root.resolve()]
    missing = missing_packages(read_project(root), path)
    if missing:
        raise SetupError(
            f"This Python ({sys.executable}) has no {', '.join(missing)}: install what is missing with\n"
            f'  {os.path.basename(sys.executable)} -m pip install -e ".[{EXTRA}]"'
        )
