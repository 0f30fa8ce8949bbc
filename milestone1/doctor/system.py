"""Probes of the operating system, the course's folder, and Docker."""

from __future__ import annotations

import os
import platform
import re

from milestone1.doctor.machine import Finding, Machine

OLDEST_BUILD = 19041  # of Windows 10, the first with WSL 2; Windows 11 begins at 22000
DRVFS = re.compile(r"^/mnt/[a-z](/|$)")


def operating_system(machine: Machine) -> Finding:
    """Name the operating system, the version of WSL, and what it runs in."""
    if machine.system == "Windows":
        return windows(machine)
    if machine.system == "Darwin":
        return Finding("system", "ok", f"macOS {platform.mac_ver()[0]} on {machine.processor}")
    named = re.search(r'^PRETTY_NAME="?([^"\n]*)', machine.read("etc/os-release"), flags=re.MULTILINE)
    found = named[1] if named else machine.system or "a system that does not say its name"
    if machine.hosted:
        found += f", on {machine.hosted}"
    elif machine.in_container:
        found += ", in a container"
    if machine.wsl == 1:
        return Finding("system", "warning", f"{found}, in WSL 1, which is slow and cannot run Docker",
                       "In PowerShell: wsl --set-version NAME 2, with the NAME that wsl --list shows")  # fmt: skip
    return Finding("system", "ok", f"{found}, in WSL 2" if machine.wsl else found)


def windows(machine: Machine) -> Finding:
    """Name the version of Windows, and that of WSL beside it."""
    build = int((re.findall(r"\d+", machine.version) or ["0"])[-1])
    found = f"Windows {11 if build >= 22000 else 10} (build {build})"
    if build < OLDEST_BUILD:
        return Finding("system", "warning", f"{found}, too old for WSL 2 and Docker",
                       "Settings > Windows Update: install all updates")  # fmt: skip
    answer = machine.ask("wsl", "--version")
    if answer is None:
        return Finding("system", "note", f"{found}; WSL is not installed, and only Docker needs it (notebook 1_1)")
    version = re.search(r"\d+(\.\d+)+", answer.text) if answer.code == 0 else None
    if version is None:
        return Finding("system", "warning", f"{found}; WSL does not say its version", "In PowerShell: wsl --update")
    return Finding("system", "ok", f"{found}, WSL {version[0]}")


def course_folder(machine: Machine) -> Finding:
    """Look whether the course lies where it can be written to, quickly and without being moved about."""
    folder = str(machine.folder)
    if machine.wsl and DRVFS.match(folder):
        return Finding("folder", "warning", "the course lies on a Windows drive, which is slow from within WSL",
                       "cd ~, clone the course again there, and start it from that folder")  # fmt: skip
    if re.search(r"[\\/](OneDrive|Dropbox|iCloud)[^\\/]*", folder):
        return Finding("folder", "warning", "the course lies in a folder that is copied to a cloud, with every package",
                       "Move the course's folder out of OneDrive, Dropbox or iCloud")  # fmt: skip
    if not os.access(folder, os.W_OK):
        return Finding("folder", "failure", "nothing may be written to the course's folder",
                       "Copy or clone the course to a folder of your own, and start it there")  # fmt: skip
    if machine.checkout is None:
        return Finding("folder", "ok", "installed by pip, without notebooks of its own; files go to the present folder")
    return Finding("folder", "ok", "a copy of the whole course, which can be written to")


def docker_client(machine: Machine) -> Finding:
    """Look for the program `docker`."""
    name = "docker client"
    answer = machine.ask("docker", "--version")
    if answer is None:
        why = "a container needs none itself" if machine.in_container else "only notebook 1_2 and the image need it"
        return Finding(name, "note", f"not installed; {why}")
    if "WSL" in answer.text and answer.code != 0:  # Docker Desktop puts a placeholder into each distribution
        return Finding(name, "warning", "Docker Desktop does not serve this WSL distribution",
                       "Docker Desktop: Settings > Resources > WSL integration, turn this distribution on")  # fmt: skip
    version = re.search(r"version\s+v?([\d.]+\d)", answer.text)
    if answer.code != 0 or version is None:
        return Finding(name, "warning", f"does not work: {last_line(answer.text)}",
                       "Install Docker anew, as notebook 1_1 shows")  # fmt: skip
    return Finding(name, "ok", version[1])


def docker_engine(machine: Machine) -> Finding:
    """Ask the engine, which does Docker's work in the background, for its version."""
    name = "docker engine"
    answer = machine.ask("docker", "version", "--format", "{{.Server.Version}} {{.Server.Os}}")
    if answer is None:
        return Finding(name, "note", "not asked, because there is no client")
    served = re.search(r"^v?(\d[\w.+-]*) (linux|windows)$", answer.text, flags=re.MULTILINE)
    if answer.code != 0 or served is None:
        return Finding(name, "warning", f"does not answer: {last_line(answer.text)}",
                       engine_repair(machine, answer.text))  # fmt: skip
    if served[2] == "windows":
        return Finding(name, "warning", f"{served[1]}, set to Windows containers",
                       "Right-click Docker's icon in the task bar: Switch to Linux containers")  # fmt: skip
    return Finding(name, "ok", served[1])


def engine_repair(machine: Machine, text: str) -> str:
    """Return what helps against an engine that answered with `text`."""
    if "permission denied" in text.lower():
        return "sudo usermod -aG docker $USER, then log out and in again"
    if "API version" in text or "client version" in text:
        return "Update Docker: its client and its engine are too far apart"
    if machine.wsl:
        return "Start Docker Desktop in Windows; its Settings > Resources > WSL integration must be on for this Ubuntu"
    if machine.system == "Linux":
        return "sudo systemctl start docker (with Docker Desktop: start that instead)"
    return "Start Docker Desktop, and wait until its icon no longer moves"


def last_line(text: str) -> str:
    """Return the last line of what a program wrote, where the reason stands."""
    return (text.splitlines() or ["it wrote nothing"])[-1]
