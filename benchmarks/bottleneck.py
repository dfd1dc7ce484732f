"""How words sound, by decoders that see more or less of the letters: three seeds, each at the best of its rates.

    OMP_NUM_THREADS=1 python benchmarks/bottleneck.py        about twenty minutes; writes the report that lesson 07 draws

The contestants differ in what their score sees: nothing (one vector), the keys only, or query and key, by four rules.
All have size 128 and get one pass through the dictionary in the same order. The learning rate of each is the best of
0.002, 0.004 and 0.008 on the development words, and of more where the best lies at the edge. The test words are looked
at once that is settled. Last, three contestants get three passes, to see whether what was found stays.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import date

import torch
from torch import Tensor, nn

from course_utils.attention import dot, scaled_dot
from course_utils.attention.scores import Additive, Bilinear
from course_utils.data.buckets import Buckets
from course_utils.data.pronunciations import Word, load_pronunciations, pairs
from course_utils.data.text import Vocabulary, collate
from course_utils.models.seq2seq import Seq2Seq, token_loss
from course_utils.train.evaluation import answers
from course_utils.train.fit import fit
from course_utils.train.forgetting import missed_by_place
from course_utils.train.metrics import phoneme_error_rate
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

SIZE, RATES = 128, [0.002, 0.004, 0.008]
LENGTHS, MOST, LONG, PARTS = range(4, 14), 300, 12, 6
CPU = torch.device("cpu")


class KeysOnly(nn.Module):
    """A score that never sees the query: attention pooling."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.hidden, self.v = nn.Linear(size, size), nn.Linear(size, 1, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        scores = self.v(torch.tanh(self.hidden(key))).transpose(-2, -1)  # (batch, 1, source)
        return scores.expand(-1, query.shape[1], -1)


SCORES: dict[str, Callable[[], object]] = {
    "one vector": lambda: None,
    "keys only": lambda: KeysOnly(SIZE),
    "additive": lambda: Additive(SIZE, SIZE, SIZE),
    "dot": lambda: dot,
    "scaled dot": lambda: scaled_dot,
    "general": lambda: Bilinear(SIZE, SIZE),
}
LONGER = ["one vector", "keys only", "additive"]


class Race:
    """The words, and a training of one contestant on them."""

    def __init__(self, number: int | None = None) -> None:
        words = load_pronunciations()
        known = pairs(words.train, first_only=True)[:number]
        self.letters, self.sounds = Vocabulary([one.source for one in known]), Vocabulary([one.target for one in known])
        self.buckets = Buckets(known, self.letters, self.sounds, tokens=1000)
        self.dev = words.dev if number is None else words.dev[:50]
        plain = [word for word in words.test if len(word.spelling) == word.letters]
        most = MOST if number is None else 5
        self.test = {length: [word for word in plain if word.letters == length][:most] for length in LENGTHS}

    def train(self, contestant: str, rate: float, seed: int, passes: int = 1) -> Seq2Seq:
        torch.manual_seed(seed)
        model = Seq2Seq(len(self.letters), len(self.sounds), SIZE, SCORES[contestant]())
        stream = self.buckets.stream(10 * seed)

        def loss(step: int) -> Tensor:
            total, tokens = token_loss(model, next(stream))
            return total / tokens

        fit(model, loss, passes * len(self.buckets), rate)
        return model.eval()

    def written(self, model: Seq2Seq, words: Sequence[Word]) -> list[tuple[str, ...]]:
        return answers(model, [word.spelling for word in words], self.letters, self.sounds, CPU)

    def sounds_wrong(self, model: Seq2Seq, words: Sequence[Word]) -> float:
        """Edits for each hundred sounds, greedy."""
        return round(phoneme_error_rate(self.written(model, words), [word.sounds for word in words]), 2)

    def examined(self, model: Seq2Seq) -> dict:
        """All that is asked of a model on the test: by length, and by place in long words, left alone and told."""
        long_words = self.test[LONG]
        true = [word.sounds[0] for word in long_words]
        return {
            "by length": [self.sounds_wrong(model, self.test[length]) for length in LENGTHS],
            "missed by place": [round(x, 2) for x in missed_by_place(self.written(model, long_words), true, PARTS)],
            "wrong by place, told": self.told(model, long_words),
        }

    @torch.no_grad()
    def told(self, model: Seq2Seq, words: Sequence[Word]) -> list[float]:
        """The share of sounds that are wrong in each part of the words when the true sounds before are read."""
        batch = collate([(word.spelling, word.sounds[0]) for word in words], self.letters, self.sounds)
        wrong = model(batch.source, batch.source_mask, batch.target_in)[0].argmax(-1) != batch.target_out
        lost, total = torch.zeros(PARTS), torch.zeros(PARTS)
        for row, word in zip(wrong, words, strict=True):
            number = len(word.sounds[0])
            part = PARTS * torch.arange(number) // number
            lost.index_add_(0, part, row[:number].float())
            total.index_add_(0, part, torch.ones(number))
        return [round(x, 2) for x in (100 * lost / total).tolist()]


def best_rate(race: Race, contestant: str) -> tuple[dict[float, float], Seq2Seq]:
    """The error on the development words at each rate tried, from the slowest, and the best model, all of seed 0."""
    found: dict[float, float] = {}
    models = {}
    untried = list(RATES)
    while untried:
        rate = untried.pop()
        models[rate] = race.train(contestant, rate, seed=0)
        found[rate] = race.sounds_wrong(models[rate], race.dev)
        print(f"{contestant:12} rate {rate:g}: {found[rate]:.2f} on dev", flush=True)
        best = min(found, key=found.__getitem__)
        if not untried and best in (min(found), max(found)) and len(found) < 6:
            untried.append(best / 2 if best == min(found) else best * 2)
    return dict(sorted(found.items())), models[min(found, key=found.__getitem__)]


def measure(race: Race, contestants: Sequence[str], seeds: Sequence[int], passes: int) -> dict:
    """Every contestant at its best rate with every seed, and some of them with more passes."""
    found: dict[str, dict] = {}
    for name in contestants:
        dev, model = best_rate(race, name)
        rate = min(dev, key=dev.__getitem__)
        models = [model] + [race.train(name, rate, seed) for seed in seeds[1:]]
        found[name] = {
            "parameters": sum(weight.numel() for weight in model.parameters()),
            "dev by rate": {f"{rate:g}": error for rate, error in dev.items()},
            "rate": rate,
            "seeds": [race.examined(model) for model in models],
        }
        print(f"{name:12} {[one['by length'] for one in found[name]['seeds']]}", flush=True)
        if name in LONGER:
            longer = race.train(name, rate, seeds[0], passes)
            found[name]["longer"] = {"passes": passes, **race.examined(longer)}
            print(f"{name:12} {passes} passes: {found[name]['longer']['by length']}", flush=True)
    return found


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--contestants", nargs="+", default=list(SCORES), choices=list(SCORES))
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--passes", type=int, default=3, help="of the longer training")
    ask.add_argument("--pairs", type=int, help="train on the first pairs only; nothing is stored")
    said = ask.parse_args()
    torch.set_num_threads(1)
    began, race = time.process_time(), Race(said.pairs)
    found = measure(race, said.contestants, range(said.seeds), said.passes)
    report = {
        "command": "python benchmarks/bottleneck.py",
        "date": date.today().isoformat(),
        "seeds": list(range(said.seeds)),
        "machine": machine(CPU, processes=1),
        "seconds": round(time.process_time() - began),
        "size": SIZE,
        "steps": len(race.buckets),
        "lengths": list(LENGTHS),
        "words": [len(race.test[length]) for length in LENGTHS],
        "contestants": found,
    }
    if said.pairs is None:
        print(f"written: {write_experiment(report, 'bottleneck').name}")


if __name__ == "__main__":
    main()
