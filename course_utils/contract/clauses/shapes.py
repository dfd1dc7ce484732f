"""Clauses on running at all: a context for each query, whatever the number of keys."""

from collections.abc import Iterator

from course_utils.contract.cases import Inputs, shapes
from course_utils.contract.clauses.base import Clause
from course_utils.contract.subject import Subject, explain


def _nothing_runs(subject: Subject) -> Iterator[Inputs]:
    if not subject.dims:
        yield subject.draw(shapes(subject.convention)[0], 0)
    else:
        yield next(subject.plain())


def _does_not_run(subject: Subject, given: Inputs) -> str:
    return "" if subject.dims else subject.problem


def _every_length(subject: Subject) -> Iterator[Inputs]:
    for dims in shapes(subject.convention):
        if dims.batch == 1:
            yield subject.draw(dims, 0)


def _refuses_a_length(subject: Subject, given: Inputs) -> str:
    if given.dims in subject.dims:
        return ""
    widths = sorted({dims.keys for dims in subject.dims})
    only = f" It runs with {widths[0]} keys only." if len(widths) == 1 else ""
    try:
        subject(given)
    except Exception as error:
        return explain(error) + only
    return ""


SHAPES = (
    Clause("runs", "Shapes", "It runs, and gives one context for each query.", _nothing_runs, _does_not_run),
    Clause(
        "any-number-of-keys",
        "Shapes",
        "It works with any number of queries and keys.",
        _every_length,
        _refuses_a_length,
    ),
)
