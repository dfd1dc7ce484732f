"""How an examination runs: nothing of the learner's moves, and it ends."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from course_utils.checks import limits
from course_utils.checks.keeping import nothing_moves, seed_all
from course_utils.checks.verdicts import Verdict, wrong


def safely(work: Callable[[], Verdict], generator: torch.Generator | None = None) -> Verdict:
    """The verdict that `work` gives, or the sentence that the answer does not come to an end."""
    with nothing_moves():
        seed_all(generator.initial_seed() % 2**63 if generator is not None else 0)
        try:
            return limits.within(work, limits.SECONDS, limits.AT_MOST * limits.SECONDS)
        except limits.TimeUp as late:
            return wrong("limit.endless" if late.ended else "limit.left-behind", seconds=f"{late.seconds:g}")


def has_nan(answer: Any) -> bool:
    """Whether an answer holds nan anywhere."""
    if isinstance(answer, Mapping):
        return any(map(has_nan, answer.values()))
    if isinstance(answer, tuple | list):
        return any(map(has_nan, answer))
    if isinstance(answer, torch.Tensor):
        return answer.is_floating_point() and answer.device.type != "meta" and bool(answer.isnan().any())
    return isinstance(answer, float) and answer != answer


def is_fake(answer: Any) -> bool:
    """Whether an answer, or something in it, is an object that equals everything: one of unittest.mock's."""
    if isinstance(answer, Mapping):
        return any(map(is_fake, answer.values()))
    if isinstance(answer, tuple | list):
        return any(map(is_fake, answer))
    return type(answer).__module__ == "unittest.mock"
