"""From text to the numbers that BERT reads, with as little padding as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from datasets import DatasetDict
from torch.utils.data import Sampler
from transformers import DataCollatorWithPadding, PreTrainedTokenizerBase

MAX_LENGTH = 128
PAD_TO_MULTIPLE_OF = 16
BATCHES_SORTED_TOGETHER = 50


def encode(comments: DatasetDict, tokenizer: PreTrainedTokenizerBase, max_length: int = MAX_LENGTH) -> DatasetDict:
    """Tokenize every comment once, in batches, without padding.

    Parameters
    ----------
    comments : datasets.DatasetDict
        Parts with `text` and `labels`.
    tokenizer : transformers.PreTrainedTokenizerBase
    max_length : int
        Tokens kept of a comment, [CLS] and [SEP] included; what is beyond is cut off.

    Returns
    -------
    datasets.DatasetDict
        The same parts with `input_ids`, `attention_mask`, `length` (in tokens) and `labels`.
    """

    def tokenize(batch: dict[str, list]) -> dict[str, list]:
        tokens = tokenizer(batch["text"], truncation=True, max_length=max_length, return_token_type_ids=False)
        return {**tokens, "length": [len(ids) for ids in tokens["input_ids"]]}

    return comments.map(tokenize, batched=True, remove_columns=["id", "text"], desc="Tokenizing")


def padding_collator(tokenizer: PreTrainedTokenizerBase) -> DataCollatorWithPadding:
    """Pad a batch to its own longest comment, rounded up to a multiple of 16.

    Few different shapes keep the memory of a long run on a CPU from growing, and suit a GPU's matrix units.
    """
    return DataCollatorWithPadding(tokenizer, pad_to_multiple_of=PAD_TO_MULTIPLE_OF)


def padded_tokens(lengths: Sequence[int], batch_size: int) -> int:
    """Tokens that a model reads, padding included, when batches are taken in the given order.

    >>> padded_tokens([2, 30, 3, 31], batch_size=2), padded_tokens([2, 3, 30, 31], batch_size=2)
    (128, 96)
    """
    total = 0
    for start in range(0, len(lengths), batch_size):
        batch = lengths[start : start + batch_size]
        longest = -(-max(batch) // PAD_TO_MULTIPLE_OF) * PAD_TO_MULTIPLE_OF
        total += longest * len(batch)
    return total


class LengthGroupedSampler(Sampler[int]):
    """Shuffle, then sort by length within groups of 50 batches: neighbours have similar lengths.

    The order depends on the seed and the epoch alone, not on the state of a random generator. That is what lets a
    killed run go on with the very batches it would have seen; transformers' own sampler of this name cannot.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each row.
    batch_size : int
        Rows of one optimizer step.
    seed : int
    epoch : callable
        Tells the number of the pass, counted from 0, when the pass begins.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int, epoch: Callable[[], int] = lambda: 0):
        self.lengths = torch.as_tensor(list(lengths))
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * self.epoch())
        shuffled = torch.randperm(len(self), generator=generator)
        full, short = [], []
        for group in shuffled.split(self.batch_size * BATCHES_SORTED_TOGETHER):
            by_length = group[self.lengths[group].argsort(descending=True, stable=True)]
            for batch in by_length.split(self.batch_size):
                (full if len(batch) == self.batch_size else short).append(batch)
        for number in torch.randperm(len(full), generator=generator).tolist():
            yield from full[number].tolist()
        for batch in short:  # last, so that it does not shift the borders of the others
            yield from batch.tolist()
