"""One run from start to report: load, train or go on training, measure, write."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import torch

from course_utils.files import written_whole
from course_utils.train.allocator import keep_memory
from course_utils.train.bars import RunBar
from course_utils.train.checkpoint import Checkpoints, open_folder, save_model
from course_utils.train.distributed import join
from course_utils.train.evaluation import evaluate, examples
from course_utils.train.loop import SAVE_EVERY, Training
from course_utils.train.reports import NAME, load_report, machine, table, write_report
from course_utils.train.settings import Settings
from course_utils.train.tasks import Task, load_task, make_model

PICTURE = "report.png"


class Stopped(Exception):
    """A run was asked to stop; what it reached is saved."""


def long_run(
    settings: Settings,
    folder: str | Path,
    device: str = "auto",
    *,
    resume: bool = False,
    force: bool = False,
    save_every: float = SAVE_EVERY,
    command: str = "",
) -> dict | None:
    """Trains as the settings say, measures, and writes report, picture and weights into a folder; returns the report.

    With `resume` it goes on where a run in this folder stopped, if there is one. Without it a folder that holds a run
    is left alone, unless `force` throws that run away. Of several processes only the first gives a report, the others
    None. Raises ValueError for a folder that is taken, or when a run was begun with other settings; Stopped when a
    signal ended it early.
    """
    keep_memory()
    folder = Path(folder)
    team, own = join(device)
    say = print if team.leads else _silent
    try:
        if resume and (folder / NAME).exists():
            say(f"this run is finished: {folder / NAME}")
            return load_report(folder) if team.leads else None
        checkpoints = Checkpoints(folder)
        state = open_folder(checkpoints, settings, resume, force, team.leads, say)
        task = load_task(settings)
        torch.manual_seed(settings.seed)
        training = Training(make_model(settings, task), settings, task, own, team)
        if state:
            training.restore(state)
            say(f"goes on at step {training.reached.step:,}, after {training.reached.elapsed:.0f} s of training")

        def save(state: dict) -> None:
            if team.leads:
                checkpoints.save({"settings": asdict(settings), "training": state}, training.reached.step)

        bar = RunBar(f"{settings.task}, {settings.contestant}", shown=team.leads)
        kept = torch.random.fork_rng(devices=[own] if own.type == "cuda" else [])
        with asked_to_stop() as asked, bar, kept:  # the caller's random numbers stay as they are
            finished = training.run(save, asked, bar, save_every)
    finally:
        team.leave()
    if not finished:
        raise Stopped(f"stopped at step {training.reached.step:,}; to go on, give the same command with --resume")
    if not team.leads:
        return None
    from course_utils.train.picture import draw_file  # matplotlib takes a second: only finished runs pay for it

    report = _report(training, task, team.size, command)
    save_model(training.model, settings, folder)
    with written_whole(folder / PICTURE) as file:
        draw_file(report, file)
    write_report(report, folder)  # last: where it stands, the run is finished
    checkpoints.remove()
    say(table(report))
    return report


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Turns the first SIGTERM or SIGINT into a wish that the loop sees; the second one ends the process as usual.

    A signal that is ignored, as SIGINT is in a script's background jobs, stays ignored.
    """
    asked: list[int] = []
    before: dict[int, Any] = {}

    def note(number: int, _: object) -> None:
        asked.append(number)
        signal.signal(number, before[number])

    if threading.current_thread() is threading.main_thread():  # Python lets no other thread set signals
        for number in (signal.SIGTERM, signal.SIGINT):
            handler = signal.getsignal(number)
            if handler not in (signal.SIG_IGN, None):  # None: not set by Python
                before[number] = handler
                signal.signal(number, note)
    try:
        yield lambda: bool(asked)
    finally:
        for changed, handler in before.items():
            signal.signal(changed, handler)


def _report(training: Training, task: Task, processes: int, command: str) -> dict:
    """Measures a trained model; the time that this takes is not the training's."""
    settings, reached = training.settings, training.reached
    metrics, by_length = evaluate(training.model, task, settings, training.device)
    return {
        "command": command,
        "date": date.today().isoformat(),
        "settings": asdict(settings),
        "machine": machine(training.device, processes) | {"precision": "bfloat16" if training.half else "float32"},
        "parameters": sum(weight.numel() for weight in training.weights),
        "pairs": len(task.train),
        "steps": reached.step,
        "epochs": round(reached.step / len(training.batches), 2),
        "seconds": round(reached.elapsed, 1),
        "tokens_per_second": round(reached.tokens / reached.elapsed, 1),
        "history": training.history,
        "metrics": metrics,
        "by_length": by_length,
        "examples": examples(training.model, task, training.device),
    }


def _silent(*_: object) -> None:
    """Says nothing."""
