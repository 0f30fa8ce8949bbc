"""Score texts with an exported model: the same interface as `Classifier`, on ONNX Runtime instead of PyTorch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from milestone2.classifier import MAX_LENGTH, check_texts

MODEL_FILE = "onnx/model_quantized.onnx"
FULL_PRECISION_FILE = "onnx/model.onnx"


class OnnxClassifier:
    """An exported model with its tokenizer.

    Parameters
    ----------
    folder : Path
        What `milestone2.export.export` wrote.
    file : str, optional
        Which of its models; the int8 one by default.

    Attributes
    ----------
    labels, multi_label, thresholds, max_length
        As in `milestone2.classifier.Classifier`.

    Raises
    ------
    FileNotFoundError
        If the folder is not an export.
    ImportError
        If onnxruntime is not installed.
    """

    def __init__(self, folder: str | Path, file: str = MODEL_FILE):
        folder = Path(folder).expanduser()
        missing = [name for name in ("config.json", "tokenizer.json", file) if not (folder / name).is_file()]
        if missing:
            raise FileNotFoundError(
                f"{folder} is not an exported model: it lacks {', '.join(missing)}. Write one with "
                "python -m milestone2.export --model NAME --output FOLDER."
            )
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.labels = tuple(label for _, label in sorted(config["id2label"].items(), key=lambda item: int(item[0])))
        self.multi_label = config["problem_type"] == "multi_label_classification"
        chosen = config.get("thresholds") or {}
        self.thresholds = np.array([chosen.get(label, 0.5) for label in self.labels])
        self.max_length = config.get("max_tokens") or MAX_LENGTH
        self._tokenizer = _load_tokenizer(folder, self.max_length)
        self._pad_id = config.get("pad_token_id") or 0
        self._session = _open_session(folder / file)
        self._inputs = [item.name for item in self._session.get_inputs()]

    def score(self, texts: Sequence[str], batch_size: int = 32) -> np.ndarray:
        """Score texts; see `Classifier.score`. The scores of a text do not depend on its batch.

        Parameters
        ----------
        texts : sequence of str
        batch_size : int

        Returns
        -------
        numpy.ndarray
            float32, shape [n_texts, n_labels], probabilities.
        """
        encoded = [item.ids for item in self._tokenizer.encode_batch(check_texts(texts))]
        scores = np.empty((len(encoded), len(self.labels)), dtype=np.float32)
        by_length = sorted(range(len(encoded)), key=lambda number: len(encoded[number]))
        for start in range(0, len(by_length), batch_size):
            rows = by_length[start : start + batch_size]
            scores[rows] = self._score_batch([encoded[row] for row in rows])
        return scores

    def _score_batch(self, input_ids: list[list[int]]) -> np.ndarray:
        shape = (len(input_ids), max(map(len, input_ids)))
        ids, attended = np.full(shape, self._pad_id, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, tokens in enumerate(input_ids):
            ids[row, : len(tokens)] = tokens
            attended[row, : len(tokens)] = 1
        feed = {"input_ids": ids, "attention_mask": attended, "token_type_ids": np.zeros_like(ids)}
        logits = self._session.run(None, {name: feed[name] for name in self._inputs})[0].astype(np.float64)
        if self.multi_label:
            return 1 / (1 + np.exp(-logits))
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)


def _load_tokenizer(folder: Path, max_length: int):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(max_length)
    tokenizer.no_padding()
    return tokenizer


def _open_session(file: Path):
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise ImportError("Exported models run on onnxruntime. Run: python -m pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for each kind of damage, none of them public
        raise OSError(f"{file} cannot be opened ({str(error)[:200]}). Export the model again.") from error
