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
markdown_extensions: [attr_list, def_list]
plugins: [{mkdocs-jupyter: {include: ["*.ipynb"], execute: false, ignore_h1_titles: true}}]
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


def write_notebook(root: Path, name: str, text: str) -> None:
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": f"# One\n\n{text}"}]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (root / "notebooks").mkdir(exist_ok=True)
    (root / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def build_small(root: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=1800)


def test_a_notebook_finds_its_place_and_its_links_become_links_of_the_site(small):
    """Built twice, because the second build takes from the first what has not changed."""
    (small / "kept.txt").touch()
    links = "[the page](../docs/content-note.md#here), [a file](../kept.txt), [home](../docs/index.md)"
    write_notebook(small, "1_1_one", links)
    write_notebook(small, "1_12_use_a_gpu", "What *threshold* means.")
    for _ in range(2):
        done = build_small(small)
        assert done.returncode == 0, done.stderr
        page = (small / "site" / "notebooks" / "1_1_one" / "index.html").read_text(encoding="utf-8")
        assert 'href="../../content-note/#here"' in page
        assert 'href="https://github.com/' in page and "/blob/main/kept.txt" in page
        assert 'rel="next" href="../1_12_use_a_gpu/"' in page and "1.12 Use a GPU" in page
    (small / "kept.txt").unlink()
    done = build_small(small)
    assert done.returncode != 0 and "nothing is at 'kept.txt'" in done.stderr


def test_what_is_broken_in_a_notebook_or_comes_from_another_host_is_named_and_fails_the_build(small):
    (small / "docs" / "a.css").write_text('@font-face { src: url("https://fonts.example/a.woff2"); }', encoding="utf-8")
    (small / "docs" / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    write_notebook(
        small,
        "1_1_one",
        "[nowhere](../docs/nowhere.md), [no anchor](../docs/content-note.md#nowhere), ![nothing](images/none.png),\n"
        "![](../docs/a.svg) <script src='https://programs.example/a.js'></script>",
    )
    done = build_small(small)
    assert done.returncode != 0
    for said in (
        "1_1_one.ipynb: nothing is at 'docs/nowhere.md'",
        "content-note/#nowhere, but that page has no such anchor",
        "1_1_one.ipynb: nothing is at 'notebooks/images/none.png'",
        "1_1_one.ipynb: a picture has no alternative text",
        "a.css loads https://fonts.example/a.woff2 from another host",
        "1_1_one/index.html loads https://programs.example/a.js from another host",
    ):
        assert said in done.stderr, done.stderr


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
