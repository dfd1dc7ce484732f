"""What a check compares: running an answer safely, and telling two results apart."""

import copy
import dis
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Outcome:
    """What running an answer once gave: a value or an error, and whether an argument was changed on the way."""

    value: Any = None
    error: Exception | None = None
    changed: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing came back."""
        return self.error is None and untouched(self.value) or isinstance(self.error, NotImplementedError)


def run(answer: Callable, case: tuple, call: Callable | None, seed: int) -> Outcome:
    """Runs an answer on a copy of the case, with its own random state, and restores the caller's."""
    arguments, before = copy.deepcopy(case), copy.deepcopy(case)
    python, numbers = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            value = call(answer, *arguments) if call else answer(*arguments)
            value, error = copy.deepcopy(_detached(value)), None
        except Exception as raised:  # whatever a learner's code raises is a result, not our failure
            value, error = None, raised
        finally:
            random.setstate(python)
            np.random.set_state(numbers)
    return Outcome(value, error, not equal(arguments, before, 0.0))


def same(one: Outcome, two: Outcome, tolerance: float) -> bool:
    """Whether two outcomes are the same: both raise the same kind of error, or both give equal values."""
    if one.error is not None or two.error is not None:
        return type(one.error) is type(two.error)
    return one.changed == two.changed and equal(one.value, two.value, tolerance)


def equal(one: Any, two: Any, tolerance: float) -> bool:
    """Whether two values are equal: tensors and numbers within the tolerance, containers item by item."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(equal(one[key], two[key], tolerance) for key in one)
    if isinstance(one, tuple | list) and isinstance(two, tuple | list):
        return len(one) == len(two) and all(equal(*pair, tolerance) for pair in zip(one, two, strict=True))
    one, two = as_tensor(one), as_tensor(two)
    if not (isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor)):
        plain = isinstance(one, str | bytes | set | frozenset | range | slice | type | None)
        return type(one) is type(two) and (one == two if plain else True)  # two opaque objects, a generator say
    if one.shape != two.shape or (one.dtype == torch.bool) != (two.dtype == torch.bool):
        return False
    return torch.allclose(one.double(), two.double(), rtol=tolerance, atol=tolerance, equal_nan=True)


def describe_difference(found: Any, expected: Any, shape: bool = False) -> str:
    """Says in a sentence how a result differs; with `shape`, only where kind or shape differ, else an empty string."""
    if isinstance(expected, tuple | list) and isinstance(found, tuple | list) and len(found) == len(expected):
        for place, pair in enumerate(zip(found, expected, strict=True), 1):
            if sentence := describe_difference(*pair, shape):
                return f"Result {place} of {len(expected)}: {sentence}"
        return ""
    found, expected = as_tensor(found), as_tensor(expected)
    if not (isinstance(found, torch.Tensor) and isinstance(expected, torch.Tensor)):
        return "" if equal(found, expected, 1e-4) else f"expected {_short(expected)}, got {_short(found)}."
    if found.shape != expected.shape:
        return f"expected the shape {tuple(expected.shape)}, got {tuple(found.shape)}."
    if (found.dtype == torch.bool) != (expected.dtype == torch.bool):
        return f"expected {_kind(expected)}, got {_kind(found)}."
    if shape or equal(found, expected, 1e-4):
        return ""
    gap = (found.double() - expected.double()).abs().nan_to_num(nan=torch.inf)
    place = np.unravel_index(int(gap.argmax()), gap.shape) if gap.dim() else ()
    where = f" at index {tuple(int(i) for i in place)}" if gap.dim() else ""
    return f"the largest difference is{where}: expected {expected[place].item():.4g}, got {found[place].item():.4g}."


def as_tensor(value: Any) -> Any:
    """A number or an array as a tensor, so that it can be compared with one; anything else as it is."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu()
    if isinstance(value, bool | int | float | complex | np.ndarray | np.generic):
        return torch.as_tensor(value)
    return value


def untouched(answer: Any) -> bool:
    """Whether nothing has been written yet: …, None, or a container that holds nothing else."""
    if answer is None or answer is ...:
        return True
    if isinstance(answer, Mapping) and answer:
        return all(item is None or item is ... for item in answer.values())
    if isinstance(answer, tuple | list) and answer:
        return all(item is None or item is ... for item in answer)
    return False


def is_stub(answer: Any) -> bool:
    """Whether a function's body is still `...`, or a class still has such a method."""
    if isinstance(answer, type):
        return any(is_stub(method) for method in vars(answer).values())
    code = getattr(answer, "__code__", None)
    return code is not None and _steps(code) == _steps((lambda: None).__code__)


def _steps(code: CodeType) -> list[tuple[str, Any]]:
    """What a body does, step by step; a docstring only moves the places where constants are kept."""
    return [(step.opname, step.argval) for step in dis.get_instructions(code)]


def _detached(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(*map(_detached, value)) if hasattr(value, "_fields") else type(value)(map(_detached, value))
    return value.detach() if isinstance(value, torch.Tensor) else value


def _kind(tensor: torch.Tensor) -> str:
    return "True and False" if tensor.dtype == torch.bool else "numbers"


def _short(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return repr(value)[:80]
