"""The long runs of lesson 12 beside its digits: clicks in two shops, films with three seeds.

    OMP_NUM_THREADS=1 python benchmarks/beyond_text.py clicks     writes the report "clicks"
    OMP_NUM_THREADS=1 python benchmarks/beyond_text.py films      writes the report "films"

Each run is stored as soon as it is done, and what is stored is not done again: a stopped command goes on where it was.
`--again` begins anew, `--most 3` stops after three more runs.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.data.clicks import COUNTS, Visits, relevance, simulate_visits
from course_utils.data.films import leave_last_out, load_films
from course_utils.data.shop import GOODS
from course_utils.models.clicks import WEIGHINGS, ClickModel
from course_utils.models.recommender import MeanOfHistory, SelfAttentive, TargetOverHistory
from course_utils.train.clicks import fit_clicks
from course_utils.train.ranking import (
    auc,
    fit_next,
    hit_rate,
    ndcg,
    popularity,
    rank_correlation,
    ranks,
    sampled,
    scores_of,
    seen,
)
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import experiment, experiments, write_experiment

SEEDS, CHOOSING = range(3), (10, 11)  # the second are those by which rates are chosen
CLICK_STEPS, CLICK_RATES = (400, 1600), (0.003, 0.01, 0.03, 0.1)
FILMS: dict[str, tuple[Callable[[int], nn.Module], int, float, float]] = {  # model, epochs, learning rate, weight decay
    "mean of history": (lambda films: MeanOfHistory(films, 64, 0.2), 20, 5e-3, 0.01),
    "self-attention, 1 layer": (lambda films: SelfAttentive(films, 64, 1, 1, 100, 0.2), 16, 4e-3, 0.05),
    "self-attention, 2 layers": (lambda films: SelfAttentive(films, 64, 2, 1, 100, 0.1), 12, 4e-3, 0.05),
    "target attention": (lambda films: TargetOverHistory(films, 64, 0.2), 6, 5e-3, 0.01),
}


def clicked_right(
    weighing: str, learn: Visits, asked: Visits, steps: int, rate: float, seed: int
) -> tuple[float, Tensor]:
    """Trains a model; gives its AUC and its weights on the visits that are asked about."""
    torch.manual_seed(seed)
    model = ClickModel(len(GOODS), weighing)
    fit_clicks(model, learn, steps, rate, seed=seed)
    with torch.no_grad():
        logits, weights = model(asked)
    return round(auc(logits, asked.clicked), 4), weights


def clicks(report: dict[str, Any], done: Callable[[], None]) -> None:
    """Two shops, one in which fitting clicks add up and one in which their share counts; four ways to weigh.

    Each has, for each number of steps, the best of four rates on visits of their own.
    """
    for counts in COUNTS:
        drawn = zip((40000, 5000, 5000), (0, 1, 7), strict=True)  # visits, and the seed of each part
        train, test, dev = (simulate_visits(n, torch.Generator().manual_seed(seed), counts) for n, seed in drawn)
        truth = relevance()[test.history, test.candidate[:, None]][test.mask]
        shop = report.setdefault(counts, {"truth": round(auc(test.chance, test.clicked), 4)})
        for weighing, steps in product(WEIGHINGS, CLICK_STEPS):
            row = shop.setdefault(weighing, {}).setdefault(str(steps), {})
            if "correlation" in row:
                continue
            row["dev"] = {
                str(rate): [clicked_right(weighing, train, dev, steps, rate, seed)[0] for seed in CHOOSING]
                for rate in CLICK_RATES
            }
            row["rate"] = max(CLICK_RATES, key=lambda rate, found=row["dev"]: sum(found[str(rate)]))
            runs = [clicked_right(weighing, train, test, steps, row["rate"], seed) for seed in SEEDS]
            row["auc"] = [right for right, _ in runs]
            asks = weighing in ("softmax", "sigmoid")
            row["correlation"] = [round(rank_correlation(kept[test.mask], truth), 3) for _, kept in runs if asks]
            print(counts, weighing, steps, row, flush=True)
            done()


def measures(scores: Tensor, asked: Any, draw: int) -> dict[str, float]:
    """Honest and flattered: ranked among all films that were not seen, and among a hundred of them drawn at random."""
    left_out = seen(asked.histories, scores.shape[1] - 1)
    full = ranks(scores, asked.target, left_out)
    few = sampled(scores, asked.target, left_out, 100, torch.Generator().manual_seed(draw))
    return {
        "hit": round(hit_rate(full), 4), "ndcg": round(ndcg(full), 4),
        "hit among 100": round(hit_rate(few), 4), "ndcg among 100": round(ndcg(few), 4),
    }  # fmt: skip


def films(report: dict[str, Any], done: Callable[[], None], part: str = "test") -> None:
    """Popularity, and four models with each seed: hit rate and NDCG at 10, over all films and among a hundred."""
    titles, histories = load_films()
    parts = leave_last_out(histories)
    asked, count = getattr(parts, part), len(titles) - 1
    learn = parts.train if part == "dev" else parts.test.histories
    common = popularity(learn, count).expand(len(asked.target), -1)
    report.setdefault("popularity", {"runs": [measures(common, asked, 0)]})
    for seed in SEEDS:
        for name, (make, epochs, rate, decay) in FILMS.items():
            row = report.setdefault(name, {"epochs": epochs, "rate": rate, "decay": decay, "runs": []})
            if len(row["runs"]) > seed:
                continue
            torch.manual_seed(seed)
            model, began = make(count), time.thread_time()
            fit_next(model, learn, epochs, rate, weight_decay=decay, seed=seed)
            spent = round(time.thread_time() - began, 1)
            row["runs"].append(measures(scores_of(model, asked.histories), asked, seed) | {"seconds": spent})
            row["parameters"] = sum(weight.numel() for weight in model.parameters())
            print(name, seed, row["runs"][-1], flush=True)
            done()


def most_runs(found: Any) -> int:
    """The length of the longest list of runs: how many seeds, or splits, there have been."""
    if isinstance(found, dict):
        return max(map(most_runs, found.values()), default=0)
    return len(found) if isinstance(found, list) else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("part", choices=["clicks", "films"])
    parser.add_argument("--again", action="store_true", help="begin anew")
    parser.add_argument("--most", type=int, default=1000, metavar="RUNS", help="stop after so many more runs")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    name = chosen.part
    report = experiment(name) if name in experiments() and not chosen.again else {}
    report |= {"command": f"python benchmarks/beyond_text.py {chosen.part}", "seeds": []}
    report |= {"date": date.today().isoformat(), "machine": machine(torch.device("cpu"), 1)}
    found, left = report.setdefault("found", {}), chosen.most

    def done() -> None:
        nonlocal left
        report["seeds"] = list(range(most_runs(found)))
        write_experiment(report, name)
        left -= 1
        if left <= 0:
            raise SystemExit(0)

    {"clicks": clicks, "films": films}[chosen.part](found, done)


if __name__ == "__main__":
    main()
