"""The catalogue lists shipped, own and Hub models, and says quickly which of them cannot be used."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from huggingface_hub import constants
from tiny_models import SIX_LABELS, finish_run, make_checkpoint

from milestone2.catalogue import HUB_MODELS, SHIPPED_MODELS, catalogue, find_entry, own_models, why_unavailable
from milestone2.classifier import load_classifier
from milestone2.hub import why_unreachable
from milestone2.space.hub_stand_in import HubStandIn


@pytest.fixture
def empty_places(tmp_path, monkeypatch):
    """No runs anywhere, and an empty cache of the Hub."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("COURSE_MODELS", raising=False)
    monkeypatch.delenv("COURSE_RUNS", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


@contextmanager
def silent_server():
    """Something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_entries_say_what_a_person_wants_to_know():
    for entry in (*SHIPPED_MODELS, *HUB_MODELS):
        assert entry.title and entry.description.endswith(".") and entry.licence and entry.source and entry.size_mb > 0
        assert len(entry.labels) >= 2
    assert len({entry.name for entry in catalogue()}) == len(catalogue())


def test_hub_models_are_pinned_to_a_commit():
    for entry in HUB_MODELS:
        assert re.fullmatch("[0-9a-f]{40}", entry.revision), entry.name
        assert re.fullmatch(r"refs/pr/\d+", entry.weights_revision or "refs/pr/0")


def test_the_issues_models_are_there():
    names = [entry.name for entry in catalogue()]
    assert names[:2] == ["toxicity", "sentiment"]
    assert {
        "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        "cardiffnlp/twitter-roberta-base-sentiment-latest",
        "finiteautomata/bertweet-base-sentiment-analysis",
    } <= set(names)
    assert find_entry("toxicity").labels == SIX_LABELS
    assert find_entry("nothing") is None


@pytest.mark.parametrize("place", ["runs/mine", "mine", "models/mine", "models"])
def test_a_students_checkpoint_is_found_without_editing_code(place, empty_places, monkeypatch):
    folder = finish_run(make_checkpoint(empty_places / "work" / place))
    if place.startswith("models"):
        monkeypatch.setenv("COURSE_MODELS", os.pathsep.join(["nowhere", str(empty_places / "work" / "models")]))
    (entry,) = own_models()
    assert entry in catalogue()
    assert entry.title == f"{folder.name} (yours)" and entry.labels == SIX_LABELS and "minilm" in entry.description
    assert load_classifier(entry.name).score(["a"]).shape == (1, 6)
    assert why_unavailable([entry]) == {}


def test_runs_of_the_notebooks_are_found_once(empty_places, monkeypatch):
    finish_run(make_checkpoint(empty_places / "runs" / "first"))
    monkeypatch.setenv("COURSE_RUNS", str(empty_places / "runs"))
    monkeypatch.setenv("COURSE_MODELS", str(empty_places / "runs" / "first"))
    assert [entry.title for entry in own_models()] == ["first (yours)"]


def test_unfinished_and_damaged_runs_are_left_out(empty_places):
    runs = empty_places / "work" / "runs"
    finish_run(make_checkpoint(runs / "unfinished"), finished=False)
    (finish_run(make_checkpoint(runs / "no-weights")) / "model.safetensors").unlink()
    (finish_run(make_checkpoint(runs / "no-config")) / "config.json").write_text("{")
    (make_checkpoint(runs / "bad-record") / "run.json").write_text("[1]")
    make_checkpoint(runs / "no-record")
    assert own_models() == []


def test_hub_models_are_greyed_out_with_a_reason_when_offline(empty_places, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    reasons = why_unavailable(HUB_MODELS)
    assert set(reasons) == {entry.name for entry in HUB_MODELS}
    assert set(reasons.values()) == {"needs the Hub, and HF_HUB_OFFLINE is set"}


def test_a_downloaded_hub_model_is_available_offline(empty_places, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    name = "models--" + HUB_MODELS[0].name.replace("/", "--")
    snapshot = empty_places / "hub" / name / "snapshots" / HUB_MODELS[0].revision
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").touch()
    assert HUB_MODELS[0].name not in why_unavailable(HUB_MODELS)


def test_a_hub_that_never_answers_is_given_up_after_two_seconds(empty_places, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "*")
    with silent_server() as address:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        start = time.monotonic()
        reasons = why_unavailable(HUB_MODELS)
        print(f"gave up after {time.monotonic() - start:.2f} s")
    assert set(reasons.values()) == {"needs the Hub, which cannot be reached from here now"}
    assert time.monotonic() - start < 10  # generous for a busy computer; one answer a model would be six seconds more


def test_a_name_server_that_hangs_does_not_hold_the_app_up(monkeypatch):
    """No timeout of a connection covers the lookup of a name, so the whole question has one."""
    hang = threading.Event()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def never_found(*_, **__):
        hang.wait(30)
        raise socket.gaierror("not found after all")

    monkeypatch.setattr(socket, "getaddrinfo", never_found)
    start = time.monotonic()
    assert why_unreachable(seconds=0.2)
    assert time.monotonic() - start < 10
    hang.set()


def test_a_hub_that_answers_is_reachable_even_if_it_refuses(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "*")
    with HubStandIn() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        assert why_unreachable(seconds=10) is None


def test_shipped_models_without_files_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr("milestone2.catalogue.adapter_folder", lambda name: tmp_path / name)
    assert set(why_unavailable(SHIPPED_MODELS)) == {"toxicity", "sentiment"}
