"""Shipped models are merged once, whole, by however many processes, and are ordinary checkpoints then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import SIX_LABELS, make_adapter
from transformers import AutoTokenizer, pipeline

from milestone2.base import minilm_folder
from milestone2.classifier import load_classifier
from milestone2.shipped import SHIPPED, adapter_folder, cache_folder, checkpoint_folder, is_whole

TEXTS = ["Thank you for the photographs.", "What a daft idea", "", "naïve café 😀", "long " * 400]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """Folder of an adapter, and its unmerged model."""
    folder = tmp_path_factory.mktemp("adapter")
    return folder, make_adapter(folder)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def start_merging(adapter: Path, cache: Path) -> subprocess.Popen:
    command = (
        "from pathlib import Path; from milestone2.shipped import checkpoint_folder; "
        f"print(checkpoint_folder('toxicity', Path({str(adapter)!r})))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", command],
        env=os.environ | {"COURSE_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_merged_scores_equal_those_of_base_and_adapter_side_by_side(adapter, cache):
    folder, unmerged = adapter
    classifier = load_classifier(checkpoint_folder("toxicity", folder))
    encoded = AutoTokenizer.from_pretrained(minilm_folder())(
        TEXTS, truncation=True, max_length=128, padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = torch.sigmoid(unmerged(**encoded).logits).numpy()
    np.testing.assert_allclose(classifier.score(TEXTS), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-3, "the adapter changes nothing, so this test would prove nothing"


def test_folder_is_an_ordinary_checkpoint(adapter, cache):
    folder = checkpoint_folder("toxicity", adapter[0])
    found = pipeline("text-classification", model=str(folder), top_k=None)(TEXTS[:2])
    ours = load_classifier(folder)
    assert ours.labels == SIX_LABELS and ours.multi_label
    assert ours.thresholds.tolist() == [0.25, 0.5, 0.5, 0.5, 0.5, 0.5]
    for scores, row in zip(found, ours.score(TEXTS[:2])):
        assert {part["label"]: pytest.approx(part["score"], abs=1e-5) for part in scores} == dict(
            zip(ours.labels, row.tolist())
        )


def test_second_use_finds_the_folder_and_is_quick(adapter, cache):
    folder = checkpoint_folder("toxicity", adapter[0])
    written = (folder / "model.safetensors").stat().st_mtime_ns
    start = time.perf_counter()
    load_classifier(checkpoint_folder("toxicity", adapter[0]))
    print(f"second load: {time.perf_counter() - start:.2f} s (wanted: under 2)")
    assert (folder / "model.safetensors").stat().st_mtime_ns == written


def test_another_adapter_gives_another_folder(adapter, cache, tmp_path):
    make_adapter(tmp_path / "other", seed=1)
    first, second = checkpoint_folder("toxicity", adapter[0]), checkpoint_folder("toxicity", tmp_path / "other")
    assert first != second
    assert not np.allclose(load_classifier(first).score(TEXTS), load_classifier(second).score(TEXTS), atol=1e-3)


@pytest.mark.slow
def test_a_killed_process_and_two_at_once_leave_one_whole_folder(adapter, cache):
    killed = start_merging(adapter[0], cache)
    while not (half := list(cache.glob(".draft-*/*"))):
        assert killed.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert half and not list(cache.glob("toxicity-*")), "it was killed too late to test anything"
    abandoned = list(cache.glob(".draft-*"))
    os.utime(abandoned[0], (0, 0))  # as if it had died long ago

    both = [start_merging(adapter[0], cache) for _ in range(2)]
    answers = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(answers) == 1
    folder = Path(answers.pop())
    assert is_whole(folder) and load_classifier(folder).score(["a"]).shape == (1, 6)
    assert [path.name for path in cache.iterdir()] == [folder.name], "drafts were left behind"


def test_a_damaged_folder_is_made_again(adapter, cache):
    folder = checkpoint_folder("toxicity", adapter[0])
    (folder / "model.safetensors").unlink()
    assert is_whole(checkpoint_folder("toxicity", adapter[0]))


def test_full_disk_is_said_in_one_sentence_and_leaves_nothing(adapter, cache):
    resource = pytest.importorskip("resource")  # a size limit gives the same kind of error as a full disk
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(OSError, match="91 MB.*COURSE_CACHE"):
            checkpoint_folder("toxicity", adapter[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(cache.iterdir()) == []


def test_cache_that_is_a_file_is_said_in_one_sentence(adapter, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file"))
    with pytest.raises(OSError, match="cannot be written.*COURSE_CACHE"):
        checkpoint_folder("toxicity", adapter[0])


def test_missing_adapter_names_its_files(cache, tmp_path):
    with pytest.raises(
        FileNotFoundError, match="'toxicity' lacks adapter_config.json, adapter_model.safetensors, config.json"
    ):
        checkpoint_folder("toxicity", tmp_path)


def test_cache_is_the_users_own_by_default(monkeypatch):
    monkeypatch.delenv("COURSE_CACHE", raising=False)
    assert cache_folder().is_relative_to(Path.home()) or "XDG_CACHE_HOME" in os.environ


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_adapter_is_small_names_no_machine_and_loads(name, tmp_path, monkeypatch):
    """The real adapters: at most 6 MB, nobody's paths inside, labels for people."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    assert (adapter_folder(name) / "adapter_model.safetensors").stat().st_size <= 6_000_000
    for file in adapter_folder(name).glob("*.json"):
        assert (
            "/home" not in (text := file.read_text(encoding="utf-8"))
            and "/tmp" not in text
            and "site-packages" not in text
        )
    classifier = load_classifier(name)
    assert classifier.multi_label == (name == "toxicity")
    good, bad = classifier.score(["Thank you, this is lovely.", "You are a stupid idiot and I hate you."])
    number = classifier.labels.index("toxic" if name == "toxicity" else "negative")
    assert good[number] < 0.3 < 0.7 < bad[number]
