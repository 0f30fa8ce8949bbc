"""Say hello, and from where: which Python, on which system, as which user, on which machine."""

import getpass
import os
import platform


def system() -> str:
    """Name of the operating system; on Linux, of the distribution."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:  # not a Linux
        return f"{platform.system()} {platform.release()}"


def user() -> str:
    """Name of the user, or the number where a container runs with one that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"number {os.getuid()}"


def in_container() -> bool:
    """Whether Docker, Podman or Buildah left its mark: each puts a small file into its containers."""
    return any(os.path.exists(mark) for mark in ("/.dockerenv", "/run/.containerenv"))


if __name__ == "__main__":
    print("Hello, world!")
    print("Python:   ", platform.python_version())
    print("system:   ", system())
    print("user:     ", user())
    print("host name:", platform.node())
    print("container:", "yes" if in_container() else "no sign of one")
