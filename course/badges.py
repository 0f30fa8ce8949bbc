"""The links that open a notebook on Colab or Binder, or download it: `python3 -m course badges` writes them.

All are made from one setting, `repository` under [tool.course] in pyproject.toml. In a notebook they are plain links
with plain words: it is read on GitHub, on the site, in JupyterLab and on Colab, and a picture that lies beside it in
the repository would be missing on the last two. README.md, which is read in the repository alone, has pictures; they
are our own, so that no page loads anything from another host. Standard library only.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from course.preflight import SetupError

BRANCH = "main"
LINE = re.compile(r"^\[(?:!\[)?Open in Colab\].*$", flags=re.MULTILINE)
INSTALL = re.compile(r"(%pip install .*@ git\+https://github\.com/)[\w.-]+/[\w.-]+")
ROW = re.compile(r"\| \[`[\w.-]+`\]\((?P<path>notebooks/[\w.-]+\.ipynb)\)")
COLUMN = " open in |"


def read_repository(root: Path) -> str:
    """Return OWNER/REPO, where the course in `root` has its home on GitHub."""
    try:
        with (root / "pyproject.toml").open("rb") as file:
            return tomllib.load(file)["tool"]["course"]["repository"]
    except (FileNotFoundError, KeyError):
        raise SetupError(
            f'{root / "pyproject.toml"} has no [tool.course] with repository = "OWNER/REPO": write it there.'
        ) from None


def launch_links(repository: str, path: str) -> dict[str, str]:
    """Return the addresses that open the notebook `path`, by the name of the place, in the order in which they stand.

    >>> launch_links("ada/course", "notebooks/a.ipynb")["Colab"]
    'https://colab.research.google.com/github/ada/course/blob/main/notebooks/a.ipynb'
    """
    return {
        "Colab": f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/{path}",
        "Binder": f"https://mybinder.org/v2/gh/{repository}/{BRANCH}?urlpath=lab/tree/{path}",
        "Download": f"https://raw.githubusercontent.com/{repository}/{BRANCH}/{path}",
    }


def notebook_line(repository: str, path: str) -> str:
    """Return the line of links in the notebook `path`."""
    texts = {"Colab": "Open in Colab", "Binder": "Open in Binder", "Download": "Download"}
    return " · ".join(f"[{texts[name]}]({link})" for name, link in launch_links(repository, path).items())


def readme_line(repository: str) -> str:
    """Return the line of pictures in README.md, which open all notebooks."""
    links = {
        "Open in Colab": ("colab", f"https://colab.research.google.com/github/{repository}"),
        "Open in Binder": ("binder", f"https://mybinder.org/v2/gh/{repository}/{BRANCH}?urlpath=lab/tree/notebooks"),
        "Download": ("download", f"https://github.com/{repository}/archive/refs/heads/{BRANCH}.zip"),
    }
    return " ".join(f"[![{text}](docs/badges/{name}.svg)]({link})" for text, (name, link) in links.items())


def with_line(text: str, line: str) -> str:
    """Return `text`, whose first line is a title, with `line` in the place of the old one, or else after the title."""
    if LINE.search(text):
        return LINE.sub(lambda _: line, text, count=1)
    title, _, rest = text.partition("\n")
    return f"{title}\n\n{line}\n\n{rest.lstrip()}" if rest.strip() else f"{title}\n\n{line}"


def notebook_text(text: str, repository: str, path: str) -> str:
    """Return the notebook `text` with its links, and with the repository from which its first cell installs on Colab.

    Raises
    ------
    SetupError
        If it does not begin with a title.
    """
    notebook = json.loads(text)
    first = notebook["cells"][0]
    title = "".join(first["source"])
    if first["cell_type"] != "markdown" or not title.startswith("# "):
        raise SetupError(f"{path} does not begin with a title: make its first cell text that begins like # My title.")
    changes = [(first, with_line(title, notebook_line(repository, path)))]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            changes.append((cell, INSTALL.sub(rf"\g<1>{repository}", "".join(cell["source"]))))
    if all(source == "".join(cell["source"]) for cell, source in changes):
        return text
    for cell, source in changes:
        cell["source"] = source.splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"  # as nbformat writes them


def readme_text(text: str, repository: str) -> str:
    """Return README.md with its line of pictures, and with links in the last column of its table of notebooks."""
    lines = with_line(text, readme_line(repository)).split("\n")
    rows = [number for number, line in enumerate(lines) if ROW.match(line)]
    if rows and not lines[rows[0] - 2].endswith(COLUMN):
        lines[rows[0] - 2] += COLUMN
        lines[rows[0] - 1] += "---|"
    for number in rows:
        links = launch_links(repository, ROW.match(lines[number])["path"])
        cell = " · ".join(f"[{name}]({link})" for name, link in links.items())
        known = lines[number].find(" [Colab](")
        row = lines[number] if known < 0 else lines[number][:known]
        lines[number] = f"{row} {cell} |"
    return "\n".join(lines)


def write_badges(root: Path) -> list[str]:
    """Write the links of all notebooks and of README.md; return the names of the files that changed."""
    repository = read_repository(root)
    texts = {}
    for file in [root / "README.md", *sorted((root / "notebooks").glob("*.ipynb"))]:
        name = file.relative_to(root).as_posix()
        old = file.read_bytes().decode()
        new = readme_text(old, repository) if file.suffix == ".md" else notebook_text(old, repository, name)
        if new != old:
            texts[name] = new
    for name, text in texts.items():  # only now, so that a fault in one leaves all as they were
        (root / name).write_bytes(text.encode())
    return list(texts)
