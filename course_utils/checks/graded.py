"""The graded exercises: a function to write, values to predict; a witness to construct stands in witness.py.

A check tries the learner's answer on fresh random inputs. When it is wrong, the check first looks at its form, then
runs the known mistakes of this exercise on the same inputs; the one that behaves exactly like the answer says what went
wrong. What no known mistake explains gets the first broken property and how it is related to the right result.
"""

import contextlib
import copy
import functools
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from course_utils.checks.compare import Outcome, is_stub, run, same, unfinished, untouched
from course_utils.checks.containers import of_the_values
from course_utils.checks.difference import short
from course_utils.checks.explain import Tried, describe_error, explain
from course_utils.checks.guesses import means, open_places, value_of
from course_utils.checks.nearly import hints
from course_utils.checks.places import names_of
from course_utils.checks.probes import probe
from course_utils.checks.safely import is_fake, safely
from course_utils.checks.steps import culprit, slip
from course_utils.checks.verdicts import Mistake, Property, Verdict, not_yet, wrong
from course_utils.checks.wellformed import of_the_answer, of_the_call, of_the_errors
from course_utils.checks.witness import Witness
from course_utils.checks.words import say

# What is said then leaves open which step is wrong.
UNSURE = ("difference", "error", "misfit", "cases", "entries", "nan")
MORE = 3  # further draws, before anything is said on how an unknown answer is related to the right one
CONFIRMED = 20  # further draws, before a single step is said to be the wrong one


@dataclass(frozen=True)
class Exercise:
    """A function or a class to write or to mend, compared with an oracle on random inputs.

    `inputs` draws a list of argument tuples from the generator it is given; `call(answer, *arguments)` runs an
    answer that is not a plain function, such as a module that first needs parameters. `results` names the results.
    """

    key: str
    title: str
    oracle: Callable
    inputs: Callable[[torch.Generator], list[tuple]]
    mistakes: list[Mistake]
    properties: list[Property] = field(default_factory=list)
    call: Callable | None = None
    tolerance: float = 1e-4
    results: Sequence[str] = ()

    def examine(self, answer: Any, generator: torch.Generator) -> Verdict:
        """Compares the answer with the oracle, and with the known mistakes where they differ."""
        return safely(lambda: self._examine(answer, generator), generator)

    def _examine(self, answer: Any, generator: torch.Generator) -> Verdict:
        if untouched(answer) or is_stub(answer):
            return not_yet()
        if not callable(answer) or is_fake(answer):
            return wrong("exercise.not-a-function", answer=short(answer))
        if said := of_the_answer(answer):
            return Verdict("wrong", said, kind="form")
        if isinstance(answer, torch.nn.Module):
            answer = copy.deepcopy(answer)  # its mode and its parameters stay the learner's
        cases = self.inputs(generator)
        seed = int(torch.randint(2**31, (), generator=generator))
        found = self.outcomes(answer, cases, seed)  # first: while it runs, the right results do not exist yet
        right = self.outcomes(self.oracle, cases, seed, adapted=False)
        if self._alike(found, right, self.tolerance):
            return Verdict("passed", say("exercise.passed", count=len(cases)))
        if empty := unfinished(answer):
            return not_yet(say("exercise.unfinished", names=", ".join(f"`{name}`" for name in empty)))
        if said := of_the_call(answer, found, self.call):
            return Verdict("wrong", said, kind="form")
        if all(isinstance(outcome.error, NotImplementedError) for outcome in found):
            return not_yet()
        if all(outcome.empty for outcome in found):
            return not_yet(say("exercise.no-return"))
        for mistake in self.mistakes:
            if self.behaves_as(self.outcomes(mistake.answer, cases, seed), found, right):
                return Verdict("wrong", mistake.help + describe_error(found), mistake.name, "mistake")
        if said := of_the_errors(found) or of_the_values(found, right, self.tolerance):
            return Verdict("wrong", said, kind="form")
        names = self._names(answer, cases)

        def other_arguments(wrong_cases: list[tuple]) -> str:
            ours = functools.partial(run, answer, call=self.call, seed=0)
            theirs = functools.partial(run, self.oracle, call=None, seed=0)
            return probe(wrong_cases, ours, theirs, names, self.tolerance)

        tried = Tried(cases, found, right, self.tolerance, names, other_arguments)
        return self._explained(answer, generator, tried)

    def outcomes(self, answer: Callable, cases: list[tuple], seed: int, adapted: bool = True) -> list[Outcome]:
        """What an answer does with each case; every answer meets the same random numbers."""
        call = self.call if adapted else None
        return [run(answer, case, call, seed + place) for place, case in enumerate(cases)]

    def _explained(self, answer: Callable, generator: torch.Generator, tried: Tried) -> Verdict:
        """What is true of an answer that no bank knows, on further draws as well; what it prints was seen before."""
        with contextlib.redirect_stdout(io.StringIO()):
            for _ in range(MORE):
                cases = self.inputs(generator)
                tried.cases.extend(cases)
                tried.found.extend(self.outcomes(answer, cases, 0))
                tried.right.extend(self.outcomes(self.oracle, cases, 0, adapted=False))
            kind, sentence = explain(tried, self.properties, self.results)
            if kind not in UNSURE:
                return Verdict("wrong", sentence, kind=kind)

            def mends(changed: Any) -> bool:
                return self._agree(generator, changed, self.oracle, self.tolerance, adapted=False)

            def errs_alike(changed: Any) -> bool:
                return self._agree(generator, changed, answer, self.tolerance / 10)

            known, evidence = culprit(answer, tried.cases, tried.right, self.call, self.tolerance, mends)
            step = "culprit" if known else "slip"
            if not known and any(
                one.error is None and not fine for one, fine in zip(tried.found, tried.fine, strict=True)
            ):
                rights = self._rights()
                known, evidence = slip(rights, tried.cases, tried.found, self.call, self.tolerance, errs_alike)
        return Verdict(
            "wrong", " ".join(filter(None, (sentence, known))), kind=step if known else kind, evidence=evidence
        )

    def _agree(self, generator: torch.Generator, one: Any, two: Any, tolerance: float, adapted: bool = True) -> bool:
        """Whether two answers do the same on fresh draws; the second may be one that needs no adapter."""
        for _ in range(CONFIRMED):
            cases = self.inputs(generator)
            if not self._alike(self.outcomes(one, cases, 0), self.outcomes(two, cases, 0, adapted), tolerance):
                return False
        return True

    def _rights(self) -> list[Any]:
        """Right answers to change: those that the bank edits, and the oracle where it does the learner's task.

        An oracle beside an adapter does another (a gradient by hand), and its text tells a learner nothing.
        """
        edited = {id(one.answer.right): one.answer.right for one in self.mistakes if hasattr(one.answer, "right")}
        return [*edited.values(), *([] if self.call else [self.oracle])]

    def _names(self, answer: Callable, cases: list[tuple]) -> list[str]:
        """The arguments' names, as the learner's own function has them where the check calls it directly."""
        names = [] if self.call else names_of(answer, len(cases[0]))
        return names if names and not names[0].isdigit() else names_of(self.oracle, len(cases[0]))

    def _alike(self, found: list[Outcome], other: list[Outcome], tolerance: float) -> bool:
        return all(same(one, two, tolerance) for one, two in zip(found, other, strict=True))

    def behaves_as(self, known: list[Outcome], found: list[Outcome], right: list[Outcome]) -> bool:
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
        return safely(lambda: self._examine(answer), generator)

    def _examine(self, answer: Any) -> Verdict:
        truth = self.truth()
        if not isinstance(answer, Mapping):
            return not_yet() if untouched(answer) else wrong("prediction.not-a-dict", labels=", ".join(truth))
        if absent := [label for label in truth if open_places(value_of(answer, label))]:
            return not_yet(say("prediction.absent", labels=", ".join(absent)))
        given = {label: value_of(answer, label) for label in truth}
        missed = [label for label in truth if not means(given[label], truth[label], self.tolerance)]
        if not missed:
            return Verdict("passed", say("prediction.passed", count=len(truth)))
        for mistake in self.mistakes:
            if all(means(given.get(label), value, self.tolerance) for label, value in mistake.answer.items()):
                return Verdict("wrong", mistake.help, mistake.name, "mistake")
        told = hints({label: given[label] for label in missed}, dict(truth))
        message = " ".join(filter(None, (say("prediction.not-right", labels=", ".join(missed)), told)))
        return Verdict("wrong", message, kind="relation" if told else "difference")


Graded = Exercise | Prediction | Witness
