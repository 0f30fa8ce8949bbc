"""What is installed, and what the course wants: names and versions, read from files alone."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from course.requirements import EXTRA, name_of
from milestone1.doctor.machine import Machine

COURSE = "toxic-comments-course"


@dataclass(frozen=True)
class Wanted:
    """A package of the course: the range that it needs, and the version that it is tested with where that is known."""

    name: str
    requirement: str
    tested: str | None
    lab: bool  # opens or tests notebooks: Colab and Binder bring their own


def package_places(machine: Machine) -> tuple[list[str], str]:
    """Return the folders with the course's packages, and how to call the Python that belongs to them.

    The launcher puts packages into the folder .venv; whoever calls the doctor with a Python that has none means those.
    The course's own folder is left out: the metadata that an installation leaves there may belong to any Python.
    """
    own = machine.folder.resolve()
    places = [place for place in machine.path if place and Path(place).resolve() != own]
    venv = machine.checkout / ".venv" if machine.checkout else None
    if venv is None or not (venv / "pyvenv.cfg").is_file() or Path(sys.prefix).resolve() == venv.resolve():
        return places, machine.python
    if any(distributions(name="torch", path=places)):
        return places, machine.python
    if machine.system == "Windows":
        return [str(venv / "Lib" / "site-packages")], r".venv\Scripts\python"
    return [str(place) for place in venv.glob("lib/python3*/site-packages")], ".venv/bin/python"


def installed(machine: Machine, name: str) -> Distribution | None:
    """Return what is installed of the package `name`, or None."""
    return next(iter(distributions(name=name, path=package_places(machine)[0])), None)


def installed_version(places: list[str], name: str) -> str | None:
    """Return the version of the package `name` in the folders `places`: None if missing, empty if only in part there.

    Only the files of this one package are read, and no more of them than needed: a look at all takes seconds.
    """
    package = next(iter(distributions(name=name, path=places)), None)
    if package is None:
        return None
    text = package.read_text("METADATA") or package.read_text("PKG-INFO") or ""
    version = re.search(r"^Version:\s*(\S+)", text, flags=re.MULTILINE)
    return version[1] if version else ""


def wanted_packages(machine: Machine) -> list[Wanted]:
    """Return the course's packages: from its folder, or where pip installed it alone, from what pip noted."""
    if machine.checkout:
        with (machine.checkout / "pyproject.toml").open("rb") as file:
            project = tomllib.load(file)["project"]
        needed, lab = project["dependencies"], extra_lines(project, EXTRA)
    else:
        package = installed(machine, COURSE)
        lines = package.requires if package else None
        needed, lab = [line for line in lines or [] if "extra ==" not in line], []
    tested = tested_versions(machine)
    wanted = {}
    for line, is_lab in [(line, False) for line in needed] + [(line, True) for line in lab]:
        if name_of(line) != COURSE:
            name = name_of(line)
            wanted.setdefault(name, Wanted(name, line.split(";")[0].strip(), tested.get(name), is_lab))
    return list(wanted.values())


def extra_lines(project: dict, extra: str) -> list[str]:
    """Return the requirements of an extra of `project`, and of those that it includes."""
    lines = project.get("optional-dependencies", {}).get(extra, [])
    included = [name for line in lines if name_of(line) == COURSE for name in re.findall(r"[\w-]+(?=[,\]])", line)]
    return lines + [line for name in included for line in extra_lines(project, name)]


def tested_versions(machine: Machine) -> dict[str, str]:
    """Return the exact versions of constraints.txt, or nothing where there is no such file."""
    try:
        text = (machine.folder / "constraints.txt").read_text(encoding="utf-8")
    except OSError:
        return {}
    return {name_of(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, flags=re.MULTILINE)}


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a release, without zeros at its end and what follows them.

    >>> numbers("2.13.0+cpu"), numbers("3.0rc1")
    ((2, 13), (3,))
    """
    parts = [int(part) for part in re.match(r"[\d.]*", version)[0].strip(".").split(".") if part]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def allows(requirement: str, version: str) -> bool:
    """Return whether a requirement as pyproject.toml has them (>=, <, ==) allows `version`.

    >>> allows("pandas>=2.2,<4", "2.2.3"), allows("pandas>=2.2,<4", "1.5.0")
    (True, False)
    """
    found = numbers(version)
    holds = {
        "==": lambda bound: found == bound,
        "!=": lambda bound: found != bound,
        ">=": lambda bound: found >= bound,
        "<=": lambda bound: found <= bound,
        "<": lambda bound: found < bound,
        ">": lambda bound: found > bound,
    }
    return all(holds[sign](numbers(bound)) for sign, bound in re.findall(r"(==|!=|>=|<=|<|>)\s*([\d.]+)", requirement))


def listing(items: Iterable[str], most: int = 6) -> str:
    """Join `items` with commas; after `most` of them, say how many more there are."""
    items = list(items)
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
