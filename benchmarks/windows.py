"""Copying and reversing order numbers through windows: three seeds, short and longer training, each at its own rate.

    OMP_NUM_THREADS=1 python benchmarks/windows.py     about eight minutes; writes the report that lesson 08 reads

Global, local-m and local-p attention (D = 2) write numbers of 12 to 16 digits, as in the lesson. What is counted is the
share of digits that are right when the true ones before are read. Each contestant has its own learning rate for each
job and each number of steps: the best of four with seed 0, by 500 numbers set aside, that neither trained nor tested.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date

import torch
from torch import Tensor, nn

from course_utils.attention import scaled_dot
from course_utils.attention.local import LocalM, LocalP
from course_utils.data.buckets import Buckets
from course_utils.data.digits import make_reversals
from course_utils.data.text import END, Pair, Vocabulary, collate
from course_utils.models.seq2seq import Global, Seq2Seq, token_loss
from course_utils.train.fit import fit
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

SIZE, REACH, STEPS, SEEDS = 64, 2, (250, 800), [0, 1, 2]
RATES = [0.004, 0.008, 0.016, 0.032]
TEST, DEV = slice(0, 500), slice(500, 1000)  # the rest is for training
DIGITS = Vocabulary(["0123456789"])
KINDS: dict[str, Callable[[], nn.Module]] = {
    "global": lambda: Global(scaled_dot),
    "local-m": lambda: LocalM(scaled_dot, REACH),
    "local-p": lambda: LocalP(scaled_dot, SIZE, REACH),
}


def jobs() -> dict[str, list[Pair]]:
    """The numbers of both jobs, as lesson 08 makes them."""
    turned = make_reversals(20000, 12, 16, seed=1)
    return {"copy": [Pair(pair.source, pair.source) for pair in turned], "reverse": turned}


def train(kind: str, buckets: Buckets, rate: float, steps: int, seed: int) -> Seq2Seq:
    torch.manual_seed(seed)
    model = Seq2Seq(len(DIGITS), len(DIGITS), SIZE, attention=KINDS[kind]())
    stream = buckets.stream()

    def loss(step: int) -> Tensor:
        total, tokens = token_loss(model, next(stream))
        return total / tokens

    fit(model, loss, steps, rate)
    return model.eval()


@torch.no_grad()
def digits_right(model: Seq2Seq, pairs: list[Pair]) -> float:
    """Percent."""
    batch = collate(pairs, DIGITS, DIGITS)
    logits, _ = model(batch.source, batch.source_mask, batch.target_in)
    real = batch.target_out > END
    return round(100 * (logits.argmax(-1) == batch.target_out)[real].float().mean().item(), 1)


def measure(kind: str, pairs: list[Pair], steps: int) -> dict:
    """One attention at one job for so many steps: seed 0 at each rate, and every seed at the best of them."""
    buckets = Buckets(pairs[DEV.stop :], DIGITS, DIGITS, tokens=900)
    tried = {rate: train(kind, buckets, rate, steps, SEEDS[0]) for rate in RATES}
    dev = {rate: digits_right(model, pairs[DEV]) for rate, model in tried.items()}
    best = max(RATES, key=dev.__getitem__)
    models = [tried[best]] + [train(kind, buckets, best, steps, seed) for seed in SEEDS[1:]]
    return {
        "rate": best,
        "set aside": {f"{rate:g}": right for rate, right in dev.items()},
        "right": [digits_right(model, pairs[TEST]) for model in models],
    }


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    began, results = time.process_time(), {}
    for job, pairs in jobs().items():
        for kind in KINDS:
            found = {str(steps): measure(kind, pairs, steps) for steps in STEPS}
            results.setdefault(job, {})[kind] = found
            print(f"{job:8} {kind:8} {found}", flush=True)
    report = {
        "command": "python benchmarks/windows.py",
        "date": date.today().isoformat(),
        "seeds": SEEDS,
        "machine": machine(torch.device("cpu"), processes=1),
        "seconds": round(time.process_time() - began),
        "size": SIZE,
        "reach": REACH,
        "jobs": results,
    }
    print(f"written: {write_experiment(report, 'windows').name}", flush=True)


if __name__ == "__main__":
    main()
