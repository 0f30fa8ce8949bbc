"""Memory that a finished training run no longer needs."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_memory_back() -> None:
    """Return what this process has freed to the system, for what a notebook starts next on a machine with 2 GB.

    Python finds a `Trainer` and its optimizer, which refer to each other, only now and then; and glibc, the C library
    of most Linuxes, keeps small blocks that were freed.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have no such function
        if trim:
            trim(0)
