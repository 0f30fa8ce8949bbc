"""What the site's hooks share: where the course is, who keeps it, and where what is slow to make is kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from course.badges import read_repository

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "site"


@cache
def repository() -> str:
    """The course's home on GitHub, as in "owner/name"."""
    return read_repository(ROOT)


def key_of(files: Iterable[Path]) -> str:
    """Sixteen hexadecimal digits that change with any of the files."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def made_once(kind: str, key: str, make: Callable[[Path], object]) -> Path:
    """The folder of this kind and key in the cache; `make` fills it the first time, and older ones are removed.

    It is filled under another name and then renamed, so that one that stands there is whole.
    """
    folder = CACHE / f"{kind}-{key}"
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{kind}-", dir=CACHE))
        try:
            make(draft / "made")
            for old in CACHE.glob(f"{kind}-*"):
                shutil.rmtree(old, ignore_errors=True)
            with suppress(OSError):  # another build was quicker
                os.replace(draft / "made", folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} could not be made. Remove {CACHE}, and build the site again.")
    return folder


def add_files(files: Files, config: MkDocsConfig, folder: Path, place: str) -> None:
    """Let the site hold all files of `folder`, at the address `place`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            uri = f"{place}/{path.relative_to(folder).as_posix()}"
            file = File.generated(config, uri, abs_src_path=str(path))
            files.append(file)
