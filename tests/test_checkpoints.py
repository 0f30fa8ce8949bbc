"""Which checkpoint is whole, and is there room for more?"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from datasets import DatasetDict

from milestone3.checkpoints import last_complete_checkpoint, require_room, what_is_missing
from milestone3.comments import load_comments
from milestone3.encoding import encode
from milestone3.model import load_model
from milestone3.recipe import Recipe
from milestone3.trainer import build_trainer


@pytest.fixture(scope="module")
def real_checkpoint(tmp_path_factory, tiny_base) -> Path:
    """A checkpoint that a real, short training run wrote."""
    folder = tmp_path_factory.mktemp("run")
    recipe = Recipe(base=str(tiny_base), epochs=1, max_length=32, saves=1)
    model, tokenizer = load_model(recipe)
    comments = load_comments("practice", rows=48)
    parts = DatasetDict({part: comments[part] for part in ("train", "validation")})
    build_trainer(model, tokenizer, encode(parts, tokenizer, 32), folder, recipe).train()
    return next(folder.glob("checkpoint-*"))


FILES = (
    "config.json", "model.safetensors", "optimizer.pt", "rng_state.pth", "scheduler.pt", "tokenizer.json",
    "tokenizer_config.json", "trainer_state.json", "training_args.bin",
)  # fmt: skip


def test_a_whole_checkpoint_lacks_nothing_and_holds_the_files_that_are_cut_below(real_checkpoint):
    assert what_is_missing(real_checkpoint) is None
    assert sorted(path.name for path in real_checkpoint.iterdir()) == sorted(FILES)


@pytest.fixture
def two_checkpoints(real_checkpoint, tmp_path) -> tuple[Path, Path]:
    """Copies of the real checkpoint as steps 9 and 10."""
    copies = []
    for step in (9, 10):
        copy = shutil.copytree(real_checkpoint, tmp_path / f"checkpoint-{step}")
        state = json.loads((copy / "trainer_state.json").read_text())
        (copy / "trainer_state.json").write_text(json.dumps(state | {"global_step": step}))
        copies.append(copy)
    return tuple(copies)


def test_the_newest_is_found_by_its_number_not_by_its_name(two_checkpoints, tmp_path):
    assert last_complete_checkpoint(tmp_path) == two_checkpoints[1]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_checkpoint_with_a_file_cut_off_is_named_and_passed_over(two_checkpoints, tmp_path, capsys, name, share):
    older, newer = two_checkpoints
    content = (newer / name).read_bytes()
    (newer / name).write_bytes(content[: int(share * len(content))])
    assert last_complete_checkpoint(tmp_path) == older
    assert capsys.readouterr().out == f"Passing over checkpoint-10: {name} is cut off.\n"


NEEDED = ("model.safetensors", "optimizer.pt", "rng_state.pth", "scheduler.pt", "trainer_state.json")


@pytest.mark.parametrize("name", NEEDED)
def test_a_checkpoint_without_a_needed_file_is_passed_over(two_checkpoints, tmp_path, capsys, name):
    older, newer = two_checkpoints
    (newer / name).unlink()
    assert last_complete_checkpoint(tmp_path) == older
    assert "Passing over checkpoint-10: " in capsys.readouterr().out


def test_a_checkpoint_of_another_step_is_passed_over(two_checkpoints, tmp_path):
    older, newer = two_checkpoints
    shutil.copy(older / "trainer_state.json", newer / "trainer_state.json")
    assert last_complete_checkpoint(tmp_path) == older


def test_without_a_whole_checkpoint_there_is_none(tmp_path):
    assert last_complete_checkpoint(tmp_path / "missing") is None
    (tmp_path / "checkpoint-5").mkdir()
    (tmp_path / "checkpoint-best").mkdir()
    assert last_complete_checkpoint(tmp_path) is None


def test_a_folder_below_a_file_is_refused_by_name(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file.run: cannot be written to \(.+\)\. Choose another folder with --output\."):
        require_room(tmp_path / "file" / "run", weights=10, trained=10)


def test_a_missing_folder_is_made_and_left_empty(tmp_path):
    require_room(tmp_path / "a" / "b", weights=10, trained=10)
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_more_than_the_disk_has_is_refused_with_both_sizes(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(OSError, match=r"GB are free, but the checkpoints of this run need \d+\.\d GB"):
        require_room(tmp_path, weights=free, trained=free)


def test_needed_are_three_times_the_weights_and_two_moments_of_the_trained_ones(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    needed = 3 * 4 * (1_000_000 + 2 * 400_000) + 200_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=needed))
    require_room(tmp_path, weights=1_000_000, trained=400_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=needed - 1))
    with pytest.raises(OSError, match="0.2 GB are free"):
        require_room(tmp_path, weights=1_000_000, trained=400_000)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_really_small_disk_is_refused(tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode:
        pytest.skip("may not mount a file system here")
    try:
        with pytest.raises(OSError, match=r"0\.1 GB are free"):
            require_room(tmp_path / "run", weights=1000, trained=1000)
    finally:
        subprocess.run(["umount", tmp_path], check=True)
