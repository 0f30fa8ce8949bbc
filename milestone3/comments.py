"""Comments with six labels, ready to learn from: practice comments, Jigsaw's, or a file of your own."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset, DatasetDict, Features, Sequence, Value

from milestone3.jigsaw import read_jigsaw
from milestone3.reading import LABELS, TEXT_COLUMN, CommentsError, read_kaggle_csv
from milestone3.splitting import near_duplicate_key, sample_rows, split_rows

__all__ = ["LABELS", "CommentsError", "load_comments", "load_extra_comments", "read_source"]

FEWEST_ROWS = 20


def load_comments(source: str | Path = "practice", *, rows: int | None = None, seed: int = 18) -> DatasetDict:
    """Load comments, split into train (75 %), validation (10 %) and test (15 %).

    No text, and no near-duplicate of one (same letters and digits), is in two parts. Each label keeps its rate in
    each part. The same source, rows and seed always give the same parts.

    Parameters
    ----------
    source : str or Path
        "practice" (shipped with the course), "jigsaw" (downloaded from the Hugging Face Hub and kept), or the path of a
        file with the columns of Kaggle's `train.csv`, plain, `.gz` or `.zip`.
    rows : int, optional
        Take only about this many rows, with the labels' rates kept. All of them by default.
    seed : int
        Decides which rows go where.

    Returns
    -------
    datasets.DatasetDict
        Parts "train", "validation" and "test", each with `id`, `text` and `labels` (six float32 in the order of
        `LABELS`).

    Raises
    ------
    CommentsError
        If the source cannot be used; the message names the file, the row and the column.
    """
    frame = read_source(source)
    wanted = len(frame) if rows is None else min(rows, len(frame))
    if wanted < FEWEST_ROWS:
        raise CommentsError(f"{source}: {wanted} rows cannot be split in three; take at least {FEWEST_ROWS}.")
    labels, groups = _label_matrix(frame), _groups(frame)
    if rows is not None:
        chosen = sample_rows(labels, groups, rows, seed)
        frame, labels, groups = frame.iloc[chosen], labels[chosen], groups[chosen]
    parts = split_rows(labels, groups, seed)
    return DatasetDict({name: _as_dataset(frame.iloc[positions]) for name, positions in parts.items()})


def load_extra_comments(source: str | Path, held_out: DatasetDict) -> Dataset:
    """Load a second source for training only, without near-duplicates of the held-out validation and test rows.

    Parameters
    ----------
    source : str or Path
        As for `load_comments`.
    held_out : datasets.DatasetDict
        Its "validation" and "test" parts must stay unseen.

    Returns
    -------
    datasets.Dataset
        Columns `id`, `text`, `labels`.
    """
    frame = read_source(source)
    unseen = {near_duplicate_key(text) for part in ("validation", "test") for text in held_out[part]["text"][:]}
    keys = frame[TEXT_COLUMN].map(near_duplicate_key)
    return _as_dataset(frame[~keys.isin(unseen)])


def read_source(source: str | Path) -> pd.DataFrame:
    """All rows of a source in Kaggle's columns, checked but not split."""
    if source == "practice":
        with as_file(files("milestone3") / "comp" / "practice.csv") as path:
            return read_kaggle_csv(path)
    if source == "jigsaw":
        return read_jigsaw()
    return read_kaggle_csv(Path(source).expanduser())


def _label_matrix(frame: pd.DataFrame) -> np.ndarray:
    return frame[list(LABELS)].to_numpy("float32")


def _groups(frame: pd.DataFrame) -> np.ndarray:
    return frame[TEXT_COLUMN].map(near_duplicate_key).to_numpy()


def _as_dataset(frame: pd.DataFrame) -> Dataset:
    """A dataset in memory; `labels` has a fixed length, so that a wrong number of labels cannot creep in."""
    features = Features(
        {"id": Value("string"), "text": Value("string"), "labels": Sequence(Value("float32"), length=len(LABELS))}
    )
    columns = {"id": frame["id"].tolist(), "text": frame[TEXT_COLUMN].tolist(), "labels": list(_label_matrix(frame))}
    return Dataset.from_dict(columns, features=features)
