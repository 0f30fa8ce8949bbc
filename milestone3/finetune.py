"""Fine-tune a pretrained encoder on comments with six labels.

    python -m milestone3.finetune --data practice --output my-model

The same command again goes on after a crash. To share the work between processes, GPUs or machines:

    accelerate launch --multi_gpu --num_processes 2 -m milestone3.finetune ...

which, in spite of the option's name, also starts two processes on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import fields
from pathlib import Path

import torch
from datasets import DatasetDict, concatenate_datasets
from peft import PeftModel
from transformers import PreTrainedTokenizerBase, Trainer
from transformers.trainer_utils import PredictionOutput

from milestone3.checkpoints import last_complete_checkpoint, require_room
from milestone3.comments import LABELS, load_comments, load_extra_comments
from milestone3.encoding import encode
from milestone3.memory import give_memory_back
from milestone3.metrics import any_label, choose_offsets, choose_thresholds
from milestone3.model import count_parameters, load_model, shift_outputs
from milestone3.processes import process_state, start_others
from milestone3.recipe import Recipe
from milestone3.run_record import is_finished, remember
from milestone3.task import TASKS, TOXICITY, Task
from milestone3.trainer import build_trainer
from milestone3.tweets import load_rated_tweets, load_tweets

LOADERS = {"toxicity": (load_comments, load_extra_comments), "sentiment": (load_tweets, load_rated_tweets)}


def finetune(comments: DatasetDict, output: str | Path, recipe: Recipe = Recipe(), task: Task = TOXICITY) -> Path:
    """Fine-tune on the training part, keep the weights that rank the validation part best, and save them.

    Parameters
    ----------
    comments : datasets.DatasetDict
        From `load_comments`; its test part is never looked at.
    output : str or Path
        Becomes an ordinary checkpoint folder. An unfinished run in it is continued, a finished one is left alone.
    recipe : Recipe
    task : Task
        Six labels by default; whatever the labels in `comments` are.

    Returns
    -------
    Path
        The folder, for `load_classifier` or any `from_pretrained`.

    Raises
    ------
    OSError
        If the folder cannot be written to, or the disk is too full; before training starts.
    ValueError
        If the folder holds a run with another recipe or other comments.
    """
    output = Path(output)
    if is_finished(output, recipe, comments):
        print(f"{output} holds this finished run already. Delete the folder to train again.")
        return output
    model, tokenizer = load_model(recipe, task)
    trained, weights = count_parameters(model)
    require_room(output, trained if recipe.method == "lora" else weights, trained)
    remember(output, recipe, comments, finished=False)
    encoded = encode(
        DatasetDict({part: comments[part] for part in ("train", "validation")}), tokenizer, recipe.max_length
    )
    trainer = build_trainer(model, tokenizer, encoded, output / "checkpoints", recipe, task)
    resumed = last_complete_checkpoint(output / "checkpoints")
    if resumed:
        print(f"Going on from {resumed.name}.")
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    prediction = trainer.predict(trainer.eval_dataset)
    if task.multi_label:
        trainer.accelerator.unwrap_model(trainer.model).config.thresholds = _thresholds(prediction)
    else:
        shift_outputs(trainer.model, choose_offsets(prediction.label_ids, prediction.predictions))
    _save(trainer, tokenizer, output)
    remember(output, recipe, comments, finished=True)
    del trainer, model
    give_memory_back()
    return output


def _thresholds(prediction: PredictionOutput) -> dict[str, float]:
    """Threshold of each label, and of "any", with the best F1 on validation comments."""
    scores = torch.sigmoid(torch.from_numpy(prediction.predictions)).numpy()
    thresholds = dict(zip(LABELS, choose_thresholds(prediction.label_ids, scores)))
    thresholds["any"] = choose_thresholds(*any_label(prediction.label_ids, scores))[0]
    return {name: round(float(value), 4) for name, value in thresholds.items()}


def _save(trainer: Trainer, tokenizer: PreTrainedTokenizerBase, output: Path) -> None:
    """Write the best weights, by the first process alone."""
    if trainer.is_world_process_zero():
        model = trainer.accelerator.unwrap_model(trainer.model)
        if isinstance(model, PeftModel):
            model.save_pretrained(output / "adapter")
            model = model.merge_and_unload()
        model.save_pretrained(output)
        tokenizer.save_pretrained(output)
        shutil.rmtree(output / "checkpoints", ignore_errors=True)
    trainer.accelerator.wait_for_everyone()


def push_to_hub(checkpoint: Path, repository: str) -> str:
    """Upload a checkpoint to a model repository on the Hugging Face Hub, private at first; returns its address.

    The token is the one of `hf auth login` or of the environment (HF_TOKEN); it is never an argument.

    Raises
    ------
    OSError
        If the folder is no finished checkpoint, there is no login or no right, or the Hub cannot be reached.
    ValueError
        If the name does not read OWNER/NAME, or a file of the folder holds an access token.
    """
    from huggingface_hub import HfApi

    from milestone2.upload import NEVER_UPLOADED, clear_errors, require_login, require_name, require_no_secrets

    checkpoint = Path(checkpoint)
    missing = [file for file in ("config.json", "model.safetensors") if not (checkpoint / file).is_file()]
    if missing:
        raise FileNotFoundError(f"{checkpoint} is not a finished checkpoint: it lacks {', '.join(missing)}.")
    require_name(repository, "model")
    require_no_secrets(checkpoint)
    require_login(repository, "model")
    with clear_errors(repository, "model"):
        HfApi().create_repo(repository, private=True, exist_ok=True)
        commit = HfApi().upload_folder(
            repo_id=repository,
            folder_path=checkpoint,
            ignore_patterns=["checkpoints/*", "run.json", *NEVER_UPLOADED],
            commit_message="Fine-tuned",
        )
    return commit.repo_url.url


def build_parser() -> argparse.ArgumentParser:
    """The command line; what is not given there has the recipe's own default."""
    usual = {field.name: field.default for field in fields(Recipe)}
    parser = argparse.ArgumentParser(
        prog="python -m milestone3.finetune",
        description="Fine-tune an encoder on comments with six labels. The same command continues a killed run.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--task", choices=TASKS, default="toxicity", help="six labels of a comment, or the sentiment of a tweet"
    )
    parser.add_argument(
        "--data", default="practice", help="practice, jigsaw, or the path of Kaggle's train.csv (.csv, .csv.gz, .zip)"
    )
    parser.add_argument("--extra", default=None, help="a second source, used for training alone")
    parser.add_argument("--rows", type=int, default=None, help="take only about this many rows of --data")
    parser.add_argument("--base", default=usual["base"], help="minilm, bert, a folder or a Hub id")
    parser.add_argument("--output", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument(
        "--method", choices=("full", "lora"), default=usual["method"], help="train all weights, or small adapters"
    )
    parser.add_argument("--epochs", type=int, default=usual["epochs"])
    parser.add_argument("--learning-rate", type=float, default=None, help="the base's own if not given")
    parser.add_argument(
        "--batch-size", type=int, default=usual["batch_size"], help="comments of one step, over all processes"
    )
    parser.add_argument("--max-length", type=int, default=usual["max_length"], help="tokens kept of a comment")
    parser.add_argument("--dropout", type=float, default=usual["dropout"])
    parser.add_argument("--lora-rank", type=int, default=usual["lora_rank"])
    parser.add_argument(
        "--start-from", metavar="FOLDER", help="with lora: a fully fine-tuned checkpoint to approximate at first"
    )
    parser.add_argument("--saves", type=int, default=usual["saves"], help="evaluations and checkpoints on the way")
    parser.add_argument("--seed", type=int, default=usual["seed"])
    parser.add_argument(
        "--push-to-hub", metavar="OWNER/NAME", help="upload the result, with the token of `hf auth login` or HF_TOKEN"
    )
    return parser


def _load(options: argparse.Namespace) -> DatasetDict:
    """The texts of the task, with the extra ones among those to train on."""
    load, load_extra = LOADERS[options.task]
    texts = load(options.data, rows=options.rows)
    if options.extra:
        texts["train"] = concatenate_datasets([texts["train"], load_extra(options.extra, held_out=texts)])
    return texts


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    options = build_parser().parse_args(arguments)
    recipe = Recipe(
        **{field.name: getattr(options, field.name) for field in fields(Recipe) if hasattr(options, field.name)}
    )
    status = start_others("milestone3.finetune", sys.argv[1:] if arguments is None else arguments)
    if status is not None:
        return status
    try:
        texts = _load(options)
        finetune(texts, options.output, recipe, TASKS[options.task])
        if process_state().is_main_process:
            print(f"Saved in {options.output}.")
            if options.push_to_hub:
                print(f"Uploaded to {push_to_hub(options.output, options.push_to_hub)}")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
