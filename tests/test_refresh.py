"""Refreshing a notebook twice: what teaches nothing must not differ."""

from __future__ import annotations

import nbformat

from course.refresh import refresh

WIDGETS = """import ipywidgets
text = ipywidgets.Text("first")
ipywidgets.VBox([text, ipywidgets.Button()])"""
PRINTS = """import time
print("one", flush=True)
time.sleep(0.5)
print("two")"""


def test_a_second_run_changes_nothing(tmp_path):
    path = tmp_path / "small.ipynb"
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in (WIDGETS, PRINTS)]), path
    )
    refresh(path)
    first = path.read_bytes()
    refresh(path)
    assert path.read_bytes() == first
    notebook = nbformat.reads(first.decode(), as_version=4)
    assert [output["text"] for output in notebook.cells[1].outputs] == ["one\ntwo\n"]
    shown = notebook.cells[0].outputs[0]["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    (states,) = notebook.metadata.widgets.values()
    box = states["state"][shown]["state"]
    children = [states["state"][child.removeprefix("IPY_MODEL_")]["state"] for child in box["children"]]
    assert [child["_model_name"] for child in children] == ["TextModel", "ButtonModel"]
    assert children[0]["value"] == "first"
