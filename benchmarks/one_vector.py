"""How words sound, by decoders that see more or less of the letters: three seeds, each at the best of its rates.

    OMP_NUM_THREADS=1 python benchmarks/one_vector.py     about twenty minutes; writes the report that lesson 07 draws

The contestants differ in what their score sees: nothing (one vector), the keys only, or query and key, by four rules.
All have size 128 and get one pass through the dictionary in the same order. The learning rate of each is the best of
0.002, 0.004 and 0.008 on the development words, and of more where the best lies at the edge. The test words are looked
at once that is settled. Last, three contestants get three passes, to see whether what was found stays.
"""

import argparse
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
from course_utils.train.reports.experiments import experiment, experiments, write_experiment

NAME = "one_vector"
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


def best_rate(race: Race, contestant: str, found: dict[str, float]) -> tuple[dict[str, float], Seq2Seq | None]:
    """The error on the development words at each rate tried, and the best model, all of seed 0.

    `found` holds what was measured already: those rates are not tried again.
    """
    found, best = dict(found), None
    untried = [rate for rate in RATES if f"{rate:g}" not in found]
    while untried:
        rate = untried.pop()
        model = race.train(contestant, rate, seed=0)
        found[f"{rate:g}"] = race.sounds_wrong(model, race.dev)
        print(f"{contestant:12} rate {rate:g}: {found[f'{rate:g}']:.2f} on dev", flush=True)
        first = min(found, key=found.__getitem__)
        best = model if first == f"{rate:g}" else best
        tried = sorted(map(float, found))
        if not untried and len(found) < 6 and float(first) in (tried[0], tried[-1]):
            untried.append(tried[0] / 2 if float(first) == tried[0] else 2 * tried[-1])
    return dict(sorted(found.items())), best


def measure(race: Race, name: str, seeds: Sequence[int], known: dict) -> dict:
    """A contestant at its best rate with every seed."""
    dev, best = best_rate(race, name, known.get("dev by rate", {}))
    rate = float(min(dev, key=dev.__getitem__))
    models = [best or race.train(name, rate, seeds[0])] + [race.train(name, rate, seed) for seed in seeds[1:]]
    return known | {
        "parameters": sum(weight.numel() for weight in models[0].parameters()),
        "dev by rate": dev,
        "rate": rate,
        "seeds": [race.examined(model) for model in models],
    }


def measure_longer(race: Race, name: str, seed: int, passes: int, known: dict) -> dict:
    """A contestant at the rate that was best, with more passes."""
    return known | {"longer": {"passes": passes, **race.examined(race.train(name, known["rate"], seed, passes))}}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--contestants", nargs="+", default=list(SCORES), choices=list(SCORES))
    ask.add_argument("--longer", nargs="*", default=LONGER, choices=list(SCORES), help="who gets more passes as well")
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--passes", type=int, default=3, help="of the longer training")
    ask.add_argument("--pairs", type=int, help="train on the first pairs only; nothing is stored")
    said = ask.parse_args()
    torch.set_num_threads(1)
    race = Race(said.pairs)
    known = experiment(NAME)["contestants"] if said.pairs is None and NAME in experiments() else {}
    seeds = list(range(said.seeds))
    for name in said.contestants:
        known[name] = measure(race, name, seeds, known.get(name, {}))
        print(f"{name:12} {[one['by length'] for one in known[name]['seeds']]}", flush=True)
        store(race, known, seeds, said.pairs)
    for name in said.longer:
        known[name] = measure_longer(race, name, seeds[0], said.passes, known[name])
        print(f"{name:12} {said.passes} passes: {known[name]['longer']['by length']}", flush=True)
        store(race, known, seeds, said.pairs)


def store(race: Race, contestants: dict, seeds: list[int], pairs: int | None) -> None:
    """Stores what is known so far; what was measured before stays."""
    if pairs is not None:
        return
    report = {
        "command": "python benchmarks/one_vector.py",
        "date": date.today().isoformat(),
        "seeds": seeds,
        "machine": machine(CPU, processes=1),
        "size": SIZE,
        "steps": len(race.buckets),
        "lengths": list(LENGTHS),
        "words": [len(race.test[length]) for length in LENGTHS],
        "contestants": contestants,
    }
    print(f"written: {write_experiment(report, NAME).name}", flush=True)


if __name__ == "__main__":
    main()
