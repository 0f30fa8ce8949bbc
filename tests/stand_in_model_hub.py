"""A Hugging Face Hub of a few models on this computer's loopback, for tests of downloads and of their refusals."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Repository:
    """Files at each revision, and the pull requests of the Hub's converter."""

    revisions: dict[str, dict[str, bytes]]
    gated: bool = False
    conversions: dict[int, str] = field(default_factory=dict)  # number of the pull request -> title


def read_files(folder: Path, *names: str) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names}


class _Hub(BaseHTTPRequestHandler):
    """The part of the Hub's interface that `huggingface_hub` uses to read models."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        self.server.asked.append(self.path)
        api = path[:2] == ["api", "models"]
        owner, name, *rest = path[2:] if api else [*path, "", ""]
        repository = self.server.repositories.get(f"{owner}/{name}")
        if repository is None:
            self._refuse(401, "RepoNotFound")
        elif api and rest[:1] == ["discussions"]:
            self._discussions(repository, f"{owner}/{name}")
        elif api:
            self._description(repository, f"{owner}/{name}", rest)
        elif repository.gated:
            self._refuse(401, "GatedRepo")
        else:
            self._file(repository, rest[1], "/".join(rest[2:]).strip("/"))

    do_HEAD = do_GET

    def _description(self, repository: Repository, name: str, rest: list[str]) -> None:
        revision = rest[1] if len(rest) > 1 else "main"
        commit = self._commit(repository, revision)
        if commit is None:
            self._refuse(404, "RevisionNotFound")
        elif rest[:1] == ["tree"]:
            files = repository.revisions[commit]
            self._json(
                [{"type": "file", "path": file, "size": len(data), "oid": _oid(data)} for file, data in files.items()]
            )
        else:
            files = repository.revisions[commit]
            self._json({"id": name, "sha": _sha(commit), "siblings": [{"rfilename": file} for file in files]})

    def _discussions(self, repository: Repository, name: str) -> None:
        found = [
            {
                "num": number,
                "title": title,
                "status": "open",
                "isPullRequest": True,
                "author": {"name": "SFconvertbot"},
                "createdAt": "2024-01-01T00:00:00.000Z",
                "repo": {"name": name, "type": "model"},
            }
            for number, title in repository.conversions.items()
        ]
        self._json({"discussions": found, "count": len(found), "start": 0})

    def _file(self, repository: Repository, revision: str, file: str) -> None:
        commit = self._commit(repository, revision)
        data = repository.revisions.get(commit, {}).get(file)
        if data is None:
            self._refuse(404, "EntryNotFound" if commit else "RevisionNotFound")
        else:
            self._send(200, data, {"ETag": f'"{_oid(data)}"', "X-Repo-Commit": _sha(commit)})

    @staticmethod
    def _commit(repository: Repository, revision: str) -> str | None:
        return next((name for name in repository.revisions if revision in (name, _sha(name))), None)

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": code})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(data))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass


def _sha(revision: str) -> str:
    """The commit that a revision's name stands for; a name of 40 digits stands for itself."""
    return revision if len(revision) == 40 else hashlib.sha1(revision.encode()).hexdigest()


def _oid(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@contextmanager
def stand_in_hub(repositories: dict[str, Repository]):
    """Serve models; gives the address and the list of what was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    server.repositories, server.asked = repositories, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
