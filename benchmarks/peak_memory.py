"""Peak memory of the running process."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def peak_memory() -> int:
    """Most physical memory that this process has held so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux; its ru_maxrss would count the process that started this one as well
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1])
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
