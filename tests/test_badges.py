"""The links that open a notebook elsewhere lead to files that exist, and a fork's name is written everywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest

from course import badges, renaming
from course.preflight import SetupError

ROOT = Path(__file__).resolve().parent.parent
HOME = badges.read_repository(ROOT)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
LAUNCHERS = ("colab.research.google.com", "mybinder.org", "raw.githubusercontent.com")


def target(address: str) -> tuple[str, str]:
    """Return the repository and the file that a launch link opens, taken apart independently of course.badges."""
    parts = urlsplit(address)
    names = parts.path.strip("/").split("/")
    if parts.netloc == "colab.research.google.com":
        assert names[0] == "github" and names[3:5] in (["blob", "main"], [])
        return "/".join(names[1:3]), "/".join(names[5:])
    if parts.netloc == "mybinder.org":
        assert names[:2] == ["v2", "gh"] and names[4:] == ["main"]
        return "/".join(names[2:4]), parse_qs(parts.query)["urlpath"][0].removeprefix("lab/tree/")
    assert parts.netloc == "raw.githubusercontent.com" and names[2] == "main"
    return "/".join(names[:2]), "/".join(names[3:])


def launch_links(text: str) -> list[str]:
    return [link for link in re.findall(r"\]\((https://[^)\s]+)\)", text) if urlsplit(link).netloc in LAUNCHERS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_s_links_open_this_notebook_from_the_course_s_home(path: Path):
    notebook = nbformat.read(path, as_version=4)
    links = launch_links(notebook.cells[0].source)
    assert [urlsplit(link).netloc for link in links] == list(LAUNCHERS), "run: python3 -m course badges"
    for link in links:
        assert target(link) == (HOME, f"notebooks/{path.name}")
    installs = re.findall(r"git\+https://github\.com/([\w.-]+/[\w.-]+)", "".join(map(str, notebook.cells)))
    assert set(installs) <= {HOME}


def test_the_readme_opens_every_notebook_and_no_other():
    rows = [line for line in README.splitlines() if badges.ROW.match(line)]
    opened = {badges.ROW.match(row)["path"]: [target(link) for link in launch_links(row)] for row in rows}
    assert len(rows) == len(opened)
    for path, targets in opened.items():
        assert (ROOT / path).is_file(), f"README.md names {path}, which is not there"
        assert targets == [(HOME, path)] * 3


def test_the_readme_s_pictures_are_the_course_s_own_and_say_what_they_are():
    (line,) = badges.LINE.findall(README)
    pictures = re.findall(r"\[!\[([^]]+)\]\(([^)]+)\)\]\((https://[^)]+)\)", line)
    assert [words for words, _, _ in pictures] == ["Open in Colab", "Open in Binder", "Download"]
    for words, picture, _ in pictures:
        svg = ElementTree.parse(ROOT / picture).getroot()
        assert svg.attrib["aria-label"] == words == svg.findtext("{http://www.w3.org/2000/svg}title")
        links = [value for element in svg.iter() for value in element.attrib.values() if "//" in value]
        assert not links
    assert (ROOT / target(pictures[1][2])[1]).is_dir()


def test_no_page_shows_a_badge_from_another_host():
    for path in [ROOT / "README.md", *NOTEBOOKS]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"!\[[^]]*\]\(https?:|<img[^>]+src=\\?\"https?:", text), path.name


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of all text that git shares, with a few things added that a rename has to leave alone or to find."""
    root = tmp_path / "copy"
    for file in renaming.shared_files(ROOT):
        if file.stat().st_size < 1_000_000 and file.is_file():
            place = root / file.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
    owner, repo = HOME.split("/")
    text = f"see https://{owner}.github.io/{repo}/ or git clone git@github.com:{HOME}.git\r\ncd {repo}\r\n"
    (root / "docs" / "extra.md").write_bytes(text.encode())
    others = [f"github.com/{HOME}{end}" for end in ("x", "-2", ".py")] + [f"cd {repo}-2", f"pip install {repo}[lab]"]
    (root / "docs" / "others.md").write_text("\n".join([*others, f"{HOME} in words"]))
    (root / "docs" / "picture.bin").write_bytes(b"\xff\xfe" + HOME.encode())
    (root / "runs").mkdir()
    (root / "runs" / "notes.txt").write_text(f"github.com/{HOME}")
    badges.write_badges(root)  # a test above tells of a notebook in whose original they are lacking
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("new", ["ada/toxic-comments", "Ada-L/A.b_c-1", f"ada/{HOME.split('/')[1]}"])
def test_a_rename_reaches_every_place_and_its_reverse_restores_every_byte(copy: Path, new: str):
    before = contents(copy)
    changed = renaming.rename(copy, new)
    after = contents(copy)
    assert changed == sorted(name.replace(os.sep, "/") for name in before if before[name] != after[name])
    assert badges.read_repository(copy) == new
    untouched = {"docs/others.md", "docs/picture.bin", "runs/notes.txt"}
    for name, data in after.items():
        if name.replace(os.sep, "/") not in untouched and not name.endswith(".bin"):
            assert HOME.encode() not in data, f"{name} still names the old home"
    owner, repo = new.split("/")
    expected = f"see https://{owner.lower()}.github.io/{repo}/ or git clone git@github.com:{new}.git\r\ncd {repo}\r\n"
    assert after[str(Path("docs/extra.md"))].decode() == expected
    assert after[str(Path("docs/others.md"))] == before[str(Path("docs/others.md"))]
    for path in [copy / "README.md", *(copy / "notebooks").glob("*.ipynb")]:
        assert {target(link)[0] for link in launch_links(path.read_text("utf-8"))} == {new}
    renaming.rename(copy, HOME)
    assert contents(copy) == before


def test_links_that_are_lacking_are_written_and_nothing_else_in_a_notebook_changes(copy: Path):
    assert badges.write_badges(copy) == []
    path = copy / "notebooks" / NOTEBOOKS[-1].name
    before = path.read_bytes()
    notebook = json.loads(before)
    line = notebook["cells"][0]["source"].pop(2)
    assert badges.LINE.match(line)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert badges.write_badges(copy) == [f"notebooks/{path.name}"]
    assert path.read_bytes() == before


def test_a_row_without_links_gets_them(copy: Path):
    path = f"notebooks/{NOTEBOOKS[0].name}"
    row = f"| [`{NOTEBOOKS[0].stem}`]({path}) | learn | 20 |"
    table = f"| notebook | at its end | minutes |\n|---|---|---|\n{row}\n"
    (copy / "README.md").write_text(f"# Title\n\nText.\n\n{table}\nEnd.\n", "utf-8")
    assert badges.write_badges(copy) == ["README.md"]
    lines = (copy / "README.md").read_text("utf-8").splitlines()
    assert lines[:5:2] == ["# Title", badges.readme_line(HOME), "Text."]
    assert lines[6:8] == ["| notebook | at its end | minutes | open in |", "|---|---|---|---|"]
    assert lines[8].startswith(row) and len(launch_links(lines[8])) == 3 and lines[8].count("|") == 5
    assert badges.write_badges(copy) == []


def test_a_notebook_without_a_title_is_named_and_nothing_is_written(copy: Path):
    before = contents(copy)
    bad = copy / "notebooks" / "0_0_bad.ipynb"
    bad.write_text(json.dumps({"cells": [{"cell_type": "code", "source": ["1"]}]}))
    with pytest.raises(SetupError, match="notebooks/0_0_bad.ipynb does not begin with a title"):
        badges.write_badges(copy)
    bad.unlink()
    assert contents(copy) == before


def test_names_that_github_does_not_allow_are_refused(tmp_path: Path):
    setting = '[tool.course]\nrepository = "old/home"\n'
    (tmp_path / "pyproject.toml").write_text(setting)
    owners, repositories = ["", "-a", "a-", "a--b", "a b", "a_b", "a.b", "ä", "a" * 40], ["", ".", "..", "b.git", "b c"]
    names = [f"{owner}/b" for owner in owners] + [f"a/{repository}" for repository in repositories]
    for name in [*names, "a", "a/b/c", "https://github.com/a/b", "a/b\n", "a/ü", "a/" + "b" * 101]:
        with pytest.raises(SetupError, match="write OWNER/REPO"):
            renaming.rename(tmp_path, name)
    assert (tmp_path / "pyproject.toml").read_text() == setting


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-S", "-B", "-m", "course", *arguments]  # -S: without any package
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=copy, env=environ, capture_output=True, text=True, encoding="utf-8")


def test_the_command_says_what_it_changed(copy: Path):
    done = run(copy, "rename", "ada/toxic-comments")
    assert done.returncode == 0, done.stderr
    assert f"was {HOME} and is ada/toxic-comments" in done.stdout
    listed = set(re.findall(r"^  (\S+)$", done.stdout, flags=re.MULTILINE))
    assert {"README.md", "pyproject.toml", f"notebooks/{NOTEBOOKS[0].name}"} <= listed
    assert run(copy, "badges").stdout == "Nothing had to be changed.\n"
    wrong = run(copy, "rename", "https://github.com/ada/x")
    assert wrong.returncode == 1 and "write OWNER/REPO" in wrong.stderr and "Traceback" not in wrong.stderr
    assert run(copy, "rename", "ada/x", "more").returncode == 2
    (copy / "pyproject.toml").write_text("[project]\n")
    assert "has no [tool.course]" in run(copy, "badges").stderr
