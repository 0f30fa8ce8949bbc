"""The benchmark of inference compares equal scores, and says what it measured."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny_models import make_checkpoint

from benchmarks.inference import main, require_equal
from milestone2.classifier import load_classifier


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


def test_it_prints_a_table_and_writes_the_same_numbers(checkpoint, tmp_path, capsys):
    options = ["--model", str(checkpoint), "--rows", "6", "--repeats", "1", "--json", str(tmp_path / "out.json")]
    assert main(options) == 0
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["texts"] == 6 and result["click_ratio"] > 0
    assert result["texts_ratio"]["score"] == pytest.approx(
        result["texts_per_second"]["score"] / result["texts_per_second"]["loop"], rel=0.1
    )
    printed = capsys.readouterr().out
    assert "50 x" in printed and "4 x" in printed and f"{result['click_kept_ms']:.1f}" in printed


def test_ways_that_say_different_things_are_not_compared(checkpoint):
    classifier = load_classifier(checkpoint)
    other = [[{"score": score} for score in np.zeros(len(classifier.labels))]]
    with pytest.raises(ValueError, match="cannot be compared"):
        require_equal(classifier, other, ["a text"])


def test_a_misspelt_model_is_one_line(capsys):
    assert main(["--model", "toxcity"]) == 1
    assert "Did you mean 'toxicity'" in capsys.readouterr().err
