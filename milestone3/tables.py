"""Reports as Markdown tables, for pages and model cards."""

from __future__ import annotations

_FIGURES = {"roc_auc": "ROC-AUC", "average_precision": "average precision", "f1_at_threshold": "F1 at its threshold"}
_FOUR = ("label accuracy", "exact match", "micro precision", "micro recall")
_PER_SENTIMENT = ("recall", "precision", "f1")


def evaluation_table(report: dict) -> str:
    """Markdown for a report of `milestone3.evaluation`."""
    lines = [f"| label | positives | {' | '.join(_FIGURES.values())} |", "|---|---|" + "---|" * len(_FIGURES)]
    for label, row in report["labels"].items():
        cells = [_interval(row[name], row[f"{name}_low"], row[f"{name}_high"]) for name in _FIGURES]
        lines.append(f"| {label} | {row['positives']:,} | {' | '.join(cells)} |")
    four = [f"| at threshold 0.5 | {' | '.join(_FOUR)} |", "|---|" + "---|" * len(_FOUR)]
    for name, row in report["predecessor"].items():
        if row:
            four.append(f"| {name.replace('_', ' ')} | {' | '.join(f'{value:.3f}' for value in row.values())} |")
    any_label = report["any_label"]
    last = (
        f"Any of the six labels: F1 {_interval(any_label['f1'], any_label['f1_low'], any_label['f1_high'])}. "
        f"TF-IDF with logistic regression: mean ROC-AUC {report['mean_roc_auc_of_tfidf']:.3f}."
    )
    return "\n".join([f"{report['comments']:,} comments.", "", *lines, "", *four, "", last])


def sentiment_table(report: dict) -> str:
    """Markdown for a report of `milestone3.sentiment`."""
    lines = ["| label | tweets | recall | precision | F1 |", "|---|---|---|---|---|"]
    for label, row in report["labels"].items():
        cells = [_interval(*row[name].values()) for name in _PER_SENTIMENT]
        lines.append(f"| {label} | {row['tweets']:,} | {' | '.join(cells)} |")
    last = (
        f"Macro recall {_interval(*report['macro_recall'].values())}, accuracy "
        f"{_interval(*report['accuracy'].values())}. For comparison, macro recall of always answering neutral: "
        f"{report['macro_recall_of_always_neutral']:.3f}; of TF-IDF with logistic regression: "
        f"{_interval(*report['macro_recall_of_tfidf'].values())}."
    )
    return "\n".join([f"{report['tweets']:,} tweets.", "", *lines, "", last])


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
