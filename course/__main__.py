"""The course's launcher: ``python3 -m course lab`` (on Windows ``py -m course lab``).

This file has to be readable by any Python, however old: it tells an old one what is wrong. So no syntax here that is
newer than Python 3.6, and everything else is imported only after the check.
"""

import sys

OLDEST_PYTHON = (3, 11)  # the same as requires-python in pyproject.toml; a test compares them


def too_old(version):
    """Return what to tell someone whose Python is too old, or None where it is new enough."""
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return None
    return (
        "The course needs Python {0}.{1} or newer, and this is Python {2}.{3}: install a newer one from "
        "https://www.python.org/downloads/ and run the same command with it, for example python{0}.{1} -m course lab."
    ).format(OLDEST_PYTHON[0], OLDEST_PYTHON[1], version[0], version[1])


def main():
    """Check the Python, then hand over to the launcher; return the exit code."""
    message = too_old(sys.version_info)
    if message:
        sys.stderr.write(message + "\n")
        return 1
    from course.launcher import main as launch

    return launch(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
