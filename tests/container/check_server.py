"""Start an image's server, inside the image, and ask it: `python3 check_server.py IMAGE.json lab|space`.

The standard library is enough for it: an image need not hold what tests other things.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 300  # on a busy computer
LAB = "http://127.0.0.1:8888"
SPACE = "http://127.0.0.1:8501"
# How Binder starts an image that has a Dockerfile: https://mybinder.readthedocs.io/en/latest/tutorials/dockerfile.html
BINDER = ["jupyter", "notebook", "--ip=0.0.0.0", "--port=8888", "--no-browser"]
LAB_PAGE, LOGIN_PAGE = "jupyter-config-data", "Token authentication is enabled"
APP = "from streamlit.testing.v1 import AppTest; assert not AppTest.from_file('app.py').run(timeout=300).exception"


def main(description: str, kind: str) -> None:
    """Check the server that a container of the image starts; an AssertionError says what is wrong with it."""
    config = json.loads(Path(description).read_text(encoding="utf-8"))["Docker"]["config"]
    health = config["Healthcheck"]["Test"][1:]  # without the word CMD
    if kind == "lab":
        check_lab(config["Cmd"], health)
        check_lab(BINDER, health)
    else:
        check_space(config["Cmd"], health)


def check_lab(command: list[str], health: list[str]) -> None:
    """JupyterLab opens with the token that it prints and not without, and what is saved in it is a file."""
    with running(command, health) as log:
        printed = re.search(rf"{LAB}/\S*\?token=([0-9a-f]{{48}})", log.read_text(encoding="utf-8"))
        assert printed, f"no address with a token was printed:\n{log.read_text(encoding='utf-8')}"
        status, page = ask(f"{LAB}/lab?token={printed[1]}")
        assert status == 200 and LAB_PAGE in page, f"with the token: {status}\n{page[:500]}"
        status, page = ask(f"{LAB}/lab")
        assert LAB_PAGE not in page and LOGIN_PAGE in page, f"without the token: {status}\n{page[:500]}"
        for wrong in ("", "?token=" + "0" * 48):
            status, page = ask(f"{LAB}/api/contents{wrong}")
            assert status == 403, f"without the right token, the list of files: {status}"
        save(f"{LAB}/api/contents/notebooks/kept.txt?token={printed[1]}", f"Saved in {command[1]}.")
    assert Path("notebooks/kept.txt").read_text(encoding="utf-8") == f"Saved in {command[1]}."
    print(f"jupyter {command[1]}: opens with its token alone, saves a file, and its health check works")


def check_space(command: list[str], health: list[str]) -> None:
    """Streamlit shows its page, and the app itself runs."""
    with running(command, health):
        status, page = ask(SPACE)
        assert status == 200 and "<title>Streamlit</title>" in page, f"{status}\n{page[:500]}"
    subprocess.run([sys.executable, "-c", APP], check=True)
    print("streamlit run: shows its page, and its health check works; the app runs")


@contextmanager
def running(command: list[str], health: list[str]) -> Iterator[Path]:
    """Run a server until the block ends; give the file that it prints to, once the health check is content."""
    assert not is_healthy(health), "the health check is content although no server runs"
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + START_SECONDS
            while not is_healthy(health):
                assert server.poll() is None and time.monotonic() < until, Path(log.name).read_text(encoding="utf-8")
                time.sleep(1)
            yield Path(log.name)
        finally:
            server.send_signal(signal.SIGTERM)  # as `docker stop` does
            server.wait(60)


def is_healthy(health: list[str]) -> bool:
    return subprocess.run(health, capture_output=True).returncode == 0


def ask(address: str) -> tuple[int, str]:
    """The status and the text of a page."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def save(address: str, text: str) -> None:
    """Save a text file as JupyterLab's own page does."""
    content = json.dumps({"type": "file", "format": "text", "content": text}).encode()
    request = urllib.request.Request(address, content, {"Content-Type": "application/json"}, method="PUT")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status in (200, 201), answer.status


if __name__ == "__main__":
    main(*sys.argv[1:])
