"""One set-up at a time in one folder. Standard library only."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}


def try_lock(file: IO[bytes]) -> bool:
    """Lock `file` and return True, or return False while another process holds it.

    It is the system's own lock: it ends with the process that holds it, however that ends, so none is ever left over.
    Where the file system knows no locks (some network drives), the set-up goes on without one.
    """
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in BUSY
    return True


@contextlib.contextmanager
def only_one(path: Path, pause: float = 0.5) -> Iterator[None]:
    """Hold the lock file `path`; wait, and say so, while another set-up holds it."""
    with path.open("ab") as file:
        waiting = False
        while not try_lock(file):
            if not waiting:
                print("Another set-up is at work in this folder; waiting for it to end.", flush=True)
            waiting = True
            time.sleep(pause)
        if os.name != "nt":
            # pip keeps the lock should the launcher be killed and pip live on (run_pip leaves the file open for it).
            os.set_inheritable(file.fileno(), True)
        yield
