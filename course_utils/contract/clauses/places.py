"""Clauses on place: a position that is declared is felt, and a window that is declared has its width."""

from collections.abc import Iterator
from dataclasses import replace

from course_utils.contract.cases import Inputs, moved
from course_utils.contract.clauses.base import Clause, gap, number, place_of, tolerance, worst
from course_utils.contract.hiding import visible
from course_utils.contract.subject import Subject


def _three_keys(subject: Subject) -> Iterator[Inputs]:
    found = [given for given in subject.plain() if given.dims.keys > 2]
    yield from found[:1]


def _place_is_not_felt(subject: Subject, given: Inputs) -> str:
    """Turns the order of the keys round (of one source: all but the last), and looks at the last query."""
    own = subject.convention.one_source
    for one in (one for one in subject.plain() if one.dims.keys > 2):
        last = one.dims.keys - 1 if own else one.dims.keys
        order = [*reversed(range(last)), *range(last, one.dims.keys)]
        key, value = one.key[..., order, :], one.value[..., order, :]
        value = key if one.value is one.key else value
        other = replace(one, query=key if own else one.query, key=key, value=value)
        before, after = subject(one).context, subject(other).context
        if bool((gap(before, after)[:, :, -1].amax((0, 2)) > tolerance(before)).all()):  # in every head
            return ""
    return "The keys changed places, and the output of the last query never moved: the position is not felt."


def _square(subject: Subject) -> Iterator[Inputs]:
    for given in subject.plain():
        if given.dims.queries == given.dims.keys > 1:
            yield given


def _another_width(subject: Subject, given: Inputs) -> str:
    """Moves one key at a time: every row that has it in its window must move, and no other."""
    own = subject.convention.one_source
    seen = visible(subject.convention, given)[0, 0]  # (query, key)
    for place in range(given.dims.keys):
        key, value = moved(given.key, [place], given.seed), moved(given.value, [place], given.seed + 1)
        value = key if given.value is given.key else value
        other = replace(given, query=key if own else given.query, key=key, value=value)
        before = subject(given).context
        off = gap(before, subject(other).context)
        inside = seen[:, place]
        far = off.masked_fill(inside[None, None, :, None], 0.0)
        if far.max() > tolerance(before):
            where, by = place_of(worst(far), "query"), number(far.max())
            return f"Key {place} changed, and the output of {where}, which is too far away, moved by {by}."
        still = (off.amax((0, 1, 3)) <= tolerance(before)) & inside
        if bool(still.any()):
            row = int(still.double().argmax())
            return f"Key {place} changed, and the output of query {row}, which has it in its window, did not move."
    return ""


PLACES = (
    Clause(
        "position-is-felt",
        "Places",
        "The position that it declares is felt: other places, another output.",
        _three_keys,
        _place_is_not_felt,
        lambda subject: "" if subject.convention.positions else "it declares no positions",
        compares=True,
    ),
    Clause(
        "window-is-kept",
        "Places",
        "It looks through the window that it declares, no wider and no narrower.",
        _square,
        _another_width,
        lambda subject: "it declares no window" if subject.convention.window is None else "",
        compares=True,
    ),
)
