"""The clause on generation: asked step by step, on a prefix that grows, it gives what it gives at once."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from course_utils.contract.cases import Dims, Inputs
from course_utils.contract.clauses.base import CannotTell, Clause, gap, number, tolerance
from course_utils.contract.hiding import says, with_mask
from course_utils.contract.subject import Subject


def _square(subject: Subject) -> Iterator[Inputs]:
    for given in subject.plain():
        if given.dims.queries == given.dims.keys > 1 and given.dims.batch == 1:
            yield given


def _steps_differ(subject: Subject, given: Inputs) -> str:
    """The last query of every prefix, alone; then, where query and key are two tensors, the last several at once."""
    length, own = given.dims.keys, subject.convention.one_source
    whole = subject(_hidden(subject, given)).context
    parts = [(0 if own else stop - 1, stop) for stop in range(1, length + 1)]
    parts += [] if own or length < 3 else [(start, length) for start in range(1, length - 1)]
    for start, stop in parts:
        part = _part(given, start, stop)
        if not own and stop - start > 1:
            part = _hidden(subject, part)
        try:
            found = subject(part).context
        except Exception as error:
            if subject.convention.equal_lengths or subject.convention.causal:
                raise CannotTell("it takes as many queries as keys, no prefix") from error
            raise
        rows = slice(stop - 1, stop) if own else slice(start, stop)
        off = gap(found[:, :, -1:] if own else found, whole[:, :, rows])
        if off.max() > tolerance(whole):
            asked = f"query {stop - 1}" if own or stop - start == 1 else f"queries {start} to {stop - 1}"
            by = number(off.max())
            return f"Asked for {asked} on the first {stop} keys only, it gives an output that differs by {by}."
    return ""


def _part(given: Inputs, start: int, stop: int) -> Inputs:
    query, key = given.query[..., start:stop, :], given.key[..., :stop, :]
    value = given.value[..., :stop, :]
    dims: Dims = replace(given.dims, queries=stop - start, keys=stop)
    if given.key is given.query:
        return replace(given, query=query, key=query, value=query, dims=dims)
    return replace(given, query=query, key=key, value=key if given.value is given.key else value, dims=dims)


def _hidden(subject: Subject, given: Inputs) -> Inputs:
    """The input with its future hidden; one that is causal by itself needs no mask."""
    if subject.convention.causal:
        return given
    queries, keys = given.dims.queries, given.dims.keys
    mask = torch.ones(1, queries, keys, dtype=torch.bool).tril(keys - queries)
    return with_mask(subject.convention, given, mask)


def _no_steps(subject: Subject) -> str:
    convention = subject.convention
    causes = convention.causal or (convention.mask and says(convention, "query") and says(convention, "key"))
    if not causes:
        return "it cannot hide the future"
    if convention.equal_lengths:
        return "it takes as many queries as keys, no prefix"
    return "it cannot say where a prefix ends" if convention.positions and not convention.one_source else ""


STEPS = (
    Clause(
        "step-by-step",
        "Masks",
        "Asked step by step, on a prefix that grows, it gives what it gives at once.",
        _square,
        _steps_differ,
        _no_steps,
        compares=True,
    ),
)
