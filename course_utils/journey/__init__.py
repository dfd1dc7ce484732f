"""The way through the course: its lessons, which needs which, and how far somebody has come.

    lessons     every lesson with its minutes, what it builds upon, and its exercises, as lessons.json brings them
    kept        the file in which the checks keep what was done, read with care
    overview    what is done and what is left, lesson by lesson, as text

lessons.json is built from the notebooks by tools/course_map.py. Nothing here needs more than Python itself, so that
`python course.py progress` answers at once.
"""

from __future__ import annotations

from course_utils.journey.kept import states_in
from course_utils.journey.lessons import Lesson, Task, lessons
from course_utils.journey.overview import minutes_left, overview

__all__ = ["Lesson", "Task", "lessons", "minutes_left", "overview", "states_in"]
