"""Export to int8 ONNX: the same scores as PyTorch, and never half a folder."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from exported_models import FIFTY_TEXTS, THRESHOLDS, make_minilm_checkpoint
from safetensors.numpy import load_file, save_file
from tiny_models import SIX_LABELS, make_checkpoint

from milestone2.classifier import load_classifier
from milestone2.export import PARITY_TEXTS, export, main
from milestone2.onnx_classifier import FULL_PRECISION_FILE, MODEL_FILE, OnnxClassifier
from milestone2.quantize import to_blocks
from milestone2.whole_folder import ABANDONED_AFTER_SECONDS, written_whole

LAYOUT = {"config.json", "tokenizer.json", "tokenizer_config.json", MODEL_FILE}
SENTIMENTS = ("negative", "neutral", "positive")


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("tiny"), thresholds=THRESHOLDS)


@pytest.fixture(scope="module")
def exported(tiny, tmp_path_factory) -> tuple[Path, str]:
    """A tiny export made by the command line, with what it printed."""
    folder, said = tmp_path_factory.mktemp("exports") / "tiny", io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["--model", str(tiny), "--output", str(folder)]) == 0
    return folder, said.getvalue()


def test_has_the_layout_of_transformers_js_and_keeps_what_the_checkpoint_knew(exported, tiny):
    folder, _ = exported
    assert set(files_in(folder)) == LAYOUT
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["thresholds"] == THRESHOLDS
    assert tuple(config["id2label"][str(number)] for number in range(6)) == SIX_LABELS
    assert config["problem_type"] == "multi_label_classification" and config["max_tokens"] == 128
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    assert tokenizer["truncation"] is None and tokenizer["padding"] is None
    assert str(tiny) not in "".join((folder / name).read_text(encoding="utf-8") for name in LAYOUT - {MODEL_FILE})


def test_says_its_size_and_its_difference_from_pytorch(exported, tiny):
    folder, said = exported
    difference = np.abs(OnnxClassifier(folder).score(PARITY_TEXTS) - load_classifier(tiny).score(PARITY_TEXTS)).max()
    assert f"{(folder / MODEL_FILE).stat().st_size / 1e6:.1f} MB" in said
    assert f"{difference:.4f}" in said


def test_weights_are_stored_as_int8_with_the_standard_operators_alone(exported):
    model = onnx.load(exported[0] / MODEL_FILE)
    sizes = {onnx.TensorProto.INT8: 0, onnx.TensorProto.FLOAT: 0}
    for weight in model.graph.initializer:
        if weight.data_type in sizes:
            sizes[weight.data_type] += int(np.prod(weight.dims))
    assert sizes[onnx.TensorProto.INT8] >= 30_522 * 32  # the word embedding
    assert sizes[onnx.TensorProto.FLOAT] < 0.1 * sizes[onnx.TensorProto.INT8]
    assert {node.domain for node in model.graph.node} == {""}


@pytest.mark.parametrize("shape, axis", [((128, 6), 0), ((6, 128), 1), ((30, 5), 0), ((64, 64), 1)])
def test_blocks_are_within_half_a_step_of_the_matrix(shape, axis):
    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    matrix[:, 0] = 0  # a block of zeros must not divide by zero
    numbers, scales = to_blocks(matrix, axis)
    assert numbers.dtype == np.int8 and numbers.ndim == 3
    restored = (numbers * scales).reshape(shape)
    step = np.broadcast_to(scales, numbers.shape).reshape(shape)
    assert (np.abs(restored - matrix) <= step / 2 + 1e-7).all()


def test_minilm_takes_26_mb_and_scores_as_pytorch_does_within_a_hundredth(tmp_path):
    checkpoint = make_minilm_checkpoint(tmp_path / "checkpoint")
    folder = export(checkpoint, tmp_path / "exported", full_precision=True)
    expected = load_classifier(checkpoint).score(FIFTY_TEXTS)
    assert (folder / MODEL_FILE).stat().st_size < 26e6
    assert np.abs(OnnxClassifier(folder).score(FIFTY_TEXTS) - expected).max() < 0.01
    assert np.abs(OnnxClassifier(folder, FULL_PRECISION_FILE).score(FIFTY_TEXTS) - expected).max() < 1e-4
    assert expected.std(axis=0).min() > 0.05  # or any model would pass


def test_scores_do_not_depend_on_order_batch_or_neighbours(exported):
    classifier = OnnxClassifier(exported[0])
    together = classifier.score(FIFTY_TEXTS, batch_size=7)
    alone = np.concatenate([classifier.score([text]) for text in FIFTY_TEXTS])
    assert together.dtype == np.float32 and together.shape == (50, 6)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert classifier.score([]).shape == (0, 6)


def test_an_exported_classifier_has_the_attributes_and_the_errors_of_a_classifier(exported, tiny):
    ours, theirs = OnnxClassifier(exported[0]), load_classifier(tiny)
    assert (ours.labels, ours.multi_label, ours.max_length) == (theirs.labels, theirs.multi_label, theirs.max_length)
    np.testing.assert_array_equal(ours.thresholds, theirs.thresholds)
    with pytest.raises(TypeError, match="list of texts"):
        ours.score("one text")
    with pytest.raises(FileNotFoundError, match="milestone2.export"):
        OnnxClassifier(tiny)


def test_single_label_models_give_rows_that_sum_to_one(tmp_path):
    checkpoint = make_checkpoint(tmp_path / "checkpoint", SENTIMENTS, multi_label=False)
    exported = OnnxClassifier(export(checkpoint, tmp_path / "exported"))
    scores = exported.score(FIFTY_TEXTS)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert exported.labels == SENTIMENTS and not exported.multi_label
    assert np.abs(scores - load_classifier(checkpoint).score(FIFTY_TEXTS)).max() < 0.05


def test_a_missing_package_is_named_in_one_sentence(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxscript", None)  # as Python sees a package that is not installed
    assert main(["--model", str(tiny), "--output", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "python -m pip install onnxscript" in said and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_exported_truly_is_not_exported(tiny, tmp_path):
    broken = shutil.copytree(tiny, tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    weights["classifier.bias"] = weights["classifier.bias"] * np.float32("nan")
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="Nothing was written"):
        export(broken, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


def test_never_replaces_what_it_did_not_write(tiny, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["--model", str(tiny), "--output", str(tmp_path)]) == 1
    assert "holds something else" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_an_export_that_fails_half_way_leaves_the_earlier_one_as_it_was(exported, tiny, tmp_path):
    import resource

    earlier = shutil.copytree(exported[0], tmp_path / "out")
    before, limits = files_in(earlier), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, limits[1]))  # the model takes more: a full disk
    try:
        with pytest.raises(OSError):
            export(tiny, earlier)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files_in(earlier) == before
    assert list(tmp_path.iterdir()) == [earlier]


def test_a_killed_export_leaves_no_half_folder_and_the_next_one_cleans_up(tiny, tmp_path, offline_environment):
    output = tmp_path / "out"
    command = [sys.executable, "-m", "milestone2.export", "--model", str(tiny), "--output", str(output)]
    process = subprocess.Popen(command, env=offline_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list(tmp_path.glob(".out.draft-*/new/tokenizer.json")):
        time.sleep(0.01)
    process.kill()
    assert process.wait() != 0 and not output.exists()
    (draft,) = tmp_path.iterdir()
    long_ago = time.time() - 2 * ABANDONED_AFTER_SECONDS
    os.utime(draft, (long_ago, long_ago))
    export(tiny, output)
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and set(files_in(output)) == LAYOUT


def test_the_draft_of_a_run_that_is_still_at_work_is_left_alone(tmp_path):
    def anything(_):
        return True

    with written_whole(tmp_path / "out", anything) as first, written_whole(tmp_path / "out", anything) as second:
        (first / "a").write_text("1")
        (second / "a").write_text("2")
    assert (tmp_path / "out" / "a").read_text() == "1"  # the one that ended last
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
