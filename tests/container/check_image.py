"""Check what an image is made of: `python3 check_image.py IMAGE.json FILES`.

The first is what `buildah inspect` says of it, the second where `buildah mount` shows its files.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

BYTES = 4_000_000_000  # the course promises less
SECRET = re.compile(r"(TOKEN|PASSWORD|PASSWD|SECRET|API_?KEY)\w*=|\bhf_[A-Za-z0-9]{20}", re.IGNORECASE)
# What holds secrets, or what only the making of an image needs.
UNWANTED = re.compile(r"\.git|\.env(\..*)?|\.netrc|\.pypirc|\.ssh|id_(rsa|ed25519)|\.venv.*")


def main(description: str, files: str) -> int:
    """Print what was found; returns 1 where something is not as it should be, otherwise 0."""
    image = json.loads(Path(description).read_text(encoding="utf-8"))
    problems = [*settings(image["Docker"]["config"]), *secrets(image), *places(Path(files))]
    size = size_of(Path(files))
    print(f"{size / 1e9:.2f} GB, user {image['Docker']['config']['User']}")
    if size >= BYTES:
        problems.append(f"{size / 1e9:.2f} GB are too much: less than {BYTES / 1e9:.0f} GB are promised")
    for problem in problems:
        print(f"wrong: {problem}", file=sys.stderr)
    return 1 if problems else 0


def settings(config: dict) -> Iterator[str]:
    """Give what would keep students, or Binder, from starting the image."""
    if config["User"] != "jovyan":
        yield f"it runs as {config['User'] or 'root'!r}, not as jovyan"
    if config["WorkingDir"] != "/home/jovyan/course":
        yield f"it starts in {config['WorkingDir']}"
    if config.get("Entrypoint"):
        yield f"the entry point {config['Entrypoint']} is in the way of Binder's own command"
    if list(config.get("ExposedPorts") or {}) != ["8888/tcp"]:
        yield f"its ports are {config.get('ExposedPorts')}"
    if not config.get("Healthcheck"):
        yield "it has no health check"


def secrets(image: dict) -> Iterator[str]:
    """Give each line of the history, and each setting, that looks like a secret, or tells of the build's network."""
    config, history = image["Docker"]["config"], image["OCIv1"]["history"]
    lines = [entry.get("created_by", "") for entry in history]
    for line in [*lines, *config["Env"], *map("=".join, (config.get("Labels") or {}).items())]:
        if SECRET.search(line) or "PIP_" in line:
            yield f"a secret, or a setting of the build, in: {line}"


def places(files: Path) -> Iterator[str]:
    """Give what must not be in the image, and what in its user's folders belongs to somebody else."""
    users = [line.split(":") for line in (files / "etc/passwd").read_text(encoding="utf-8").splitlines()]
    (user,) = [user for user in users if user[0] == "jovyan"]
    if user[2] != "1000" or user[5] != "/home/jovyan":
        yield f"jovyan is {user}"
    for top in ("home/jovyan", "opt/course"):
        for folder, folders, names in os.walk(files / top):
            for path in (Path(folder, name) for name in [".", *folders, *names]):
                if path.lstat().st_uid != 1000:
                    yield f"{path} belongs to user {path.lstat().st_uid}"
                if UNWANTED.fullmatch(path.name):
                    yield f"{path} does not belong into an image"
    for unwanted in ("home/jovyan/.cache/pip", "root/.cache/pip"):
        if (files / unwanted).exists():
            yield f"pip's downloads are in the image: {unwanted}"
    settings_of_pip = files / "etc/pip.conf"
    if settings_of_pip.exists() and settings_of_pip.read_text():
        yield "the build's settings of pip are in the image"


def size_of(files: Path) -> int:
    """Bytes of all files, each counted once."""
    found = {}
    for folder, _, names in os.walk(files):
        for name in names:
            about = Path(folder, name).lstat()
            if stat.S_ISREG(about.st_mode):
                found[about.st_ino] = about.st_size
    return sum(found.values())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
