"""Five ways to tell a Transformer the positions, on sentences longer than any it has seen. One seed.

    OMP_NUM_THREADS=1 python benchmarks/placed.py --minutes 5             writes the report that lesson 11 shows
    OMP_NUM_THREADS=1 python benchmarks/placed.py --minutes 5 --shift 8   sines that start at a random place, beside it

Each way trains on the French–English pairs of at most 15 tokens, with the recipe of the command and the same minutes of
the processor's time, and translates sentences of usual length and of 18 to 20 tokens: the first of each test.
"""

import argparse
from dataclasses import asdict
from datetime import date

import torch
from torch import Tensor

from course_utils.models.places import POSITIONS, Embedded
from course_utils.train.allocator import keep_memory
from course_utils.train.bars import RunBar
from course_utils.train.distributed import Team
from course_utils.train.evaluation import answers, grade
from course_utils.train.loop import Training
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import experiment, experiments, write_experiment
from course_utils.train.settings import Settings, recipe
from course_utils.train.tasks import Task, load_task, make_model

NAME, SEED = "placed", 0
WAYS = [way for way in POSITIONS if way != "none"]


class Shifted(Embedded):
    """In training the first token stands at a random place from 0 to `most`, another one for each batch.

    So every place up to the longest trained length and `most` is trained. Source: Kiyono et al. 2021, SHAPE: Shifted
    Absolute Position Embedding for Transformers; there each sequence is shifted by itself.
    """

    most = 0

    def forward(self, tokens: Tensor, start: int = 0) -> Tensor:
        return super().forward(tokens, int(torch.randint(self.most + 1, ())) if self.training else start)


def measure(settings: Settings, task: Task, sentences: int, shift: int = 0) -> dict:
    """Trains one model, and gives the BLEU of each test and way to search, its curve and its steps."""
    torch.manual_seed(settings.seed)
    model = make_model(settings, task)
    for part in model.modules() if shift else ():
        if isinstance(part, Embedded):
            part.__class__, part.most = Shifted, shift
    training = Training(model, settings, task, torch.device("cpu"), Team())
    training.run(lambda state: None, lambda: False, RunBar(settings.positions), save_every=1e9)
    found: dict = {"steps": training.reached.step, "history": training.history}
    found["parameters"] = sum(weight.numel() for weight in training.weights)
    for test, questions in task.tests.items():
        some = questions[:sentences]
        sources = [question.source for question in some]
        for way, beams in (("greedy", 1), (f"beam {settings.beams}", settings.beams)):
            written = answers(
                training.model, sources, task.sources, task.targets, training.device, beams, settings.length_penalty
            )
            found.setdefault(test, {})[way] = round(grade(task.name, written, some)["BLEU"], 2)
    return found


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--minutes", type=float, default=2.0)
    ask.add_argument("--sentences", type=int, default=1500, help="the first of each test")
    ask.add_argument("--shift", type=int, default=0, help="only sines again, shifted by 0 to so many places")
    ask.add_argument("--only", nargs="+", choices=WAYS, default=WAYS, help="add these to the stored report")
    said = ask.parse_args()
    torch.set_num_threads(1)
    keep_memory()
    base = {"model": "transformer", "minutes": said.minutes, "clock": "cpu", "seed": SEED}
    task = load_task(recipe("translation", **base))
    if said.shift:
        report = experiment(NAME)
        report["shifted"] = measure(recipe("translation", **base), task, said.sentences, said.shift)
        report["shifted"] |= {"most": said.shift, "way": "sine"}
        write_experiment(report, NAME)
        return
    report = experiment(NAME) if NAME in experiments() and said.only != WAYS else {"ways": {}}
    report |= {"command": f"python benchmarks/placed.py --minutes {said.minutes:g}", "date": date.today().isoformat()}
    report |= {"seeds": [SEED], "machine": machine(torch.device("cpu"), 1), "sentences": said.sentences}
    report["settings"] = asdict(recipe("translation", **base))
    for way in said.only:
        report["ways"][way] = measure(recipe("translation", **base | {"positions": way}), task, said.sentences)
        print(way, {name: value for name, value in report["ways"][way].items() if name != "history"}, flush=True)
        write_experiment(report, NAME)


if __name__ == "__main__":
    main()
