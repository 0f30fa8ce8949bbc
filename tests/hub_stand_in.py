"""A stand-in for the Hugging Face Hub: a real server on this machine, which the real client library talks to.

    with HubStandIn(Account("ada", "hf_secret")) as hub:
        HfApi(endpoint=hub.endpoint, token="hf_secret").create_repo("ada/demo", repo_type="space", space_sdk="static")
        subprocess.run([...], env=hub.environment(home, token="hf_secret"))
        assert hub.repository("ada/demo", "space").files["README.md"]

It speaks the plain large-file protocol (LFS) and not Xet, hence HF_HUB_DISABLE_XET in `environment`. The answers follow
what huggingface_hub 1.27 and 2.4 ask for and read; the refusals carry the headers by which it tells them apart.
"""

from __future__ import annotations

import os
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from hub_stand_in_answers import Handler
from hub_stand_in_state import Account, Repository, Request

__all__ = ["Account", "HubStandIn"]


class HubStandIn:
    """The server and all it holds.

    Attributes
    ----------
    accounts : list of Account
        Whoever has a token.
    trusted : dict
        Identity token of a workflow -> the repository that it may be exchanged for, such as "spaces/ada/demo".
    cut_after : int or None
        Break off the next download of a large file after this many bytes.
    requests : list of Request
    """

    def __init__(self, *accounts: Account):
        self.accounts = list(accounts)
        self.trusted: dict[str, str] = {}
        self.cut_after: int | None = None
        self.requests: list[Request] = []
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.large_files: dict[str, bytes] = {}

    def __enter__(self) -> HubStandIn:
        handler = type("Handler", (Handler,), {"hub": self})
        # As on the Hub, large files lie on another host, to which the client must not send its token.
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
        self._threads = [threading.Thread(target=it.serve_forever, args=(0.05,), daemon=True) for it in self._servers]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        for server, thread in zip(self._servers, self._threads):
            server.shutdown()
            server.server_close()
            thread.join()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    @property
    def storage(self) -> str:
        """Address of the host of large files."""
        return f"http://127.0.0.1:{self._servers[1].server_port}"

    def repository(self, name: str, kind: str = "model") -> Repository:
        return self.repositories[kind, name]

    def log_in(self, monkeypatch: pytest.MonkeyPatch, home: Path, token: str | None = None) -> None:
        """Let this very process see this Hub, with this login and no other one.

        The client library reads the variables of `environment` when it is imported, hence its constants.
        """
        from huggingface_hub import constants

        addresses = self.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        chosen = {"ENDPOINT": self.endpoint, "HUGGINGFACE_CO_URL_TEMPLATE": addresses, "HF_HUB_OFFLINE": False}
        for name, value in {**chosen, "HF_HUB_DISABLE_XET": True, "HF_TOKEN_PATH": str(home / "token")}.items():
            monkeypatch.setattr(constants, name, value)
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        if token:
            monkeypatch.setenv("HF_TOKEN", token)

    def environment(self, home: Path, token: str | None = None, **variables: str) -> dict[str, str]:
        """Variables for a process that shall see this Hub, with this login and no other one."""
        foreign = ("HF_", "HUGGING", "TRANSFORMERS_OFFLINE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        own = {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
        }
        return {**kept, **own, **({"HF_TOKEN": token} if token else {}), **variables}
