"""The folder of a run: whether it is free, what a stopped run left there, and the model of a finished one."""

from collections.abc import Callable
from pathlib import Path

import torch

from course_utils.models.seq2seq import Seq2Seq
from course_utils.train.checkpoint import Checkpoints
from course_utils.train.report import NAME
from course_utils.train.settings import Settings, difference, restored
from course_utils.train.tasks import Task, load_task, make_model

WEIGHTS, PICTURE = "weights.pt", "report.png"


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
        raise ValueError(f"out: {folder} holds a finished run; give another --out, or --force to throw it away")
    elif checkpoints.found():
        raise ValueError(f"out: {folder} holds a run that stopped; give --resume to go on, or --force to throw it away")
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


def load_model(folder: str | Path) -> tuple[Seq2Seq, Task]:
    """Gives the trained model of a finished run, in evaluation mode on the CPU, and its task with the vocabularies.

    Raises FileNotFoundError where no run has finished.
    """
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        raise FileNotFoundError(f"folder: there is no {path}, expected the folder of a finished run")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    settings = restored(stored["settings"])
    task = load_task(settings)
    model = make_model(settings, task)
    model.load_state_dict(stored["model"])
    return model.eval(), task
