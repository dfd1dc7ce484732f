"""Axes in words: brings a tensor from one order of axes into another; "batch*heads" is two axes in one, "1" none."""

import math
from collections.abc import Mapping

from torch import Tensor


def arrange(tensor: Tensor, axes: str, pattern: str) -> Tensor:
    """Brings a tensor from our axes into a pattern; an axis that the pattern lacks is constant, and goes."""
    names, wanted = axes.split(), _names(pattern)
    for place in reversed(range(len(names))):
        if names[place] not in wanted:
            tensor = tensor.select(place, 0)
    kept = [name for name in names if name in wanted]
    tensor = tensor.permute([kept.index(name) for name in wanted])
    sizes = dict(zip(wanted, tensor.shape, strict=True))
    return tensor.reshape(shape_of(pattern, sizes))


def restore(tensor: Tensor, axes: str, pattern: str, sizes: Mapping[str, int]) -> Tensor:
    """Brings a tensor from a pattern back into our axes; an axis that the pattern lacks gets size 1."""
    names, wanted = axes.split(), _names(pattern)
    tensor = tensor.reshape([sizes[name] for name in wanted])
    tensor = tensor.permute([wanted.index(name) for name in names if name in wanted])
    for place, name in enumerate(names):
        if name not in wanted:
            tensor = tensor.unsqueeze(place)
    return tensor


def shape_of(pattern: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape that a pattern stands for."""
    return tuple(math.prod(1 if name == "1" else sizes[name] for name in token.split("*")) for token in pattern.split())


def _names(pattern: str) -> list[str]:
    return [name for token in pattern.split() for name in token.split("*") if name != "1"]
