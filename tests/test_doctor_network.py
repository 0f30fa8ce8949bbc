"""The doctor's probes of the Hub, of tokens and of JupyterLab's port, with real sockets of this computer."""

from __future__ import annotations

import http.server
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_up_machine import MadeUpMachine

from milestone1.doctor import network

TOKEN = "hf_" + "x" * 34
unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights of files")


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MadeUpMachine:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return MadeUpMachine(tmp_path)


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Start servers that answer every request with a status and a text; stop them at the end."""
    servers = []

    def start(status: int, text: str = "") -> int:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(text.encode())

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1].server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


# The Hub


@pytest.mark.parametrize(
    ("status", "level", "words"),
    [(200, "ok", "reachable"), (401, "ok", "reachable"), (407, "warning", "(407)"), (503, "warning", "(503)")],
)
def test_a_hub_that_answers(made_up: MadeUpMachine, serve, status: int, level: str, words: str):
    finding = network.hub(made_up.look(environ={"HF_ENDPOINT": f"http://127.0.0.1:{serve(status)}"}))
    assert finding.level == level and words in finding.found and bool(finding.repair) is (level == "warning")


def hub_at(made_up: MadeUpMachine, address: str):
    finding = network.hub(made_up.look(environ={"HF_ENDPOINT": address}))
    assert finding.level == "warning" and "only downloads and publishing need it" in finding.found
    return finding


def test_a_hub_that_refuses_or_is_silent_or_talks_nonsense(made_up: MadeUpMachine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(network, "HUB_SECONDS", 0.5)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert "refused" in hub_at(made_up, f"http://127.0.0.1:{closed.getsockname()[1]}").found
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "timed out" in hub_at(made_up, f"http://127.0.0.1:{silent.getsockname()[1]}").found
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def talk():
            with odd.accept()[0] as client:
                client.recv(1000)
                client.sendall(b"220 this is another service\r\n")

        threading.Thread(target=talk, daemon=True).start()
        assert "cannot be reached" in hub_at(made_up, f"http://127.0.0.1:{odd.getsockname()[1]}").found


def test_a_hub_whose_certificate_is_not_trusted(made_up: MadeUpMachine, serve):
    assert "SSL_CERT_FILE" in hub_at(made_up, f"https://127.0.0.1:{serve(200)}").repair


def test_a_hub_whose_name_is_not_found(made_up: MadeUpMachine):
    """Names that end in .invalid exist nowhere (RFC 2606); a label of over 63 letters is not even asked for."""
    assert "name is not found" in hub_at(made_up, "https://hub.invalid").found
    assert hub_at(made_up, "https://" + "a" * 70 + ".invalid")
    assert hub_at(made_up, "not an address")


def test_a_student_offline_on_purpose_is_left_alone(made_up: MadeUpMachine):
    finding = network.hub(made_up.look(environ={"HF_HUB_OFFLINE": "1"}))
    assert finding.level == "note" and not finding.repair


# Tokens


def test_without_a_token_there_is_nothing_to_repair(made_up: MadeUpMachine):
    finding = network.tokens(made_up.look())
    assert finding.level == "note" and not finding.repair


@pytest.mark.parametrize("where", ["HF_TOKEN", ".cache/huggingface/token", "HF_HOME", "HF_TOKEN_PATH", ".env"])
def test_a_token_in_its_place_is_ok_and_never_shown(made_up: MadeUpMachine, where: str):
    elsewhere = made_up.home / "elsewhere"
    places = {"HF_HOME": elsewhere / "token", "HF_TOKEN_PATH": elsewhere / "mine", ".env": made_up.course / ".env"}
    environ = {"HF_HOME": str(elsewhere)} if where == "HF_HOME" else {}
    environ = {"HF_TOKEN_PATH": str(elsewhere / "mine")} if where == "HF_TOKEN_PATH" else environ
    if where == "HF_TOKEN":
        environ = {"HF_TOKEN": TOKEN}
    else:
        place = places.get(where, made_up.home / where)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch(mode=0o600)
        place.write_text(TOKEN)
    finding = network.tokens(made_up.look(environ=environ))
    assert finding.level == ("note" if where == ".env" else "ok") and TOKEN not in str(finding)


@unix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_stored_token_that_others_can_read_is_a_warning(made_up: MadeUpMachine, mode: int):
    place = made_up.home / ".cache" / "huggingface" / "token"
    place.parent.mkdir(parents=True)
    place.write_text(TOKEN)
    place.chmod(mode)
    finding = network.tokens(made_up.look())
    assert finding.level == "warning" and finding.repair.startswith("chmod 600 ") and TOKEN not in str(finding)


@pytest.mark.parametrize("name", ["notes.txt", "notebooks/my.ipynb", ".github/workflows/publish.yml"])
@pytest.mark.parametrize("token", [TOKEN, "ghp_" + "y" * 36, "github_pat_" + "z" * 40])
def test_a_token_in_a_file_of_the_course_is_a_failure(made_up: MadeUpMachine, name: str, token: str):
    place = made_up.course / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"source": [f"login('{token}')"]}))
    finding = network.tokens(made_up.look())
    assert finding.level == "failure" and f"stands in {name}" in finding.found and "revoke" in finding.repair
    assert token not in str(finding)


@unix
def test_a_file_that_may_not_be_read_is_passed_over(made_up: MadeUpMachine):
    place = made_up.course / "notes.txt"
    place.write_text(TOKEN)
    place.chmod(0)
    if os.access(place, os.R_OK):  # the administrator may read everything
        place.unlink()
        place.symlink_to(made_up.course / "gone")
    assert network.tokens(made_up.look()).level == "note"


# The port


def test_a_free_port_is_ok_and_stays_free(made_up: MadeUpMachine):
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        number = trial.getsockname()[1]
    for _ in range(2):
        assert network.port(made_up.look(environ={"JUPYTER_PORT": str(number)})).found == f"{number} is free"


def test_a_port_of_another_program_is_a_warning_with_a_way_around(made_up: MadeUpMachine):
    with socket.create_server(("127.0.0.1", 0)) as other:  # accepts, and never says a word
        number = other.getsockname()[1]
        finding = network.port(made_up.look(), wanted=number)
    assert finding.level == "warning" and f"{number} belongs to another program" in finding.found
    assert f"python3 -m course lab -- --port {number + 1}" in finding.repair


@pytest.mark.parametrize(
    ("text", "level"),
    [('{"version": "2.21.1"}', "ok"), ("<html>", "warning"), ("[1]", "warning"), ('{"name": "x"}', "warning")],
)
def test_a_jupyter_server_that_runs_already_is_recognised(made_up: MadeUpMachine, serve, text: str, level: str):
    finding = network.port(made_up.look(), wanted=serve(200, text))
    assert finding.level == level and ("Jupyter" in finding.found) is (level == "ok")


@unix
def test_a_port_that_may_not_be_used_is_a_warning(made_up: MadeUpMachine):
    for number in (70_000, 1):
        finding = network.port(made_up.look(), wanted=number)
        if number == 70_000 or os.geteuid() != 0:
            assert finding.level == "warning" and "may not be used" in finding.found and "8899" in finding.repair
