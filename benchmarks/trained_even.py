"""How much a model loses that is trained with even weights from the start, and what is left of it after more training.

    OMP_NUM_THREADS=1 python benchmarks/trained_even.py     writes the report "trained_even", in about ten minutes

Once as in lesson 14, and once for four times as many steps; for clicks with the rate that suits both best as well
(`benchmarks/beyond_text.py clicks` chose it).
"""

import time
from collections.abc import Callable
from datetime import date

import torch

from course_utils.explain.known import Clicks, Dates, even_score
from course_utils.explain.systems import Questions, System
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

NAME, SEEDS, TIMES = "trained_even", range(3), (1, 4)
PAIRS: dict[str, tuple[Callable[[int, int], System], Callable[[int, int], System]]] = {  # learned weights, even ones
    "words": (
        lambda seed, times: Questions("plain", seed, epochs=10 * times),
        lambda seed, times: Questions("plain", seed, pooling="mean", epochs=10 * times),
    ),
    "convolution": (
        lambda seed, times: Questions("convolution", seed, epochs=10 * times),
        lambda seed, times: Questions("convolution", seed, pooling="mean", epochs=10 * times),
    ),
    "clicks": (
        lambda seed, times: Clicks("softmax", seed, steps=400 * times),
        lambda seed, times: Clicks("mean", seed, steps=400 * times),
    ),
    "clicks, rate 0.03": (
        lambda seed, times: Clicks("softmax", seed, steps=400 * times, learning_rate=0.03),
        lambda seed, times: Clicks("mean", seed, steps=400 * times, learning_rate=0.03),
    ),
    "dates": (
        lambda seed, times: Dates(seed, steps=300 * times),
        lambda seed, times: Dates(seed, score=even_score, steps=300 * times),
    ),
}


@torch.no_grad()
def right(one: System) -> float:
    """How good it is on what it is asked, in %: accuracy, for clicks the AUC."""
    if isinstance(one, Questions):
        return round(one.right(one.model(one.numbers)[0].log_softmax(-1)), 1)
    opened = one.open()
    return round(one.right(opened.under(opened.weights)), 1)


def main() -> None:
    torch.set_num_threads(1)
    began, found = time.process_time(), {}
    for name, pair in PAIRS.items():
        for times in TIMES:
            learned, even = ([right(make(seed, times)) for seed in SEEDS] for make in pair)
            found.setdefault(name, {})[str(times)] = {"learned": learned, "even": even}
            print(name, times, found[name][str(times)], flush=True)
    report = {
        "command": "python benchmarks/trained_even.py",
        "date": date.today().isoformat(),
        "seeds": list(SEEDS),
        "machine": machine(torch.device("cpu"), processes=1),
        "seconds": round(time.process_time() - began),
        "found": found,
    }
    print(f"written: {write_experiment(report, NAME).name}")


if __name__ == "__main__":
    main()
