"""What is wrong with the shape of a result: an axis too many, one missing, or one that is as long as another."""

from collections.abc import Iterable
from typing import Any

import torch

from course_utils.checks.words import say


def about_shapes(pairs: list[tuple[Any, Any]], sizes: list[dict[str, int]]) -> str:
    """What holds of the shapes of all pairs of (found, expected), or "".

    `sizes` gives for each pair the sizes that a length may come from, by their names.
    """
    if not pairs or not all(isinstance(value, torch.Tensor) for pair in pairs for value in pair):
        return ""
    shapes = [(tuple(found.shape), tuple(expected.shape)) for found, expected in pairs]
    if any(found == expected for found, expected in shapes):
        return ""
    for axis in _axes(min(len(expected) for _, expected in shapes)):
        if all(found == _without(expected, axis) for found, expected in shapes):
            return say("shape.missing", axis=axis)
    for axis in _axes(min(len(found) for found, _ in shapes)):
        if all(_without(found, axis) == expected for found, expected in shapes):
            return say("shape.too-many", axis=axis)
    if any(len(found) != len(expected) for found, expected in shapes):
        return ""
    for axis in _axes(min(len(found) for found, _ in shapes)):
        ours, theirs = ([shape[place][axis] for shape in shapes] for place in (0, 1))
        if all(one != two for one, two in zip(ours, theirs, strict=True)):
            found, expected = _name(ours, sizes), _name(theirs, sizes)
            return say("shape.longer", axis=axis, found=found, expected=expected) if found and expected else ""
    return say("shape.order") if all(sorted(found) == sorted(expected) for found, expected in shapes) else ""


def _axes(count: int) -> Iterable[int]:
    return range(-1, -count - 1, -1)


def _without(shape: tuple, axis: int) -> tuple:
    place = axis % len(shape) if shape else 0
    return shape[:place] + shape[place + 1 :]


def _name(lengths: list[int], sizes: list[dict[str, int]]) -> str:
    """The first size that is as long in every case; "" where none is, or where it never changes and may be luck."""
    if len(set(lengths)) < 2:
        return ""
    return next((name for name in sizes[0] if [own.get(name) for own in sizes] == lengths), "")
