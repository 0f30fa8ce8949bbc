"""Two things every model must beat: saying "clean" to everything, and counting words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline


def always_clean(rows: int, labels: int) -> np.ndarray:
    """Scores of a "model" that never gives a label: zeros of shape [rows, labels]."""
    return np.zeros((rows, labels), dtype=np.float32)


def train_tfidf(texts: Sequence[str], labels: np.ndarray, class_weight: str | None = None) -> Pipeline:
    """Fit TF-IDF weighted words and pairs of words, and a logistic regression for each label.

    Parameters
    ----------
    texts : sequence of str
    labels : array of 0 and 1, shape [n_texts, n_labels]
    class_weight : str, optional
        "balanced" lets rare labels weigh as much as frequent ones.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Its `predict_proba(texts)` has the shape [n_texts, n_labels]. A label that never occurs scores 0.
    """
    words = TfidfVectorizer(
        ngram_range=(1, 2), min_df=2, max_features=50_000, sublinear_tf=True, strip_accents="unicode"
    )
    regression = LogisticRegression(C=5.0, max_iter=1000, class_weight=class_weight)
    return make_pipeline(words, OneVsRestClassifier(regression)).fit(texts, labels.astype(int))
