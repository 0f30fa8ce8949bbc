"""Models with exactly one label a text: trained with balanced labels, and evaluated by macro recall."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, classification_report
from tiny_models import make_checkpoint
from transformers.utils import ModelOutput

from milestone2.classifier import load_classifier
from milestone3 import sentiment
from milestone3.finetune import main
from milestone3.metrics import choose_offsets, macro_recall
from milestone3.model import load_model, shift_outputs
from milestone3.recipe import Recipe
from milestone3.task import SENTIMENT
from milestone3.trainer import balanced_loss
from milestone3.tweets import load_tweets

WORDS = ("awful", "ordinary", "lovely")


def write_tweets(path, misleading: int):
    """300 sentences, half of them neutral, whose label is told by one word; every so many have a misleading word."""
    labels = [(1, 0, 1, 2)[number % 4] for number in range(300)]
    words = [WORDS[(label + (number % misleading == 0)) % 3] for number, label in enumerate(labels)]
    rows = [f"today number {number} was {word},{label}" for number, (word, label) in enumerate(zip(words, labels))]
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def clean_file(tmp_path_factory):
    return write_tweets(tmp_path_factory.mktemp("tweets") / "clean.csv", misleading=1000)


@pytest.fixture(scope="module")
def tweets_file(tmp_path_factory):
    return write_tweets(tmp_path_factory.mktemp("tweets") / "tweets.csv", misleading=5)


@pytest.fixture(scope="module")
def trained(clean_file, tiny_base, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "feelings"
    settings = ["--epochs", "4", "--learning-rate", "0.02", "--max-length", "16", "--saves", "2"]
    data = ["--task", "sentiment", "--data", str(clean_file), "--base", str(tiny_base)]
    assert main([*data, "--output", str(output), *settings]) == 0
    return output


def test_a_sentiment_run_gives_a_single_label_checkpoint_that_has_learned_the_words(trained):
    classifier = load_classifier(trained)
    assert classifier.labels == ("negative", "neutral", "positive") and not classifier.multi_label
    scores = classifier.score([f"today number 999 was {word}" for word in WORDS])
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
    assert "thresholds" not in json.loads((trained / "config.json").read_text())


def test_the_balanced_loss_is_the_same_in_one_step_and_in_two_halves():
    torch.manual_seed(0)
    logits, labels = torch.randn(8, 3), torch.tensor([0, 1, 1, 1, 1, 1, 2, 2])
    loss = balanced_loss(labels.tolist(), 3)
    whole = loss(ModelOutput(logits=logits), labels, 8)
    halves = sum(loss(ModelOutput(logits=logits[part]), labels[part], 8) for part in (slice(0, 4), slice(4, 8)))
    torch.testing.assert_close(halves, whole)
    # By hand: every label's mean loss counts for a third.
    each = -torch.log_softmax(logits, -1)[torch.arange(8), labels]
    torch.testing.assert_close(whole, torch.stack([each[labels == label].mean() for label in range(3)]).mean())


def test_offsets_find_the_labels_that_a_model_gives_too_rarely():
    generator = np.random.default_rng(0)
    labels = generator.integers(3, size=600)
    logits = np.eye(3)[labels] * 2 + generator.normal(size=(600, 3))
    offsets = choose_offsets(labels, logits - [0, -0.8, 1.0])
    np.testing.assert_allclose(offsets, [0, -0.8, 1.0], atol=0.4)
    shifted = balanced_accuracy_score(labels, (logits - [0, -0.8, 1.0] + offsets).argmax(axis=1))
    assert shifted >= balanced_accuracy_score(labels, logits.argmax(axis=1))
    assert choose_offsets(labels, np.eye(3)[labels]).tolist() == [0, 0, 0], "nothing to gain, nothing shifted"


@pytest.mark.parametrize("method", ["full", "lora"])
def test_shifted_outputs_move_each_logit_by_its_offset_and_survive_merging(method, tiny_base):
    model, tokenizer = load_model(Recipe(base=str(tiny_base), method=method, lora_rank=2), SENTIMENT)
    tokens = tokenizer("today was lovely", return_tensors="pt")
    before = model.eval()(**tokens).logits
    shift_outputs(model, np.array([0, -0.5, 1]))
    torch.testing.assert_close(model(**tokens).logits, before + torch.tensor([0, -0.5, 1]))
    merged = model.merge_and_unload() if method == "lora" else model
    torch.testing.assert_close(merged(**tokens).logits, before + torch.tensor([0, -0.5, 1]), atol=1e-4, rtol=1e-4)


def test_macro_recall_is_scikit_learns_balanced_accuracy():
    generator = np.random.default_rng(0)
    labels, scores = generator.integers(3, size=60), generator.random((60, 3))
    assert macro_recall(labels, scores) == pytest.approx(balanced_accuracy_score(labels, scores.argmax(axis=1)))


@pytest.fixture(scope="module")
def report(trained, tweets_file, tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "report.json"
    assert sentiment.main(["--model", str(trained), "--data", str(tweets_file), "--json", str(file)]) == 0
    return json.loads(file.read_text())


def test_the_report_agrees_with_scikit_learns(report, trained, tweets_file):
    test = load_tweets(tweets_file)["test"]
    labels = test["labels"][:]
    predicted = load_classifier(trained).score(test["text"][:]).argmax(axis=1)
    names = sentiment.SENTIMENT.labels
    expected = classification_report(labels, predicted, target_names=names, output_dict=True, zero_division=0)
    assert report["macro_recall"]["value"] == pytest.approx(expected["macro avg"]["recall"], abs=1e-4)
    assert report["accuracy"]["value"] == pytest.approx(expected["accuracy"], abs=1e-4)
    for name in names:
        assert report["labels"][name]["tweets"] == expected[name]["support"]
        for ours, theirs in {"recall": "recall", "precision": "precision", "f1": "f1-score"}.items():
            assert report["labels"][name][ours]["value"] == pytest.approx(expected[name][theirs], abs=1e-4)


def test_every_figure_lies_in_its_interval_and_the_baselines_are_told(report):
    for figure in (report["macro_recall"], report["accuracy"]):
        assert figure["low"] <= figure["value"] <= figure["high"] and figure["low"] < figure["high"]
    assert report["macro_recall_of_always_neutral"] == pytest.approx(1 / 3)
    assert report["macro_recall_of_tfidf"]["value"] > 0.5


def test_a_model_with_other_labels_is_refused(tmp_path, tweets_file, capsys):
    folder = make_checkpoint(tmp_path / "six")
    assert sentiment.main(["--model", str(folder), "--data", str(tweets_file)]) == 1
    assert "knows the labels toxic" in capsys.readouterr().err
