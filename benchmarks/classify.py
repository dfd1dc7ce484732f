"""The race of lesson 10: linear models and networks sort the TREC questions; what order carries; how much data helps.

    OMP_NUM_THREADS=1 python benchmarks/classify.py               15 minutes; writes the report that lesson 10 draws
    OMP_NUM_THREADS=1 python benchmarks/classify.py --only race   a part of it: race, order, shares, or once
    OMP_NUM_THREADS=1 python benchmarks/classify.py --choose      the settings of each, on the dev part: 12 minutes more

Settings were chosen on the 1 022 questions of the dev part, with the same grid for every network: learning rate 0.005,
0.01 or 0.02, dropout 0.3 or 0.5, at 64 numbers a word, and then 128 numbers at the best of these, by the mean of two
seeds; the strength of each linear model among five. Then everything learns from all 5 452 questions, and the 500 of the
test are opened, once for each contestant. Right and wrong are stored for each question, so that two contestants can be
compared in pairs. The part "once" learns from each question only once, and from none that the test has.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from torch import Tensor

from course_utils.data.features import WordFeatures
from course_utils.data.questions import KINDS, Question, load_questions, twins
from course_utils.models.classifier import Classifier
from course_utils.train.epochs import fit_epochs, predict
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import experiment, experiments, write_experiment

NAME = "classify"
SEEDS, FEWER, CHOOSING = range(5), range(3), range(2)
RATES, DROPOUTS, SIZES, STRENGTHS = (0.005, 0.01, 0.02), (0.3, 0.5), (64, 128), (0.1, 0.3, 1.0, 3.0, 10.0)
LINEAR = {"first two words": (2, 2, 0.3), "words": (None, 1, 1.0), "words and pairs": (None, 2, 3.0)}
NETWORKS = {  # reader + pooling: learning rate, dropout, numbers a word, from the grid (--choose repeats it)
    "plain + mean": (0.01, 0.5, 64),
    "plain + max": (0.02, 0.3, 64),
    "plain + attention": (0.005, 0.5, 64),
    "convolution + max": (0.01, 0.3, 128),
    "convolution + attention": (0.005, 0.3, 64),
    "self-attention + mean": (0.005, 0.5, 128),
    "self-attention + attention": (0.005, 0.5, 64),
    "gru + last": (0.02, 0.5, 64),
    "gru + mean": (0.01, 0.5, 64),
    "gru + max": (0.01, 0.5, 64),
    "gru + attention": (0.02, 0.5, 128),
}
SHUFFLED = ("words", "words and pairs", "plain + mean", "convolution + max", "self-attention + attention", "gru + last")
SHARED = ("words and pairs", "plain + mean", "plain + attention", "self-attention + mean", "self-attention + attention")
ONCE = ("words", "words and pairs", "plain + mean", "convolution + attention", "self-attention + attention")
SHARES, UPDATES, EPOCHS, BATCH = (0.05, 0.1, 0.25, 0.5), 430, 10, 128
Answers = Callable[[Sequence[Question]], list[int]]


def linear(name: str, questions: Sequence[Question], strength: float | None = None) -> Answers:
    """Counts words, weighs them by TF-IDF, and separates the kinds by straight lines (a linear support vector machine).

    "first two words" sees these alone, each with its place.
    """
    first, most, chosen = LINEAR[name]

    def texts(some: Sequence[Question]) -> list[str]:
        return [" ".join(question.words if first is None else _placed(question.words[:first])) for question in some]

    counts = TfidfVectorizer(tokenizer=str.split, token_pattern=None, ngram_range=(1, most))
    model = make_pipeline(counts, LinearSVC(C=strength or chosen, random_state=0))
    model.fit(texts(questions), [question.kind for question in questions])
    return lambda some: model.predict(texts(some)).tolist()


def _placed(words: Sequence[str]) -> list[str]:
    return [f"{place}:{word}" for place, word in enumerate(words)]


def network(
    name: str, questions: Sequence[Question], seed: int, settings: tuple[float, float, int], **more: Any
) -> tuple[Answers, dict[str, Any]]:
    """Trains a network, and gives what it answers, and its seconds of computing, parameters, and losses."""
    rate, dropout, size = settings
    torch.manual_seed(seed)
    began = time.thread_time()
    features = WordFeatures([question.words for question in questions])
    model = Classifier(features.sizes, len(KINDS), *name.split(" + "), size=size, dropout=dropout)
    kinds = torch.tensor([question.kind for question in questions])
    losses = fit_epochs(model, encoded(features, questions), kinds, learning_rate=rate, seed=seed, **more)
    found = {
        "seconds": round(time.thread_time() - began, 2),
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "losses": [round(loss, 3) for loss in losses],
    }
    return lambda some: predict(model, encoded(features, some)).tolist(), found


def encoded(features: WordFeatures, questions: Sequence[Question]) -> Tensor:
    return features.encode([question.words for question in questions])


def marks(answers: list[int], questions: Sequence[Question]) -> str:
    """Right and wrong, one sign for each question: 1 or 0."""
    return "".join(str(int(answer == question.kind)) for answer, question in zip(answers, questions, strict=True))


def percent(signs: str) -> float:
    return round(100 * signs.count("1") / len(signs), 2)


def shuffled(questions: Sequence[Question], seed: int) -> list[Question]:
    """The words of each question in an order drawn afresh."""
    draw = random.Random(seed)
    return [Question(tuple(draw.sample(question.words, len(question.words))), question.kind) for question in questions]


def race(learn: list[Question], test: list[Question]) -> dict[str, Any]:
    """Every contestant on the 500: right and wrong for each question and seed."""
    commonest = Counter(question.kind for question in learn).most_common(1)[0][0]
    found: dict[str, Any] = {"commonest kind": {"right": [marks([commonest] * len(test), test)]}}
    for name in LINEAR:
        began = time.thread_time()
        answers = linear(name, learn)
        found[name] = {"right": [marks(answers(test), test)], "seconds": [round(time.thread_time() - began, 2)]}
        print(name, percent(found[name]["right"][0]), flush=True)
    for name, settings in NETWORKS.items():
        runs = [network(name, learn, seed, settings) for seed in SEEDS]
        found[name] = {
            "settings": dict(zip(("rate", "dropout", "size"), settings, strict=True)),
            "right": [marks(answers(test), test) for answers, _ in runs],
            "seconds": [run["seconds"] for _, run in runs],
            "parameters": runs[0][1]["parameters"],
            "losses": runs[0][1]["losses"],
        }
        print(name, [percent(signs) for signs in found[name]["right"]], flush=True)
    for row in found.values():
        row["test"] = [percent(signs) for signs in row["right"]]
    return found


def without_order(learn: list[Question], test: list[Question], name: str) -> list[float]:
    """Learns from shuffled questions and answers shuffled ones."""
    found = []
    for seed in FEWER:
        some, asked = shuffled(learn, seed), shuffled(test, 100 + seed)
        answers = linear(name, some) if name in LINEAR else network(name, some, seed, NETWORKS[name])[0]
        found.append(percent(marks(answers(asked), asked)))
    return found


def with_less(learn: list[Question], test: list[Question], name: str, share: float) -> list[float]:
    """Learns from a share of the questions, with about as many updates as from all of them."""
    found = []
    for seed in FEWER:
        some = random.Random(seed).sample(learn, round(share * len(learn)))
        if name in LINEAR:
            answers = linear(name, some)
        else:
            batch = max(32, round(BATCH * share))
            epochs = max(EPOCHS, round(UPDATES / -(-len(some) // batch)))
            answers = network(name, some, seed, NETWORKS[name], batch=batch, epochs=epochs)[0]
        found.append(percent(marks(answers(test), test)))
    return found


def learned_once(learn: list[Question], test: list[Question]) -> dict[str, Any]:
    """Learns from every question once, and from none that the test has, capitals aside."""
    seen = {str(question).lower() for question in test}
    kept = []
    for question in learn:
        text = str(question).lower()
        if text not in seen:
            seen.add(text)
            kept.append(question)
    found: dict[str, Any] = {"learned from": len(kept), "test": {}}
    for name in ONCE:
        runs = [linear(name, kept)] if name in LINEAR else [network(name, kept, s, NETWORKS[name])[0] for s in FEWER]
        found["test"][name] = [percent(marks(answers(test), test)) for answers in runs]
        print(name, found["test"][name], flush=True)
    return found


def choose(train: list[Question], dev: list[Question]) -> dict[str, dict[str, float]]:
    """What every setting reaches on the dev part: of a network, the mean of two seeds."""
    found: dict[str, dict[str, float]] = {}
    for name in LINEAR:
        found[name] = {f"{c}": percent(marks(linear(name, train, c)(dev), dev)) for c in STRENGTHS}
        print(name, found[name], flush=True)
    for name in NETWORKS:
        found[name] = {f"{rate}, {dropout}, {size}": value
                       for (rate, dropout, size), value in settings_of(name, train, dev).items()}  # fmt: skip
        print(name, found[name], flush=True)
    return found


def settings_of(name: str, train: list[Question], dev: list[Question]) -> dict[tuple[float, float, int], float]:
    """What a network reaches on the dev part with each setting: the grid, then the larger size at the best of it."""

    def reached(settings: tuple[float, float, int]) -> float:
        runs = [percent(marks(network(name, train, seed, settings)[0](dev), dev)) for seed in CHOOSING]
        return round(sum(runs) / len(runs), 2)

    tried = {(rate, dropout, SIZES[0]): reached((rate, dropout, SIZES[0])) for rate in RATES for dropout in DROPOUTS}
    rate, dropout, _ = max(tried, key=lambda settings: tried[settings])
    tried[rate, dropout, SIZES[1]] = reached((rate, dropout, SIZES[1]))
    return tried


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts of it, instead of all")
    parser.add_argument("--choose", action="store_true", help="choose settings on the dev part, and open no test")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    train, dev, test = load_questions()
    report = experiment(NAME) if NAME in experiments() else {}
    report |= {"command": "python benchmarks/classify.py", "date": date.today().isoformat(), "seeds": list(SEEDS)}
    report["machine"] = machine(torch.device("cpu"), 1)
    if asked.choose:
        report["dev"] = choose(train, dev)
        write_experiment(report, NAME)
        return
    for part in asked.only:
        PARTS[part](report, train + dev, test)
        write_experiment(report, NAME)


def _race(report: dict[str, Any], learn: list[Question], test: list[Question]) -> None:
    known = set(twins(test, learn))
    report["twins"] = "".join(str(int(question in known)) for question in test)
    report["contestants"] = race(learn, test)


def _order(report: dict[str, Any], learn: list[Question], test: list[Question]) -> None:
    report["shuffled"] = {name: without_order(learn, test, name) for name in SHUFFLED}


def _shares(report: dict[str, Any], learn: list[Question], test: list[Question]) -> None:
    report["shares"] = {name: {f"{s}": with_less(learn, test, name, s) for s in SHARES} for name in SHARED}


def _once(report: dict[str, Any], learn: list[Question], test: list[Question]) -> None:
    report["once"] = learned_once(learn, test)


PARTS = {"race": _race, "order": _order, "shares": _shares, "once": _once}

if __name__ == "__main__":
    main()
