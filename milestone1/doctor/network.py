"""Probes of the Hugging Face Hub, of tokens, and of the port that JupyterLab wants."""

from __future__ import annotations

import errno
import http.client
import json
import os
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from milestone1.doctor.machine import Finding, Machine

HUB = "https://huggingface.co"
HUB_SECONDS = 2.5
PORT = 8888
TOKEN = re.compile(rb"\b(?:hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})")
REVOKE = "and revoke it: https://huggingface.co/settings/tokens (GitHub: https://github.com/settings/tokens)"
MOST_BYTES = 2_000_000  # of a file that is searched for tokens


def hub(machine: Machine) -> Finding:
    """Ask the Hub for an answer. The course's own data and models need none."""
    name = "hub"
    if machine.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return Finding(name, "note", "not asked, because HF_HUB_OFFLINE is set; what comes with the course works")
    address = machine.environ.get("HF_ENDPOINT") or HUB
    try:
        request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": "course-doctor"})
        with urllib.request.urlopen(request, timeout=HUB_SECONDS):
            return Finding(name, "ok", "reachable")
    except urllib.error.HTTPError as error:
        if error.code < 500 and error.code != 407:  # it is there, and did not like the question
            return Finding(name, "ok", "reachable")
        return hub_finding(f"answers with an error ({error.code})", "Try again later; behind a proxy, ask who runs it")
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLError):
        return hub_finding("its certificate is not trusted: a proxy or a virus scanner may stand between",
                           "Set SSL_CERT_FILE to the certificate that the network's staff give you")  # fmt: skip
    if isinstance(reason, socket.gaierror):
        return hub_finding("its name is not found", "Connect to the internet; behind a proxy, set HTTPS_PROXY")
    return hub_finding(f"cannot be reached: {reason}", "Connect to the internet; behind a proxy, set HTTPS_PROXY")


def hub_finding(found: str, repair: str) -> Finding:
    """Return a warning: without the Hub there are no Jigsaw comments, other models and Spaces, and all else works."""
    return Finding("hub", "warning", f"{found}; only downloads and publishing need it", repair)


def tokens(machine: Machine) -> Finding:
    """Look for access tokens: one in the right place is good to have, one in a file of the course is not."""
    lying = [place for place in searched_files(machine) if TOKEN.search(read_bytes(place))]
    if lying:
        names = ", ".join(place.relative_to(machine.folder).as_posix() for place in lying[:4])
        return Finding("tokens", "failure", f"an access token stands in {names}", f"Take it out of there, {REVOKE}")
    file = token_file(machine)
    if file.is_file():
        if os.name != "nt" and file.stat().st_mode & 0o077:
            return Finding("tokens", "warning", "other users of this computer can read your stored Hub token",
                           f"chmod 600 {file}")  # fmt: skip
        return Finding("tokens", "ok", "a Hub token is stored in your home folder")
    variable = next((name for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN") if machine.environ.get(name)), None)
    if variable:
        return Finding("tokens", "ok", f"a Hub token is in the environment variable {variable}")
    return Finding("tokens", "note", "no Hub token; only publishing needs one (notebook 2_3)")


def token_file(machine: Machine) -> Path:
    """Return where huggingface_hub keeps its token."""
    cache = Path(machine.environ.get("XDG_CACHE_HOME") or machine.home / ".cache")
    folder = Path(machine.environ.get("HF_HOME") or cache / "huggingface")
    return Path(machine.environ.get("HF_TOKEN_PATH") or folder / "token").expanduser()


def searched_files(machine: Machine) -> Iterator[Path]:
    """Give the files of the course that are shown or shared: those at its top, the notebooks and the workflows."""
    if machine.checkout is None:  # then the present folder may be any
        return
    for pattern in ("*", "notebooks/*", ".github/workflows/*"):
        for place in sorted(machine.folder.glob(pattern)):
            # .env is where a token may stand: git is told to leave it out.
            if place.is_file() and not place.name.startswith(".env") and place.stat().st_size <= MOST_BYTES:
                yield place


def read_bytes(place: Path) -> bytes:
    """Return what a file holds, or nothing where it cannot be read."""
    try:
        return place.read_bytes()
    except OSError:
        return b""


def port(machine: Machine, wanted: int | None = None) -> Finding:
    """Look whether the port that JupyterLab wants is free, and if not, whether a Jupyter server has it."""
    wanted = wanted or int(machine.environ.get("JUPYTER_PORT") or PORT)
    reason = why_not_free(wanted)
    if reason is None:
        return Finding("port", "ok", f"{wanted} is free")
    if reason != errno.EADDRINUSE:
        return Finding("port", "warning", f"{wanted} may not be used: {os.strerror(reason)}", other_port(machine, 8899))
    version = jupyter_version(wanted)
    if version:
        return Finding("port", "ok", f"{wanted} belongs to a Jupyter server that runs already ({version})")
    return Finding("port", "warning", f"{wanted} belongs to another program", other_port(machine, wanted + 1))


def other_port(machine: Machine, number: int) -> str:
    """Return how to start JupyterLab on the port `number`."""
    return (f"{machine.python} -m course lab -- --port {number}; with Docker: docker run --publish "
            f"127.0.0.1:{number}:8888 ...")  # fmt: skip


def why_not_free(number: int) -> int | None:
    """Return the number of the error at taking the port on this computer, None where it is free; it is given back."""
    with socket.socket() as trial:
        if os.name == "nt":
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # A port that was given back a moment ago is free, and Jupyter sees it so, too.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", number))
        except OSError as error:
            in_use = error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE))
            return errno.EADDRINUSE if in_use else error.errno
        except OverflowError:
            return errno.EINVAL
    return None


def jupyter_version(number: int) -> str | None:
    """Return the version of the Jupyter server on a port of this computer, None where it is none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{number}/api", timeout=1) as page:
            return str(json.loads(page.read(1000))["version"])
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return None
