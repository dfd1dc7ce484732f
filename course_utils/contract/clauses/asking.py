"""Clauses on the weights that are asked for: asking changes nothing, and in training they are still a mean."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from course_utils.contract.cases import Inputs
from course_utils.contract.clauses.base import TOLERANCE, CannotTell, Clause, gap, number, place_of, tolerance, worst
from course_utils.contract.hiding import plain_and_masked, with_future
from course_utils.contract.subject import DROPS, Subject

DRAWS = 400  # calls with dropout: the mean of a row's sums is then known to a few hundredths


def _with_causal_too(subject: Subject) -> Iterator[Inputs]:
    plain = [given for given in subject.plain() if given.seed == 0]
    if not (subject.convention.mask and subject.masks):
        yield from plain
    else:
        yield from plain_and_masked(subject.convention, iter(plain))
        yield from with_future(subject.convention, iter(plain))


def _asking_matters(subject: Subject, given: Inputs) -> str:
    tensors, keywords = subject.arguments(given)
    both = []
    for asked in (False, True):
        found = subject.run(list(tensors), {**keywords, subject.asks: asked}, given.query.dtype)
        both.append(_first(found, subject))
    without, with_them = both
    if without.shape != with_them.shape:
        raise CannotTell(f"with {subject.asks} it returns something else")
    off = gap(without, with_them).masked_fill(without.isnan() & with_them.isnan(), 0.0)
    if off.max() <= tolerance(without):
        return ""
    return f"With {subject.asks}=True its output differs by {number(off.max())} from that with {subject.asks}=False."


def _first(found: Any, subject: Subject) -> Tensor:
    parts = list(found) if isinstance(found, tuple | list) else [found]
    place = 1 if subject.convention.returns == "weights context" and len(parts) > 1 else 0
    if not isinstance(parts[place], Tensor):
        raise CannotTell("its context cannot be told from the rest of what it returns")
    return parts[place]


def _small(subject: Subject) -> Iterator[Inputs]:
    found = [given for given in subject.plain() if given.seed == 0 and given.dims.keys > 1]
    yield from found[:2]


def _not_a_mean_in_training(subject: Subject, given: Inputs) -> str:
    """With dropout, one row's sum is by chance; their mean over many calls is 1."""
    mode = DROPS if DROPS in subject.modes else "training mode"
    draws = range(DRAWS if mode == DROPS else 1)
    sums = [weights.sum(-1) for seed in draws if (weights := subject(given, mode, seed=seed).weights) is not None]
    if not sums:
        raise CannotTell("it does not return its weights in training")
    found = torch.stack(sums).detach().double()
    by_chance = 5 * found.std(0) / len(found) ** 0.5 if len(found) > 1 else torch.zeros_like(found[0])
    off = gap(found.mean(0), torch.ones_like(found[0])) - by_chance
    if off.max() <= TOLERANCE:
        return ""
    place, mean = worst(off), found.mean(0)
    average = f", on average over {DRAWS} calls" if len(found) > 1 else ""
    return f"In {mode}, the weights of {place_of(place, 'query')} sum to {number(mean[place])}{average}."


def _no_training(subject: Subject) -> str:
    if not subject.is_module:
        return "a function has no training mode"
    if subject.convention.mixing != "mean":
        return "its weights are declared otherwise"
    return "" if subject.gives_weights else "it does not return its weights"


ASKING = (
    Clause(
        "asked-or-not",
        "Weights",
        "Its output is the same whether its weights are asked for or not.",
        _with_causal_too,
        _asking_matters,
        lambda subject: "" if subject.asks else "nobody can ask it for its weights",
        compares=True,
    ),
    Clause(
        "weights-in-training",
        "Weights",
        "In training too, the weights of each query sum to 1; with dropout, on average.",
        _small,
        _not_a_mean_in_training,
        _no_training,
    ),
)
