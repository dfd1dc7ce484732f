"""Every lesson with its minutes, what it builds upon, and its exercises."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Task(NamedTuple):
    """One exercise."""

    key: str  # "2.1"
    title: str
    minutes: int
    further: bool = False  # under the heading "Further": for those who want more


class Lesson(NamedTuple):
    """One lesson; minutes are a reader's, without what is headed Further and without the exercises."""

    stem: str  # "02_scores"
    title: str
    minutes: int
    needs: tuple[str, ...]  # the numbers of the lessons that it builds upon
    tasks: tuple[Task, ...]  # all of its exercises

    @property
    def number(self) -> str:
        """Its two digits."""
        return self.stem[:2]

    @property
    def core(self) -> tuple[Task, ...]:
        """The exercises that its minutes count: those that are not headed Further."""
        return tuple(task for task in self.tasks if not task.further)

    @property
    def name(self) -> str:
        """Its short name: "soft hard self"."""
        return self.stem[3:].replace("_", " ")


@cache
def lessons() -> tuple[Lesson, ...]:
    """Gives the lessons in order."""
    told = json.loads(files("course_utils.journey").joinpath("lessons.json").read_text("utf-8"))
    return tuple(
        Lesson(
            one["stem"], one["title"], one["minutes"], tuple(one["needs"]), tuple(Task(*task) for task in one["tasks"])
        )
        for one in told
    )
