"""Record the steps of notebook 1_2 where no Docker engine runs: `python -m milestone1.record` (Debian, as root).

Buildah makes images and runs commands in them without an engine. No registry of images is needed either: the base is
made from Debian's own packages with debootstrap and given the name of Docker Hub's image, which is made the same way.
Needs `apt-get install buildah debootstrap`, and a network for packages; takes a few minutes.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from milestone1.container import HELLO_WORLD, RECORDINGS, session_script
from milestone1.steps import IMAGE, STEPS, Step

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
INSIDE = "/run/certificates.crt"
# As in Docker Hub's image: packages and lists of packages are not kept twice.
APT_SETTINGS = """APT::Keep-Downloaded-Packages "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""
# What may stand in a recording of the internet: Debian's packages and Docker Hub's name for its images.
HOSTS = ("deb.debian.org", "docker.io")


class Recorder:
    """Runs `buildah` commands with all their storage below the folder `work`."""

    def __init__(self, work: Path):
        self.work = work
        storage = ["--storage-driver", "vfs", "--root", str(work / "storage"), "--runroot", str(work / "run")]
        self.program = ["buildah", *storage]

    def run(self, command: str, typed: tuple[str, ...] = ()) -> str:
        """Run one `buildah` command in the folder of hello_world.py, and return what it printed.

        Raises
        ------
        RuntimeError
            If it fails.
        """
        name, *options = shlex.split(command)[1:]
        if name in ("run", "build"):
            options = ["--isolation", "chroot", *options]
        if name == "run":
            # The recording machine may reach PyPI through a proxy with a certificate of its own.
            options = ["--volume", f"{CERTIFICATES}:{INSIDE}:ro", "--env", f"PIP_CERT={INSIDE}", *options]
        options = [option.replace("debian.tar", str(self.work / "debian.tar")) for option in options]
        finished = subprocess.run(
            [*self.program, name, *options],
            input=session_script(typed).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=HELLO_WORLD,
        )
        output = finished.stdout.decode(errors="replace")
        if finished.returncode:
            raise RuntimeError(f"`{command}` ended with status {finished.returncode}:\n{output}")
        return output

    def make_base(self, rootfs: Path) -> None:
        """Make an image of the folder `rootfs`, as a file to pull from, and forget it again."""
        container = self.run("buildah from scratch").split()[-1]
        self.run(f"buildah copy {container} {shlex.quote(str(rootfs))} /")
        self.run(f"buildah config --cmd bash {container}")
        self.run(f"buildah commit --rm {container} docker.io/library/{IMAGE}")
        self.run(f"buildah push docker.io/library/{IMAGE} docker-archive:debian.tar:docker.io/library/{IMAGE}")
        self.run("buildah rmi --all")

    def record(self, step: Step) -> dict[str, object]:
        """Run one step and return what is kept of it."""
        if step.first:
            self.run(step.first)
        output = clean(self.run(step.by, step.typed))
        check(output, self.work)
        by = f"{step.first}; {step.by}" if step.first else step.by
        return {"command": step.command, "typed": list(step.typed), "by": by, "output": output}


def clean(output: str) -> str:
    """Keep of each line what a terminal would show in the end: programs write over their progress."""
    lines = [line.rstrip("\r").rsplit("\r", 1)[-1].expandtabs().rstrip() for line in output.split("\n")]
    return "\n".join(lines).strip("\n")


def check(output: str, work: Path) -> None:
    """Raise ValueError where a recording tells of the machine that it was made on, or of a failure of apt."""
    if re.search("^E: ", output, re.MULTILINE):
        raise ValueError(f"apt failed:\n{output}")
    addresses = set(re.findall(r"https?://([^/\s:]+)", output)) - set(HOSTS)
    private = [word for word in (str(work), tempfile.gettempdir() + "/", os.path.expanduser("~/.")) if word in output]
    if re.search(rf"@{re.escape(platform.node())}\b", output):
        private.append(platform.node())
    if addresses or private:
        raise ValueError(f"A recording must not hold {sorted(addresses) + private}:\n{output}")


def make_rootfs(folder: Path) -> Path:
    """Install a small Debian into a folder, and take out what was only downloaded for that, as Docker Hub's has it."""
    suite = IMAGE.partition(":")[2]
    subprocess.run(["debootstrap", "--variant=minbase", suite, str(folder), "http://deb.debian.org/debian"], check=True)
    for pattern in ("var/cache/apt/archives/*.deb", "var/lib/apt/lists/*", "var/log/*.log"):
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (folder / "etc/apt/apt.conf.d/99image").write_text(APT_SETTINGS, encoding="utf-8")
    return folder


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m milestone1.record", description=__doc__)
    parser.add_argument("--rootfs", type=Path, help="folder with a Debian made before; made new without")
    parser.add_argument("--output", type=Path, default=RECORDINGS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder))
        recorder.make_base(options.rootfs or make_rootfs(Path(folder) / "rootfs"))
        steps = []
        for step in STEPS:
            print(step.command, *step.typed, sep="\n    ", flush=True)
            steps.append(recorder.record(step))
    version = subprocess.run(["buildah", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    today = datetime.date.today()
    kept = {
        "date": f"{today.day} {today:%B %Y}",
        "with": f"buildah {version} in chroot isolation; {IMAGE} was made by debootstrap and pulled from a file",
        "steps": steps,
    }
    options.output.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
