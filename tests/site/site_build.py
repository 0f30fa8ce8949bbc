"""Where the site's parts are, and how the tests build it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / "docs" / "hooks"
SCREENSHOTS = ROOT / ".cache" / "screenshots"  # for a person to look at
SECONDS = 3600  # a busy computer is slow


def build(output: Path, *before: str, **variables: str) -> subprocess.CompletedProcess:
    """Build the site as a person would; `before` is a command that runs the build."""
    command = [*before, sys.executable, "-m", "course.site", "--output", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS)
