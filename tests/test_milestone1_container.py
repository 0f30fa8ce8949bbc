"""Docker commands in a notebook: with an engine, without one, and the recordings that stand in for it."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from milestone1.container import HELLO_WORLD, docker, engine_version, recorded, session_script, shorten
from milestone1.record import check, clean
from milestone1.steps import STEPS

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "1_2_run_your_own_container.ipynb"
RECORDINGS = ROOT / "milestone1" / "recordings" / "container.json"

# A client that answers as the engine would, and says of every other command what reached it.
ANSWERS = """
import os, sys
if sys.argv[1] == "version":
    print("99.1")
elif sys.argv[1] == "fail":
    sys.exit("no such thing")
else:
    print("told:", *sys.argv[1:])
    print("in:", os.path.basename(os.getcwd()))
    print(sys.stdin.read())
"""
NO_ENGINE = """
import sys
sys.exit("Cannot connect to the Docker daemon. Is the docker daemon running?")
"""


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Make a program `docker` the only one on the PATH; called with its source in Python, or None for none."""

    def make(source: str | None) -> None:
        monkeypatch.delenv("COURSE_DOCKER", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        if source is None:
            return
        (tmp_path / "client.py").write_text(source, encoding="utf-8")
        if os.name == "nt":
            (tmp_path / "docker.bat").write_text(f'@"{sys.executable}" "{tmp_path / "client.py"}" %*\n')
        else:
            program = tmp_path / "docker"
            program.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
            program.chmod(0o755)

    return make


def calls_in_notebook() -> list[tuple[str, list[str]]]:
    """Each `docker(command, typed=[...])` of the notebook, in its order."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    calls = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = re.sub(r"^(\s*)%pip .*", r"\1pass", "".join(cell["source"]), flags=re.MULTILINE)
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "docker":
                    typed = [ast.literal_eval(word.value) for word in node.keywords if word.arg == "typed"]
                    calls.append((ast.literal_eval(node.args[0]), typed[0] if typed else []))
    return calls


def test_with_an_engine_the_command_runs_in_the_folder_of_the_script(client, capsys):
    client(ANSWERS)
    assert engine_version() == "99.1"
    docker("docker images --filter reference=hello")
    said = capsys.readouterr().out
    assert said.splitlines()[:3] == [
        "$ docker images --filter reference=hello", "told: images --filter reference=hello", f"in: {HELLO_WORLD.name}"
    ]  # fmt: skip
    assert "recorded" not in said


def test_with_an_engine_typed_lines_reach_the_container_though_there_is_no_terminal(client, capsys):
    client(ANSWERS)
    docker("docker run -it --name first-box debian:bookworm", typed=["whoami", "exit"])
    said = capsys.readouterr().out
    assert "$ docker run -it --name" in said
    assert "told: run -i --name first-box debian:bookworm" in said
    assert "whoami" in said


def test_with_an_engine_a_command_that_fails_stops_the_notebook(client):
    client(ANSWERS)
    with pytest.raises(RuntimeError, match="(?s)`docker fail` ended with status 1.*no such thing"):
        docker("docker fail")


@pytest.mark.parametrize("source", [None, NO_ENGINE], ids=["no client", "no engine"])
def test_without_an_engine_the_recording_is_shown_and_marked(client, capsys, source):
    client(source)
    assert engine_version() is None
    docker("docker ps --all")
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "$ docker ps --all"
    assert re.fullmatch(r"\[recorded on \d+ \w+ \d{4}, without Docker, by: buildah containers\]", said[1])
    assert "first-box" in said[-1]


def test_an_engine_is_left_alone_when_recordings_are_asked_for(client, capsys, monkeypatch):
    client(ANSWERS)
    monkeypatch.setenv("COURSE_DOCKER", "recorded")
    docker("docker ps --all")
    assert "buildah containers" in capsys.readouterr().out


def test_without_an_engine_what_was_not_recorded_is_an_error_that_says_what_to_do(client):
    client(None)
    with pytest.raises(LookupError, match="no recording of `docker pull nothing`.*start Docker"):
        docker("docker pull nothing")


def test_the_notebook_runs_the_steps_in_the_order_in_which_they_were_recorded():
    assert calls_in_notebook() == [(step.command, list(step.typed)) for step in STEPS]


def test_every_step_is_recorded_with_what_it_printed_and_how():
    steps = json.loads(RECORDINGS.read_text(encoding="utf-8"))["steps"]
    assert [(step["command"], tuple(step["typed"])) for step in steps] == [(step.command, step.typed) for step in STEPS]
    for step in STEPS:
        kept = recorded(step.command, step.typed)
        assert kept["output"].strip()
        assert kept["by"].endswith(step.by) and "buildah" in kept["by"]


def test_recordings_say_when_and_with_what_they_were_made():
    recordings = json.loads(RECORDINGS.read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]+ \d{4}", recordings["date"])
    assert re.search(r"buildah \d+\.\d+", recordings["with"])


def test_recordings_hold_nothing_of_the_machine_they_were_made_on():
    text = RECORDINGS.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([^/\s\"\\]+)", text)) <= {"deb.debian.org"}
    assert not re.search(r"\b\d{1,3}(\.\d{1,3}){3}\b", text)  # no address of a network
    assert not re.search(r"/(?:home|root|tmp|work|opt|Users)/", text)
    assert not re.search(r"(?i)proxy|mirror|localhost:\d", text)


def test_recorded_prompts_show_the_container_s_id_as_its_host_name():
    identity = recorded("docker ps --all")["output"].splitlines()[-1].split()[0]
    assert re.fullmatch(r"[0-9a-f]{12}", identity)
    session = next(step for step in STEPS if step.typed)
    output = recorded(session.command, session.typed)["output"]
    assert f"root@{identity}:/# whoami\nroot\n" in output
    assert f"# hostname\n{identity}\n" in output


def test_the_recorder_refuses_what_would_tell_of_its_machine(tmp_path):
    check("Get:1 http://deb.debian.org/debian bookworm InRelease", tmp_path)
    for output in ("Get:1 http://packages.example/debian", f"stored in {tmp_path}/storage"):
        with pytest.raises(ValueError, match="must not hold"):
            check(output, tmp_path)


def test_of_a_progress_line_its_last_state_is_kept():
    assert clean("Reading... 0%\rReading... Done\r\nnext  \n") == "Reading... Done\nnext"


@pytest.mark.skipif(sys.platform != "linux", reason="needs the Bash that containers have; a Mac's is older")
def test_a_session_looks_like_a_terminal_and_no_command_swallows_the_next_line():
    script = session_script(["echo one two", "cat", "cd /", "not-a-program", "echo 'it''s'", "exit"])
    bash = subprocess.run(["bash"], input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = re.sub(r"^[^\n#$]+[#$] ", "> ", bash.stdout.decode(), flags=re.MULTILINE)
    assert bash.returncode == 0
    assert re.sub("line [0-9]+", "line N", said).splitlines() == [
        "> echo one two", "one two", "> cat", "> cd /",
        "> not-a-program", "bash: line N: not-a-program: command not found",
        "> echo 'it''s'", "its", "> exit",
    ]  # fmt: skip


def test_long_output_loses_its_middle_and_says_so():
    text = "\n".join(f"line {number}" for number in range(100))
    assert shorten(text, 4).splitlines() == ["line 0", "line 1", "[... 96 lines left out ...]", "line 98", "line 99"]
    assert shorten("one\ntwo\n", 2) == "one\ntwo"
