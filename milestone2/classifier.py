"""One text classifier, whatever the model: texts in, probabilities out."""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from milestone2.catalogue import HUB_ID, HUB_MODELS, find_entry
from milestone2.hub import download_model, has_weights
from milestone2.shipped import SHIPPED, checkpoint_folder

MAX_LENGTH = 128
_TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
_HUMAN_LABELS = {"neg": "negative", "neu": "neutral", "pos": "positive"}


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
    max_length : int
        Number of tokens after which a text is cut.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None = None,
        labels: Sequence[str] = (),
    ):
        self.model = model.eval()
        self.tokenizer = tokenizer
        chosen_length = max_length or getattr(model.config, "max_tokens", None) or MAX_LENGTH
        self.max_length = min(chosen_length, tokenizer.model_max_length)
        self.labels = human_labels(model.config, labels)
        self.multi_label = model.config.problem_type == "multi_label_classification"
        chosen = getattr(model.config, "thresholds", None) or {}
        self.thresholds = np.array([chosen.get(label, 0.5) for label in self.labels])
        # A fast tokenizer that two threads of an app use at once fails with "Already borrowed".
        self._lock = threading.Lock()

    def score(self, texts: Sequence[str], batch_size: int = 32) -> np.ndarray:
        """Score texts; long ones are cut after `max_length` tokens (`truncated` tells which).

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
        encoded = self._encode(texts, truncation=True, max_length=self.max_length)
        scores = np.empty((len(encoded), len(self.labels)), dtype=np.float32)
        by_length = sorted(range(len(encoded)), key=lambda number: len(encoded[number]))
        for start in range(0, len(by_length), batch_size):
            rows = by_length[start : start + batch_size]
            scores[rows] = self._score_batch([encoded[row] for row in rows])
        return scores

    def truncated(self, texts: Sequence[str]) -> np.ndarray:
        """Whether `score` sees only the beginning of each text: bool, shape [n_texts]."""
        lengths = [len(ids) for ids in self._encode(texts, truncation=True, max_length=self.max_length + 1)]
        return np.array(lengths, dtype=int) > self.max_length

    def _encode(self, texts: Sequence[str], **options) -> list[list[int]]:
        texts = check_texts(texts)
        if not texts:
            return []
        with self._lock:
            encoded = self.tokenizer(texts, return_attention_mask=False, return_token_type_ids=False, **options)
        return encoded["input_ids"]

    @torch.inference_mode()
    def _score_batch(self, input_ids: list[list[int]]) -> np.ndarray:
        longest = max(map(len, input_ids))
        ids = torch.full((len(input_ids), longest), self.tokenizer.pad_token_id or 0)
        attended = torch.zeros_like(ids)
        for row, tokens in enumerate(input_ids):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            attended[row, : len(tokens)] = 1
        device = self.model.device
        logits = self.model(input_ids=ids.to(device), attention_mask=attended.to(device)).logits.float()
        probabilities = logits.sigmoid() if self.multi_label else logits.softmax(dim=-1)
        return probabilities.cpu().numpy()


def check_texts(texts: Sequence[str]) -> list[str]:
    """The texts as a list that every tokenizer takes; `TypeError` with position and value if one is not a text."""
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__len__"):
        raise TypeError(f"score() takes a list of texts, such as ['Thank you!'], not {texts!r:.60}. Put it in a list.")
    texts = list(texts)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"Text number {position} is {text!r:.60}, of type {type(text).__name__}, not a text. Convert numbers "
                "with str(), and fill missing values with ''."
            )
    # Half of a surrogate pair, as broken exports contain, cannot be written as UTF-8.
    return [text if text.isascii() else _without_lone_surrogates(text) for text in texts]


def _without_lone_surrogates(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def human_labels(config: PretrainedConfig, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of the labels that a person understands.

    Parameters
    ----------
    config : transformers.PretrainedConfig
    known : sequence of str
        What the catalogue knows about the model; used where the configuration has only LABEL_0, LABEL_1, ...
    """
    written = [str(config.id2label[number]) for number in range(config.num_labels)]
    if len(known) == len(written) and all(re.fullmatch(r"LABEL_\d+", label) for label in written):
        return tuple(known)
    lower = [_HUMAN_LABELS.get(label.lower(), label.lower()) for label in written]
    # Only names of sentiments are changed: other people's labels may differ in their capitals alone.
    return tuple(low if low in ("negative", "neutral", "positive") else label for low, label in zip(lower, written))


def load_classifier(name: str | Path) -> Classifier:
    """Load a model: shipped with the course, from a checkpoint folder, or from the Hub.

    Parameters
    ----------
    name : str or Path
        "sentiment" or "toxicity", a folder such as `milestone3.finetune` writes, or a Hub id (OWNER/NAME). Models of
        the catalogue are loaded at its revision, others at their newest one.

    Raises
    ------
    OSError
        `FileNotFoundError`, `ConnectionError` or `PermissionError`, in one sentence that says what to do.
    ValueError
        If the model is not a text classifier.
    TypeError
        If `name` is neither text nor path.
    """
    if not isinstance(name, (str, Path)):
        raise TypeError(f"load_classifier() takes the name of a model or its folder, not {name!r:.60}.")
    if name in SHIPPED:
        return _load(checkpoint_folder(str(name)))
    folder = Path(name).expanduser()
    if folder.is_dir():
        _require_checkpoint(folder)
        return _load(folder)
    if isinstance(name, Path) or not HUB_ID.fullmatch(name):
        raise FileNotFoundError(_unknown(str(name)))
    entry = find_entry(name)
    if entry is None:
        return _load(*download_model(name))
    return _load(*download_model(name, entry.revision, entry.weights_revision), labels=entry.labels)


def _unknown(name: str) -> str:
    offered = [*SHIPPED, *(entry.name for entry in HUB_MODELS)]
    close = difflib.get_close_matches(name, offered, n=1)
    advice = "Give 'sentiment', 'toxicity', a checkpoint folder or a Hub id (OWNER/NAME)."
    return f"There is no model and no folder named {name!r}. {f'Did you mean {close[0]!r}?' if close else advice}"


def _require_checkpoint(folder: Path) -> None:
    missing = [] if (folder / "config.json").is_file() else ["config.json"]
    missing += [] if has_weights(folder) else ["model.safetensors"]
    missing += [] if any((folder / file).is_file() for file in _TOKENIZER_FILES) else ["a tokenizer (tokenizer.json)"]
    if missing:
        raise FileNotFoundError(
            f"{folder} is not a finished checkpoint: it lacks {', '.join(missing)}. Give the --output folder of a "
            "fine-tuning run that came to its end; the same command again finishes it."
        )


def _load(folder: Path, weights: Path | None = None, labels: Sequence[str] = ()) -> Classifier:
    """Load from the folder of configuration and tokenizer, and that of the weights (the same one by default)."""
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if not any(architecture.endswith("ForSequenceClassification") for architecture in config.architectures or ()):
        raise ValueError(
            f"{folder} is not a text classifier (it is {config.architectures}). Choose one fine-tuned to classify."
        )
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            weights or folder, config=config, use_safetensors=True, dtype=torch.float32, trust_remote_code=False
        )
    except SafetensorError as error:
        raise OSError(
            f"{weights or folder}: the weights are damaged ({error}). Delete it and make it again."
        ) from error
    return Classifier(model, AutoTokenizer.from_pretrained(folder, trust_remote_code=False), labels=labels)
