"""Checkpoints of a training run: which one is whole, and is there room for more?"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

from safetensors import SafetensorError, safe_open

_NAME = re.compile(r"checkpoint-(\d+)$")
COPIES_KEPT = 3  # the best, the last, and the one being written
SPARE_BYTES = 200_000_000


def last_complete_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end, or None.

    A run that is killed while it saves leaves a half-written folder. Such a folder is named aloud and passed over; the
    run writes it anew when it gets there again.
    """
    found = [path for path in folder.glob("checkpoint-*") if _NAME.search(path.name)]
    for path in sorted(found, key=lambda path: int(_NAME.search(path.name)[1]), reverse=True):
        problem = what_is_missing(path)
        if problem is None:
            return path
        print(f"Passing over {path.name}: {problem}.")
    return None


def what_is_missing(checkpoint: Path) -> str | None:
    """Say in a few words why a checkpoint is not whole; None if it is.

    Weights, optimizer, schedule, random state and, written last, the trainer's state must all be there and open.
    """
    if not any((checkpoint / name).exists() for name in ("model.safetensors", "adapter_model.safetensors")):
        return "it has no weights"
    if not any(checkpoint.glob("rng_state*.pth")):
        return "it has no random state"
    for name in ("optimizer.pt", "scheduler.pt", "trainer_state.json"):
        if not (checkpoint / name).exists():
            return f"{name} is missing"
    cut_off = [path.name for path in sorted(checkpoint.iterdir()) if _is_cut_off(path)]
    if cut_off:
        return f"{cut_off[0]} is cut off"
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    step = int(_NAME.search(checkpoint.name)[1])
    return None if state.get("global_step") == step else "trainer_state.json is of another step"


def _is_cut_off(path: Path) -> bool:
    """Whether a file lacks its end; only files of the kinds that a checkpoint is made of are looked into."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as tensors:
                tensors.keys()
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix in (".pt", ".pth", ".bin"):
            return not zipfile.is_zipfile(path)  # as which torch.save writes; the table of contents is at the end
    except (SafetensorError, ValueError, OSError):
        return True
    return False


def require_room(folder: Path, weights: int, trained: int) -> None:
    """Make sure, before training starts, that checkpoints can be written.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    weights, trained : int
        Numbers of the model's parameters that are saved, and of those that are trained (AdamW keeps two float32 more
        for each of these).

    Raises
    ------
    OSError
        If the folder cannot be written to, or the disk has too little room for three checkpoints.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
    except OSError as error:
        raise OSError(
            f"{folder}: cannot be written to ({error.strerror}). Choose another folder with --output."
        ) from error
    needed = COPIES_KEPT * 4 * (weights + 2 * trained) + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"{folder}: {free / 1e9:.1f} GB are free, but the checkpoints of this run need {needed / 1e9:.1f} GB. "
            "Free some space, or choose another disk with --output."
        )
