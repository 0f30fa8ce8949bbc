"""What a run's folder says of the run, so that the same command can continue it and another cannot spoil it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from datasets import DatasetDict

from milestone3.processes import process_state
from milestone3.recipe import Recipe


def _identity(recipe: Recipe, comments: DatasetDict) -> dict:
    """What must be equal for a run to be continued: the recipe and the very comments."""
    digest = hashlib.sha256()
    for part in ("train", "validation"):
        for text in comments[part]["text"][:]:
            digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return {"recipe": asdict(recipe), "comments": digest.hexdigest()}


def is_finished(output: Path, recipe: Recipe, comments: DatasetDict) -> bool:
    """Whether `output` holds this run, finished; `ValueError` if it holds another one."""
    try:
        run = json.loads((output / "run.json").read_text(encoding="utf-8"))
    except OSError:
        return False
    if {key: run.get(key) for key in ("recipe", "comments")} != _identity(recipe, comments):
        raise ValueError(
            f"{output} holds a run with other settings or comments. Choose another --output, or delete it."
        )
    return run["finished"]


def remember(output: Path, recipe: Recipe, comments: DatasetDict, finished: bool) -> None:
    if process_state().is_main_process:
        draft = output / "run.json.part"
        draft.write_text(json.dumps({**_identity(recipe, comments), "finished": finished}, indent=2), encoding="utf-8")
        draft.replace(output / "run.json")
