"""Which single step makes an answer wrong, though no bank knows the mistake: found by changing one step at a time.

Two ways: a change of the learner's own text that makes it right points at the line; a change of a right answer's text
that makes it do what the learner's does names the slip. Both are tried on all that the check saw, so what is said is
true of it, and confirmed on fresh draws before it is said. The search has little time, and says nothing when that is
over.
"""

import inspect
import linecache
import re
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import torch

from course_utils.checks.changes import Change, changes, compiled, tree_of
from course_utils.checks.compare import Outcome, as_tensor, run, same
from course_utils.checks.limits import TimeUp, within
from course_utils.checks.words import say

SAID = {  # a change → what is said of it in a right answer, and in the learner's
    "operator": ("slip.operator", "culprit.operator"),
    "sides": ("slip.sides", "culprit.sides"),
    "alone": ("slip.alone", "culprit.alone"),
    "sign": ("slip.sign", "culprit.sign"),
    "number": ("slip.number", "culprit.number"),
    "arguments": ("slip.arguments", "culprit.arguments"),
    "keyword": ("slip.keyword", "culprit.keyword"),
    "name": ("slip.name", "culprit.name"),
    "left-out": ("slip.left-out", "culprit.left-out"),
    "transposed": ("slip.transposed", "culprit.transposed"),
    "not-transposed": ("slip.not-transposed", "culprit.not-transposed"),
    "order": ("slip.order", "culprit.order"),
    "argument": ("slip.argument", "culprit.argument"),
    "inverted": ("slip.inverted", "culprit.inverted"),
    "negated": ("slip.negated", "culprit.negated"),
}
SECONDS = 0.8  # of computing, for each of the two ways
PRIVATE = re.compile(r"(?<![\w.])_[a-z]")  # in a change of ours: a name that no learner has seen
PATIENCE = 4  # times as long by the clock, on a busy machine
Cases = list[tuple]
Confirmed = Callable[[Any], bool]  # whether what holds of a found answer holds on fresh draws too


def always(answer: Any) -> bool:
    """Confirms what was found without another look."""
    return True


def culprit(
    answer: Any,
    cases: Cases,
    right: list[Outcome],
    call: Callable | None,
    tolerance: float,
    confirmed: Confirmed = always,
) -> tuple:
    """The sentence on the one step in the learner's text that is wrong, and the mended answer; or ("", None)."""
    mended = _search([answer], cases, right, call, tolerance, confirmed)
    if mended is None:
        return "", None
    change, function = mended
    what = say(SAID[change.name][1], **dict(change.values))
    return say("culprit.enough", line=_line(answer, change), what=what), function


def slip(
    rights: Iterable[Any],
    cases: Cases,
    found: list[Outcome],
    call: Callable | None,
    tolerance: float,
    confirmed: Confirmed = always,
) -> tuple:
    """The sentence on the one step that makes a right answer do what the learner's does, and that answer."""
    if all(_all_nan(one.value) for one in found):
        return "", None  # two answers that are nan everywhere need not share a mistake
    known = _search(list(rights), cases, found, call, tolerance, confirmed, ours=True)
    if known is None:
        return "", None
    change, function = known
    return say("slip.like", how=say(SAID[change.name][0], **dict(change.values))), function


def _search(
    answers: list[Any],
    cases: Cases,
    wanted: list[Outcome],
    call: Callable | None,
    tolerance: float,
    confirmed: Confirmed,
    ours: bool = False,
) -> tuple[Change, Callable] | None:
    """The first change of one of the answers that gives what is wanted in every case.

    Of answers that are ours, no change is tried that would have to be told with a name that only a bank knows.
    """

    def look() -> tuple[Change, Callable] | None:
        end = time.thread_time() + SECONDS
        for answer in answers:
            tree = tree_of(answer)
            for change in changes(tree) if tree is not None else ():
                if time.thread_time() > end:
                    return None
                if ours and any(PRIVATE.search(str(value)) for _, value in change.values):
                    continue
                if change.name == "inverted" and _is_number(answer, dict(change.values)["name"], cases):
                    continue
                function = _made(change, answer)
                if function is not None and _gives(function, cases, wanted, call, tolerance) and confirmed(function):
                    return change, function
        return None

    try:
        return within(look, PATIENCE * SECONDS)  # a changed loop may never end
    except TimeUp:
        return None


def _all_nan(value: Any) -> bool:
    """Whether a result, or one of its parts, holds nothing but nan."""
    if isinstance(value, list | tuple):
        return any(_all_nan(part) for part in value)
    tensor = as_tensor(value)
    return isinstance(tensor, torch.Tensor) and tensor.numel() > 0 and bool(tensor.isnan().all())


def _is_number(answer: Any, name: str, cases: Cases) -> bool:
    """Whether an argument is no mask, so that True and False cannot be exchanged in it."""
    try:
        place = list(inspect.signature(answer).parameters).index(name)
        value = cases[0][place]
    except (ValueError, TypeError, IndexError):
        return False
    return value.dtype != torch.bool if isinstance(value, torch.Tensor) else type(value) in (int, float)


def _made(change: Change, answer: Any) -> Callable | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as that a number is called
            return compiled(change.tree, answer)
    except Exception:  # two parts of the text that do not go together
        return None


def _gives(function: Callable, cases: Cases, wanted: list[Outcome], call: Callable | None, tolerance: float) -> bool:
    for place, (case, one) in enumerate(zip(cases, wanted, strict=True)):
        if not same(run(function, case, call, place), one, tolerance):
            return False
    return True


def _line(answer: Any, change: Change) -> str:
    """The line of the learner's text where the change is, as " in the line `…`", or ""."""
    try:
        code = getattr(answer, "__code__", None)
        file = code.co_filename if code else _file(answer)
        first = code.co_firstlineno if code and answer.__name__ != "<lambda>" else 1  # those trees count from the top
        text = linecache.getline(file, first + change.line - 1).strip()[:80]
        return say("form.line", code=text) if text else ""
    except (AttributeError, StopIteration):
        return ""


def _file(answer: type) -> str:
    return next(one.__code__.co_filename for one in vars(answer).values() if hasattr(one, "__code__"))
