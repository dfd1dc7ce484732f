"""Clauses on running at all: a context for each query, whatever the number of keys."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from course_utils.contract.cases import Inputs, shapes
from course_utils.contract.clauses.base import Clause, masked_or_not, no_mask, place_of, worst
from course_utils.contract.hiding import visible
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


def _masked(subject: Subject) -> Iterator[Inputs]:
    return (given for given in masked_or_not(subject) if given.mask is not None)


def _fails_with_a_mask(subject: Subject, given: Inputs) -> str:
    sees = visible(subject.convention, given).any(-1)[..., None]  # (batch, 1, query, 1)
    try:
        bad = (~subject(given).context.isfinite() & sees).double()
    except Exception as error:
        return f"With a mask: {explain(error)}"
    if not bad.any():
        return ""
    hint = " Is the mask the other way round?" if _is_upside_down(subject, given) else ""
    return f"The output of {place_of(worst(bad), 'query')}, which sees something, is not finite.{hint}"


def _is_upside_down(subject: Subject, given: Inputs) -> bool:
    """Whether a mask that hides everything does no harm, and one that hides nothing does."""
    none, all_of_it = (replace(given, mask=torch.full_like(given.seen, seen)) for seen in (False, True))
    return bool(subject(none).context.isfinite().all()) and not bool(subject(all_of_it).context.isfinite().any())


SHAPES = (
    Clause("runs", "Shapes", "It runs, and gives one context for each query.", _nothing_runs, _does_not_run),
    Clause(
        "any-number-of-keys",
        "Shapes",
        "It works with any number of queries and keys.",
        _every_length,
        _refuses_a_length,
    ),
    Clause(
        "runs-with-a-mask",
        "Shapes",
        "With a mask it runs, and is finite where a query sees something.",
        _masked,
        _fails_with_a_mask,
        no_mask,
    ),
)
