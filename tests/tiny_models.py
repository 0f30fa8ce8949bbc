"""Small models for tests in which the weights do not matter."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForSequenceClassification

from milestone2.base import minilm_folder
from milestone3.lora import add_adapters
from milestone3.recipe import Recipe

SIX_LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


def label_config(labels: tuple[str, ...], multi_label: bool) -> dict:
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
        "problem_type": "multi_label_classification" if multi_label else "single_label_classification",
    }


def make_checkpoint(
    folder: Path, labels: tuple[str, ...] = SIX_LABELS, multi_label: bool = True, thresholds: dict | None = None
) -> Path:
    """A checkpoint folder of one layer, 32 wide, with random weights and MiniLM's tokenizer."""
    torch.manual_seed(7)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=0.4,  # larger than usual, so that texts differ visibly in their scores
        **label_config(labels, multi_label),
    )
    model = BertForSequenceClassification(config)
    if thresholds:
        model.config.thresholds = thresholds
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(folder)
    return folder


def finish_run(folder: Path, base: str = "minilm", finished: bool = True) -> Path:
    """Add what `milestone3.finetune` writes beside a checkpoint."""
    record = {"recipe": {"base": base}, "comments": "0", "finished": finished}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def make_adapter(folder: Path, labels: tuple[str, ...] = SIX_LABELS, multi_label: bool = True, seed: int = 0):
    """An adapter folder as the course ships them, with random weights; returns the unmerged model."""
    torch.manual_seed(seed)
    base = AutoModelForSequenceClassification.from_pretrained(minilm_folder(), **label_config(labels, multi_label))
    model = add_adapters(base, Recipe(method="lora"))
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and ("lora_B" in name or name.endswith("bias") or "LayerNorm" in name):
            # As in a trained one. In a new adapter B is zero, which would make merging a matter of nothing.
            torch.nn.init.trunc_normal_(parameter, mean=parameter.mean().item(), std=0.02)
    base.config.thresholds = {labels[0]: 0.25}
    model.save_pretrained(folder)
    base.config.save_pretrained(folder)
    return model.eval()
