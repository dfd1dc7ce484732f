"""What is done and what is left, lesson by lesson, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from course_utils.journey.lessons import Lesson, lessons

SIGNS = {"passed": "✓", "wrong": "✗", "not yet": "○"}
READ = "Minutes are a reader's; a lesson counts as read once one of its exercises was checked."


def minutes_left(lesson: Lesson, states: Mapping[str, str]) -> int:
    """The minutes of a lesson's exercises that are not done, and its own where no exercise of it was checked yet."""
    begun = any(task.key in states for task in lesson.tasks)
    return lesson.minutes * (not begun) + sum(t.minutes for t in lesson.tasks if states.get(t.key) != "passed")


def overview(states: Mapping[str, str], course: Sequence[Lesson] | None = None) -> str:
    """Says how many exercises are done and what is left, a line for each lesson with a sign for each exercise.

    `states` says "passed", "wrong" or "not yet" by key ("2.1"); a key that no lesson has counts nothing.
    """
    course = lessons() if course is None else course
    done = {one.number: sum(states.get(task.key) == "passed" for task in one.tasks) for one in course}
    count = sum(len(one.tasks) for one in course)
    left = sum(minutes_left(one, states) for one in course)
    signs = {one.number: "".join(SIGNS[states.get(task.key, "not yet")] for task in one.tasks) for one in course}
    wide = max((len(line) for line in signs.values()), default=0)
    said = [f"The course: {sum(done.values())} of {count} exercises done, {hours(left)} left."]
    for one in course:
        rest = minutes_left(one, states)
        price = f"{rest} minutes left" if rest else "done"
        said.append(f"  {one.number} {signs[one.number]:<{wide}}  {price:<17}{one.title}")
    return "\n".join([*said, READ])


def hours(minutes: int) -> str:
    """Minutes in words: "25 minutes", "3 hours", "3½ hours"."""
    if minutes < 60:
        return f"{minutes} minutes"
    halves = round(minutes / 30)
    return f"{halves // 2}{'½' if halves % 2 else ''} hour{'s' if halves > 2 else ''}"
