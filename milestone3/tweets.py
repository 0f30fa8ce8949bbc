"""Tweets with one of three sentiments, and rated ones that can be learned from beside them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset, DatasetDict, Features, Value

from milestone3.reading import CommentsError, parse_csv
from milestone3.splitting import near_duplicate_key, sample_rows, split_rows
from milestone3.task import SENTIMENT

KINDS = len(SENTIMENT.labels)
HELD_OUT = ("val", "validation", "test")
# Where the mean rating of twenty people, from -4 to 4, no longer counts as neutral.
CLEAR_RATING = 0.8
_NESTED_ARCHIVE = "hutto_ICWSM_2014.tar.gz"
_RATED_TWEETS = "tweets_GroundTruth.txt"


def load_tweets(source: str | Path, *, rows: int | None = None, seed: int = 18) -> DatasetDict:
    """Load tweets in the form of TweetEval's sentiment task (Rosenthal et al. 2017), split in three.

    The rows that the file itself marks as held back ("val" or "test" in its column `split`) are the test part, and a
    tenth of the others the validation part. A file without that column is split as comments are. No near-duplicate
    of a held-out tweet is left in the training part.

    Parameters
    ----------
    source : str or Path
        CSV (also `.gz`, `.zip`) with the columns `text`, `label` (0 negative, 1 neutral, 2 positive) and perhaps
        `split`.
    rows : int, optional
        Take only about this many rows.
    seed : int

    Returns
    -------
    datasets.DatasetDict
        Parts "train", "validation" and "test", each with `id`, `text` and `labels` (an int).

    Raises
    ------
    CommentsError
        If the file cannot be used; the message names the file, the row and the column.
    """
    frame = _read_tweets(Path(source).expanduser())
    kinds, groups = np.eye(KINDS)[frame["label"]], frame["text"].map(near_duplicate_key).to_numpy()
    if rows is not None:
        chosen = sample_rows(kinds, groups, rows, seed)
        frame, kinds, groups = frame.iloc[chosen], kinds[chosen], groups[chosen]
    parts = split_rows(kinds, groups, seed)
    held_back = frame["split"].isin(HELD_OUT).to_numpy()
    if held_back.any():
        # What `split_rows` would have tested on is trained on, and its validation part keeps its share.
        unseen = set(groups[held_back])
        free = np.array([group not in unseen for group in groups])
        validation = np.isin(np.arange(len(frame)), parts["validation"]) & free
        parts = {"train": free & ~validation, "validation": validation, "test": held_back}
    return DatasetDict({name: _as_dataset(frame.iloc[positions]) for name, positions in parts.items()})


def load_rated_tweets(source: str | Path, held_out: DatasetDict) -> Dataset:
    """Load 4,200 tweets rated by twenty people each, from the source distribution of `vaderSentiment` (MIT licence).

    Hutto and Gilbert 2014, https://doi.org/10.1609/icwsm.v8i1.14550. A mean rating from 0.8 is taken for positive, from
    -0.8 down for negative.

    Parameters
    ----------
    source : str or Path
        `vaderSentiment-3.3.2.tar.gz`, as `pip download --no-deps --no-binary :all: vaderSentiment` brings it.
    held_out : datasets.DatasetDict
        Its "validation" and "test" parts must stay unseen.
    """
    frame = _read_ratings(Path(source).expanduser())
    unseen = {near_duplicate_key(text) for part in ("validation", "test") for text in held_out[part]["text"][:]}
    return _as_dataset(frame[~frame["text"].map(near_duplicate_key).isin(unseen)])


def _read_tweets(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise CommentsError(f"{path}: there is no such file. Give a CSV file with the columns text and label.")
    frame = parse_csv(path)
    missing = [name for name in ("text", "label") if name not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns[:10]))
        raise CommentsError(f"{path}: column {', '.join(missing)} is missing; the header has {found}.")
    numbers = [str(number) for number in range(KINDS)]
    wrong = frame.index[~frame["label"].isin(numbers) | (frame["text"].str.strip() == "")]
    if len(wrong):
        raise CommentsError(
            f"{path}: row {wrong[0] + 1}: needs a text, and a label of {', '.join(numbers)} "
            f"({', '.join(SENTIMENT.labels)}); its label is {frame['label'][wrong[0]][:40]!r}."
        )
    frame = frame.assign(label=frame["label"].astype(int))
    return frame if "split" in frame.columns else frame.assign(split="")


def _read_ratings(path: Path) -> pd.DataFrame:
    """All rated tweets, as columns `text` and `label`."""
    try:
        with tarfile.open(path) as package:
            member = next(name for name in package.getnames() if name.endswith(_NESTED_ARCHIVE))
            with tarfile.open(fileobj=io.BytesIO(package.extractfile(member).read())) as archive:
                name = next(name for name in archive.getnames() if name.endswith(_RATED_TWEETS))
                lines = archive.extractfile(name).read().decode().splitlines()
    except (OSError, tarfile.TarError, StopIteration) as error:
        raise CommentsError(
            f"{path}: is not the source distribution of vaderSentiment ({type(error).__name__}). Get it with: "
            "pip download --no-deps --no-binary :all: vaderSentiment==3.3.2"
        ) from error
    cells = [line.split("\t", 2) for line in lines]
    ratings = np.array([float(rating) for _, rating, _ in cells])
    labels = 1 + (ratings >= CLEAR_RATING).astype(int) - (ratings <= -CLEAR_RATING).astype(int)
    return pd.DataFrame({"text": [text.strip() for _, _, text in cells], "label": labels})


def _as_dataset(frame: pd.DataFrame) -> Dataset:
    features = Features({"id": Value("string"), "text": Value("string"), "labels": Value("int64")})
    ids = [str(position) for position in frame.index]
    columns = {"id": ids, "text": frame["text"].tolist(), "labels": frame["label"].tolist()}
    return Dataset.from_dict(columns, features=features)
