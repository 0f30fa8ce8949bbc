"""All probes at once, and the report about them."""

from __future__ import annotations

import argparse
import getpass
import json
import re
import socket
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from milestone1.doctor import hardware, network, packages, system
from milestone1.doctor.machine import Finding, Machine

Probe = Callable[[Machine], Finding]
PROBES: dict[str, Probe] = {
    "system": system.operating_system,
    "folder": system.course_folder,
    "python": packages.python,
    "packages": packages.packages,
    "base model": packages.base_model,
    "disk": hardware.disk,
    "memory": hardware.memory,
    "cores": hardware.cores,
    "gpu": hardware.gpu,
    "docker client": system.docker_client,
    "docker engine": system.docker_engine,
    "hub": network.hub,
    "tokens": network.tokens,
    "port": network.port,
}
SECONDS = 4.0  # for all probes together

DESCRIPTION = """Look at what this computer has of what the course needs. It changes nothing and takes a few seconds.
The report holds neither your name nor your folders, and no token: you can paste it into a question."""
EPILOG = """ok       as it should be
note     good to know; nothing to repair
warning  the course runs, but slowly or not all of it
failure  has to be repaired before you start

The exit code is 1 if there is a failure, otherwise 0."""


def examine(machine: Machine | None = None, probes: dict[str, Probe] | None = None,
            seconds: float = SECONDS) -> list[Finding]:  # fmt: skip
    """Run all probes, each in a thread of its own, and return their findings in a fixed order.

    A probe that fails, or takes longer than `seconds`, becomes a warning. Threads that are still busy then are left
    behind; being daemons, they keep nothing from ending.
    """
    machine, probes = machine or Machine(), probes or PROBES
    findings: dict[str, Finding] = {}

    def work(name: str, probe: Probe) -> None:
        try:
            findings[name] = probe(machine)
        except Exception as error:  # whatever it is, the other findings are worth having
            findings[name] = unknown(name, f"could not be looked at: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=work, args=item, daemon=True) for item in probes.items()]
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    done = dict(findings)
    late = f"could not be looked at within {seconds:g} seconds"
    return [private(done.get(name) or unknown(name, late), machine) for name in probes]


def unknown(name: str, found: str) -> Finding:
    """Return the finding of a probe that came to no result."""
    return Finding(name, "warning", found, "Run the doctor again; if it stays, ask with this report")


def verdict(findings: Sequence[Finding]) -> str:
    """Return what the findings mean for the course, in one sentence."""
    failures = [finding.name for finding in findings if finding.level == "failure"]
    warnings = [finding.name for finding in findings if finding.level == "warning"]
    if failures:
        return f"NOT READY: repair {' and '.join([', '.join(failures[:-1]), failures[-1]][not failures[:-1]:])} first."
    if warnings:
        return f"READY, with something to improve: {', '.join(warnings)}."
    return "READY."


def text_report(findings: Sequence[Finding]) -> str:
    """Return the report for people: a line for each finding, and one that begins with -> for each repair."""
    lines = []
    for finding in findings:
        start = f"{finding.level:8} {finding.name:14} "
        lines += textwrap.wrap(start + finding.found, 110, subsequent_indent=" " * len(start), break_long_words=False,
                               break_on_hyphens=False)  # fmt: skip
        lines += [f"{'':8} -> {finding.repair}"] if finding.repair else []
    return "\n".join([*lines, "", verdict(findings)])


def json_report(findings: Sequence[Finding]) -> str:
    """Return the report for programs: `ready`, `verdict`, and `findings` with level, found, repair and details."""
    ready = all(finding.level != "failure" for finding in findings)
    return json.dumps({"ready": ready, "verdict": verdict(findings), "findings": list(map(asdict, findings))}, indent=1)


# Names of users that say nothing about a person.
COMMON_USERS = {"", "root", "user", "admin", "jovyan", "ubuntu", "docker", "python", "runner", "vscode", "codespace"}
TOKEN = re.compile(network.TOKEN.pattern.decode())
# Paths that are the same on every computer may be shown.
SHARED_PATH = re.compile(r"/mnt/[a-z]|/(?:usr|etc|proc|sys|dev|var/run|run|lib|bin)/\S*")
PATH = re.compile(r"(?<![\w/:.~>-])(?:/[^\s/:'\",;)]+){2,}/?|\b[A-Za-z]:\\[^\s:'\",;)]+|\\\\[^\s'\",;)]+")


def private(finding: Finding, machine: Machine) -> Finding:
    """Return `finding` without the user's name, the computer's, the folders and tokens."""
    cleaned = tuple(scrub(text, machine) for text in finding.details)
    return replace(finding, found=scrub(finding.found, machine), repair=scrub(finding.repair, machine), details=cleaned)


def scrub(text: str, machine: Machine) -> str:
    """Return `text` on one line, with <course>, ~, <path>, <user>, <computer> and <token> for what is private."""
    text = " ".join(text.split())
    text = TOKEN.sub("<token>", re.sub(r"://[^/@\s]+@", "://", text))
    for place, sign in ((machine.folder, "<course>"), (machine.folder.resolve(), "<course>"), (machine.home, "~")):
        if len(place.parts) > 1:
            text = text.replace(str(place), sign)
    text = re.sub(PATH, lambda found: found[0] if SHARED_PATH.fullmatch(found[0]) else "<path>", text)
    for name in user_names(machine):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<user>", text, flags=re.IGNORECASE)
    host = socket.gethostname()
    return text if host in ("", "localhost") else re.sub(rf"(?<!\w){re.escape(host)}(?!\w)", "<computer>", text)


def user_names(machine: Machine) -> set[str]:
    """Return the names under which the user may stand in a message."""
    names = {machine.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME")} | {machine.home.name}
    try:
        names.add(getpass.getuser())
    except (OSError, KeyError, ImportError):  # a number without a name, as in some containers
        pass
    return {name for name in names if name.lower() not in COMMON_USERS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m milestone1.doctor", description=DESCRIPTION, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--json", action="store_true", help="write the report for programs, in full")
    options = parser.parse_args(arguments)
    findings = examine()
    sys.stdout.reconfigure(errors="replace")  # a Windows terminal may not know every letter
    print(json_report(findings) if options.json else text_report(findings))
    return int(any(finding.level == "failure" for finding in findings))
