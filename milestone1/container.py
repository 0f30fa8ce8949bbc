"""Docker commands in a notebook: run where an engine answers, and shown from a recording where none does.

Python's own library is enough for it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
HELLO_WORLD = HERE / "hello_world"  # every command runs in this folder
RECORDINGS = HERE / "recordings" / "container.json"
SECONDS_TO_ANSWER = 20


def engine_version() -> str | None:
    """Version of the Docker engine that answers here; None where there is no client, or no engine behind it."""
    client = shutil.which("docker")
    if client is None:
        return None
    question = [client, "version", "--format", "{{.Server.Version}}"]
    try:
        answer = subprocess.run(
            question, capture_output=True, encoding="utf-8", errors="replace", timeout=SECONDS_TO_ANSWER
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None


def docker(command: str, typed: Sequence[str] = (), lines: int = 20) -> None:
    """Print what a `docker` command says: run here if an engine answers, otherwise as it was recorded.

    COURSE_DOCKER=recorded leaves an engine alone.

    Parameters
    ----------
    command : str
        As it is written in a terminal, in the folder `milestone1/hello_world`.
    typed : sequence of str
        What a person then types in the container, line by line.
    lines : int
        Longer output loses its middle.

    Raises
    ------
    RuntimeError
        If Docker ran the command and it failed.
    LookupError
        If no engine answers and there is no recording of the command.
    """
    if os.environ.get("COURSE_DOCKER") != "recorded" and engine_version():
        print(f"$ {command}", flush=True)  # before it works
        print(shorten(run(command, typed), lines))
    else:
        step = recorded(command, typed)
        note = f"[recorded on {load_recordings()['date']}, without Docker, by: {step['by']}]"
        print(f"$ {command}", note, shorten(step["output"], lines), sep="\n")


def run(command: str, typed: Sequence[str] = ()) -> str:
    """Run a `docker` command and return what it printed; a notebook has no terminal, so `-it` becomes `-i`."""
    arguments = ["-i" if argument == "-it" else argument for argument in shlex.split(command)]
    finished = subprocess.run(
        [shutil.which("docker"), *arguments[1:]],
        input=session_script(typed).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=HELLO_WORLD,
    )
    output = finished.stdout.decode(errors="replace")
    if finished.returncode:
        raise RuntimeError(
            f"`{command}` ended with status {finished.returncode}. Docker says:\n{output}"
            "If a name is in use, `docker rm --force first-box` frees it; then run the notebook from the top."
        )
    return output


def session_script(typed: Sequence[str]) -> str:
    """What Bash has to read so that its output looks like a terminal: each prompt, the line, and what it prints.

    Commands get no standard input of their own: it would swallow the lines that follow.
    """
    if not typed:
        return ""
    lines = ["BASH_ARGV0=bash", r"PS1='\u@\h:\w\$ '"]
    for line in typed:
        lines.append(f'printf "%s%s\\n" "${{PS1@P}}" {shlex.quote(line)}')
        lines.append(line if line == "exit" else f"{{ {line}; }} < /dev/null 2>&1")
    return "\n".join(lines) + "\n"


@cache
def load_recordings() -> dict:
    """The recorded steps, with the date and the tool; `python -m milestone1.record` makes them."""
    return json.loads(RECORDINGS.read_text(encoding="utf-8"))


def recorded(command: str, typed: Sequence[str] = ()) -> dict[str, str]:
    """The recording of one step: its `output`, and the commands that it was recorded `by`.

    Raises
    ------
    LookupError
        If this command, with these lines typed, was not recorded.
    """
    for step in load_recordings()["steps"]:
        if step["command"] == command and step["typed"] == list(typed):
            return step
    raise LookupError(
        f"No Docker engine answers here, and there is no recording of `{command}` with {list(typed)} typed: "
        "start Docker (notebook 1_1 says how) and run the cell again."
    )


def shorten(text: str, lines: int) -> str:
    """Return a text of at most `lines` lines and a note: of a longer one, its beginning and its end."""
    every = text.rstrip().splitlines()
    if len(every) <= lines:
        return "\n".join(every)
    end = lines // 2
    left_out = f"[... {len(every) - lines} lines left out ...]"
    return "\n".join([*every[: lines - end], left_out, *every[len(every) - end :]])
