"""Clauses on manners: it leaves its arguments alone, and says the same thing twice."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch

from course_utils.contract.cases import Inputs
from course_utils.contract.clauses.base import Clause, gap, masked_or_not, number
from course_utils.contract.hiding import with_empty_row
from course_utils.contract.subject import DROPS, Subject


def _changes(subject: Subject, given: Inputs) -> str:
    for mode in subject.modes:
        tensors, keywords = subject.arguments(given)
        kept = [tensor.clone() for tensor in tensors], {name: _copy(value) for name, value in keywords.items()}
        subject.run(tensors, keywords, given.query.dtype, mode)
        names = [*subject.convention.order.split(), "mask"]
        for name, tensor, before in zip(names, tensors, kept[0], strict=False):
            if not torch.equal(tensor, before):
                return f"After the call, the {name} that it was given holds other numbers."
        for name, value in keywords.items():
            if isinstance(value, torch.Tensor) and not torch.equal(value, kept[1][name]):
                return f"After the call, the {name} that it was given holds other numbers."
    return ""


def _rows_of_every_kind(subject: Subject) -> Iterator[Inputs]:
    yield from masked_or_not(subject)
    if subject.convention.mask and subject.masks:
        yield from with_empty_row(subject.convention, subject.plain())


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def _says_something_else(subject: Subject, given: Inputs) -> str:
    once, twice = subject(given, seed=1).context, subject(given, seed=2).context
    if gap(once, twice)[once.isfinite()].sum() > 0:
        where = "In evaluation mode, two" if subject.is_module else "Two"
        return f"{where} equal calls gave two different outputs: it draws at random (dropout?)."
    return ""


SAME_TWICE = Clause(
    "same-twice",
    "Manners",
    "The same input gives the same output twice, in evaluation.",
    masked_or_not,
    _says_something_else,
)


def _training_is_lost(subject: Subject, given: Inputs) -> str:
    """On a copy that nobody called yet: training, evaluation, and training again, with the same random numbers."""
    fresh = Subject(subject.attention, subject.convention, [])
    first = fresh(given, DROPS).context
    tensors, keywords = fresh.arguments(given)
    with torch.no_grad():
        fresh.copy(given.query.dtype, drops=True).eval()(*tensors, **keywords)
    off = gap(first, fresh(given, DROPS).context)
    if off.max() == 0:
        return ""
    return f"After a call in evaluation mode, the output in training differs by {number(off.max())}: it drops no more?"


def _no_dropout(subject: Subject) -> str:
    return "" if DROPS in subject.modes else "it has no dropout"


MANNERS = (
    Clause(
        "training-comes-back",
        "Manners",
        "After an evaluation, training drops what it dropped before.",
        lambda subject: islice(subject.plain(), 8, None, 8),
        _training_is_lost,
        _no_dropout,
    ),
    Clause(
        "arguments-unchanged",
        "Manners",
        "It leaves its arguments as they were.",
        _rows_of_every_kind,
        _changes,
    ),
    SAME_TWICE,
)
