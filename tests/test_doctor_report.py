"""The doctor as a whole: no probe can stop it or hold it up, and its report names nobody."""

from __future__ import annotations

import ast
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_up_machine import MadeUpMachine

from milestone1.doctor import network, report
from milestone1.doctor.machine import ANSWER_SECONDS, Finding, Machine

ROOT = Path(__file__).resolve().parent.parent
DOCTOR = ROOT / "milestone1" / "doctor"


@pytest.fixture
def made_up(tmp_path: Path) -> MadeUpMachine:
    return MadeUpMachine(tmp_path)


def test_a_probe_that_fails_or_hangs_costs_its_own_finding_alone(made_up: MadeUpMachine):
    def fails(machine: Machine) -> Finding:
        raise RuntimeError(f"no luck in {machine.home}/secret for ada")

    def hangs(machine: Machine) -> Finding:
        time.sleep(60)

    probes = {"good": lambda machine: Finding("good", "ok", "fine"), "fails": fails, "hangs": hangs}
    began = time.monotonic()
    findings = report.examine(made_up.look(), probes, seconds=1)
    assert time.monotonic() - began < 30
    assert [finding.level for finding in findings] == ["ok", "warning", "warning"]
    assert findings[1].found == "could not be looked at: RuntimeError: no luck in ~/secret for <user>"
    assert findings[2].found == "could not be looked at within 1 seconds"
    assert findings[1].repair and findings[2].repair


def test_a_probe_that_hangs_does_not_keep_the_doctor_from_ending():
    code = (
        "import time; from milestone1.doctor import report\n"
        "(late,) = report.examine(probes={'hangs': lambda machine: time.sleep(3600)}, seconds=0.1); print(late.found)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout == "could not be looked at within 0.1 seconds\n", done.stderr


@pytest.mark.skipif(os.name == "nt", reason="its made-up programs are written for a Unix shell")
def test_programs_that_hang_and_a_silent_hub_are_given_up_in_time_to_say_so(made_up: MadeUpMachine, monkeypatch):
    """The doctor is to take less than five seconds; starting Python takes the rest."""
    assert max(ANSWER_SECONDS, network.HUB_SECONDS) < report.SECONDS < 5
    for program in ("docker", "nvidia-smi"):
        made_up.program(program, "/bin/sleep 60")
    probes = {name: report.PROBES[name] for name in ("docker client", "docker engine", "gpu", "hub")}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        environ = {"HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        findings = report.examine(made_up.look(environ=environ), probes, seconds=60)
    for finding, words in zip(findings, ["no answer"] * 3 + ["timed out"]):
        assert finding.level == "warning" and words in finding.found and finding.repair, finding


@pytest.mark.parametrize("name", report.PROBES)
def test_a_probe_survives_a_computer_whose_every_file_is_nonsense(made_up: MadeUpMachine, name: str):
    """Whatever it says of it: `examine` gets a finding of its own name, with a repair where there is a fault."""
    for file in ("proc/meminfo", "proc/cpuinfo", "proc/self/cgroup", "etc/os-release", "proc/sys/kernel/osrelease"):
        made_up.file(file, "\x00\xff:::\n=\n0\n")
    (made_up.course / "pyproject.toml").write_text("[[[")
    environ = {"JUPYTER_PORT": "eight", "HF_ENDPOINT": "::", "HF_HOME": "\x01", "PATH": "\x02"}
    (finding,) = report.examine(made_up.look(environ=environ, version="x.y"), {name: report.PROBES[name]}, seconds=60)
    assert finding.name == name
    assert finding.repair or finding.level in ("ok", "note")


def test_every_probe_answers_under_the_name_that_it_has_in_the_list(made_up: MadeUpMachine):
    for name, finding in zip(report.PROBES, report.examine(made_up.look(), seconds=60)):
        assert finding.name == name and finding.found and "\n" not in finding.repair
        assert bool(finding.repair) is (finding.level in ("warning", "failure"))


@pytest.mark.parametrize(
    ("levels", "sentence"),
    [
        (["ok", "note"], "READY."),
        (["ok", "warning"], "READY, with something to improve: b."),
        (["failure", "warning"], "NOT READY: repair a first."),
        (["failure", "failure"], "NOT READY: repair a and b first."),
        (["failure", "failure", "failure"], "NOT READY: repair a, b and c first."),
    ],
)
def test_the_verdict_is_that_of_the_worst_finding(levels: list, sentence: str):
    findings = [Finding(name, level, "x", "y") for name, level in zip("abc", levels)]
    assert report.verdict(findings) == sentence
    assert json.loads(report.json_report(findings))["ready"] is sentence.startswith("READY")


def test_the_report_has_one_line_for_each_repair():
    words = "a finding whose description is so long that it has to go on in a second line, under its own beginning " * 2
    text = report.text_report([Finding("disk", "failure", words, "make room"), Finding("gpu", "note", "none")])
    lines = text.splitlines()
    assert lines[0].startswith("failure  disk           a finding")
    assert all(len(line) <= 110 for line in lines) and lines[1].startswith(" " * 24)
    assert "         -> make room" in lines and lines[-1] == "NOT READY: repair disk first."


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("see {home}/.cache/huggingface/token", "see ~/.cache/huggingface/token"),
        ("see {course}/notebooks", "see <course>/notebooks"),
        ("open /srv/data/ada/x.txt: denied", "open <path>: denied"),
        (r"open C:\Users\ada\x.txt: denied", "open <path>: denied"),
        (r"at \\server\share\ada", "at <path>"),
        ("/mnt/c/Users/someone/course is slow", "<path> is slow"),
        ("not in /mnt/c, but at ~", "not in /mnt/c, but at ~"),
        ("unix:///var/run/docker.sock answers", "unix:///var/run/docker.sock answers"),
        ("user Ada may not; adamant", "user <user> may not; adamant"),
        ("https://ada:secret@proxy.example.org/a/b", "https://proxy.example.org/a/b"),
        ("login('hf_" + "x" * 34 + "')", "login('<token>')"),
        ("https://huggingface.co/settings/tokens", "https://huggingface.co/settings/tokens"),
        ("several\n lines", "several lines"),
    ],
)
def test_names_paths_and_tokens_are_taken_out(made_up: MadeUpMachine, text: str, clean: str):
    text = text.format(home=made_up.home, course=made_up.course)
    assert report.scrub(text, made_up.look()) == clean


def test_a_user_s_name_that_is_a_common_word_stays_readable(made_up: MadeUpMachine):
    assert "docker" in report.scrub("docker is down", made_up.look(environ={"USER": "docker"}))


@pytest.fixture(scope="module")
def run_doctor(tmp_path_factory: pytest.TempPathFactory):
    """Run the doctor's command line in a home of its own; return code, output and home."""
    home = tmp_path_factory.mktemp("homes") / "Grace Hopper"
    (home / ".cache" / "huggingface").mkdir(parents=True)
    (home / ".cache" / "huggingface" / "token").write_text("hf_" + "q" * 34)

    def run(*arguments: str, python: tuple[str, ...] = (sys.executable, "-B")) -> tuple[int, str]:
        environ = {**os.environ, "HOME": str(home), "USERPROFILE": str(home), "USER": "ghopper", "HF_HUB_OFFLINE": "1"}
        done = subprocess.run([*python, "-m", "milestone1.doctor", *arguments], cwd=ROOT, env=environ, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL)  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    run.home = home
    return run


def test_the_command_line_reports_and_changes_nothing(run_doctor):
    def state(folder: Path) -> dict[str, tuple[int, int]]:
        skipped = {".git", "__pycache__", ".pytest_cache", ".venv", "runs"}
        files = (path for path in folder.rglob("*") if not skipped & set(path.parts) and path.is_file())
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}

    before = state(run_doctor.home), state(DOCTOR), state(ROOT / "course")
    code, text = run_doctor()
    assert (state(run_doctor.home), state(DOCTOR), state(ROOT / "course")) == before
    assert code == int("NOT READY" in text)
    for name in report.PROBES:
        assert re.search(rf"^(ok|note|warning|failure) +{name} ", text, flags=re.MULTILINE), text


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_the_report_names_neither_user_nor_folders_nor_tokens(run_doctor, option: tuple[str, ...]):
    text = run_doctor(*option)[1]
    for secret in (str(run_doctor.home), "Grace", "Hopper", "ghopper", str(ROOT), "hf_qqq", sys.prefix):
        assert secret not in text
    assert len(socket.gethostname()) < 4 or socket.gethostname() not in text


def test_the_json_is_for_programs(run_doctor):
    code, text = run_doctor("--json")
    answer = json.loads(text)
    assert answer["ready"] is (code == 0)
    assert [finding["name"] for finding in answer["findings"]] == list(report.PROBES)
    assert set(answer["findings"][0]) == {"name", "level", "found", "repair", "details"}


def test_without_any_package_it_runs_and_names_the_set_up(run_doctor):
    """-S leaves out all installed packages, -I the folders that the user added."""
    if (ROOT / ".venv").exists():
        pytest.skip("the launcher's environment is here, and that is what the doctor looks at")
    text = run_doctor("--json", python=(sys.executable, "-B", "-S"))[1]
    (packages,) = [finding for finding in json.loads(text)["findings"] if finding["name"] == "packages"]
    assert packages["level"] == "failure" or "could not be looked at within" in packages["found"]


def test_help_explains_the_levels(run_doctor):
    code, text = run_doctor("--help")
    assert code == 0 and "--json" in text and all(level in text for level in ("ok", "note", "warning", "failure"))


def test_the_doctor_needs_the_standard_library_alone():
    files = sorted(DOCTOR.glob("*.py"))
    assert len(files) >= 8
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in {*sys.stdlib_module_names, "course", "milestone1"}, f"{path.name}: {name}"


# What Python 2.7, or an early 3, cannot read: it would answer with a SyntaxError instead of our sentence.
NEWER = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.YieldFrom, ast.Starred, ast.AsyncFunctionDef,
         ast.Await, ast.Match, ast.MatMult)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["course/__init__.py", "course/__main__.py", "milestone1/__init__.py", "milestone1/doctor/__init__.py",
     "milestone1/doctor/__main__.py"],
)  # fmt: skip
def test_what_an_old_python_reads_first_is_written_for_it(name: str):
    source = (ROOT / name).read_text(encoding="utf-8")
    assert source.isascii(), "Python 2 wants to be told of other letters"
    for node in ast.walk(ast.parse(source)):
        assert not isinstance(node, NEWER), f"line {node.lineno} is too new"
        assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"), "print is a word there"
        if isinstance(node, ast.FunctionDef):
            arguments = node.args.args
            assert node.returns is None and not any(argument.annotation for argument in arguments)
            assert not (node.args.kwonlyargs or node.args.posonlyargs)
        if isinstance(node, ast.ClassDef):
            assert not node.keywords
        if isinstance(node, ast.ImportFrom):
            assert node.module != "__future__"
        if isinstance(node, ast.Raise):
            assert node.cause is None
    top = [node for node in ast.parse(source).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert {ast.unparse(node) for node in top} <= {"import sys", "from course.__main__ import too_old"}


def test_an_old_python_gets_one_sentence():
    code = (
        "import runpy, sys; sys.version_info = (3, 8, 10); sys.argv = ['doctor']\n"
        "runpy.run_module('milestone1.doctor', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert "3.11 or newer, and this is Python 3.8" in done.stderr and done.stderr.count("\n") == 1
