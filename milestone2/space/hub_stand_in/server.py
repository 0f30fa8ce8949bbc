"""The server: the real client library talks to it as if it were the Hub.

    with HubStandIn(Account("ada", "hf_secret")) as hub:
        hub.log_in("hf_secret", home)
        HfApi().create_repo("ada/demo", repo_type="space", space_sdk="static")
        subprocess.run([...], env=hub.environment(home, token="hf_secret"))
        assert hub.repository("ada/demo", "space").files["README.md"]

It speaks the plain large-file protocol (LFS) and not Xet, hence HF_HUB_DISABLE_XET in `environment`. The answers follow
what huggingface_hub 1.27 and 2.4 ask for and read; the refusals carry the headers by which it tells them apart.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from http.server import ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

from milestone2.space.hub_stand_in.answers import Handler
from milestone2.space.hub_stand_in.state import Account, Hub, Repository


class HubStandIn(Hub):
    """The server with all that it keeps; it answers from `start` to `stop`, or within a `with` statement.

    Parameters
    ----------
    accounts : Account
        Whoever has a token.
    """

    def __init__(self, *accounts: Account):
        super().__init__(list(accounts))
        self._login = ExitStack()

    def start(self) -> HubStandIn:
        handler = type("Handler", (Handler,), {"hub": self})
        # As on the Hub, large files lie on another host, to which the client must not send its token.
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
        self.endpoint, self.storage = (f"http://127.0.0.1:{server.server_port}" for server in self._servers)
        self._threads = [threading.Thread(target=it.serve_forever, args=(0.05,), daemon=True) for it in self._servers]
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """End the server, and a login of this process with it."""
        self.log_out()
        for server, thread in zip(self._servers, self._threads):
            server.shutdown()
            server.server_close()
            thread.join()

    def __enter__(self) -> HubStandIn:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def repository(self, name: str, kind: str = "model") -> Repository:
        return self.repositories[kind, name]

    def log_in(self, token: str | None, home: Path) -> None:
        """Let this very process, and those it starts, see this Hub with this login and no other one, until `log_out`.

        The client library reads the variables of `environment` when it is imported, hence its constants.
        """
        from huggingface_hub import constants

        self.log_out()
        addresses = self.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        self._login.enter_context(patch.dict(os.environ, self.environment(home, token), clear=True))
        self._login.enter_context(
            patch.multiple(
                constants,
                ENDPOINT=self.endpoint,
                HUGGINGFACE_CO_URL_TEMPLATE=addresses,
                HF_HUB_OFFLINE=False,
                HF_HUB_DISABLE_XET=True,
                HF_TOKEN_PATH=str(home / "token"),
            )
        )

    def log_out(self) -> None:
        """Give this process back the Hub and the login that it had before."""
        self._login.close()

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
