"""What decides how a model is fine-tuned."""

from __future__ import annotations

from dataclasses import dataclass

from milestone3.encoding import MAX_LENGTH


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns, apart from the comments.

    Attributes
    ----------
    base : str
        "minilm", "bert", a folder or a Hub id of an encoder.
    method : str
        "full" trains every weight; "lora" trains small matrices beside the frozen ones (Hu et al. 2021,
        https://arxiv.org/abs/2106.09685).
    learning_rate : float, optional
        The base's own by default.
    batch_size : int
        Comments of one optimizer step, over all processes.
    dropout : float
        0 by default: one to three epochs hardly overfit, and a step on a CPU is a third shorter.
    warmup : float
        Share of the steps in which the learning rate rises.
    start_from : str, optional
        With "lora": folder of a fully fine-tuned checkpoint of the same base, which the adapters approximate at first.
    saves : int
        How many times a run is evaluated and saved on its way.
    """

    base: str = "minilm"
    method: str = "full"
    epochs: int = 2
    learning_rate: float | None = None
    batch_size: int = 32
    max_length: int = MAX_LENGTH
    dropout: float = 0.0
    warmup: float = 0.1
    weight_decay: float = 0.01
    lora_rank: int = 16
    start_from: str | None = None
    saves: int = 5
    seed: int = 0
