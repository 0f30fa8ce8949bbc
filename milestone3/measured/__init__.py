"""Figures that took too long to measure in a notebook: each a JSON file, written by the command it names."""

from __future__ import annotations

import json
from importlib.resources import files


def measured(name: str) -> dict:
    """Read one of the reports in this folder, as `python -m milestone3.evaluation --json` wrote it."""
    return json.loads((files(__package__) / f"{name}.json").read_text(encoding="utf-8"))
