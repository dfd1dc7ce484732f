"""Five ways to tell a Transformer the positions, on sentences longer than any it has seen. One seed.

    OMP_NUM_THREADS=1 python benchmarks/placed.py --minutes 2          writes the report that lesson 11 draws

Each way trains on the French–English pairs of at most 15 tokens, with the recipe of the command and the same minutes of
the processor's time, and translates sentences of usual length and of 18 to 20 tokens: the first of each test.
"""

import argparse
from dataclasses import asdict
from datetime import date

import torch

from course_utils.models.places import POSITIONS
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


def measure(settings: Settings, task: Task, sentences: int) -> dict:
    """Trains one model, and gives the BLEU of each test and way to search, its curve and its steps."""
    torch.manual_seed(settings.seed)
    training = Training(make_model(settings, task), settings, task, torch.device("cpu"), Team())
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
    ask.add_argument("--sentences", type=int, default=400)
    ask.add_argument("--only", nargs="+", choices=WAYS, default=WAYS, help="add these to the stored report")
    said = ask.parse_args()
    torch.set_num_threads(1)
    keep_memory()
    base = {"model": "transformer", "minutes": said.minutes, "clock": "cpu", "seed": SEED}
    task = load_task(recipe("translation", **base))
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
