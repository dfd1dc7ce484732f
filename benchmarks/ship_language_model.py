"""Makes the weights that come with the course from a finished run of the language model, and says what halving costs.

    python -m course_utils.train lm --clock cpu --threads 1 --seed 0 --out runs/lm
    python benchmarks/ship_language_model.py runs/lm

Lessons 11 and 13 print texts and numbers of the shipped model: build them again afterwards.
"""

import argparse
import math
from pathlib import Path

import torch

from course_utils.models.language import WEIGHTS, LanguageModel, load_language_model, save_language_model
from course_utils.train.checkpoint import load_model
from course_utils.train.perplexity import losses
from course_utils.train.reports import load_report
from course_utils.train.tasks import Task


def perplexity(model: LanguageModel, task: Task) -> float:
    """Of a character of the held-out sentences, the end of each counted."""
    texts = [task.targets.encode(question.source) for question in task.tests["test"]]
    return math.exp(losses(model, texts, torch.device("cpu")).sum().item() / sum(len(text) + 1 for text in texts))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder of a finished run")
    folder = parser.parse_args().folder
    model, task = load_model(folder)
    if not isinstance(model, LanguageModel):
        raise SystemExit(f"folder: got a run of the task {task.name!r}, expected a run of lm")
    hidden = model.blocks.blocks[0].feed.widen.out_features  # where the run names none, it follows from the size
    options = {"vocabulary": len(task.targets), "hidden": hidden}
    options |= {
        name: load_report(folder)["settings"][name] for name in ("size", "heads", "layers", "positions", "norm", "tied")
    }
    save_language_model(model, options, task.targets)
    shipped, _ = load_language_model()
    print(f"perplexity {perplexity(model, task):.3f}, in half precision {perplexity(shipped, task):.3f}")
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
