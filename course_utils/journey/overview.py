"""What is done and what is left, lesson by lesson, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from course_utils.journey.lessons import Lesson, lessons

SIGNS = {"passed": "✓", "wrong": "✗", "not yet": "○"}
READ = "Minutes are a reader's; a lesson counts as read once one of its exercises was checked."


def minutes_left(lesson: Lesson, states: Mapping[str, str]) -> int:
    """The minutes of a lesson's core exercises that are not done, and its own where no exercise was checked yet."""
    begun = any(task.key in states for task in lesson.tasks)
    return lesson.minutes * (not begun) + sum(t.minutes for t in lesson.core if states.get(t.key) != "passed")


def overview(states: Mapping[str, str], course: Sequence[Lesson] | None = None) -> str:
    """Says how many exercises are done and what is left, a line for each lesson with a sign for each exercise.

    Exercises headed Further stand behind a plus; they cost no minutes, and lack nowhere.
    `states` says "passed", "wrong" or "not yet" by key ("2.1"); a key that no lesson has counts nothing.
    """
    course = lessons() if course is None else course
    core = [task for one in course for task in one.core]
    more = [task for one in course for task in one.tasks if task.further]
    done, beyond = (sum(states.get(task.key) == "passed" for task in some) for some in (core, more))
    also = f", and {beyond} of {len(more)} further ones" if beyond else ""
    left = sum(minutes_left(one, states) for one in course)
    said = [f"The course: {done} of {len(core)} exercises done{also}, {hours(left)} left."]
    signs = {one.number: _signs(one, states) for one in course}
    wide = max((len(line) for line in signs.values()), default=0)
    for one in course:
        rest = minutes_left(one, states)
        price = f"{rest} minutes left" if rest else "done"
        said.append(f"  {one.number} {signs[one.number]:<{wide}}  {price:<17}{one.title}")
    return "\n".join([*said, READ])


def _signs(lesson: Lesson, states: Mapping[str, str]) -> str:
    further = [task for task in lesson.tasks if task.further]
    made = ["".join(SIGNS[states.get(task.key, "not yet")] for task in some) for some in (lesson.core, further)]
    return " + ".join(filter(None, made))


def hours(minutes: int) -> str:
    """Minutes in words: "25 minutes", "3 hours", "3½ hours"."""
    if minutes < 60:
        return f"{minutes} minutes"
    halves = round(minutes / 30)
    return f"{halves // 2}{'½' if halves % 2 else ''} hour{'s' if halves > 2 else ''}"
