"""The command line of `python -m course_utils.train`."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from course_utils.models.encoder import CELLS
from course_utils.train.folder import stored_settings
from course_utils.train.run import Stopped, train
from course_utils.train.settings import ATTENTIONS, PRECISIONS, TASKS, Settings, kinds, recipe

HELP = {
    "minutes": "train so long; loading data and measuring do not count",
    "steps": "train so many batches instead",
    "epochs": "go through the data so many times instead",
    "attention": "what the decoder looks back with",
    "cell": "of encoder and decoder",
    "size": "of the states",
    "batch_tokens": "source tokens in a batch, of all processes together",
    "rate": "highest learning rate",
    "precision": "bfloat16 where the processor has it (auto), or always one of them",
    "tied": "take the logits from the target embedding's own table",
    "path": "a file of your own data",
    "subset": "train on so many pairs only: the first, in an order that is random and fixed",
    "seed": "of the first weights, the order of the data and dropout",
}
CHOICES = {"attention": ATTENTIONS, "cell": CELLS, "precision": PRECISIONS}


def parser() -> argparse.ArgumentParser:
    """Makes the parser: one option for each setting, and those that change no result."""
    made = argparse.ArgumentParser(
        prog="python -m course_utils.train",
        description="Trains a course model as far as it goes, and reports. Under torchrun: on several devices.",
    )
    made.add_argument("task", choices=TASKS, help="dates, spelling to sound, or French to English")
    for name, kind in kinds().items():
        flag = f"--{name.replace('_', '-')}"
        if kind is bool:
            made.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=HELP.get(name))
        elif name != "task":
            made.add_argument(flag, type=kind, choices=CHOICES.get(name), help=HELP.get(name))
    made.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto takes CUDA where it is")
    made.add_argument("--threads", type=int, help="how many processor threads PyTorch may use")
    made.add_argument("--out", type=Path, help="the folder of the run (runs/TASK-ATTENTION-SEED)")
    made.add_argument("--save-every", type=float, default=5.0, help="seconds between two checkpoints (5)")
    made.add_argument("--resume", action="store_true", help="go on where a run in this folder stopped")
    made.add_argument("--force", action="store_true", help="throw away the run that is in this folder")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, 2 for what cannot be done, 130 when it was stopped."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = vars(parser().parse_args(arguments))
    names = ("task", "device", "threads", "out", "save_every", "resume", "force")
    task, device, threads, out, save_every, resume, force = (options.pop(name) for name in names)
    changes = {name: value for name, value in options.items() if value is not None}
    try:
        if threads is not None:
            if threads < 1:
                raise ValueError(f"threads: got {threads}, expected at least 1")
            torch.set_num_threads(threads)
        settings = recipe(task, **changes)
        folder = out or Path("runs") / f"{task}-{settings.attention}-{settings.seed}"
        if resume:
            settings = _resumed(folder, task, changes) or settings
        processes = int(os.environ.get("WORLD_SIZE", 1))
        start = f"torchrun --nproc-per-node {processes} -m" if processes > 1 else "python -m"
        train(
            settings,
            folder,
            device,
            resume=resume,
            force=force,
            save_every=save_every,
            command=f"{start} course_utils.train {shlex.join(arguments)}",
        )
    except Stopped as stop:
        print(stop, file=sys.stderr)
        return 130
    except KeyboardInterrupt:  # the first one during training ends as Stopped
        print("interrupted; to go on, give the same command with --resume", file=sys.stderr)
        return 130
    except (ValueError, OSError, RuntimeError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    return 0


def _resumed(folder: Path, task: str, changes: dict) -> Settings | None:
    """The settings of a stopped run, with the changes that were given now, which must be none; None where no run is."""
    stored = stored_settings(folder)
    if stored is None:
        return None
    from dataclasses import replace

    budget = {"minutes", "steps", "epochs"} & set(changes)
    cleared = dict.fromkeys(("minutes", "steps", "epochs")) if budget else {}
    return replace(stored, **cleared | changes | {"task": task})
