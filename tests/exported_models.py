"""A model of MiniLM's size, for tests of its export, in seconds and without training."""

from __future__ import annotations

from pathlib import Path

import torch
from tiny_models import SIX_LABELS, label_config
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from milestone2.base import minilm_folder
from milestone2.examples import EXAMPLES, TWEETS

THRESHOLDS = {label: threshold for label, threshold in zip(SIX_LABELS, (0.55, 0.45, 0.5, 0.3, 0.6, 0.35))}
UNUSUAL = (
    "",
    "   \n\t ",
    "😀😂 👩‍👩‍👧 great 👍🏽!!!",
    "naïve café, Łódź, Ünïcödé, straße, ﬁne",
    "你好世界。こんにちは 한국어",
    "مرحبا بالعالم שלום",
    "हिन्दी ไทย",
    "ΑΣ ΣΟΦΟΣ, ΟΔΟΣ",  # JavaScript and Rust lower-case the last sigma of a word differently
    "İstanbul ǅ 𝓯𝓪𝓷𝓬𝔂 ⓣⓔⓧⓣ",
    "zero\u200bwidth\ufeff and \x00 control \x07 characters",
    "half of a pair: \ud83d, and \ufffd",
    "[CLS] typed by hand [SEP] [MASK]",
    "don't—stop…“quoted” «x» http://example.org/?a=1&b=%20",
    "a" * 300,
    "Donaudampfschifffahrtsgesellschaftskapitän",
    "It goes on and on. " * 60,
    "😡 " * 200,
    "长" * 400,
)
FIFTY_TEXTS = (*UNUSUAL, *EXAMPLES, *(text for text, _ in TWEETS[: 50 - len(UNUSUAL) - len(EXAMPLES)]))


def make_minilm_checkpoint(folder: Path) -> Path:
    """MiniLM with a random head for six labels, wide enough that texts differ in their scores."""
    torch.manual_seed(3)
    model = AutoModelForSequenceClassification.from_pretrained(minilm_folder(), **label_config(SIX_LABELS, True))
    torch.nn.init.normal_(model.classifier.weight, std=0.5)
    model.config.thresholds = THRESHOLDS
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(folder)
    return folder
