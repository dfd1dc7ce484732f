"""Where the root of the size helps and where it hurts: with it and without it, at several learning rates.

    OMP_NUM_THREADS=1 python benchmarks/root.py        about seven minutes; writes the report that lesson 02 draws

Two tasks. *Lookup*: learned projections of size 256 find one of 32 goods, and start with components of variance 1.
*Reversal*: the reader of lesson 00 writes up to 20 digits backwards, as in reversal.py; its states are far smaller at
the start. Each contestant gets every rate. Lookup is tuned on seeds of its own; the winner then runs on other seeds,
and once more with four times the steps. Reversal shows every rate with every seed, and the best with three times the
steps.
"""

import argparse
import math
import time
from datetime import date

import torch
import torch.nn.functional as F
from reversal import LONGEST, RATES, STEPS, Reversal, right
from torch import Tensor, nn

from course_utils.attention import attend, dot, scaled_dot
from course_utils.models.seq2seq import Seq2Seq
from course_utils.train.fit import fit
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

SCORES = {"plain": dot, "with the root": scaled_dot}
LOOKUP_RATES = [0.001, 0.003, 0.01, 0.03, 0.1]
TUNING = [10, 11, 12]  # seeds on which lookup's rates are compared
CPU = torch.device("cpu")


class Projected(nn.Module):
    """The score of two learned projections of size 256, which start with components of variance 1."""

    def __init__(self, score) -> None:
        super().__init__()
        self.query, self.key, self.score = nn.Linear(32, 256, bias=False), nn.Linear(32, 256, bias=False), score
        for layer in (self.query, self.key):
            nn.init.normal_(layer.weight, std=1 / math.sqrt(32))

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return self.score(self.query(query), self.key(key))


def lookup(score, rate: float, seed: int, steps: int = 150) -> list[float]:
    """The squared error of the context at every step: 64 customers, 32 goods, as in the lesson."""
    torch.manual_seed(seed)
    model, generator = Projected(score), torch.Generator().manual_seed(seed)
    rows = torch.arange(64)

    def loss(step: int) -> Tensor:
        key = torch.randn(64, 32, 32, generator=generator)
        place = torch.randint(32, (64,), generator=generator)
        query = key[rows, place] + 0.3 * torch.randn(64, 32, generator=generator)
        value = torch.randn(64, 32, 4, generator=generator)
        context, _ = attend(query[:, None], key, value, score=model)
        return F.mse_loss(context[:, 0], value[rows, place])

    return fit(model, loss, steps, learning_rate=rate)


def at_last(errors: list[float]) -> float:
    """The mean of the last 20 steps."""
    return round(sum(errors[-20:]) / 20, 4)


def at_the_start(task: Reversal, seeds: list[int]) -> dict[str, list[float]]:
    """How far components of queries and keys, and the scores of a row, deviate before any training."""
    found: dict[str, list[float]] = {"queries": [], "keys": [], **{name: [] for name in SCORES}}
    batch = task.report[LONGEST]

    def listening(query: Tensor, key: Tensor) -> Tensor:
        for name, numbers in (("queries", query), ("keys", key)):
            found[name].append(round(numbers.std().item(), 3))
        for name, score in SCORES.items():
            found[name].append(round(score(query, key).std(-1).mean().item(), 3))
        return dot(query, key)

    for seed in seeds:
        torch.manual_seed(seed)
        model = Seq2Seq(len(task.digits), len(task.digits), size=64, score=listening)
        with torch.no_grad():
            model(batch.source, batch.source_mask, batch.target_in)
    return found


def digits_right(task: Reversal, name: str, rate: float, seed: int, steps: int = STEPS) -> float:
    """The share of twenty digits that stand in their place, in percent."""
    return right(task.learn(SCORES[name], rate, seed, steps), {LONGEST: task.report[LONGEST]})[0]


def looked_up(name: str, seeds: list[int]) -> dict:
    by_rate = {f"{rate:g}": [at_last(lookup(SCORES[name], rate, seed)) for seed in TUNING] for rate in LOOKUP_RATES}
    best = min(LOOKUP_RATES, key=lambda rate: sum(by_rate[f"{rate:g}"]))
    found = {"by rate": by_rate, "rate": best}
    found["seeds"] = [at_last(lookup(SCORES[name], best, seed)) for seed in seeds]
    found["four times the steps"] = [at_last(lookup(SCORES[name], best, seed, steps=600)) for seed in seeds]
    print(f"lookup, {name}: {found}", flush=True)
    return found


def reversed_digits(task: Reversal, name: str, seeds: list[int]) -> dict:
    by_rate = {}
    for rate in RATES:
        by_rate[f"{rate:g}"] = [digits_right(task, name, rate, seed) for seed in seeds]
        print(f"reversal, {name}, rate {rate:g}: {by_rate[f'{rate:g}']}", flush=True)
    best = max(RATES, key=lambda rate: sum(by_rate[f"{rate:g}"]))
    longer = [digits_right(task, name, best, seed, 3 * STEPS) for seed in seeds]
    print(f"reversal, {name}, three times the steps: {longer}", flush=True)
    return {"by rate": by_rate, "rate": best, "three times the steps": longer}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--only", choices=["lookup", "reversal"], help="one of the two tasks; nothing is stored")
    said = ask.parse_args()
    torch.set_num_threads(1)
    began, seeds, found = time.process_time(), list(range(said.seeds)), {}
    if said.only != "reversal":
        found["lookup"] = {name: looked_up(name, seeds) for name in SCORES}
    if said.only != "lookup":
        task = Reversal()
        found["start of reversal"] = at_the_start(task, seeds)
        print(f"start of reversal: {found['start of reversal']}", flush=True)
        found["reversal"] = {name: reversed_digits(task, name, seeds) for name in SCORES}
    report = {
        "command": "python benchmarks/root.py",
        "date": date.today().isoformat(),
        "seeds": seeds,
        "machine": machine(CPU, processes=1),
        "seconds": round(time.process_time() - began),
        "tasks": found,
    }
    if said.only is None:
        print(f"written: {write_experiment(report, 'root').name}")


if __name__ == "__main__":
    main()
