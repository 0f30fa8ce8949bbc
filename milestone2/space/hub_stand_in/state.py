"""What the stand-in for the Hugging Face Hub keeps: accounts, repositories, commits, and who may do what."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import yaml

LARGE_FILE = 10_000_000  # bytes, as on the Hub
LARGE_SUFFIXES = (".safetensors", ".onnx", ".bin", ".wasm", ".pt", ".gz", ".zip")
SDKS = ("gradio", "docker", "static")
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")


@dataclass(frozen=True)
class Account:
    """Someone with a token. `only` makes it a token of a trusted publisher, which may write to one repository."""

    name: str
    token: str = field(repr=False)
    organisations: tuple[str, ...] = ()
    role: str = "write"
    paid: bool = False
    only: str | None = None

    def may_own(self, repository: str) -> bool:
        owners = (self.name, *self.organisations)
        return self.only is None and self.role == "write" and repository.split("/")[0] in owners

    def may_write(self, kind: str, repository: str) -> bool:
        prefix = "" if kind == "model" else f"{kind}s/"
        return self.only == prefix + repository if self.only else self.may_own(repository)


@dataclass(frozen=True)
class Request:
    """One request as it came in; `user` is None where no valid token was sent."""

    method: str
    path: str
    user: str | None
    range: str | None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Commit:
    """One state of a repository: every path with its bytes. `pinned` is an id that somebody relies on already."""

    message: str
    author: str
    files: dict[str, bytes]
    parent: str | None
    date: str = field(default_factory=_now)
    pinned: str | None = None

    @property
    def oid(self) -> str:
        if self.pinned:
            return self.pinned
        digest = hashlib.sha1(f"{self.parent} {self.message} {self.date}".encode())
        for path, content in sorted(self.files.items()):
            digest.update(path.encode() + b"\0" + hashlib.sha1(content).digest())
        return digest.hexdigest()


@dataclass
class Repository:
    """A model, dataset or Space.

    Attributes
    ----------
    commits : list of Commit
        The branch main, from the oldest to the newest.
    branches : dict
        Other revisions, such as "refs/pr/1" -> its newest commit.
    discussions : list of dict
        Discussions and pull requests, as the Hub lists them.
    readers : set of str
        Accounts that were let into a gated repository.
    """

    kind: str
    name: str
    private: bool
    commits: list[Commit]
    sdk: str | None = None
    gated: bool = False
    readers: set[str] = field(default_factory=set)
    branches: dict[str, Commit] = field(default_factory=dict)
    discussions: list[dict] = field(default_factory=list)

    @property
    def files(self) -> dict[str, bytes]:
        """The newest state."""
        return self.commits[-1].files

    @property
    def address(self) -> str:
        """Path of its page on the Hub."""
        return ("" if self.kind == "model" else f"{self.kind}s/") + self.name

    def at(self, revision: str) -> Commit | None:
        """The commit that a branch points to, or that has this id."""
        branches = {"main": self.commits[-1], **self.branches}
        known = {commit.oid: commit for commit in (*self.commits, *branches.values())}
        return branches.get(revision) or known.get(revision)

    def commit(self, files: dict[str, bytes], message: str, author: str) -> Commit:
        """Add a state; a Space takes over the SDK that its README names, as the Hub does."""
        self.commits.append(Commit(message, author, files, self.commits[-1].oid))
        named = re.search(rb"^sdk:\s*(\w+)", files.get("README.md", b""), re.MULTILINE)
        if self.kind == "space" and named:
            self.sdk = named[1].decode()
        return self.commits[-1]


@dataclass(eq=False)
class Hub:
    """All that the stand-in keeps, and the addresses of its two hosts.

    Attributes
    ----------
    accounts : list of Account
        Whoever has a token.
    trusted : dict
        Identity token of a workflow -> the repository that it may be exchanged for, such as "spaces/ada/demo".
    cut_after : int or None
        Break off the next download of a large file after this many bytes.
    requests : list of Request
        In the order in which they came.
    repositories : dict
        By kind and name.
    large_files : dict
        By checksum.
    endpoint, storage : str
        Address of the Hub, and of the host of its large files; empty before it first runs.
    """

    accounts: list[Account] = field(default_factory=list)
    trusted: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    requests: list[Request] = field(default_factory=list)
    repositories: dict[tuple[str, str], Repository] = field(default_factory=dict)
    large_files: dict[str, bytes] = field(default_factory=dict)
    endpoint: str = ""
    storage: str = ""


def new_repository(kind: str, name: str, private: bool, sdk: str | None, author: str) -> Repository:
    """A repository with the two files that the Hub puts into a new Space, or the one of others."""
    patterns = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LARGE_SUFFIXES)
    files = {".gitattributes": patterns.encode()}
    if sdk:
        files["README.md"] = f"---\ntitle: {name.split('/')[1]}\nsdk: {sdk}\n---\n".encode()
    return Repository(kind, name, private, [Commit("initial commit", author, files, None)], sdk)


def is_large(path: str, size: int) -> bool:
    """Whether the Hub wants a file by the large-file protocol (LFS)."""
    return size > 0 and (size >= LARGE_FILE or path.endswith(LARGE_SUFFIXES))


def file_ids(path: str, content: bytes) -> dict:
    """A file's entry in a listing: its git id, its size and, for a large one, its checksum."""
    entry = {"type": "file", "path": path, "size": len(content)}
    if not is_large(path, len(content)):
        return {**entry, "oid": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()}
    checksum = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{checksum}\nsize {len(content)}\n".encode()
    oid = hashlib.sha1(b"blob %d\0" % len(pointer) + pointer).hexdigest()
    return {**entry, "oid": oid, "lfs": {"oid": checksum, "size": len(content), "pointerSize": len(pointer)}}


def problems_of_card(text: str, kind: str) -> list[str]:
    """What the Hub would say against the front matter of a README."""
    match = re.match(r"---\r?\n(.*?)\r?\n---", text, re.DOTALL)
    try:
        card = yaml.safe_load(match[1]) if match else {}
    except yaml.YAMLError as error:
        return [f"the front matter is not YAML: {error}"]
    if kind != "space":
        return []
    wrong = [] if card.get("sdk") in SDKS else [f'"sdk" must be one of {SDKS}']
    for key in ("colorFrom", "colorTo"):
        wrong += [] if card.get(key, "red") in COLOURS else [f'"{key}" must be one of {COLOURS}']
    wrong += ['"app_port" must be a number'] if not isinstance(card.get("app_port", 1), int) else []
    wrong += ['"short_description" is too long'] if len(card.get("short_description", "")) > 60 else []
    wrong += ['"emoji" must be an emoji'] if card.get("emoji", "\N{ROCKET}").isascii() else []
    return wrong
