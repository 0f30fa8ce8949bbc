"""Figures of merit against hand-computed cases, scikit-learn and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from milestone3 import metrics


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Labels of very different rates, and scores that know something about them; some scores are equal."""
    draw = np.random.default_rng(0)
    labels = (draw.random((300, 6)) < [0.5, 0.05, 0.3, 0.02, 0.2, 0.05]).astype(np.float32)
    scores = np.round(1 / (1 + np.exp(-(2 * labels - 1 + draw.normal(0, 1.5, labels.shape)))), 2)
    return labels, scores


def test_the_predecessors_figures_in_a_case_counted_by_hand():
    labels = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 0], [0, 0, 1]])
    scores = np.array([[0.9, 0.1, 0.2], [0.1, 0.6, 0.1], [0.8, 0.7, 0.1], [0.2, 0.1, 0.5]])
    # Given: 1 0 0 / 0 1 0 / 1 1 0 / 0 0 1. Of 12 decisions 10 are right, of 4 comments the last two.
    # 4 labels given rightly, 1 wrongly, 1 missed.
    assert metrics.predecessor_figures(labels, scores) == {
        "label_accuracy": pytest.approx(10 / 12),
        "exact_match": 0.5,
        "micro_precision": pytest.approx(4 / 5),
        "micro_recall": pytest.approx(4 / 5),
    }


def test_the_predecessors_figures_equal_scikit_learns(drawn):
    labels, scores = drawn
    figures = metrics.predecessor_figures(labels, scores, threshold=0.4)
    flat, given = labels.ravel().astype(int), (scores >= 0.4).ravel().astype(int)
    assert figures["label_accuracy"] == pytest.approx(1 - sklearn_metrics.hamming_loss(labels, scores >= 0.4))
    assert figures["exact_match"] == pytest.approx(np.mean([all(row) for row in (scores >= 0.4) == labels]))
    assert figures["micro_precision"] == pytest.approx(sklearn_metrics.precision_score(flat, given))
    assert figures["micro_recall"] == pytest.approx(sklearn_metrics.recall_score(flat, given))


def test_never_giving_a_label_is_no_error():
    figures = metrics.predecessor_figures(np.array([[1, 0]]), np.zeros((1, 2)))
    assert figures["micro_precision"] == figures["micro_recall"] == 0


def test_roc_auc_is_the_chance_that_a_positive_scores_higher_than_a_negative(drawn):
    labels, scores = drawn
    for number, area in enumerate(metrics.roc_auc(labels, scores)):
        positive, negative = (scores[labels[:, number] == side, number] for side in (1, 0))
        differences = positive[:, None] - negative[None, :]
        assert area == pytest.approx((differences > 0).mean() + (differences == 0).mean() / 2)


def test_areas_and_f1_equal_scikit_learns(drawn):
    labels, scores = drawn
    assert metrics.roc_auc(labels, scores) == pytest.approx(sklearn_metrics.roc_auc_score(labels, scores, average=None))
    assert metrics.mean_roc_auc(labels, scores) == pytest.approx(sklearn_metrics.roc_auc_score(labels, scores))
    expected = sklearn_metrics.average_precision_score(labels, scores, average=None)
    assert metrics.average_precision(labels, scores) == pytest.approx(expected)
    thresholds = np.linspace(0.2, 0.8, 6)
    expected = sklearn_metrics.f1_score(labels, scores >= thresholds, average=None)
    assert metrics.f1(labels, scores, thresholds) == pytest.approx(expected)


def test_a_label_without_a_positive_comment_has_no_figure_and_does_not_spoil_the_mean(drawn):
    labels, scores = drawn[0].copy(), drawn[1]
    labels[:, 3] = 0
    others = [0, 1, 2, 4, 5]
    for figure in (metrics.roc_auc, metrics.average_precision, metrics.f1):
        values = figure(labels, scores)
        assert np.isnan(values[3]) and not np.isnan(values[others]).any()
    expected = sklearn_metrics.roc_auc_score(labels[:, others], scores[:, others])
    assert metrics.mean_roc_auc(labels, scores) == pytest.approx(expected)


def test_a_label_that_every_comment_has_has_no_roc_auc():
    assert np.isnan(metrics.roc_auc(np.ones((3, 1)), np.array([[0.1], [0.2], [0.3]]))).all()


def test_the_mean_of_no_area_is_nan():
    assert np.isnan(metrics.mean_roc_auc(np.zeros((3, 2)), np.zeros((3, 2))))


def test_one_label_alone_has_the_same_figures_as_among_others(drawn):
    labels, scores = drawn[0][:, :1], drawn[1][:, :1]
    for figure in (metrics.f1, metrics.roc_auc, metrics.average_precision, metrics.choose_thresholds):
        assert figure(labels, scores) == pytest.approx(figure(*drawn)[:1])
    figures = metrics.predecessor_figures(labels, scores)
    assert figures["micro_recall"] == pytest.approx(sklearn_metrics.recall_score(labels, scores >= 0.5))
    assert metrics.f1(np.zeros((3, 1)), np.zeros((3, 1))).tolist() == pytest.approx([np.nan], nan_ok=True)


def test_chosen_thresholds_have_the_best_f1_of_all_thresholds(drawn):
    labels, scores = drawn
    chosen = metrics.choose_thresholds(labels, scores)
    found = metrics.f1(labels, scores, chosen)
    for number in range(labels.shape[1]):
        tried = np.round(np.linspace(0, 1, 101), 2)  # the scores are rounded to hundredths
        best = max(sklearn_metrics.f1_score(labels[:, number], scores[:, number] >= each) for each in tried)
        assert found[number] == pytest.approx(best)


def test_a_threshold_lies_half_way_between_two_scores():
    labels, scores = np.array([[0], [0], [1], [1]]), np.array([[0.1], [0.2], [0.6], [0.9]])
    assert metrics.choose_thresholds(labels, scores) == pytest.approx([0.4])


def test_a_label_without_a_positive_comment_keeps_one_half():
    assert metrics.choose_thresholds(np.zeros((4, 1)), np.array([[0.1], [0.2], [0.6], [0.9]])).tolist() == [0.5]


def test_six_labels_fold_into_one_question():
    labels, scores = metrics.any_label(np.array([[0, 0], [0, 1]]), np.array([[0.2, 0.3], [0.9, 0.1]]))
    assert labels.tolist() == [[0], [1]]
    assert scores.tolist() == [[0.3], [0.9]]
