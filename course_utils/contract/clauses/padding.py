"""The clause on padding at the left: the same real keys, behind the padding in place of before it."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from course_utils.contract.cases import Inputs
from course_utils.contract.clauses.base import Clause, gap, no_mask, number, place_of, tolerance, worst
from course_utils.contract.hiding import says, visible, with_padding
from course_utils.contract.subject import Subject


def _padded(subject: Subject) -> Iterator[Inputs]:
    if says(subject.convention, "key"):
        for given in with_padding(subject.convention, subject.plain()):
            if not _turns_with_its_keys(subject) or given.dims.queries == given.dims.keys:
                yield given


def _turns_with_its_keys(subject: Subject) -> bool:
    """Whether the queries stand where the keys stand: of one source, or where the distance between them counts."""
    return subject.convention.one_source or subject.convention.positions == "relative"


def _left_differs(subject: Subject, given: Inputs) -> str:
    """Turns each element of the batch round until its padding stands in front; what is real keeps its order."""
    own = _turns_with_its_keys(subject)
    lengths = given.seen[:, 0, 0].sum(-1)  # (batch,)
    places = torch.arange(given.dims.keys, device=given.key.device)
    turn = (places + lengths[:, None]) % given.dims.keys  # place j of the new row holds this one of the old row
    key, value = _along(given.key, turn), _along(given.value, turn)
    query = key if given.query is given.key else _along(given.query, turn) if own else given.query
    mask = given.seen.gather(-1, turn[:, None, None].expand_as(given.seen))
    other = replace(given, query=query, key=key, value=key if given.value is given.key else value, mask=mask)
    before, after = subject(given).context, subject(other).context
    rows = torch.ones(given.dims.batch, given.dims.queries, dtype=torch.bool, device=key.device)
    if own:
        before, rows = _along(before, turn), mask[:, 0].any(1)
    rows = rows & visible(subject.convention, other)[:, 0].any(-1)
    off = gap(before, after).masked_fill(~rows[:, None, :, None], 0.0)
    if off.max() <= tolerance(before):
        return ""
    where = place_of(worst(off), "query")
    return f"With the padding in front of the real keys, the output of {where} differs by {number(off.max())}."


def _along(tensor: Tensor, turn: Tensor) -> Tensor:
    return tensor.gather(-2, turn[:, None, :, None].expand_as(tensor))


def _not_at_the_left(subject: Subject) -> str:
    convention = subject.convention
    if excuse := no_mask(subject):
        return excuse
    if convention.mask == "lengths":
        return "lengths say that the padding is at the right"
    if convention.positions is True:
        return "it knows positions, and they move"
    return "" if convention.window is None and not (convention.causal and not convention.one_source) else "it is banded"


PADDING = (
    Clause(
        "left-padding",
        "Masks",
        "Padding in front of the real keys gives what padding behind them gives.",
        _padded,
        _left_differs,
        _not_at_the_left,
        compares=True,
    ),
)
