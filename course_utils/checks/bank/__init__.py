"""The bank: for each lesson a module with its exercises, their oracles and their known mistakes.

To add an exercise, write it in its lesson's module, append it to EXERCISES, put its sentences into words/en, and give
two right and all wrong answers, written independently, in tests/variants/. CONTRIBUTING.md shows a short example.
"""

import importlib
import pkgutil
from functools import cache

from course_utils.checks.graded import Graded


def lessons() -> list[str]:
    """The lessons that have a bank, as two-digit numbers in order: ["00", "01", …]."""
    return sorted(
        module.name.removeprefix("lesson_")
        for module in pkgutil.iter_modules(__path__)
        if module.name.startswith("lesson_")
    )


@cache
def bank(lesson: str) -> dict[str, Graded]:
    """The exercises of one lesson ("02"), by key ("2.1"), in order.

    Raises ValueError for a lesson without a bank.
    """
    if lesson not in lessons():
        raise ValueError(f"lesson: got {lesson!r}, expected one of {', '.join(lessons())}")
    exercises = importlib.import_module(f"{__name__}.lesson_{lesson}").EXERCISES
    return {exercise.key: exercise for exercise in exercises}
