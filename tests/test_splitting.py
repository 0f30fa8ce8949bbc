"""The split keeps near-copies together and the labels' rates alike."""

from __future__ import annotations

import re

import numpy as np
import pytest

from milestone3.splitting import near_duplicate_key, sample_rows, split_rows, stratum


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Stop it, NOW!", "stop it... now"),
        ("  a b\tc\n", "abc"),
        ("under_score", "underscore"),
        ("Straße", "STRASSE"),
        ("naïve café", "NAÏVE CAFÉ!"),
    ],
)
def test_texts_with_the_same_letters_and_digits_have_the_same_key(one, other):
    assert near_duplicate_key(one) == near_duplicate_key(other)


@pytest.mark.parametrize(("one", "other"), [("in 2019", "in 2018"), ("cafe", "cafés"), ("!!!", "???"), ("🙂", "🙁")])
def test_other_letters_digits_or_signs_alone_make_another_key(one, other):
    assert near_duplicate_key(one) != near_duplicate_key(other)


def test_a_frequent_combination_of_labels_is_a_kind_and_a_rare_one_goes_by_its_rarest_label():
    labels = np.array([[0, 0]] * 100 + [[1, 0]] * 40 + [[1, 1]] * 3)
    kinds = stratum(labels)
    assert len(set(kinds[:100])) == len(set(kinds[100:140])) == len(set(kinds[140:])) == 1
    assert len(set(kinds)) == 3
    assert kinds[142] == "0"  # the second label, the rarest, comes first in the order from rare to frequent


def _labels(rows: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((rows, 6)) < [0.1, 0.01, 0.05, 0.003, 0.05, 0.01]).astype(float)


def test_every_row_is_in_exactly_one_part_of_the_wanted_size():
    parts = split_rows(_labels(2000), np.arange(2000), seed=1)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(2000))
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 1500, "validation": 200, "test": 300}


def test_rows_of_one_group_stay_together_also_when_only_some_rows_are_taken():
    groups = np.random.default_rng(2).integers(0, 700, 2000)
    labels = _labels(2000)
    parts = split_rows(labels, groups, seed=1)
    sides = [set(groups[rows]) for rows in parts.values()]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    chosen = sample_rows(labels, groups, 500, seed=1)
    assert not set(groups[chosen]) & set(np.delete(groups, chosen))
    assert 400 < len(chosen) < 600


def test_asking_for_more_rows_than_there_are_takes_all():
    assert sample_rows(_labels(50), np.arange(50), 80, seed=0).tolist() == list(range(50))


@pytest.mark.parametrize("rows", [20, 37, 60])
def test_a_handful_of_rows_with_single_positives_can_be_split(rows):
    labels = np.zeros((rows, 6))
    labels[:6] = np.eye(6)
    parts = split_rows(labels, np.arange(rows), seed=0)
    assert all(len(part) for part in parts.values())
    assert sum(map(len, parts.values())) == rows


def test_the_key_agrees_with_a_second_way_of_computing_it():
    texts = ["Hello, World! 42", "don't_stop", "Ünïcode — dash", "1.5 °C"]
    for text in texts:
        slow = "".join(sign for sign in text.casefold() if re.match(r"\w", sign) and sign != "_")
        assert near_duplicate_key(text) == slow
