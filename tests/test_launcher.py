"""``python3 -m course``: on a small stand-in course with tiny packages of its own, so that no network is needed.

See stand_in_course.py.
"""

from __future__ import annotations

import ast
import errno
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from stand_in_course import ROOT, StandInCourse

from course import __main__ as entry
from course import environment, installing, launcher, locking, preflight, requirements, testing, torch_index

GIB = 2**30
unix = pytest.mark.skipif(os.name == "nt", reason="sends Unix signals")


def wait_for(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def tiny(tmp_path: Path) -> StandInCourse:
    return StandInCourse(tmp_path)


@unix
def test_a_killed_setup_is_finished_by_the_next_call_and_later_calls_install_nothing(tiny: StandInCourse):
    slow, building = tiny.root / "slow", tiny.root / "building"

    # The launcher is killed while pip is at work; pip lives on, and the next call waits for it to end.
    foreign = tiny.make_foreign_venv() / "pip.pth"
    slow.touch()
    first = tiny.start("lab")
    wait_for(building.exists)
    assert environment.read_state(tiny.root / ".venv")["finished"] is False
    first.kill()
    slow.unlink()
    second = tiny.start("lab", "--wait")
    assert "waiting" in second.stdout.readline()
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    output = []
    for line in second.stdout:
        output.append(line)
        if line.startswith("lab"):
            break
    assert not foreign.exists()  # what was left half-done is made again from the beginning
    assert [line[:5] for line in output if line.startswith("[")] == ["[1/3]", "[2/3]", "[3/3]"]
    assert output[-1].startswith("lab 1.0 ['--ServerApp.root_dir=")  # the version that constraints.txt names

    # Ctrl-C goes to JupyterLab, whose exit code is the launcher's.
    os.killpg(second.pid, signal.SIGINT)
    second.communicate(timeout=20)
    assert second.returncode == 5

    # Another call runs no pip, and so starts at once.
    log = tiny.root / "pip.log"
    began = time.monotonic()
    assert environment.set_up(tiny.root) == environment.venv_python(tiny.root / ".venv")
    assert time.monotonic() - began < 1
    code, text = tiny.run("lab", "--no-browser", "--", "--port", "9999", PIP_LOG=str(log))
    assert code == 7 and text.startswith("lab") and text.rstrip().endswith("'--no-browser', '--port', '9999']")
    assert not log.exists()

    # A new version in constraints.txt is installed, into the same environment.
    mark = tiny.root / ".venv" / "mark"
    mark.touch()
    (tiny.root / "constraints.txt").write_text("torch==2.0\n")
    code, text = tiny.run("lab")
    assert code == 7 and "up to date" in text and "lab 2.0" in text and mark.exists()

    # The environment's own Python serves with --here, and a termination is passed on.
    process = tiny.start("lab", "--here", "--wait", python=str(environment.venv_python(tiny.root / ".venv")))
    assert process.stdout.readline().startswith("lab 2.0")
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM

    # In another place the environment would still point to the old one: it is made again.
    moved = tiny.root.rename(tiny.root.with_name("moved"))
    assert not environment.is_ready(moved) and not environment.can_be_kept(moved)


@unix
def test_ctrl_c_during_the_setup_says_how_to_go_on(tiny: StandInCourse):
    process = tiny.start("test")
    wait_for(lambda: environment.read_state(tiny.root / ".venv"))
    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=20)[0]
    assert process.returncode == 130
    assert "Run the same command again" in output.splitlines()[-1]
    assert not environment.is_ready(tiny.root) and not environment.can_be_kept(tiny.root)


def test_without_network_one_sentence_says_so_and_what_someone_else_made_is_kept(tiny: StandInCourse):
    packages = tiny.make_foreign_venv()
    with socket.socket() as closed:  # a port on which nothing listens
        closed.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
        code, output = tiny.run("lab", PIP_NO_INDEX="", PIP_FIND_LINKS="", PIP_RETRIES="1", HTTP_PROXY=proxy,
                                HTTPS_PROXY=proxy, http_proxy=proxy, https_proxy=proxy)  # fmt: skip
    assert code == 1
    assert "check the network" in output.splitlines()[-1]
    assert (packages / "pip.pth").exists()


FAULTS = {
    "an old Python": ("sys.version_info = (3, 8, 10)", ["3.11 or newer", "Python 3.8", "python.org"]),
    "no venv module": ("sys.modules['ensurepip'] = None", ["sudo apt install python3", "again"]),
    "a full disk": (
        "import collections, shutil; U = collections.namedtuple('U', 'total used free');"
        f"shutil.disk_usage = lambda path: U({9 * GIB}, {8 * GIB}, {GIB})",
        [" GB on the disk", "1.0 GB are free", "make room"],
    ),
    "a folder that is read-only": (
        "import os; os.access = lambda *_: False",
        ["Nothing can be written", "of your own"],
    ),
    "a 32-bit Python": ("import struct; struct.calcsize = lambda _: 4", ["32-bit", "64-bit"]),
    "an Intel Mac": (
        "import platform; platform.system = lambda: 'Darwin'; platform.machine = lambda: 'x86_64'",
        ["Intel Mac", "Colab"],
    ),
    "no project": ("import os; os.remove('pyproject.toml')", ["no pyproject.toml", "git clone"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_in_the_way_is_told_in_one_sentence(tiny: StandInCourse, fault: str):
    before, expected = FAULTS[fault]
    code, output = tiny.run("lab", before=f"import sys; {before}")
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert all(words in last for words in expected), output
    assert not environment.is_ready(tiny.root)


def test_here_names_what_is_missing_and_the_command_for_it(tiny: StandInCourse):
    code, output = tiny.run(
        "lab", "--here", before="import sys; sys.path[:] = [p for p in sys.path if 'site-' not in p]"
    )
    assert code == 1
    assert "has no torch, jupyterlab, tiny-course" in output
    assert '-m pip install -e ".[lab]"' in output
    assert not (tiny.root / ".venv").exists()


def launcher_files() -> set[Path]:
    """Return the files of `course` that the launcher imports, found from its imports."""
    found, todo = set(), [ROOT / "course" / "__main__.py"]
    while todo:
        path = todo.pop()
        found.add(path)
        for name in imported(path):
            candidate = ROOT.joinpath(*name.split(".")).with_suffix(".py")
            if candidate.is_file() and candidate not in found:
                todo.append(candidate)
    return found


def imported(path: Path) -> set[str]:
    """Return the full names of all that the file `path` imports anywhere."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_the_launcher_needs_the_standard_library_alone():
    files = launcher_files()
    assert {path.stem for path in files} >= {"launcher", "environment", "preflight", "torch_index", "testing"}
    for path in files:
        for name in imported(path):
            assert name.split(".")[0] in {*sys.stdlib_module_names, "course"}, f"{path.name} imports {name}"
    # -S leaves out all installed packages, -B the cache files.
    command = [sys.executable, "-S", "-B", "-m", "course", "--help"]
    assert "JupyterLab" in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_what_an_old_python_reads_first_is_written_for_it():
    package = ROOT / "course"
    first = {package / "__main__.py", package / "__init__.py"}
    first |= {package / f"{name.split('.')[1]}.py" for name in imported(package / "__init__.py") if "course." in name}
    for path in filter(Path.is_file, first):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))
    # Even an older one reads this: it knows neither this import nor what comes after it.
    assert "__future__" not in imported(package / "__main__.py")


def test_the_oldest_python_is_the_one_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">={}.{}".format(*entry.OLDEST_PYTHON)
    assert entry.too_old(entry.OLDEST_PYTHON) is None
    assert "Python 3.10" in entry.too_old((3, 10, 13))


def test_arguments_reach_pytest_jupyter_and_refresh_in_their_order():
    assert launcher.parse(["test", "-k", "a or b", "tests/x.py", "-x"])[1] == ["-k", "a or b", "tests/x.py", "-x"]
    options, others = launcher.parse(["lab", "--no-browser", "--here", "--", "--help", "x.ipynb"])
    assert options.here and others == ["--no-browser", "--help", "x.ipynb"]
    assert launcher.parse(["refresh", "notebooks/a.ipynb"])[1] == ["notebooks/a.ipynb"]
    assert testing.pytest_arguments(["-n", "0"])[-2:] == ["-n", "0"]  # after the flags, so that it wins


def test_an_index_that_is_silent_or_wrong_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        began = time.monotonic()
        assert not torch_index.answers(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.5)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(5) or [])  # a name server that says nothing
    assert not torch_index.answers("https://index.invalid/cpu", seconds=0.5)
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(("page", "answer"), [("/cpu", True), ("/elsewhere", False)])
def test_an_index_that_answers_is_used(monkeypatch: pytest.MonkeyPatch, page: str, answer: bool):
    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/cpu/torch/" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.HTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert torch_index.answers(f"http://127.0.0.1:{server.server_port}{page}") is answer
        server.shutdown()


def test_only_linux_without_a_card_asks_the_cpu_index(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    monkeypatch.setattr(torch_index, "answers", lambda *_: True)
    monkeypatch.setattr(torch_index, "has_nvidia_gpu", lambda: False)
    for system, expected in [("Linux", torch_index.CPU_INDEX), ("Darwin", None), ("Windows", None)]:
        monkeypatch.setattr(torch_index.platform, "system", lambda system=system: system)
        assert torch_index.cpu_index() == expected
    monkeypatch.setattr(torch_index.platform, "system", lambda: "Linux")
    monkeypatch.setattr(torch_index, "has_nvidia_gpu", lambda: True)
    assert torch_index.cpu_index() is None


def test_when_the_cpu_index_fails_pip_s_ordinary_sources_are_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    calls = []

    def fail_at_first(python, arguments, root):
        calls.append(arguments)
        return "ERROR: something" if len(calls) == 1 else None

    monkeypatch.setattr(torch_index, "cpu_index", lambda: "https://index.invalid/cpu")
    monkeypatch.setattr(installing, "run_pip", fail_at_first)
    assert installing.install_torch(Path("python"), "torch>=2.9", tmp_path) is None
    assert "https://index.invalid/cpu" in calls[0] and "--no-deps" in calls[0]
    assert calls[1] == ["install", "torch>=2.9"]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("WARNING: Retrying (...) after connection broken by 'NewConnectionError(...)'", "check the network"),
        ("ERROR: No matching distribution found for torch==2.13.0", "install Python 3.12"),
        ("ERROR: ResolutionImpossible", "last lines above say why"),
    ],
)
def test_why_pip_failed_is_told_in_one_sentence(tmp_path: Path, output: str, words: str):
    sentence = preflight.explain_failure(output, tmp_path)
    assert words in sentence and "\n" not in sentence


def test_pip_installs_into_the_environment_whatever_the_user_has_set(monkeypatch: pytest.MonkeyPatch):
    for name in ("PIP_TARGET", "PIP_PREFIX", "PYTHONPATH", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "somewhere")
    monkeypatch.setenv("PIP_USER", "1")
    variables = installing.pip_environment()
    assert variables["PIP_USER"] == "0" and variables["PIP_INDEX_URL"] == "somewhere"
    assert not {"PIP_TARGET", "PIP_PREFIX", "PYTHONPATH"} & set(variables)


def test_a_file_system_without_locks_does_not_stop_the_setup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with locking.only_one(tmp_path / "lock"):
        pass


def test_names_of_packages_are_compared_as_pip_does():
    assert requirements.name_of("huggingface_hub>=1.20,<3") == "huggingface-hub"
    assert requirements.torch_requirement({"dependencies": ["torchvision", "torch>=2.9"]}) == "torch>=2.9"
    assert requirements.torch_requirement({"dependencies": ["numpy"]}) is None


def test_jupyterlab_opens_at_the_notebooks(tmp_path: Path):
    (tmp_path / "notebooks").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = launcher.lab_command(tmp_path, ["--no-browser", f"--port={port}", "--IdentityProvider.token=x"])
    variables = {**os.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path), "JUPYTER_ALLOW_INSECURE_WRITES": "1"}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    if os.name != "nt" and os.geteuid() == 0:
        command.append("--allow-root")

    def answer() -> str | None:
        try:
            return opener.open(f"http://127.0.0.1:{port}/?token=x").url
        except urllib.error.URLError:
            return None

    with subprocess.Popen([sys.executable, "-m", *command], env=variables, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as server:  # fmt: skip
        try:
            wait_for(answer, 40)
            assert "/lab/tree/notebooks" in answer()
            listing = opener.open(f"http://127.0.0.1:{port}/api/contents/?token=x").read()
            assert b"notebooks" in listing
        finally:
            server.terminate()
