"""A fault to name, chosen from the clinic's list: a prediction of one word, with a sentence for every name of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from course_utils.checks.graded import Prediction
from course_utils.checks.guesses import words_of
from course_utils.checks.verdicts import Mistake, Verdict, wrong
from course_utils.checks.words import say, sentences
from course_utils.clinic import FAULTS

LABEL = "diagnosis"


@dataclass(frozen=True)
class Diagnosis(Prediction):
    """The name of a fault; a wrong name of the list is told what would then be seen."""

    def examine(self, answer: Any, generator: torch.Generator | None = None) -> Verdict:
        """Takes the name itself, or a dict with the name under "diagnosis"."""
        given = answer.get(LABEL) if isinstance(answer, dict) else answer
        if isinstance(given, str):
            given = given.replace("_", " ").replace("-", " ")
            if words_of(given) not in map(words_of, FAULTS):
                return wrong("diagnosis.unknown", name=given[:40])
            answer = {LABEL: given}
        elif given is not ... and given is not None:
            return wrong("diagnosis.no-name")
        verdict = super().examine(answer, generator)
        if verdict.state == "wrong" and verdict.mistake is None:
            name = next(name for name in FAULTS if words_of(name) == words_of(str(given)))
            return Verdict("wrong", say("diagnosis.other", name=name, says=FAULTS[name]), kind="difference")
        if verdict.state == "passed":
            return Verdict("passed", say("diagnosis.passed"))
        return verdict


def diagnose(key: str, *, fault: str, wrong: Sequence[str]) -> Diagnosis:
    """A fault of the clinic's list to name; `wrong` are the names that have a sentence of their own."""
    said = sentences(key)
    named = [Mistake(name.replace(" ", "-"), {LABEL: name}, said[name.replace(" ", "-")]) for name in wrong]
    return Diagnosis(key, said["title"], lambda: {LABEL: fault}, named)
