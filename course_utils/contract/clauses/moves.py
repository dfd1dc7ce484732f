"""Clauses on what the weights answer to: every key, and the query."""

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from course_utils.contract.cases import Inputs, moved
from course_utils.contract.clauses.base import TOLERANCE, Clause, gap, hides_its_weights, seen_weights
from course_utils.contract.hiding import visible
from course_utils.contract.subject import Subject

TRIES = 3  # a weight may stay where it is by chance, once; not for three moves


def _for_moves(subject: Subject) -> Iterator[Inputs]:
    """Two keys or more, and two features where the size is free: in one dimension a cosine cannot move."""
    free = subject.convention.size is None
    for given in subject.plain():
        if given.dims.keys > 1 and not (free and given.dims.size == 1) and given.seed == 0:
            yield given


def _key_is_not_seen(subject: Subject, given: Inputs) -> str:
    own = subject.convention.one_source  # a query that moves itself says nothing on keys
    for place in range(given.dims.keys):
        seen = visible(subject.convention, given)
        for seed in range(TRIES):
            one = subject.draw(given.dims, seed)
            key = moved(one.key, [place], seed)
            other = replace(one, query=key, key=key, value=key) if own else replace(one, key=key)
            before, after = _shown(subject, one), _shown(subject, other)
            rows = [row for row in range(given.dims.queries) if not (own and row == place) and seen[0, 0, row, place]]
            rows = [row for row in rows if int(seen[0, 0, row].sum()) > 1]
            if not rows or gap(before, after)[:, :, rows].max() > TOLERANCE:
                break
        else:
            what = "weights" if not hides_its_weights(subject) else "output"
            return f"Key {place} was moved {TRIES} times, and the {what} never moved."
    return ""


def _query_is_not_seen(subject: Subject, given: Inputs) -> str:
    seen = visible(subject.convention, given)
    for place in range(given.dims.queries):
        if int(seen[0, 0, place].sum()) < 2:
            continue
        for seed in range(TRIES):
            one = subject.draw(given.dims, seed)
            other = replace(one, query=moved(one.query, [place], seed))
            if gap(_shown(subject, one), _shown(subject, other))[:, :, place].max() > TOLERANCE:
                break
        else:
            what = "weights" if not hides_its_weights(subject) else "output"
            return f"Query {place} was moved {TRIES} times, and its {what} never moved."
    return ""


def _shown(subject: Subject, given: Inputs) -> Tensor:
    answer = subject(given)
    weights = seen_weights(subject, given, answer)
    return answer.context if weights is None else weights


MOVES = (
    Clause(
        "key-moves-weights",
        "Weights",
        "The weights move when a key moves, whichever key it is.",
        _for_moves,
        _key_is_not_seen,
        compares=True,
    ),
    Clause(
        "query-moves-weights",
        "Weights",
        "The weights of a query move when the query moves.",
        _for_moves,
        _query_is_not_seen,
        lambda subject: "query and key are one source" if subject.convention.one_source else "",
        compares=True,
    ),
)
