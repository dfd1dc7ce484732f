"""The difference between a result and the right one, in a sentence: its kind, its shape, nan, or the largest number."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from course_utils.checks.compare import as_tensor, equal
from course_utils.checks.words import say


def describe_difference(
    found: Any, expected: Any, shape: bool = False, results: Sequence[str] = (), tolerance: float = 1e-4
) -> str:
    """Says in a sentence how a result differs; with `shape`, only where kind or shape differ, else an empty string."""
    pairs: list[tuple[Any, Any, Any]] = []
    if isinstance(expected, tuple | list) and isinstance(found, tuple | list) and len(found) == len(expected):
        pairs = [(place, one, two) for place, (one, two) in enumerate(zip(found, expected, strict=True))]
    elif isinstance(expected, Mapping) and isinstance(found, Mapping) and found.keys() == expected.keys():
        pairs = [(key, found[key], expected[key]) for key in expected]
    for place, one, two in pairs:
        if sentence := describe_difference(one, two, shape, (), tolerance):
            part = part_name(place, results, len(expected))
            return say("difference.part", part=part, sentence=sentence)
    if pairs:
        return ""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return say("difference.keys", expected=_keys(expected), found=_keys(found))
    found, expected = as_tensor(found), as_tensor(expected)
    if not (isinstance(found, torch.Tensor) and isinstance(expected, torch.Tensor)):
        if equal(found, expected, tolerance):
            return ""
        return say("difference.kind", expected=short(expected), found=short(found))
    if found.shape != expected.shape:
        return say("difference.shape", expected=tuple(expected.shape), found=tuple(found.shape))
    if (found.dtype == torch.bool) != (expected.dtype == torch.bool):
        return say("difference.kind", expected=_kind(expected), found=_kind(found))
    if shape or equal(found, expected, tolerance):
        return ""
    gap = (found.double() - expected.double()).abs().nan_to_num(nan=torch.inf)
    gap = gap.masked_fill(found == expected, 0.0)
    if gap.dim() == 0:
        return say("difference.number", expected=expected.item(), found=found.item())
    place = tuple(int(index) for index in torch.unravel_index(gap.argmax(), gap.shape))
    return say("difference.largest", place=place, expected=expected[place].item(), found=found[place].item())


def short(value: Any) -> str:
    """A value in a few words: a tensor by its shape, a container by its length, anything else as Python shows it."""
    if isinstance(value, torch.Tensor):
        return say("difference.tensor", shape=tuple(value.shape))
    if isinstance(value, tuple | list | Mapping):
        return say("difference.container", kind=type(value).__name__, count=len(value))
    return repr(value)[:80]


def describe_nan(found: Any, expected: Any, results: Sequence[str]) -> str:
    """That a result holds nan where a number belongs, and where."""
    if isinstance(expected, tuple | list) and isinstance(found, tuple | list):
        for place, pair in enumerate(zip(found, expected, strict=False)):
            if sentence := describe_nan(*pair, ()):
                return say("difference.part", part=part_name(place, results, len(expected)), sentence=sentence)
        return ""
    found, expected = as_tensor(found), as_tensor(expected)
    if not (isinstance(found, torch.Tensor) and isinstance(expected, torch.Tensor)) or not found.is_floating_point():
        return ""
    wrong = found.isnan() & ~expected.isnan() if found.shape == expected.shape else torch.zeros(1, dtype=torch.bool)
    if not wrong.any():
        return ""
    if not wrong.dim():
        return say("difference.nan")
    index = tuple(int(number) for number in wrong.nonzero()[0])
    return say("difference.nan-at", place=index, expected=expected[index].item())


def part_name(place: Any, results: Sequence[str], count: int = 0) -> str:
    """How one of several results is called: by its name where the task gives one, else by its number."""
    if not isinstance(place, int):  # a key of a dict, such as a name or a share
        return f"`{place}`"
    if place < len(results):
        return f"`{results[place]}`"
    return say("difference.result", place=place + 1, count=count) if count else str(place + 1)


def _keys(mapping: Mapping) -> str:
    return ", ".join(map(repr, mapping))[:80]


def _kind(tensor: torch.Tensor) -> str:
    return say("difference.booleans" if tensor.dtype == torch.bool else "difference.numbers")
