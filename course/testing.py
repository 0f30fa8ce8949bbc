"""How pytest is called, here and in every continuous-integration job. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

# One thread for each worker: more only wait for one another on a small machine, and sums would come in another order.
VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    # Docker commands of a notebook are shown, not run: they must say the same everywhere.
    "COURSE_DOCKER": "recorded",
}

FLAGS = [
    # Notebooks are run, and what they print is compared with what is committed.
    "--nbval",
    "--nbval-sanitize-with=tests/nbval_sanitize.cfg",
    "--nbval-current-env",
    "--nbval-cell-timeout=900",
    # Two workers, each with whole files: a notebook's cells belong to one kernel.
    "-n=2",
    "--dist=loadfile",
]


def pytest_arguments(chosen: Sequence[str] = ()) -> list[str]:
    """Return pytest's arguments; without a path among those `chosen`, `testpaths` of pyproject.toml says what runs."""
    return [*FLAGS, *chosen]
