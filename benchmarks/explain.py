"""The lab of lesson 14: is attention an explanation? Questions, dates and clicks, three seeds.

    OMP_NUM_THREADS=1 python benchmarks/explain.py                      about six minutes; writes the report "explain"
    OMP_NUM_THREADS=1 python benchmarks/explain.py --only words dates   some of its systems
    OMP_NUM_THREADS=1 python benchmarks/explain.py --parts look even    some of its parts

Parts: look (ranks, permutations, the adversary for each question), even (a model trained with even weights), whole (a
model trained to answer alike and look elsewhere), guided (words without context, given a map). Questions are those of
dev with at least five words, dates are held out, clicks are those of a shop that the models never saw. Nothing was
chosen by the numbers that are reported, but for the strengths of the adversary, which are all reported.
"""

import argparse
from collections.abc import Callable
from datetime import date
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.data.questions import KINDS
from course_utils.explain.adversary import adversary
from course_utils.explain.agreeing import agreements, finds, same_top
from course_utils.explain.guided import Guided, fit_guided
from course_utils.explain.known import Clicks, Dates, even_score
from course_utils.explain.moving import apart, even, most, moved, permuted, under_permutation
from course_utils.explain.opened import open_classifier
from course_utils.explain.retraining import fit_adversary
from course_utils.explain.systems import SETTINGS, Questions, System
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import experiment, experiments, write_experiment

NAME, SEEDS = "explain", range(3)
SYSTEMS: dict[str, Callable[[int], System]] = {
    "words": lambda seed: Questions("plain", seed),
    "convolution": lambda seed: Questions("convolution", seed),
    "dates": lambda seed: Dates(seed),
    "clicks": lambda seed: Clicks("softmax", seed),
    "clicks, sigmoid": lambda seed: Clicks("sigmoid", seed),
}
EVEN: dict[str, Callable[[int], System]] = {  # the same, with weights that are even from the start
    "words": lambda seed: Questions("plain", seed, pooling="mean"),
    "convolution": lambda seed: Questions("convolution", seed, pooling="mean"),
    "dates": lambda seed: Dates(seed, score=even_score),
    "clicks": lambda seed: Clicks("mean", seed),
}
WHOLE = ("words",)
STRENGTHS, GUIDES = (0.01, 0.05), ("words", "convolution")
TRAINED: dict[tuple[str, int], System] = {}


def system(name: str, seed: int) -> System:
    """Each is trained once in a run of this script."""
    if (name, seed) not in TRAINED:
        TRAINED[name, seed] = SYSTEMS[name](seed)
    return TRAINED[name, seed]


def mean(values: Tensor) -> float:
    return round(values.float().nanmean().item(), 3)


def percent(values: Tensor) -> float:
    return round(100 * values.float().mean().item(), 1)


def explanations(one: System) -> tuple[Tensor, dict[str, Tensor]]:
    opened, steep = one.open(), one.slopes()
    found = {"weights": opened.weights, "left out": one.left_out(), "gradient": steep.steep,
             "gradient × input": steep.times}  # fmt: skip
    chance = torch.rand(opened.weights.shape, generator=torch.Generator().manual_seed(0))
    return opened.mask, {**found, "chance": chance}


def ranks(one: System) -> dict[str, Any]:
    """How alike the explanations are, in pairs, and how well each finds the truth, where there is one."""
    mask, found = explanations(one)
    names = list(found)
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :] if a != "chance"]
    told = {
        "ranks": {f"{a} / {b}": mean(agreements(found[a], found[b], mask)) for a, b in pairs},
        "same top": {f"{a} / {b}": percent(same_top(found[a], found[b], mask)) for a, b in pairs},
    }
    if one.truth is not None:
        against = finds if one.truth.dtype == torch.bool else agreements
        told["truth"] = {name: mean(against(values, one.truth, mask)) for name, values in found.items()}
        told["top in truth"] = {name: percent(_at_top(values, one.truth, mask)) for name, values in found.items()}
    return told


def _at_top(values: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Whether the top has the greatest truth of its row."""
    top = values.masked_fill(~mask, -torch.inf).argmax(-1, keepdim=True)
    real = truth.float().masked_fill(~mask, -1.0)
    return real.gather(-1, top).squeeze(-1) >= real.amax(-1)


def moves(one: System, seed: int) -> dict[str, Any]:
    """Weights permuted and made even at test time, beside what weights could have moved at all."""
    opened, generator = one.open(), torch.Generator().manual_seed(seed)
    whole, mixed = opened.under(opened.weights), permuted(opened.weights, opened.mask, generator)
    flat = even(opened.weights, opened.mask)
    with torch.no_grad():
        told = {
            "permuted": mean(under_permutation(opened, generator)), "even": mean(moved(whole, opened.under(flat))),
            "most": mean(most(opened)), "away permuted": mean(apart(opened.weights, mixed)),
            "away even": mean(apart(opened.weights, flat)),
        }  # fmt: skip
        for name, weights in {"own": opened.weights, "permuted": mixed, "even": flat}.items():
            told[f"right, {name}"] = round(one.right(opened.under(weights)), 1)
    return told


def against(one: System, seed: int) -> dict[str, Any]:
    """The adversary for each question: how far away, for how many, and by length."""
    opened = one.open()
    found = adversary(opened, torch.Generator().manual_seed(seed))
    lengths = opened.mask.sum(-1)
    by = {
        f"{low} to {high}": mean(found.away[(lengths >= low) & (lengths <= high)])
        for low, high in ((5, 6), (7, 9), (10, 13), (14, 19), (20, 40))
        if ((lengths >= low) & (lengths <= high)).sum() >= 20
    }
    away, told = found.away, {}
    if one.truth is not None:  # does the adversary's map find the truth less well than the model's own?
        measure = finds if one.truth.dtype == torch.bool else agreements
        told["truth"] = mean(measure(found.weights, one.truth, opened.mask))
        told["weight on truth"] = mean((found.weights * one.truth).sum(-1))
        told["own weight on truth"] = mean((opened.weights * one.truth).sum(-1))
    return {
        "mean": mean(away),
        "at least half": percent(away >= 0.5),
        "at least 0.9": percent(away >= 0.9),
        "by length": by,
        "moved": mean(found.moved),
        **told,
    }


def look(name: str, row: dict[str, Any]) -> None:
    runs = []
    for seed in SEEDS:
        one = system(name, seed)
        runs.append({**ranks(one), **moves(one, seed)})
        if name != "clicks, sigmoid":  # its weights need not sum to 1: the adversary's distance means little there
            runs[-1]["adversary"] = against(one, seed)
        print(name, seed, runs[-1], flush=True)
    opened = [system(name, seed).open() for seed in SEEDS]
    pairs = [(0, 1), (0, 2), (1, 2)]
    row["look"] = runs
    row["rows"] = len(opened[0].mask)
    row["keys"] = mean(opened[0].mask.sum(-1))
    row["between seeds"] = [mean(apart(opened[a].weights, opened[b].weights)) for a, b in pairs]
    with torch.no_grad():
        answers = [one.under(one.weights) for one in opened]
    row["answers between seeds"] = [mean(moved(answers[a], answers[b])) for a, b in pairs]


def level(name: str, row: dict[str, Any]) -> None:
    if name not in EVEN:
        return
    row["even"] = []
    for seed in SEEDS:
        one = EVEN[name](seed)
        row["even"].append(round(one.right(_answers(one)), 1))
        print(name, "even", seed, row["even"], flush=True)


@torch.no_grad()
def _answers(one: System) -> Tensor:
    """What a system answers to all that it is asked."""
    if isinstance(one, Questions):
        return one.model(one.numbers)[0].log_softmax(-1)
    opened = one.open()
    return opened.under(opened.weights)


def whole(name: str, row: dict[str, Any]) -> None:
    """Trains a fresh model against each old one, with every strength; 0, the control, looks where it likes."""
    if name not in WHOLE:
        return
    row["whole"] = {}
    for strength in (0.0, *STRENGTHS):
        told = row["whole"].setdefault(f"{strength:g}", [])
        for seed in SEEDS:
            one = system(name, seed)
            before, again = one.open(), _fresh(one, 100 + seed)
            fit_adversary(again, lambda rows, again=again, one=one: one.run(again, rows), _old(one), strength,
                          learning_rate=1e-2 if isinstance(one, Clicks) else 5e-3, seed=seed)  # fmt: skip
            one.model, old = again, one.model
            after = one.open()
            one.model = old
            with torch.no_grad():
                answers = [opened.under(opened.weights) for opened in (before, after)]
            told.append({"away": mean(apart(before.weights, after.weights)), "moved": mean(moved(*answers)),
                         "right": round(one.right(answers[1]), 1)})  # fmt: skip
        print(name, strength, told, flush=True)


def _fresh(one: System, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    if isinstance(one, Clicks):
        return type(one.model)(one.model.table.num_embeddings, one.model.ask.weighing)
    assert isinstance(one, Questions)
    reader = one.reader
    rate, _, size = SETTINGS[reader]
    return one.fresh(reader, "attention", size, 0.1)


@torch.no_grad()
def _old(one: System) -> tuple[Tensor, Tensor]:
    """What the old model answers on its training examples, and where it looks: in parts, for they are many."""
    count = 5000 if isinstance(one, Clicks) else len(one.learn)  # type: ignore[attr-defined]
    parts = [one.run(one.model, rows) for rows in torch.arange(count).split(500)]
    wide = max(looked.shape[-1] for _, looked in parts)
    padded = [F.pad(looked, (0, wide - looked.shape[-1])) for _, looked in parts]
    return torch.cat([chances for chances, _ in parts]), torch.cat(padded)


def guided(report: dict[str, Any]) -> None:
    """Words without context, given a map: even, learned freely, of each system, and that map permuted."""
    found: dict[str, list[float]] = {}
    for seed in SEEDS:
        base = system("words", seed)
        assert isinstance(base, Questions)
        maps = {"even": [(numbers[..., 0] != 0).float() for numbers in (base.learn, base.numbers)]}
        maps["even"] = [mask / mask.sum(-1, keepdim=True) for mask in maps["even"]]
        for name in GUIDES:
            one = system(name, seed)
            assert isinstance(one, Questions)
            opened = [open_classifier(one.model, numbers) for numbers in (one.learn, one.numbers)]
            maps[name] = [part.weights for part in opened]
            generator = torch.Generator().manual_seed(seed)
            maps[f"{name}, permuted"] = [permuted(part.weights, part.mask, generator) for part in opened]
        for name, (learn, asked) in maps.items():
            torch.manual_seed(seed)
            model = Guided(base.sizes, len(KINDS))
            fit_guided(model, base.learn, learn, base.kinds, seed=seed)
            with torch.no_grad():
                found.setdefault(name, []).append(round(base.right(model(base.numbers, asked)), 1))
        print("guided", found, flush=True)
    report["guided"] = found


PARTS: dict[str, Callable[[str, dict[str, Any]], None]] = {"look": look, "even": level, "whole": whole}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--only", nargs="*", choices=SYSTEMS, default=list(SYSTEMS), help="some systems, instead of all"
    )
    parser.add_argument("--parts", nargs="+", choices=[*PARTS, "guided"], default=[*PARTS, "guided"])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    report = experiment(NAME) if NAME in experiments() else {"systems": {}}
    report |= {"command": "python benchmarks/explain.py", "date": date.today().isoformat(), "seeds": list(SEEDS)}
    report["machine"] = machine(torch.device("cpu"), 1)
    for name in asked.only:
        row = report["systems"].setdefault(name, {})
        for part in asked.parts:
            if part in PARTS:
                PARTS[part](name, row)
                write_experiment(report, NAME)
    if "guided" in asked.parts:
        guided(report)
        write_experiment(report, NAME)


if __name__ == "__main__":
    main()
