"""Clauses on masks: what is hidden weighs nothing and changes nothing, and an empty row does no harm."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from course_utils.contract.cases import Inputs, moved
from course_utils.contract.clauses.base import (
    TOLERANCE,
    Clause,
    gap,
    hides_its_weights,
    no_mask,
    number,
    place_of,
    seen_weights,
    tolerance,
    when,
    worst,
)
from course_utils.contract.hiding import plain_and_masked, says, visible, with_future, with_padding
from course_utils.contract.subject import Subject


def _with_something_hidden(subject: Subject) -> Iterator[Inputs]:
    for given in plain_and_masked(subject.convention, subject.plain()):
        if not bool(visible(subject.convention, given).all()):
            yield given


def _looks_at_the_hidden(subject: Subject, given: Inputs) -> str:
    weights = seen_weights(subject, given)
    if weights is None:
        return ""
    seen = visible(subject.convention, given).expand_as(weights)
    stolen = gap(weights, torch.zeros_like(weights)).masked_fill(seen, 0.0)
    if stolen.max() <= TOLERANCE:
        return ""
    place = worst(stolen)
    found = f"Key {place[-1]} is hidden from {place_of(place, 'query')}, and weighs {number(weights[place])}."
    if given.mask is not None and float(weights.masked_fill(~seen, 0.0).abs().max()) <= TOLERANCE:
        found += " It looks only at what is hidden: is the mask the other way round?"
    return found


def outlook(subject: Subject, given: Inputs, hidden: list[int], rows: Tensor, what: str) -> str:
    """Whether the output at these rows moves when what stands at the hidden places of the sequence moves.

    Shapes: rows (batch or 1, query), True = must not move.
    """
    other = _with_other(subject, given, hidden)
    for mode in subject.modes:
        before, after = subject(given, mode).context, subject(other, mode).context
        off = gap(before, after).masked_fill(~rows[:, None, :, None], 0.0)
        if off.max() > tolerance(before):
            by = "is not finite" if off.max() == torch.inf else f"moved by {number(off.max())}"
            found = f"{what} changed, and the output of {place_of(worst(off), 'query')} {by}"
            return f"{found}{when(subject, mode)}."
    return ""


def _with_other(subject: Subject, given: Inputs, hidden: list[int]) -> Inputs:
    if subject.convention.one_source:
        source = moved(given.query, hidden, given.seed)
        return replace(given, query=source, key=source, value=source)
    key, value = moved(given.key, hidden, given.seed), moved(given.value, hidden, given.seed + 1)
    return replace(given, key=key, value=key if given.value is given.key else value)


def _sees_the_future(subject: Subject, given: Inputs) -> str:
    places = torch.arange(given.dims.queries, device=given.query.device) + given.dims.keys - given.dims.queries
    for now in range(given.dims.keys - 1):
        later = list(range(now + 1, given.dims.keys))
        what = f"Position {later[0]}" if len(later) == 1 else f"Positions {later[0]} to {later[-1]}"
        if found := outlook(subject, given, later, places[None] <= now, what):
            return found
    return ""


def _sees_the_padding(subject: Subject, given: Inputs) -> str:
    real = given.seen[:, 0].any(1)  # (batch, key)
    longest = int(real.sum(-1).max())
    rows = real if subject.convention.one_source else real.new_ones(1, given.dims.queries)
    return outlook(
        subject, given, list(range(longest, given.dims.keys)), rows, f"The padding from position {longest} on"
    )


def _nothing_hidden(subject: Subject) -> str:
    if not subject.convention.mask and not subject.convention.causal:
        return "it takes no mask"
    return hides_its_weights(subject)


def _no_future(subject: Subject) -> str:
    convention = subject.convention
    if convention.causal or (convention.mask and says(convention, "query") and says(convention, "key")):
        return ""
    return "its mask cannot hide the future" if convention.mask else "it takes no mask, and is not causal"


MASKS = (
    Clause(
        "hidden-key-weighs-0",
        "Masks",
        "A hidden key weighs 0.",
        _with_something_hidden,
        _looks_at_the_hidden,
        _nothing_hidden,
    ),
    Clause(
        "future-changes-nothing",
        "Masks",
        "What comes later changes nothing, in training and evaluation.",
        lambda subject: with_future(subject.convention, subject.plain()),
        _sees_the_future,
        _no_future,
    ),
    Clause(
        "padding-changes-nothing",
        "Masks",
        "What is in the padding changes nothing, in training and evaluation.",
        lambda subject: with_padding(subject.convention, subject.plain()),
        _sees_the_padding,
        no_mask,
    ),
)
