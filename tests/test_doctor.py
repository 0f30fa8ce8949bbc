"""The doctor's probes of the system, the folder and Docker: each fault is really there, on a made-up computer (see
made_up_machine.py)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from made_up_machine import KERNEL, MadeUpMachine

from milestone1.doctor import hardware, system
from milestone1.doctor.machine import Machine

unix = pytest.mark.skipif(os.name == "nt", reason="its made-up programs are written for a Unix shell")


@pytest.fixture
def made_up(tmp_path: Path) -> MadeUpMachine:
    return MadeUpMachine(tmp_path)


# The system and the folder


def test_a_linux_is_named(made_up: MadeUpMachine):
    finding = system.operating_system(made_up.look())
    assert (finding.level, finding.found, finding.repair) == ("ok", "Ubuntu 24.04.1 LTS", "")


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("5.15.167.4-microsoft-standard-WSL2", 2),
        ("4.19.128-microsoft-standard", 2),
        ("4.4.0-19041-Microsoft", 1),
        (KERNEL, 0),
    ],
)
def test_the_version_of_wsl_is_read_from_the_kernel(made_up: MadeUpMachine, release: str, version: int):
    made_up.file("proc/sys/kernel/osrelease", release)
    assert made_up.look().wsl == version
    finding = system.operating_system(made_up.look())
    assert finding.level == ("warning" if version == 1 else "ok")
    assert (f"WSL {version}" in finding.found) is bool(version)
    assert ("wsl --set-version" in finding.repair) is (version == 1)


def test_containers_and_services_are_named(made_up: MadeUpMachine):
    assert "Colab" in system.operating_system(made_up.look(environ={"COLAB_RELEASE_TAG": "release"})).found
    assert "Binder" in system.operating_system(made_up.look(environ={"BINDER_SERVICE_HOST": "10.0.0.1"})).found
    made_up.file(".dockerenv", "")
    assert system.operating_system(made_up.look()).found.endswith("in a container")


def test_a_system_without_any_of_its_files_is_survived(tmp_path: Path):
    bare = Machine(environ={"PATH": "", "HOME": str(tmp_path)}, root=tmp_path / "nothing", system="Plan 9",
                   processor="", checkout=None, path=())  # fmt: skip
    assert system.operating_system(bare).found == "Plan 9"
    assert hardware.memory(bare).level == "note"
    assert "does not say" in hardware.cores(bare).found


@pytest.mark.parametrize(
    ("version", "level", "words"),
    [
        ("10.0.26100", "note", "Windows 11 (build 26100); WSL is not installed"),
        ("10.0.18362", "warning", "Windows 10 (build 18362), too old"),
        ("", "warning", "too old"),
    ],
)
def test_windows_without_wsl(made_up: MadeUpMachine, version: str, level: str, words: str):
    finding = system.operating_system(made_up.look(system="Windows", version=version))
    assert finding.level == level and words in finding.found
    assert bool(finding.repair) is (level == "warning")


@unix
def test_windows_with_wsl_whose_program_writes_two_bytes_for_a_letter(made_up: MadeUpMachine):
    text = "WSL version: 2.6.1.0\r\nKernel version: 6.6.87.2-1\r\n".encode("utf-16-le")
    made_up.program("wsl", octal(text))
    machine = made_up.look(system="Windows", version="10.0.26100")
    assert system.operating_system(machine).found == "Windows 11 (build 26100), WSL 2.6.1.0"
    made_up.program("wsl", "echo invalid option; exit 1")  # the old one that comes with Windows
    assert system.operating_system(machine).repair == "In PowerShell: wsl --update"


def octal(data: bytes) -> str:
    """Return a shell command that writes `data`."""
    return "printf '" + "".join(f"\\{byte:03o}" for byte in data) + "'"


def test_a_course_on_a_windows_drive_or_in_a_cloud_folder_is_found(made_up: MadeUpMachine):
    made_up.file("proc/sys/kernel/osrelease", "5.15.167.4-microsoft-standard-WSL2")
    finding = system.course_folder(made_up.look(checkout=Path("/mnt/c/Users/ada/course")))
    assert finding.level == "warning" and "Windows drive" in finding.found and "cd ~" in finding.repair
    assert system.course_folder(made_up.look()).level == "ok"
    cloud = made_up.home / "OneDrive - School" / "course"
    cloud.mkdir(parents=True)
    finding = system.course_folder(made_up.look(checkout=cloud))
    assert finding.level == "warning" and "OneDrive" in finding.repair


def test_a_windows_drive_is_none_outside_wsl(made_up: MadeUpMachine):
    """A Linux may have any disk at /mnt/c."""
    finding = system.course_folder(made_up.look(checkout=Path("/mnt/c/course")))
    assert "Windows drive" not in finding.found


def test_a_folder_into_which_nothing_can_be_written_is_a_failure(made_up: MadeUpMachine):
    finding = system.course_folder(made_up.look(checkout=made_up.course / "gone"))
    assert finding.level == "failure" and finding.repair


# Docker


def test_no_docker_is_no_failure(made_up: MadeUpMachine):
    for probe in (system.docker_client, system.docker_engine):
        finding = probe(made_up.look())
        assert finding.level == "note" and not finding.repair


DOCKER = 'case "$1" in --version) echo "Docker version 29.0.1, build eedd969";; *) {};; esac'
DOWN = "failed to connect to the docker API at unix:///var/run/docker.sock: is the docker daemon running?"


@unix
@pytest.mark.parametrize(
    ("engine", "level", "found", "repair"),
    [
        ("echo 29.0.1 linux", "ok", "29.0.1", ""),
        ("echo 29.0.1 windows", "warning", "Windows containers", "Switch to Linux containers"),
        (f"echo '{DOWN}' >&2; exit 1", "warning", "does not answer: failed to connect", "systemctl start docker"),
        ("echo 'permission denied while trying to connect' >&2; exit 1", "warning", "permission", "usermod -aG docker"),
        ("echo 'client version 1.52 is too new. Maximum is 1.41'; exit 1", "warning", "too new", "Update Docker"),
        ("exit 1", "warning", "it wrote nothing", "systemctl"),
        ("echo; exit 0", "warning", "does not answer", "systemctl"),
    ],
)
def test_client_and_engine_are_told_apart(made_up: MadeUpMachine, engine: str, level: str, found: str, repair: str):
    made_up.program("docker", DOCKER.format(engine))
    assert system.docker_client(made_up.look()).found == "29.0.1"
    finding = system.docker_engine(made_up.look())
    assert finding.level == level and found in finding.found and repair in finding.repair
    assert bool(finding.repair) is (level == "warning")


@unix
def test_each_system_has_its_own_way_to_start_the_engine(made_up: MadeUpMachine):
    made_up.program("docker", DOCKER.format(f"echo '{DOWN}'; exit 1"))
    assert "Start Docker Desktop, and wait" in system.docker_engine(made_up.look(system="Darwin")).repair
    made_up.file("proc/sys/kernel/osrelease", "5.15.167.4-microsoft-standard-WSL2")
    assert "WSL integration" in system.docker_engine(made_up.look()).repair


@unix
def test_docker_desktop_s_placeholder_in_wsl_is_recognised(made_up: MadeUpMachine):
    made_up.program(
        "docker",
        """echo "
The command 'docker' could not be found in this WSL 2 distro.
We recommend to activate the WSL integration in Docker Desktop settings."; exit 1""",
    )
    finding = system.docker_client(made_up.look())
    assert finding.level == "warning" and "WSL integration" in finding.repair


@unix
def test_a_program_that_is_none_is_survived(made_up: MadeUpMachine):
    made_up.program("docker", "")
    (made_up.programs / "docker").write_bytes(b"\x7fELF, or not")
    for probe in (system.docker_client, system.docker_engine):
        finding = probe(made_up.look())
        assert finding.level == "warning" and finding.repair


@unix
def test_a_program_that_hangs_is_ended_with_all_that_it_started(made_up: MadeUpMachine):
    mark = made_up.home / "still alive"
    made_up.program("docker", f"(/bin/sleep 2; : > '{mark}') & /bin/sleep 60")
    began = time.monotonic()
    answer = made_up.look().ask("docker", "version", seconds=0.5)
    assert answer.code is None and "no answer" in answer.text
    assert time.monotonic() - began < 30
    time.sleep(2.5)
    assert not mark.exists()
