"""Folders that are there as a whole or not at all, however their writing ends."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ABANDONED_AFTER_SECONDS = 3600


@contextlib.contextmanager
def written_whole(output: Path, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Give a draft folder beside `output`, and rename it to `output` when the block ends without an error.

    Parameters
    ----------
    output : Path
        An earlier folder there is replaced.
    is_ours : callable
        Says whether a folder that is in the way was made by the same program, and so may be replaced.

    Raises
    ------
    FileExistsError
        If `output` is a file, or a folder that holds something else.
    """
    output = output.expanduser().absolute()
    if output.is_file() or (output.is_dir() and any(output.iterdir()) and not is_ours(output)):
        raise FileExistsError(f"{output} holds something else. Choose another --output, or remove it first.")
    output.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(output)
    # Named so that no other run's draft is touched; on the same disk, so that renaming is one step.
    workplace = Path(tempfile.mkdtemp(prefix=f".{output.name}.draft-", dir=output.parent))
    try:
        draft = workplace / "new"
        draft.mkdir()
        yield draft
        if output.exists():
            output.rename(workplace / "old")
        draft.rename(output)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _remove_abandoned(output: Path) -> None:
    """Remove drafts that killed runs left behind; a young one may belong to a run that is still at work."""
    for draft in output.parent.glob(f".{output.name}.draft-*"):
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile
            if time.time() - draft.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                shutil.rmtree(draft, ignore_errors=True)
