"""Turn a finished LoRA run into a model that ships with the course: small weights, measured, with a model card.

python -m milestone3.ship --run runs/toxicity --name toxicity --data jigsaw_natural.csv.gz
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from peft import LoraConfig
from safetensors.torch import load_file, save_file
from transformers import AutoConfig

from milestone2.shipped import SHIPPED, adapter_folder
from milestone3 import evaluation, sentiment
from milestone3.tables import evaluation_table, sentiment_table

BASE = "sentence-transformers/all-MiniLM-L6-v2"
CARDS = Path(__file__).parent / "cards"
MEASURED = Path(__file__).parent / "measured"
LARGEST_BYTES = 6_000_000
# What differs from peft's defaults: other versions of peft, such as Colab's, know not all the others.
ADAPTER_SETTINGS = ("peft_type", "task_type", "r", "lora_alpha", "target_modules", "modules_to_save", "bias")


def write_adapter(run: Path, folder: Path) -> None:
    """Write what `milestone2.shipped` merges: peft's two files, and labels and thresholds in `config.json`.

    The weights are kept with 16 bits, which halves the download.

    Parameters
    ----------
    run : Path
        Folder of a finished `milestone3.finetune --method lora` run on MiniLM.
    folder : Path

    Raises
    ------
    FileNotFoundError
        If the run is not finished, or is no LoRA run.
    ValueError
        If the adapter is larger than 6 MB.
    """
    missing = [file for file in ("config.json", "adapter/adapter_model.safetensors") if not (run / file).is_file()]
    if missing:
        raise FileNotFoundError(f"{run} lacks {', '.join(missing)}. Finish the run, with --method lora.")
    weights = {key: weight.half() for key, weight in load_file(run / "adapter" / "adapter_model.safetensors").items()}
    size = sum(weight.nbytes for weight in weights.values())
    if size > LARGEST_BYTES:
        raise ValueError(f"The adapter takes {size / 1e6:.1f} MB, more than 6 MB. Train with a smaller --lora-rank.")
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    lora = json.loads((run / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    kept = {name: _sorted(lora[name]) for name in ADAPTER_SETTINGS}
    kept |= {"base_model_name_or_path": BASE, "inference_mode": True}  # not MiniLM's place on this machine
    (folder / "adapter_config.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8", newline="\n")
    AutoConfig.from_pretrained(run).save_pretrained(folder)


def _sorted(value: object) -> object:
    """peft writes sets, in any order, and names twice."""
    return sorted(set(value)) if isinstance(value, list) else value


def write_card(name: str, report: dict, folder: Path) -> None:
    """Write README.md, with the front matter that the Hub reads, from the template in `milestone3/cards`.

    Parameters
    ----------
    name : str
        "sentiment" or "toxicity".
    report : dict
        What `milestone3.evaluation` or `milestone3.sentiment` measured of it.
    folder : Path
        Of the adapter.
    """
    results = _toxicity_results(report) if name == "toxicity" else _sentiment_results(report)
    data = ModelCardData(
        base_model=BASE,
        datasets=[results[0].dataset_type],
        eval_results=results,
        language="en",
        library_name="peft",
        license="mit",
        model_name=name,
        pipeline_tag="text-classification",
        tags=["lora", "education", name],
    )
    card = ModelCard.from_template(
        data,
        template_str=(CARDS / f"{name}.md").read_text(encoding="utf-8"),
        rank=LoraConfig.from_pretrained(str(folder)).r,
        megabytes=f"{(folder / 'adapter_model.safetensors').stat().st_size / 1e6:.1f}",
        results=evaluation_table(report) if name == "toxicity" else sentiment_table(report),
        report=report,
    )
    (folder / "README.md").write_text(str(card).rstrip() + "\n", encoding="utf-8", newline="\n")


def _toxicity_results(report: dict) -> list[EvalResult]:
    where = (
        "thesofakillers/jigsaw-toxic-comment-classification-challenge",
        "Jigsaw comments, natural mix, held-out part",
    )
    return [
        _result(*where, "roc_auc", "Mean ROC-AUC of six labels", report["labels"]["mean"]["roc_auc"]),
        _result(*where, "f1", "F1 of any label", report["any_label"]["f1"]),
    ]


def _sentiment_results(report: dict) -> list[EvalResult]:
    where = ("cardiffnlp/tweet_eval", "TweetEval sentiment, held-out part")
    return [
        _result(*where, "recall", "Macro recall", report["macro_recall"]["value"]),
        _result(*where, "accuracy", "Accuracy", report["accuracy"]["value"]),
    ]


def _result(dataset: str, title: str, metric: str, name: str, value: float) -> EvalResult:
    return EvalResult(
        task_type="text-classification",
        dataset_type=dataset,
        dataset_name=title,
        dataset_split="test",
        metric_type=metric,
        metric_name=name,
        metric_value=value,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m milestone3.ship",
        description="Turn a LoRA run into a model that ships with the course: small weights, measured, with a card.",
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished LoRA run on MiniLM")
    parser.add_argument("--name", choices=SHIPPED, required=True)
    parser.add_argument("--data", required=True, help="what it was trained on; its held-out part is scored")
    options = parser.parse_args(arguments)
    try:
        folder = adapter_folder(options.name)
        write_adapter(options.run, folder)
        evaluate = evaluation.evaluate if options.name == "toxicity" else sentiment.evaluate
        report = evaluate(options.name, options.data)
        (MEASURED / f"{options.name}.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        write_card(options.name, report, folder)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Saved in {folder}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
