"""Building the page: libraries by lock file, models with their sizes, and a folder that is whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from exported_models import THRESHOLDS
from tiny_models import SIX_LABELS, make_checkpoint

from milestone2.export import export
from milestone2.space.page import SOURCE, build_page


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("tiny"), thresholds=THRESHOLDS)


@pytest.fixture(scope="module")
def exported(tiny, tmp_path_factory) -> Path:
    return export(tiny, tmp_path_factory.mktemp("exports") / "tiny")


def test_the_lock_file_names_no_host():
    for name in ("package.json", "package-lock.json", "vendor.json"):
        text = (SOURCE / name).read_text(encoding="utf-8")
        assert "://" not in text and "resolved" not in text


def test_without_npm_the_builder_says_what_to_install(exported, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="Install Node.js"):
        build_page(tmp_path / "page", {"toxicity": exported})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.browser
def test_a_second_build_replaces_the_first_and_needs_no_network(exported, tmp_path, monkeypatch):
    page = build_page(tmp_path / "page", {"toxicity": exported, "other": exported})
    libraries = {path.name: path.read_bytes() for path in (page / "vendor").iterdir()}
    monkeypatch.setenv("npm_config_offline", "true")
    build_page(page, {"toxicity": exported})
    assert {path.name: path.read_bytes() for path in (page / "vendor").iterdir()} == libraries
    assert [path.name for path in (page / "models").iterdir()] == ["toxicity"]
    assert list(tmp_path.iterdir()) == [page]


@pytest.mark.browser
def test_the_list_of_models_has_what_the_page_needs_before_it_downloads_them(exported, tmp_path):
    page = build_page(tmp_path / "page", {"toxicity": exported})
    listed = json.loads((page / "models.json").read_text(encoding="utf-8"))
    (model,) = listed["models"]
    assert (model["name"], tuple(model["labels"]), model["max_length"]) == ("toxicity", SIX_LABELS, 128)
    assert model["thresholds"] == THRESHOLDS and model["problem_type"] == "multi_label_classification"
    assert [file["precision"] for file in model["files"]] == ["int8"]
    for file in (listed["runtime"], model["tokenizer"], model["tokenizer_config"], *model["files"]):
        assert (page / file["path"]).stat().st_size == file["bytes"]
    assert any("*" in example["shown"] for example in model["examples"])


@pytest.mark.browser
def test_an_earlier_page_stays_when_a_build_fails(exported, tmp_path, monkeypatch):
    page = build_page(tmp_path / "page", {"toxicity": exported})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        build_page(page, {"other": exported})
    assert [path.name for path in (page / "models").iterdir()] == ["toxicity"]
    assert list(tmp_path.iterdir()) == [page]


def test_models_that_the_page_cannot_hold_are_refused(exported, tiny, tmp_path):
    with pytest.raises(ValueError, match="at least one model"):
        build_page(tmp_path / "page", {})
    with pytest.raises(ValueError, match="cannot be part of an address"):
        build_page(tmp_path / "page", {"../up": exported})
    with pytest.raises(FileNotFoundError, match="not an exported model"):
        build_page(tmp_path / "page", {"toxicity": tiny})
