"""How the stand-in for the Hub (server.py) answers each request of the client library."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

from milestone2.space.hub_stand_in.state import (
    Account,
    Commit,
    Hub,
    Repository,
    Request,
    file_ids,
    is_large,
    new_repository,
    problems_of_card,
)

REPOSITORY = r"/api/(?P<kind>model|dataset|space)s/(?P<name>[^/]+/[^/]+)"
PAGE = r"/(?:(?P<kinds>datasets|spaces)/)?(?P<name>[^/]+/[^/]+)"


class Refused(Exception):
    """An answer other than success, with the Hub's error code and message headers."""

    def __init__(self, status: int, message: str, code: str | None = None, **extra):
        super().__init__(message)
        self.status, self.message, self.code, self.extra = status, message, code, extra


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        """Keep quiet: `hub.requests` has it all."""

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.account = next((account for account in self.hub.accounts if account.token == sent), None)
        user = self.account.name if self.account else None
        self.hub.requests.append(Request(self.command, unquote(path), user, self.headers.get("Range")))
        try:
            if sent and not self.account:
                raise Refused(401, "Invalid credentials in Authorization header")
            for method, pattern, answer in ROUTES:
                match = re.fullmatch(pattern, path)
                if match and self.command in method.split():
                    return answer(self, **{key: value and unquote(value) for key, value in match.groupdict().items()})
            raise Refused(404, "Sorry, we can't find the page you are looking for.")
        except Refused as refused:
            headers = {"X-Error-Message": refused.message, **({"X-Error-Code": refused.code} if refused.code else {})}
            self._send(refused.status, json.dumps({"error": refused.message, **refused.extra}).encode(), headers)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    def _send(self, status: int, content: bytes, headers: dict[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _json(self, value) -> None:
        self._send(200, json.dumps(value).encode(), {})

    # Who may do what

    def _readable(self, kind: str, name: str) -> Repository:
        found = self.hub.repositories.get((kind, name))
        if found and (not found.private or (self.account and self.account.may_write(kind, name))):
            return found
        # The Hub does not tell a private repository from a missing one, and without a token it asks for one.
        raise Refused(404 if self.account else 401, "Repository not found", "RepoNotFound")

    def _writable(self, kind: str, name: str) -> Repository:
        if not self.account:
            raise Refused(401, "Invalid username or password.")
        found = self._readable(kind, name)
        if not self.account.may_write(kind, name):
            raise Refused(403, f"Forbidden: you must have write access to {found.address}")
        return found

    def _revision(self, repository: Repository, revision: str) -> Commit:
        commit = repository.at(revision)
        if commit is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit

    # The parts of the API

    def whoami(self) -> None:
        if not self.account or self.account.only:
            raise Refused(401, "Invalid username or password.")
        token = {"type": "access_token", "accessToken": {"displayName": "test", "role": self.account.role}}
        groups = [{"type": "org", "name": name, "roleInOrg": "write"} for name in self.account.organisations]
        person = {"type": "user", "name": self.account.name, "isPro": self.account.paid}
        self._json({**person, "orgs": groups, "auth": token})

    def exchange(self) -> None:
        asked = json.loads(self.body)
        if self.hub.trusted.get(asked["subject_token"]) != asked["resource"]:
            raise Refused(400, "No matching trusted publisher", error_description="invalid_grant")
        account = Account("github-actions", "hf_jwt_" + hashlib.sha1(self.body).hexdigest(), only=asked["resource"])
        self.hub.accounts.append(account)
        self._json({"access_token": account.token, "token_type": "bearer", "expires_in": 3600})

    def create(self) -> None:
        asked = json.loads(self.body)
        kind, sdk = asked.get("type") or "model", asked.get("sdk")
        if not self.account or self.account.only:
            raise Refused(401, "Invalid username or password.")
        name = f"{asked.get('organization') or self.account.name}/{asked['name']}"
        address = self.hub.endpoint + "/" + Repository(kind, name, False, []).address
        if not self.account.may_own(name):
            owner = name.split("/")[0]
            raise Refused(403, f'You don\'t have the rights to create a {kind} under the namespace "{owner}"')
        if sdk in ("docker", "gradio") and not self.account.paid:
            raise Refused(402, "Payment required: subscribe to PRO to create this Space")
        if (kind, name) in self.hub.repositories:
            raise Refused(409, f"You already created this {kind} repo: {name}", url=address)
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        self.hub.repositories[kind, name] = new_repository(kind, name, private, sdk, self.account.name)
        self._json({"url": address, "name": name})

    def delete(self) -> None:
        asked = json.loads(self.body)
        kind, name = asked.get("type") or "model", f"{asked.get('organization')}/{asked['name']}"
        self._writable(kind, name)
        del self.hub.repositories[kind, name]
        self._json({})

    def settings(self, kind: str, name: str) -> None:
        repository = self._writable(kind, name)
        asked = json.loads(self.body)
        if "visibility" in asked:
            asked["private"] = asked["visibility"] == "private"
        repository.private = bool(asked.get("private", repository.private))
        repository.gated = bool(asked.get("gated", repository.gated))
        self._json({"private": repository.private})

    def info(self, kind: str, name: str, revision: str = "main") -> None:
        repository = self._readable(kind, name)
        commit = self._revision(repository, revision or "main")
        answer = {"id": name, "author": name.split("/")[0], "sha": commit.oid, "lastModified": commit.date, "tags": []}
        state = {"private": repository.private, "gated": "manual" if repository.gated else False, "sdk": repository.sdk}
        self._json({**answer, **state, "siblings": [{"rfilename": path} for path in sorted(commit.files)]})

    def tree(self, kind: str, name: str, revision: str, folder: str | None = None) -> None:
        files = self._revision(self._readable(kind, name), revision).files
        start = f"{folder}/" if folder else ""
        self._json([file_ids(path, files[path]) for path in sorted(files) if path.startswith(start)])

    def commits(self, kind: str, name: str, revision: str) -> None:
        repository = self._readable(kind, name)
        self._revision(repository, revision)
        self._json([
            {"id": it.oid, "title": it.message, "message": "", "date": it.date, "authors": [{"user": it.author}]}
            for it in reversed(repository.commits)
        ])

    def refs(self, kind: str, name: str) -> None:
        newest = self._readable(kind, name).commits[-1].oid
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": newest}
        self._json({"branches": [main], "tags": [], "converts": []})

    def discussions(self, kind: str, name: str) -> None:
        found = self._readable(kind, name).discussions
        self._json({"discussions": found, "count": len(found), "start": 0})

    def paths_info(self, kind: str, name: str, revision: str) -> None:
        files = self._revision(self._readable(kind, name), revision).files
        asked = parse_qs(self.body.decode()).get("paths", [])
        self._json([file_ids(path, files[path]) for path in asked if path in files])

    def check_card(self) -> None:
        asked = json.loads(self.body)
        wrong = [{"message": text} for text in problems_of_card(asked["content"], asked["repoType"])]
        content = json.dumps({"errors": wrong, "warnings": []}).encode()
        self._send(400 if wrong else 200, content, {})

    def preupload(self, kind: str, name: str, revision: str) -> None:
        files = self._revision(self._writable(kind, name), revision).files
        answers = []
        for asked in json.loads(self.body)["files"]:
            path, mode = asked["path"], "lfs" if is_large(asked["path"], asked["size"]) else "regular"
            entry = file_ids(path, files[path]) if path in files else {}
            oid = entry.get("lfs", entry).get("oid")
            answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self._json({"files": answers})

    def large_batch(self, name: str, kinds: str | None = None) -> None:
        self._writable(kinds[:-1] if kinds else "model", name)
        answers = []
        for asked in json.loads(self.body)["objects"]:
            action = {"actions": {"upload": {"href": f"{self.hub.storage}/large-files/{asked['oid']}"}}}
            answers.append({**asked, **({} if asked["oid"] in self.hub.large_files else action)})
        self._json({"transfer": "basic", "objects": answers})

    def store_large(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Refused(400, "The content does not have this checksum.")
        self.hub.large_files[oid] = self.body
        self._send(200, b"", {})

    def commit(self, kind: str, name: str, revision: str) -> None:
        repository = self._writable(kind, name)
        files = dict(self._revision(repository, revision).files)
        header, *changes = (json.loads(line) for line in self.body.splitlines())
        if header["value"].get("parentCommit") not in (None, repository.commits[-1].oid):
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        for change in changes:
            self._apply(change["key"], change["value"], files)
        made = repository.commit(files, header["value"]["summary"], self.account.name)
        url = f"{self.hub.endpoint}/{repository.address}/commit/{made.oid}"
        self._json({"success": True, "commitOid": made.oid, "commitUrl": url})

    def _apply(self, key: str, value: dict, files: dict[str, bytes]) -> None:
        path = value["path"]
        if key == "file":
            files[path] = base64.b64decode(value["content"])
            if is_large(path, len(files[path])):
                raise Refused(400, f"Your push was rejected because {path} must be uploaded by LFS.")
        elif key == "lfsFile":
            if value["oid"] not in self.hub.large_files:
                raise Refused(400, f"LFS pointer pointed to a file that does not exist: {path}")
            files[path] = self.hub.large_files[value["oid"]]
        else:
            folder = path.rstrip("/") + "/" if key == "deletedFolder" else "\0"
            gone = [name for name in files if name == path or name.startswith(folder)]
            if not gone:
                raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
            for name in gone:
                del files[name]

    def resolve(self, name: str, revision: str, path: str, kinds: str | None = None) -> None:
        repository = self._readable(kinds[:-1] if kinds else "model", name)
        person = self.account
        allowed = person and (person.name in repository.readers or person.may_write(repository.kind, name))
        if repository.gated and not allowed:
            raise Refused(403 if self.account else 401, f"Access to {name} is restricted.", "GatedRepo")
        commit = self._revision(repository, revision)
        if path not in commit.files:
            raise Refused(404, "Entry not found", "EntryNotFound")
        content, entry = commit.files[path], file_ids(path, commit.files[path])
        headers = {"X-Repo-Commit": commit.oid, "ETag": f'"{entry["oid"]}"', "Accept-Ranges": "bytes"}
        if "lfs" in entry:
            oid = entry["lfs"]["oid"]
            linked = {"X-Linked-ETag": f'"{oid}"', "X-Linked-Size": str(len(content))}
            self.hub.large_files[oid] = content
            return self._send(302, b"", {**headers, **linked, "Location": f"{self.hub.storage}/large-files/{oid}"})
        self._download(content, headers)

    def fetch_large(self, oid: str) -> None:
        self._download(self.hub.large_files[oid], {"ETag": f'"{oid}"', "Accept-Ranges": "bytes"})

    def _download(self, content: bytes, headers: dict[str, str]) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        status, part = 200, content
        if asked:
            start, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
            status, part = 206, content[start : end + 1]
            headers = {**headers, "Content-Range": f"bytes {start}-{end}/{len(content)}"}
        cut = None
        if self.command == "GET" and "/large-files/" in self.path:
            cut, self.hub.cut_after = self.hub.cut_after, None
        self.close_connection = cut is not None
        self._send(status, part[:cut], {"Content-Type": "application/octet-stream", **headers}, len(part))


ROUTES = [
    ("GET", "/api/whoami-v2", Handler.whoami),
    ("POST", "/oauth/token", Handler.exchange),
    ("POST", "/api/validate-yaml", Handler.check_card),
    ("POST", "/api/repos/create", Handler.create),
    ("DELETE", "/api/repos/delete", Handler.delete),
    ("PUT", REPOSITORY + "/settings", Handler.settings),
    ("GET", REPOSITORY + "(?:/revision/(?P<revision>[^/]+))?", Handler.info),
    ("GET", REPOSITORY + "/tree/(?P<revision>[^/]+)(?:/(?P<folder>.+))?", Handler.tree),
    ("GET", REPOSITORY + "/commits/(?P<revision>[^/]+)", Handler.commits),
    ("GET", REPOSITORY + "/refs", Handler.refs),
    ("GET", REPOSITORY + "/discussions", Handler.discussions),
    ("POST", REPOSITORY + "/paths-info/(?P<revision>[^/]+)", Handler.paths_info),
    ("POST", REPOSITORY + "/preupload/(?P<revision>[^/]+)", Handler.preupload),
    ("POST", REPOSITORY + "/commit/(?P<revision>[^/]+)", Handler.commit),
    ("POST", PAGE + r"\.git/info/lfs/objects/batch", Handler.large_batch),
    ("PUT", "/large-files/(?P<oid>[0-9a-f]{64})", Handler.store_large),
    ("GET HEAD", "/large-files/(?P<oid>[0-9a-f]{64})", Handler.fetch_large),
    ("GET HEAD", PAGE + "/resolve/(?P<revision>[^/]+)/(?P<path>.+)", Handler.resolve),
]
