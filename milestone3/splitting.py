"""Split comments into train, validation and test so that no comment, and no near-copy of one, is on two sides."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

VALIDATION_SHARE = 0.10
TEST_SHARE = 0.15
FEWEST_OF_A_KIND = 30

_NOT_LETTER_OR_DIGIT = re.compile(r"[\W_]+")


def near_duplicate_key(text: str) -> str:
    """Letters and digits of a text in lower case: two texts with the same key are near-duplicates.

    A text without any letter or digit ("!!!", an emoji) is its own key.

    >>> near_duplicate_key("Stop it, NOW!") == near_duplicate_key("stop it... now")
    True
    """
    return _NOT_LETTER_OR_DIGIT.sub("", text.casefold()) or text.strip()


def stratum(labels: np.ndarray) -> np.ndarray:
    """Kind of each row, for stratified sampling.

    The kind is the whole combination of labels where that is frequent, and the rarest label of the row otherwise, so
    that the rare labels keep their rate although most combinations with them occur only a few times.

    Parameters
    ----------
    labels : array of 0 and 1, shape [n_rows, n_labels]

    Returns
    -------
    array of str, shape [n_rows]
    """
    rarest_first = np.argsort(labels.sum(axis=0), kind="stable")
    ordered = labels[:, rarest_first].astype(bool)
    rarest = np.where(ordered.any(axis=1), ordered.argmax(axis=1), -1).astype(str)
    combination = pd.Series(["".join("01"[value] for value in row) for row in labels.astype(int)])
    frequent = combination.map(combination.value_counts()) >= FEWEST_OF_A_KIND
    return np.where(frequent, combination, rarest)


def sample_rows(labels: np.ndarray, groups: np.ndarray, rows: int, seed: int) -> np.ndarray:
    """Sorted positions of about `rows` rows with the labels' rates kept; whole groups stay together."""
    if rows >= len(labels):
        return np.arange(len(labels))
    group_labels, members = _group(labels, groups)
    chosen, _ = _stratified(np.arange(len(group_labels)), group_labels, rows / len(labels), seed)
    return np.flatnonzero(np.isin(members, chosen))


def split_rows(labels: np.ndarray, groups: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Sorted positions of the rows of each part; rows of one group are all in the same part.

    Parameters
    ----------
    labels : array of 0 and 1, shape [n_rows, n_labels]
    groups : array, shape [n_rows]
        Equal values mark near-duplicates.
    seed : int
    """
    group_labels, members = _group(labels, groups)
    everything = np.arange(len(group_labels))
    test, rest = _stratified(everything, group_labels, TEST_SHARE, seed)
    validation, train = _stratified(rest, group_labels[rest], VALIDATION_SHARE / (1 - TEST_SHARE), seed)
    parts = {"train": train, "validation": validation, "test": test}
    return {name: np.flatnonzero(np.isin(members, part)) for name, part in parts.items()}


def _group(labels: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels of each group (any of its rows), and the number of the group each row belongs to."""
    members, names = pd.factorize(groups)
    group_labels = np.zeros((len(names), labels.shape[1]))
    np.maximum.at(group_labels, members, labels)
    return group_labels, members


def _stratified(items: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A stratified share of the items, and the others."""
    kinds = pd.Series(stratum(labels))
    counts = kinds.value_counts()
    # scikit-learn refuses a kind that occurs once, and more kinds than the smaller part has places.
    places = max(1, int(min(share, 1 - share) * len(items)))
    kept = counts[counts >= 2].index[:places]
    kinds = kinds.where(kinds.isin(kept), counts.index[0])
    chosen, others = train_test_split(items, train_size=share, stratify=kinds, random_state=seed)
    return chosen, others
