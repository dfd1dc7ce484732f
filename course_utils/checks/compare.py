"""What a check compares: running an answer safely, and telling two results apart."""

import copy
import dis
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np
import torch

from course_utils.checks.keeping import new_memory_is_nan, nothing_moves, seed_all
from course_utils.checks.limits import Stopped

BEGINNING = 40  # characters of an error message, numbers aside, that tell one cause from another


@dataclass(frozen=True)
class Outcome:
    """What running an answer once gave: a value or an error, and whether an argument was changed on the way."""

    value: Any = None
    error: BaseException | None = None
    changed: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing came back."""
        return self.error is None and untouched(self.value) or isinstance(self.error, NotImplementedError)


def run(answer: Callable, case: tuple, call: Callable | None, seed: int) -> Outcome:
    """Runs an answer on a copy of the case, with its own random state, and restores the caller's."""
    arguments, before = copy.deepcopy(case), copy.deepcopy(case)
    value, error = None, None
    with nothing_moves(plots=False), new_memory_is_nan():
        seed_all(seed)
        try:
            value = _own(call(answer, *arguments) if call else answer(*arguments))
        except Stopped:
            raise
        except BaseException as raised:  # whatever a learner's code raises is a result: sys.exit() too
            error = raised
    return Outcome(value, error, not equal(arguments, before, 0.0))


def same(one: Outcome, two: Outcome, tolerance: float) -> bool:
    """Whether two outcomes are the same: both raise alike, or both give equal values and treat arguments alike."""
    if one.error is not None or two.error is not None:
        return raise_alike(one.error, two.error)
    return one.changed == two.changed and equal(one.value, two.value, tolerance)


def raise_alike(one: BaseException | None, two: BaseException | None) -> bool:
    """Whether two errors are of one type and their messages begin alike: sizes and addresses in them may differ."""
    return type(one) is type(two) and _beginning(one) == _beginning(two)


def _beginning(error: BaseException | None) -> str:
    if isinstance(error, KeyError):  # its message is the key, which is the learner's own
        return ""
    text = re.sub(r"^[\w.<>]+\(\) ", "", str(error))  # "answer() takes 2 positional arguments": any name will do
    text = re.sub(r"\b0x[0-9a-fA-F]+|-?\d+(\.\d+)?(e[-+]?\d+)?", "#", text)
    return re.sub(r"#(,? #)+,?", "#", text)[:BEGINNING]  # a shape is one thing, whatever its number of axes


def equal(one: Any, two: Any, tolerance: float) -> bool:
    """Whether two values are equal: tensors and numbers within the tolerance, containers item by item.

    Modules are equal when they are of one type and mode and hold equal numbers. What is none of these is equal when
    Python says so, or when it has no equality of its own and equal attributes; one type alone is not enough.
    """
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(equal(one[key], two[key], tolerance) for key in one)
    if isinstance(one, tuple | list) and isinstance(two, tuple | list):
        return len(one) == len(two) and all(equal(*pair, tolerance) for pair in zip(one, two, strict=True))
    one, two = as_tensor(one), as_tensor(two)
    if isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor) and "meta" in (one.device.type, two.device.type):
        return False  # it holds no numbers
    if not (isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor)):
        return type(one) is type(two) and _equal_objects(one, two, tolerance)
    if one.shape != two.shape or (one.dtype == torch.bool) != (two.dtype == torch.bool):
        return False
    return torch.allclose(one.double(), two.double(), rtol=tolerance, atol=tolerance, equal_nan=True)


def _equal_objects(one: Any, two: Any, tolerance: float) -> bool:
    if isinstance(one, torch.nn.Module):
        return one.training == two.training and equal(one.state_dict(), two.state_dict(), tolerance)
    if isinstance(one, torch.Generator):
        return torch.equal(one.get_state(), two.get_state())
    if type(one).__eq__ is not object.__eq__ or not hasattr(one, "__dict__"):
        return bool(one == two)
    return one is two or equal(vars(one), vars(two), tolerance)


def as_tensor(value: Any) -> Any:
    """A number or an array as a tensor, so that it can be compared with one; anything else as it is."""
    if isinstance(value, torch.Tensor):
        return value.detach().to("cpu" if value.device.type != "meta" else "meta")
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
    """Whether a function's body is still `...`; of a class: whether no method but `__init__` holds anything yet."""
    if isinstance(answer, type):
        written = [method for name, method in _methods(answer).items() if name != "__init__"]
        return bool(unfinished(answer)) and all(is_stub(method) for method in written)
    code = getattr(answer, "__code__", None)
    return code is not None and _steps(code) == _steps((lambda: None).__code__)


def unfinished(answer: Any) -> list[str]:
    """The names of a class's methods whose body is still `...`."""
    return [name for name, method in _methods(answer).items() if is_stub(method)] if isinstance(answer, type) else []


def _methods(answer: type) -> dict[str, Any]:
    return {name: method for name, method in vars(answer).items() if hasattr(method, "__code__")}


def _steps(code: CodeType) -> list[tuple[str, Any]]:
    """What a body does, step by step; a docstring only moves the places where constants are kept."""
    return [(step.opname, step.argval) for step in dis.get_instructions(code)]


def _own(value: Any) -> Any:
    """A result without gradients, copied, so that nothing changes it later; a generator cannot be copied."""
    value = _detached(value)
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def _detached(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(*map(_detached, value)) if hasattr(value, "_fields") else type(value)(map(_detached, value))
    if type(value) is dict:
        return {name: _detached(item) for name, item in value.items()}
    return value.detach() if isinstance(value, torch.Tensor) else value
