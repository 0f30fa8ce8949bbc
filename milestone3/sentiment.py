"""Evaluate a sentiment model on tweets: macro recall, each label's figures, and two baselines, all with intervals.

python -m milestone3.sentiment --model sentiment --data tweets.csv --json report.json
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score, precision_score, recall_score

from milestone2.classifier import load_classifier
from milestone3.baselines import train_tfidf
from milestone3.intervals import bootstrap_interval
from milestone3.metrics import macro_recall
from milestone3.task import SENTIMENT
from milestone3.tweets import load_tweets

KINDS = len(SENTIMENT.labels)
_PER_LABEL = {"recall": recall_score, "precision": precision_score, "f1": f1_score}


def evaluate(name: str, source: str, rows: int | None = None, repeats: int = 1000) -> dict:
    """Everything `--json` writes about a model on the held-out tweets of a source.

    Parameters
    ----------
    name : str
        As for `load_classifier`; its labels must be negative, neutral and positive.
    source : str
        As for `load_tweets`.
    rows : int, optional
    repeats : int
        Draws of the bootstrap.

    Raises
    ------
    ValueError
        If the classifier has other labels.
    """
    classifier = load_classifier(name)
    if classifier.labels != SENTIMENT.labels:
        raise ValueError(
            f"{name} knows the labels {', '.join(classifier.labels)}, not {', '.join(SENTIMENT.labels)}. "
            "Choose a sentiment model."
        )
    tweets = load_tweets(source, rows=rows)
    labels = np.array(tweets["test"]["labels"][:])
    scores = classifier.score(tweets["test"]["text"][:])
    train = np.eye(KINDS)[tweets["train"]["labels"][:]]
    tfidf = train_tfidf(tweets["train"]["text"][:], train, class_weight="balanced")
    baseline = tfidf.predict_proba(tweets["test"]["text"][:])
    return {
        "model": Path(name).name,
        "data": Path(source).name,
        "split": "test",
        "tweets": len(labels),
        "macro_recall": _with_interval(macro_recall, labels, scores, repeats),
        "accuracy": _with_interval(_accuracy, labels, scores, repeats),
        "macro_recall_of_tfidf": _with_interval(macro_recall, labels, baseline, repeats),
        "macro_recall_of_always_neutral": macro_recall(labels, np.eye(KINDS)[np.ones_like(labels)]),
        "labels": _per_label(labels, scores, repeats),
    }


def _accuracy(labels: np.ndarray, scores: np.ndarray) -> float:
    return float((scores.argmax(axis=1) == labels).mean())


def _with_interval(figure, labels: np.ndarray, scores: np.ndarray, repeats: int) -> dict[str, float]:
    low, high = bootstrap_interval(figure, labels, scores, repeats)
    return {"value": round(figure(labels, scores), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def _per_label(labels: np.ndarray, scores: np.ndarray, repeats: int) -> dict[str, dict]:
    """Number of tweets, recall, precision and F1 of each label, each with its interval."""
    table: dict[str, dict] = {}
    for number, label in enumerate(SENTIMENT.labels):
        table[label] = {"tweets": int((labels == number).sum())}
        for name, figure in _PER_LABEL.items():
            one = partial(_of_one_label, figure, number)
            table[label][name] = _with_interval(one, labels, scores, repeats)
    return table


def _of_one_label(figure, number: int, labels: np.ndarray, scores: np.ndarray) -> float:
    return float(figure(labels == number, scores.argmax(axis=1) == number, zero_division=0))


def print_report(report: dict) -> None:
    """The report for a terminal."""
    print(f"{report['model']} on {report['tweets']:,} tweets of {report['data']} ({report['split']})")
    for name in ("macro_recall", "accuracy", "macro_recall_of_tfidf"):
        print(f"{name.replace('_', ' ')}: {_shown(report[name])}")
    print(f"macro recall of always neutral: {report['macro_recall_of_always_neutral']:.3f}")
    rows = {
        label: {"tweets": row["tweets"], **{name: _shown(row[name]) for name in _PER_LABEL}}
        for label, row in report["labels"].items()
    }
    print(pd.DataFrame(rows).T.to_string())


def _shown(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f}-{figure['high']:.3f})"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m milestone3.sentiment", description="Evaluate a sentiment model on labelled tweets."
    )
    parser.add_argument("--model", required=True, help="a checkpoint folder, or a name that load_classifier knows")
    parser.add_argument("--data", required=True, help="CSV with the columns text, label and perhaps split")
    parser.add_argument("--rows", type=int, default=None, help="take only about this many rows of --data")
    parser.add_argument("--repeats", type=int, default=1000, help="draws of the bootstrap (default: 1000)")
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args(arguments)
    try:
        report = evaluate(options.model, options.data, options.rows, options.repeats)
        if options.json:
            options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print_report(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
