"""One list of dependencies: what else names a version is held against pyproject.toml."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from course.torch_index import CPU_INDEX

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("course", "milestone1", "milestone2", "milestone3")

# github.com/googlecolab/backend-info, 2026-08-19 ("Upgrade to Python 3.13"). evaluate and the weights of the
# base model are not on Colab: pip adds them without changing what is there.
COLAB = {
    "python": "3.13",
    "torch": "2.11.0",
    "transformers": "5.15.0",
    "datasets": "4.0.0",
    "huggingface-hub": "1.27.0",
    "accelerate": "1.14.0",
    "peft": "0.20.0",
    "pandas": "2.2.3",
    "numpy": "2.1.3",
    "scikit-learn": "1.6.1",
    "matplotlib": "3.10.0",
    "ipywidgets": "7.7.1",
}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def by_name(lines: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, lines)}


def needed() -> dict[str, Requirement]:
    """Return what the packages need to run."""
    return by_name(project()["dependencies"])


def lab() -> dict[str, Requirement]:
    """Return what opens and tests the notebooks: the extra of this name, with those that it includes."""
    extras = project()["optional-dependencies"]
    listed = by_name(extras["lab"])
    included = listed.pop(canonicalize_name(project()["name"]))
    return listed | by_name([line for extra in included.extras for line in extras[extra]])


def constraints() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return by_name([line for line in lines if line and not line.startswith("#")])


def exact(requirement: Requirement) -> Version:
    """Return the one version that `requirement` allows."""
    (specifier,) = requirement.specifier
    assert specifier.operator == "==" and "*" not in specifier.version, f"{requirement} is not one exact version"
    return Version(specifier.version)


def test_colab_has_the_wanted_versions_already():
    python = project()["requires-python"]
    assert SpecifierSet(python).contains(COLAB["python"])
    for name, version in COLAB.items():
        if name != "python":
            assert needed()[name].specifier.contains(version), f"Colab's {name} {version} would be replaced"


def test_jupyter_is_no_dependency_because_colab_has_its_own():
    jupyter = {"jupyterlab", "notebook", "ipykernel", "ipython", "jupyter-client", "jupyter", "nbval", "pytest"}
    assert not jupyter & set(needed())


def test_constraints_are_exact_public_versions_within_the_ranges():
    pinned = constraints()
    for name, requirement in pinned.items():
        assert not exact(requirement).local, f"{name}: a local version such as +cpu is not on PyPI"
        assert requirement.url is None and requirement.marker is None
    for name, requirement in {**needed(), **lab()}.items():
        assert name in pinned, f"constraints.txt has no {name}: make it anew, as its first lines say"
        version = exact(pinned[name])
        assert requirement.specifier.contains(version), f"{requirement} does not allow the tested {version}"


def test_constraints_have_everything_that_is_installed_beneath_the_needed_packages():
    """Follow the requirements of what is installed here: each package on the way must have its tested version."""
    pinned, seen, todo = constraints(), set(), [*needed(), *lab()]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        if sys.platform == "linux" and name != "pip" and not name.startswith(("nvidia-", "cuda-", "triton")):
            assert name in pinned, f"constraints.txt has no {name}: make it anew, as its first lines say"
        for requirement in map(Requirement, lines):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(canonicalize_name(requirement.name))


def test_constraints_install_on_the_first_release_of_the_oldest_python():
    """Debian 12 has Python 3.11.2, and some packages ask for a later 3.11 than that."""
    oldest = project()["requires-python"].removeprefix(">=") + ".0"
    for name, requirement in constraints().items():
        try:
            metadata = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if Version(metadata["Version"]).public == str(exact(requirement)):
            assert SpecifierSet(metadata["Requires-Python"] or "").contains(oldest), f"{name} needs a newer Python"


def conda_packages() -> tuple[dict[str, str], list[str]]:
    """Return conda's packages of environment.yml with their versions, and what it asks pip for."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    names = [re.fullmatch(r"([\w.-]+?)\s*([=<>!].*)?", line).groups() for line in listed if isinstance(line, str)]
    (pip,) = [line["pip"] for line in listed if isinstance(line, dict)]
    return {name: version or "" for name, version in names}, pip


def test_conda_brings_python_and_pip_the_tested_versions_of_the_rest():
    packages, pip = conda_packages()
    assert set(packages) == {"python", "pip"}
    assert pip == [f"--extra-index-url {CPU_INDEX}", "--constraint constraints.txt", "-e .[lab]"]
    channels = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["channels"]
    assert channels == ["conda-forge", "nodefaults"]


def test_where_the_tested_versions_are_installed_conda_would_change_none_of_them(tmp_path: Path):
    """Let pip resolve what conda hands over to it, with nothing to choose from but what is installed here."""
    others = [name for name, pinned in constraints().items() if installed(name) not in (None, exact(pinned))]
    if others:
        pytest.skip(f"other versions than the tested ones are installed: {', '.join(others)}")
    # conda writes the list into a file beside environment.yml, where pip then runs.
    lines = [line.replace("constraints.txt", str(ROOT / "constraints.txt")) for line in conda_packages()[1]]
    (tmp_path / "pip.txt").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-build-isolation"]
    done = subprocess.run([*command, "--requirement", tmp_path / "pip.txt"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    would = re.findall(r"^Would install (.*)$", done.stdout, flags=re.MULTILINE)
    assert would in ([], [f"{project()['name']}-{project()['version']}"])


def installed(name: str) -> Version | None:
    """Return the version of a package that is installed here, without the mark of a build such as +cpu."""
    try:
        return Version(Version(importlib.metadata.version(name)).public)
    except importlib.metadata.PackageNotFoundError:
        return None


def test_conda_and_docker_have_one_python_that_the_project_allows():
    python = conda_packages()[0]["python"]
    assert re.fullmatch(r"=3\.\d+", python), "Binder's tools understand an exact minor version only"
    assert SpecifierSet(project()["requires-python"]).contains(python.lstrip("="))
    base = re.search(r"^ARG BASE=python:(3\.\d+)\.\d+-slim-bookworm$", dockerfile(), flags=re.MULTILINE)
    assert base and base[1] == python.lstrip("=")


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_image_takes_its_versions_from_the_constraints():
    text = re.sub(r"^#.*\n", "", dockerfile(), flags=re.MULTILINE)
    named = {canonicalize_name(word) for word in re.findall(r"[\w.-]+", text)}
    assert named & set(constraints()) <= {"torch"}, "a package is named in the Dockerfile itself"
    assert not re.search(r"\w(==|>=|<=|~=)\d", text)
    assert "--constraint constraints.txt torch" in text and "--requirement constraints.txt" in text


def test_the_image_suits_binder_and_holds_no_secret():
    text = dockerfile()
    assert "ARG NB_UID=1000" in text and "USER ${NB_USER}" in text
    assert "ENTRYPOINT [" not in text and 'CMD ["jupyter", "lab"' in text
    assert not re.search(r"(TOKEN|PASSWORD|SECRET|HF_)\w*=", text)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv*", ".env"} <= set(ignored)


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the files in a wheel that is built from a clean copy of the packages."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in PACKAGES:
        for name in files_of(package):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        "out",
        ".",
    ]
    subprocess.run(command, cwd=folder, check=True)
    (wheel,) = (folder / "out").glob("toxic_comments_course-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_of(package: str) -> list[str]:
    """Return the files of `package`, by their paths from the root, without what runs leave there."""
    paths = (path.relative_to(ROOT) for path in (ROOT / package).rglob("*") if path.is_file())
    return [path.as_posix() for path in paths if not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_has_every_file_of_the_packages(wheel_names: set[str], package: str):
    files = files_of(package)
    assert files, f"there is no package {package}"
    assert not set(files) - wheel_names


def test_the_wheel_has_nothing_else(wheel_names: set[str]):
    others = {name.split("/")[0] for name in wheel_names} - set(PACKAGES)
    assert {name for name in others if not name.endswith(".dist-info")} == set()
