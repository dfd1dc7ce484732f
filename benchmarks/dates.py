"""Which learning rate suits each reader of dates in lesson 00? One seed, on dates that the lesson does not draw.

    OMP_NUM_THREADS=1 python benchmarks/dates.py       a minute and a half; writes the report of lesson 00

With attention (the scaled dot product) for 300 steps, without for 300 and for 900, as in the lesson. What counts is the
share of 500 dates of held-out days that are right in every character.
"""

import argparse
import time
from datetime import date

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.attention import scaled_dot
from course_utils.data.dates import make_dates, split_dates
from course_utils.data.text import PAD, Vocabulary, collate
from course_utils.models.seq2seq import Seq2Seq
from course_utils.train.fit import fit
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

RATES, SEEDS = [0.003, 0.006, 0.012, 0.024], [10]
CONTESTANTS = {
    "with attention, 300 steps": (scaled_dot, 300),
    "without, 300 steps": (None, 300),
    "without, 900 steps": (None, 900),
}


def right(score, rate: float, steps: int, seed: int) -> float:
    """Percent."""
    known, new = split_dates(make_dates(6000, seed=seed), held_out=0.1)
    sources, targets = Vocabulary(pair.source for pair in known), Vocabulary(pair.target for pair in known)
    torch.manual_seed(seed)
    model = Seq2Seq(len(sources), len(targets), size=64, score=score)
    generator = torch.Generator().manual_seed(seed)

    def loss(step: int) -> Tensor:
        drawn = torch.randint(len(known), (64,), generator=generator)
        batch = collate([known[number] for number in drawn], sources, targets)
        logits, _ = model(batch.source, batch.source_mask, batch.target_in)
        return F.cross_entropy(logits.transpose(1, 2), batch.target_out, ignore_index=PAD)

    fit(model, loss, steps, learning_rate=rate)
    exam = collate(new[:500], sources, targets)
    ids, _ = model.eval().greedy(exam.source, exam.source_mask, longest=11)
    hits = sum(targets.decode(row) == pair.target for row, pair in zip(ids, exam.pairs, strict=True))
    return round(100 * hits / len(exam), 1)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--rates", type=float, nargs="+", default=RATES, help="other than all: nothing is stored")
    said = ask.parse_args()
    torch.set_num_threads(1)
    began, found = time.process_time(), {}
    for name, (score, steps) in CONTESTANTS.items():
        tried = {rate: [right(score, rate, steps, seed) for seed in SEEDS] for rate in said.rates}
        best = max(tried, key=lambda rate, tried=tried: sum(tried[rate]))
        found[name] = {"rate": best, "right by rate": {f"{rate:g}": runs for rate, runs in tried.items()}}
        print(f"{name}: {found[name]}", flush=True)
    report = {
        "command": "python benchmarks/dates.py",
        "date": date.today().isoformat(),
        "seeds": SEEDS,
        "machine": machine(torch.device("cpu"), processes=1),
        "seconds": round(time.process_time() - began),
        "contestants": found,
    }
    if said.rates == RATES:
        print(f"written: {write_experiment(report, 'dates').name}")


if __name__ == "__main__":
    main()
