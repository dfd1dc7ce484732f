"""Whether an answer holds the right things in another container, and what is said about that."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch

from course_utils.checks.compare import Outcome, equal
from course_utils.checks.words import say


def of_the_values(found: list[Outcome], right: list[Outcome], tolerance: float) -> str:
    """A sentence where each result is the right one in another form, such as a list for a tensor; else ""."""
    pairs = [(one.value, two.value) for one, two in zip(found, right, strict=True)]
    if any(outcome.error is not None for outcome in (*found, *right)):
        return ""
    if any(_lacks(*pair) for pair in pairs):
        return say("form.gives-nothing")
    for sentence, convert in _FORMS.items():
        try:
            alike = [equal(convert(one, two), two, tolerance) for one, two in pairs]
        except Exception:  # this form does not fit
            continue
        if all(alike):
            one, two = pairs[0]
            return say(sentence, found=_name(one), expected=_name(two), count=_count(one), place=_place(one, two))
    return ""


def _lacks(found: Any, expected: Any) -> bool:
    """Whether a part of a result is None where the right one has something."""
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        return any(key in found and _lacks(found[key], expected[key]) for key in expected)
    if isinstance(found, tuple | list) and isinstance(expected, tuple | list):
        return any(_lacks(*pair) for pair in zip(found, expected, strict=False))
    return found is None and expected is not None


def _one_of(found: Any, expected: Any) -> Any:
    """The item of a container that is the whole result."""
    if isinstance(found, Mapping):
        found = list(found.values())
    if not isinstance(found, tuple | list) or not isinstance(expected, torch.Tensor | int | float):
        raise TypeError
    return next((item for item in found if equal(item, expected, 1e-4)), None)


def _stacked(found: Any, expected: Any) -> Any:
    if not isinstance(expected, torch.Tensor) or not isinstance(found, tuple | list):
        raise TypeError
    if all(isinstance(item, torch.Tensor) for item in found):
        stacked = torch.stack(list(found))
        return stacked if stacked.shape == expected.shape else torch.cat(list(found))
    return torch.as_tensor(np.array(found))


def _values(found: Any, expected: Any) -> Any:
    if not isinstance(found, Mapping) or not isinstance(expected, tuple | list):
        raise TypeError
    return list(found.values())


def _as_list(found: Any, expected: Any) -> Any:
    if not isinstance(expected, tuple | list) or isinstance(found, tuple | list | str):
        raise TypeError
    return found.tolist() if isinstance(found, torch.Tensor) else list(found)


def _unpacked(found: Any, expected: Any) -> Any:
    if not isinstance(expected, tuple | list) or not isinstance(found, torch.Tensor):
        raise TypeError
    return list(found)


def _as_bool(found: Any, expected: Any) -> Any:
    if not (isinstance(expected, torch.Tensor) and expected.dtype == torch.bool) or found.dtype == torch.bool:
        raise TypeError
    if not ((found == 0) | (found == 1)).all():
        raise TypeError
    return found.bool()


def _as_added(found: Any, expected: Any) -> Any:
    """A mask of 0 and −∞, made to be added to scores, for True and False in either sense."""
    if not (isinstance(expected, torch.Tensor) and expected.dtype == torch.bool) or found.dtype == torch.bool:
        raise TypeError
    shown = found == 0
    if not (shown | (found < -1e3)).all() or not (shown.equal(expected) or shown.equal(~expected)):
        raise TypeError
    return expected


def _as_number(found: Any, expected: Any) -> Any:
    if not isinstance(found, torch.Tensor) or found.dtype != torch.bool or expected.dtype == torch.bool:
        raise TypeError
    return found.to(expected.dtype)


def _read(found: Any, expected: Any) -> Any:
    if not isinstance(found, str) or isinstance(expected, str):
        raise TypeError
    return float(found)


def _joined(found: Any, expected: Any) -> Any:
    """A text for the list of its tokens, or the list for the text."""
    if isinstance(found, str) and isinstance(expected, tuple | list):
        return found.split()
    if isinstance(expected, str) and isinstance(found, tuple | list):
        return expected if expected in (" ".join(found), "".join(found)) else None
    raise TypeError


_FORMS: dict[str, Callable[[Any, Any], Any]] = {
    "container.one-of-many": _one_of,
    "container.not-a-tensor": _stacked,
    "container.dict": _values,
    "container.not-a-list": _as_list,
    "container.not-apart": _unpacked,
    "container.numbers-for-booleans": _as_bool,
    "container.added-for-booleans": _as_added,
    "container.booleans-for-numbers": _as_number,
    "container.text-for-number": _read,
    "container.text-or-list": _joined,
}


def _name(value: Any) -> str:
    return say("container.tensor") if isinstance(value, torch.Tensor) else type(value).__name__


def _count(value: Any) -> int:
    return len(value) if hasattr(value, "__len__") and not (isinstance(value, torch.Tensor) and not value.dim()) else 1


def _place(found: Any, expected: Any) -> Any:
    """Which item of a container is the result: its number from 1, or its key."""
    items: Iterable[Any] = ()
    if isinstance(found, Mapping | tuple | list):
        items = found.items() if isinstance(found, Mapping) else enumerate(found, 1)
    return next((place for place, item in items if equal(item, expected, 1e-4)), "")
