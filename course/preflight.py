"""What must be right before anything is installed, each with one sentence about what to do. Standard library only."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import struct
import sys
from pathlib import Path

from course.torch_index import has_nvidia_gpu

GIB = 2**30
CPU_GIB = 3
NVIDIA_GIB = 8  # NVIDIA's libraries come with PyTorch


class SetupError(Exception):
    """The set-up cannot go on; the message is one sentence for the person at the keyboard."""


def check_build() -> None:
    """Raise SetupError where PyTorch has no build for this machine and Python."""
    if struct.calcsize("P") != 8:
        raise SetupError(
            "This is a 32-bit Python, for which there is no PyTorch: install the 64-bit one from "
            "https://www.python.org/downloads/ and run the same command with it."
        )
    if platform.system() == "Darwin" and platform.machine() == "x86_64":
        raise SetupError(
            "There is no current PyTorch for an Intel Mac: open the course on Colab or Binder (see README.md), or, if "
            "this Mac has an Apple chip, install Python from https://www.python.org/downloads/ and use that."
        )


def check_venv_module() -> None:
    """Raise SetupError where this Python cannot make environments, as on Debian without python3-venv."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    raise SetupError(
        "This Python comes without its venv module: on Debian or Ubuntu run "
        f"`sudo apt install python{version}-venv`, elsewhere install Python from https://www.python.org/downloads/, "
        "then run the same command again."
    )


def check_folder(root: Path) -> None:
    """Raise SetupError where nothing may be written to the folder `root`."""
    if not os.access(root, os.W_OK):
        raise SetupError(
            f"Nothing can be written to {root}: copy or clone the course to a folder of your own and run it there."
        )


def check_disk(root: Path) -> None:
    """Raise SetupError where the disk of `root` has too little room for the packages."""
    wanted = NVIDIA_GIB if platform.system() == "Linux" and has_nvidia_gpu() else CPU_GIB
    free = shutil.disk_usage(root).free / GIB
    if free < wanted:
        raise SetupError(
            f"The set-up needs about {wanted} GB on the disk of {root}, and {free:.1f} GB are free: "
            "make room, then run the same command again."
        )


def check_machine(root: Path) -> None:
    """Raise SetupError for the first thing about this machine that is in the way of a set-up in `root`."""
    check_build()
    check_venv_module()
    check_folder(root)


def explain_failure(output: str, root: Path) -> str:
    """Return one sentence about why pip failed, from what it wrote to standard error."""
    again = "then run the same command again."
    if "No space left on device" in output or "not enough space on the disk" in output:
        free = shutil.disk_usage(root).free / GIB
        return f"The disk is full ({free:.1f} GB are free in {root}; downloads also need room in the folder for \
temporary files): make room, {again}"
    unreachable = [
        "connection broken by",
        "Temporary failure in name resolution",
        "Failed to establish a new connection",
        "Could not fetch URL",
        "Read timed out",
        "Max retries exceeded",
        "Network is unreachable",
    ]
    if any(sign in output for sign in unreachable):
        return f"pip could not reach the internet's package index: check the network (and the proxy, if there is \
one), {again}"
    if "No matching distribution found" in output or "requires a different Python" in output:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return f"A package has no build for Python {version} on this machine (pip names it above): install Python \
3.12, with which the course is tested, and run the same command with it."
    return f"pip could not install the packages; its last lines above say why: put that right, {again}"
