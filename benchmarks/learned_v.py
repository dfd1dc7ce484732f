"""Rule 2 and additive attention differ in a learned v alone: does it help, with few hidden features and with many?

    OMP_NUM_THREADS=1 python benchmarks/learned_v.py        about two minutes; writes the report that lesson 02 draws

Content lookup as in lesson 02: eight goods, eight features. Every width of either kind gets every learning rate, and
the best one on development shops; the share found is that on other shops. All of it twice: with 300 steps, with 1200.
"""

import argparse
import time
from datetime import date

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.scores import Additive, ConcatTanhSum
from course_utils.train.fit import fit
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

KINDS = {"v fixed to ones (rule 2)": ConcatTanhSum, "v learned (additive)": Additive}
WIDTHS, RATES, STEPS = [1, 2, 4, 8, 16, 32], [0.01, 0.02, 0.05], [300, 1200]


def lookup(batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Queries (batch, 1, 8), keys (batch, 8, 8) and the place of the good that was described (batch)."""
    key = torch.randn(batch, 8, 8, generator=generator)
    place = torch.randint(8, (batch,), generator=generator)
    query = key[torch.arange(batch), place] + 0.3 * torch.randn(batch, 8, generator=generator)
    return query[:, None], key, place


def found(score: nn.Module, seed: int) -> float:
    """The share of 4 000 new shops in which the right good has the highest score, in percent."""
    query, key, place = lookup(4000, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return round(100 * (score(query, key)[:, 0].argmax(-1) == place).float().mean().item(), 2)


def trained(kind: type[nn.Module], width: int, rate: float, seed: int, steps: int) -> nn.Module:
    torch.manual_seed(seed)
    score, generator = kind(8, 8, width), torch.Generator().manual_seed(seed)

    def loss(step: int) -> Tensor:
        query, key, place = lookup(128, generator)
        return F.cross_entropy(score(query, key)[:, 0], place)

    fit(score, loss, steps, learning_rate=rate)
    return score


def at_best_rate(kind: type[nn.Module], width: int, steps: int, seeds: list[int]) -> dict:
    rules = {rate: [trained(kind, width, rate, seed, steps) for seed in seeds] for rate in RATES}
    dev = {rate: sum(found(rule, 5000 + seed) for seed, rule in zip(seeds, rules[rate], strict=True)) for rate in RATES}
    best = max(dev, key=dev.__getitem__)
    share = [found(rule, 1000 + seed) for seed, rule in zip(seeds, rules[best], strict=True)]
    return {"width": width, "rate": best, "found": share}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--widths", type=int, nargs="+", help="only these; nothing is stored")
    said = ask.parse_args()
    torch.set_num_threads(1)
    began, seeds, results = time.process_time(), list(range(said.seeds)), {}
    for steps in STEPS:
        results[str(steps)] = {name: [] for name in KINDS}
        for name, kind in KINDS.items():
            for width in said.widths or WIDTHS:
                results[str(steps)][name].append(at_best_rate(kind, width, steps, seeds))
                print(steps, name, results[str(steps)][name][-1], flush=True)
    report = {
        "command": "python benchmarks/learned_v.py",
        "date": date.today().isoformat(),
        "seeds": seeds,
        "machine": machine(torch.device("cpu"), processes=1),
        "seconds": round(time.process_time() - began),
        "rates": RATES,
        "steps": results,
    }
    if said.widths is None:
        print(f"written: {write_experiment(report, 'learned_v').name}")


if __name__ == "__main__":
    main()
