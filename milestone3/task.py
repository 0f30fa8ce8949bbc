"""What a model learns to tell: its labels, and whether a text can have several of them."""

from __future__ import annotations

from dataclasses import dataclass

from milestone3.reading import LABELS


@dataclass(frozen=True)
class Task:
    """One of the two kinds of text classification that the course fine-tunes for.

    Attributes
    ----------
    labels : tuple of str
        In the order of the model's outputs.
    multi_label : bool
        True: any number of labels a text, a sigmoid each. False: exactly one, a softmax over all.
    """

    labels: tuple[str, ...]
    multi_label: bool

    @property
    def problem_type(self) -> str:
        """transformers' name for it, which decides on the loss."""
        return "multi_label_classification" if self.multi_label else "single_label_classification"

    @property
    def metric(self) -> str:
        """Validation figure by which the best checkpoint is chosen."""
        return "mean_roc_auc" if self.multi_label else "macro_recall"


TOXICITY = Task(LABELS, multi_label=True)
SENTIMENT = Task(("negative", "neutral", "positive"), multi_label=False)
TASKS = {"toxicity": TOXICITY, "sentiment": SENTIMENT}
