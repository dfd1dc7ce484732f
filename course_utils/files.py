"""A file is written as a whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PARTIAL = ".partial"  # the ending of a file that is being written, or of one whose writer was killed


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Opens a file to write such that readers, after a crash too, find the old content or the new, never half of it.

    Several processes may write the same file at once: the last one wins. After an error, or an interruption, the old
    content stands and nothing else is left. Windows refuses to replace a file that somebody has open: PermissionError.
    """
    # In the same folder, for only there is a move atomic; under a name that no other thread or process has.
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}{PARTIAL}")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        with suppress(OSError):  # what went wrong before is what must be told
            partial.unlink()
