"""One text classifier, whatever the model: texts in, probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

MAX_LENGTH = 128


class Classifier:
    """A model with its tokenizer.

    Attributes
    ----------
    labels : tuple of str
        Names of the columns of `score`.
    multi_label : bool
        Whether a text can have several labels (a sigmoid each) or has exactly one (a softmax over all).
    thresholds : numpy.ndarray
        Score from which each label is given, shape [n_labels]; 0.5 unless the checkpoint says otherwise.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int = MAX_LENGTH):
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.labels = tuple(model.config.id2label[number] for number in range(model.config.num_labels))
        self.multi_label = model.config.problem_type == "multi_label_classification"
        chosen = getattr(model.config, "thresholds", None) or {}
        self.thresholds = np.array([chosen.get(label, 0.5) for label in self.labels])

    def score(self, texts: Sequence[str], batch_size: int = 32) -> np.ndarray:
        """Score texts; long ones are cut after `max_length` tokens.

        Texts of similar length share a batch, which saves padding; the rows come back in the order of the texts.

        Parameters
        ----------
        texts : sequence of str
        batch_size : int

        Returns
        -------
        numpy.ndarray
            float32, shape [n_texts, n_labels], probabilities.

        Raises
        ------
        TypeError
            If `texts` is a single text, or holds something that is not a text.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise TypeError("score() takes a list of texts, such as ['Thank you!']. Convert numbers with str() first.")
        encoded = self.tokenizer(list(texts), truncation=True, max_length=self.max_length)["input_ids"] if len(texts) else []
        scores = np.empty((len(encoded), len(self.labels)), dtype=np.float32)
        by_length = sorted(range(len(encoded)), key=lambda number: len(encoded[number]))
        for start in range(0, len(by_length), batch_size):
            rows = by_length[start : start + batch_size]
            scores[rows] = self._score_batch([encoded[row] for row in rows])
        return scores

    @torch.inference_mode()
    def _score_batch(self, input_ids: list[list[int]]) -> np.ndarray:
        batch = self.tokenizer.pad({"input_ids": input_ids}, return_tensors="pt").to(self.model.device)
        logits = self.model(**batch).logits.float()
        probabilities = logits.sigmoid() if self.multi_label else logits.softmax(dim=-1)
        return probabilities.cpu().numpy()


def load_classifier(name: str | Path) -> Classifier:
    """Load a checkpoint folder, such as `milestone3.finetune` writes.

    Parameters
    ----------
    name : str or Path
        The folder.

    Raises
    ------
    FileNotFoundError
        If the folder is missing, or is not a whole checkpoint.
    """
    folder = Path(name).expanduser()
    missing = [file for file in ("config.json", "model.safetensors", "tokenizer.json") if not (folder / file).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder} is not a finished checkpoint: it lacks {', '.join(missing)}. Give the --output folder of a "
            "fine-tuning run that came to its end; the same command again finishes it."
        )
    model = AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True)
    return Classifier(model, AutoTokenizer.from_pretrained(folder))
