"""How far a figure could be off because the test comments are a sample: bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def bootstrap_interval(
    figure: Callable[[np.ndarray, np.ndarray], np.ndarray],
    labels: np.ndarray,
    scores: np.ndarray,
    repeats: int = 1000,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """95 % percentile interval of a figure (Efron 1979, https://doi.org/10.1214/aos/1176344552).

    The test comments are drawn again and again, with replacement, and the figure is computed each time.

    Parameters
    ----------
    figure : callable
        From labels and scores, both [n_comments, n_labels], to a number or an array of numbers.
    labels, scores : arrays of shape [n_comments, n_labels]
    repeats : int
    seed : int

    Returns
    -------
    low, high : numpy.ndarray
        In the shape of the figure. A draw without a positive comment of a label is left out for that label; NaN where
        no draw is left.
    """
    generator = np.random.default_rng(seed)
    draws = []
    for _ in range(repeats):
        rows = generator.integers(len(labels), size=len(labels))
        draws.append(figure(labels[rows], scores[rows]))
    values = np.stack([np.asarray(draw, dtype=float) for draw in draws])
    bounds = np.full((2, *values.shape[1:]), np.nan)
    known = ~np.isnan(values).all(axis=0)
    bounds[:, known] = np.nanpercentile(values[:, known], [2.5, 97.5], axis=0)
    return bounds[0], bounds[1]
