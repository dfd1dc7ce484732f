"""Six ways to tell positions, on numbers longer than any in training: three seeds, each way at the best of its rates.

    OMP_NUM_THREADS=1 python benchmarks/extrapolation.py    about twenty minutes; writes what lesson 05 draws

The model, the three tasks and the lengths are those of the lesson: trained on 4 to 12 digits, examined up to 96. For
each number of steps, the learning rate of each way is the best of four, by the loss on fresh numbers of trained
lengths, with seeds of its own; then it is trained anew at that rate, and once at the one rate of the lesson. Latest
even, where the ranking turns, is run for 100 to 1200 steps, the others for 1200. What the stored report holds already
is not measured again; --anew forgets it. The report is written after each number of steps, so that
a run may be cut short.
"""

import argparse
import math
import time
from collections.abc import Sequence
from datetime import date

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.attention.masks import causal_mask
from course_utils.models.tiny import WAYS, Tiny
from course_utils.train.fit import fit
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import experiment, experiments, write_experiment

NAME = "extrapolation"
RATES, TUNING = [0.003, 0.01, 0.03, 0.09], [10, 11, 12]
COMMON = 0.01  # the rate of the lesson
STEPS = {"reverse": [1200], "three before": [1200], "latest even": [100, 300, 600, 1200]}
SHORTEST, LONGEST = 4, 12  # digits in training
LENGTHS = [6, 12, 24, 48, 96]
CPU = torch.device("cpu")


def three_before(digits: Tensor) -> Tensor:
    return F.pad(digits, (3, 0), value=-100)[..., :-3]


def latest_even(digits: Tensor) -> Tensor:
    positions = torch.arange(digits.shape[-1])
    last = torch.where(digits % 2 == 0, positions, 0).cummax(dim=-1).values
    return digits.gather(-1, last)


TASKS = {"reverse": lambda digits: digits.flip(-1), "three before": three_before, "latest even": latest_even}


class Numbers:
    """Random digits for several seeds at once: each seed draws its own, and all take turns with the same lengths."""

    def __init__(self, seeds: Sequence[int], test: bool = False) -> None:
        self.digits = [torch.Generator().manual_seed(seed + 1000 * test) for seed in seeds]
        self.lengths = torch.Generator().manual_seed(0)

    def draw(self, count: int, length: int) -> Tensor:
        drawn = torch.stack([torch.randint(10, (count, length), generator=one) for one in self.digits])
        drawn[..., 0] -= drawn[..., 0] % 2  # the first digit is even
        return drawn  # (seed, batch, length)

    def length(self) -> int:
        return int(torch.randint(SHORTEST, LONGEST + 1, (), generator=self.lengths))


def several(way: str, seeds: Sequence[int]) -> Tiny:
    """A model for each seed, with the starting values that it has alone, along the seeds' axis of one module."""
    alone = []
    for seed in seeds:
        torch.manual_seed(seed)
        alone.append(Tiny(way, seeds=1))
    model = Tiny(way, seeds=len(seeds))
    states = [one.state_dict() for one in alone]
    model.load_state_dict(
        {name: torch.cat([s[name] for s in states], dim=int(name == "project")) for name in states[0]}
    )
    return model


def run(model: Tiny, task: str, digits: Tensor) -> tuple[Tensor, Tensor]:
    mask = None if task == "reverse" else causal_mask(digits.shape[-1])
    return model(digits, mask), TASKS[task](digits)


def train(way: str, task: str, seeds: Sequence[int], steps: int, rate: float) -> Tiny:
    model, numbers = several(way, seeds), Numbers(seeds)

    def loss(step: int) -> Tensor:
        scores, answers = run(model, task, numbers.draw(32, numbers.length()))
        return len(seeds) * F.cross_entropy(scores.flatten(0, -2), answers.flatten())  # a sum over the seeds

    # Without clipping, a seed among others learns what it learns alone.
    fit(model, loss, steps, learning_rate=rate, clip=math.inf)
    return model


@torch.no_grad()
def short_loss(model: Tiny, task: str, seeds: Sequence[int]) -> float:
    """The mean loss on fresh numbers of every trained length."""
    numbers, total = Numbers(seeds, test=True), 0.0
    for length in range(SHORTEST, LONGEST + 1):
        scores, answers = run(model, task, numbers.draw(200, length))
        total += F.cross_entropy(scores.flatten(0, -2), answers.flatten()).item()
    return round(total / (LONGEST + 1 - SHORTEST), 5)


@torch.no_grad()
def percent_right(model: Tiny, task: str, seeds: Sequence[int]) -> list[list[float]]:
    """The share of digits that are right at each length, for each seed, in percent."""
    numbers, found = Numbers(seeds, test=True), []
    for length in LENGTHS:
        scores, answers = run(model, task, numbers.draw(200, length))
        right = (scores.argmax(-1) == answers).sum(dim=(1, 2)) / (answers >= 0).sum(dim=(1, 2))
        found.append([round(100 * share, 2) for share in right.tolist()])
    return found


def measure(way: str, task: str, steps: int, seeds: Sequence[int], known: dict) -> dict:
    """The loss at each rate, the best rate, and what is right at it and at the lesson's, by length and seed."""
    losses, right = known.get("loss by rate", {}), known.get("right by rate", {})
    for rate in RATES:
        if f"{rate:g}" not in losses:
            losses[f"{rate:g}"] = short_loss(train(way, task, TUNING, steps, rate), task, TUNING)
    losses = {f"{rate:g}": losses[f"{rate:g}"] for rate in RATES}
    best = float(min(losses, key=losses.__getitem__))
    for rate in {best, COMMON}:
        if f"{rate:g}" not in right:
            right[f"{rate:g}"] = percent_right(train(way, task, seeds, steps, rate), task, seeds)
    print(f"{task}, {way}, {steps} steps: {losses}; {right[f'{best:g}'][-1]} at {LENGTHS[-1]}", flush=True)
    return {"loss by rate": losses, "rate": best, "right by rate": {f"{r:g}": right[f"{r:g}"] for r in {best, COMMON}}}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=3, help="other than 3: nothing is stored")
    ask.add_argument("--task", choices=list(TASKS), help="one task only; the others stay as they are stored")
    ask.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="some of the ways only, likewise")
    ask.add_argument("--anew", action="store_true", help="measure again what the stored report holds")
    said = ask.parse_args()
    torch.set_num_threads(1)
    seeds = list(range(said.seeds))
    stored = experiment(NAME) if NAME in experiments() and seeds == [0, 1, 2] else {"tasks": {}, "seconds": 0}
    began, found = (
        time.process_time(),
        {task: {way: {} for way in WAYS} | stored["tasks"].get(task, {}) for task in TASKS},
    )
    for task in [said.task] if said.task else list(TASKS):
        for way in said.ways:
            known = {} if said.anew else dict(found[task][way])
            for steps in STEPS[task]:
                found[task][way][str(steps)] = measure(way, task, steps, seeds, known.get(str(steps), {}))
                report = {
                    "command": "python benchmarks/extrapolation.py",
                    "date": date.today().isoformat(),
                    "seeds": seeds,
                    "machine": machine(CPU, processes=1),
                    "seconds": round(time.process_time() - began) + stored["seconds"],
                    "lengths": LENGTHS,
                    "tasks": found,
                }
                if seeds == [0, 1, 2]:
                    write_experiment(report, NAME)


if __name__ == "__main__":
    main()
