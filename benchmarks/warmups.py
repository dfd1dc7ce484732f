"""What warm-up is worth, with the norm last and with the norm first. Three seeds.

    OMP_NUM_THREADS=1 python benchmarks/warmups.py   about a quarter of an hour; writes the report of lesson 11
    OMP_NUM_THREADS=1 python benchmarks/warmups.py --steps 1200   four times as long, stored beside the first

What is stored is not done again.

The models, the data and the steps of benchmarks/ablations.py. The learning rate rises over a share of all steps, and
falls afterwards; for each order of the norm and each share it is the best one on the dev part, with a lower and a
higher one tried. What is told is the loss of a word on sentences of the test, in nats.
"""

import argparse
import functools
from datetime import date

import ablations
import torch

from course_utils.data.buckets import Buckets
from course_utils.data.translation import load_translation
from course_utils.models.transformer import Transformer
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import experiment, experiments, write_experiment

NAME = "warmups"
ORDERS = {"post": "norm after the sum", "pre": "whole"}
SHARES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--steps", type=int, default=ablations.STEPS)
    steps = ask.parse_args().steps
    torch.set_num_threads(1)
    pairs, french, english, apart = ablations.prepare(load_translation())
    held_out = {name: Buckets(some, french, english, 2000) for name, some in apart.items()}
    report = experiment(NAME) if NAME in experiments() else {"runs": {}}
    report |= {"command": "python benchmarks/warmups.py", "date": date.today().isoformat()}
    report |= {"seeds": list(ablations.SEEDS), "machine": machine(torch.device("cpu"), 1), "shares": list(SHARES)}
    report |= {"options": ablations.OPTIONS, "batch_tokens": ablations.TOKENS, "chosen_with": ablations.CHOOSING}
    runs = report["runs"].setdefault(str(steps), {norm: {} for norm in ORDERS})
    for share in SHARES:
        for norm, name in ORDERS.items():
            if f"{share:g}" in runs[norm]:
                continue

            def learn(model: Transformer, seed: int, rate: float, share: float) -> float:
                buckets = Buckets(pairs, french, english, ablations.TOKENS, seed)
                return ablations.train(model, buckets, steps, rate, share)

            make_one = functools.partial(ablations.make, name, french, english)
            runs[norm][f"{share:g}"] = ablations.compete(make_one, learn, held_out, [share])
            print(norm, share, runs[norm][f"{share:g}"], flush=True)
            write_experiment(report, NAME)


if __name__ == "__main__":
    main()
