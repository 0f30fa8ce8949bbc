"""Several processes that train together, as started by torchrun or accelerate."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import psutil
import torch
from accelerate import PartialState


def process_state() -> PartialState:
    """How many processes train together, and which one this is.

    accelerate looks for others on a machine without a GPU only when told to; they then talk over gloo.
    """
    return PartialState(cpu=not torch.accelerator.is_available())


def start_others(module: str, arguments: list[str]) -> int | None:
    """Start the processes that `accelerate launch --num_processes N` should have started; their exit status.

    Without two GPUs, accelerate starts one process, says nothing, and leaves an address for N in the environment. Then
    torchrun starts them here, and they talk over gloo. Where accelerate did its work, or nobody asked: None.
    """
    started_alone = "MASTER_PORT" in os.environ and "ACCELERATE_MIXED_PRECISION" in os.environ
    if not started_alone or "LOCAL_RANK" in os.environ:
        return None
    asked_for = _asked_for(psutil.Process().parent().cmdline())
    if asked_for < 2:
        return None
    print(f"Starting {asked_for} processes.")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(asked_for)]
    return subprocess.call([*torchrun, "-m", module, *arguments])


def _asked_for(command: list[str]) -> int:
    """N of `--num_processes N` or `--num_processes=N` in a command line of accelerate; 1 without it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--num_processes", "--num-processes", type=int, default=1)
    return parser.parse_known_args(command)[0].num_processes
