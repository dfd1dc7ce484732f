"""The shop's engine of lesson 15 beside plain searches, with and without the history, and by three rules.

    OMP_NUM_THREADS=1 python benchmarks/engine.py                        five minutes; writes the report of lesson 15
    OMP_NUM_THREADS=1 python benchmarks/engine.py --only "with history"  one contestant of it
    OMP_NUM_THREADS=1 python benchmarks/engine.py --choose               heads and rate, on queries of the training part

Settings were chosen on 20 queries taken from the training part, one seed. Then everything learns from 20 000 visits
(the learned search of lesson 01 from the 20 000 clicks of its own lesson), and is measured on the 40 held-out queries
of lesson 01: NDCG@10 for somebody new, and AUC on the pages of 4 000 visits. A seed draws visits, weights and batches.
"""

import argparse
import re
import time
from datetime import date
from functools import partial
from typing import Any

import torch
from torch import Tensor

from course_utils.data import shop
from course_utils.data.sessions import Sessions, descriptions, session_chances, simulate_sessions, with_other_history
from course_utils.models.engine import Engine, EngineAttention
from course_utils.train.engine import fit_engine, fit_search, page_auc, score_queries, score_sessions
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import experiment, experiments, write_experiment

NAME, SEEDS, LEARN, ASK = "engine", range(3), 20_000, 4_000
TRIED = [("scaled dot", heads, rate) for heads, rate in ((1, 0.01), (1, 0.02), (2, 0.01), (2, 0.03))]
TRIED += [("additive", 2, 0.01), ("additive", 2, 0.1)]
CONTESTANTS: dict[str, dict[str, Any]] = {
    "with history": {},
    "without history": {"history": False},
    "another's history": {"other": True},
    "additive": {"rule": "additive"},
    "bilinear": {"rule": "bilinear"},
}
PLAIN = ("popularity", "word overlap", "the clerk's table", "learned search (01)", "who knows the shoppers")


def exam(queries: list[str]) -> tuple[Sessions, Tensor]:
    """The visits of the exam, the same for every seed, and the true chances of each query."""
    truth = torch.stack([shop.click_chances(text, torch.arange(len(shop.GOODS))) for text in queries])
    return simulate_sessions(queries, ASK, torch.Generator().manual_seed(100)), truth


def quality(by_query: Tensor, by_visit: Tensor, visits: Sessions, truth: Tensor) -> dict[str, float]:
    """Percent: NDCG@10 of queries, AUC on pages. Shapes: by_query (query, good), by_visit (visit, good)."""
    found = shop.ndcg(by_query, truth).mean().item(), page_auc(by_visit, visits.page, visits.place)
    return dict(zip(("ndcg", "auc"), (round(100 * value, 2) for value in found), strict=True))


def overlap(queries: list[str]) -> Tensor:
    """How many words of a query stand in the name of each good. Shapes: → (query, good)."""
    names = [set(name.split()) for name in shop.NAMES]
    return torch.tensor([[float(len(set(re.findall("[a-z]+", text)) & name)) for name in names] for text in queries])


def plain(name: str, seed: int, train: list[str], asked: list[str], visits: Sessions, truth: Tensor) -> dict:
    """A contestant that knows no history, or, at the end, one that nobody can build."""
    if name == "who knows the shoppers":
        return quality(truth, session_chances(asked, visits), visits, truth)
    clicks = shop.simulate_clicks(train, LEARN, torch.Generator().manual_seed(seed))
    if name == "popularity":
        scores = shop.popularity(clicks).expand(len(asked), -1)
    elif name == "word overlap":
        scores = overlap(asked)
    elif name == "the clerk's table":
        scores = shop.counts(asked) @ shop.word_table() @ shop.keys().T
    else:
        scores = fit_search(train, clicks, seed)(shop.counts(asked), shop.keys()).detach()
    return quality(scores, scores[visits.query], visits, truth)


def trained(
    seed: int, train: list[str], rule: str = "scaled dot", other: bool = False, history: bool = True, heads: int = 2,
    rate: float = 3e-2,
) -> tuple[Engine, float, list[float]]:  # fmt: skip
    """An engine that has learned, its seconds of computing, and its losses."""
    visits = simulate_sessions(train, LEARN, torch.Generator().manual_seed(seed))
    if other:
        visits = with_other_history(visits, torch.Generator().manual_seed(seed))
    torch.manual_seed(seed)
    attention = partial(EngineAttention, rule=rule)
    engine = Engine(descriptions(), len(shop.WORDS), heads=heads, attention=attention, history=history)
    began = time.thread_time()
    losses = fit_engine(engine, train, visits, learning_rate=rate, seed=seed)
    return engine, time.thread_time() - began, losses


def run(seed: int, train: list[str], asked: list[str], visits: Sessions, truth: Tensor, **settings: Any) -> dict:
    """What an engine reaches: with "other", it learned from, and is asked with, the clicks of other people."""
    engine, seconds, losses = trained(seed, train, **settings)
    other = with_other_history(visits, torch.Generator().manual_seed(200 + seed))
    scores = score_sessions(engine, asked, other if settings.get("other") else visits)
    found: dict[str, Any] = quality(score_queries(engine, asked), scores, visits, truth)
    found["auc, asked with another's"] = round(
        100 * page_auc(score_sessions(engine, asked, other), visits.page, visits.place), 2
    )
    found["sold out shown"] = int((scores[visits.sold_out] > -torch.inf).sum())
    found |= {"seconds": round(seconds, 1), "loss": round(sum(losses[-50:]) / 50, 3)}
    return found | {"parameters": sum(weight.numel() for weight in engine.parameters())}


def choose(train: list[str]) -> dict[str, dict[str, float]]:
    """What each setting reaches on 20 pairs of words of the training part, learning from the rest."""
    pairs = train[len(shop.WORDS) :]
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(7)).tolist()
    dev = [pairs[place] for place in order[:20]]
    rest, (visits, truth), found = [query for query in train if query not in dev], exam(dev), {}
    for rule, heads, rate in TRIED:
        engine = trained(0, rest, rule=rule, heads=heads, rate=rate)[0]
        reached = quality(score_queries(engine, dev), score_sessions(engine, dev, visits), visits, truth)
        found[f"{rule}, {heads} heads, {rate}"] = reached
        print(rule, heads, rate, reached, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", choices=[*PLAIN, *CONTESTANTS], default=[*PLAIN, *CONTESTANTS])
    parser.add_argument("--choose", action="store_true", help="choose settings, and do not open the held-out queries")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    train, held_out = shop.split_queries(torch.Generator().manual_seed(0))
    report = experiment(NAME) if NAME in experiments() else {"found": {}}
    report |= {"command": "python benchmarks/engine.py", "date": date.today().isoformat(), "seeds": list(SEEDS)}
    report["machine"] = machine(torch.device("cpu"), 1)
    if chosen.choose:
        report["dev"] = choose(train)
        write_experiment(report, NAME)
        return
    visits, truth = exam(held_out)
    for name in chosen.only:
        ask = partial(plain, name) if name in PLAIN else partial(run, **CONTESTANTS[name])
        report["found"][name] = [ask(seed, train, held_out, visits, truth) for seed in SEEDS]
        print(name, report["found"][name], flush=True)
        write_experiment(report, NAME)


if __name__ == "__main__":
    main()
