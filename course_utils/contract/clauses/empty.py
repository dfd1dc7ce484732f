"""Clauses on a query that may look at nothing: it must do no harm, and this course gives it 0."""

from dataclasses import replace

import torch
from torch import Tensor

from course_utils.contract.cases import Inputs
from course_utils.contract.clauses.base import (
    TOLERANCE,
    Clause,
    gap,
    hides_its_weights,
    no_mask,
    number,
    place_of,
    seen_weights,
    when,
    worst,
)
from course_utils.contract.hiding import visible, with_empty_row
from course_utils.contract.subject import Subject


def _empty(subject: Subject, given: Inputs) -> Tensor:
    return ~visible(subject.convention, given).any(-1)  # (batch, 1, query)


def _not_finite(subject: Subject, given: Inputs) -> str:
    for mode in subject.modes:
        answer = subject(given, mode)
        for name, tensor in (("output", answer.context), ("weights", answer.weights)):
            if tensor is not None and not bool(tensor.isfinite().all()):
                bad = (~tensor.isfinite()).double()
                verb = "are" if name == "weights" else "is"
                where = place_of(worst(bad), "query")
                return f"The {name} of {where} {verb} {number(tensor[worst(bad)])}{when(subject, mode)}."
    leaves = [tensor.clone().requires_grad_() for tensor in (given.query, given.key, given.value)]
    if given.key is given.query:
        leaves = leaves[:1] * 3
    elif given.value is given.key:
        leaves[2] = leaves[1]
    context = subject(replace(given, query=leaves[0], key=leaves[1], value=leaves[2]), grad=True, keep=True).context
    if context.requires_grad:
        context.square().sum().backward()
        for name, leaf in zip(("query", "key", "value"), leaves, strict=True):
            if leaf.grad is not None and not bool(leaf.grad.isfinite().all()):
                return f"The output is finite, but the gradient of the {name} is not."
    return ""


def _not_zero(subject: Subject, given: Inputs) -> str:
    empty, answer = _empty(subject, given), subject(given)
    weights = seen_weights(subject, given, answer)
    parts = [("weights", weights)] + ([] if subject.convention.projects else [("output", answer.context)])
    for name, tensor in parts:
        if tensor is None:
            continue
        off = gap(tensor, torch.zeros_like(tensor)).masked_fill(~empty[..., None], 0.0)
        if off.max() > TOLERANCE:
            place = worst(off)
            row = tensor[place[:-1]]
            alike = len(row) > 1 and float(row.max() - row.min()) <= TOLERANCE
            value = f"all {number(row[0])}" if alike else number(tensor[place])
            verb = "are" if name == "weights" else "is"
            return f"The {name} of {place_of(place, 'query')} {verb} {value}: it looks where nothing is."
    return ""


def _no_decision(subject: Subject) -> str:
    if excuse := no_mask(subject):
        return excuse
    if subject.convention.empty_rows == "finite":
        return "it declares another decision"
    if subject.convention.projects and hides_its_weights(subject):
        return "it does not return its weights"
    return ""


EMPTY = (
    Clause(
        "empty-row-is-finite",
        "Masks",
        "A query with nothing to look at gets finite numbers and gradients.",
        lambda subject: with_empty_row(subject.convention, subject.plain()),
        _not_finite,
        no_mask,
    ),
    Clause(
        "empty-row-is-0",
        "Masks",
        "A query with nothing to look at gets weights 0 (our decision).",
        lambda subject: with_empty_row(subject.convention, subject.plain()),
        _not_zero,
        _no_decision,
    ),
)
