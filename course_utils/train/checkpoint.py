"""The state of a run on disk: written as a whole or not at all, checked when it is read, with the one before kept."""

import re
import zipfile
from pathlib import Path

import torch

from course_utils.files import PARTIAL, written_whole

KEPT = 2
_NAME = re.compile(r"checkpoint-(\d{9})\.pt")


class Checkpoints:
    """The checkpoints in one folder, named by their step; the last two are kept.

    A state holds tensors, numbers, strings, lists and dicts: reading it runs no code.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def found(self) -> list[Path]:
        """All checkpoints, the newest first."""
        return sorted(
            (path for path in self.folder.glob("checkpoint-*.pt") if _NAME.fullmatch(path.name)), reverse=True
        )

    def save(self, state: dict, step: int) -> None:
        """Writes a checkpoint, then removes all but the last two and what a killed writer left behind."""
        with written_whole(self.folder / f"checkpoint-{step:09d}.pt") as file:
            torch.save(state, file)
        for path in self.found()[KEPT:]:
            path.unlink(missing_ok=True)
        for path in self.folder.glob(f"*{PARTIAL}"):
            path.unlink(missing_ok=True)

    def load(self) -> tuple[dict | None, list[str]]:
        """Reads the newest checkpoint that is whole: (state, or None where there is no checkpoint; lines to print).

        Raises ValueError with the remedy when there are checkpoints and none of them is whole.
        """
        said = []
        for path in self.found():
            state = _read(path)
            if state is not None:
                return state, said
            said.append(f"{path.name} is damaged; taking the one before it")
        if said:
            raise ValueError(f"checkpoints: all in {self.folder} are damaged; begin again with --force")
        return None, said

    def remove(self) -> None:
        """Removes all checkpoints and partial files."""
        for path in (*self.found(), *self.folder.glob(f"*{PARTIAL}")):
            path.unlink(missing_ok=True)


def _read(path: Path) -> dict | None:
    """The state in a file, or None when the file is damaged."""
    try:
        with zipfile.ZipFile(path) as file:
            if file.testzip() is not None:  # reads all of it and compares the checksums, which torch.load does not
                return None
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a damaged file fails in many ways: bad zip, missing part, wrong pickle, …
        return None
