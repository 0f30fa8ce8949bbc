"""Run the notebooks as Google Colab would, with its versions: ``python tests/colab/run.py [NAME ...]``.

Without names, all notebooks of milestones 2 and 3. Each begins where a student does: alone in an empty folder, on a
Python with Colab's packages (versions.txt) and without the course, which the notebook's first cell installs with
Colab's pip. That cell asks GitHub for it; git is told to take the commit that is checked out here instead. At its end,
no package of Colab's may have been replaced.

What is not as on Colab: Python itself, which is the one that runs this; PyTorch, where its index of builds for
processors cannot be reached; and everything around the kernel, such as Colab's own page.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from course.badges import read_repository  # noqa: E402
from course.environment import venv_python  # noqa: E402
from course.testing import VARIABLES  # noqa: E402
from course.torch_index import cpu_index  # noqa: E402

VENV = ROOT / ".cache" / "colab"
VERSIONS = Path(__file__).with_name("versions.txt")
TORCH = "torch==2.11.0"
CELL_SECONDS = 900


def pip(*arguments: str) -> str:
    """Run the environment's pip and return what it printed."""
    command = [venv_python(VENV), "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_environment() -> None:
    """Make the environment with Colab's packages, unless it is there already."""
    note = VENV / "versions.txt"
    if note.is_file() and note.read_bytes() == VERSIONS.read_bytes():
        return
    print(f"Making {VENV.relative_to(ROOT)} with Colab's versions ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    index = cpu_index()
    if index:
        pip("install", "--quiet", "--extra-index-url", index, TORCH)
    else:
        pip("install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), "torch")
    pip("install", "--quiet", "--requirement", str(VERSIONS))
    shutil.copy(VERSIONS, note)  # last: an environment without it is made again


def installed() -> dict[str, str]:
    """Return the packages in the environment and their versions."""
    return {package["name"]: package["version"] for package in json.loads(pip("list", "--format=json"))}


def write_kernel(folder: Path, repository: str, clone: Path) -> None:
    """Write into `folder` a kernel named colab: the environment's Python, to which `clone` stands for `repository`."""
    # Colab's kernel has imported this module; the first cell of each notebook looks for it.
    startup, module = folder / "ipython/profile_default/startup/colab.py", folder / "modules/google/colab/__init__.py"
    for place, text in ((startup, "import google.colab\n"), (module, "")):
        place.parent.mkdir(parents=True)
        place.write_text(text, encoding="utf-8")
    variables = {
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": str(folder / "modules"),
        "PATH": os.pathsep.join([str(venv_python(VENV).parent), os.environ["PATH"]]),
        "COLAB_RELEASE_TAG": "a stand-in",
        "COURSE_RUNS": str(folder / "runs"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{clone.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://github.com/{repository}",
    }
    command = [str(venv_python(VENV)), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "Colab", "language": "python", "env": VARIABLES | variables}
    place = folder / "kernels" / "colab" / "kernel.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(spec), encoding="utf-8")


def run_notebook(path: Path, repository: str, clone: Path, before: dict[str, str]) -> str | None:
    """Run one notebook on an environment as it was `before`; return what went wrong, or None."""
    added = [name for name in installed() if name not in before]
    if added:  # by the notebook before this one
        pip("uninstall", "--yes", "--quiet", *added)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_kernel(folder, repository, clone)
        os.environ["JUPYTER_PATH"] = name
        (folder / "content").mkdir()
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="colab",
            resources={"metadata": {"path": str(folder / "content")}},
        )
        try:
            client.execute()
        except CellExecutionError as error:
            return f"{error.ename}: {error.evalue}\nin the cell\n{failed_source(notebook)}"
    after = installed()
    replaced = [f"{name} {before[name]} -> {after.get(name)}" for name in before if after.get(name) != before[name]]
    return f"The first cell replaced {', '.join(replaced)}." if replaced else None


def failed_source(notebook: nbformat.NotebookNode) -> str:
    """Return the source of the last cell that gave anything: the one where the run ended."""
    return [cell.source for cell in notebook.cells if cell.get("outputs")][-1]


def main() -> int:
    """Run the command line; return the number of notebooks that failed."""
    parser = argparse.ArgumentParser(description="Run notebooks with Google Colab's versions.")
    parser.add_argument("names", nargs="*", default=["2_", "3_"], help="how their names begin (default: 2_ 3_)")
    names = tuple(parser.parse_args().names)
    os.environ.pop("PYTHONPATH", None)  # the course has to come from where the first cell gets it
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # a remark of the kernel's debugger
    make_environment()
    before, failed = installed(), 0
    for name in ("python", "torch", "transformers", "datasets", "pandas", "ipywidgets", "ipython"):
        print(f"  {name} {before.get(name) or sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        for path in sorted((clone / "notebooks").glob("*.ipynb")):
            if path.name.startswith(names):
                began = time.monotonic()
                fault = run_notebook(path, read_repository(clone), clone, before)
                failed += fault is not None
                print(f"{'FAILED' if fault else 'passed'} {path.name} ({time.monotonic() - began:.0f} s)", flush=True)
                print(fault or "", end="\n" if fault else "")
    return failed


if __name__ == "__main__":
    sys.exit(main())
