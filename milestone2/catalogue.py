"""The models that the apps offer: shipped with the course, well-known ones from the Hub, and the student's own."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course import runs_folder
from milestone2.hub import cached_weights, has_weights, why_unreachable
from milestone2.shipped import ADAPTER_FILES, SHIPPED, adapter_folder

HUB_ADDRESS = "https://huggingface.co/"
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
TOXICITY_LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


@dataclass(frozen=True)
class Entry:
    """What a person wants to know before choosing a model.

    Attributes
    ----------
    name : str
        For `load_classifier`.
    title, description : str
        For people.
    labels : tuple of str
    size_mb : int
        Megabytes of its files on the disk.
    licence : str
        SPDX identifier where there is one.
    source : str
        Where it comes from.
    revision : str, optional
        Commit on the Hub.
    weights_revision : str, optional
        Where the Hub keeps its own conversion to safetensors, for a model whose authors published only a pickle.
    """

    name: str
    title: str
    description: str
    labels: tuple[str, ...]
    size_mb: int
    licence: str
    source: str
    revision: str | None = None
    weights_revision: str | None = None

    @property
    def on_hub(self) -> bool:
        return self.source.startswith(HUB_ADDRESS)


SHIPPED_MODELS = (
    Entry(
        name="toxicity",
        title="Toxicity (this course)",
        description="Six kinds of toxicity in a comment, each with its own score. Trained on Wikipedia's discussions.",
        labels=TOXICITY_LABELS,
        size_mb=91,
        licence="MIT",
        source="shipped with the course: a LoRA adapter on sentence-transformers/all-MiniLM-L6-v2",
    ),
    Entry(
        name="sentiment",
        title="Sentiment (this course)",
        description="Whether a tweet is negative, neutral or positive. Trained on tweets.",
        labels=("negative", "neutral", "positive"),
        size_mb=91,
        licence="MIT",
        source="shipped with the course: a LoRA adapter on sentence-transformers/all-MiniLM-L6-v2",
    ),
)

HUB_MODELS = (
    Entry(
        name="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        title="DistilBERT SST-2 (film reviews)",
        description="Whether a sentence is negative or positive. Trained on film reviews; it knows no neutral.",
        labels=("negative", "positive"),
        size_mb=268,
        licence="Apache-2.0",
        source="https://huggingface.co/distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        revision="714eb0fa89d2f80546fda750413ed43d93601a13",
    ),
    Entry(
        name="cardiffnlp/twitter-roberta-base-sentiment-latest",
        title="Twitter-RoBERTa (tweets)",
        description="Whether a tweet is negative, neutral or positive. Pretrained on 124 million tweets.",
        labels=("negative", "neutral", "positive"),
        size_mb=502,
        licence="CC-BY-4.0",
        source="https://huggingface.co/cardiffnlp/twitter-roberta-base-sentiment-latest",
        revision="3216a57f2a0d9c45a2e6c20157c20c49fb4bf9c7",
        weights_revision="refs/pr/43",
    ),
    Entry(
        name="finiteautomata/bertweet-base-sentiment-analysis",
        title="BERTweet (tweets)",
        description="Whether a tweet is negative, neutral or positive. Trained on tweets; for research only.",
        labels=("negative", "neutral", "positive"),
        size_mb=544,
        licence="other (not for commercial use)",
        source="https://huggingface.co/finiteautomata/bertweet-base-sentiment-analysis",
        revision="924fc4c80bccb8003d21fe84dd92c7887717f245",
    ),
)


def catalogue(also: str | None = None) -> list[Entry]:
    """Every model that can be offered: shipped, the student's own, then the Hub's.

    Parameters
    ----------
    also : str, optional
        A Hub id (OWNER/NAME) to offer first, if it is not among them.
    """
    entries = [*SHIPPED_MODELS, *own_models(), *HUB_MODELS]
    if also and HUB_ID.fullmatch(also) and also not in {entry.name for entry in entries}:
        entries.insert(0, _unknown_hub_model(also))
    return entries


def _unknown_hub_model(name: str) -> Entry:
    return Entry(
        name=name,
        title=name,
        description="A model from the Hub, which the course knows nothing of. Its page says what it is for.",
        labels=(),
        size_mb=0,
        licence="see its page",
        source=HUB_ADDRESS + name,
    )


def find_entry(name: str) -> Entry | None:
    """The entry of a shipped or a Hub model."""
    return next((entry for entry in (*SHIPPED_MODELS, *HUB_MODELS) if entry.name == name), None)


def own_models() -> list[Entry]:
    """Finished checkpoints of milestone 3 on this computer.

    They are looked for in the folders of COURSE_MODELS (several are parted as in PATH), in the notebooks' folder of
    runs and in the working folder; each such folder may be a checkpoint itself or hold some.
    """
    named = [Path(part).expanduser() for part in os.environ.get("COURSE_MODELS", "").split(os.pathsep) if part]
    found: dict[Path, Entry] = {}
    for place in (*named, runs_folder(), Path.cwd()):
        for record in (place / "run.json", *sorted(place.glob("*/run.json"))):
            entry = _read_checkpoint(record.parent)
            if entry is not None:
                found.setdefault(record.parent.resolve(), entry)
    return list(found.values())


def _read_checkpoint(folder: Path) -> Entry | None:
    """The entry of a checkpoint folder; None if it is not one, or not finished."""
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        labels = tuple(config["id2label"][str(number)] for number in range(len(config["id2label"])))
        if not run["finished"] or not has_weights(folder):
            return None
        size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    base = (run.get("recipe") or {}).get("base")
    return Entry(
        name=str(folder.resolve()),
        title=f"{folder.resolve().name} (yours)",
        description=f"A model fine-tuned in milestone 3{f' from {base}' if base else ''}.",
        labels=labels,
        size_mb=round(size / 1e6),
        licence="yours to choose",
        source=folder.resolve().name,
    )


def why_unavailable(entries: Iterable[Entry]) -> dict[str, str]:
    """Which entries cannot be used now, and why, in one line each; asks the network once, for two seconds at most.

    Returns
    -------
    dict of str to str
        From the entry's name to the reason. Entries that can be used are not in it.
    """
    reasons = {}
    waiting = []
    for entry in entries:
        if entry.name in SHIPPED:
            if not all((adapter_folder(entry.name) / file).is_file() for file in ADAPTER_FILES):
                reasons[entry.name] = "its files are missing: install the course again"
        elif entry.on_hub and cached_weights(entry.name) is None:
            waiting.append(entry)
    reason = why_unreachable() if waiting else None
    return reasons | {entry.name: reason for entry in waiting if reason}
