"""What the site's hooks share: where the course is, who keeps it, and where what is slow to make is kept."""

from __future__ import annotations

import hashlib
import json
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


@cache
def hooks_key() -> str:
    """Changes with any of the hooks, and with what they use of the course to work on pages."""
    used = ("course/__init__.py", "course/notebook.py", "course/badges.py", "milestone2/examples.py")
    return key_of([*Path(__file__).parent.glob("*.py"), *filter(Path.is_file, (ROOT / path for path in used))])


def remembered(name: str, made_from: str, make: Callable[[], object]) -> object:
    """What `make` returns, or returned in an earlier build from the same text and with the same hooks.

    The result is something that JSON can hold. One is kept for each name, so that the cache does not grow.
    """
    key = hashlib.sha256(f"{hooks_key()}{made_from}".encode()).hexdigest()
    file = CACHE / "remembered" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"
    with suppress(OSError, ValueError):  # not there, or written by half
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["key"] == key:
            return kept["result"]
    result = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"key": key, "result": result}), encoding="utf-8")
    return result


def add_files(files: Files, config: MkDocsConfig, folder: Path, place: str) -> None:
    """Let the site hold all files of `folder`, at the address `place`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            uri = f"{place}/{path.relative_to(folder).as_posix()}"
            file = File.generated(config, uri, abs_src_path=str(path))
            files.append(file)
