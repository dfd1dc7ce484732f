"""What cheaper attention forgets: a price list against the number of pairs, and one price in a text against distance.

    OMP_NUM_THREADS=1 python benchmarks/recall.py list      about two minutes; writes the report that lesson 13 draws
    OMP_NUM_THREADS=1 python benchmarks/recall.py needle    about five minutes; likewise
    OMP_NUM_THREADS=1 python benchmarks/recall.py list --only full     one contestant anew; the others stay as they are

Every contestant of a task sees the same batches, takes as many steps, and has its learning rate chosen from the same
three by its score on lists or texts of another seed, which are not those of the report. Three seeds.
"""

import argparse
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.models.recall import (
    KINDS,
    PriceList,
    Reader,
    needle_loss,
    needles_found,
    price_loss,
    prices_right,
)
from course_utils.train.fit import fit
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import experiment, experiments, write_experiment

SEEDS, DEV = range(3), 99
RATES = (0.003, 0.01, 0.03)
PAIRS, LIST_STEPS = (4, 8, 16, 32, 64), 800
LENGTH, LONGER, PLACE, NEEDLE_STEPS = 128, 520, 8, 250
LISTS = {
    "full": lambda: PriceList("full", 32),
    "window of 16": lambda: PriceList("window", 32, window=16),
    "linear, 16": lambda: PriceList("linear", 16),
    "linear, 32": lambda: PriceList("linear", 32),
    "linear, 64": lambda: PriceList("linear", 64),
}


def trained(make: Callable[[], nn.Module], loss: Callable[..., Tensor], steps: int, rate: float, seed: int) -> Any:
    """A model after so many steps, each on a fresh batch."""
    torch.manual_seed(seed)
    model, generator = make(), torch.Generator().manual_seed(seed)
    fit(model, lambda step: loss(model, step, generator), steps, rate)
    return model.eval()


def on_lists(model: PriceList, step: int, generator: torch.Generator) -> Tensor:
    return price_loss(model, PAIRS[step % len(PAIRS)], generator)


def on_texts(model: Reader, step: int, generator: torch.Generator) -> Tensor:
    return needle_loss(model, LENGTH, generator)


def best_rate(
    make: Callable[[], nn.Module], loss: Callable, steps: int, rates: Sequence[float], score: Callable[[Any], float]
) -> tuple[float, dict[str, float]]:
    """The learning rate with the best score on what the report does not use, and the score of each."""
    found = {rate: round(score(trained(make, loss, steps, rate, 0)), 2) for rate in rates}
    return max(found, key=found.__getitem__), {f"{rate:g}": value for rate, value in found.items()}


def lists(steps: int = LIST_STEPS, only: Sequence[str] = tuple(LISTS)) -> dict[str, Any]:
    """Prices told right, by the number of pairs, for each contestant and seed; and how many numbers each keeps."""
    found = {}
    for name in only:
        make = LISTS[name]
        rate, tried = best_rate(
            make,
            on_lists,
            steps,
            RATES,
            lambda model: sum(prices_right(model, n, DEV) for n in PAIRS) / len(PAIRS),
        )
        models = [trained(make, on_lists, steps, rate, seed) for seed in SEEDS]
        right = {str(n): [round(prices_right(m, n, s), 2) for m, s in zip(models, SEEDS, strict=True)] for n in PAIRS}
        kept = {str(n): models[0].kept(n) for n in PAIRS}
        found[name] = {"rate": rate, "dev by rate": tried, "right": right, "kept": kept}
        print(name, rate, tried, {n: sum(values) / len(values) for n, values in right.items()}, kept, flush=True)
    return found


def texts(steps: int = NEEDLE_STEPS, only: Sequence[str] = KINDS) -> dict[str, Any]:
    """Prices found, by the distance, for each kind and seed: in the middle of a text, and at its very beginning."""
    found = {}
    for kind in only:

        def make(kind: str = kind) -> Reader:
            return Reader(kind)

        rate, tried = best_rate(
            make, on_texts, steps, RATES, lambda model: needles_found(model, LENGTH, PLACE, DEV).mean().item()
        )
        models = [trained(make, on_texts, steps, rate, seed) for seed in SEEDS]
        curves = {
            name: [
                [round(value) for value in needles_found(m, LONGER, place, seed).tolist()]
                for m, seed in zip(models, SEEDS, strict=True)
            ]
            for name, place in (("right", PLACE), ("right, first", 0))
        }
        found[kind] = {"rate": rate, "dev by rate": tried, **curves}
        told = {d: [row[d] for row in curves["right"]] for d in (1, 15, 30, 31, 100, 500)}
        print(kind, rate, tried, told, [row[500] for row in curves["right, first"]], flush=True)
    return found


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("task", choices=["list", "needle"])
    ask.add_argument("--steps", type=int, help="fewer, for a trial that writes nothing")
    ask.add_argument("--only", nargs="+", choices=[*LISTS, *KINDS[1:]])
    said = ask.parse_args()
    work, usual = (lists, LIST_STEPS) if said.task == "list" else (texts, NEEDLE_STEPS)
    name, entered = ("recall", LISTS) if said.task == "list" else ("needle", KINDS)
    before = experiment(name)["contestants"] if said.only and name in experiments() else {}
    found = before | work(said.steps or usual, said.only or tuple(entered))
    report = {
        "command": f"python benchmarks/recall.py {said.task}",
        "date": date.today().isoformat(),
        "seeds": list(SEEDS),
        "machine": machine(torch.device("cpu"), 1),
        "settings": {"steps": said.steps or usual, "length": LENGTH, "place": PLACE, "pairs": list(PAIRS)},
        "contestants": {one: found[one] for one in entered if one in found},
    }
    if not said.steps:
        print("written", write_experiment(report, name))


if __name__ == "__main__":
    main()
