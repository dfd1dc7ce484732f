"""Seconds of each check, for a right answer and for a wrong one that the bank knows: a learner waits for both.

    python benchmarks/checks.py             every exercise, the slowest named at the end
    python benchmarks/checks.py 06 07       the exercises of these lessons

The right answers are those of tests/variants. Each is checked three times, after one that loads what is needed; the
median counts. Seconds are those of computing, on one thread: what a learner waits for on an idle machine. Fails with 1
where a right answer's verdict takes longer than a second.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 1.0  # seconds


def seconds(examine: Callable[[Any, torch.Generator], object], answer: Any, repeats: int = 3) -> float:
    """The median time of an examination, after one that does not count."""
    taken = []
    for seed in range(repeats + 1):
        started = time.process_time()
        examine(answer, torch.Generator().manual_seed(seed))
        taken.append(time.process_time() - started)
    return statistics.median(taken[1:])


def main() -> int:
    sys.path[:0] = [str(ROOT), str(ROOT / "tools"), str(ROOT / "tests")]
    from test_exercises import variants

    from course_utils.checks.bank import bank, lessons

    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("lessons", nargs="*", help="numbers: 06 07")
    chosen = ask.parse_args().lessons or lessons()
    torch.set_num_threads(1)
    slowest: dict[str, tuple[float, str]] = {}
    for lesson in chosen:
        answers = variants(lesson)
        for key, exercise in bank(lesson).items():
            right = max(seconds(exercise.examine, answer) for answer in answers.RIGHT[key])
            wrong = max(seconds(exercise.examine, some[0]) for some in answers.WRONG[key].values())
            print(f"{key:5} right {right:6.3f} s   wrong {wrong:6.3f} s   {exercise.title}", flush=True)
            slowest["right"] = max(slowest.get("right", (0.0, "")), (right, key))
            slowest["wrong"] = max(slowest.get("wrong", (0.0, "")), (wrong, key))
    for kind, (taken, key) in slowest.items():
        print(f"slowest for a {kind} answer: {key}, {taken:.3f} s")
    return int(slowest["right"][0] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
