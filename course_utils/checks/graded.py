"""The three kinds of graded exercise: a function to write, values to predict, a witness to construct.

A check tries the learner's answer on fresh random inputs. When it is wrong, the check runs the known mistakes of this
exercise on the same inputs; the one that behaves exactly like the answer says what went wrong. What no known mistake
explains gets the first broken property, then the largest difference and where it is.
"""

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from course_utils.checks.compare import Outcome, describe_difference, is_stub, run, same, untouched

State = Literal["passed", "wrong", "not yet"]


@dataclass(frozen=True)
class Verdict:
    """What a check found: the state, one or two sentences, and the name of the known mistake, if it is one."""

    state: State
    message: str
    mistake: str | None = None


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer: a function that makes it (or the wrong values of a prediction), and a sentence of help."""

    name: str
    answer: Any
    help: str


@dataclass(frozen=True)
class Property:
    """Something that must hold for every result: `holds(arguments, result)`. The sentence completes "… must …"."""

    sentence: str
    holds: Callable[[tuple, Any], bool]


@dataclass(frozen=True)
class Requirement:
    """Something that a witness must fulfil; where it does not, `help` says what is missing."""

    name: str
    holds: Callable[[Any], bool]
    help: str


@dataclass(frozen=True)
class Exercise:
    """A function or a class to write or to mend, compared with an oracle on random inputs.

    `inputs` draws a list of argument tuples from the generator it is given; `call(answer, *arguments)` runs an
    answer that is not a plain function, such as a module that first needs parameters.
    """

    key: str
    title: str
    oracle: Callable
    inputs: Callable[[torch.Generator], list[tuple]]
    mistakes: list[Mistake]
    properties: list[Property] = field(default_factory=list)
    call: Callable | None = None
    tolerance: float = 1e-4

    def examine(self, answer: Any, generator: torch.Generator) -> Verdict:
        """Compares the answer with the oracle, and with the known mistakes where they differ."""
        if untouched(answer) or is_stub(answer):
            return _not_yet()
        if not callable(answer):
            return Verdict("wrong", f"The check needs the function itself, but got {answer!r}.")
        cases = self.inputs(generator)
        seed = int(torch.randint(2**31, (), generator=generator))
        right = self.outcomes(self.oracle, cases, seed, adapted=False)
        found = self.outcomes(answer, cases, seed)
        if all(isinstance(outcome.error, NotImplementedError) for outcome in found):
            return _not_yet()
        if all(outcome.empty for outcome in found):
            return _not_yet("Your function returns None: did you forget `return`?")
        if self._alike(found, right):
            return Verdict("passed", f"correct on {len(cases)} random inputs.")
        for mistake in self.mistakes:
            if self._alike(found, self.outcomes(mistake.answer, cases, seed)):
                return Verdict("wrong", mistake.help + _raised(found), mistake.name)
        return Verdict("wrong", self._explain(cases, found, right))

    def outcomes(self, answer: Callable, cases: list[tuple], seed: int, adapted: bool = True) -> list[Outcome]:
        """What an answer does with each case; every answer meets the same random numbers."""
        call = self.call if adapted else None
        return [run(answer, case, call, seed + place) for place, case in enumerate(cases)]

    def _alike(self, found: list[Outcome], other: list[Outcome]) -> bool:
        return all(same(one, two, self.tolerance) for one, two in zip(found, other, strict=True))

    def _explain(self, cases: list[tuple], found: list[Outcome], right: list[Outcome]) -> str:
        """The first thing that is wrong, where no known mistake says it."""
        for case, outcome, expected in zip(cases, found, right, strict=True):
            if outcome.error is not None and type(outcome.error) is not type(expected.error):
                return f"Your answer raised {type(outcome.error).__name__}: {outcome.error}"
            if outcome.error is None and expected.error is not None:
                return f"Your answer should raise {type(expected.error).__name__} here: {expected.error}"
            if outcome.changed != expected.changed:
                return "Your answer changes an argument that it was given; work on a new tensor instead."
            if same(outcome, expected, self.tolerance):
                continue
            if difference := describe_difference(outcome.value, expected.value, shape=True):
                return f"Not yet right: {difference}"
            for required in self.properties:
                if not _holds(required, case, outcome.value):
                    return f"Not yet right: {required.sentence}."
            return f"Not yet right: {describe_difference(outcome.value, expected.value)}"
        raise AssertionError("explained an answer that is right")


@dataclass(frozen=True)
class Prediction:
    """Literal values to predict, by label; each known mistake is a misconception with the values that it leads to."""

    key: str
    title: str
    truth: Callable[[], Mapping[str, Any]]
    mistakes: list[Mistake]
    tolerance: float = 1e-3

    def examine(self, answer: Any, generator: torch.Generator | None = None) -> Verdict:
        """Compares each value; where one is wrong, the misconception whose values were given says why."""
        truth = self.truth()
        if not isinstance(answer, Mapping):
            return _not_yet() if untouched(answer) else Verdict("wrong", f"Give a dict with {', '.join(truth)}.")
        if absent := [label for label in truth if untouched(answer.get(label))]:
            return _not_yet(f"Still to predict: {', '.join(absent)}.")
        wrong = [label for label in truth if not self._equal(answer[label], truth[label])]
        if not wrong:
            return Verdict("passed", f"all {len(truth)} predictions are right.")
        for mistake in self.mistakes:
            if all(self._equal(answer.get(label), value) for label, value in mistake.answer.items()):
                return Verdict("wrong", mistake.help, mistake.name)
        return Verdict("wrong", f"Not right yet: {', '.join(wrong)}. Work out a small case by hand, and try again.")

    def _equal(self, given: Any, expected: Any) -> bool:
        if isinstance(expected, tuple | list):
            return (
                isinstance(given, tuple | list | torch.Size)
                and len(given) == len(expected)
                and all(self._equal(one, two) for one, two in zip(given, expected, strict=True))
            )
        if isinstance(expected, bool | str) or isinstance(given, bool | str):
            return type(given) is type(expected) and given == expected
        try:
            return math.isclose(float(given), float(expected), rel_tol=0, abs_tol=self.tolerance)
        except (TypeError, ValueError):
            return given == expected


@dataclass(frozen=True)
class Witness:
    """Something to construct (a counterexample, an input, a result) that must fulfil every requirement, in order."""

    key: str
    title: str
    requirements: list[Requirement]

    def examine(self, answer: Any, generator: torch.Generator | None = None) -> Verdict:
        """Finds the first requirement that the answer does not fulfil."""
        if untouched(answer):
            return _not_yet()
        for requirement in self.requirements:
            try:
                holds = bool(requirement.holds(copy.deepcopy(answer)))
            except Exception as error:
                return Verdict("wrong", f"The check could not read your answer: {type(error).__name__}: {error}")
            if not holds:
                return Verdict("wrong", requirement.help, requirement.name)
        return Verdict("passed", f"all {len(self.requirements)} requirements are met.")


Graded = Exercise | Prediction | Witness


def _not_yet(hint: str = "") -> Verdict:
    return Verdict("not yet", hint or "not yet. Write your answer in the cell above, then run this cell again.")


def _raised(found: list[Outcome]) -> str:
    """What an answer raised, in Python's words: several causes may raise the same kind of error."""
    error = next((outcome.error for outcome in found if outcome.error is not None), None)
    return "" if error is None else f" (Python says: {type(error).__name__}: {str(error)[:160]})"


def _holds(required: Property, case: tuple, value: Any) -> bool:
    try:
        return bool(required.holds(case, value))
    except Exception:
        return False
