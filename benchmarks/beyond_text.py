"""The long runs of lesson 12: digits in five splits, clicks in two shops, films with three seeds.

    OMP_NUM_THREADS=1 python benchmarks/beyond_text.py digits     writes the report "handwriting"
    OMP_NUM_THREADS=1 python benchmarks/beyond_text.py clicks     writes the report "clicks"
    OMP_NUM_THREADS=1 python benchmarks/beyond_text.py films      writes the report "films"

Each run is stored as soon as it is done, and what is stored is not done again: a stopped command goes on where it was.
`--again` begins anew, `--most 3` stops after three more runs.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.data.clicks import COUNTS, relevance, simulate_visits
from course_utils.data.films import leave_last_out, load_films
from course_utils.data.handwriting import SPLITS, Digits, fewer, load_handwriting, shuffled
from course_utils.data.shop import GOODS
from course_utils.models.clicks import WEIGHINGS, ClickModel
from course_utils.models.recommender import MeanOfHistory, SelfAttentive, TargetOverHistory
from course_utils.models.vision import SmallConvolution, VisionTransformer
from course_utils.train.clicks import fit_clicks
from course_utils.train.pictures import answers, fit_pictures, percent_right
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

SEEDS = range(3)
PLAIN = ("logistic regression", "3 nearest neighbours", "support vector machine")
NETWORKS: dict[str, Callable[[], nn.Module]] = {"convolution": SmallConvolution, "Transformer": VisionTransformer}
STEPS = {"convolution": 400, "convolution, shifted": 600, "Transformer": 400, "Transformer, shifted": 1000}
LONGER = 3000  # steps of a longer training, for the Transformer with shifts and, as a control, without
FEW_STEPS = 250  # where only ten of each digit are learned from
FILMS: dict[str, tuple[Callable[[int], nn.Module], int, float, float]] = {  # model, epochs, learning rate, weight decay
    "mean of history": (lambda films: MeanOfHistory(films, 64, 0.2), 20, 5e-3, 0.01),
    "self-attention, 1 layer": (lambda films: SelfAttentive(films, 64, 1, 1, 100, 0.2), 16, 4e-3, 0.05),
    "self-attention, 2 layers": (lambda films: SelfAttentive(films, 64, 2, 1, 100, 0.1), 12, 4e-3, 0.05),
    "target attention": (lambda films: TargetOverHistory(films, 64, 0.2), 6, 5e-3, 0.01),
}


def plain(name: str) -> Any:
    """A contestant of scikit-learn; their strengths were chosen on dev."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    made = LogisticRegression(C=1.0, max_iter=1000), KNeighborsClassifier(3), SVC(C=10.0)
    return dict(zip(PLAIN, made, strict=True))[name]


def sorted_right(name: str, learn: Digits, test: Digits, seed: int, steps: int | None = None) -> float:
    """The percentage of the test that a contestant gets right after so many steps, by default its own number."""
    if name in PLAIN:
        model = plain(name).fit(learn.pictures.flatten(1), learn.classes)
        return percent_right(model.predict(test.pictures.flatten(1)), test.classes)
    torch.manual_seed(seed)
    network = NETWORKS[name.partition(",")[0]]()
    steps = steps or (STEPS[name] if len(learn.classes) > 300 else FEW_STEPS)
    fit_pictures(network, learn, steps, shifts="shifted" in name, seed=seed)
    return percent_right(answers(network, test.pictures), test.classes)


def together(one: Digits, other: Digits) -> Digits:
    return Digits(torch.cat([one.pictures, other.pictures]), torch.cat([one.classes, other.classes]))


def digits(report: dict[str, Any], done: Callable[[], None]) -> None:
    """Five splits, with shifts too; three of them shuffled, with ten examples of each digit, and trained longer."""
    parts = {split: load_handwriting(split) for split in range(SPLITS)}

    Change = Callable[[Digits, Digits], tuple[Digits, Digits]]

    def go(group: str, name: str, split: int, change: Change, steps: int | None = None) -> None:
        row = report.setdefault(group, {}).setdefault(name, [])
        if len(row) > split:
            return
        learn, test = change(together(parts[split].train, parts[split].dev), parts[split].test)
        row.append(round(sorted_right(name, learn, test, split, steps), 2))
        print(group, name, split, row[-1], flush=True)
        done()

    def mixed(learn: Digits, test: Digits) -> tuple[Digits, Digits]:
        return Digits(shuffled(learn.pictures, 2), learn.classes), Digits(shuffled(test.pictures, 2), test.classes)

    names = [*PLAIN, *(f"{name}{more}" for name in NETWORKS for more in ("", ", shifted"))]
    for split in range(SPLITS):
        for name in names:
            go("all", name, split, lambda learn, test: (learn, test))
    for split in SEEDS:
        for name in [*PLAIN, *NETWORKS]:
            go("shuffled", name, split, mixed)
        for name in ("support vector machine", "convolution", "Transformer", "Transformer, shifted"):
            go("10 of each", name, split, lambda learn, test, s=split: (fewer(learn, 10, s), test))
        for name in ("Transformer", "Transformer, shifted"):
            go(f"{LONGER} steps", name, split, lambda learn, test: (learn, test), LONGER)


def clicks(report: dict[str, Any], done: Callable[[], None]) -> None:
    """Two shops, one in which fitting clicks add up and one in which their share counts; four ways to weigh."""
    for counts in COUNTS:
        if all(len(report.get(counts, {}).get(weighing, {}).get("auc", [])) == len(SEEDS) for weighing in WEIGHINGS):
            continue
        train = simulate_visits(40000, torch.Generator().manual_seed(0), counts)
        test = simulate_visits(5000, torch.Generator().manual_seed(1), counts)
        truth = relevance()[test.history, test.candidate[:, None]][test.mask]
        shop = report.setdefault(counts, {"truth": round(auc(test.chance, test.clicked), 4)})
        for weighing in WEIGHINGS:
            row = shop.setdefault(weighing, {"auc": [], "correlation": []})
            for seed in SEEDS:
                if len(row["auc"]) > seed:
                    continue
                torch.manual_seed(seed)
                model = ClickModel(len(GOODS), weighing)
                fit_clicks(model, train, 400, seed=seed)
                with torch.no_grad():
                    logits, weights = model(test)
                row["auc"].append(round(auc(logits, test.clicked), 4))
                if weighing in ("softmax", "sigmoid"):
                    row["correlation"].append(round(rank_correlation(weights[test.mask], truth), 3))
                print(counts, weighing, seed, row, flush=True)
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
    parser.add_argument("part", choices=["digits", "clicks", "films"])
    parser.add_argument("--again", action="store_true", help="begin anew")
    parser.add_argument("--most", type=int, default=1000, metavar="RUNS", help="stop after so many more runs")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    name = {"digits": "handwriting"}.get(chosen.part, chosen.part)
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

    {"digits": digits, "clicks": clicks, "films": films}[chosen.part](found, done)


if __name__ == "__main__":
    main()
