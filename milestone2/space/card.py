"""The README.md of a Space: the front matter that the Hub reads, and a page for people."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

from huggingface_hub import SpaceCardData

from milestone2.shipped import SHIPPED

_MINILM = "sentence-transformers/all-MiniLM-L6-v2"
_BASES = {"minilm": _MINILM, "bert": "google-bert/bert-base-uncased"}
_DESCRIPTIONS = {
    "static": "Score texts in your browser; they never leave it",
    "docker": "Score texts with a fine-tuned language model",
}


def write_card(folder: Path, model: str, name: str, kind: str, title: str | None = None) -> Path:
    """Write README.md.

    Parameters
    ----------
    folder : Path
        Of the Space.
    model : str
        What the user asked for: a catalogue name, a Hub id or a folder.
    name : str
        The model's folder within the Space.
    kind : str
        "static" or "docker".
    title : str, optional
        Shown on top of the Space and in lists.
    """
    models = base_of(model)
    header = SpaceCardData(
        title=title or f"{name.replace('-', ' ').capitalize()} classifier",
        emoji="\N{SPEECH BALLOON}",
        colorFrom="blue",
        colorTo="yellow",
        sdk=kind,
        app_port=8501 if kind == "docker" else None,
        pinned=False,
        license="mit",
        short_description=_DESCRIPTIONS[kind],
        models=[models] if models else None,
    )
    body = Template((Path(__file__).parent / f"README_{kind}.md").read_text(encoding="utf-8"))
    text = f"---\n{header.to_yaml()}\n---\n\n" + body.substitute(title=header.title, model=name)
    readme = folder / "README.md"
    readme.write_text(text, encoding="utf-8", newline="\n")
    return readme


def base_of(model: str) -> str | None:
    """Hub id of the model, or of the base that it was fine-tuned from; None if nothing says so."""
    if model in SHIPPED:
        return _MINILM
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return model
    try:
        base = json.loads((folder / "run.json").read_text(encoding="utf-8"))["recipe"]["base"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _BASES.get(base) or (base if base.count("/") == 1 and not Path(base).exists() else None)
