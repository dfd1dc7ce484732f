"""How a wrong result is related to the right one: transposed, scaled, moved, in another order, not normalised.

Each relation is tried on every pair of results, and counts only where it holds for all of them, with one and the same
description. So what is said is true of everything that the check saw.
"""

import math
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.alike import BOOLEAN, MADE, MOVED, ONE_SIDED, SCALED, factor_between, said
from course_utils.checks.compare import as_tensor, equal
from course_utils.checks.reshaped import RESHAPED, transposed_square
from course_utils.checks.words import say

Pair = tuple[Tensor, Tensor]  # found, expected


def relation(pairs: list[tuple[Any, Any]], sizes: list[dict[str, int]], tolerance: float) -> str:
    """The sentence on how all pairs of (found, expected) are related, or "".

    `sizes` gives for each pair the sizes that a factor may come from, by their names.
    """
    if not pairs:
        return ""
    if all(isinstance(value, list | tuple | str) for pair in pairs for value in pair):
        return _alike([_sequence(found, expected) for found, expected in pairs])
    tensors = [(as_tensor(found), as_tensor(expected)) for found, expected in pairs]
    if not all(isinstance(value, Tensor) and not value.is_complex() for pair in tensors for value in pair):
        return ""
    if any((one.dtype == torch.bool) != (two.dtype == torch.bool) for one, two in tensors):
        return ""
    tolerance = max(tolerance, 1e-4)
    numbers = [(one.double(), two.double()) for one, two in tensors]
    if any(one.shape != two.shape for one, two in numbers):
        return _described(numbers, RESHAPED, tolerance)
    if tensors[0][1].dtype == torch.bool:
        return _described(numbers, (*BOOLEAN, transposed_square, *MOVED, *ONE_SIDED), tolerance)
    return (
        _described(numbers, SCALED, tolerance)
        or _from_sizes(numbers, sizes, tolerance)
        or _described(numbers, (transposed_square, *MOVED, *MADE), tolerance)
    )


def _described(pairs: list[Pair], relations: Iterable[Callable[[Pair, float], Any]], tolerance: float) -> str:
    """What the first relation says that describes every pair in the same words."""
    return next(filter(None, (_alike([one(pair, tolerance) for pair in pairs]) for one in relations)), "")


def _alike(descriptions: list[Any]) -> str:
    if None in descriptions or len(set(descriptions)) != 1:
        return ""
    name, *values = descriptions[0]
    return say(name, **dict(values))


def _from_sizes(pairs: list[Pair], sizes: list[dict[str, int]], tolerance: float) -> str:
    """A factor that changes from case to case with a size: its root, its inverse, itself."""
    factors = [factor for pair in pairs if (factor := factor_between(*pair, tolerance)) is not None]
    if len(factors) != len(pairs) or len(pairs) < 2:
        return ""
    ways: dict[str, Callable[[float], float]] = {
        "relation.times": lambda size: size, "relation.over": lambda size: 1 / size,
        "relation.times-root": math.sqrt, "relation.over-root": lambda size: 1 / math.sqrt(size),
    }  # fmt: skip
    for name in sizes[0]:
        given = [own.get(name, 0) for own in sizes]
        if len(set(given)) < 2 or min(given) < 1:
            continue
        for way, of in ways.items():
            if all(math.isclose(factor, of(size), rel_tol=1e-2) for factor, size in zip(factors, given, strict=True)):
                return say(way, what=name)
    # Any number is another one times a factor.
    return "" if all(found.numel() == 1 for found, _ in pairs) else say("relation.factor-of-each")


# Sequences.


def _sequence(found: Any, expected: Any) -> Hashable:
    one, two = list(found), list(expected)
    if equal(one[::-1], two, 1e-4):
        return said("relation.backwards")
    if len(two) == len(one) + 1:
        longer, shorter, names = two, one, ("relation.first-missing", "relation.last-missing")
    else:
        longer, shorter, names = one, two, ("relation.first-too-many", "relation.last-too-many")
    if len(longer) == len(shorter) + 1:
        for name, part in zip(names, (longer[1:], longer[:-1]), strict=True):
            if equal(part, shorter, 1e-4):
                return said(name)
    if len(one) == len(two) and sorted(map(repr, one)) == sorted(map(repr, two)):
        return said("relation.order")
    return None
