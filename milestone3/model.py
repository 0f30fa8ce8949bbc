"""A pretrained encoder with a new head for the labels of a task."""

from __future__ import annotations

import numpy as np
import torch
from peft import PeftModel
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    set_seed,
)

from milestone2.base import find_base
from milestone3.lora import add_adapters
from milestone3.recipe import Recipe
from milestone3.task import TOXICITY, Task


def load_model(recipe: Recipe, task: Task = TOXICITY) -> tuple[PreTrainedModel | PeftModel, PreTrainedTokenizerBase]:
    """A pretrained encoder with a new head, one output for each label of the task, and its tokenizer.

    The head is drawn from the recipe's seed. Dropout is set as the recipe says.

    Raises
    ------
    ValueError
        If the recipe keeps more tokens of a text than the encoder has places for.
    """
    set_seed(recipe.seed)
    base = find_base(recipe.base)
    tokenizer = AutoTokenizer.from_pretrained(base.source, revision=base.revision)
    model = AutoModelForSequenceClassification.from_pretrained(
        base.source,
        revision=base.revision,
        use_safetensors=True,
        problem_type=task.problem_type,
        num_labels=len(task.labels),
        id2label=dict(enumerate(task.labels)),
        label2id={label: number for number, label in enumerate(task.labels)},
    )
    _set_length(model, tokenizer, recipe.max_length)
    set_dropout(model, recipe.dropout)
    if recipe.method == "lora":
        model = add_adapters(model, recipe)
    return model, tokenizer


def _set_length(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
    """Note in the configuration how much of a text is learned from, so that `load_classifier` scores as much of it."""
    places = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", max_length))
    if max_length > places:
        raise ValueError(f"The encoder reads at most {places} tokens of a text, not {max_length}. Lower --max-length.")
    model.config.max_tokens = max_length


def set_dropout(model: PreTrainedModel, rate: float) -> None:
    """Give every dropout of an encoder the same rate, and say so in its configuration."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = rate
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        if hasattr(model.config, name):
            setattr(model.config, name, rate)


@torch.no_grad()
def shift_outputs(model: torch.nn.Module, offsets: np.ndarray) -> None:
    """Add offsets, one for each label, to a model's logits for good: they become a part of the last layer's bias."""
    last = [module for module in model.modules() if isinstance(module, torch.nn.Linear)][-1]
    last.bias += torch.as_tensor(offsets, dtype=last.bias.dtype, device=last.bias.device)


def count_parameters(model: torch.nn.Module) -> tuple[int, int]:
    """Numbers of trained parameters and of all parameters."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)
