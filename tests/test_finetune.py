"""Fine-tuning as a student runs it: real commands, killed, continued, shared between processes, refused.

Most runs use a tiny encoder, so that what takes time is starting Python; the runs are shared between tests.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import DatasetDict
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from milestone2.base import minilm_folder
from milestone2.classifier import Classifier, load_classifier
from milestone3.checkpoints import what_is_missing
from milestone3.comments import LABELS, load_comments
from milestone3.encoding import encode
from milestone3.finetune import finetune, main
from milestone3.metrics import choose_thresholds, mean_roc_auc
from milestone3.model import load_model
from milestone3.processes import start_others
from milestone3.recipe import Recipe
from milestone3.trainer import bf16_is_fast, build_trainer

ROWS = 640  # 480 to train on: 15 steps of 32 in each of the two epochs
# With dropout, the state of the random generators matters; with two epochs, the order of the second one does.
SETTINGS = ("--rows", str(ROWS), "--max-length", "32", "--epochs", "2", "--dropout", "0.1", "--learning-rate", "0.003")
SAVES = ("--saves", "10")  # every 3 steps
TOKEN = "hf_" + "dummy" * 7


def _command(base: Path, output: Path, *more: str) -> list[str]:
    return [sys.executable, *_module(base, output, *more)]


def _module(base: Path, output: Path, *more: str) -> list[str]:
    return ["-m", "milestone3.finetune", "--data", "practice", "--base", str(base), "--output", str(output), *more]


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)


def _require_same_weights(one: Path, other: Path) -> None:
    left, right = load_file(one / "model.safetensors"), load_file(other / "model.safetensors")
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, tiny_base, offline_environment) -> Path:
    output = tmp_path_factory.mktemp("undisturbed") / "my model"
    run = _run(_command(tiny_base, output, *SETTINGS, *SAVES), offline_environment())
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == f"Saved in {output}."
    return output


# --- A whole run ----------------------------------------------------------------------------------------------------


def test_a_run_leaves_a_checkpoint_folder_and_nothing_of_its_way_there(undisturbed):
    expected = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "run.json"}
    assert {path.name for path in undisturbed.iterdir()} == expected
    assert json.loads((undisturbed / "run.json").read_text())["finished"] is True


def test_the_checkpoint_says_what_its_outputs_mean(undisturbed):
    config = json.loads((undisturbed / "config.json").read_text())
    assert config["problem_type"] == "multi_label_classification"
    assert config["id2label"] == {str(number): label for number, label in enumerate(LABELS)}
    assert config["label2id"] == {label: number for number, label in enumerate(LABELS)}
    assert set(config["thresholds"]) == {*LABELS, "any"}


def test_the_checkpoint_is_scored_at_the_length_it_was_trained_at(undisturbed):
    trained_at = int(SETTINGS[SETTINGS.index("--max-length") + 1])
    assert trained_at != Recipe().max_length
    assert load_classifier(undisturbed).max_length == trained_at


def test_the_checkpoint_opens_everywhere_with_the_same_scores(undisturbed):
    texts = ["Thank you for the sources.", "You are a pathetic idiot.", "word " * 20]
    scores = load_classifier(undisturbed).score(texts)
    model = AutoModelForSequenceClassification.from_pretrained(undisturbed).eval()
    batch = AutoTokenizer.from_pretrained(undisturbed)(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        np.testing.assert_allclose(scores, model(**batch).logits.sigmoid().numpy(), atol=1e-6)
    answers = pipeline("text-classification", model=str(undisturbed), top_k=None, device="cpu")(texts)
    for row, answer in zip(scores, answers):
        assert {each["label"]: each["score"] for each in answer} == pytest.approx(dict(zip(LABELS, row)), abs=1e-5)


def test_the_thresholds_are_the_best_on_validation_comments(undisturbed):
    validation = load_comments("practice", rows=ROWS)["validation"]
    classifier = load_classifier(undisturbed)
    classifier.max_length = 32
    expected = choose_thresholds(np.array(validation["labels"][:]), classifier.score(validation["text"][:]))
    np.testing.assert_allclose(classifier.thresholds, expected, atol=1e-3)


# --- Killed and continued -------------------------------------------------------------------------------------------


def _kill_in_the_second_epoch(command: list[str], checkpoints: Path, environment: dict[str, str]) -> None:
    """Kill a run, with no chance to clean up, as soon as it begins to write the second epoch's second checkpoint."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (checkpoints / "checkpoint-21").exists():
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "the run ended before it was killed"


def _half_write(checkpoints: Path) -> None:
    """Make step 27 what a kill in the middle of saving leaves: weights, half an optimizer, and no more."""
    whole = next(path for path in checkpoints.iterdir() if what_is_missing(path) is None)
    broken = shutil.copytree(whole, checkpoints / "checkpoint-27")
    (broken / "trainer_state.json").unlink()
    with (broken / "optimizer.pt").open("r+b") as stream:
        stream.truncate(1000)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_run_is_continued_and_ends_with_the_very_weights_of_an_undisturbed_one(
    undisturbed, tmp_path, tiny_base, offline_environment
):
    output = tmp_path / "run"
    command = _command(tiny_base, output, *SETTINGS, *SAVES)
    _kill_in_the_second_epoch(command, output / "checkpoints", offline_environment())
    assert not (output / "model.safetensors").exists()
    _half_write(output / "checkpoints")
    again = _run(command, offline_environment())
    assert again.returncode == 0, again.stderr
    assert "Passing over checkpoint-27: " in again.stdout
    assert "Going on from checkpoint-18." in again.stdout or "Going on from checkpoint-21." in again.stdout
    _require_same_weights(output, undisturbed)
    assert json.loads((output / "config.json").read_text()) == json.loads((undisturbed / "config.json").read_text())
    assert not (output / "checkpoints").exists()


# --- Two processes --------------------------------------------------------------------------------------------------


def _launch_two(module: list[str], checkpoints: Path, environment: dict[str, str]) -> tuple[str, bool]:
    """Run on two processes; returns the output, and whether the second one had a random state of its own to save."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "2"]
    command = [*launch, "--main_process_port", str(port), *module]
    second_took_part = False
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        with subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT) as run:
            while run.poll() is None:
                second_took_part |= any(checkpoints.glob("checkpoint-*/rng_state_1.pth"))
                time.sleep(0.02)
        log.seek(0)
        output = log.read()
    assert run.returncode == 0, output
    return output, second_took_part


@pytest.mark.skipif(torch.cuda.device_count() == 1, reason="two processes do not share one GPU")
def test_two_processes_learn_the_same_as_one(tmp_path, tiny_base, offline_environment):
    comments = load_comments("practice", rows=ROWS)
    recipe = Recipe(base=str(tiny_base), epochs=1, max_length=32, learning_rate=0.003, saves=3)
    one = finetune(comments, tmp_path / "one", recipe)
    two = tmp_path / "two"
    settings = ("--rows", str(ROWS), "--max-length", "32", "--epochs", "1", "--learning-rate", "0.003", "--saves", "3")
    output, second_took_part = _launch_two(
        _module(tiny_base, two, *settings), two / "checkpoints", offline_environment()
    )
    assert second_took_part
    assert output.count("Saved in ") == 1
    assert {path.name for path in two.iterdir()} == {path.name for path in one.iterdir()}
    texts, labels = comments["validation"]["text"][:], np.array(comments["validation"]["labels"][:])
    scores = [load_classifier(folder).score(texts) for folder in (one, two)]
    # The gradients are means over the same 32 comments, summed in another order.
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-4)
    assert mean_roc_auc(labels, scores[0]) == pytest.approx(mean_roc_auc(labels, scores[1]), abs=0.002)


def test_the_loss_of_a_step_is_the_mean_over_its_parts(tmp_path, tiny_base):
    """A step of 32 comments is computed in two parts of 16; transformers would add up their losses."""
    recipe = Recipe(base=str(tiny_base), epochs=1, max_length=32, learning_rate=1e-9, saves=1)
    model, tokenizer = load_model(recipe)
    comments = load_comments("practice", rows=ROWS)
    parts = DatasetDict({name: comments[name] for name in ("train", "validation")})
    trainer = build_trainer(model, tokenizer, encode(parts, tokenizer, 32), tmp_path, recipe)
    untrained = trainer.evaluate(trainer.train_dataset)["eval_loss"]
    assert untrained == pytest.approx(np.log(2), abs=0.1)  # a new head says about one half to everything
    assert trainer.train().training_loss == pytest.approx(untrained, abs=0.01)


def test_one_process_stays_alone_unless_accelerate_was_asked_for_more(monkeypatch):
    for name in ("MASTER_PORT", "ACCELERATE_MIXED_PRECISION", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert start_others("milestone3.finetune", []) is None
    monkeypatch.setenv("MASTER_PORT", "29500")  # as accelerate leaves the environment
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    assert start_others("milestone3.finetune", []) is None  # the parent of this process is not accelerate
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert start_others("milestone3.finetune", []) is None


# --- Adapters -------------------------------------------------------------------------------------------------------


def test_an_adapter_and_its_merged_checkpoint_score_alike(tmp_path):
    """On MiniLM, by default: also the one run of the real base."""
    output = tmp_path / "lora"
    settings = ["--method", "lora", "--rows", "80", "--max-length", "24", "--epochs", "1", "--saves", "1"]
    assert main(["--data", "practice", *settings, "--output", str(output)]) == 0
    assert (output / "adapter" / "adapter_config.json").exists()
    base = AutoModelForSequenceClassification.from_pretrained(
        minilm_folder(), num_labels=6, problem_type="multi_label_classification", id2label=dict(enumerate(LABELS))
    )
    adapted = PeftModel.from_pretrained(base, output / "adapter")
    on_base = Classifier(adapted, AutoTokenizer.from_pretrained(output), max_length=24)
    texts = load_comments("practice", rows=80)["test"]["text"][:]
    merged = load_classifier(output)
    np.testing.assert_allclose(merged.score(texts), on_base.score(texts), atol=1e-5)
    assert not any("lora" in name for name, _ in merged.model.named_parameters())
    untouched = AutoModelForSequenceClassification.from_pretrained(minilm_folder(), num_labels=6)
    name = "bert.encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(merged.model.get_parameter(name), untouched.get_parameter(name))


# --- Refused --------------------------------------------------------------------------------------------------------


def _require_one_line_error(returned: int, error: str, *expected: str) -> None:
    assert returned == 1
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and error.rstrip().endswith(lines[0])
    assert "Traceback" not in error
    for text in expected:
        assert text in lines[0]


def test_a_folder_that_cannot_be_written_to_is_refused_before_training(tmp_path, tiny_base, capfd):
    (tmp_path / "file").touch()
    output = tmp_path / "file" / "run"
    returned = main(["--base", str(tiny_base), "--rows", "40", "--output", str(output)])
    _require_one_line_error(returned, capfd.readouterr().err, f"{output}: cannot be written to")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("other", [["--seed", "1"], ["--dropout", "0.2"], ["--rows", "600"]])
def test_a_folder_with_another_run_is_left_alone(undisturbed, tiny_base, capfd, other):
    before = {path.name: path.stat().st_mtime_ns for path in undisturbed.iterdir()}
    returned = main(["--base", str(tiny_base), "--output", str(undisturbed), *SETTINGS, *SAVES, *other])
    _require_one_line_error(returned, capfd.readouterr().err, "a run with other settings", "Choose another --output")
    assert {path.name: path.stat().st_mtime_ns for path in undisturbed.iterdir()} == before


def test_more_tokens_than_the_encoder_reads_are_refused_before_training(tmp_path, capfd):
    returned = main(["--rows", "40", "--max-length", "600", "--output", str(tmp_path / "run")])
    _require_one_line_error(returned, capfd.readouterr().err, "at most 512 tokens", "not 600", "--max-length")
    assert list(tmp_path.iterdir()) == []


def test_a_bad_source_is_one_line(tmp_path, capfd):
    returned = main(["--data", str(tmp_path / "missing.csv"), "--output", str(tmp_path / "run")])
    _require_one_line_error(returned, capfd.readouterr().err, "missing.csv: there is no such file")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def failed_upload(undisturbed, tiny_base, offline_environment, tmp_path_factory) -> subprocess.CompletedProcess:
    """The finished run's command again, which leaves the run alone, with an upload to a Hub that does not answer."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    home = str(tmp_path_factory.mktemp("hf"))
    more = {"HF_ENDPOINT": endpoint, "HF_TOKEN": TOKEN, "HF_HUB_OFFLINE": "0", "HF_HOME": home}
    command = _command(tiny_base, undisturbed, *SETTINGS, *SAVES, "--push-to-hub", "someone/my-model")
    return _run(command, offline_environment(**more))


def test_a_finished_run_is_not_trained_again(undisturbed, failed_upload):
    assert f"{undisturbed} holds this finished run already. Delete the folder to train again." in failed_upload.stdout
    assert "train_runtime" not in failed_upload.stdout


def test_an_upload_that_fails_is_one_line_and_shows_no_token(failed_upload):
    _require_one_line_error(failed_upload.returncode, failed_upload.stderr, "The Hub", "cannot be reached")
    assert TOKEN not in failed_upload.stdout + failed_upload.stderr


# --- Precision ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64" or torch.cuda.is_available(),
    reason="compares with what Linux says of an x86 processor",
)
def test_bf16_is_used_where_the_processor_computes_in_it():
    flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[1].splitlines()[0].split()
    assert bf16_is_fast() == bool({"avx512_bf16", "amx_bf16"} & set(flags))


def test_adapters_of_full_rank_begin_as_the_checkpoint_itself_but_for_its_embeddings(undisturbed, tiny_base):
    recipe = Recipe(base=str(tiny_base), method="lora", lora_rank=32, start_from=str(undisturbed))
    adapted, tokenizer = load_model(recipe)
    full = AutoModelForSequenceClassification.from_pretrained(undisturbed).eval()
    with torch.no_grad():  # adapters cannot hold these
        full.bert.embeddings.load_state_dict(
            adapted.base_model.model.bert.embeddings.state_dict()
            | {f"LayerNorm.{key}": full.bert.embeddings.LayerNorm.state_dict()[key] for key in ("weight", "bias")},
            strict=False,
        )
        batch = tokenizer(["Thank you.", "You pathetic idiot."], padding=True, return_tensors="pt")
        torch.testing.assert_close(adapted.eval()(**batch).logits, full(**batch).logits, atol=1e-4, rtol=1e-4)


def test_adapters_of_a_small_rank_come_as_close_as_that_rank_allows(undisturbed, tiny_base):
    recipe = Recipe(base=str(tiny_base), method="lora", lora_rank=4, start_from=str(undisturbed))
    merged = load_model(recipe)[0].merge_and_unload()
    name = "bert.encoder.layer.0.attention.self.query.weight"
    tuned, base = load_file(undisturbed / "model.safetensors")[name], load_file(tiny_base / "model.safetensors")
    sizes = np.linalg.svd((tuned - base[name.removeprefix("bert.")]).numpy(), compute_uv=False)
    distance = np.linalg.norm(merged.get_parameter(name).detach().numpy() - tuned.numpy())
    assert distance == pytest.approx(np.sqrt((sizes[4:] ** 2).sum()), rel=1e-3), "Eckart and Young's bound"


def test_a_start_without_weights_is_refused(tiny_base, tmp_path, capsys):
    arguments = ["--base", str(tiny_base), "--output", str(tmp_path / "run"), "--method", "lora", "--rows", "40"]
    assert main([*arguments, "--start-from", str(tmp_path)]) == 1
    assert "holds no model.safetensors" in capsys.readouterr().err
