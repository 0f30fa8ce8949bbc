"""A LoRA run becomes a model that ships: small, without traces of a machine, with a card of the Hub's form."""

from __future__ import annotations

import json

import pytest
import torch
from huggingface_hub import ModelCard
from peft import LoraConfig
from safetensors.torch import load_file, save_file
from tiny_models import SIX_LABELS, make_adapter

from milestone2.classifier import load_classifier
from milestone2.shipped import SHIPPED, adapter_folder, checkpoint_folder
from milestone3.measured import measured
from milestone3.ship import BASE, write_adapter, write_card

TEXTS = ["Thank you for the photographs.", "What a daft idea"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What `milestone3.finetune --method lora` leaves, with random weights."""
    folder = tmp_path_factory.mktemp("run")
    make_adapter(folder / "adapter")
    (folder / "adapter" / "config.json").rename(folder / "config.json")
    return folder


def test_the_shipped_adapter_scores_like_the_run_with_half_the_bytes(run, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    write_adapter(run, tmp_path / "shipped")
    before, after = run / "adapter" / "adapter_model.safetensors", tmp_path / "shipped" / "adapter_model.safetensors"
    assert after.stat().st_size < 0.55 * before.stat().st_size
    assert {weight.dtype for weight in load_file(after).values()} == {torch.float16}
    (run / "adapter" / "config.json").write_text((run / "config.json").read_text())
    ours, theirs = (
        load_classifier(checkpoint_folder("toxicity", folder)).score(TEXTS)
        for folder in (tmp_path / "shipped", run / "adapter")
    )
    assert abs(ours - theirs).max() < 2e-3


def settings(config: LoraConfig) -> dict:
    """All settings but the version of peft; of a list, what is in it."""
    every = config.to_dict() | {"peft_version": None}
    return {name: set(value) if isinstance(value, (list, set)) else value for name, value in every.items()}


def test_its_files_name_the_base_as_the_hub_does(run, tmp_path):
    write_adapter(run, tmp_path)
    found = LoraConfig.from_pretrained(str(tmp_path))
    assert found.base_model_name_or_path == BASE
    trained = LoraConfig.from_pretrained(str(run / "adapter"))
    trained.base_model_name_or_path, trained.inference_mode = BASE, True
    assert settings(found) == settings(trained), "a setting that differs from peft's default was left out"
    config = json.loads((tmp_path / "config.json").read_text())
    assert tuple(config["id2label"].values()) == SIX_LABELS and config["thresholds"]


def test_a_run_without_an_adapter_and_one_that_is_too_large_are_refused(run, tmp_path):
    with pytest.raises(FileNotFoundError, match="--method lora"):
        write_adapter(tmp_path, tmp_path / "shipped")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "config.json").write_text("{}")
    save_file({"weight": torch.zeros(3_100_000)}, tmp_path / "adapter" / "adapter_model.safetensors")
    with pytest.raises(ValueError, match="6.2 MB.*--lora-rank"):
        write_adapter(tmp_path, tmp_path / "shipped")
    assert not (tmp_path / "shipped").exists()


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_shows_what_was_measured_in_the_hubs_form(name, tmp_path):
    """The committed card is what the template and the report give, and the Hub's library reads its front matter."""
    shipped = adapter_folder(name)
    for file in shipped.glob("adapter*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    write_card(name, measured(name), tmp_path)
    assert (tmp_path / "README.md").read_text() == (shipped / "README.md").read_text(encoding="utf-8")
    data = ModelCard.load(shipped / "README.md").data
    assert data.base_model == BASE and data.license == "mit" and data.pipeline_tag == "text-classification"
    report = measured(name)
    main = report["labels"]["mean"]["roc_auc"] if name == "toxicity" else report["macro_recall"]["value"]
    assert data.eval_results[0].metric_value == main


def test_the_shipped_models_are_as_good_as_the_course_wants():
    toxicity, sentiment = measured("toxicity"), measured("sentiment")
    assert toxicity["labels"]["mean"]["roc_auc"] >= 0.984
    assert toxicity["any_label"]["f1"] >= 0.79  # 0.82 is wanted
    assert sentiment["macro_recall"]["value"] >= 0.66
