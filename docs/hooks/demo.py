"""Hook: the live demo, which is milestone 2's page with the shipped models, at the address demo/app/.

The home page shows what the first of them says of one comment, computed anew with the model.
"""

from __future__ import annotations

import html
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from project import ROOT, add_files, key_of, made_once

PACKAGE = ROOT / "milestone2"
# This one also in full precision, 91 MB that are downloaded only by who asks for them; the site stays small enough.
FULL_PRECISION = "toxicity"
SPECIMEN = "You are an idiot and nobody wants you here."
SPECIMEN_PLACE = "<!-- specimen -->"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page; the models' names and where they come from are in mkdocs.yml, `extra.demo`."""
    add_files(files, config, demo_folder(config.extra["demo"]), "demo/app")
    return files


def demo_folder(models: dict[str, str]) -> Path:
    """The page with its models, made anew when a model, or what makes or shows it, has changed."""
    with ThreadPoolExecutor() as pool:  # each is exported by a program of its own, so that two cores have work
        exports = dict(zip(models, pool.map(exported, models, models.values())))
    sources = [path for path in (*PACKAGE.glob("*.py"), PACKAGE / "space" / "page.py") if path.is_file()]
    sources += [path for path in (PACKAGE / "space" / "static").iterdir() if path.is_file()]
    key = key_of([*sources, *(path for folder in exports.values() for path in folder.rglob("*.json"))])
    keys = "-".join([key, *(folder.name[-6:] for folder in exports.values())])
    return made_once("demo", keys, lambda output: write_page(output, exports))


def write_page(output: Path, exports: dict[str, Path]) -> None:
    """Build the page; PyTorch, which it imports, takes seconds and is not wanted in every build."""
    from milestone2.space.page import build_page

    build_page(output, exports)


def exported(name: str, model: str) -> Path:
    """A model as ONNX."""
    folder = Path(model) if Path(model).is_dir() else PACKAGE / "models" / model
    makers = [PACKAGE / f"{each}.py" for each in ("export", "quantize", "classifier", "shipped", "base")]
    key = key_of([*makers, *(path for path in folder.glob("*") if path.is_file())])
    return made_once(f"model_{name}", key, lambda output: write_model(name, model, output))


def write_model(name: str, model: str, output: Path) -> None:
    """Write a model as ONNX.

    Raises
    ------
    PluginError
        If that fails.
    """
    command = [sys.executable, "-m", "milestone2.export", "--model", model, "--output", str(output)]
    if name == FULL_PRECISION:
        command.append("--full-precision")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise PluginError(f"The model {model!r} could not be exported. It says: {done.stderr.strip()[-300:]}")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write the first model's scores of a comment where a page asks for them."""
    if SPECIMEN_PLACE not in markdown:
        return markdown
    name, model = next(iter(config.extra["demo"].items()))
    folder = exported(name, model)
    kept = made_once("specimen", folder.name, lambda output: write_scores(folder, output)) / "scores.json"
    return markdown.replace(SPECIMEN_PLACE, specimen(json.loads(kept.read_text(encoding="utf-8"))))


def write_scores(model: Path, output: Path) -> None:
    """Score the specimen, and keep label, score and threshold."""
    from milestone2.onnx_classifier import OnnxClassifier

    classifier = OnnxClassifier(model)
    scores = classifier.score([SPECIMEN])[0].tolist()
    rows = list(zip(classifier.labels, scores, classifier.thresholds.tolist()))
    output.mkdir(parents=True)
    (output / "scores.json").write_text(json.dumps(rows), encoding="utf-8")


def specimen(rows: list[tuple[str, float, float]]) -> str:
    """A comment with a bar for each label, as HTML."""
    bars = []
    for label, score, threshold in rows:
        mark, kind = ("✓ ", "given") if score >= threshold else ("", "")
        bars.append(
            f'<li class="{kind}"><span class="name">{mark}{label.replace("_", " ")}</span>'
            f'<span class="track" aria-hidden="true"><i style="width: {100 * score:.0f}%"></i></span>'
            f'<span class="score">{score:.2f}</span></li>'
        )
    return (
        f'<div class="course-specimen"><blockquote>“{html.escape(SPECIMEN)}”</blockquote>'
        f'<ul class="course-bars">{"".join(bars)}</ul>'
        "<p>What the course’s model says of this comment. A ✓ stands where the score reaches the label’s threshold.</p>"
        "</div>"
    )
