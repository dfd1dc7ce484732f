"""What each piece of a Transformer is for: take one away, train, and see what is lost. Three seeds.

    OMP_NUM_THREADS=1 python benchmarks/ablations.py     about 15 minutes; writes the report that lesson 11 draws

    python benchmarks/ablations.py --only "one head"                   one contestant again, beside the stored others
    python benchmarks/ablations.py --steps 1200 --shares 0.5           four times as long, half an hour, stored beside

The short French–English pairs of lesson 08. Each contestant trains for the same number of steps, with the warm-up and
at the rate that were the best for it on the dev part: the rate rises in a tenth or in half of all steps, with a lower
and a higher rate tried for each. What is told is the loss of a word on sentences of the test, in nats.
"""

import argparse
import functools
import math
from collections.abc import Callable, Sequence
from datetime import date
from time import process_time

import torch
from torch import Tensor, nn

from course_utils.data.buckets import Buckets
from course_utils.data.phrases import lesson_pairs, without_names
from course_utils.data.text import Pair, Vocabulary
from course_utils.data.translation import Splits, load_translation
from course_utils.models.blocks import DecoderStack, EncoderStack, Residual
from course_utils.models.seq2seq import token_loss
from course_utils.models.transformer import Transformer
from course_utils.train.fit import fit
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import experiment, experiments, write_experiment

NAME = "ablations"
OPTIONS = {"size": 64, "heads": 4, "hidden": 256, "layers": 3}
STEPS, TOKENS, RATES, SEEDS, CHOOSING = 300, 400, (1e-3, 3e-3, 9e-3), (0, 1, 2), 3
SHARES = (0.1, 0.5)  # of the steps in which the rate rises


class NoWayAround(Residual):
    """The layer alone: nothing is added to what it says."""

    def forward(self, x: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
        return self.dropout(layer(self.norm(x)))


class Silent(nn.Module):
    """Says nothing: with a way around it, what came in goes on."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


def without_residual(model: Transformer) -> None:
    for part in model.modules():
        if isinstance(part, Residual):
            part.__class__ = NoWayAround


def without_norm(model: Transformer) -> None:
    for part in model.modules():
        if isinstance(part, Residual | EncoderStack | DecoderStack):
            part.norm = nn.Identity()


def without_feed_forward(model: Transformer) -> None:
    for stack in (model.encoder, model.decoder):
        for block in stack.blocks:
            block.feed = Silent()


def as_it_is(model: Transformer) -> None:
    """Takes nothing away."""


# name: (what differs when the model is made, what is taken away afterwards)
CONTESTANTS: dict[str, tuple[dict, Callable[[Transformer], None]]] = {
    "whole": ({}, as_it_is),
    "without residual": ({}, without_residual),
    "without norm": ({}, without_norm),
    "norm after the sum": ({"norm": "post"}, as_it_is),
    "without feed-forward": ({}, without_feed_forward),
    "without positions": ({"positions": "none"}, as_it_is),
    "one head": ({"heads": 1}, as_it_is),
}


def prepare(data: Splits) -> tuple[list[Pair], Vocabulary, Vocabulary, dict[str, list[Pair]]]:
    """Pairs to learn from, both vocabularies, and the dev and test pairs that need no other French words."""
    pairs = lesson_pairs(data.train)
    french, english = (Vocabulary([without_names(pair[side]) for pair in pairs], at_least=2) for side in (0, 1))
    test = [Pair(sentence.source, target) for sentence in data.test for target in sentence.targets]
    apart = {}
    for name, some in (("dev", data.dev), ("test", test)):
        short = [pair for pair in some if len(pair.source) <= 9]
        apart[name] = [pair for pair in short if all(word in french for word in without_names(pair.source))]
    return pairs, french, english, apart


def make(name: str, french: Vocabulary, english: Vocabulary, seed: int) -> Transformer:
    """A contestant, untrained."""
    changes, take_away = CONTESTANTS[name]
    torch.manual_seed(seed)
    options: dict = OPTIONS | changes
    model = Transformer(len(french), len(english), **options)
    take_away(model)
    return model


def train(model: Transformer, buckets: Buckets, steps: int, rate: float, warmup: float = 0.1) -> float:
    """Trains a model; gives the seconds of the processor's time that this took."""
    stream = buckets.stream()

    def loss(step: int) -> Tensor:
        total, tokens = token_loss(model, next(stream))
        return total / tokens

    began = process_time()
    fit(model, loss, steps, rate, warmup)
    return process_time() - began


@torch.no_grad()
def loss_on(model: Transformer, held_out: Buckets) -> float:
    """The mean loss of a word, in nats."""
    model.eval()
    parts = [token_loss(model, batch) for batch in held_out.epoch(0)]
    return sum(total.item() for total, _ in parts) / sum(tokens for _, tokens in parts)


def choose(attempt: Callable[[float], float], rates: tuple[float, ...] = RATES) -> dict[float, float]:
    """The dev loss at each rate tried; rates are added at the end where the best one lies, until it lies inside."""
    found = {rate: attempt(rate) for rate in rates}
    while (best := min(found, key=lambda rate: found[rate])) in (min(found), max(found)):
        further = best / 3 if best == min(found) else best * 3
        found[further] = attempt(further)
    return dict(sorted(found.items()))


def compete(
    make_one: Callable[[int], Transformer],
    learn: Callable[[Transformer, int, float, float], float],
    held_out: dict[str, Buckets],
    shares: Sequence[float] = SHARES,
) -> dict:
    """A contestant at the warm-up and the rate that are the best for it on dev: the test loss of each seed."""
    dev = {}
    for share in shares:

        def attempt(rate: float, share: float = share) -> float:
            model = make_one(CHOOSING)
            try:
                learn(model, CHOOSING, rate, share)
            except ValueError as error:
                if not str(error).startswith("loss:"):
                    raise
                return math.inf  # the loss is no number any more: this rate is too high
            return loss_on(model, held_out["dev"])

        dev[share] = choose(attempt)
    share = min(dev, key=lambda one: min(dev[one].values()))
    rate = min(dev[share], key=lambda one: dev[share][one])
    test, seconds = [], []
    for seed in SEEDS:
        model = make_one(seed)
        seconds.append(round(learn(model, seed, rate, share), 1))
        test.append(round(loss_on(model, held_out["test"]), 4))
    return {
        "warmup": share,
        "rate": rate,
        "dev": {f"{one:g}": {f"{at:g}": _number(x) for at, x in found.items()} for one, found in dev.items()},
        "test": test,
        "seconds": seconds,
        "parameters": sum(weight.numel() for weight in model.parameters()),
    }


def _number(loss: float) -> float | None:
    """A loss for the report, None where it was no number at the end."""
    return round(loss, 4) if math.isfinite(loss) else None


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--only", nargs="+", choices=list(CONTESTANTS), default=list(CONTESTANTS))
    ask.add_argument("--steps", type=int, default=STEPS)
    ask.add_argument("--shares", type=float, nargs="+", default=list(SHARES), help="warm-ups to try, as shares")
    said = ask.parse_args()
    torch.set_num_threads(1)
    pairs, french, english, apart = prepare(load_translation())
    held_out = {name: Buckets(some, french, english, 2000) for name, some in apart.items()}
    report = experiment(NAME) if NAME in experiments() else {}
    about = {"command": "python benchmarks/ablations.py", "date": date.today().isoformat()}
    about |= {"seeds": list(SEEDS), "machine": machine(torch.device("cpu"), 1)}
    about |= {"options": OPTIONS, "steps": said.steps, "batch_tokens": TOKENS}
    about |= {"pairs": len(pairs), "chosen_with": CHOOSING, "sentences": {name: len(x) for name, x in apart.items()}}
    if said.steps != STEPS:
        about["command"] += f" --steps {said.steps} --shares {' '.join(f'{share:g}' for share in said.shares)}"
        kept = report.setdefault("longer", {})
    else:
        kept = report
    contestants = kept.get("contestants", {}) if said.only != list(CONTESTANTS) else {}
    kept |= about | {"contestants": contestants}
    for name in said.only:
        contestants[name] = compete(
            functools.partial(make, name, french, english),
            lambda model, seed, *how: train(model, Buckets(pairs, french, english, TOKENS, seed), said.steps, *how),
            held_out,
            said.shares,
        )
        print(name, contestants[name], flush=True)
        write_experiment(report, NAME)


if __name__ == "__main__":
    main()
