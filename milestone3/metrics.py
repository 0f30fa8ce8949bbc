"""Figures of merit, each one computed by scikit-learn.

Where not said otherwise, `labels` holds 0 and 1 and `scores` probabilities, both of shape [n_comments, n_labels].
"""

from __future__ import annotations

import itertools

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
)

_OFFSETS = np.arange(-15, 16) / 10


def predecessor_figures(labels: np.ndarray, scores: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """The four figures that the 2023 course reported.

    Label accuracy counts each of the n x 6 decisions; exact match counts comments with all six right; precision and
    recall are pooled over all decisions (micro average).
    """
    given = (scores >= threshold).astype(int)
    truth = labels.astype(int)
    return {
        "label_accuracy": float((given == truth).mean()),
        "exact_match": float(accuracy_score(truth, given)),
        "micro_precision": float(precision_score(truth.ravel(), given.ravel(), zero_division=0)),
        "micro_recall": float(recall_score(truth.ravel(), given.ravel(), zero_division=0)),
    }


def roc_auc(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each label, shape [n_labels]; NaN for a label that is all 0 or all 1.

    It is the chance that a comment with the label scores higher than one without it.
    """
    return np.array(
        [
            roc_auc_score(truth, score) if 0 < truth.sum() < len(truth) else np.nan
            for truth, score in zip(labels.T, scores.T)
        ]
    )


def mean_roc_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean over the labels that have both kinds of comments; NaN if none has."""
    areas = roc_auc(labels, scores)
    return float(areas[~np.isnan(areas)].mean()) if not np.isnan(areas).all() else float("nan")


def macro_recall(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean over the labels of the share found, for texts with exactly one label: the figure of TweetEval's sentiment.

    Here `labels` holds the number of each text's label, shape [n_texts]; the highest score decides.
    """
    return float(recall_score(labels, scores.argmax(axis=1), average="macro", zero_division=0))


def average_precision(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average precision of each label, shape [n_labels]; NaN without a positive comment."""
    return np.array(
        [average_precision_score(truth, score) if truth.any() else np.nan for truth, score in zip(labels.T, scores.T)]
    )


def f1(labels: np.ndarray, scores: np.ndarray, thresholds: np.ndarray | float = 0.5) -> np.ndarray:
    """F1 of each label when it is given from its threshold on, shape [n_labels]; NaN without a positive comment."""
    given = (scores >= thresholds).astype(int)
    classes = (
        [1] if labels.shape[1] == 1 else None
    )  # scikit-learn takes a column that is alone for two classes, 0 and 1
    values = f1_score(labels.astype(int), given, labels=classes, average=None, zero_division=0)
    return np.where(labels.any(axis=0), values, np.nan)


def choose_thresholds(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Threshold of each label with the best F1 on these comments, shape [n_labels].

    Call it with validation comments. A label without a positive comment keeps 0.5.
    """
    return np.array([_best_threshold(truth, score) for truth, score in zip(labels.T, scores.T)])


def choose_offsets(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """What to add to the labels' logits for the best macro recall on these texts, shape [n_labels]; the first is 0.

    This is logit adjustment after training (Menon et al. 2021, https://arxiv.org/abs/2007.07314), with the offsets
    searched for, from -1.5 to 1.5, instead of taken from the labels' rates; of equally good ones the smallest win. Call
    it with validation texts.

    Parameters
    ----------
    labels : numpy.ndarray
        Number of each text's label, shape [n_texts].
    logits : numpy.ndarray
        Shape [n_texts, n_labels]; about three labels, as every combination is tried.
    """
    others = itertools.product(_OFFSETS, repeat=logits.shape[1] - 1)
    tried = sorted((np.array([0.0, *offsets]) for offsets in others), key=lambda offsets: np.abs(offsets).sum())
    return max(tried, key=lambda offsets: macro_recall(labels, logits + offsets))


def any_label(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fold six labels into one question, "is it toxic in any way?": columns of shape [n_comments, 1]."""
    return labels.max(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)


def _best_threshold(truth: np.ndarray, score: np.ndarray) -> float:
    if not truth.any():
        return 0.5
    precision, recall, thresholds = precision_recall_curve(truth, score)
    sums = precision + recall
    f1_values = np.divide(2 * precision * recall, sums, out=np.zeros_like(sums), where=sums > 0)[:-1]
    best = int(f1_values.argmax())
    below = thresholds[best - 1] if best else thresholds[best]
    return float((thresholds[best] + below) / 2)  # half-way to the next score, not on a comment's own score
