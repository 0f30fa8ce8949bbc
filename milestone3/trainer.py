"""transformers' `Trainer`, set up for short training runs on a plain processor or a GPU."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from datasets import DatasetDict
from peft import PeftModel
from transformers import EvalPrediction, PreTrainedModel, PreTrainedTokenizerBase, Trainer, TrainingArguments
from transformers.utils import ModelOutput

from milestone2.base import find_base
from milestone3.encoding import LengthGroupedSampler, padding_collator
from milestone3.metrics import macro_recall, mean_roc_auc
from milestone3.processes import process_state
from milestone3.recipe import Recipe
from milestone3.task import TOXICITY, Task

# 16 rows at a time keep MiniLM within 1.5 GB; two of them make an optimizer step of 32.
ROWS_AT_ONCE = 16


class LengthGroupedTrainer(Trainer):
    """A `Trainer` whose batches hold comments of similar length, in an order that survives a crash."""

    def _get_train_sampler(self, train_dataset=None) -> LengthGroupedSampler:
        return LengthGroupedSampler(
            self.train_dataset["length"],  # `train_dataset` has lost this column
            batch_size=self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size,
            seed=self.args.seed,
            epoch=lambda: int(self.state.epoch or 0),
        )


def build_trainer(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    encoded: DatasetDict,
    folder: Path,
    recipe: Recipe,
    task: Task = TOXICITY,
) -> Trainer:
    """A `Trainer` that evaluates and saves `recipe.saves` times and ends with the best of these checkpoints."""
    trainer = LengthGroupedTrainer(
        model=model,
        args=training_arguments(folder, recipe, rows=len(encoded["train"]), task=task),
        train_dataset=encoded["train"],
        eval_dataset=encoded["validation"].sort("length"),  # neighbours of equal length need little padding
        processing_class=tokenizer,
        data_collator=padding_collator(tokenizer),
        compute_metrics=_validation_metrics,
        compute_loss_func=None if task.multi_label else balanced_loss(encoded["train"]["labels"][:], len(task.labels)),
    )
    # BERT's forward takes any keyword, from which Trainer concludes that its loss is divided by the size of the whole
    # step, and adds up the losses of the step's parts. But it is each part's mean, so their mean is wanted.
    trainer.model_accepts_loss_kwargs = False
    return trainer


def training_arguments(folder: Path, recipe: Recipe, rows: int, task: Task = TOXICITY) -> TrainingArguments:
    """Turn a recipe into `TrainingArguments`.

    Parameters
    ----------
    folder : Path
        For the checkpoints on the way.
    recipe : Recipe
    rows : int
        Number of training comments.
    task : Task
        Says which figure finds the best checkpoint.
    """
    base = find_base(recipe.base)
    usual_rate = base.lora_learning_rate if recipe.method == "lora" else base.learning_rate
    processes = process_state().num_processes
    at_once = min(ROWS_AT_ONCE, max(1, recipe.batch_size // processes))
    steps = math.ceil(rows / recipe.batch_size) * recipe.epochs
    every = max(1, steps // recipe.saves)
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate or usual_rate,
        warmup_steps=int(recipe.warmup * steps),
        weight_decay=recipe.weight_decay,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=max(1, recipe.batch_size // (at_once * processes)),
        per_device_eval_batch_size=64,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        logging_steps=every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=task.metric,
        greater_is_better=True,
        use_cpu=not torch.accelerator.is_available(),
        bf16=bf16_is_fast(),
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        disable_tqdm=False,
        report_to="none",
        seed=recipe.seed,
    )


def bf16_is_fast() -> bool:
    """Whether this GPU or processor computes in bfloat16 itself; emulated, it is slower than float32.

    On x86 that takes AVX512-BF16 or AMX.
    """
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in checks)


def balanced_loss(labels: Sequence[int], kinds: int) -> Callable[..., torch.Tensor]:
    """Cross-entropy in which each label weighs as much as any other, however often it occurs.

    It is for texts with exactly one label, and for macro recall, which counts the labels alike, too.

    Parameters
    ----------
    labels : sequence of int
        Of the training texts.
    kinds : int
        Number of labels.
    """
    counts = np.bincount(labels, minlength=kinds)
    weights = torch.tensor(len(labels) / (kinds * np.maximum(counts, 1)), dtype=torch.float32)

    def loss(outputs: ModelOutput, labels: torch.Tensor, num_items_in_batch: int | None = None) -> torch.Tensor:
        """Sum over these rows, divided by those of the whole optimizer step, as `Trainer` wants it."""
        logits = outputs["logits"]
        total = torch.nn.functional.cross_entropy(logits, labels, weights.to(logits.device), reduction="sum")
        return total / (num_items_in_batch or len(labels))

    return loss


def _validation_metrics(prediction: EvalPrediction) -> dict[str, float]:
    labels, logits = prediction.label_ids, prediction.predictions
    if labels.ndim == 1:
        return {"macro_recall": macro_recall(labels, logits)}
    return {"mean_roc_auc": mean_roc_auc(labels, logits)}
