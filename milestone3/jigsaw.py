"""Download the Jigsaw comments from the Hugging Face Hub, once, and make sure that they are the ones we know.

The data: Jigsaw/Conversation AI, Toxic Comment Classification Challenge, Kaggle 2018; comments from Wikipedia talk
pages (CC BY-SA 3.0), labels CC0.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from milestone3.reading import LABELS, CommentsError, read_kaggle_csv

REPOSITORY = "thesofakillers/jigsaw-toxic-comment-classification-challenge"
FILENAME = "train.csv"

# What Kaggle's train.csv holds. Any other file under this name is refused, whatever the Hub serves.
ROWS = 159_571
POSITIVES = dict(zip(LABELS, (15_294, 1_595, 8_449, 478, 7_877, 1_405)))


def read_jigsaw() -> pd.DataFrame:
    """Kaggle's `train.csv` as a frame; downloaded at the first call (69 MB), with progress, and kept.

    An interrupted download goes on where it stopped. The content is compared with the known number of rows and of
    positives of each label.

    Raises
    ------
    CommentsError
        If the file cannot be downloaded, or is not the one we know.
    """
    try:
        path = Path(hf_hub_download(REPOSITORY, FILENAME, repo_type="dataset"))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise CommentsError(
            f"The Jigsaw comments could not be downloaded ({type(error).__name__}). Check the network and try again, "
            "use the practice comments, or download train.csv from Kaggle and give its path."
        ) from error
    frame = read_kaggle_csv(path)
    require_known_content(path, frame)
    return frame


def require_known_content(path: Path, frame: pd.DataFrame) -> None:
    """Raise `CommentsError` unless the frame has the rows and positives of Kaggle's `train.csv`."""
    found = {name: int(frame[name].sum()) for name in LABELS}
    if len(frame) != ROWS or found != POSITIVES:
        raise CommentsError(
            f"{path}: is not Kaggle's train.csv: it has {len(frame):,} rows and {found['toxic']:,} toxic ones, "
            f"not {ROWS:,} and {POSITIVES['toxic']:,}. Remove it and download it again."
        )
