"""The checks of the exercises: they compare with an independent oracle, and they name the mistake.

Lessons need `check` and `progress`, which stand here. Behind them:

    forms        write, predict, prove: how a bank writes an exercise, and mistakes as edits of a right answer
    bank         the exercises of each lesson: oracles, inputs and known mistakes
    words        what is said about them, a folder for each language
    graded       how a function and a prediction are examined; witness: what is constructed; diagnosis: a fault to name
    verdicts     what an exercise is made of, and what a check finds
    record       what was done, kept from one sitting to the next

How an answer is run and compared:

    compare      running an answer, and telling two results apart
    safely       an examination from outside: keeping puts back what was there, limits ends what does not end
    guesses      whether a predicted value is the true one, in any form; nearly: how a wrong one is related to it

What is said where no known mistake explains it:

    wellformed   form before content: what keeps an answer from running; containers: the right things in another one
    misfits      common errors in plain words; probes: which arguments an answer ignores or exchanges
    explain      the order in which things are said; difference: what differs, where, and by how much
    relations    how a result is related to the right one (alike, reshaped, shapes); places: where it is right
    steps        which single step is wrong; changes: every single change of an answer's text; rewriting: how
"""

import textwrap
from typing import Any

import torch

from course_utils.checks.graded import Exercise, Graded, Prediction, Witness
from course_utils.checks.record import Record
from course_utils.checks.verdicts import Mistake, Property, Requirement, State, Verdict
from course_utils.checks.words import say
from course_utils.journey import overview
from course_utils.runtime import strict

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
WIDE = 96  # letters in a line: a notebook breaks longer ones in the middle of a word
_record = Record()


def check(key: str, answer: Any) -> None:
    """Checks the answer to the exercise with this key ("2.1"), and prints what it found, broken between words.

    What was found is kept for `progress`. Under an automatic grader (ATTENTION_COURSE_STRICT=1, or nbgrader) an
    answer that is not right raises AssertionError instead. Raises ValueError for a key that no exercise has.
    """
    exercise = _exercise(key)
    if strict() and str(getattr(answer, "__module__", "")).startswith(__name__):
        raise AssertionError(f"{SIGNS['wrong']} {key} {exercise.title}: " + say("grading.own"))
    generator = torch.Generator()
    generator.seed()  # fresh inputs each time; the learner's own random state is left alone
    verdict = exercise.examine(answer, generator)
    _record.note(key, verdict.state)
    line = f"{SIGNS[verdict.state]} {key} {exercise.title}: {verdict.message}"
    if verdict.state != "passed" and strict():
        raise AssertionError(line)
    for part in line.split("\n"):
        print(textwrap.fill(part, WIDE, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))


def progress(lesson: str | None = None) -> None:
    """Prints which exercises of a lesson ("02") are done; without an argument, of the lesson that was checked last.

    "all" prints the whole course with the minutes that are left, and draws its map. What was done in earlier sittings
    counts: `record` keeps it in the learner's folder.
    """
    from course_utils.checks.bank import bank

    _record.read()
    if lesson == "all":
        from course_utils.plots.lessons import course_map  # matplotlib takes half a second: only the map pays for it

        print(overview(_record.states))
        course_map(_record.states)
        return
    lesson = lesson or (_lesson(_record.last) if _record.last else None)
    if lesson is None:
        print(say("progress.nothing"))
        return
    states = _record.states
    exercises = bank(lesson)
    passed = sum(states.get(key) == "passed" for key in exercises)
    print(say("progress.done", lesson=lesson, passed=passed, count=len(exercises)))
    for key, exercise in exercises.items():
        print(f"  {SIGNS[states.get(key, 'not yet')]} {key} {exercise.title}")


def find(key: str) -> Graded:
    """The exercise with this key, for tests and for the curious.

    Raises ValueError for a key that no exercise has, and PermissionError under an automatic grader.
    """
    if strict():
        raise PermissionError(say("grading.closed"))
    return _exercise(key)


def _exercise(key: str) -> Graded:
    from course_utils.checks.bank import bank, lessons

    if isinstance(key, str) and _lesson(key) in lessons() and key in bank(_lesson(key)):
        return bank(_lesson(key))[key]
    raise ValueError(f"key: got {key!r}, expected an exercise's number such as '2.1'")


def _lesson(key: str) -> str:
    return key.split(".")[0].zfill(2)
