"""Build the page that runs models in the visitor's browser: a static Space, and the live demo of the site."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from course import mask
from milestone2.catalogue import SHIPPED_MODELS
from milestone2.classifier import MAX_LENGTH
from milestone2.examples import EXAMPLES, TWEETS
from milestone2.onnx_classifier import FULL_PRECISION_FILE, MODEL_FILE
from milestone2.whole_folder import written_whole

SOURCE = Path(__file__).parent / "static"
PAGE_FILES = ("index.html", "style.css", "icon.svg", "app.js", "engine.js", "view.js", "words.js", "worker.js")
RUNTIME_FILE = "vendor/ort-wasm-simd-threaded.wasm"
PRECISIONS = {"int8": MODEL_FILE, "float32": FULL_PRECISION_FILE}
NPM_SECONDS = 600
EXAMPLES_SHOWN = 5


def build_page(output: str | Path, models: dict[str, Path]) -> Path:
    """Write the page with everything it needs; it works from any folder of any web server.

    Parameters
    ----------
    output : str or Path
        The folder; an earlier page in it is replaced as a whole, once the new one is complete.
    models : dict of str to Path
        Exported models (`milestone2.export.export`) by the names that they get on the page; the first is chosen at the
        start.

    Returns
    -------
    Path
        `output`.

    Raises
    ------
    OSError
        If npm or a file is missing, npm cannot fetch the libraries, or `output` holds something else.
    ValueError
        If there is no model, or a name cannot be part of an address.
    """
    _require_models(models)
    with written_whole(Path(output), is_ours=lambda folder: (folder / "models.json").is_file()) as draft:
        for file in PAGE_FILES:
            shutil.copy(SOURCE / file, draft)
        fetch_libraries(draft / "vendor")
        for name, folder in models.items():
            _copy_model(Path(folder), draft / "models" / name)
        catalogue = {
            "runtime": _file(draft, RUNTIME_FILE),
            "models": [describe_model(draft, name) for name in models],
        }
        text = json.dumps(catalogue, ensure_ascii=False, indent=2) + "\n"
        (draft / "models.json").write_text(text, encoding="utf-8", newline="\n")
    return Path(output)


def describe_model(page: Path, name: str) -> dict:
    """What the page knows about a model before it downloads it."""
    folder = f"models/{name}"
    config = json.loads((page / folder / "config.json").read_text(encoding="utf-8"))
    labels = [label for _, label in sorted(config["id2label"].items(), key=lambda item: int(item[0]))]
    titles = {entry.name: entry.title for entry in SHIPPED_MODELS}
    files = [
        {"precision": precision, **_file(page, f"{folder}/{file}")}
        for precision, file in PRECISIONS.items()
        if (page / folder / file).is_file()
    ]
    multi_label = config["problem_type"] == "multi_label_classification"
    # Every seventh tweet, so that all three feelings are among them.
    texts = EXAMPLES[:EXAMPLES_SHOWN] if multi_label else [text for text, _ in TWEETS[::7]][:EXAMPLES_SHOWN]
    return {
        "name": name,
        "title": titles.get(name, name.replace("-", " ").replace("_", " ")),
        "labels": labels,
        "problem_type": config["problem_type"],
        "thresholds": config.get("thresholds") or {},
        "max_length": config.get("max_tokens") or MAX_LENGTH,
        "files": files,
        "tokenizer": _file(page, f"{folder}/tokenizer.json"),
        "tokenizer_config": _file(page, f"{folder}/tokenizer_config.json"),
        "examples": [{"shown": mask(text), "text": text} for text in texts],
    }


def fetch_libraries(folder: Path) -> None:
    """Put the JavaScript libraries that package-lock.json pins, and vendor.json chooses from, into a folder."""
    with tempfile.TemporaryDirectory(prefix="page-", ignore_cleanup_errors=True) as temporary:
        packages = install_packages(Path(temporary), "--omit=dev")
        folder.mkdir()
        for source, target in json.loads((SOURCE / "vendor.json").read_text(encoding="utf-8")).items():
            if not (packages / source).is_file():
                raise FileNotFoundError(f"vendor.json names {source}, but the packages of package-lock.json lack it.")
            shutil.copy(packages / source, folder / target)


def install_packages(folder: Path, *options: str) -> Path:
    """Install what package-lock.json pins, and return the `node_modules` folder.

    What npm has fetched before comes from its cache, so that a second build needs no network.

    Raises
    ------
    FileNotFoundError
        If npm is not installed.
    ConnectionError
        If npm fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(
            "The page's libraries come from npm, which is not installed. Install Node.js from https://nodejs.org first."
        )
    for file in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / file, folder)
    command = [npm, "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", *options]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=NPM_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ConnectionError(f"npm was not done after {NPM_SECONDS} seconds. Check the network.") from error
    if done.returncode:
        said = " ".join(re.findall(r"^npm (?:ERR!|error) (.+)", done.stderr, re.MULTILINE)[:3])
        raise ConnectionError(f"npm could not get the page's libraries ({said}). Check the network and try again.")
    return folder / "node_modules"


def _require_models(models: dict[str, Path]) -> None:
    if not models:
        raise ValueError("The page needs at least one model: build_page(output, {'toxicity': FOLDER}).")
    for name, folder in models.items():
        if not re.fullmatch(r"[\w-]+", name, re.ASCII):
            raise ValueError(f"{name!r} cannot be part of an address. Use letters, digits, - and _ for a model's name.")
        needed = ("config.json", "tokenizer.json", "tokenizer_config.json", MODEL_FILE)
        missing = [file for file in needed if not (Path(folder) / file).is_file()]
        if missing:
            raise FileNotFoundError(f"{folder} is not an exported model: it lacks {', '.join(missing)}.")


def _copy_model(source: Path, target: Path) -> None:
    (target / "onnx").mkdir(parents=True)
    for file in ("config.json", "tokenizer.json", "tokenizer_config.json", MODEL_FILE, FULL_PRECISION_FILE):
        if file != FULL_PRECISION_FILE or (source / file).is_file():
            shutil.copy(source / file, target / file)


def _file(page: Path, path: str) -> dict:
    """A file's path within the page, and its size, which the visitor is told before it is downloaded."""
    return {"path": path, "bytes": (page / path).stat().st_size}
