"""What a check says where no known mistake explains an answer: what differs, where, and by how much."""

from typing import Any

import torch

from course_utils.checks.compare import Outcome, as_tensor, equal, same
from course_utils.checks.verdicts import Property
from course_utils.checks.words import say


def explain(
    cases: list[tuple], found: list[Outcome], right: list[Outcome], properties: list[Property], tolerance: float
) -> str:
    """The first thing that is wrong: an error, a changed argument, the shape, a property, a number."""
    for case, outcome, expected in zip(cases, found, right, strict=True):
        if same(outcome, expected, tolerance):
            continue
        if outcome.error is not None:
            return say("exercise.raised", error=type(outcome.error).__name__, message=outcome.error)
        if expected.error is not None:
            return say("exercise.should-raise", error=type(expected.error).__name__, message=expected.error)
        if outcome.changed != expected.changed:
            return say("exercise.changed")
        if difference := describe_difference(outcome.value, expected.value, shape=True):
            return say("exercise.not-right", difference=difference)
        for required in properties:
            if not _holds(required, case, outcome.value):
                return say("exercise.property", sentence=required.sentence)
        return say("exercise.not-right", difference=describe_difference(outcome.value, expected.value))
    raise AssertionError("explained an answer that is right")


def describe_difference(found: Any, expected: Any, shape: bool = False) -> str:
    """Says in a sentence how a result differs; with `shape`, only where kind or shape differ, else an empty string."""
    if isinstance(expected, tuple | list) and isinstance(found, tuple | list) and len(found) == len(expected):
        for number, pair in enumerate(zip(found, expected, strict=True), 1):
            if sentence := describe_difference(*pair, shape):
                return say("difference.part", place=number, count=len(expected), sentence=sentence)
        return ""
    found, expected = as_tensor(found), as_tensor(expected)
    if not (isinstance(found, torch.Tensor) and isinstance(expected, torch.Tensor)):
        if equal(found, expected, 1e-4):
            return ""
        return say("difference.kind", expected=_short(expected), found=_short(found))
    if found.shape != expected.shape:
        return say("difference.shape", expected=tuple(expected.shape), found=tuple(found.shape))
    if (found.dtype == torch.bool) != (expected.dtype == torch.bool):
        return say("difference.kind", expected=_kind(expected), found=_kind(found))
    if shape or equal(found, expected, 1e-4):
        return ""
    gap = (found.double() - expected.double()).abs().nan_to_num(nan=torch.inf)
    if gap.dim() == 0:
        return say("difference.number", expected=expected.item(), found=found.item())
    place = tuple(int(index) for index in torch.unravel_index(gap.argmax(), gap.shape))
    return say("difference.largest", place=place, expected=expected[place].item(), found=found[place].item())


def describe_error(found: list[Outcome]) -> str:
    """What an answer raised, in Python's words: several causes may raise the same kind of error."""
    error = next((outcome.error for outcome in found if outcome.error is not None), None)
    return "" if error is None else say("exercise.python-says", error=type(error).__name__, message=str(error)[:160])


def _kind(tensor: torch.Tensor) -> str:
    return say("difference.booleans" if tensor.dtype == torch.bool else "difference.numbers")


def _short(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return say("difference.tensor", shape=tuple(value.shape))
    if isinstance(value, tuple | list):
        return say("difference.container", kind=type(value).__name__, count=len(value))
    return repr(value)[:80]


def _holds(required: Property, case: tuple, value: Any) -> bool:
    try:
        return bool(required.holds(case, value))
    except Exception:  # a result of another form, which a property cannot read, does not have it
        return False
