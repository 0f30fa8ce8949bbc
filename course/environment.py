"""The folder ``.venv`` with everything the course needs: made once, finished if interrupted. Standard library only.

``.venv/course-setup.json`` tells how far the last set-up got. It is written before anything is installed ("finished":
false) and again after everything is. An environment that says it is finished can be trusted; one that says it is not
is made again, since pip cannot tell a package that was cut short from a whole one (pip's cache saves the downloads).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from course import preflight
from course.installing import install_packages, run_quietly
from course.locking import only_one
from course.preflight import SetupError
from course.requirements import read_project

SOURCES = ("pyproject.toml", "constraints.txt")


def venv_python(venv: Path) -> Path:
    """Return the path of the Python in the environment `venv`."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def fingerprint(root: Path) -> str:
    """Return a checksum of the files that say what is installed."""
    digest = hashlib.sha256()
    for name in SOURCES:
        path = root / name
        digest.update(path.read_bytes() if path.is_file() else b"")
        digest.update(b"\0")
    return digest.hexdigest()


def state_of(root: Path, finished: bool) -> dict:
    """Return the note about a set-up of the course in `root` as it is now."""
    # The folder belongs to it: a copied or moved environment still points to the old place.
    return {"finished": finished, "folder": str(root), "fingerprint": fingerprint(root)}


def read_state(venv: Path) -> dict:
    """Return what the last set-up noted in `venv`, or an empty dictionary."""
    try:
        state = json.loads((venv / "course-setup.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def write_state(venv: Path, state: dict) -> None:
    """Write the note all at once: a power cut leaves the old one or the new one, never half of one."""
    temporary = venv / "course-setup.json.new"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(venv / "course-setup.json")


def is_ready(root: Path) -> bool:
    """Return whether the environment of `root` is finished and made from the present list of packages."""
    return read_state(root / ".venv") == state_of(root, finished=True) and venv_python(root / ".venv").exists()


def can_be_kept(root: Path) -> bool:
    """Return whether the environment of `root` is whole, so that it is enough to bring it up to date.

    One without a note was made by someone else, an editor perhaps: if it works it is used, not thrown away.
    """
    state = read_state(root / ".venv")
    if state and not (state.get("finished") and state.get("folder") == str(root)):
        return False
    trial = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([venv_python(root / ".venv"), "-c", trial], capture_output=True).returncode == 0
    except OSError:
        return False


def discard(root: Path) -> None:
    """Remove what is left of an environment in `root`.

    It is renamed first: removing takes a while, and half an environment must never stand where a whole one belongs.
    """
    venv = root / ".venv"
    if venv.exists() or venv.is_symlink():
        try:
            venv.rename(root / f".venv-discarded-{os.getpid()}")
        except OSError:
            raise SetupError(
                f"The folder {venv} is in use: close JupyterLab and every terminal that uses it, then run the same "
                "command again."
            ) from None
    for old in root.glob(".venv-discarded-*"):
        shutil.rmtree(old, ignore_errors=True)


def create(root: Path) -> None:
    """Make an environment with nothing but pip in `root`."""
    venv = root / ".venv"
    python = sys.executable
    if Path(sys.prefix).resolve() == venv.resolve():  # the environment being made again is the one that runs this
        python = getattr(sys, "_base_executable", python)
    discard(root)
    preflight.check_disk(root)
    venv.mkdir()
    write_state(venv, state_of(root, finished=False))
    print(f"Making the folder .venv with Python {sys.version.split()[0]}", flush=True)
    failure = run_quietly([python, "-m", "venv", str(venv)])
    if failure:
        raise SetupError(
            f"Python could not make the folder .venv ({failure}): put that right, then run the same command again."
        )


def set_up(root: Path) -> Path:
    """Make the environment of the course in `root`, unless it is there; return its Python.

    Raises
    ------
    SetupError
        Where something is in the way; the message says what to do.
    """
    venv = root / ".venv"
    if is_ready(root):
        return venv_python(venv)
    project = read_project(root)
    preflight.check_machine(root)
    with only_one(root / ".venv.lock"):
        if is_ready(root):  # by the other set-up that this one waited for
            return venv_python(venv)
        wanted = state_of(root, finished=True)  # before the work: a file changed during it is for the next call
        if can_be_kept(root):
            print(f"Bringing the packages of the course in {venv} up to date.", flush=True)
            write_state(venv, state_of(root, finished=False))
        else:
            print(f"Setting up the course in {venv}: once, for a few minutes.", flush=True)
            create(root)
        install_packages(venv_python(venv), project, root)
        write_state(venv, wanted)
    print("The course is set up.\n", flush=True)
    return venv_python(venv)
