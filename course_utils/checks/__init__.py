"""The checks of the exercises: they compare with an independent oracle, and they name the mistake.

Lessons need `check` and `progress`, which stand here. Behind them:

    forms      write, predict, prove: how a bank writes an exercise, and mistakes as edits of a right answer
    bank       the exercises of each lesson: oracles, inputs and known mistakes
    words      what is said about them, a folder for each language
    graded     the three kinds of exercise, and how each is examined
    verdicts   what an exercise is made of, and what a check finds
    explain    what is said where no known mistake explains an answer
    compare    running an answer safely, and telling two results apart
"""

import os
from typing import Any

import torch

from course_utils.checks.graded import Exercise, Graded, Prediction, Witness
from course_utils.checks.verdicts import Mistake, Property, Requirement, State, Verdict
from course_utils.checks.words import say

__all__ = [
    "Exercise",
    "Graded",
    "Mistake",
    "Prediction",
    "Property",
    "Requirement",
    "Verdict",
    "Witness",
    "check",
    "find",
    "progress",
]

SIGNS: dict[State, str] = {"passed": "✓", "wrong": "✗", "not yet": "○"}
_done: dict[str, dict[str, State]] = {}  # lesson → exercise → state, for this session


def check(key: str, answer: Any) -> None:
    """Checks the answer to the exercise with this key ("2.1"), and prints one line.

    With ATTENTION_COURSE_STRICT=1 in the environment, as for automatic grading, an answer that is not right raises
    AssertionError instead. Raises ValueError for a key that no exercise has.
    """
    exercise = find(key)
    generator = torch.Generator()
    generator.seed()  # fresh inputs each time; the learner's own random state is left alone
    verdict = exercise.examine(answer, generator)
    _done.setdefault(_lesson(key), {})[key] = verdict.state
    line = f"{SIGNS[verdict.state]} {key} {exercise.title}: {verdict.message}"
    if verdict.state != "passed" and os.environ.get("ATTENTION_COURSE_STRICT") == "1":
        raise AssertionError(line)
    print(line)


def progress(lesson: str | None = None) -> None:
    """Prints which exercises of a lesson ("02") are done; without an argument, of the lesson that was checked last."""
    from course_utils.checks.bank import bank

    lesson = lesson or next(reversed(_done), None)
    if lesson is None:
        print(say("progress.nothing"))
        return
    states = _done.get(lesson, {})
    exercises = bank(lesson)
    passed = sum(states.get(key) == "passed" for key in exercises)
    print(say("progress.done", lesson=lesson, passed=passed, count=len(exercises)))
    for key, exercise in exercises.items():
        print(f"  {SIGNS[states.get(key, 'not yet')]} {key} {exercise.title}")


def find(key: str) -> Graded:
    """The exercise with this key. Raises ValueError for a key that no exercise has."""
    from course_utils.checks.bank import bank, lessons

    if isinstance(key, str) and _lesson(key) in lessons() and key in bank(_lesson(key)):
        return bank(_lesson(key))[key]
    raise ValueError(f"key: got {key!r}, expected an exercise's number such as '2.1'")


def _lesson(key: str) -> str:
    return key.split(".")[0].zfill(2)
