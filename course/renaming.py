"""A new home on GitHub: `python3 -m course rename OWNER/REPO` writes it wherever the old one stands.

Standard library only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from course.badges import read_repository, write_badges
from course.preflight import SetupError

# What GitHub allows: https://docs.github.com/en/get-started/learning-about-github/types-of-github-accounts
OWNER = r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}"
REPO = r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}(?<!\.git)"
# What stands in front of a repository's name: the beginning of an address, or of a setting.
BEFORE = (
    r"github\.com[/:]|githubusercontent\.com/|mybinder\.org/v2/gh/|colab\.research\.google\.com/github/|ghcr\.io/"
    r"|repository ==? [\"']"
)


def check_repository(name: str) -> None:
    """Raise SetupError where `name` cannot be a repository on GitHub."""
    if not re.fullmatch(f"{OWNER}/{REPO}", name):
        raise SetupError(
            f"{name!r} is no repository's name: write OWNER/REPO, the end of its address on GitHub, for example "
            "ada/toxic-comments."
        )


def shared_files(root: Path) -> Iterator[Path]:
    """Give the files of the course in `root` that git would share: not its own, and none that .gitignore names."""
    ignored = [".git"]
    if (root / ".gitignore").is_file():
        lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
        ignored += [line.strip().strip("/") for line in lines if line.strip() and not line.startswith("#")]

    def is_shared(place: Path) -> bool:
        names = (place.name, place.relative_to(root).as_posix())
        return not any(fnmatch(name, pattern) for name in names for pattern in ignored)

    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if is_shared(Path(folder, name)))
        yield from (Path(folder, name) for name in sorted(files) if is_shared(Path(folder, name)))


def renamed(text: str, old: str, new: str) -> str:
    """Return `text` with the repository `new` in the place of `old`.

    It is replaced in addresses (GitHub's, Colab's, Binder's, that of its GitHub Pages), in the setting, and in
    `cd REPO` after a clone. The course's name as a package, and its folder in a student's cache, stay as they are, and
    so does what only looks like a repository.
    """
    (old_owner, old_repo), (new_owner, new_repo) = old.split("/"), new.split("/")
    pages, new_pages = f"{old_owner.lower()}.github.io/{old_repo}", f"{new_owner.lower()}.github.io/{new_repo}"
    for pattern, replacement in [
        (rf"({BEFORE}){re.escape(old)}(?![\w-]|\.(?!git\b)\w)", new),
        (rf"(//){re.escape(pages)}(?![\w-])", new_pages),
        (rf"(\bcd ){re.escape(old_repo)}(?![\w-]|\.\w)", new_repo),
    ]:
        text = re.sub(pattern, rf"\g<1>{replacement}", text)
    return text


def rename(root: Path, new: str) -> list[str]:
    """Make `new` (OWNER/REPO) the home of the course in `root`; return the names of the files that changed.

    Raises
    ------
    SetupError
        If `new` is no name of a repository.
    """
    check_repository(new)
    old = read_repository(root)
    changed = set()
    for file in shared_files(root) if new != old else ():
        try:
            text = file.read_bytes().decode()
        except (OSError, UnicodeDecodeError):  # weights, pictures, links that lead nowhere
            continue
        if (new_text := renamed(text, old, new)) != text:
            file.write_bytes(new_text.encode())
            changed.add(file.relative_to(root).as_posix())
    return sorted(changed | set(write_badges(root)))
