"""Where the probes look, and what they answer with."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

Level = Literal["ok", "note", "warning", "failure"]
HERE = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 3.0


@dataclass(frozen=True)
class Finding:
    """What one probe found.

    A note is good to know and needs no repair; with a warning the course runs, but slowly or not all of it; a failure
    has to be repaired before anything else.
    """

    name: str
    level: Level
    found: str
    repair: str = ""
    details: tuple[str, ...] = ()


class Answer(NamedTuple):
    """What a program wrote, and its exit code; no code where it did not start, or not end in time."""

    code: int | None
    text: str


def checkout_here() -> Path | None:
    """Return the folder that holds this file's copy of the course, or None where pip installed the packages alone."""
    return HERE if (HERE / "pyproject.toml").is_file() and (HERE / "notebooks").is_dir() else None


@dataclass(frozen=True)
class Machine:
    """The computer to look at: this one, or in tests and in notebook 1_3 a made-up one.

    Attributes
    ----------
    environ : mapping
        Environment variables; programs are looked for along its PATH, and get it as their own.
    root : Path
        The folder under which proc, sys and etc lie.
    system, version, processor : str
        As `platform.system()`, `platform.version()` and `platform.machine()` give them.
    checkout : Path or None
        The course's folder, None where pip installed the packages alone.
    path : tuple of str
        Folders in which Python looks for packages.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    root: Path = Path("/")
    system: str = field(default_factory=platform.system)
    version: str = field(default_factory=platform.version)
    processor: str = field(default_factory=platform.machine)
    checkout: Path | None = field(default_factory=checkout_here)
    path: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))

    @property
    def home(self) -> Path:
        """The user's home folder."""
        return Path(self.environ.get("HOME") or self.environ.get("USERPROFILE") or Path.home())

    @property
    def folder(self) -> Path:
        """The course's folder, or where there is none the present one."""
        return self.checkout or Path.cwd()

    @property
    def python(self) -> str:
        """How a student calls Python here."""
        return "py" if self.system == "Windows" else "python3"

    @property
    def hosted(self) -> str:
        """The service that lends this computer, such as Colab, or an empty string."""
        if "COLAB_RELEASE_TAG" in self.environ:
            return "Colab"
        return "Binder" if "BINDER_SERVICE_HOST" in self.environ else ""

    @property
    def in_container(self) -> bool:
        """Whether this is the inside of a container."""
        return any((self.root / mark).exists() for mark in (".dockerenv", "run/.containerenv"))

    @property
    def wsl(self) -> int:
        """The version of WSL that this Linux runs in, 1 or 2, or 0 outside WSL."""
        release = self.read("proc/sys/kernel/osrelease").lower()
        if "microsoft" not in release:
            return 0
        return 2 if "wsl2" in release or "microsoft-standard" in release else 1

    def read(self, name: str) -> str:
        """Return the text of a file under `root`, or nothing where it cannot be read."""
        try:
            return (self.root / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def ask(self, *command: str, seconds: float = ANSWER_SECONDS) -> Answer | None:
        """Run a program and return its answer, or None where it is not installed."""
        program = shutil.which(command[0], path=self.environ.get("PATH", ""))
        if program is None:
            return None
        try:
            return run([program, *command[1:]], self.environ, seconds)
        except OSError as error:  # not a program, or one for another processor
            return Answer(None, str(error))


def run(command: Sequence[str], environ: Mapping[str, str], seconds: float) -> Answer:
    """Run `command`; after `seconds`, end it together with all that it started."""
    child = subprocess.Popen(command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, start_new_session=os.name != "nt")  # fmt: skip
    try:
        output = child.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        if os.name == "nt":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return Answer(None, f"no answer within {seconds:.0f} seconds")
    # Windows' own programs, wsl.exe among them, write two bytes for each letter.
    encoding = "utf-16-le" if output[1:2] == b"\0" else "utf-8"
    return Answer(child.returncode, output.decode(encoding, errors="replace").strip())
