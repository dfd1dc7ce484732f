"""What an unknown answer does with other arguments: which it ignores, and which would make it right if exchanged."""

import copy
import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.checks.compare import Outcome, same
from course_utils.checks.words import say

Runner = Callable[[tuple], Outcome]
MOST_CASES = 4


def probe(cases: list[tuple], answer: Runner, oracle: Runner, names: list[str], tolerance: float) -> str:
    """A sentence on the arguments that holds in every case, or "".

    `answer` and `oracle` run on a case; the oracle must be sensitive to what is changed, or nothing is said.
    """
    cases = cases[:MOST_CASES]
    numbers = [place for place, value in enumerate(cases[0]) if _is_numbers(value)]
    if any(len(case) != len(cases[0]) or not all(_is_numbers(case[place]) for place in numbers) for case in cases):
        return ""
    for place in numbers:
        others = [_with(case, {place: _another(case[place])}) for case in cases]
        if all(_ignores(answer, oracle, *pair, tolerance) for pair in zip(cases, others, strict=True)):
            return say("probe.ignored", name=names[place])
    for one, two in itertools.combinations(numbers, 2):
        others = [_with(case, {one: case[two], two: case[one]}) for case in cases]
        if _would_be_right(answer, oracle, cases, others, tolerance):
            return say("probe.exchanged", one=names[one], two=names[two])
    for place in numbers:
        others = [_with(case, {place: -case[place]}) for case in cases]
        if _would_be_right(answer, oracle, cases, others, tolerance):
            return say("probe.negated", name=names[place])
        if all(case[place].dim() > 1 for case in cases):
            others = [_with(case, {place: case[place].mT.contiguous()}) for case in cases]
            if _would_be_right(answer, oracle, cases, others, tolerance):
                return say("probe.transposed", name=names[place])
    return ""


def _is_numbers(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.numel() > 0


def _with(case: tuple, changed: dict[int, Tensor]) -> tuple:
    return tuple(changed.get(place, copy.deepcopy(value)) for place, value in enumerate(case))


def _another(values: Tensor) -> Tensor:
    """Other numbers of the same kind: the same ones in another order, and a little larger."""
    return (values.flatten()[torch.randperm(values.numel())] * 1.25).view(values.shape)


def _ignores(answer: Runner, oracle: Runner, case: tuple, other: tuple, tolerance: float) -> bool:
    """Whether the answer gives the same for both cases, and the oracle does not."""
    ours, theirs = (answer(case), answer(other)), (oracle(case), oracle(other))
    if any(outcome.error is not None for outcome in (*ours, *theirs)):
        return False
    return same(*ours, tolerance) and not same(*theirs, tolerance)


def _would_be_right(answer: Runner, oracle: Runner, cases: list[tuple], others: list[tuple], tolerance: float) -> bool:
    """Whether the answer gives for the changed cases what is right for the cases themselves."""
    for case, other in zip(cases, others, strict=True):
        found, right = answer(other), oracle(case)
        if found.error is not None or right.error is not None or not same(found, right, tolerance):
            return False
    return True
