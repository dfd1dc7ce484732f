"""Clauses on what must not matter: the order of the keys, the other queries, the rest of the batch, the other heads."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from course_utils.contract.cases import Inputs, moved, shapes
from course_utils.contract.clauses.base import Clause, gap, masked_or_not, number, place_of, tolerance, worst
from course_utils.contract.hiding import plain_and_masked, says
from course_utils.contract.subject import Subject, explain


def _masked_or_not(subject: Subject) -> Iterator[Inputs]:
    for given in masked_or_not(subject):
        lengths = subject.convention.mask == "lengths"  # which cannot hide the keys in another order
        if given.mask is None or (says(subject.convention, "key") and not lengths):
            yield given


def _order_matters(subject: Subject, given: Inputs) -> str:
    if given.dims.keys < 2:
        return ""
    order = torch.arange(given.dims.keys - 1, -1, -1, device=given.query.device)
    back = torch.arange(given.dims.queries, device=given.query.device)
    key, value = given.key[..., order, :], given.value[..., order, :]
    other = replace(given, key=key, value=key if given.value is given.key else value)
    mask = None if given.mask is None else given.mask[..., order]
    if subject.convention.one_source:  # the source turns round, and so must the output
        if mask is not None and says(subject.convention, "query"):
            mask = mask[..., order, :]
        other, back = replace(other, query=key, value=key), order
    before, after = subject(given), subject(replace(other, mask=mask))
    off = gap(before.context, after.context[..., back, :])
    if off.max() > tolerance(before.context):
        where = place_of(worst(off), "query")
        found = f"With the keys in reverse order, the output of {where} differs by {number(off.max())}."
        return f"{found} If it knows positions on purpose, declare positions=True."
    if before.weights is None or after.weights is None:
        return ""
    off = gap(before.weights, after.weights[..., back, :][..., order])
    return f"With the keys in reverse order, the weights differ by {number(off.max())}." if off.max() > 1e-5 else ""


def _queries_mix(subject: Subject, given: Inputs) -> str:
    for place in range(given.dims.queries if given.dims.queries > 1 else 0):
        other = replace(given, query=moved(given.query, [place], given.seed))
        before, after = subject(given), subject(other)
        rest = [row for row in range(given.dims.queries) if row != place]
        off = gap(before.context, after.context)[:, :, rest]
        if off.max() > tolerance(before.context):
            row = rest[worst(off)[2]]
            return f"Query {place} changed, and the output of query {row} moved by {_amount(off)}."
    return ""


def _batches(subject: Subject) -> Iterator[Inputs]:
    """Every batch, also those with which it does not run."""
    convention = subject.convention
    for dims in shapes(convention):
        if dims.batch > 1 and replace(dims, batch=1) in subject.dims:
            one = iter([subject.draw(dims, 0)])
            yield from plain_and_masked(convention, one) if subject.masks else one


def _batch_mixes(subject: Subject, given: Inputs) -> str:
    try:
        together = subject(given).context
    except Exception as error:
        return f"With {given.dims.batch} elements it does not run. {explain(error)}"
    for place in range(given.dims.batch):
        alone = subject(given.item(place)).context
        off = gap(together[place : place + 1], alone)
        if off.max() > tolerance(alone):
            return f"Element {place} of the batch, alone, gives an output that differs by {_amount(off)}."
    return ""


def _heads_mix(subject: Subject, given: Inputs) -> str:
    for head in range(subject.convention.heads):
        changed: dict[str, Any] = {name: _in_head(getattr(given, name), head, given.seed) for name in _tensors(given)}
        other = replace(given, **changed)
        if given.key is given.query:
            other = replace(other, key=other.query, value=other.query)
        before, after = subject(given).context, subject(other).context
        rest = [place for place in range(subject.convention.heads) if place != head]
        off = gap(before, after)[:, rest]
        if off.max() > tolerance(before):
            return f"Head {head} changed, and the output of head {rest[worst(off)[1]]} moved by {_amount(off)}."
    return ""


def _tensors(given: Inputs) -> tuple[str, ...]:
    return ("query",) if given.key is given.query else ("query", "key", "value")


def _in_head(tensor: Tensor, head: int, seed: int) -> Tensor:
    other = tensor.clone()
    other[:, head] = moved(tensor, slice(None), seed)[:, head]
    return other


def _amount(off: Tensor) -> str:
    return "something that is not finite" if off.max() == torch.inf else number(off.max())


def _in_order(subject: Subject) -> str:
    if subject.convention.causal:
        return "it is causal"
    if subject.convention.window is not None:
        return "it has a window"
    return "it knows positions" if subject.convention.positions else ""


INDEPENDENCE = (
    Clause(
        "order-of-keys",
        "Independence",
        "The order of the keys does not matter, if their values go along.",
        _masked_or_not,
        _order_matters,
        _in_order,
        compares=True,
    ),
    Clause(
        "queries-are-apart",
        "Independence",
        "Each query is answered by itself.",
        _masked_or_not,
        _queries_mix,
        lambda subject: "query and key are one source" if subject.convention.one_source else "",
        compares=True,
    ),
    Clause(
        "batch-is-apart",
        "Independence",
        "Each element of the batch is answered by itself.",
        _batches,
        _batch_mixes,
        lambda subject: "" if subject.convention.has_batch else "it takes no batch",
        compares=True,
    ),
    Clause(
        "heads-are-apart",
        "Independence",
        "Each head answers by itself.",
        _masked_or_not,
        _heads_mix,
        lambda subject: (
            "" if subject.convention.has_heads_axis and subject.convention.heads > 1 else "its heads have no axis"
        ),
        compares=True,
    ),
)
