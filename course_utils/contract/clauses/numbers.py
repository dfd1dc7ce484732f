"""Clauses on numbers: large scores, half precision, gradients."""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from course_utils.contract.cases import Inputs, shapes
from course_utils.contract.clauses.base import Clause, gap, masked_or_not, number, place_of, worst
from course_utils.contract.subject import DROPS, Subject, explain

OVERFLOWS = 1e5  # a product of query and key; float16 ends at 65 504
LARGE = 1000.0  # times the queries and the keys: scores of a million and more
HALVES = (
    (torch.float16, "float16", 0.02),
    (torch.bfloat16, "bfloat16", 0.1),
)  # type, name, share of the largest output
GRADIENTS = 4  # inputs whose gradient is checked: each takes many calls
ALL_DIRECTIONS = 40  # with more numbers, the gradient is checked along a few directions


def _few(subject: Subject) -> Iterator[Inputs]:
    """Some inputs, small and large ones; seeds differ in nothing that matters here."""
    found = [given for given in masked_or_not(subject) if given.seed == 0]
    return islice(found, 0, None, max(1, len(found) // GRADIENTS))


def _large_is_not_finite(subject: Subject, given: Inputs) -> str:
    if subject.convention.one_source:
        source = given.query * LARGE
        large = replace(given, query=source, key=source, value=source)
    else:
        key = given.key * LARGE
        value = key if given.value is given.key else given.value
        large = replace(given, query=given.query * LARGE, key=key, value=value)
    answer = subject(large)
    for name, tensor in (("output", answer.context), ("weights", answer.weights)):
        if tensor is not None and not bool(tensor.isfinite().all()):
            bad = (~tensor.isfinite()).double()
            verb = "are" if name == "weights" else "is"
            found = f"the {name} of {place_of(worst(bad), 'query')} {verb} {number(tensor[worst(bad)])}"
            return f"With queries and keys a thousand times as large, {found}."
    return ""


def _bad_in_half(subject: Subject, given: Inputs) -> str:
    for dtype, name, share in HALVES:
        try:
            found = subject(given.to(dtype)).context
        except Exception as error:
            return f"In {name}: {explain(error)}"
        if not bool(found.isfinite().all()):
            place = worst((~found.isfinite()).double())
            return f"In {name}, the output of {place_of(place, 'query')} is {number(found[place])}."
        full = subject(given).context
        off = gap(found, full)
        if off.max() > share * max(1.0, float(full.abs().max())):
            place = worst(off)
            return f"In {name}, the output is {number(found[place])} where float32 gives {number(full[place])}."
    return ""


def _large(subject: Subject) -> Iterator[Inputs]:
    """One input whose products overflow in float16, and whose scaled products do not; every query prefers key 0."""
    convention = subject.convention
    dims = shapes(convention, ((1, 3, 3),))[0]
    if convention.size is None:
        dims = replace(dims, size=64, key_size=64, value_size=64 if dims.value_size == dims.size else dims.value_size)
    size = dims.size // (1 if convention.has_heads_axis else convention.heads)
    if size < 4:
        return
    given = subject.draw(dims, 0)
    query = torch.full_like(given.query, math.sqrt(OVERFLOWS / size))
    key = query * torch.tensor([1.0, 0.5, -0.5], device=query.device)[:, None]
    if given.key is given.query:
        query = key
    value = given.value if given.value is not given.key else key
    yield replace(given, query=query, key=key, value=query if given.key is given.query else value)


def _overflows(subject: Subject, given: Inputs) -> str:
    try:
        found = subject(given.to(torch.float16)).context
    except Exception as error:
        return f"In float16: {explain(error)}"
    largest = number(given.query.max())
    if not bool(found.isfinite().all()):
        place = worst((~found.isfinite()).double())
        where, what = place_of(place, "query"), number(found[place])
        return (
            f"In float16, with numbers up to {largest}, the output of {where} is {what}: "
            "the products overflow before they are scaled."
        )
    full = subject(given).context
    off = gap(found, full)
    if off.max() <= HALVES[0][2] * max(1.0, float(full.abs().max())):
        return ""
    place = worst(off)
    return (
        f"In float16, with numbers up to {largest}, the output is {number(found[place])} "
        f"where float32 gives {number(full[place])}."
    )


def _no_large(subject: Subject) -> str:
    if subject.convention.projects:
        return "its queries and keys are projected"
    if subject.convention.reference is not None:
        return "its reference says how it scales"
    return "it declares another rule" if subject.convention.rule is None else ""


def _gradient_is_wrong(subject: Subject, given: Inputs) -> str:
    double = given.to(torch.float64)
    one = given.key is given.query
    leaves = [double.query] if one else [double.query, double.key]
    if not one and given.value is not given.key:
        leaves.append(double.value)
    leaves = [leaf.clone().requires_grad_() for leaf in leaves]

    def context(*tensors: Tensor, mode: str = "evaluation mode") -> Tensor:
        query, key, value = (tensors * 3)[:3] if one else (*tensors, tensors[-1])[:3]
        return subject(replace(double, query=query, key=key, value=value), mode, grad=True, keep=True).context

    if not context(*leaves).requires_grad:
        return "No gradient flows from the output to query, key and value."
    fast = given.dims.numbers > ALL_DIRECTIONS
    if _agrees(context, leaves, eps=1e-6, atol=1e-5, rtol=1e-3, fast_mode=fast):
        dropped = functools.partial(context, mode=DROPS)  # every call draws the same
        if DROPS not in subject.modes or _agrees(dropped, leaves, eps=1e-6, atol=1e-5, rtol=1e-3, fast_mode=fast):
            return ""
        return f"In float64 and {DROPS}, its gradient differs from finite differences of its output."
    if _agrees(context, leaves, eps=1e-2, atol=1e-2, rtol=1e-2):
        return "In float64 its gradient is right to two digits only: inside, it computes in float32."
    return "In float64 its gradient differs from finite differences of its output."


def _agrees(function: Callable, leaves: list[Tensor], **bounds: Any) -> bool:
    return torch.autograd.gradcheck(function, leaves, raise_exception=False, **bounds)


NUMBERS = (
    Clause(
        "large-scores",
        "Numbers",
        "Large scores give finite numbers.",
        masked_or_not,
        _large_is_not_finite,
    ),
    Clause(
        "half-precision",
        "Numbers",
        "In half precision it gives about what float32 gives.",
        masked_or_not,
        _bad_in_half,
        compares=True,
    ),
    Clause(
        "large-in-half",
        "Numbers",
        "Large numbers in float16 give finite numbers: what is scaled is small enough.",
        _large,
        _overflows,
        _no_large,
        compares=True,
    ),
    Clause("gradient", "Numbers", "Its gradient is right, checked in float64.", _few, _gradient_is_wrong),
)
