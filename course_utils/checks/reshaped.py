"""Relations between results of different shapes: axes in another order, an axis lost, slices missing."""

import itertools
from collections.abc import Hashable

from course_utils.checks.alike import Pair, close, said, spread


def reordered_axes(pair: Pair, tolerance: float) -> Hashable:
    """The right numbers, with the axes in another order."""
    found, expected = pair
    if found.dim() != expected.dim() or not 1 < found.dim() < 6:
        return None
    for order in itertools.permutations(range(found.dim())):
        if order != tuple(range(found.dim())) and close(found.permute(order), expected, tolerance):
            moved = [axis for axis, place in enumerate(order) if axis != place]
            if len(moved) == 2:
                return said("relation.transposed", one=moved[0] - found.dim(), two=moved[1] - found.dim())
            return said("relation.axes", order=order)
    return None


def _same_numbers(pair: Pair, tolerance: float) -> Hashable:
    found, expected = pair
    if found.numel() == expected.numel() and close(found.flatten(), expected.flatten(), tolerance):
        return said("relation.reshaped")
    return None


def _kept_or_lost(pair: Pair, tolerance: float) -> Hashable:
    found, expected = pair
    for axis in range(expected.dim()):
        for what in ("sum", "mean"):
            if found.shape == getattr(expected, what)(axis).shape and close(
                found, getattr(expected, what)(axis), tolerance
            ):
                return said("relation.summed-away", axis=axis - expected.dim(), what=what)
        for place, at in ((0, "first"), (-1, "last")):
            if expected.shape[axis] > 1 and close(found, expected.select(axis, place), tolerance):
                return said("relation.one-slice", axis=axis - expected.dim(), which=at)
    for axis in range(min(expected.dim(), found.dim())):
        if found.dim() == expected.dim() and (missing := expected.shape[axis] - found.shape[axis]):
            longer, shorter = (expected, found) if missing > 0 else (found, expected)
            size = shorter.shape[axis]
            for start, at in ((abs(missing), "first"), (0, "last")):
                if size and close(longer.narrow(axis, start, size), shorter, tolerance):
                    kind = "relation.slices-missing" if missing > 0 else "relation.slices-too-many"
                    return said(kind, axis=axis - expected.dim(), which=at)
    return None


def transposed_square(pair: Pair, tolerance: float) -> Hashable:
    """The same where the shape does not show it."""
    return reordered_axes(pair, tolerance) if spread(pair[1]) else None


RESHAPED = (reordered_axes, _kept_or_lost, _same_numbers)
