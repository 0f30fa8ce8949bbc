"""The messages in the FAQ are those that the libraries really give."""

from __future__ import annotations

import re

import datasets
import pytest
import torch
from site_build import ROOT
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import AutoTokenizer
from transformers.utils import logging

from milestone2.base import minilm_folder


@pytest.fixture(scope="module")
def faq() -> str:
    """Its text in one line, without the marks of quotations."""
    text = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
    return " ".join(re.sub(r"^> ?", "", text, flags=re.MULTILINE).split())


def test_the_losss_complaints_are_quoted_word_for_word(faq):
    with pytest.raises(RuntimeError) as whole_numbers:
        binary_cross_entropy_with_logits(torch.zeros(32, 6), torch.zeros(32, 6, dtype=torch.long))
    with pytest.raises(ValueError) as one_number:
        binary_cross_entropy_with_logits(torch.zeros(32, 6), torch.zeros(32))
    assert f"RuntimeError: {whole_numbers.value}" in faq
    assert f"ValueError: {one_number.value}" in faq


def test_the_tokenizers_warning_is_quoted_word_for_word(faq, caplog):
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder(), model_max_length=512)
    logging.enable_propagation()
    try:
        tokenizer("word " * 600)
    finally:
        logging.disable_propagation()
    said = next(message for message in caplog.messages if "longer than" in message)
    assert said in faq


def test_a_dataset_that_is_a_program_is_quoted_word_for_word(faq, tmp_path):
    (tmp_path / "jigsaw_toxicity_pred.py").write_text("raise SystemExit\n", encoding="utf-8")
    with pytest.raises(RuntimeError) as refused:
        datasets.load_dataset(str(tmp_path / "jigsaw_toxicity_pred.py"))
    assert f"RuntimeError: {refused.value}" in faq
