"""The classifier scores whatever it is given, and says in one sentence what it cannot load."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_models import make_checkpoint
from transformers import AutoModel, BertConfig, pipeline

from milestone2.catalogue import find_entry
from milestone2.classifier import human_labels, load_classifier
from milestone2.space.hub_stand_in import HubStandIn
from milestone2.space.hub_stand_in.state import Commit, Repository

ODD_TEXTS = {
    "empty": "",
    "spaces": "   \t\n",
    "emoji": "👩‍👩‍👧 🤬🤬 👍🏽",
    "right to left": "هذا تعليق لطيف وشكرا לך",
    "NUL": "a\0b\0",
    "lone surrogate": "broken \ud83d export",
    "combining": "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳",
    "one megabyte": "word " * 200_000,
    "one long word": "a" * 50_000,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return make_checkpoint(tmp_path_factory.mktemp("many"), thresholds={"threat": 0.1})


@pytest.fixture(scope="module")
def many(checkpoint):
    return load_classifier(checkpoint)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return load_classifier(make_checkpoint(tmp_path_factory.mktemp("one"), ("NEG", "NEU", "POS"), multi_label=False))


def test_scores_equal_those_of_the_pipeline_one_text_at_a_time(checkpoint, many):
    texts = ["Thank you", "x " * 300, "", "A longer sentence than the first one, you see.", "no"] * 5
    scorer = pipeline("text-classification", model=str(checkpoint), top_k=None, truncation=True, max_length=128)
    expected = [{part["label"]: part["score"] for part in scorer([text])[0]} for text in texts]
    expected = np.array([[scores[label] for label in many.labels] for scores in expected])
    np.testing.assert_allclose(many.score(texts, batch_size=4), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.05, "all texts score alike, so a wrong order would not be seen"


def test_scores_are_float32_and_rows_sum_to_one_for_single_label_models_only(one, many):
    texts = ["a", "bad", "good day to you"]
    assert one.score(texts).dtype == many.score(texts).dtype == np.float32
    assert one.score(texts).shape == (3, 3) and many.score(texts).shape == (3, 6)
    np.testing.assert_allclose(one.score(texts).sum(axis=1), 1, atol=1e-6)
    assert (abs(many.score(texts).sum(axis=1) - 1) > 1e-3).all()
    assert not one.multi_label and many.multi_label


def test_labels_and_thresholds(one, many):
    assert one.labels == ("negative", "neutral", "positive")
    assert many.thresholds.tolist() == [0.5, 0.5, 0.5, 0.1, 0.5, 0.5]


@pytest.mark.parametrize("kind", ODD_TEXTS)
def test_odd_texts_get_probabilities(many, kind):
    scores = many.score([ODD_TEXTS[kind], "plain"])
    assert scores.shape == (2, 6) and ((scores >= 0) & (scores <= 1)).all()
    np.testing.assert_allclose(scores[1:], many.score(["plain"]), atol=1e-6)


def test_no_texts_give_no_rows(many):
    assert many.score([]).shape == (0, 6) and many.score([]).dtype == np.float32
    assert many.truncated([]).shape == (0,)


def test_ten_thousand_texts_keep_their_order(many):
    texts = [f"text {number % 97} " + "word " * (number % 13) for number in range(10_000)]
    scores = many.score(texts)
    for number in (0, 1, 4_999, 9_999):
        np.testing.assert_allclose(scores[number], many.score([texts[number]])[0], atol=1e-5)


def test_columns_of_pandas_and_arrays_of_numpy_are_lists_of_texts(many):
    texts = ["a", "b c"]
    expected = many.score(texts)
    np.testing.assert_array_equal(many.score(pd.Series(texts, index=[7, 3])), expected)
    np.testing.assert_array_equal(many.score(np.array(texts)), expected)
    np.testing.assert_array_equal(many.score(tuple(texts)), expected)


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ("a text", "takes a list of texts.*'a text'.*list"),
        (b"bytes", "takes a list"),
        (5, "takes a list of texts.*not 5"),
        (["fine", 3.5], "number 1 is 3.5, of type float.*str()"),
        (["fine", None], "number 1 is None"),
        ([["nested"]], "number 0 is .*list"),
        (pd.Series(["a", np.nan]), "number 1 is nan"),
    ],
)
def test_what_is_not_a_list_of_texts_is_said_with_its_place(many, texts, sentence):
    with pytest.raises(TypeError, match=sentence):
        many.score(texts)


def test_long_texts_say_that_they_are_cut(many):
    exactly = "word " * (many.max_length - 2)  # with [CLS] and [SEP] just as long as allowed
    assert many.truncated(["short", exactly, exactly + "more"]).tolist() == [False, False, True]
    np.testing.assert_array_equal(many.score([exactly + "more"]), many.score([exactly + "other words entirely"]))


def test_a_checkpoint_can_choose_its_length(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "copy")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_tokens": 16}))
    assert load_classifier(folder).max_length == 16


def test_threads_of_an_app_can_score_at_once(many):
    """Asking for scores and for cut texts sets the tokenizer to two lengths, which threads must not do at once."""
    texts = ["word " * number for number in range(1, 200)]
    scores, truncated = many.score(texts), many.truncated(texts)

    def both(_):
        return many.score(texts), many.truncated(texts)

    with ThreadPoolExecutor(8) as pool:
        for found, cut in pool.map(both, range(24)):
            np.testing.assert_allclose(found, scores, atol=1e-6)
            np.testing.assert_array_equal(cut, truncated)


@pytest.mark.parametrize(
    ("written", "known", "expected"),
    [
        (("LABEL_0", "LABEL_1", "LABEL_2"), ("negative", "neutral", "positive"), ("negative", "neutral", "positive")),
        (("LABEL_0", "LABEL_1"), (), ("LABEL_0", "LABEL_1")),
        (("NEG", "NEU", "POS"), (), ("negative", "neutral", "positive")),
        (("NEGATIVE", "POSITIVE"), ("x", "y"), ("negative", "positive")),
        (("Toxic", "identity_hate"), (), ("Toxic", "identity_hate")),
    ],
)
def test_label_names_are_for_people(written, known, expected):
    assert human_labels(BertConfig(id2label=dict(enumerate(written)), num_labels=len(written)), known) == expected


@pytest.mark.parametrize(
    ("missing", "named"), [("tokenizer.json", "a tokenizer"), ("model.safetensors", "model.safetensors")]
)
def test_unfinished_folder_names_what_it_lacks(checkpoint, tmp_path, missing, named):
    folder = shutil.copytree(checkpoint, tmp_path / "copy")
    (folder / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"not a finished checkpoint: it lacks {named}.*--output"):
        load_classifier(folder)


def test_damaged_weights_and_other_kinds_of_model_are_said(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "cut")
    os.truncate(folder / "model.safetensors", 1000)
    with pytest.raises(OSError, match="weights are damaged"):
        load_classifier(folder)
    folder = shutil.copytree(checkpoint, tmp_path / "encoder")
    AutoModel.from_pretrained(checkpoint).save_pretrained(folder)
    with pytest.raises(ValueError, match="not a text classifier.*BertModel"):
        load_classifier(folder)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("toxcity", "no model and no folder named 'toxcity'. Did you mean 'toxicity'?"),
        ("zzz", "no model and no folder named 'zzz'. Give 'sentiment'"),
        (Path("no/where"), "no model and no folder named 'no.where'"),
        ("https://example.org/x/y", "no model and no folder"),
    ],
)
def test_misspelt_names_get_a_hint(name, sentence):
    with pytest.raises(FileNotFoundError, match=sentence.replace("?", r"\?")):
        load_classifier(name)


def test_a_number_is_no_name():
    with pytest.raises(TypeError, match="not 5"):
        load_classifier(5)


# ---- the Hub, as a stand-in on this computer

PINNED = "cardiffnlp/twitter-roberta-base-sentiment-latest"
LOAD_ALL = """
import json, sys
from milestone2.classifier import load_classifier
answers = {}
for name in sys.argv[1:]:
    try:
        classifier = load_classifier(name)
        answers[name] = ["scores", classifier.labels, classifier.score(["good", "bad day"]).tolist()]
    except Exception as error:
        answers[name] = [type(error).__name__, str(error)]
print(json.dumps(answers))
"""


def load_in_a_process(names: list[str], environment: dict[str, str], first: str = "") -> dict:
    """What `load_classifier` gives for each name, in a process that has run `first` before."""
    command = [sys.executable, "-c", first + LOAD_ALL, *names]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def read_files(folder: Path, *names: str) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names}


def commit(*files: dict[str, bytes], pinned: str | None = None) -> Commit:
    every = {name: content for part in files for name, content in part.items()}
    return Commit("made", "someone", every, None, pinned=pinned)


def proposal(number: int, title: str) -> dict:
    """A pull request of the Hub's converter, as the Hub lists it."""
    about = {"num": number, "title": title, "status": "open", "isPullRequest": True}
    made = {"author": {"name": "SFconvertbot"}, "createdAt": "2024-01-01T00:00:00.000Z"}
    return {**about, **made, "repo": {"name": "someone/converted", "type": "model"}}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A Hub, not started yet, of models that are all the same small one."""
    folder = make_checkpoint(tmp_path_factory.mktemp("hub"), ("LABEL_0", "LABEL_1", "LABEL_2"), multi_label=False)
    described = read_files(folder, "config.json", "tokenizer.json", "tokenizer_config.json")
    weights = read_files(folder, "model.safetensors")
    pickled = {"pytorch_model.bin": b"\x80\x04cos\nsystem\n"}
    code = {"modeling.py": b"raise SystemExit('this code must never run')"}
    bad = make_checkpoint(tmp_path_factory.mktemp("bad"), ("wrong", "revision"), multi_label=False)
    newest = read_files(bad, "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")
    entry = find_entry(PINNED)
    hub = HubStandIn()

    def add(name: str, newest: Commit, **more) -> None:
        hub.repositories["model", name] = Repository("model", name, False, [newest], **more)

    pinned = commit(described, pickled, pinned=entry.revision)
    add(PINNED, commit(newest), branches={entry.revision: pinned, entry.weights_revision: commit(weights)})
    add("someone/plain", commit(described, weights, code, pickled))
    proposals = [proposal(2, "Update README.md"), proposal(3, "Adding `safetensors` variant of this model")]
    converted = {"refs/pr/3": commit(weights)}
    add("someone/converted", commit(described, pickled), branches=converted, discussions=proposals)
    add("someone/pickle", commit(described, pickled))
    add("someone/gated", commit(described, weights), gated=True)
    return hub


@pytest.fixture(scope="module")
def answers(hub, tmp_path_factory):
    """Answers online, what was asked of the Hub, and answers of a second process offline with the same cache."""
    names = [*(name for _, name in hub.repositories), "someone/missing", "toxicty/toxicity"]
    with hub:
        environment = hub.environment(tmp_path_factory.mktemp("cache"))
        online = load_in_a_process(names, environment)
    asked = [request.path for request in hub.requests]
    return online, asked, load_in_a_process(names, environment)


def test_hub_models_load_at_the_catalogues_revision_with_its_labels(answers):
    kind, labels, scores = answers[0][PINNED]
    assert (kind, labels) == ("scores", ["negative", "neutral", "positive"])
    assert np.allclose(np.sum(scores, axis=1), 1)


def test_other_hub_models_load_too_and_their_safetensors_may_be_a_conversion(answers):
    assert answers[0]["someone/plain"][0] == answers[0]["someone/converted"][0] == "scores"
    assert answers[0]["someone/plain"][2] == answers[0]["someone/converted"][2]


def test_neither_pickles_nor_code_are_ever_downloaded(answers):
    assert any("model.safetensors" in request for request in answers[1])
    assert not [request for request in answers[1] if "pytorch_model" in request or ".py" in request]


def test_hub_refusals_are_one_sentence_each(answers):
    online = answers[0]
    assert online["someone/gated"][0] == "PermissionError"
    assert "is gated: accept its conditions" in online["someone/gated"][1] and "HF_TOKEN" in online["someone/gated"][1]
    assert online["someone/pickle"][0] == "FileNotFoundError" and "pickle can run code" in online["someone/pickle"][1]
    assert online["someone/missing"][0] == "FileNotFoundError" and "Check the spelling" in online["someone/missing"][1]
    assert not [answer for answer in online.values() if "\n" in str(answer[1])]


def test_downloaded_models_load_without_the_hub_and_others_say_that_it_is_gone(answers):
    online, _, offline = answers
    for name in (PINNED, "someone/plain", "someone/converted"):
        assert offline[name] == online[name]
    for name in ("someone/missing", "someone/pickle"):  # nothing and a part of it are on this computer
        assert offline[name][0] == "ConnectionError"
        assert "cannot be reached" in offline[name][1] and "\n" not in offline[name][1]


def test_full_disk_during_a_download_is_said(hub, tmp_path):
    pytest.importorskip("resource")
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000,) * 2)\n"
    with hub:
        found = load_in_a_process(["someone/plain"], hub.environment(tmp_path), first=limited)
    kind, message = found["someone/plain"]
    assert kind == "OSError" and "disk" in message and "HF_HOME" in message and "\n" not in message


def test_scoring_leaves_no_gradients_behind(many):
    many.score(["a"])
    assert all(parameter.grad is None for parameter in many.model.parameters())
    assert torch.is_grad_enabled()
