"""Read a CSV file with the columns of Kaggle's `train.csv`, and say exactly what is wrong with a bad one.

Plain, gzipped and zipped files are read. Nothing is written, and nothing is guessed: a file that is not what it
should be is refused with the file, the row and the column in the message.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pandas as pd

LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
TEXT_COLUMN = "comment_text"
COLUMNS = ("id", TEXT_COLUMN, *LABELS)


class CommentsError(ValueError):
    """A file of comments cannot be used; the message says where it is wrong and what to do."""


def read_kaggle_csv(path: Path) -> pd.DataFrame:
    """Read and check one file.

    Returns
    -------
    pandas.DataFrame
        Columns `id`, `comment_text` (str) and the six labels (float32, 0 or 1), one row a comment.

    Raises
    ------
    CommentsError
        For anything that is missing, broken or not a label. Rows are counted from 1, below the header.
    """
    if not path.is_file():
        raise CommentsError(f"{path}: there is no such file. Check the path, or use 'practice' or 'jigsaw'.")
    frame = parse_csv(path)
    _require_columns(path, frame)
    frame = _drop_unlabelled(path, frame)
    if frame.empty:
        raise CommentsError(f"{path}: has a header but no labelled rows. Download the file again.")
    _require_text(path, frame)
    return frame.assign(**_labels_as_float(path, frame)).reset_index(drop=True)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open the CSV inside a plain, .gz or .zip file as a stream of bytes."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as stream:
                yield stream
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_member(path, archive)) as stream:
                yield stream
        else:
            with path.open("rb") as stream:
                yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise CommentsError(f"{path}: the archive is damaged or cut off ({error}). Download it again.") from error


def _member(path: Path, archive: zipfile.ZipFile) -> str:
    """Name of the one CSV file in a zip; `train.csv` where there are several."""
    names = [name for name in archive.namelist() if name.endswith(".csv") and not name.startswith("__MACOSX")]
    wanted = [name for name in names if name.rsplit("/", 1)[-1] == "train.csv"] or names
    if len(wanted) != 1:
        listed = ", ".join(archive.namelist()[:5]) or "nothing"
        raise CommentsError(f"{path}: should hold one train.csv, but holds {listed}. Unzip it and give the CSV's path.")
    return wanted[0]


def parse_csv(path: Path) -> pd.DataFrame:
    """Read all cells as text; a cell that says NA or null is a comment, not a missing value."""
    with _opened(path) as stream:
        start = stream.read(512).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if not start:
        raise CommentsError(f"{path}: is empty. Download the file again.")
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise CommentsError(
            f"{path}: is a web page, not a CSV file. Kaggle shows a login page to visitors: sign in, accept the "
            "competition's rules and download train.csv.zip again."
        )
    try:
        with _opened(path) as stream:
            return pd.read_csv(stream, dtype=str, keep_default_na=False, encoding="utf-8-sig", on_bad_lines="error")
    except UnicodeDecodeError as error:
        raise CommentsError(_name_bad_bytes(path)) from error
    except pd.errors.ParserError as error:
        detail = str(error).replace("Error tokenizing data. C error: ", "").strip()
        raise CommentsError(f"{path}: is not a well-formed CSV file ({detail}). Download it again.") from error


def _name_bad_bytes(path: Path) -> str:
    """Message that names the first line that is not UTF-8."""
    with _opened(path) as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                return (
                    f"{path}: line {number} is not UTF-8 (byte 0x{line[error.start]:02x}). "
                    "Save the file again with the encoding UTF-8, or download it again."
                )
    return f"{path}: is not UTF-8. Save it again with the encoding UTF-8."


def _require_columns(path: Path, frame: pd.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns[:10]))
        raise CommentsError(
            f"{path}: column {', '.join(missing)} is missing; the header has {found}. "
            "Use Kaggle's train.csv, which has id, comment_text and the six labels."
        )


def _drop_unlabelled(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Drop Kaggle's test rows that were never labelled (-1 six times), and say how many."""
    unlabelled = (frame[list(LABELS)] == "-1").all(axis=1)
    if unlabelled.any():
        print(f"{path.name}: dropped {int(unlabelled.sum()):,} rows that Kaggle marks as not labelled (-1).")
    return frame[~unlabelled]


def _require_text(path: Path, frame: pd.DataFrame) -> None:
    empty = frame.index[frame[TEXT_COLUMN].str.strip() == ""]
    if len(empty):
        raise CommentsError(
            f"{path}: row {empty[0] + 1}, column {TEXT_COLUMN}: the text is empty"
            f"{f' (and in {len(empty) - 1:,} more rows)' if len(empty) > 1 else ''}. Remove or fill these rows."
        )


def _labels_as_float(path: Path, frame: pd.DataFrame) -> dict[str, pd.Series]:
    for name in LABELS:
        wrong = frame.index[~frame[name].isin(("0", "1"))]
        if len(wrong):
            raise CommentsError(
                f"{path}: row {wrong[0] + 1}, column {name}: {frame[name][wrong[0]][:40]!r} is neither 0 nor 1. "
                "Correct it, or download the file again."
            )
    return {name: (frame[name] == "1").astype("float32") for name in LABELS}
