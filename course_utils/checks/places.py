"""Where a wrong answer is right: in which of the cases, and at which entries of a result."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.alike import close
from course_utils.checks.compare import as_tensor
from course_utils.checks.words import say

ENOUGH = 2  # right cases and wrong ones, before anything is said on what tells them apart


def names_of(function: Callable, count: int) -> list[str]:
    """The names of a function's arguments, or numbers where it does not tell."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return names if len(names) == count else [str(place) for place in range(1, count + 1)]


def which_cases(cases: list[tuple], right: list[bool], names: list[str]) -> str:
    """What tells the cases that an answer gets right from those that it gets wrong, or ""."""
    if sum(right) < ENOUGH or len(right) - sum(right) < ENOUGH:
        return ""
    told = [features(case, names) for case in cases]
    for feature in told[0]:
        values = [one.get(feature) for one in told]
        good = {value for value, fine in zip(values, right, strict=True) if fine}
        bad = {value for value, fine in zip(values, right, strict=True) if not fine}
        if len(good) == len(bad) == 1 and good != bad and None not in good | bad:
            return say("cases.apart", right=good.pop(), wrong=bad.pop())
    return ""


def features(case: tuple, names: list[str]) -> dict[str, str]:
    """What may matter about a case, in words that complete "It is right where …"."""
    found: dict[str, str] = {}
    tensors = [(name, value) for name, value in zip(names, case, strict=False) if isinstance(value, Tensor)]
    for name, value in zip(names, case, strict=False):
        if value is None or isinstance(value, Tensor):
            found[f"{name} given"] = say("cases.absent" if value is None else "cases.given", name=name)
        elif isinstance(value, bool):
            found[f"{name} is"] = say("cases.is", name=name, value=value)
        elif isinstance(value, int):
            found[f"{name} one"] = say("cases.is" if value == 1 else "cases.is-not", name=name, value=1)
    for name, value in tensors:
        found[f"{name} axes"] = say("cases.axes", name=name, count=value.dim())
        if value.dim() > 1:
            square = value.shape[-1] == value.shape[-2]
            found[f"{name} square"] = say("cases.square" if square else "cases.not-square", name=name)
        if value.dtype == torch.bool and value.dim():
            empty = not bool(value.any(-1).all())
            found[f"{name} empty"] = say("cases.empty-row" if empty else "cases.no-empty-row", name=name)
            full = bool(value.all())
            found[f"{name} full"] = say("cases.all-true" if full else "cases.some-false", name=name)
    for (one, first), (two, second) in zip(tensors, tensors[1:], strict=False):
        if first.dim() > 1 and second.dim() > 1:
            alike = first.shape[-2] == second.shape[-2]
            found[f"{one} {two}"] = say("cases.as-long" if alike else "cases.not-as-long", one=one, two=two)
    return found


def which_entries(pairs: list[tuple[Any, Any]], cases: list[tuple], names: list[str], tolerance: float) -> str:
    """The entries that are wrong in every pair of results, where they lie together; else ""."""
    tensors = [(as_tensor(found), as_tensor(expected)) for found, expected in pairs]
    if not tensors or not all(isinstance(value, Tensor) for pair in tensors for value in pair):
        return ""
    if any(one.shape != two.shape or two.numel() < 2 for one, two in tensors):
        return ""
    wrong = [differs(one.double(), two.double(), tolerance) for one, two in tensors]
    if all(bool(one.all()) for one in wrong):
        return ""
    candidates = [_by_place(one) + _by_mask(one, case, names) for one, case in zip(wrong, cases, strict=True)]
    for sentence in candidates[0]:
        if all(sentence in others for others in candidates):
            return sentence
    return ""


def differs(found: Tensor, expected: Tensor, tolerance: float) -> Tensor:
    """Where two tensors of one shape differ, as booleans."""
    return ~torch.isclose(found, expected, rtol=tolerance, atol=tolerance, equal_nan=True)


def _by_place(wrong: Tensor) -> list[str]:
    found = []
    for axis in range(wrong.dim()):
        name, size = axis - wrong.dim(), wrong.shape[axis]
        along = wrong.movedim(axis, 0).flatten(1).any(1) if wrong.dim() > 1 else wrong
        if size > 1:
            for place, wrong_there, right_there in (
                (0, "entries.first-wrong", "entries.first-right"),
                (size - 1, "entries.last-wrong", "entries.last-right"),
            ):
                only = torch.zeros(size, dtype=torch.bool)
                only[place] = True
                if along.equal(only):
                    found.append(say(wrong_there, axis=name))
                if along.equal(~only):
                    found.append(say(right_there, axis=name))
    if wrong.dim() > 1 and min(wrong.shape[-2:]) > 1:
        for kind, part, nearest in (
            ("entries.diagonal", wrong.triu().tril(), 0),
            ("entries.above", wrong.triu(1), 1),
            ("entries.below", wrong.tril(-1), -1),
        ):  # entries in the last columns lie above the diagonal by chance, unless half of those next to it are wrong
            if part.equal(wrong) and (not nearest or wrong.diagonal(nearest, -2, -1).double().mean() >= 0.5):
                found.append(say(kind))
    return found


def _by_mask(wrong: Tensor, case: tuple, names: list[str]) -> list[str]:
    found = []
    for name, mask in zip(names, case, strict=False):
        if isinstance(mask, Tensor) and mask.dtype == torch.bool and mask.dim() <= wrong.dim():
            try:
                seen = mask.broadcast_to(wrong.shape)
            except RuntimeError:
                continue
            for kind, part in (("entries.where-true", wrong & seen), ("entries.where-false", wrong & ~seen)):
                if close(part.double(), wrong.double(), 0.0):
                    found.append(say(kind, name=name))
    return found
