"""Where PyTorch comes from. Standard library only.

On Linux, PyPI's PyTorch brings gigabytes of libraries for NVIDIA cards. PyTorch's own index has a build without them.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROBE_SECONDS = 5.0


def has_nvidia_gpu() -> bool:
    """Return whether an NVIDIA card with a working driver is there."""
    if Path("/proc/driver/nvidia/version").exists():
        return True
    if shutil.which("nvidia-smi") is None:
        return False
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listing.returncode == 0 and "GPU" in listing.stdout


def answers(index: str, seconds: float = PROBE_SECONDS) -> bool:
    """Return whether the package index `index` lists PyTorch within `seconds`.

    The request runs in a thread of its own, because a name server that stays silent can hold it for minutes and no
    time limit of `urllib` covers that. The thread is left behind; being a daemon, it keeps nothing from ending.
    """
    found = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(f"{index}/torch/", timeout=seconds) as page:
                found.append(page.status == 200)
        except (OSError, ValueError):  # no network, a refusal, a bad certificate; a proxy's address that is none
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return found == [True]


def cpu_index(index: str = CPU_INDEX, seconds: float = PROBE_SECONDS) -> str | None:
    """Return the index to ask first for a PyTorch without NVIDIA's libraries, or None for pip's ordinary sources."""
    if platform.system() != "Linux" or os.environ.get("PIP_NO_INDEX") or has_nvidia_gpu():
        return None
    return index if answers(index, seconds) else None
