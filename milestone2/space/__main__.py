"""The command line: `python -m milestone2.space build ...` and `python -m milestone2.space publish ...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EPILOG = """examples:
  python -m milestone2.space build --model toxicity --kind static --output my-space
  python -m http.server --bind 127.0.0.1 --directory my-space      (look at it before anyone else does)
  hf auth login
  python -m milestone2.space publish --folder my-space --space ada/toxic-comments

A static Space is free: the model runs in the visitor's browser, and no text leaves it. A docker Space runs the
Streamlit app on a computer of the Hub's, which takes a paid plan. `publish` takes the login of `hf auth login` or of
the variable HF_TOKEN; a token is never an argument, because arguments are kept in the shell's history."""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m milestone2.space",
        description="Build the app as a folder for a Hugging Face Space, and publish it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="write a folder with all that the Space needs")
    models = "toxicity (default), sentiment, a Hub id or a checkpoint folder"
    build.add_argument("--model", default="toxicity", help=models)
    kinds = "static: in the browser, free (default); docker: Streamlit"
    build.add_argument("--kind", choices=("static", "docker"), default="static", help=kinds)
    build.add_argument("--output", type=Path, required=True, help="the folder; an earlier build in it is replaced")
    build.add_argument("--title", help="name on the Space's page (default: made from the model's)")
    publish = commands.add_parser("publish", help="upload a built folder; the same command again updates the Space")
    publish.add_argument("--folder", type=Path, required=True, help="what build wrote")
    names = "your user name (or an organisation's), and a name for the Space"
    publish.add_argument("--space", required=True, metavar="OWNER/NAME", help=names)
    publish.add_argument("--private", action="store_true", help="a new Space that only you can see")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    options = build_parser().parse_args(arguments)
    try:
        if options.command == "build":
            from milestone2.space.build import build

            folder = build(options.model, options.kind, options.output, options.title)
            print(f"Built in {folder}. Publish it with:")
            print(f"  python -m milestone2.space publish --folder {folder} --space OWNER/NAME")
        else:
            from milestone2.space.publish import publish

            address = publish(options.folder, options.space, options.private)
            print(f"Published: {address}")
    except (OSError, ValueError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
