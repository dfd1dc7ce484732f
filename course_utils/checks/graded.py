"""The three kinds of graded exercise: a function to write, values to predict, a witness to construct.

A check tries the learner's answer on fresh random inputs. When it is wrong, the check runs the known mistakes of this
exercise on the same inputs; the one that behaves exactly like the answer says what went wrong. What no known mistake
explains gets the first broken property, then the largest difference and where it is.
"""

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from course_utils.checks.compare import Outcome, is_stub, run, same, untouched
from course_utils.checks.explain import describe_error, explain
from course_utils.checks.verdicts import Mistake, Property, Requirement, Verdict, not_yet, wrong
from course_utils.checks.words import say


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
            return not_yet()
        if not callable(answer):
            return wrong("exercise.not-a-function", answer=answer)
        cases = self.inputs(generator)
        seed = int(torch.randint(2**31, (), generator=generator))
        right = self.outcomes(self.oracle, cases, seed, adapted=False)
        found = self.outcomes(answer, cases, seed)
        if all(isinstance(outcome.error, NotImplementedError) for outcome in found):
            return not_yet()
        if all(outcome.empty for outcome in found):
            return not_yet(say("exercise.no-return"))
        if self._alike(found, right):
            return Verdict("passed", say("exercise.passed", count=len(cases)))
        for mistake in self.mistakes:
            if self._behaves_as(self.outcomes(mistake.answer, cases, seed), found, right):
                return Verdict("wrong", mistake.help + describe_error(found), mistake.name)
        return Verdict("wrong", explain(cases, found, right, self.properties, self.tolerance))

    def outcomes(self, answer: Callable, cases: list[tuple], seed: int, adapted: bool = True) -> list[Outcome]:
        """What an answer does with each case; every answer meets the same random numbers."""
        call = self.call if adapted else None
        return [run(answer, case, call, seed + place) for place, case in enumerate(cases)]

    def _alike(self, found: list[Outcome], other: list[Outcome]) -> bool:
        return all(same(one, two, self.tolerance) for one, two in zip(found, other, strict=True))

    def _behaves_as(self, known: list[Outcome], found: list[Outcome], right: list[Outcome]) -> bool:
        """Whether an answer does in every case what a known mistake does.

        The same slip in another style (einsum for @) may raise in other words. Where one case has given it away, by a
        value that is wrong in the same way, elsewhere an error of the same type is enough.
        """
        triples = list(zip(found, known, right, strict=True))
        given_away = any(
            one.error is None and same(one, two, self.tolerance) and not same(one, true, self.tolerance)
            for one, two, true in triples
        )
        return all(
            same(one, two, self.tolerance)
            or (given_away and one.error is not None and type(one.error) is type(two.error))
            for one, two, _ in triples
        )


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
            return not_yet() if untouched(answer) else wrong("prediction.not-a-dict", labels=", ".join(truth))
        if absent := [label for label in truth if untouched(answer.get(label))]:
            return not_yet(say("prediction.absent", labels=", ".join(absent)))
        missed = [label for label in truth if not self._equal(answer[label], truth[label])]
        if not missed:
            return Verdict("passed", say("prediction.passed", count=len(truth)))
        for mistake in self.mistakes:
            if all(self._equal(answer.get(label), value) for label, value in mistake.answer.items()):
                return Verdict("wrong", mistake.help, mistake.name)
        return wrong("prediction.not-right", labels=", ".join(missed))

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
            return not_yet()
        for requirement in self.requirements:
            try:
                holds = bool(requirement.holds(copy.deepcopy(answer)))
            except Exception as error:
                return wrong("witness.unreadable", error=type(error).__name__, message=error)
            if not holds:
                return Verdict("wrong", requirement.help, requirement.name)
        return Verdict("passed", say("witness.passed", count=len(self.requirements)))


Graded = Exercise | Prediction | Witness
