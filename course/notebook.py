"""What every notebook of the course shares: one set-up, figures with alt text, masked words, sources shown in place.

Importing this module needs the standard library alone; each function imports what it needs.
"""

from __future__ import annotations

import html
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with every kind of colour vision (https://jfly.uni-koeln.de/color/).
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")

# Words that are masked with whatever follows them ("idiots", "fucking"), and words masked with these endings alone, so
# that "assess" and "prickly" stay readable.
_STEMS = "fuck fuk shit asshole arsehole bitch bastard idiot moron dumbass jackass nigg faggot wank whore slut"
_WORDS = "arse ass bollock cock crap cunt damn dick fag piss prick pussy retard scum stupid twat"
_MASKED = re.compile(
    rf"\b(?:(?:bull|dip|horse|mother)?(?:{'|'.join(_STEMS.split())})\w*"
    rf"|(?:{'|'.join(_WORDS.split())})(?:s|es|ed|er|ers|ing|y|ty|ly|head|heads|face)?)\b",
    re.IGNORECASE,
)


def setup(seed: int = 0) -> None:
    """Make a notebook repeatable and quiet: seeds, no download bars, one style for figures.

    Parameters
    ----------
    seed : int
        For Python, NumPy and PyTorch.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import datasets
    import matplotlib.pyplot as plt
    import transformers

    # Remarks of one library about another are for their makers.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|peft|torch)\b")
    transformers.set_seed(seed)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    plt.rcParams.update(
        {
            "figure.figsize": (7.5, 3.6),
            "figure.constrained_layout.use": True,
            "axes.prop_cycle": plt.cycler(color=PALETTE),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "savefig.dpi": 110,
        }
    )


def data_source() -> str:
    """Comments that the notebooks work on: COURSE_DATA, or the practice comments.

    COURSE_DATA may be "practice", "jigsaw" or the path of Kaggle's `train.csv`.
    """
    return os.environ.get("COURSE_DATA", "practice")


def data_rows() -> int | None:
    """How many comments the notebooks take: COURSE_ROWS; otherwise all practice comments, or 4,000 real ones.

    With 4,000 comments, training takes a few minutes on a laptop.
    """
    if "COURSE_ROWS" in os.environ:
        return int(os.environ["COURSE_ROWS"])
    return None if data_source() == "practice" else 4_000


def runs_folder() -> Path:
    """Folder for what is trained in the notebooks: COURSE_RUNS, or `runs` beside them."""
    return Path(os.environ.get("COURSE_RUNS", "runs"))


def mask(text: str) -> str:
    """Star the middle of coarse words and of slurs, so that a page can show a comment without shouting it.

    It is a courtesy to readers, not a filter: it knows a few dozen English words.

    >>> mask("What an idiot!")
    'What an i***t!'
    """
    return _MASKED.sub(lambda found: found[0][0] + "*" * (len(found[0]) - 2) + found[0][-1], text)


def show(figure: Figure, alt: str) -> None:
    """Display a figure as PNG with an alternative text that states its finding, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What a reader who cannot see the figure must know.
    """
    import base64
    import io

    import matplotlib.pyplot as plt
    from IPython.display import display

    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    plt.close(figure)
    data = base64.b64encode(picture.getvalue()).decode()
    page = f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'
    display({"text/html": page, "text/plain": alt}, raw=True)


def show_source(function: Callable) -> None:
    """Show the source of one of the course's functions, coloured, without leaving the notebook."""
    import inspect

    from IPython.display import Code, display

    display(Code(inspect.getsource(function), language="python"))
