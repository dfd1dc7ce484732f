"""The handwritten digits of lesson 12: five splits, each network at the best of its learning rates.

    OMP_NUM_THREADS=1 python benchmarks/digits.py     writes the report "handwriting", in about half an hour

Rates are chosen on dev, which is in no test: for each network, each number of steps, and ten of each digit.
"""

import time
from collections.abc import Callable
from datetime import date
from itertools import product
from statistics import mean
from typing import Any

import torch
from torch import nn

from course_utils.data.handwriting import SPLITS, Digits, fewer, load_handwriting, shuffled
from course_utils.models.vision import SmallConvolution, VisionTransformer
from course_utils.train.pictures import answers, fit_pictures, percent_right
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

NAME = "handwriting"
PLAIN = ("logistic regression", "3 nearest neighbours", "support vector machine")
NETWORKS: dict[str, Callable[[], nn.Module]] = {"convolution": SmallConvolution, "Transformer": VisionTransformer}
SHIFTED = tuple(f"{name}{more}" for name in NETWORKS for more in ("", ", shifted"))
STEPS, FEW_STEPS = (400, 3000), (250, 1000)  # the second where only ten of each digit are learned from
RATES = (0.001, 0.003, 0.006, 0.012)
SEEDS, CHOOSING = range(3), (10, 11)  # the first also name the split; what is chosen by is drawn otherwise


def plain(name: str) -> Any:
    """A contestant of scikit-learn; their strengths were chosen on dev."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    made = LogisticRegression(C=1.0, max_iter=1000), KNeighborsClassifier(3), SVC(C=10.0)
    return dict(zip(PLAIN, made, strict=True))[name]


def sorted_right(name: str, learn: Digits, test: Digits, seed: int = 0, steps: int = 0, rate: float = 0.0) -> float:
    """The percentage of the test that a contestant gets right; seed, steps and rate are for networks."""
    if name in PLAIN:
        model = plain(name).fit(learn.pictures.flatten(1), learn.classes)
        return round(percent_right(model.predict(test.pictures.flatten(1)), test.classes), 2)
    torch.manual_seed(seed)
    network = NETWORKS[name.partition(",")[0]]()
    fit_pictures(network, learn, steps, rate, shifts="shifted" in name, seed=seed)
    return round(percent_right(answers(network, test.pictures), test.classes), 2)


def chosen(found: dict[str, Any], group: str, name: str, steps: int) -> tuple[int, float]:
    """The rate that is best on dev after so many steps, the mean of two runs; each run is kept in `found`."""
    rows = found["dev"].setdefault(group, {}).setdefault(name, {}).setdefault(str(steps), {})
    for rate, seed in product(RATES, CHOOSING):
        learn, dev, _ = load_handwriting(seed - CHOOSING[0])
        learn = fewer(learn, 10, seed) if group == "10 of each" else learn
        rows.setdefault(str(rate), []).append(sorted_right(name, learn, dev, seed, steps, rate))
    print(group, name, steps, rows, flush=True)
    return steps, max(RATES, key=lambda rate: mean(rows[str(rate)]))


def best(found: dict[str, Any], group: str, name: str, choices: tuple[tuple[int, float], ...]) -> tuple[int, float]:
    """The number of steps, with its rate, that is best on dev."""
    return max(choices, key=lambda choice: mean(found["dev"][group][name][str(choice[0])][str(choice[1])]))


def parts(split: int) -> tuple[Digits, Digits]:
    """What is learned from, dev included, and the test."""
    train, dev, test = load_handwriting(split)
    return Digits(*(torch.cat(both) for both in zip(train, dev, strict=True))), test


def mixed(digits: Digits) -> Digits:
    return Digits(shuffled(digits.pictures, 2), digits.classes)


def measure() -> dict[str, Any]:
    """All contestants: in five splits, at every number of steps, shuffled, and with ten of each digit."""
    found: dict[str, Any] = {"dev": {}, "settings": {"all": {}, "10 of each": {}}, "all": {}, "steps": {}}
    found |= {"shuffled": {}, "10 of each": {}}
    for name in PLAIN:
        found["all"][name] = [sorted_right(name, *parts(split)) for split in range(SPLITS)]
    for name in SHIFTED:
        choices = tuple(chosen(found, "all", name, steps) for steps in STEPS)
        found["settings"]["all"][name] = best(found, "all", name, choices)
        found["steps"][name] = {
            str(steps): [sorted_right(name, *parts(split), split, steps, rate) for split in SEEDS]
            for steps, rate in choices
        }
        steps, rate = found["settings"]["all"][name]
        rest = [sorted_right(name, *parts(split), split, steps, rate) for split in range(len(SEEDS), SPLITS)]
        found["all"][name] = found["steps"][name][str(steps)] + rest
        print("all", name, steps, rate, found["all"][name], found["steps"][name], flush=True)
    for name in (*PLAIN, *NETWORKS):
        setting = found["settings"]["all"].get(name, ())
        found["shuffled"][name] = [sorted_right(name, *map(mixed, parts(split)), split, *setting) for split in SEEDS]
        print("shuffled", name, found["shuffled"][name], flush=True)
    for name in ("support vector machine", *SHIFTED):
        setting = ()
        if name in SHIFTED:
            setting = best(found, "10 of each", name, tuple(chosen(found, "10 of each", name, n) for n in FEW_STEPS))
            found["settings"]["10 of each"][name] = setting
        learn_and_test = [(fewer(learn, 10, split), test) for split, (learn, test) in enumerate(map(parts, SEEDS))]
        found["10 of each"][name] = [
            sorted_right(name, *both, split, *setting) for split, both in enumerate(learn_and_test)
        ]
        print("10 of each", name, setting, found["10 of each"][name], flush=True)
    return found


def main() -> None:
    torch.set_num_threads(1)
    began = time.process_time()
    report = {
        "command": "python benchmarks/digits.py",
        "date": date.today().isoformat(),
        "seeds": list(range(SPLITS)),
        "machine": machine(torch.device("cpu"), processes=1),
        "found": measure(),
        "seconds": round(time.process_time() - began),
    }
    print(f"written: {write_experiment(report, NAME).name}")


if __name__ == "__main__":
    main()
