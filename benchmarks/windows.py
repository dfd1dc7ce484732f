"""Copying and reversing order numbers through windows, with short and with longer training, and three seeds.

    OMP_NUM_THREADS=1 python benchmarks/windows.py     about ten minutes; writes the report that lesson 08 reads

Global, local-m and local-p attention (D = 2) write numbers of 12 to 16 digits, as in the lesson. What is counted is the
share of digits that are right when the true ones before are read. All train at the rate of the lesson. So that none
loses by that rate alone, each also gets 250 steps at two others.
"""

import argparse
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

SIZE, REACH, RATE, OTHERS, STEPS, SEEDS = 64, 2, 0.004, [0.002, 0.008], [250, 800], [0, 1, 2]
DIGITS = Vocabulary(["0123456789"])
KINDS: dict[str, Callable[[], nn.Module]] = {
    "global": lambda: Global(scaled_dot),
    "local-m": lambda: LocalM(scaled_dot, REACH),
    "local-p": lambda: LocalP(scaled_dot, SIZE, REACH),
}


def jobs() -> dict[str, list[Pair]]:
    """The numbers of both jobs, as lesson 08 makes them; the first 500 are for the test."""
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


def measure(kind: str, pairs: list[Pair]) -> dict:
    """One attention at one job: every seed after each length of training, and the other rates after the short one."""
    buckets, test = Buckets(pairs[500:], DIGITS, DIGITS, tokens=900), pairs[:500]
    return {
        "right": {str(n): [digits_right(train(kind, buckets, RATE, n, seed), test) for seed in SEEDS] for n in STEPS},
        "other rates": {f"{rate:g}": digits_right(train(kind, buckets, rate, STEPS[0], 0), test) for rate in OTHERS},
    }


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    results: dict[str, dict] = {}
    for job, pairs in jobs().items():
        for kind in KINDS:
            results.setdefault(job, {})[kind] = measure(kind, pairs)
            print(f"{job:8} {kind:8} {results[job][kind]}", flush=True)
    write(results)


def write(results: dict[str, dict]) -> None:
    report = {
        "command": "python benchmarks/windows.py",
        "date": date.today().isoformat(),
        "seeds": SEEDS,
        "machine": machine(torch.device("cpu"), processes=1),
        "size": SIZE,
        "reach": REACH,
        "rate": RATE,
        "jobs": results,
    }
    print(f"written: {write_experiment(report, 'windows').name}", flush=True)


if __name__ == "__main__":
    main()
