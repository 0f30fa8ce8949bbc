"""Fine-tuning as in courses of 2023, and as in this one: rows per second, memory, and what was learned.

    python -m benchmarks.finetune --data practice --rows 256 --json result.json

Both train the same encoder (MiniLM by default) on the same rows for as many epochs, with the same batch size and
learning rate, on the same processor with as many threads, each in a process of its own. They differ in the rest:

- 2023: every comment padded to 512 tokens, tokenized one by one when its batch is put together, float32, attention as
  plain matrix products, dropout as pretrained.
- course: `milestone3.trainer`: tokenized beforehand, at most 128 tokens, batches of similar lengths, bfloat16 where the
  processor computes in it, no dropout.

Courses of 2023 took learning rates of 1e-5 to 5e-5, made for BERT-base. With so few rows MiniLM hardly learns at these;
the course's own rate for both favours the 2023 recipe.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset, DatasetDict
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from benchmarks.peak_memory import peak_memory
from milestone2.base import find_base
from milestone2.classifier import Classifier
from milestone3.comments import LABELS, load_comments
from milestone3.encoding import MAX_LENGTH, encode
from milestone3.metrics import mean_roc_auc
from milestone3.model import load_model
from milestone3.recipe import Recipe
from milestone3.trainer import build_trainer

RECIPES = ("2023", "course")
LENGTH_2023 = 512
BATCH_SIZE = 16
VALIDATION_ROWS = 500


def clocks() -> np.ndarray:
    """Two clocks in seconds: of the world, and of the processor time of this process, all threads together."""
    return np.array([time.perf_counter(), time.process_time()])


class TrainingClock(TrainerCallback):
    """Seconds spent in training steps and in putting batches together, without evaluations and saving."""

    def on_train_begin(self, *_, **__) -> None:
        self.seconds = np.zeros(2)
        self._since = clocks()

    def on_step_end(self, *_, **__) -> None:
        now = clocks()
        self.seconds += now - self._since
        self._since = now

    def on_evaluate(self, *_, **__) -> None:
        self._since = clocks()

    def on_save(self, *_, **__) -> None:
        self._since = clocks()


class CommentsOf2023(torch.utils.data.Dataset):
    """As such courses had it: a comment is tokenized, and padded to the full length, when it is asked for."""

    def __init__(self, comments: Dataset, tokenizer: PreTrainedTokenizerBase):
        self.texts, self.labels, self.tokenizer = comments["text"][:], comments["labels"][:], tokenizer

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        tokens = self.tokenizer(
            self.texts[number], padding="max_length", truncation=True, max_length=LENGTH_2023, return_tensors="pt"
        )
        return {**{name: value[0] for name, value in tokens.items()}, "labels": torch.tensor(self.labels[number])}


def select_comments(options: argparse.Namespace) -> DatasetDict:
    """The training rows, drawn at random, and at most 500 validation rows: the same for both recipes."""
    comments = load_comments(options.data)
    train = comments["train"].shuffle(seed=options.seed)
    validation = comments["validation"]
    return DatasetDict(
        {
            "train": train.select(range(min(options.rows, len(train)))),
            "validation": validation.select(range(min(VALIDATION_ROWS, len(validation)))),
        }
    )


def train_as_in_2023(
    comments: DatasetDict, options: argparse.Namespace, folder: Path
) -> tuple[PreTrainedModel, np.ndarray]:
    """Returns the trained model and the seconds of training, by both clocks."""
    base = find_base(options.base)
    set_seed(options.seed)
    model = AutoModelForSequenceClassification.from_pretrained(
        base.source,
        revision=base.revision,
        num_labels=len(LABELS),
        id2label=dict(enumerate(LABELS)),
        problem_type="multi_label_classification",
        attn_implementation="eager",
    )
    clock = TrainingClock()
    steps = -(-len(comments["train"]) // BATCH_SIZE) * options.epochs
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=options.epochs,
        learning_rate=options.learning_rate or base.learning_rate,
        per_device_train_batch_size=BATCH_SIZE,
        warmup_steps=int(0.1 * steps),
        weight_decay=0.01,
        optim="adamw_torch",
        save_strategy="no",
        report_to="none",
        use_cpu=not torch.accelerator.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        disable_tqdm=True,
        seed=options.seed,
    )
    tokenizer = AutoTokenizer.from_pretrained(base.source, revision=base.revision)
    data = CommentsOf2023(comments["train"], tokenizer)
    Trainer(model=model, args=arguments, train_dataset=data, callbacks=[clock]).train()
    return model, clock.seconds


def train_as_in_the_course(
    comments: DatasetDict, options: argparse.Namespace, folder: Path
) -> tuple[PreTrainedModel, np.ndarray]:
    """Returns the trained model and the seconds of training by both clocks, with those of tokenizing the training rows.

    It is evaluated and saved once, at the end, so that no best checkpoint is chosen by the comments it is compared on.
    """
    recipe = Recipe(
        base=options.base,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        batch_size=BATCH_SIZE,
        saves=1,
        seed=options.seed,
    )
    model, tokenizer = load_model(recipe)
    clock = TrainingClock()
    start = clocks()
    train = encode(DatasetDict(train=comments["train"]), tokenizer)
    tokenizing = clocks() - start
    validation = encode(DatasetDict(validation=comments["validation"]), tokenizer)
    trainer = build_trainer(model, tokenizer, DatasetDict(train | validation), folder, recipe)
    trainer.add_callback(clock)
    trainer.train()
    return trainer.model, tokenizing + clock.seconds


def measure(name: str, options: argparse.Namespace) -> dict:
    """Run one recipe in this process."""
    torch.set_num_threads(options.threads)
    comments = select_comments(options)
    train = train_as_in_2023 if name == "2023" else train_as_in_the_course
    with tempfile.TemporaryDirectory() as folder:
        model, seconds = train(comments, options, Path(folder))
    peak = peak_memory()  # before the evaluation, which is the same for both but for the length
    base = find_base(options.base)
    tokenizer = AutoTokenizer.from_pretrained(base.source, revision=base.revision)
    classifier = Classifier(model, tokenizer, max_length=LENGTH_2023 if name == "2023" else MAX_LENGTH)
    scores = classifier.score(comments["validation"]["text"][:])
    labels = torch.tensor(comments["validation"]["labels"][:]).numpy()
    rows = len(comments["train"]) * options.epochs
    return {
        "recipe": name,
        "rows": rows,
        "seconds": seconds[0],
        "rows_per_second": rows / seconds[0],
        "rows_per_processor_second": rows / seconds[1],
        "peak_memory_bytes": peak,
        "validation_rows": len(labels),
        "validation_mean_roc_auc": mean_roc_auc(labels, scores),
    }


def run_in_child(name: str, arguments: list[str], threads: int) -> dict:
    """Run one recipe in a process of its own; `RuntimeError` with its last words if it fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-m", "benchmarks.finetune", *arguments, "--only", name]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"The recipe {name} failed:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout.splitlines()[-1])


def summarize(runs: list[dict]) -> dict:
    """Medians over the repetitions of each recipe, and the ratio of their speeds."""
    figures = ("rows_per_second", "rows_per_processor_second", "peak_memory_bytes", "validation_mean_roc_auc")
    summary = {
        name: {figure: statistics.median(run[figure] for run in runs if run["recipe"] == name) for figure in figures}
        for name in RECIPES
    }
    course, other = summary["course"], summary["2023"]
    return summary | {
        "speedup": course["rows_per_second"] / other["rows_per_second"],
        "processor_speedup": course["rows_per_processor_second"] / other["rows_per_processor_second"],
    }


def print_table(summary: dict, settings: dict) -> None:
    print(
        f"\n{settings['rows']} rows of {settings['data']}, {settings['epochs']} epoch(s), "
        f"{settings['threads']} thread(s), median of {settings['repeats']}"
    )
    print(f"{'recipe':<8}{'rows/s':>10}{'peak memory':>14}{'validation ROC-AUC':>21}")
    for name in RECIPES:
        row = summary[name]
        memory = f"{row['peak_memory_bytes'] / 1e6:,.0f} MB"
        print(f"{name:<8}{row['rows_per_second']:>10.2f}{memory:>14}{row['validation_mean_roc_auc']:>21.3f}")
    print(
        f"The course's recipe trains {summary['speedup']:.1f} times as many rows a second, and "
        f"{summary['processor_speedup']:.1f} times as many in a second of processor time (less disturbed by others)."
    )


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.finetune",
        description="Compare fine-tuning as in courses of 2023 with this course's.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", default="practice", help="as for milestone3.finetune")
    parser.add_argument("--rows", type=int, default=256, help="training rows; the 2023 recipe takes about 1 s for each")
    parser.add_argument("--base", default="minilm", help="minilm, bert, a folder or a Hub id")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=None, help="of both; the base's own if not given")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each recipe")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each recipe, in alternating order")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None, help="file for settings, runs and summary")
    parser.add_argument("--only", choices=RECIPES, help=argparse.SUPPRESS)  # what a child process is told to do
    return parser


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    options = build_parser().parse_args(arguments)
    if options.only:
        print(json.dumps(measure(options.only, options)))
        return 0
    runs = []
    for repeat in range(options.repeats):
        for name in RECIPES if repeat % 2 == 0 else RECIPES[::-1]:
            print(f"Run {len(runs) + 1} of {2 * options.repeats}: recipe {name} ...", flush=True)
            runs.append(run_in_child(name, arguments, options.threads))
    settings = {key: value for key, value in vars(options).items() if key not in ("json", "only")}
    settings["data"] = Path(options.data).name
    summary = summarize(runs)
    print_table(summary, settings)
    if options.json:
        report = {"settings": settings, "runs": runs, "summary": summary}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
