"""Several processes that train together, as started by torchrun or accelerate."""

from __future__ import annotations

import os

import torch
from accelerate import PartialState


def process_state() -> PartialState:
    """How many processes train together, and which one this is.

    accelerate looks for others on a machine without a GPU only when told to; they then talk over gloo.
    """
    return PartialState(cpu=not torch.accelerator.is_available())


def warn_if_alone() -> None:
    """Say so if `accelerate launch --num_processes N` was asked for several processes but started one.

    Without two GPUs it needs `--multi_gpu` to start them; it leaves a port for them in the environment all the same.
    """
    if "MASTER_PORT" in os.environ and "ACCELERATE_MIXED_PRECISION" in os.environ and "LOCAL_RANK" not in os.environ:
        print("accelerate started one process. Add --multi_gpu for more, also on a machine without GPUs.")
