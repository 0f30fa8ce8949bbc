"""Small trained matrices beside frozen ones (LoRA; Hu et al. 2021, https://arxiv.org/abs/2106.09685)."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from peft.tuners.lora import LoraLayer
from peft.utils import ModulesToSaveWrapper
from safetensors.torch import load_file
from transformers import PreTrainedModel

from milestone3.recipe import Recipe

_ADAPTER = "default"  # peft's name for the one adapter of a model


def add_adapters(model: PreTrainedModel, recipe: Recipe) -> PeftModel:
    """Freeze the encoder and add adapters to all its linear layers.

    The new head, the layer norms and the biases, small as they are, are trained whole.
    """
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS,
        r=recipe.lora_rank,
        lora_alpha=2 * recipe.lora_rank,
        lora_dropout=recipe.dropout,
        target_modules="all-linear",
        modules_to_save=["classifier", "LayerNorm"],
        bias="all",
    )
    adapted = get_peft_model(model, config)
    if recipe.start_from:
        approximate(adapted, Path(recipe.start_from))
    return adapted


@torch.no_grad()
def approximate(model: PeftModel, checkpoint: Path) -> None:
    """Let new adapters begin as the closest ones to a fully fine-tuned checkpoint of the same base.

    The closest matrix of rank r to a difference of weights is its truncated singular value decomposition (Eckart and
    Young 1936, https://doi.org/10.1007/BF02288367). Head, layer norms and biases are taken over; what the checkpoint
    learned in its embeddings is not.

    Parameters
    ----------
    model : peft.PeftModel
        From `add_adapters`; changed in place.
    checkpoint : Path
        Folder of a checkpoint with the same base and labels.

    Raises
    ------
    FileNotFoundError
        If the folder holds no weights.
    """
    if not (checkpoint / "model.safetensors").is_file():
        raise FileNotFoundError(f"{checkpoint} holds no model.safetensors. Give the --output of a finished run.")
    tuned = load_file(checkpoint / "model.safetensors")
    for path, module in model.named_modules():
        name = path.removeprefix("base_model.model.")
        if isinstance(module, LoraLayer):
            _approximate_layer(module, tuned[f"{name}.weight"])
            module.base_layer.bias.copy_(tuned[f"{name}.bias"])
        elif isinstance(module, ModulesToSaveWrapper):
            trained = module.modules_to_save[_ADAPTER]
            trained.load_state_dict({key: tuned[f"{name}.{key}"] for key in trained.state_dict()})


def _approximate_layer(layer: LoraLayer, tuned: torch.Tensor) -> None:
    """Set B and A so that the frozen weight plus `scaling` times B A comes close to the tuned weight."""
    rank, scaling = layer.r[_ADAPTER], layer.scaling[_ADAPTER]
    left, sizes, right = torch.linalg.svd((tuned - layer.base_layer.weight) / scaling, full_matrices=False)
    root = sizes[:rank].sqrt()
    layer.lora_B[_ADAPTER].weight.copy_(left[:, :rank] * root)
    layer.lora_A[_ADAPTER].weight.copy_(root[:, None] * right[:rank])
