"""The steps of notebook 1_2: each Docker command, what is typed after it, and what stands for it without an engine."""

from __future__ import annotations

from dataclasses import dataclass

IMAGE = "debian:bookworm"


@dataclass(frozen=True)
class Step:
    """A `docker` command and the `buildah` command that does the same without an engine.

    Attributes
    ----------
    command : str
        As it stands in the notebook.
    by : str
        What is recorded in its place.
    typed : tuple of str
        Lines typed into the container.
    first : str
        A `buildah` command that has to come before, and whose output is not kept.
    """

    command: str
    by: str
    typed: tuple[str, ...] = ()
    first: str = ""


INSTALL = "apt-get install --yes --no-install-recommends python3 python3-pip python3-venv"

STEPS = (
    Step(f"docker pull {IMAGE}", "buildah pull docker-archive:debian.tar"),
    Step("docker images", "buildah images"),
    Step(
        f"docker run -it --name first-box {IMAGE}",
        "buildah run first-box bash",
        ("whoami", "hostname", "head -n 1 /etc/os-release", "ls -C /", "python3 --version", "exit"),
        first=f"buildah from --name first-box {IMAGE}",
    ),
    Step("docker ps --all", "buildah containers"),
    Step("docker start -ai first-box", "buildah run first-box bash", ("apt-get update", "exit")),
    Step("docker start -ai first-box", "buildah run first-box bash", (INSTALL, "python3 --version", "exit")),
    Step("docker cp hello_world.py first-box:/", "buildah copy first-box hello_world.py /"),
    Step("docker start -ai first-box", "buildah run first-box bash", ("python3 hello_world.py", "exit")),
    Step("docker start -ai first-box", "buildah run first-box bash", ("pip install cowsay==6.1", "exit")),
    Step(
        "docker start -ai first-box",
        "buildah run first-box bash",
        (
            "python3 -m venv /venv",
            "/venv/bin/pip install cowsay==6.1",
            "/venv/bin/cowsay -t 'Hello from a container'",
            "exit",
        ),
    ),
    Step("docker commit first-box hello:by-hand", "buildah commit first-box hello:by-hand"),
    Step(
        "docker run --rm hello:by-hand python3 hello_world.py",
        "buildah run second-box python3 hello_world.py",
        first="buildah from --name second-box hello:by-hand",
    ),
    Step("docker build --tag hello:from-file .", "buildah build --layers --tag hello:from-file ."),
    Step(
        "docker run --rm hello:from-file",
        "buildah run third-box python3 hello_world.py",
        first="buildah from --name third-box hello:from-file",
    ),
    Step("docker images --filter reference=hello", "buildah images --filter reference=hello"),
    Step(
        "docker history --format '{{.CreatedBy}}' hello:by-hand",
        "buildah inspect --type image --format '{{range .OCIv1.History}}{{println .CreatedBy}}{{end}}' hello:by-hand",
    ),
    Step(
        "docker history --format '{{.CreatedBy}}' hello:from-file",
        "buildah inspect --type image --format '{{range .OCIv1.History}}{{println .CreatedBy}}{{end}}' hello:from-file",
    ),
    Step("docker rm first-box", "buildah rm first-box"),
)
