"""Two starts of the course at once: the second waits, and nothing that a start has begun goes on after its end.

The lock is the operating system's: it is gone with the process that holds it, however that ends. On a file system
without locks there is none, and everything else works.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def take(file: BinaryIO) -> bool:
    """Takes the lock on an open file without waiting; False while another process holds it."""
    try:
        if os.name == "nt":
            import msvcrt

            held = PermissionError
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            held = BlockingIOError
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        return not isinstance(problem, held)  # any other: this file system has no locks
    return True


@contextmanager
def one_at_a_time(path: Path, seconds: float = 0.5) -> Iterator[None]:
    """Holds the lock `path` meanwhile. While another start holds it, says so once and looks again every `seconds`."""
    try:
        file = path.open("ab")
    except OSError:  # a folder that nobody may write to: there is nothing to set up, either
        yield
        return
    with file:
        if not take(file):
            print("Another start of the course is setting up this folder: waiting for it. Ctrl-C ends this one.")
            sys.stdout.flush()
            while not take(file):
                time.sleep(seconds)
        yield  # closing the file gives the lock back
