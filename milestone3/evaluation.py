"""Evaluate a classifier honestly: baselines beside it, thresholds from other comments, an interval for every figure.

python -m milestone3.evaluation --model runs/first --data practice --json report.json
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset, concatenate_datasets
from tqdm.auto import tqdm

from milestone2.classifier import Classifier, load_classifier
from milestone3 import metrics
from milestone3.baselines import always_clean, train_tfidf
from milestone3.comments import LABELS, load_comments
from milestone3.intervals import bootstrap_interval

CHUNK = 512


@dataclass(frozen=True)
class Scored:
    """Comments with what a model says of them.

    Attributes
    ----------
    labels : numpy.ndarray
        0 and 1, shape [n_comments, 6].
    scores : numpy.ndarray
        Probabilities, shape [n_comments, 6].
    """

    labels: np.ndarray
    scores: np.ndarray


def score_comments(classifier: Classifier, comments: Dataset) -> Scored:
    """Score all comments of a part, with a progress bar.

    Raises
    ------
    ValueError
        If the classifier does not have the six labels.
    """
    missing = [label for label in LABELS if label not in classifier.labels]
    if missing:
        raise ValueError(f"The model knows the labels {', '.join(classifier.labels)}, but not {', '.join(missing)}.")
    texts = comments["text"][:]
    columns = [classifier.labels.index(label) for label in LABELS]
    bar = tqdm(total=len(texts), desc="Scoring", unit=" comments")
    chunks = []
    for start in range(0, len(texts), CHUNK):
        chunks.append(classifier.score(texts[start : start + CHUNK])[:, columns])
        bar.update(len(chunks[-1]))
    bar.close()
    return Scored(label_matrix(comments), np.concatenate(chunks))


def label_matrix(comments: Dataset) -> np.ndarray:
    """The labels of a part as an array of shape [n_comments, 6]."""
    return np.array(comments["labels"][:], dtype=np.float32)


def label_table(test: Scored, thresholds: np.ndarray, repeats: int = 1000) -> pd.DataFrame:
    """The figures that matter, for each label and their mean, each with a 95 % bootstrap interval.

    Parameters
    ----------
    test : Scored
    thresholds : numpy.ndarray
        Chosen on validation comments, shape [6].
    repeats : int
        Draws of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        Rows: six labels and "mean". Columns: `positives`, `threshold`, and for each of `roc_auc`,
        `average_precision`, `f1_at_half`, `f1_at_threshold` the value, `_low` and `_high`. NaN for a label without a
        positive comment; the mean is over the other labels.
    """
    figures: dict[str, Callable] = {
        "roc_auc": metrics.roc_auc,
        "average_precision": metrics.average_precision,
        "f1_at_half": metrics.f1,
        "f1_at_threshold": partial(metrics.f1, thresholds=thresholds),
    }
    table = pd.DataFrame(index=[*LABELS, "mean"])
    table["positives"] = [*test.labels.sum(axis=0).astype(int), int(test.labels.sum())]
    table["threshold"] = [*thresholds, np.nan]
    for name, figure in figures.items():
        with_mean = partial(_with_mean, figure)
        low, high = bootstrap_interval(with_mean, test.labels, test.scores, repeats)
        table[name], table[f"{name}_low"], table[f"{name}_high"] = with_mean(test.labels, test.scores), low, high
    return table


def any_label_row(test: Scored, threshold: float, repeats: int = 1000) -> dict[str, float]:
    """F1 of "any of the six labels" at a threshold chosen on validation comments, with its 95 % interval."""
    labels, scores = metrics.any_label(test.labels, test.scores)
    figure = partial(metrics.f1, thresholds=threshold)
    low, high = bootstrap_interval(figure, labels, scores, repeats)
    value = figure(labels, scores)
    return {"threshold": threshold, "f1": float(value[0]), "f1_low": float(low[0]), "f1_high": float(high[0])}


def evaluate(
    name: str,
    source: str,
    split: str = "test",
    baseline_from: str | None = None,
    rows: int | None = None,
    repeats: int = 1000,
) -> dict:
    """Everything `--json` writes about a model on a source.

    Parameters
    ----------
    name : str
        As for `load_classifier`.
    source : str
        As for `load_comments`.
    split : str
        "test" scores the held-out part and chooses thresholds on the validation part of the same source. "all" scores
        every comment, for a model that was trained on another source, with the thresholds the checkpoint brings.
    baseline_from : str, optional
        Train the TF-IDF baseline on the training part of this source; by default on that of `source`, and with "all"
        there is none.
    rows : int, optional
        As for `load_comments`.
    repeats : int
        Draws of the bootstrap.
    """
    classifier = load_classifier(name)
    comments = load_comments(source, rows=rows)
    if split == "all":
        everything = concatenate_datasets(list(comments.values()))
        test = score_comments(classifier, everything)
        stored = getattr(classifier.model.config, "thresholds", None) or {}
        thresholds = np.array([stored.get(label, 0.5) for label in LABELS])
        any_threshold = stored.get("any", 0.5)
    else:
        everything = comments["test"]
        validation = score_comments(classifier, comments["validation"])
        test = score_comments(classifier, everything)
        thresholds = metrics.choose_thresholds(validation.labels, validation.scores)
        any_threshold = float(metrics.choose_thresholds(*metrics.any_label(validation.labels, validation.scores))[0])
    train = load_comments(baseline_from)["train"] if baseline_from else comments["train"] if split == "test" else None
    baseline = _score_tfidf(train, everything) if train else None
    names = {"model": Path(name).name, "data": Path(source).name, "split": split}
    return names | _report(test, baseline, thresholds, any_threshold, repeats)


def _report(test: Scored, baseline: Scored | None, thresholds: np.ndarray, any_threshold: float, repeats: int) -> dict:
    table = label_table(test, thresholds, repeats)
    without = [label for label in LABELS if table.positives[label] == 0]
    clean = Scored(test.labels, always_clean(*test.labels.shape))
    return {
        "comments": len(test.labels),
        "predecessor": {
            "model": metrics.predecessor_figures(test.labels, test.scores),
            "always_clean": metrics.predecessor_figures(clean.labels, clean.scores),
            "tfidf": metrics.predecessor_figures(baseline.labels, baseline.scores) if baseline else None,
        },
        "mean_roc_auc_of_tfidf": metrics.mean_roc_auc(baseline.labels, baseline.scores) if baseline else None,
        "labels": json.loads(table.round(4).to_json(orient="index")),
        "any_label": {key: round(value, 4) for key, value in any_label_row(test, any_threshold, repeats).items()},
        "notes": [
            f"{label}: no positive comment among {len(test.labels)}, so its figures are null." for label in without
        ],
    }


def _score_tfidf(train: Dataset, test: Dataset) -> Scored:
    model = train_tfidf(train["text"][:], label_matrix(train))
    return Scored(label_matrix(test), model.predict_proba(test["text"][:]))


def _with_mean(figure: Callable, labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The figure of each label, and behind them the mean of those that are known."""
    values = figure(labels, scores)
    return np.append(values, np.nan if np.isnan(values).all() else np.nanmean(values))


def print_report(report: dict) -> None:
    """The report for a terminal."""
    print(f"{report['model']} on {report['comments']:,} comments of {report['data']} ({report['split']})")
    rows = {name: figures for name, figures in report["predecessor"].items() if figures}
    print("\nThe predecessor's figures, at threshold 0.5:")
    print(pd.DataFrame(rows).T.round(3).to_string())
    table = pd.DataFrame(report["labels"]).T
    shown = pd.DataFrame({"positives": table.positives.astype(int)})
    for name in ("roc_auc", "average_precision", "f1_at_half", "f1_at_threshold"):
        shown[name] = [
            "-" if math.isnan(value) else f"{value:.3f} ({low:.3f}-{high:.3f})"
            for value, low, high in table[[name, f"{name}_low", f"{name}_high"]].astype(float).to_numpy()
        ]
    print("\nThe figures that matter, with 95 % intervals:")
    print(shown.to_string())
    any_label = report["any_label"]
    print(f"\nAny of the six labels: F1 {any_label['f1']:.3f} ({any_label['f1_low']:.3f}-{any_label['f1_high']:.3f})")
    if report["mean_roc_auc_of_tfidf"] is not None:
        print(f"TF-IDF and logistic regression: mean ROC-AUC {report['mean_roc_auc_of_tfidf']:.3f}")
    for note in report["notes"]:
        print(f"Note: {note}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m milestone3.evaluation", description="Evaluate a classifier on labelled comments."
    )
    parser.add_argument("--model", required=True, help="a checkpoint folder, or a name that load_classifier knows")
    parser.add_argument("--data", default="practice", help="practice, jigsaw, or the path of Kaggle's train.csv")
    parser.add_argument("--split", choices=("test", "all"), default="test", help="the held-out part, or every comment")
    parser.add_argument(
        "--baseline-from", metavar="SOURCE", help="train the TF-IDF baseline on this source's training part"
    )
    parser.add_argument("--rows", type=int, default=None, help="take only about this many rows of --data")
    parser.add_argument("--repeats", type=int, default=1000, help="draws of the bootstrap (default: 1000)")
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args(arguments)
    try:
        report = evaluate(
            options.model, options.data, options.split, options.baseline_from, options.rows, options.repeats
        )
        if options.json:
            options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print_report(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
