"""From text to padded batches: lengths, and the order that saves padding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from datasets import DatasetDict

from milestone3.comments import load_comments
from milestone3.encoding import LengthGroupedSampler, encode, padded_tokens, padding_collator


@pytest.fixture(scope="module")
def comments() -> DatasetDict:
    return load_comments("practice", rows=400)


@pytest.fixture(scope="module")
def lengths(comments, tokenizer) -> list[int]:
    return encode(comments, tokenizer)["train"]["length"][:]


def test_encoded_comments_equal_those_of_the_tokenizer_one_by_one(comments, tokenizer):
    encoded = encode(comments, tokenizer, max_length=16)
    assert set(encoded["train"].column_names) == {"input_ids", "attention_mask", "length", "labels"}
    for before, after in zip(comments["test"], encoded["test"]):
        ids = tokenizer(before["text"], truncation=True, max_length=16)["input_ids"]
        assert after["input_ids"] == ids
        assert after["length"] == len(ids) == sum(after["attention_mask"])
        assert after["labels"] == before["labels"]


def test_a_long_comment_is_cut_but_keeps_its_end_mark(tokenizer):
    from datasets import Dataset

    long = Dataset.from_dict({"id": ["1"], "text": ["word " * 300], "labels": [[0.0] * 6]})
    row = encode(DatasetDict({"train": long}), tokenizer, max_length=32)["train"][0]
    assert row["length"] == 32
    assert tokenizer.convert_ids_to_tokens([row["input_ids"][0], row["input_ids"][-1]]) == ["[CLS]", "[SEP]"]


def test_a_batch_is_padded_to_a_multiple_of_16_and_the_padding_is_not_read(comments, tokenizer):
    encoded = encode(comments, tokenizer)["train"].remove_columns("length")
    batch = padding_collator(tokenizer)([encoded[number] for number in range(7)])
    longest = max(len(encoded[number]["input_ids"]) for number in range(7))
    width = batch["input_ids"].shape[1]
    assert width % 16 == 0 and longest <= width < longest + 16
    assert (batch["input_ids"][batch["attention_mask"] == 0] == tokenizer.pad_token_id).all()
    assert batch["labels"].dtype == torch.float32


def test_counted_tokens_are_those_of_the_real_batches(comments, tokenizer, lengths):
    encoded = encode(comments, tokenizer)["train"].remove_columns("length")
    collate = padding_collator(tokenizer)
    starts = range(0, len(encoded), 8)
    shapes = [collate([encoded[n] for n in range(at, min(at + 8, len(encoded)))])["input_ids"].numel() for at in starts]
    assert padded_tokens(lengths, batch_size=8) == sum(shapes)


def _order(lengths, seed=0, epoch=0, batch_size=8) -> list[int]:
    return list(LengthGroupedSampler(lengths, batch_size, seed, epoch=lambda: epoch))


def test_every_row_comes_exactly_once(lengths):
    sampler = LengthGroupedSampler(lengths, 8, seed=0)
    assert sorted(sampler) == list(range(len(lengths)))
    assert len(sampler) == len(lengths)


def test_the_order_depends_on_seed_and_epoch_and_on_nothing_else(lengths):
    first = _order(lengths, seed=3, epoch=1)
    torch.manual_seed(12345)
    assert _order(lengths, seed=3, epoch=1) == first
    assert _order(lengths, seed=4, epoch=1) != first
    assert _order(lengths, seed=3, epoch=2) != first


def test_the_epoch_is_asked_for_when_the_pass_begins(lengths):
    passed = [0]
    sampler = LengthGroupedSampler(lengths, 8, seed=0, epoch=lambda: passed[0])
    first = list(sampler)
    passed[0] = 1
    assert list(sampler) == _order(lengths, epoch=1) != first


def test_sorting_saves_at_least_a_quarter_of_the_tokens_a_random_order_takes():
    # Lengths such as Jigsaw's: half below 46 tokens, some at the limit of 128.
    drawn = np.clip(np.random.default_rng(0).lognormal(3.8, 0.9, 4000), 3, 128).astype(int).tolist()
    shuffled = np.random.default_rng(1).permutation(drawn).tolist()
    grouped = [drawn[number] for number in _order(drawn, batch_size=32)]
    assert padded_tokens(grouped, 32) < 0.75 * padded_tokens(shuffled, 32)


def test_sorting_saves_padding_on_practice_comments(lengths):
    shuffled = np.random.default_rng(1).permutation(lengths).tolist()
    grouped = [lengths[number] for number in _order(lengths)]
    assert padded_tokens(grouped, 8) < 0.9 * padded_tokens(shuffled, 8)


def test_batches_do_not_come_in_the_order_of_their_lengths(lengths):
    means = [np.mean([lengths[n] for n in batch]) for batch in np.array_split(_order(lengths), len(lengths) // 8)]
    assert np.corrcoef(means, np.arange(len(means)))[0, 1] ** 2 < 0.5


@pytest.mark.parametrize("rows", [1, 7, 8, 399, 400, 401, 433, 801])
def test_full_batches_come_first_so_that_each_batch_is_of_one_length_group(rows):
    drawn = np.random.default_rng(rows).permutation(rows) + 1
    order = _order(drawn.tolist())
    assert sorted(order) == list(range(rows))
    for start in range(0, rows // 8 * 8, 8):
        batch = drawn[order[start : start + 8]]
        assert (np.diff(batch) < 0).all()  # sorted within, so no batch straddles two
