"""The map of the course: which lesson builds upon which, and what of it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from course_utils.journey import Lesson, lessons
from course_utils.plots.card import Card

GAP, STEP = 2.35, 0.8  # inches between two boxes of a row, and between two rows


def upon(course: Sequence[Lesson]) -> dict[str, set[str]]:
    """What each lesson builds upon, by numbers, without what another of its lessons builds upon already."""
    needs = {one.number: set(one.needs) & {other.number for other in course} for one in course}

    def further_back(number: str) -> set[str]:
        return needs[number].union(*(further_back(one) for one in needs[number]))

    return {
        number: {one for one in direct if not any(one in further_back(other) for other in direct - {one})}
        for number, direct in needs.items()
    }


def places(course: Sequence[Lesson]) -> dict[str, tuple[float, int]]:
    """Where each lesson stands: x in inches, and its row; a lesson stands below all that it builds upon."""
    above = upon(course)
    row: dict[str, int] = {}
    for number in above:  # a lesson comes after what it needs
        row[number] = max((row[one] + 1 for one in above[number]), default=0)
    x: dict[str, float] = {}
    for level in sorted(set(row.values())):
        here = [number for number in above if row[number] == level]
        wish = {n: sum(x[one] for one in above[n]) / len(above[n]) if above[n] else 0.0 for n in here}
        here.sort(key=lambda number: (wish[number], number))
        for before, number in zip([None, *here], here, strict=False):
            x[number] = wish[number] if before is None else max(wish[number], x[before] + GAP)
        shift = sum(wish[number] - x[number] for number in here) / len(here)
        x |= {number: x[number] + shift for number in here}
    return {number: (x[number], row[number]) for number in above}


def course_map(states: Mapping[str, str] | None = None, course: Sequence[Lesson] | None = None) -> None:
    """Draws the lessons with an arrow to what builds on them; with `states` it says what is done of each.

    `states` are those of the exercises by key, as `course_utils.journey.overview` takes them.
    """
    course = lessons() if course is None else course
    found = places(course)
    left = min(x for x, _ in found.values())
    width = max(x for x, _ in found.values()) - left + GAP + 0.3
    rows = 1 + max(row for _, row in found.values())
    title = "The map: an arrow leads to what builds on it" if states is None else "The map, and what is done of it"
    card = Card(max(width, 6.0), STEP * rows + 0.75, title)
    for one in course:
        x, row = found[one.number]
        words, role = _state(one, states)
        card.box(
            one.number, x - left + (card.width - width + GAP + 0.3) / 2, card.height - 0.9 - STEP * row, words,
            role=role, text=f"{one.number} {one.name}",
        )  # fmt: skip
    for number, direct in upon(course).items():
        for before in sorted(direct):
            card.arrow(before, number)


def _state(lesson: Lesson, states: Mapping[str, str] | None) -> tuple[str, str]:
    """The small words of a box, and its role."""
    if states is None:
        return f"{lesson.minutes} minutes", "query"
    done = sum(states.get(task.key) == "passed" for task in lesson.core)
    begun = any(task.key in states for task in lesson.tasks)
    if done and done == len(lesson.core):
        return "✓ all done", "value"
    return f"{done} of {len(lesson.core)} done", "query" if begun else "plain"
