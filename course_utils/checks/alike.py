"""Single relations between a wrong result and the right one: each says how a pair is related, or None.

A description is the name of a sentence in common.toml, under [relation], and the values that it is filled in with.
"""

import math
from collections.abc import Callable, Hashable

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]  # found, expected
MOST_SLICES = 64  # along an axis; more are not compared one with another


def close(one: Tensor, two: Tensor, tolerance: float) -> bool:
    """Whether two tensors have one shape and equal numbers; nan equals nan."""
    return one.shape == two.shape and torch.allclose(one, two, rtol=tolerance, atol=tolerance, equal_nan=True)


def said(name: str, **values: Hashable) -> tuple[Hashable, ...]:
    """A description that can be compared: the name of a sentence, and what fills it in."""
    return name, *values.items()


# The same shape, every number changed alike.


def _sign(pair: Pair, tolerance: float) -> Hashable:
    return said("relation.sign") if close(-pair[0], pair[1], tolerance) and spread(pair[1]) else None


def _complement(pair: Pair, tolerance: float) -> Hashable:
    return said("relation.complement") if close(1 - pair[0], pair[1], tolerance) and spread(pair[1]) else None


def _factor(pair: Pair, tolerance: float) -> Hashable:
    factor = factor_between(*pair, tolerance)
    return None if factor is None else said("relation.factor", factor=f"{factor:.3g}")


def factor_between(found: Tensor, expected: Tensor, tolerance: float) -> float | None:
    """The one number by which everything expected is multiplied, if there is one and it is not 1."""
    keep = expected.isfinite() & (expected.abs() > 1e-3)
    if not keep.any() or not (found.isfinite() == expected.isfinite()).all():
        return None
    ratio = found[keep] / expected[keep]
    factor = ratio.median().item()
    whole = torch.where(expected.isfinite(), expected * factor, expected)
    if abs(factor) < 1e-6 or math.isclose(factor, 1, rel_tol=1e-3) or not close(found, whole, tolerance):
        return None
    return factor


def _constant(pair: Pair, tolerance: float) -> Hashable:
    found, expected = pair
    if not (found.isfinite() & expected.isfinite()).all() or not found.numel():
        return None
    added = (found - expected).mean().item()
    if abs(added) > 10 * tolerance and close(found - added, expected, tolerance):
        return said("relation.constant", added=f"{added:+.3g}")
    return None


def spread(values: Tensor) -> bool:
    """Whether there is more than one number, so that a relation means something."""
    finite = values[values.isfinite()]
    return finite.numel() > 0 and (finite.numel() == 1 or bool(finite.max() - finite.min() > 1e-6))


# The same shape, the numbers at other places.


def _moved(pair: Pair, tolerance: float) -> Hashable:
    found, expected = pair
    if not spread(expected):
        return None
    for axis in reversed(range(expected.dim())):
        size, name = expected.shape[axis], axis - expected.dim()
        if size < 2:
            continue
        for steps in (1, -1):
            if size > 2 and close(found.roll(-steps, axis), expected, tolerance):
                return said("relation.rolled", axis=name, way="later" if steps > 0 else "earlier")
            inner = (1, 0) if steps > 0 else (0, 1)
            kept, wanted = found.narrow(axis, inner[0], size - 1), expected.narrow(axis, inner[1], size - 1)
            if size > 2 and spread(wanted) and close(kept, wanted, tolerance):
                return said("relation.shifted", axis=name, way="later" if steps > 0 else "earlier")
        if size > 2 and close(found.flip(axis), expected, tolerance):
            return said("relation.reversed", axis=name)
    return None


def _reordered_slices(pair: Pair, tolerance: float) -> Hashable:
    found, expected = pair
    for axis in range(expected.dim()):
        size = expected.shape[axis]
        if not 1 < size <= MOST_SLICES:
            continue
        ours, theirs = found.movedim(axis, 0), expected.movedim(axis, 0)
        order = [next((j for j in range(size) if close(one, theirs[j], tolerance)), None) for one in ours]
        if set(order) == set(range(size)) and order != list(range(size)):
            return said("relation.permuted", axis=axis - expected.dim())
    return None


def _same_multiset(pair: Pair, tolerance: float) -> Hashable:
    found, expected = (values.flatten().sort().values for values in pair)
    return (
        said("relation.shuffled")
        if found.numel() > 3 and spread(expected) and close(found, expected, tolerance)
        else None
    )


# The same shape, one step too many or too few.


def _normalised(pair: Pair, tolerance: float) -> Hashable:
    found, expected = pair
    if not (found.isfinite() & expected.isfinite()).all():
        return None
    for axis in reversed(range(expected.dim())):
        if expected.shape[axis] < 2:
            continue
        name = axis - expected.dim()
        if close(expected.sum(axis), torch.ones(()).double().expand_as(expected.sum(axis)), tolerance):
            if found.abs().sum() and close(found / found.sum(axis, keepdim=True), expected, tolerance):
                return said("relation.not-normalised", axis=name)
            if close(found.softmax(axis), expected, tolerance):
                return said("relation.softmax-missing", axis=name)
        if close(expected.softmax(axis), found, tolerance):
            return said("relation.softmax-too-many", axis=name)
        ratio = found / expected
        spread = (ratio - ratio.mean(axis, keepdim=True)).abs().amax()
        if (
            min(expected.abs().min(), found.abs().min()) > 1e-6
            and spread < 1e-3 * ratio.abs().amax()
            and ratio.std() > 1e-3
        ):
            return said("relation.row-factor", axis=name)
        gap = found - expected
        if (gap - gap.mean(axis, keepdim=True)).abs().amax() < tolerance:
            return said("relation.row-constant", axis=name)
    return None


def _function(pair: Pair, tolerance: float) -> Hashable:
    found, expected = pair
    if not spread(expected):
        return None
    for name, of in _FUNCTIONS.items():
        lossy = name in LOSSY and (_one_value(*pair, tolerance) or not spread(found))  # zeros alone are no evidence
        if close(of(expected), found, tolerance) and not lossy:
            return said("relation.function", what=name)
    return None


def _one_value(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Whether at most one finite number came out differently, which is no evidence of a function."""
    differs = ~torch.isclose(found, expected, rtol=tolerance, atol=tolerance) & expected.isfinite()
    return expected[differs].unique().numel() < 2


NEAR = 0.05  # absolute and relative: beyond it no number is nearly right, however forgiving the exercise
LOSSY = ("relu", "round")  # many numbers become one, so a constant may look like them
_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh, "sigmoid": torch.sigmoid, "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt,
    "abs": torch.abs, "relu": torch.relu, "square": torch.square, "reciprocal": torch.reciprocal, "round": torch.round,
}  # fmt: skip


def _rounded(pair: Pair, tolerance: float) -> Hashable:
    return said("relation.nearly") if close(*pair, min(100 * tolerance, NEAR)) else None


# True and False.


def _opposite(pair: Pair, tolerance: float) -> Hashable:
    return said("relation.opposite") if close(1 - pair[0], pair[1], tolerance) else None


def _one_sided(pair: Pair, tolerance: float) -> Hashable:
    found, expected = pair
    if (found <= expected).all():
        return said("relation.too-few-true")
    return said("relation.too-many-true") if (found >= expected).all() else None


SCALED = (_sign, _complement, _factor, _constant)
MOVED = (_moved, _reordered_slices)
MADE = (_normalised, _function, _same_multiset, _rounded)
BOOLEAN = (_opposite,)
ONE_SIDED = (_one_sided,)
