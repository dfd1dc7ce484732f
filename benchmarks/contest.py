"""The contest of lesson 02: five rules that learn to find one of eight goods, each at the best of five rates.

    OMP_NUM_THREADS=1 python benchmarks/contest.py        about 80 seconds; writes the report that lesson 02 reads

The task, the sizes and the number of steps are those of the lesson. For 300 steps, and for four times as many, each
rule gets every rate on seeds of its own and is compared by the customers sent to the right good; then it runs at the
best rate on the seeds of the lesson.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.scores import Additive, Bilinear, ConcatLinear, ConcatTanhSum, ConcatToSlots
from course_utils.train.fit import fit
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

GOODS, SIZE, NOISE = 8, 8, 0.3
MAKERS: dict[str, Callable[[], nn.Module]] = {
    "rule 1 per key": lambda: ConcatLinear(SIZE, SIZE),
    "rule 1 to all places": lambda: ConcatToSlots(SIZE, SIZE, GOODS),
    "rule 2": lambda: ConcatTanhSum(SIZE, SIZE, 32),
    "additive": lambda: Additive(SIZE, SIZE, 32),
    "bilinear": lambda: Bilinear(SIZE, SIZE),
}
RATES, TUNING, STEPS = [0.003, 0.01, 0.02, 0.05, 0.1], [10, 11, 12], [300, 1200]
CPU = torch.device("cpu")


def lookup(batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Shapes: query (batch, 1, size), key (batch, key, size), place of the wanted good (batch)."""
    key = torch.randn(batch, GOODS, SIZE, generator=generator)
    place = torch.randint(GOODS, (batch,), generator=generator)
    query = key[torch.arange(batch), place] + NOISE * torch.randn(batch, SIZE, generator=generator)
    return query[:, None], key, place


def found(name: str, rate: float, seed: int, steps: int) -> float:
    """Trains a rule; the share of 4 000 new customers who are sent to the right good, in percent."""
    torch.manual_seed(seed)
    score, generator = MAKERS[name](), torch.Generator().manual_seed(seed)

    def loss(step: int) -> Tensor:
        query, key, place = lookup(128, generator)
        return F.cross_entropy(score(query, key)[:, 0], place)

    fit(score, loss, steps, learning_rate=rate)
    query, key, place = lookup(4000, torch.Generator().manual_seed(1000 + seed))
    with torch.no_grad():
        return round(100 * (score(query, key)[:, 0].argmax(-1) == place).float().mean().item(), 2)


def contested(name: str, steps: int, seeds: list[int]) -> dict:
    """A rule at every rate on the seeds for tuning, and at the best of them on `seeds`."""
    by_rate = {f"{rate:g}": [found(name, rate, seed, steps) for seed in TUNING] for rate in RATES}
    best = max(RATES, key=lambda rate: sum(by_rate[f"{rate:g}"]))
    result = {"by rate": by_rate, "rate": best, "seeds": [found(name, best, seed, steps) for seed in seeds]}
    print(f"{name}, {steps} steps: {result}", flush=True)
    return result


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=5)
    seeds = list(range(ask.parse_args().seeds))
    torch.set_num_threads(1)
    began = time.process_time()
    contestants = {name: {str(steps): contested(name, steps, seeds) for steps in STEPS} for name in MAKERS}
    report = {
        "command": "python benchmarks/contest.py",
        "date": date.today().isoformat(),
        "seeds": seeds,
        "machine": machine(CPU, processes=1),
        "seconds": round(time.process_time() - began),
        "contestants": contestants,
    }
    print(f"written: {write_experiment(report, 'contest').name}")


if __name__ == "__main__":
    main()
