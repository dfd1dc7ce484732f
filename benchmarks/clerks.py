"""Which learning rate suits each way to train a hard choice? Eight clerks, on codes that lesson 03 does not use.

    OMP_NUM_THREADS=1 python benchmarks/clerks.py        half a minute; writes the rates that lesson 03 uses

The task is that of lesson 03, *Open one box*. Every way gets every rate, for 400 steps; what counts is the
squared error of the clerk who goes to the box with the highest score, on 500 new orders.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date

import torch
from torch import Tensor

from course_utils.attention.hard import draw, expected_cost, hardest, reinforce_loss, straight_through
from course_utils.data import shop
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

RATES, SEED, STEPS = [0.01, 0.03, 0.1, 0.3, 0.5, 1.0, 2.0], 100, 400


class Warehouse:
    """The orders, and four ways to a gradient; every training begins with the same random numbers."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.lids, price = shop.keys() - shop.keys().mean(0), shop.values()[:, 0].log()
        self.tags = (price - price.mean()) / price.std()
        self.codes = torch.linalg.qr(torch.randn(8, 14, 14, generator=self.generator))[0]
        self.usual = torch.full((8, 1), 3.0)  # the running baseline

    def boxes(self, orders: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        page = torch.rand(8, orders, 48, generator=self.generator).argsort(-1)[..., :8]
        wanted = torch.randint(8, (8, orders, 1), generator=self.generator)
        good = page.gather(-1, wanted)[..., 0]
        slips = self.lids[good] @ self.codes + 0.1 * torch.randn(8, orders, 14, generator=self.generator)
        return slips, self.lids[page], self.tags[page], self.tags[good]

    def count(self, scores: Tensor, prices: Tensor, wanted: Tensor) -> Tensor:
        return expected_cost(scores, 2 + (prices - wanted[..., None]) ** 2)

    def reinforce(self, scores: Tensor, prices: Tensor, wanted: Tensor) -> Tensor:
        choice = draw(scores.detach(), self.generator)
        return reinforce_loss(scores, choice, walk(choice, prices, wanted))

    def with_baseline(self, scores: Tensor, prices: Tensor, wanted: Tensor) -> Tensor:
        choice = draw(scores.detach(), self.generator)
        cost = walk(choice, prices, wanted)
        loss = reinforce_loss(scores, choice, cost, self.usual)
        self.usual.lerp_(cost.mean(-1, keepdim=True), 0.1)
        return loss

    def pretend(self, scores: Tensor, prices: Tensor, wanted: Tensor) -> Tensor:
        return walk(straight_through(scores, 1.0, self.generator), prices, wanted)


WAYS: dict[str, Callable[[Warehouse], Callable]] = {
    "count (exact)": lambda house: house.count,
    "REINFORCE": lambda house: house.reinforce,
    "with baseline": lambda house: house.with_baseline,
    "straight-through, 1": lambda house: house.pretend,
}


def walk(choice: Tensor, prices: Tensor, wanted: Tensor) -> Tensor:
    return 2 + ((choice * prices).sum(-1) - wanted) ** 2


def score_boxes(matrix: Tensor, slips: Tensor, lids: Tensor) -> Tensor:
    return ((slips @ matrix)[..., None, :] * lids).sum(-1)


def error(name: str, rate: float, steps: int) -> float:
    """The mean squared error of eight clerks after training."""
    house = Warehouse(SEED)
    exam, way = house.boxes(500), WAYS[name](house)
    matrix = torch.zeros(8, 14, 14, requires_grad=True)
    optimizer = torch.optim.Adam([matrix], lr=rate)
    for _ in range(steps):
        slips, lids, prices, wanted = house.boxes(32)
        loss = way(score_boxes(matrix, slips, lids), prices, wanted)
        optimizer.zero_grad()
        loss.mean(-1).sum().backward()
        optimizer.step()
    choice = hardest(score_boxes(matrix.detach(), *exam[:2]))
    return round((walk(choice, *exam[2:]) - 2).mean().item(), 4)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--steps", type=int, default=STEPS, help="other than 400: nothing is stored")
    said = ask.parse_args()
    torch.set_num_threads(1)
    began, found = time.process_time(), {}
    for name in WAYS:
        by_rate = {rate: error(name, rate, said.steps) for rate in RATES}
        best = min(by_rate, key=by_rate.__getitem__)
        found[name] = {"by rate": {f"{rate:g}": missed for rate, missed in by_rate.items()}, "rate": best}
        print(name, found[name], flush=True)
    report = {
        "command": "python benchmarks/clerks.py",
        "date": date.today().isoformat(),
        "seeds": [SEED],
        "machine": machine(torch.device("cpu"), processes=1),
        "seconds": round(time.process_time() - began),
        "ways": found,
    }
    if said.steps == STEPS:
        print(f"written: {write_experiment(report, 'clerks').name}")


if __name__ == "__main__":
    main()
