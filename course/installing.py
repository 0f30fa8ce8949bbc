"""What pip is asked to install, and what is said about it. Standard library only."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from course import preflight, torch_index
from course.preflight import SetupError
from course.requirements import EXTRA, torch_requirement


def pip_environment() -> dict[str, str]:
    """Return the environment variables without those that send pip's packages elsewhere than into the environment."""
    elsewhere = {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"}
    variables = {name: value for name, value in os.environ.items() if name not in elsewhere}
    return {**variables, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def run_quietly(command: Sequence[str]) -> str | None:
    """Run `command`; return None if it succeeded, else the last line that it wrote."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                            env=pip_environment(), close_fds=False)  # fmt: skip
    if result.returncode == 0:
        return None
    return (result.stdout.strip() or f"exit code {result.returncode}").splitlines()[-1]


def run_pip(python: Path, arguments: Sequence[str], root: Path) -> str | None:
    """Run pip with its progress on the screen; return None if it succeeded, else what it wrote to standard error."""
    command = [str(python), "-m", "pip", *arguments]
    written = []
    # Standard output, with the progress bars, goes straight to the screen. Open files are left open: see only_one.
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, env=pip_environment(), close_fds=False) as pip:
        for line in pip.stderr:
            written.append(line.decode(errors="replace"))
            sys.stderr.write(written[-1])
            sys.stderr.flush()
    return None if pip.returncode == 0 else "".join(written)


def constraint_arguments(root: Path) -> list[str]:
    """Return pip's option for the tested versions, where the course in `root` has a list of them."""
    return ["--constraint", "constraints.txt"] if (root / "constraints.txt").is_file() else []


def install_torch(python: Path, requirement: str, root: Path) -> str | None:
    """Install PyTorch; return None if that succeeded, else what pip wrote to standard error."""
    wanted = [requirement, *constraint_arguments(root)]
    index = torch_index.cpu_index()
    if index:
        print(f"(the build for computers without an NVIDIA card, from {index})", flush=True)
        # Without dependencies: that index has few, and old ones. The next step gets them from where all others are.
        quick = ["--no-deps", "--index-url", index, "--timeout", "15", "--retries", "2"]
        if run_pip(python, ["install", *quick, *wanted], root) is None:
            return None
        print("That did not work; now from pip's ordinary sources.", flush=True)
    elif platform.system() == "Linux" and not torch_index.has_nvidia_gpu():
        print("(from pip's ordinary sources, which may take some gigabytes: download.pytorch.org, with its smaller "
              "build, cannot be reached)", flush=True)  # fmt: skip
    return run_pip(python, ["install", *wanted], root)


def install_packages(python: Path, project: dict, root: Path) -> None:
    """Install all that the course in `root` needs into the environment of `python`; raise SetupError on failure."""
    torch = torch_requirement(project)
    steps = [("Upgrading pip", lambda: run_pip(python, ["install", "--upgrade", "pip"], root))]
    if torch:
        steps.append(("Installing PyTorch", lambda: install_torch(python, torch, root)))
    course = ["install", "--editable", f".[{EXTRA}]", *constraint_arguments(root)]
    steps.append(("Installing the course and its other packages", lambda: run_pip(python, course, root)))
    for number, (title, step) in enumerate(steps, start=1):
        print(f"\n[{number}/{len(steps)}] {title}", flush=True)
        failure = step()
        if failure is not None:
            raise SetupError(preflight.explain_failure(failure, root))
