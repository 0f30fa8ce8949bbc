"""A small course in a temporary folder, for the launcher's tests: no network, and seconds instead of minutes.

It has the real launcher's files; what it installs as torch and jupyterlab are packages of a few lines.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pip

ROOT = Path(__file__).resolve().parent.parent

# A build backend in 20 lines: the stand-in must not need setuptools from the network. With the file `slow` in the
# project it stops half-way, for as long as a test needs to interrupt it there.
BACKEND = """
import base64, pathlib, time, tomllib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    root = pathlib.Path.cwd()
    if (root / "slow").exists():
        (root / "building").touch()
        time.sleep(120)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    needs = [f"Requires-Dist: {line}" for line in project["dependencies"]]
    needs += [f"Requires-Dist: {line}; extra == 'lab'" for line in project["optional-dependencies"]["lab"]]
    head = ["Metadata-Version: 2.1", "Name: tiny-course", "Version: 1.0", "Provides-Extra: lab"]
    with zipfile.ZipFile(pathlib.Path(folder) / "tiny_course-1.0-py3-none-any.whl", "w") as wheel:
        info = "tiny_course-1.0.dist-info/"
        wheel.writestr("tiny_course.pth", str(root))
        wheel.writestr(info + "METADATA", "\\n".join(head + needs) + "\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return "tiny_course-1.0-py3-none-any.whl"
"""

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny-course"
version = "1.0"
dependencies = ["torch>=1"]
optional-dependencies.lab = ["jupyterlab"]
"""

# Stands in for JupyterLab: says how it was called; ends with code 7, or when it is asked to wait, with 5 at Ctrl-C.
FAKE_LAB = """
import os, signal, sys, time
import torch
signal.signal(signal.SIGINT, lambda *_: sys.exit(5))
print("lab", torch.__version__, sys.argv[1:], flush=True)
time.sleep(60 if "--wait" in sys.argv else 0)
sys.exit(7)
"""


def make_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> None:
    """Write a pure-Python wheel with `files` to `folder`."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


class StandInCourse:
    """A small course in a folder of its own (with a space in its name), and the ways to start its launcher."""

    def __init__(self, folder: Path):
        self.root = folder / "my course"
        wheels = folder / "wheels"
        wheels.mkdir()
        shutil.copytree(ROOT / "course", self.root / "course", ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / "backend.py").write_text(BACKEND)
        (self.root / "pyproject.toml").write_text(PROJECT)
        (self.root / "constraints.txt").write_text("torch==1.0\n")
        for version in ("1.0", "2.0"):
            make_wheel(wheels, "torch", version, {"torch/__init__.py": f"__version__ = '{version}'\n"})
        make_wheel(wheels, "jupyterlab", "1.0", {"jupyterlab/__init__.py": "", "jupyterlab/__main__.py": FAKE_LAB})
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTEST_"))}
        self.variables = {
            **kept,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": wheels.as_uri(),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def start(self, *arguments: str, python: str = sys.executable, before: str = "", **variables: str):
        """Start the launcher, in a process group of its own, after running the Python code `before`."""
        # A shell's background job ignores Ctrl-C, and so would all that a test starts from there.
        interrupts = "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"
        launch = "sys.argv[0] = 'course'; runpy.run_module('course', run_name='__main__')"
        code = f"{interrupts}\n{before}\n{launch}"
        return subprocess.Popen([python, "-c", code, *arguments], cwd=self.root, env={**self.variables, **variables},
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                start_new_session=True)  # fmt: skip

    def make_foreign_venv(self) -> Path:
        """Make an environment as an editor would, and quickly: with the pip that is here; return its packages."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.root / ".venv"], check=True)
        packages = next((self.root / ".venv").rglob("site-packages"))
        (packages / "pip.pth").write_text(str(Path(pip.__file__).parent.parent))
        return packages

    def run(self, *arguments: str, **options: str) -> tuple[int, str]:
        """Run the launcher to its end; return its exit code and output."""
        with self.start(*arguments, **options) as process:
            output = process.communicate(timeout=120)[0]
        assert "Traceback" not in output, output
        return process.returncode, output
