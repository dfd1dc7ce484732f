"""The clause on many keys: more than fill a block, and not a multiple of one."""

from collections.abc import Iterator
from dataclasses import replace

from course_utils.contract.cases import Inputs, moved, shapes
from course_utils.contract.clauses.base import Clause, gap, number, place_of, tolerance, worst
from course_utils.contract.clauses.equality import EQUAL, expected, nothing_to_equal
from course_utils.contract.hiding import visible
from course_utils.contract.subject import Subject

LONG = ((1, 2, 67), (1, 67, 2), (1, 67, 67), (1, 2, 1101), (1, 261, 261))  # a tail behind blocks of 2 to 1024


def _long(subject: Subject) -> Iterator[Inputs]:
    for dims in shapes(subject.convention, LONG):
        given = subject.draw(dims, 0)
        try:
            subject(given)
        except Exception:  # a table of positions ends somewhere: any-number-of-keys speaks of small numbers
            continue
        yield given


def _goes_wrong(subject: Subject, given: Inputs) -> str:
    """The tail: its last key is seen, its last query is answered; and everything equals what it should."""
    convention, last = subject.convention, given.dims.keys - 1
    answer = subject(given)
    many = f"With {given.dims.queries} queries and {given.dims.keys} keys,"
    if not bool(answer.context.isfinite().all()):
        return f"{many} the output is not finite."
    if not nothing_to_equal(subject):
        wanted = expected(subject, given)
        off = gap(answer.context, wanted)
        if off.max() > EQUAL * max(1.0, float(wanted.abs().max())):
            place = worst(off)
            found, right = number(answer.context[place]), number(wanted[place])
            return f"{many} the output of {place_of(place, 'query')} is {found}, expected {right}."
    if bool(visible(convention, given)[0, 0, -1, last]) and not convention.one_source:
        value = moved(given.value, [last], 0) * 100
        key = value if given.value is given.key else moved(given.key, [last], 0)
        after = subject(replace(given, key=key, value=value)).context
        if gap(answer.context, after)[:, :, -1].max() <= tolerance(answer.context):
            return f"{many} the last key changed, and the output of the last query did not move."
    return ""


MANY = (
    Clause(
        "many-keys",
        "Shapes",
        "With hundreds of keys, no multiple of a block, it does the same.",
        _long,
        _goes_wrong,
        compares=True,
    ),
)
