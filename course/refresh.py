"""Run notebooks again from top to bottom and keep their new outputs: `python3 -m course refresh [NAME ...]`.

Without names, all of them. What differs from machine to machine and teaches nothing (kernel names, versions, times of
execution, progress bars) is taken out, so that a change in a notebook is a change in what it says.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from course.testing import VARIABLES

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
CELL_TIMEOUT = 600  # seconds
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}


def refresh(path: Path) -> None:
    """Execute one notebook in a new kernel, in its own folder, and write it back.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails that is not tagged `raises-exception`; the file is left as it was.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = {"kernelspec": KERNEL}
    client = NotebookClient(
        notebook, timeout=CELL_TIMEOUT, coalesce_streams=True, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    normalise(notebook)
    nbformat.write(_number_widgets(notebook), path)


def normalise(notebook) -> None:
    """Take out of an executed notebook what differs from one run to the next."""
    widgets = notebook.metadata.get("widgets")
    notebook.metadata = {"kernelspec": KERNEL, "language_info": LANGUAGE} | ({"widgets": widgets} if widgets else {})
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
        if cell.cell_type == "code" and "nbval-ignore-output" in tags:
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]


def _number_widgets(notebook):
    """The notebook with numbers, in the order in which its widgets were made, in place of their random ids."""
    import nbformat

    text = json.dumps(notebook)
    for states in notebook.metadata.get("widgets", {}).values():
        for number, model_id in enumerate(states["state"]):
            text = text.replace(model_id, f"{number:032x}")
    return nbformat.from_dict(json.loads(text))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python3 -m course refresh", description="Run notebooks again and keep their new outputs."
    )
    parser.add_argument("names", nargs="*", help="how the names of the notebooks begin, for example 3_1; all without")
    names = tuple(parser.parse_args(arguments).names)
    paths = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if not names or path.name.startswith(names)]
    if not paths:
        print(f"No notebook begins with {' or '.join(names)}.", file=sys.stderr)
        return 1
    os.environ.update(VARIABLES)
    for path in paths:
        print(f"Running {path.name} ...", flush=True)
        with tempfile.TemporaryDirectory() as runs:  # new for each, as for who starts with it
            os.environ["COURSE_RUNS"] = runs
            refresh(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
