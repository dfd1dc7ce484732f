"""A run on disk: its checkpoints, checked when they are read, with the one before kept, and its model at the end."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from course_utils.files import PARTIAL, written_whole
from course_utils.train.reports import NAME
from course_utils.train.settings import Settings, difference, restored
from course_utils.train.tasks import Model, Task, load_task, make_model

KEPT = 2
WEIGHTS = "weights.pt"
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
        said: list[str] = []
        for path in self.found():
            state = _read(path)
            if state is not None:
                return state, said
            said.append(f"{path.name} is damaged; taking the one before it")
        if said:
            raise ValueError(
                f"checkpoints: got {self.folder}, all damaged, expected a whole one; begin again with --force"
            )
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


def open_folder(
    checkpoints: Checkpoints, settings: Settings, resume: bool, force: bool, leads: bool, say: Callable
) -> dict | None:
    """Gives the state to go on from, or None to begin; makes the folder, or, with `force`, clears it.

    Raises ValueError with the remedy when a run is there and neither is asked for, or it had other settings.
    """
    folder = checkpoints.folder
    if resume:
        state, said = checkpoints.load()
        for line in said:
            say(line)
        if state is None:
            say(f"nothing to go on from in {folder}: begins")
        else:
            _require_same(restored(state["settings"]), settings)
            return state["training"]
    elif force:
        if leads:
            (folder / NAME).unlink(missing_ok=True)
            checkpoints.remove()
    elif (folder / NAME).exists():
        raise ValueError(
            f"out: got {folder}, which holds a finished run, expected another --out, or --force to throw it away"
        )
    elif checkpoints.found():
        raise ValueError(
            f"out: got {folder}, which holds a run that stopped, expected --resume, or --force to throw it away"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return None


def _require_same(stored: Settings, given: Settings) -> None:
    name = difference(stored, given)
    if name:
        raise ValueError(
            f"{name}: got {getattr(given, name)!r}, expected {getattr(stored, name)!r}, with which this run was begun; "
            "leave it out, or give another --out"
        )


def stored_settings(folder: str | Path) -> Settings | None:
    """The settings of the run that stopped in a folder, or None where there is none."""
    state, _ = Checkpoints(Path(folder)).load()
    return restored(state["settings"]) if state else None


def save_model(model: nn.Module, settings: Settings, folder: Path) -> None:
    """Writes the weights of a trained model beside its settings."""
    with written_whole(folder / WEIGHTS) as file:
        torch.save({"settings": asdict(settings), "model": model.state_dict()}, file)


def load_model(folder: str | Path) -> tuple[Model, Task]:
    """Gives the trained model of a finished run, in evaluation mode on the CPU, and its task with the vocabularies.

    Raises FileNotFoundError where no run has finished.
    """
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        raise FileNotFoundError(f"folder: got {folder}, where no {path.name} is, expected the folder of a finished run")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    settings = restored(stored["settings"])
    task = load_task(settings)
    model = make_model(settings, task)
    model.load_state_dict(stored["model"])
    return model.eval(), task
