"""The benchmarks run, and say what they measured; how fast is not tested here."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.finetune import RECIPES, CommentsOf2023, build_parser, main, select_comments, summarize
from benchmarks.peak_memory import peak_memory


@pytest.fixture(scope="module")
def finetune_report(tmp_path_factory, tiny_base, offline_environment) -> tuple[str, dict]:
    file = tmp_path_factory.mktemp("benchmark") / "result.json"
    options = ["--base", str(tiny_base), "--rows", "48", "--threads", "1", "--json", str(file)]
    command = [sys.executable, "-m", "benchmarks.finetune", *options]
    run = subprocess.run(command, env=offline_environment(), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout, json.loads(file.read_text())


def test_both_recipes_are_measured_on_as_many_rows(finetune_report):
    _, report = finetune_report
    assert [run["recipe"] for run in report["runs"]] == ["2023", "course"]
    assert [run["rows"] for run in report["runs"]] == [48, 48]
    assert report["runs"][0]["validation_rows"] == report["runs"][1]["validation_rows"] > 100
    for run in report["runs"]:
        assert run["rows_per_second"] == pytest.approx(run["rows"] / run["seconds"])
        assert 1e8 < run["peak_memory_bytes"] < 1e10
        assert 0 < run["validation_mean_roc_auc"] < 1
    assert report["settings"]["rows"] == 48 and report["settings"]["threads"] == 1


def test_the_table_shows_the_files_figures(finetune_report):
    output, report = finetune_report
    for name in RECIPES:
        row = report["summary"][name]
        line = re.search(rf"^{name} +([\d.]+) +([\d,]+) MB +([\d.]+)$", output, re.MULTILINE)
        assert float(line[1]) == pytest.approx(row["rows_per_second"], abs=0.005)
        assert int(line[2].replace(",", "")) == pytest.approx(row["peak_memory_bytes"] / 1e6, abs=0.5)
        assert float(line[3]) == pytest.approx(row["validation_mean_roc_auc"], abs=0.0005)
    assert f"trains {report['summary']['speedup']:.1f} times as many rows" in output


def test_the_summary_takes_medians_of_the_repetitions():
    def run(recipe: str, speed: float) -> dict:
        return {
            "recipe": recipe,
            "rows_per_second": speed,
            "rows_per_processor_second": speed / 2,
            "peak_memory_bytes": 100 * speed,
            "validation_mean_roc_auc": speed / 100,
        }

    runs = [run("2023", 1), run("course", 30), run("course", 10), run("2023", 9), run("2023", 2), run("course", 12)]
    summary = summarize(runs)
    assert summary["2023"] == {
        "rows_per_second": 2,
        "rows_per_processor_second": 1,
        "peak_memory_bytes": 200,
        "validation_mean_roc_auc": 0.02,
    }
    assert summary["speedup"] == summary["processor_speedup"] == 6


def test_both_recipes_get_the_same_rows_and_another_seed_gives_others():
    def texts(*more: str) -> list[str]:
        return select_comments(build_parser().parse_args(["--rows", "30", *more]))["train"]["text"][:]

    assert texts() == texts()
    assert len(texts()) == 30
    assert texts("--seed", "1") != texts()


def test_the_dataset_of_2023_pads_every_comment_to_512_tokens(tokenizer):
    comments = select_comments(build_parser().parse_args(["--rows", "3"]))["train"]
    data = CommentsOf2023(comments, tokenizer)
    for number, comment in enumerate(comments):
        row = data[number]
        real = tokenizer(comment["text"], truncation=True, max_length=512)["input_ids"]
        assert row["input_ids"].shape == (512,)
        assert row["input_ids"][: len(real)].tolist() == real
        assert row["attention_mask"].sum() == len(real)
        np.testing.assert_array_equal(row["labels"], comment["labels"])


def test_a_recipe_that_fails_is_named(tmp_path):
    with pytest.raises(RuntimeError, match="(?s)The recipe 2023 failed:.*missing.csv"):
        main(["--data", str(tmp_path / "missing.csv")])


def test_peak_memory_does_not_fall_and_sees_what_was_held_for_a_moment():
    before = peak_memory()
    block = np.ones(60_000_000)  # 480 MB
    del block
    assert peak_memory() >= before
    assert peak_memory() > 480_000_000
