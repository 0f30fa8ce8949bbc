"""How much faster the course's way of scoring is than two common ways, in one process and on the same texts.

    python -m benchmarks.inference [--model NAME] [--json FILE]

1. A click in the app, which keeps its model, against an app that loads model and tokenizer again at every click.
2. Many texts with `Classifier.score` against a loop that scores one text at a time with the default pipeline; also in
   bfloat16, on processors that compute in it (it moves scores by up to a hundredth, so the course does not use it
   unasked).

The ratios depend on the processor and on what else it does: run it on an idle computer.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TextClassificationPipeline, pipeline
from transformers.utils import logging

from milestone2.analysis import analyze, kept_classifier
from milestone2.catalogue import find_entry
from milestone2.classifier import Classifier
from milestone2.shipped import SHIPPED, checkpoint_folder

WANTED_CLICK, WANTED_TEXTS = 50, 4
CLICK_TEXT = "Thank you for the careful edit, the article reads much better now."


def read_texts(rows: int) -> list[str]:
    """Practice comments, of the lengths that comments have."""
    table = files("milestone3") / "comp" / "practice.csv"
    with table.open(encoding="utf-8") as stream:
        return pd.read_csv(stream)["comment_text"].sample(rows, random_state=0, replace=False).tolist()


def seconds(action: Callable[[], object], repeats: int) -> float:
    """Median time of an action."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def load_and_score(source: str, text: str) -> object:
    """A click in an app that keeps nothing."""
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModelForSequenceClassification.from_pretrained(source)
    return TextClassificationPipeline(model=model, tokenizer=tokenizer, top_k=None)(text)


def compare_clicks(name: str, source: str, repeats: int) -> tuple[float, float]:
    """Seconds of a click: of the app that loads at each one, and of the app that keeps its model."""
    analyze(kept_classifier(name), CLICK_TEXT)
    load_and_score(source, CLICK_TEXT)  # both have read the files once, so that the disk plays no part
    loading = seconds(lambda: load_and_score(source, CLICK_TEXT), repeats)
    kept = seconds(lambda: analyze(kept_classifier(name), CLICK_TEXT), 10 * repeats)
    return loading, kept


def compare_texts(classifier: Classifier, source: str, texts: list[str], rounds: int) -> dict[str, float]:
    """Texts a second of each way; the ways take turns, so that a busy moment hits all of them."""
    one_by_one = pipeline("text-classification", model=source, top_k=None)
    cut = {"truncation": True, "max_length": classifier.max_length}  # without it a long text stops the pipeline

    def loop() -> list:
        return [one_by_one(text, **cut) for text in texts]

    def in_bfloat16() -> np.ndarray:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return classifier.score(texts)

    require_equal(classifier, loop(), texts)
    ways: dict[str, Callable] = {"loop": loop, "score": lambda: classifier.score(texts)}
    if computes_in_bfloat16():
        ways["score_bfloat16"] = in_bfloat16
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(seconds(way, 1))
    return {name: len(texts) / statistics.median(measured) for name, measured in times.items()}


def computes_in_bfloat16() -> bool:
    """Whether this x86 processor has instructions for bfloat16; emulated, it is slower than float32."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in checks)


def require_equal(classifier: Classifier, found: list, texts: list[str]) -> None:
    """Stop if the two ways do not say the same: a comparison of their speed would mean nothing."""
    # The pipeline puts the labels of a single text into a list of one, or not, as its options are.
    scores = np.array([sorted(part["score"] for part in np.ravel(each)) for each in found])
    difference = np.abs(scores - np.sort(classifier.score(texts), axis=1)).max()
    if difference > 0.01:
        raise ValueError(f"the two ways differ by {difference:.4f}, so their speed cannot be compared")


def measure(name: str, rows: int, repeats: int) -> dict:
    """Both comparisons as a dictionary."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    source = str(checkpoint_folder(name)) if name in SHIPPED else name
    loading, kept = compare_clicks(name, source, repeats)
    rates = compare_texts(kept_classifier(name), source, read_texts(rows), repeats)
    return {
        "model": find_entry(name).title if find_entry(name) else Path(name).name,
        "texts": rows,
        "threads": torch.get_num_threads(),
        "click_loading_ms": round(1000 * loading, 1),
        "click_kept_ms": round(1000 * kept, 2),
        "click_ratio": round(loading / kept, 1),
        "texts_per_second": {way: round(rate, 1) for way, rate in rates.items()},
        "texts_ratio": {way: round(rate / rates["loop"], 2) for way, rate in rates.items() if way != "loop"},
    }


def table(result: dict) -> str:
    """The result for people."""
    click = (f"{result['click_loading_ms']:.1f}", f"{result['click_kept_ms']:.1f}", f"{result['click_ratio']:.0f} x")
    rows = [
        ("", "common way", "this course", "ratio", "wanted"),
        ("one click, milliseconds", *click, f"{WANTED_CLICK} x"),
    ]
    rates = result["texts_per_second"]
    for way, ratio in result["texts_ratio"].items():
        name = "texts a second" + (", bfloat16" if way == "score_bfloat16" else "")
        rows.append((name, f"{rates['loop']:.1f}", f"{rates[way]:.1f}", f"{ratio:.1f} x", f"{WANTED_TEXTS} x"))
    lines = [f"{row[0]:<26}" + "".join(f"{cell:>14}" for cell in row[1:]) for row in rows]
    return "\n".join([f"{result['model']}, {result['texts']} comments, {result['threads']} threads", *lines])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.inference", description="Compare ways of scoring texts."
    )
    parser.add_argument("--model", default="toxicity", help="a shipped model or a checkpoint folder")
    parser.add_argument("--rows", type=int, default=300, help="number of practice comments")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args(arguments)
    try:
        result = measure(options.model, options.rows, options.repeats)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
