"""The figures in docs/results.md are those of the reports, and the reports are of a kind that a reader can repeat."""

import re

import pytest

from benchmarks.results import PAGE, fill
from milestone3.measured import measured

NAMES = re.findall(r"<!-- measured: (\w+) -->", PAGE.read_text(encoding="utf-8"))


def test_the_page_shows_what_was_measured():
    page = PAGE.read_text(encoding="utf-8")
    assert fill(page) == page, "run python -m benchmarks.results"


@pytest.mark.parametrize("name", NAMES)
def test_each_report_names_no_folder_of_a_machine(name):
    assert "/" not in str(measured(name).get("data", "")) + str(measured(name).get("model", ""))


def test_minilm_ranks_as_well_as_the_course_says():
    assert measured("minilm_1_epoch")["labels"]["mean"]["roc_auc"] >= 0.978
    assert measured("minilm_2_epochs")["labels"]["mean"]["roc_auc"] >= 0.983


def test_practice_comments_teach_something_about_real_ones():
    assert measured("practice_on_jigsaw")["labels"]["toxic"]["roc_auc"] >= 0.85


def test_the_courses_recipe_is_ten_times_as_fast_as_that_of_2023_and_learns_no_less():
    summary = measured("finetune_benchmark")["summary"]
    assert summary["speedup"] >= 10
    assert summary["course"]["validation_mean_roc_auc"] >= summary["2023"]["validation_mean_roc_auc"]
