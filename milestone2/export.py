"""Write a checkpoint as int8 ONNX, for the browser and for every other program that runs ONNX.

    python -m milestone2.export --model toxicity --output FOLDER

The folder has the layout of transformers.js: config.json, tokenizer.json, tokenizer_config.json and
onnx/model_quantized.onnx.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import json
import logging
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

from milestone2.classifier import Classifier, load_classifier
from milestone2.onnx_classifier import FULL_PRECISION_FILE, MODEL_FILE, OnnxClassifier
from milestone2.quantize import quantize_weights
from milestone2.whole_folder import written_whole

PACKAGES = ("onnx", "onnxruntime", "onnxscript")
# Differences of probabilities. Past the first, the graph is not the model; past the second, int8 is too coarse for it.
LARGEST_GRAPH_DIFFERENCE = 1e-3
LARGEST_INT8_DIFFERENCE = 0.05
_OPENINGS = (
    "Thank you, that was a great help.",
    "I disagree with this edit, and here is why.",
    "You are a silly fool and everyone knows it.",
    "Stop deleting my work or you will be sorry!",
    "What time does the museum open on Sundays?",
    "Nobody wants you here. Go away.",
    "The café in Łódź was lovely, naïve décor and all.",
    "今天天气很好。 映画は面白かった。",
    "مرحبا، كيف حالك؟",
    "so happy 😀🎉 best day ever!!!",
)
_TAILS = ("", " 👍🏽 http://example.org/?a=1&b=2", " It goes on and on, and on." * 30)
PARITY_TEXTS = ("", *(opening + tail for tail in _TAILS for opening in _OPENINGS))


def export(model: str | Path, output: str | Path, *, full_precision: bool = False) -> Path:
    """Write a model as int8 ONNX and compare its scores with PyTorch's.

    Parameters
    ----------
    model : str or Path
        Anything that `load_classifier` takes.
    output : str or Path
        The folder; an earlier export in it is replaced as a whole, once the new one is complete.
    full_precision : bool
        Keep the float32 model too, as onnx/model.onnx, four times as large.

    Returns
    -------
    Path
        `output`.

    Raises
    ------
    ImportError
        If a package of the extra `export` is missing.
    OSError
        If the model cannot be loaded, or the folder cannot be written or holds something else.
    ValueError
        If the model has no fast tokenizer, or the exported model scores differently.
    """
    _require_packages()
    classifier = load_classifier(model)
    if not getattr(classifier.tokenizer, "is_fast", False):
        raise ValueError(f"{model} has no fast tokenizer (tokenizer.json), which ONNX needs. Choose another model.")
    with written_whole(Path(output), is_ours=lambda folder: (folder / "onnx").is_dir()) as draft:
        (draft / "onnx").mkdir()
        _write_configuration(classifier, draft)
        exact, small = draft / FULL_PRECISION_FILE, draft / MODEL_FILE
        write_graph(classifier, exact)
        _require_parity(classifier, draft, FULL_PRECISION_FILE, LARGEST_GRAPH_DIFFERENCE)
        quantize_weights(exact, small)
        difference = _require_parity(classifier, draft, MODEL_FILE, LARGEST_INT8_DIFFERENCE)
        size = small.stat().st_size
        if not full_precision:
            exact.unlink()
    print(f"{MODEL_FILE}: {size / 1e6:.1f} MB")
    print(f"Largest difference from PyTorch: {difference:.4f} (probabilities, {len(PARITY_TEXTS)} texts)")
    return Path(output)


def write_graph(classifier: Classifier, file: Path) -> None:
    """Write the model in float32; the numbers of texts and tokens stay open.

    Its inputs are those that the tokenizer makes: input_ids, attention_mask and, for BERT, token_type_ids.
    """
    made = classifier.tokenizer.model_input_names
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in made]
    example = classifier.tokenizer(["one", "two or three"], padding=True, return_tensors="pt")
    batch, sequence = torch.export.Dim("batch"), torch.export.Dim("sequence", max=classifier.max_length)
    # It misses torchvision, which is not needed here.
    logging.getLogger("torch.onnx._internal.exporter").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about torch's own insides
        torch.onnx.export(
            _Logits(classifier.model, names).eval(),  # without eval() it would export dropout
            tuple(example[name] for name in names),
            file,
            dynamo=True,
            external_data=False,
            verbose=False,
            input_names=names,
            output_names=["logits"],
            dynamic_shapes=(tuple({0: batch, 1: sequence} for _ in names),),
        )


class _Logits(torch.nn.Module):
    """A model that takes its inputs by position and returns bare logits, as a graph does."""

    def __init__(self, model: torch.nn.Module, names: list[str]):
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.model(**dict(zip(self.names, inputs))).logits


def largest_difference(classifier: Classifier, folder: Path, file: str = MODEL_FILE) -> float:
    """Largest absolute difference of probabilities between PyTorch and an exported model, over `PARITY_TEXTS`."""
    exported = OnnxClassifier(folder, file).score(PARITY_TEXTS)
    return float(np.abs(exported - classifier.score(PARITY_TEXTS)).max())


def _require_parity(classifier: Classifier, folder: Path, file: str, limit: float) -> float:
    difference = largest_difference(classifier, folder, file)
    if not difference <= limit:  # also true for NaN
        raise ValueError(
            f"The exported model ({file}) scores up to {difference:.4f} away from the original, more than {limit}. "
            "Nothing was written. Use the checkpoint itself, or report this model."
        )
    return difference


def _write_configuration(classifier: Classifier, folder: Path) -> None:
    """config.json with human labels, thresholds and length limit, and the tokenizer's two files."""
    config = copy.deepcopy(classifier.model.config)
    config.id2label = dict(enumerate(classifier.labels))
    config.label2id = {label: number for number, label in enumerate(classifier.labels)}
    config.problem_type = f"{'multi' if classifier.multi_label else 'single'}_label_classification"
    config.max_tokens = classifier.max_length
    config.save_pretrained(folder)
    with tempfile.TemporaryDirectory() as temporary:
        classifier.tokenizer.save_pretrained(temporary)
        shutil.copy(Path(temporary) / "tokenizer_config.json", folder)
        tokenizer = json.loads((Path(temporary) / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer |= {"truncation": None, "padding": None}  # left over from earlier calls; whoever scores decides
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8", newline="\n")


def _require_packages() -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"Exporting needs {', '.join(missing)}. Run: python -m pip install {' '.join(missing)}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m milestone2.export", description="Write a model as int8 ONNX.")
    parser.add_argument("--model", required=True, help="toxicity, sentiment, a checkpoint folder or a Hub id")
    parser.add_argument("--output", required=True, type=Path, help="the folder to write")
    parser.add_argument("--full-precision", action="store_true", help="keep the float32 model too, four times as large")
    chosen = parser.parse_args(arguments)
    try:
        export(chosen.model, chosen.output, full_precision=chosen.full_precision)
    except (OSError, ValueError, ImportError) as error:
        print(f"Not exported: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
