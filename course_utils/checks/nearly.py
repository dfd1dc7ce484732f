"""How a predicted value that is wrong is related to the true one: its sign, a percentage, another order of lengths."""

import math
from numbers import Number
from typing import Any

from course_utils.checks.guesses import as_number, plain
from course_utils.checks.words import say

NEAR = 0.02  # relative: nearly right


def hints(given: dict[str, Any], truth: dict[str, Any]) -> str:
    """A sentence for each wrong value that is simply related to the true one; "" where none is."""
    found = ((label, _hint(plain(given[label]), plain(truth[label]))) for label in given)
    return " ".join(say("nearly.label", label=label, what=what) for label, what in found if what)


def _hint(given: Any, expected: Any) -> str:
    if isinstance(expected, bool | str):
        return ""
    if isinstance(expected, tuple | list) and isinstance(given, tuple | list):
        return _of_lengths(list(given), list(expected))
    number = as_number(given) if not isinstance(given, bool) else None
    if not isinstance(expected, Number) or number is None or not math.isfinite(number):
        return ""
    return _of_numbers(number, float(expected))  # type: ignore[arg-type]


def _of_numbers(given: float, expected: float) -> str:
    ways = {
        "nearly.sign": -expected,
        "nearly.percent": 100 * expected,
        "nearly.share": expected / 100,
        "nearly.reciprocal": 1 / expected if expected else math.nan,
        "nearly.complement": 1 - expected,
    }
    for sentence, value in ways.items():
        if expected and value and abs(given - value) <= 6e-3 * abs(value):
            return say(sentence)
    whole = given.is_integer() and expected.is_integer()
    if whole and abs(given - expected) == 1 and abs(expected) > 2:
        return say("nearly.one-off")
    return say("nearly.close") if not whole and abs(given - expected) <= NEAR * abs(expected) else ""


def _of_lengths(given: list, expected: list) -> str:
    if len(given) == len(expected) and sorted(map(repr, given)) == sorted(map(repr, expected)):
        return say("nearly.order")
    for longer, shorter, sentence in ((expected, given, "nearly.missing"), (given, expected, "nearly.too-many")):
        cuts = [longer[:place] + longer[place + 1 :] for place in range(len(longer))]
        if len(longer) == len(shorter) + 1 and shorter in cuts:
            return say(sentence, axis=cuts.index(shorter) - len(longer))
    return ""
