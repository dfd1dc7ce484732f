"""The translators of lessons 08 and 09, three seeds: crossings, windows, errors of a search, names that are copied.

    OMP_NUM_THREADS=1 python benchmarks/translators.py     about five minutes; writes the report that both lessons read

Everything is done as in the lessons, which show one seed: the same pairs, the same thousand steps at one learning rate,
greedy search and a beam of five on the same sentences set aside.
"""

import argparse
import time
from datetime import date

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.local import windows
from course_utils.attention.masks import padding_mask
from course_utils.attention.scores import Additive
from course_utils.data.buckets import Buckets
from course_utils.data.phrases import is_name, lesson_pairs, noun_phrases, without_names
from course_utils.data.text import PAD, UNKNOWN, Pair, Vocabulary, collate, pad
from course_utils.data.translation import load_translation
from course_utils.models.copying import AsNumbers, CopySeq2Seq, Extended, copy_loss
from course_utils.models.decoding import beam_search, log_probability, normalised
from course_utils.models.seq2seq import Seq2Seq, token_loss
from course_utils.train.fit import fit
from course_utils.train.metrics import bleu, edit_distance
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

SIZE, STEPS, RATE, SEEDS, LONGEST, BEAMS = 128, 1000, 0.004, [0, 1, 2], 14, 5


class Task:
    """What the lessons learn from, their vocabularies, and the sentences set aside."""

    def __init__(self) -> None:
        self.data = load_translation()
        self.pairs = lesson_pairs(self.data.train)
        self.seen = {pair.source for pair in self.pairs}
        self.french = Vocabulary([without_names(pair.source) for pair in self.pairs], at_least=2)
        self.english = Vocabulary([without_names(pair.target) for pair in self.pairs], at_least=2)
        self.both = Extended(self.french, self.english)

    def train(self, model: nn.Module, buckets: Buckets, loss_of, steps: int) -> nn.Module:
        stream = buckets.stream()

        def loss(step: int) -> Tensor:
            total, tokens = loss_of(model, next(stream))
            return total / tokens

        fit(model, loss, steps, learning_rate=RATE)
        return model.eval()

    def translator(self, seed: int, steps: int) -> nn.Module:
        torch.manual_seed(seed)
        model = Seq2Seq(len(self.french), len(self.english), SIZE, Additive(SIZE, SIZE, SIZE), dropout=0.1)
        return self.train(model, Buckets(self.pairs, self.french, self.english, tokens=500), token_loss, steps)

    def copier(self, seed: int, steps: int) -> nn.Module:
        encoded = [self.both.encode(pair) for pair in self.pairs]
        torch.manual_seed(seed)
        model = CopySeq2Seq(self.both, SIZE, Additive(SIZE, SIZE, SIZE), dropout=0.1)
        return self.train(model, Buckets(encoded, AsNumbers, AsNumbers, tokens=500), copy_loss, steps)


def percent(share: Tensor) -> float:
    return round(100 * share.float().mean().item(), 1)


@torch.no_grad()
def crossing(task: Task, model: nn.Module) -> dict[str, float]:
    """In how many made-up sentences the adjective's query looks further to the right than the noun's."""
    found = {}
    for name, before in {"noun first": False, "adjective first": True}.items():
        made = [phrase for phrase in noun_phrases(before) if phrase.source not in task.seen]
        batch = collate(made, task.french, task.english)
        _, weights = model(batch.source, batch.source_mask, batch.target_in)
        place = weights @ torch.arange(weights.shape[-1], dtype=torch.float32)  # (batch, target)
        rows, first = torch.arange(len(made)), torch.tensor([phrase.adjective for phrase in made])
        found[name] = percent(place[rows, first] > place[rows, first + 1])
    return found


@torch.no_grad()
def inside(task: Task, model: nn.Module) -> dict[str, dict[str, float]]:
    """How much weight falls into a window, by its reach D and by where it lies."""
    real = [Pair(s.source, s.targets[0]) for s in task.data.test if len(s.source) <= 10]
    held = collate(real, task.french, task.english)
    _, looks = model(held.source, held.source_mask, held.target_in)
    middle = torch.arange(looks.shape[1]).expand(looks.shape[:2])
    mean = looks @ torch.arange(looks.shape[2], dtype=torch.float32)
    even, written, found = held.source_mask / held.source_mask.sum(-1, keepdim=True), held.target_out != PAD, {}
    for reach in (1, 2, 3):
        at_t, at_mean = (windows(one, looks.shape[2], reach, held.source_mask) for one in (middle, mean))
        best = F.avg_pool1d(F.pad(looks, (reach, reach)), 2 * reach + 1, 1).amax(-1) * (2 * reach + 1)
        caught = {"spread evenly": (even * at_t).sum(-1), "local-m": (looks * at_t).sum(-1)}
        caught |= {"around the mean": (looks * at_mean).sum(-1), "best window": best}
        found[str(reach)] = {name: percent(share[written]) for name, share in caught.items()}
    return found


@torch.no_grad()
def searching(task: Task, model: nn.Module) -> dict[str, float]:
    """What a beam finds that greedy search has missed, and whether it is nearer to a reference."""
    test = [s for s in task.data.test if len(s.source) <= 9 and all(w in task.french or is_name(w) for w in s.source)]
    references = [sentence.targets for sentence in test]
    numbers, lengths = pad([task.french.encode(sentence.source) for sentence in test])
    mask = padding_mask(lengths)
    ids = {"greedy": model.greedy(numbers, mask, longest=LONGEST)[0]}
    ids["beam"] = beam_search(model, numbers, mask, LONGEST, BEAMS)[0]
    logs = {name: log_probability(model, numbers, mask, one) for name, one in ids.items()}
    score = {name: normalised(logs[name], (one != PAD).sum(dim=1), 0.6) for name, one in ids.items()}
    written = {name: [task.english.tokens(row) for row in one] for name, one in ids.items()}
    edits = {
        name: torch.tensor(
            [min(edit_distance(one, ref) for ref in refs) for one, refs in zip(said, references, strict=True)]
        )
        for name, said in written.items()
    }
    likelier = logs["beam"] > logs["greedy"] + 1e-3
    gain = (edits["greedy"] - edits["beam"])[likelier]
    return {
        "sentences": len(test),
        "BLEU, greedy": round(bleu(written["greedy"], references), 1),
        "BLEU, beam": round(bleu(written["beam"], references), 1),
        "higher score": percent(score["beam"] > score["greedy"] + 1e-3),
        "likelier": percent(likelier),
        "likelier and nearer": percent(gain > 0),
        "likelier and farther": percent(gain < 0),
    }


@torch.no_grad()
def names(task: Task, model: nn.Module, copier: nn.Module) -> dict[str, float]:
    """Which share of the names and numbers that the reference keeps is written."""
    named = [
        s for s in task.data.test if len(s.source) <= 10 and any(is_name(w) and w in s.targets[0] for w in s.source)
    ]
    rows, lengths = pad([task.french.encode(s.source) for s in named])
    ids, looks = model.greedy(rows, padding_mask(lengths), LONGEST)
    plain, unknown = [task.english.tokens(row) for row in ids], task.english.tokens([UNKNOWN])[0]
    best = looks.argmax(-1)
    replaced = [
        [s.source[best[n, t]] if word == unknown else word for t, word in enumerate(found)]
        for n, (s, found) in enumerate(zip(named, plain, strict=True))
    ]
    rows, lengths = pad([task.both.encode_source(s.source) for s in named])
    ids, _ = copier.greedy(rows, padding_mask(lengths), LONGEST)
    copied = [task.both.tokens(row, s.source) for row, s in zip(ids, named, strict=True)]
    shares = {}
    for name, found in {"vocabulary only": plain, "unknown replaced": replaced, "copy gate": copied}.items():
        asked = [
            w in out for s, out in zip(named, found, strict=True) for w in s.source if is_name(w) and w in s.targets[0]
        ]
        shares[name] = percent(torch.tensor(asked))
    return shares


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--steps", type=int, default=STEPS, help="other than 1000: nothing is stored")
    said = ask.parse_args()
    torch.set_num_threads(1)
    began, task, runs = time.process_time(), Task(), []
    for seed in SEEDS:
        model, copier = task.translator(seed, said.steps), task.copier(seed, said.steps)
        runs.append({"crossing": crossing(task, model), "inside": inside(task, model)})
        runs[-1] |= {"search": searching(task, model), "names": names(task, model, copier)}
        print(f"seed {seed}: {runs[-1]}", flush=True)
    report = {
        "command": "python benchmarks/translators.py",
        "date": date.today().isoformat(),
        "seeds": SEEDS,
        "machine": machine(torch.device("cpu"), processes=1),
        "seconds": round(time.process_time() - began),
        "steps": STEPS,
        "runs": runs,
    }
    if said.steps == STEPS:
        print(f"written: {write_experiment(report, 'translators').name}")


if __name__ == "__main__":
    main()
