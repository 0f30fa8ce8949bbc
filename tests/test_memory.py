"""What a process has freed goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# 200 MB in blocks too small for glibc to return by itself: one at the top of the heap stays in use.
CHILD = """
import psutil
from milestone3.memory import give_memory_back
size = lambda: psutil.Process().memory_info().rss
blocks = [bytearray(50_000) for _ in range(4_000)]
blocks.append(blocks)  # refers to itself, so that only the collector frees it
top = bytearray(50_000)
full = size()
del blocks
give_memory_back()
print(full - size())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries return it themselves, or never")
def test_freed_blocks_are_returned():
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 150_000_000
