"""What ``python3 -m course`` can do: ``lab``, ``test``, ``setup``, ``refresh``, ``site``, ``badges`` and ``rename``.

Standard library only.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from course import badges, environment, renaming, testing
from course.preflight import SetupError
from course.requirements import check_here

ROOT = Path(__file__).resolve().parent.parent

DESCRIPTION = """Set up the course (once; a later call starts at once) and open or test it."""

EPILOG = """examples:
  python3 -m course lab                             open JupyterLab at the notebooks
  python3 -m course lab --no-browser -- --port 9999 what JupyterLab itself understands, after --
  python3 -m course test                            run every test and every notebook
  python3 -m course test tests/test_launcher.py -x  run what pytest is told to run
  python3 -m course lab --here                      use this Python's own packages (conda, Docker, Colab)
  python3 -m course rename ada/toxic-comments       make all links lead to your copy of the course on GitHub

On Windows, write py instead of python3."""

HERE_HELP = "use the packages of the Python that runs this command, and make no .venv (conda, Docker, Colab, Binder)"


def make_parser() -> argparse.ArgumentParser:
    """Return the command line's parser; what it does not know goes on to Jupyter, pytest or the refresh."""
    parser = argparse.ArgumentParser(
        prog="python3 -m course",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary, rest in [
        ("lab", "open JupyterLab at the notebooks", "Other options (--no-browser, --port 9999) go to JupyterLab."),
        ("test", "run all tests, and all notebooks", "Paths and options (-k WORD, -x, a file) go to pytest."),
        ("setup", "do nothing else", "Useful before a journey without a network."),
        ("refresh", "run notebooks again and keep their new outputs", "Other arguments go to course.refresh."),
        ("site", "build the site", "Other options (--serve, --output FOLDER) go to course.site."),
    ]:
        command = commands.add_parser(name, help=summary, description=f"Set up, then {summary}. {rest}",
                                      allow_abbrev=False)  # fmt: skip
        command.add_argument("--here", action="store_true", help=HERE_HELP)
    text = "write the links to Colab, Binder and the download into notebooks and README.md"
    commands.add_parser("badges", help=text, description=f"{text.capitalize()}.", allow_abbrev=False)
    text = "make another repository on GitHub the home of the course"
    command = commands.add_parser("rename", help=text, description=f"{text.capitalize()}, wherever its name stands.",
                                  allow_abbrev=False)  # fmt: skip
    command.add_argument("repository", metavar="OWNER/REPO", help="for example ada/toxic-comments")
    return parser


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return the launcher's own options, and the arguments for the program that it starts."""
    arguments = list(arguments)
    split = arguments.index("--") if "--" in arguments else len(arguments)
    parser = make_parser()
    options, others = parser.parse_known_args(arguments[:split])
    if others and options.command in ("badges", "rename"):  # they start no program
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    return options, others + arguments[split + 1 :]


def lab_command(root: Path, arguments: Sequence[str]) -> list[str]:
    """Return JupyterLab's module and arguments: the files of `root`, opened at its notebooks."""
    return [
        "jupyterlab",
        f"--ServerApp.root_dir={root}",
        "--LabApp.default_url=/lab/tree/notebooks",
        # No question about news at the first start, and no look at the internet for a newer version.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *arguments,
    ]


def child_environment(python: Path, command: str) -> dict[str, str]:
    """Return the environment variables for a program that runs in the Python `python`."""
    variables = dict(os.environ)
    # So that `!python` and `!pip` in a notebook, and JupyterLab's terminals, mean the course's Python.
    variables["PATH"] = os.pathsep.join([str(python.parent), variables.get("PATH", "")])
    variables["JUPYTER_PREFER_ENV_PATH"] = "1"
    if (python.parent.parent / "pyvenv.cfg").is_file():
        variables["VIRTUAL_ENV"] = str(python.parent.parent)
        variables.pop("PYTHONHOME", None)
    if command == "test":
        variables.update(testing.VARIABLES)
    return variables


def run(command: Sequence[str], root: Path, variables: Mapping[str, str]) -> int:
    """Run `command` until it ends, and return its exit code.

    Ctrl-C reaches the child too, and the child knows best how to stop (JupyterLab asks first), so it is not passed on
    and the launcher goes on waiting. A request to terminate reaches the launcher alone, so that is passed on.
    """
    with subprocess.Popen(list(command), cwd=root, env=dict(variables)) as child:
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        while True:
            try:
                code = child.wait()
            except KeyboardInterrupt:
                continue
            return code if code >= 0 else 128 - code  # as a shell reports a child that a signal ended


def write_links(options: argparse.Namespace, root: Path) -> int:
    """Write the launch links, after a change of the course's home where one is asked for; say which files changed."""
    if options.command == "rename":
        old, changed = badges.read_repository(root), renaming.rename(root, options.repository)
        print(f"The home of the course was {old} and is {options.repository}.")
    else:
        changed = badges.write_badges(root)
    print("\n".join(["Changed:", *(f"  {name}" for name in changed)]) if changed else "Nothing had to be changed.")
    if changed and options.command == "rename":
        print("Commit and push these: Colab and Binder open what lies on GitHub, in the branch main.")
    return 0


def start(options: argparse.Namespace, others: Sequence[str], root: Path) -> int:
    """Set up what `options` asks for, then run its program; return the exit code."""
    if options.here:
        check_here(root)
        python = Path(sys.executable)
    else:
        python = environment.set_up(root)
    if options.command == "setup":
        print("The course is set up.")
        return 0
    modules = {
        "lab": lab_command(root, others),
        "test": ["pytest", *testing.pytest_arguments(others)],
        "refresh": ["course.refresh", *others],
        "site": ["course.site", *others],
    }
    command = [str(python), "-m", *modules[options.command]]
    return run(command, root, child_environment(python, options.command))


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Run the launcher with the command line `arguments` for the course in the folder `root`; return the exit code."""
    options, others = parse(arguments)
    if options.command is None:
        make_parser().print_help()
        return 0
    try:
        if options.command in ("badges", "rename"):
            return write_links(options, root)
        return start(options, others, root)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again, and the set-up will be finished.", file=sys.stderr)
        return 130
