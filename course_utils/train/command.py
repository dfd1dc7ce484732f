"""The command line of `python -m course_utils.train`."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path

import torch

from course_utils.attention.guards import require_positive
from course_utils.terminal import print_anyway
from course_utils.train.checkpoint import stored_settings
from course_utils.train.distributed import DEVICES
from course_utils.train.loop import SAVE_EVERY
from course_utils.train.options import expected, kind
from course_utils.train.run import Stopped, long_run
from course_utils.train.settings import RECIPES, TRANSFORMERS, Settings, changed, recipe


def parser() -> argparse.ArgumentParser:
    """Makes the parser: one option for each setting, None where it is not given, and those that change no result."""
    made = argparse.ArgumentParser(
        prog="python -m course_utils.train",
        description="Trains a course model as far as it goes, and reports. Under torchrun: on several devices.",
        epilog="In brackets: what is taken where nothing is given, first by every task, then by those named.",
    )
    settings = made.add_argument_group("settings: they decide the result")
    for one in fields(Settings):
        flag, choices = f"--{one.name.replace('_', '-')}", one.metadata["choices"] or None
        if one.default is MISSING:
            made.add_argument(one.name, choices=choices, help=_help(one))
        elif kind(one) is bool:
            settings.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=_help(one))
        else:
            settings.add_argument(flag, type=kind(one), choices=choices, help=_help(one))
    others = made.add_argument_group("the rest: how and where")
    others.add_argument("--device", choices=DEVICES, default=DEVICES[0], help="auto takes CUDA where it is (auto)")
    others.add_argument("--threads", type=int, help="how many processor threads PyTorch may use")
    others.add_argument("--out", type=Path, help="the folder of the run (runs/TASK-MODEL-SEED)")
    others.add_argument(
        "--save-every", type=float, default=SAVE_EVERY, help="seconds between two checkpoints (%(default)s)"
    )
    others.add_argument("--resume", action="store_true", help="go on where a run in this folder stopped")
    others.add_argument("--force", action="store_true", help="throw away the run that is in this folder")
    return made


def _help(one: Field) -> str:
    """What a setting is, what it may be, and what it is where nobody gives it: by default, and in which recipe."""
    range_of = f": {expected(one)}" if kind(one) in (int, float) else ""
    usual = [] if one.default in (MISSING, None) else [str(one.default)]
    usual += [f"{task} {values[one.name]}" for task, values in RECIPES.items() if one.name in values]
    usual += [f"{task} transformer {values[one.name]}" for task, values in TRANSFORMERS.items() if one.name in values]
    return one.metadata["help"] + range_of + (f" ({', '.join(usual)})" if usual else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, 2 for what cannot be done, 130 when it was stopped."""
    print_anyway()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    given = parser().parse_args(arguments)
    names = [one.name for one in fields(Settings)]
    changes = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    try:
        if given.threads is not None:
            require_positive(threads=given.threads)
            torch.set_num_threads(given.threads)
        settings = recipe(**changes)
        folder = given.out or Path("runs") / f"{settings.task}-{settings.contestant}-{settings.seed}"
        stored = stored_settings(folder) if given.resume else None
        processes = int(os.environ.get("WORLD_SIZE", 1))
        start = f"torchrun --nproc-per-node {processes} -m" if processes > 1 else "python -m"
        long_run(
            changed(stored, **changes) if stored else settings,  # a stopped run needs nothing but its folder
            folder,
            given.device,
            resume=given.resume,
            force=given.force,
            save_every=given.save_every,
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
