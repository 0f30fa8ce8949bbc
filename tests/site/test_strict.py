"""What is broken fails the build, in notebooks too; and once built, the site can be built again without a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from site_build import ROOT, build

pytestmark = pytest.mark.browser
CONFIG = """
site_name: Small
theme: {name: material, font: false}
hooks: [docs/hooks/course_nav.py, docs/hooks/pages.py, docs/hooks/checks.py]
exclude_docs: /hooks/
nav: [index.md, glossary.md, content-note.md, {One: milestone1/index.md}]
plugins: [{mkdocs-jupyter: {include: ["*.ipynb"], execute: false}}]
"""


@pytest.fixture
def small(tmp_path) -> Path:
    """A small site with the course's hooks and one notebook."""
    shutil.copytree(ROOT / "docs" / "hooks", tmp_path / "docs" / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "milestone3/comp/practice.csv", "docs/glossary.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "mkdocs.yml").write_text(CONFIG, encoding="utf-8")
    for name in ("index", "content-note", "milestone1/index"):
        page = tmp_path / "docs" / f"{name}.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text("# A page\n\n## Here\n", encoding="utf-8")
    return tmp_path


def build_small(root: Path, text: str) -> subprocess.CompletedProcess:
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": f"# One\n\n{text}"}]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (root / "notebooks").mkdir()
    (root / "notebooks" / "1_1_one.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=1800)


def test_links_between_notebooks_and_pages_become_links_of_the_site(small):
    done = build_small(
        small, "[the page](../docs/content-note.md#here), [a file](../pyproject.toml), [home](../docs/index.md)"
    )
    assert done.returncode == 0, done.stderr
    page = (small / "site" / "notebooks" / "1_1_one" / "index.html").read_text(encoding="utf-8")
    assert 'href="../../content-note/#here"' in page
    assert 'href="https://github.com/' in page and "/blob/main/pyproject.toml" in page


@pytest.mark.parametrize(
    "broken",
    [
        "[nowhere](../docs/nowhere.md)",
        "![a picture of nothing](images/none.png)",
        "[here](../docs/content-note.md#nowhere)",
    ],
    ids=["a link", "a picture", "an anchor"],
)
def test_what_leads_nowhere_in_a_notebook_fails_the_build(small, broken):
    done = build_small(small, broken)
    assert done.returncode != 0
    assert "1_1_one" in done.stdout + done.stderr


def test_the_site_is_built_again_with_the_network_cut_off(site, tmp_path):
    """In a network of its own where the system has that, otherwise behind a proxy that does not exist."""
    cut = ["unshare", "--net", "--map-root-user"] if shutil.which("unshare") else []
    if cut and subprocess.run([*cut, "true"], capture_output=True).returncode:
        cut = []
    nowhere = "http://127.0.0.1:9"
    done = build(tmp_path / "again", *cut, HTTP_PROXY=nowhere, HTTPS_PROXY=nowhere, npm_config_offline="true")
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert pages == {path.relative_to(tmp_path / "again").as_posix() for path in (tmp_path / "again").rglob("*.html")}
