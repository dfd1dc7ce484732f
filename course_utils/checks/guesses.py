"""Whether a predicted value is the true one: its form is forgiven (yes for True, "1/3", capitals, two decimals).

The content is not: 1 is no answer where 0.999 is true, and nothing is rounded that would become a whole number.
"""

import ast
import math
import re
from collections.abc import Mapping
from fractions import Fraction
from numbers import Number
from typing import Any

import numpy as np
import torch

WORDS = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}
NEAR = 0.05  # two decimals must keep this share of the value


def means(given: Any, expected: Any, tolerance: float) -> bool:
    """Whether a given value means the expected one."""
    given, expected = plain(given), plain(expected)
    if isinstance(expected, tuple | list):
        given = _sequence(given)
        return len(given) == len(expected) and all(
            means(one, two, tolerance) for one, two in zip(given, expected, strict=True)
        )
    if isinstance(expected, set | frozenset):
        return isinstance(given, set | frozenset | tuple | list) and set(given) == expected
    if isinstance(given, tuple | list) and len(given) == 1:
        given = plain(given[0])
    if isinstance(expected, bool):
        return as_bool(given) is expected
    if isinstance(expected, str):
        return isinstance(given, str) and words_of(given) == words_of(expected)
    if isinstance(expected, Number):
        return not isinstance(given, bool) and _same_number(as_number(given), float(expected), tolerance)  # type: ignore[arg-type]
    return type(given) is type(expected) and bool(given == expected)


def open_places(given: Any) -> bool:
    """Whether something is still to be filled in: …, None, or a container that holds one of them."""
    if given is None or given is ...:
        return True
    if isinstance(given, Mapping):
        return any(map(open_places, given.values()))
    return isinstance(given, tuple | list) and any(map(open_places, given))


def value_of(answer: Mapping, label: str) -> Any:
    """What stands under a label; capitals and blanks of the label do not matter."""
    if label in answer:
        return answer[label]
    return next((value for key, value in answer.items() if words_of(str(key)) == words_of(label)), None)


def plain(value: Any) -> Any:
    """A tensor, an array or a scalar of NumPy's as Python's own numbers and lists."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().tolist() if value.device.type != "meta" else None
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value


def as_bool(given: Any) -> bool | None:
    """True or False, given as itself, as 1 or 0, or as a word; else None."""
    if isinstance(given, str):
        return WORDS.get(words_of(given))
    return bool(given) if isinstance(given, bool | int | float) and given in (0, 1) else None


def as_number(given: Any) -> float | None:
    """A number, given as itself or as text: "1/3", "0,25", "4,096", "12 %"; else None."""
    if not isinstance(given, str):
        try:
            return float(given)
        except (TypeError, ValueError, OverflowError):
            return None
    text = given.strip().replace(" ", "").replace("−", "-").replace("∞", "inf")
    share = 100 if text.endswith("%") else 1
    text = text.removesuffix("%")
    text = text.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", text) else text.replace(",", ".")
    try:
        return float(Fraction(text)) / share
    except (ValueError, ZeroDivisionError):
        pass
    try:
        return float(text) / share
    except ValueError:
        return None


def words_of(text: str) -> str:
    """A text without what is only form: capitals, quotes, a full stop, blanks at the ends, several in the middle."""
    return " ".join(text.casefold().strip(" \t\n\"'`.").split())


def _same_number(given: float | None, expected: float, tolerance: float) -> bool:
    if given is None:
        return False
    if math.isnan(expected) or math.isnan(given):
        return math.isnan(expected) and math.isnan(given)
    if math.isclose(given, expected, rel_tol=0, abs_tol=tolerance):
        return True
    if math.isinf(expected) or math.isinf(given):
        return False
    rounded = round(expected, 2)
    fair = not rounded.is_integer() and abs(rounded - expected) <= NEAR * abs(expected)
    return fair and math.isclose(given, rounded, rel_tol=0, abs_tol=1e-6)


def _sequence(given: Any) -> list[Any]:
    if isinstance(given, str):
        try:
            given = ast.literal_eval(given.replace("x", ",").replace("×", ","))
        except (ValueError, SyntaxError):
            given = given.split()
    return list(given) if isinstance(given, tuple | list | torch.Size) else [given]
