"""Fixtures that several test files share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerBase

from milestone2.base import minilm_folder
from milestone3.reading import COLUMNS, LABELS

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def offline_environment() -> Callable[..., dict[str, str]]:
    """Environment for a child process: one thread, no Hub, no token; keywords are added to it."""

    def make(**more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
        fixed = {
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "PYTHONUTF8": "1",
        }
        return {**kept, **fixed, **more}

    return make


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(minilm_folder())


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory, tokenizer) -> Path:
    """An encoder of two layers, 32 wide, with random weights: a training step takes milliseconds."""
    folder = tmp_path_factory.mktemp("tiny_base")
    torch.manual_seed(0)
    config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64)
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def made_up_comments() -> Callable[..., pd.DataFrame]:
    """Comments in Kaggle's columns, all different, with about Jigsaw's rates of each label."""

    def make(rows: int, seed: int = 0, words: int = 12) -> pd.DataFrame:
        draw = np.random.default_rng(seed)
        vocabulary = np.array([f"word{number}" for number in range(5000)])
        lengths = draw.geometric(1 / words, size=rows)
        drawn = iter(np.split(vocabulary[draw.integers(0, 5000, lengths.sum())], np.cumsum(lengths)[:-1]))
        texts = [f"{' '.join(each)} {number}." for number, each in enumerate(drawn)]
        toxic = draw.random(rows) < 0.10
        rates = {"severe_toxic": 0.10, "obscene": 0.53, "threat": 0.03, "insult": 0.50, "identity_hate": 0.09}
        labels = {"toxic": toxic} | {name: toxic & (draw.random(rows) < rate) for name, rate in rates.items()}
        numbers = {name: labels[name].astype(int) for name in LABELS}
        return pd.DataFrame({"id": [f"{number:016x}" for number in range(rows)], "comment_text": texts} | numbers)[
            list(COLUMNS)
        ]

    return make
