"""Tweets to measure sentiment models on: a file of real ones, or those that were written for this course."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

LABELS = ("negative", "neutral", "positive")
WRITTEN = Path(__file__).parent / "comp" / "tweets.csv"
HELD_BACK = ("val", "validation", "test")


def load_tweets(source: str | Path = WRITTEN, rows: int | None = None, seed: int = 18) -> pd.DataFrame:
    """Load tweets with the sentiment that people gave them.

    Of a file that says which rows are held back ("val" or "test" in a column `split`), only these are taken: a model
    may have been trained on the others.

    Parameters
    ----------
    source : str or Path
        CSV (.csv, .csv.gz) with the columns `text` and `label` (0 negative, 1 neutral, 2 positive), such as TweetEval's
        sentiment task. What stands for comments (COURSE_DATA of milestone 3: "practice", "jigsaw", Kaggle's file) gives
        the tweets that were written for this course.
    rows : int, optional
        Take only so many, drawn at random.
    seed : int

    Returns
    -------
    pandas.DataFrame
        Columns `text` and `label`, the latter one of `LABELS`.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is not there, or holds neither tweets nor comments.
    """
    path = WRITTEN if is_about_comments(source) else Path(source).expanduser()
    frame = _read(path)
    wrong = frame.index[~frame["label"].isin(["0", "1", "2"]) | (frame["text"].str.strip() == "")]
    if len(wrong):
        raise ValueError(
            f"{path}: row {wrong[0] + 1} needs a text, and a label of 0 (negative), 1 (neutral) or 2 (positive), not "
            f"{frame['label'][wrong[0]][:40]!r}."
        )
    if "split" in frame.columns and frame["split"].isin(HELD_BACK).any():
        frame = frame[frame["split"].isin(HELD_BACK)]
    if rows is not None and rows < len(frame):
        frame = frame.sample(rows, random_state=seed)
    labels = [LABELS[int(label)] for label in frame["label"]]
    return pd.DataFrame({"text": frame["text"].tolist(), "label": labels})


def is_about_comments(source: str | Path) -> bool:
    """Whether `source` names comments, which have no sentiment: by its name, or by Kaggle's columns."""
    if str(source) in ("practice", "jigsaw") or str(source).endswith(".zip"):
        return True
    return "comment_text" in _read(Path(source).expanduser(), columns_alone=True).columns


def _read(path: Path, columns_alone: bool = False) -> pd.DataFrame:
    """All cells as text: a tweet that says NA is no missing value."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, nrows=0 if columns_alone else None)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path}: there is no such file. Set COURSE_DATA to a CSV file of columns text and label, or unset it."
        ) from None
    except (OSError, ValueError) as error:  # not gzip, not text, not a table
        raise ValueError(f"{path} cannot be read as CSV ({error}). Check that it is the file you meant.") from error
    missing = {"text", "label"} - set(frame.columns)
    if missing and "comment_text" not in frame.columns:
        raise ValueError(
            f"{path}: its header has {', '.join(frame.columns[:8])}, but {' and '.join(sorted(missing))} is missing. "
            "Tweets need the columns text and label."
        )
    return frame


def macro_recall(truth: np.ndarray, predicted: np.ndarray, repeats: int = 1000, seed: int = 0) -> tuple[float, ...]:
    """Mean over the labels of the share that is recognised, with a 95 % interval.

    The figure by which TweetEval ranks sentiment models (Rosenthal et al. 2017, https://aclanthology.org/S17-2088):
    each label counts the same, however frequent. The interval is a percentile bootstrap over the texts.

    Parameters
    ----------
    truth, predicted : array-like of str, shape [n_texts]
    repeats : int
    seed : int

    Returns
    -------
    tuple of float
        The figure, and the two ends of its interval.
    """
    truth, predicted = np.asarray(truth, dtype=object), np.asarray(predicted, dtype=object)
    present = np.stack([truth == label for label in dict.fromkeys(truth)])
    recognised = present & (truth == predicted)
    generator = np.random.default_rng(seed)
    # How often each text is drawn: one draw a column, shape [n_texts, repeats].
    drawn = generator.multinomial(len(truth), np.full(len(truth), 1 / len(truth)), size=repeats).T
    counts = present @ drawn
    recalls = np.divide(recognised @ drawn, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    low, high = np.percentile(np.nanmean(recalls, axis=0), [2.5, 97.5])
    figure = (recognised.sum(axis=1) / present.sum(axis=1)).mean()
    return float(figure), float(low), float(high)
