"""How many digits a reader writes backwards, against the number of digits: dot, scaled dot, and no attention.

    OMP_NUM_THREADS=1 python benchmarks/reversal.py    about ten minutes; writes the report that lesson 00 draws

The reader of lesson 00 learns from strings of 2 to 20 digits. Each contestant gets every learning rate, on seeds and
strings of their own; its best rate then runs on other seeds, and once more with three times the steps.
"""

import argparse
import time
from datetime import date

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.attention import dot, scaled_dot
from course_utils.data.digits import make_reversals
from course_utils.data.text import PAD, Batch, Vocabulary, collate
from course_utils.models.seq2seq import Seq2Seq
from course_utils.train.fit import fit
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

CONTESTANTS = {"dot": dot, "scaled dot": scaled_dot, "no attention": None}
RATES = [0.003, 0.006, 0.012, 0.024, 0.048]
TUNING = [10, 11]  # seeds on which the rates are compared
STEPS, LONGEST = 400, 20
LENGTHS = list(range(2, 26, 2))
CPU = torch.device("cpu")


class Reversal:
    """The strings to learn from, those to compare rates on, and those to report, 200 of each length."""

    def __init__(self) -> None:
        self.strings, self.digits = make_reversals(20000, 2, LONGEST, seed=0), Vocabulary(["0123456789"])
        self.compare = self._exam([LONGEST], seed=2)
        self.report = self._exam(LENGTHS, seed=1)

    def _exam(self, lengths: list[int], seed: int) -> dict[int, Batch]:
        return {n: collate(make_reversals(200, n, n, seed=seed), self.digits, self.digits) for n in lengths}

    def learn(self, score, rate: float, seed: int, steps: int = STEPS) -> Seq2Seq:
        torch.manual_seed(seed)
        model = Seq2Seq(len(self.digits), len(self.digits), size=64, score=score)
        generator = torch.Generator().manual_seed(seed)

        def loss(step: int) -> Tensor:
            drawn = torch.randint(len(self.strings), (64,), generator=generator)
            batch = collate([self.strings[number] for number in drawn], self.digits, self.digits)
            logits, _ = model(batch.source, batch.source_mask, batch.target_in)
            return F.cross_entropy(logits.transpose(1, 2), batch.target_out, ignore_index=PAD)

        fit(model, loss, steps, learning_rate=rate)
        return model.eval()


def right(model: Seq2Seq, exam: dict[int, Batch]) -> list[float]:
    """The share of digits in their place, in percent, for each length of an exam."""
    found = []
    for length, test in exam.items():
        ids, _ = model.greedy(test.source, test.source_mask, longest=length)
        ids = F.pad(ids, (0, length - ids.shape[1]))  # in case it stopped too early
        found.append(round(100 * (ids == test.target_out[:, :length]).float().mean().item(), 1))
    return found


def compete(task: Reversal, name: str, seeds: list[int]) -> dict:
    score, by_rate = CONTESTANTS[name], {}
    for rate in RATES:
        by_rate[f"{rate:g}"] = [right(task.learn(score, rate, seed), task.compare)[0] for seed in TUNING]
        print(f"{name}, rate {rate:g}: {by_rate[f'{rate:g}']}", flush=True)
    best = max(RATES, key=lambda rate: sum(by_rate[f"{rate:g}"]))
    found = {"by rate": by_rate, "rate": best}
    for label, steps in {"by length": STEPS, "three times the steps": 3 * STEPS}.items():
        found[label] = [right(task.learn(score, best, seed, steps), task.report) for seed in seeds]
        print(f"{name}, {steps} steps: {found[label]}", flush=True)
    return found


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--only", choices=list(CONTESTANTS), help="one contestant; nothing is stored")
    said = ask.parse_args()
    torch.set_num_threads(1)
    began, seeds, task = time.process_time(), list(range(said.seeds)), Reversal()
    entered = [said.only] if said.only else list(CONTESTANTS)
    found = {name: compete(task, name, seeds) for name in entered}
    report = {
        "command": "python benchmarks/reversal.py",
        "date": date.today().isoformat(),
        "seeds": seeds,
        "machine": machine(CPU, processes=1),
        "seconds": round(time.process_time() - began),
        "steps": STEPS,
        "lengths": LENGTHS,
        "contestants": found,
    }
    if not said.only:
        print(f"written: {write_experiment(report, 'reversal').name}")


if __name__ == "__main__":
    main()
