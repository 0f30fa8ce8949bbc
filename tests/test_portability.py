"""A clone works on Windows too, without WSL: names, line endings, and programs that are started anew (`spawn`).

There a new process does not continue the old one but imports its modules again. So nothing may begin at an import.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PACKAGES = ("course", "milestone1", "milestone2", "milestone3", "benchmarks")
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
RESERVED = {"con", "prn", "aux", "nul"} | {f"{device}{number}" for device in ("com", "lpt") for number in range(10)}
FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]$')
# Windows allows 260 signs; a clone in a user's folder for documents begins after about 100.
LONGEST_PATH = 120
SHELL = re.compile(r"^\s*(!|%%?(bash|sh|script|sx|system)\b)|shell=True|os\.system\(", flags=re.MULTILINE)
UNIX_MODULES = {"curses", "fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}
STARTERS = {
    "Pool",
    "Popen",
    "Process",
    "ProcessPoolExecutor",
    "Thread",
    "call",
    "check_call",
    "check_output",
    "fork",
    "launch",
    "main",
    "run",
    "set_start_method",
    "start",
    "system",
}


def git(*arguments: str) -> list[str]:
    """Return the lines that git writes about this checkout."""
    done = subprocess.run(
        ["git", "-c", "core.quotePath=false", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        pytest.skip("this copy of the course is no git checkout")
    return done.stdout.splitlines()


def names() -> list[str]:
    return git("ls-files")


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_git_has_files_alone_no_links():
    modes = {line.split()[0] for line in git("ls-files", "--stage")}
    assert modes <= {"100644", "100755"}, "a link (120000) becomes a small text file on Windows"


def test_no_two_names_differ_in_case_alone():
    places = {place.as_posix() for name in names() for place in (PurePosixPath(name), *PurePosixPath(name).parents)}
    assert len({place.casefold() for place in places}) == len(places)


def test_windows_allows_every_name():
    assert names()
    for name in names():
        assert len(name) <= LONGEST_PATH, name
        for part in name.split("/"):
            assert not FORBIDDEN.search(part), f"{name}: Windows does not allow {part!r}"
            assert part.split(".")[0].lower() not in RESERVED, f"{name}: on Windows {part!r} is a device"


def test_the_bytes_are_the_same_on_every_system():
    """In git, and in a checkout with the settings that Git for Windows begins with."""
    for line in git("ls-files", "--eol"):
        (index, _, *attributes), name = line.partition("\t")[0].split(), line.partition("\t")[2]
        binary = name.endswith((".safetensors", ".onnx", ".png", ".gz", ".zip", ".wasm"))
        # none: a file of a single line, or of nothing
        assert index in (["i/-text"] if binary else ["i/lf", "i/none"]), f"{name} has {index} in git"
        if binary:
            assert attributes == ["attr/-text"], f"{name}: .gitattributes must say that it is binary"
        elif PurePosixPath(name).suffix in {".ipynb", ".py", ".csv", ".json", ".md", ".txt", ".toml", ".yml", ".js"}:
            assert attributes == ["attr/text", "eol=lf"], f"{name}: .gitattributes must say eol=lf"


def test_what_a_unix_shell_reads_has_its_line_endings():
    shell = [name for name in names() if (ROOT / name).is_file() and (ROOT / name).read_bytes()[:2] == b"#!"]
    shell += [name for name in names() if PurePosixPath(name).name == "Dockerfile"]
    assert ".ci/run" in shell and "Dockerfile" in shell
    for line in git("ls-files", "--eol", *shell):
        assert "eol=lf" in line.partition("\t")[0].split(), f"{line}: .gitattributes must say eol=lf"


def calls(node: ast.AST) -> set[str]:
    """Return the last names of all functions that are called in `node`."""
    functions = [call.func for call in ast.walk(node) if isinstance(call, ast.Call)]
    return {
        function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "") for function in functions
    }


# Streamlit runs this file, and nothing imports it.
SCRIPTS = {"milestone2/space/app.py"}


def is_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("__name__ == '__main__'", "TYPE_CHECKING")


@pytest.mark.parametrize("name", [path.relative_to(ROOT).as_posix() for path in modules()])
def test_nothing_begins_at_an_import(name: str):
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    if name in SCRIPTS:
        assert not [path for path in modules() if f"import {PurePosixPath(name).stem}\n" in path.read_text("utf-8")]
        return
    for node in tree.body:
        if is_guard(node) or isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            continue
        assert not calls(node) & STARTERS, f"line {node.lineno} starts something when it is imported"
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant), f"line {node.lineno} does something when it is imported"
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imported = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not imported & UNIX_MODULES, f"line {node.lineno}: Windows has no such module"
    assert "fork" not in calls(tree) and not re.search(r"get_context\(.fork|set_start_method", ast.unparse(tree))


def started() -> set[str]:
    """Return the modules that are started with `python -m`: those that say so anywhere, and each `__main__`."""
    texts = [ROOT / name for name in names() if name.endswith((".md", ".py", ".ipynb", ".yml"))]
    found = {
        name
        for path in texts
        if path.is_file()
        for name in re.findall(r"python3?\s+-m\s+([a-z]\w*(?:\.\w+)*)\b(?!\\\.)", path.read_text(encoding="utf-8"))
        if name.split(".")[0] in PACKAGES
    }
    return found | {".".join(path.parent.relative_to(ROOT).parts) for path in modules() if path.stem == "__main__"}


def test_what_is_started_by_name_has_a_guard():
    assert {"course", "milestone1.doctor", "milestone2.export", "milestone3.finetune"} <= started()
    for name in started():
        place = ROOT.joinpath(*name.split("."))
        path = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__main__.py"
        assert path.is_file(), f"`python -m {name}` stands somewhere, and there is no such module"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert any(is_guard(node) for node in tree.body), f"{name}: what it does needs if __name__ == '__main__'"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_s_code_asks_for_no_shell(path: Path):
    """`!ls` means something else on each system; what a cell starts is Python, or named as docker is in 1_2."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        code = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
        assert not SHELL.search(code), code
