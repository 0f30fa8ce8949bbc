"""The site: `python3 -m course site` builds it into the folder `site`, `--serve` shows it while you write.

Its pages are in docs/ and notebooks/, its settings in mkdocs.yml; docs/hooks/ has what is special about it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "127.0.0.1:8000"
# MkDocs, without a checker of internationalized addresses that nbformat's validator loads where it can: its import
# compiles a grammar for four seconds, and no schema of notebooks asks for it.
MKDOCS = "import sys; sys.modules['rfc3987_syntax'] = None; from mkdocs.__main__ import cli; cli(prog_name='mkdocs')"


def make_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(prog="python3 -m course site", description="Build the course's site, or show it.")
    parser.add_argument("--serve", action="store_true", help="show it in the browser, anew whenever a file is saved")
    parser.add_argument("--address", default=ADDRESS, help=f"where --serve shows it (default: {ADDRESS})")
    parser.add_argument("--output", type=Path, default=ROOT / "site", help="the folder (default: site)")
    return parser


def mkdocs_arguments(options: argparse.Namespace) -> list[str]:
    """Return MkDocs' arguments: a build where each warning is a failure, or a server."""
    if options.serve:
        return ["serve", "--dev-addr", options.address, "--open"]
    return ["build", "--strict", "--site-dir", str(options.output.resolve())]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = make_parser().parse_args(arguments)
    # The theme warns of MkDocs 2, which pyproject.toml excludes.
    variables = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-c", MKDOCS, *mkdocs_arguments(options)]
    try:
        code = subprocess.run(command, cwd=ROOT, env=variables).returncode
    except KeyboardInterrupt:
        return 130
    if code == 0 and not options.serve:
        print(
            f"The site is in {options.output}. To read it: python3 -m http.server --bind 127.0.0.1 "
            f"--directory {options.output}"
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
