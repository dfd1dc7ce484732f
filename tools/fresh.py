"""A fresh exercise notebook in the learner's copy: the old one is kept beside it, and nothing is lost."""

from __future__ import annotations

import datetime
from pathlib import Path

from merge_notebook import read
from supported import Stop
from working_copy import COPY, EDITION, ROOT, keep_before, refresh, worked_in, write


def reset(lesson: str, course: Path = ROOT, copy: Path = COPY, date: str | None = None) -> list[str]:
    """Gives out the exercises of a lesson ("03" or "03_soft_hard_self") anew, and says what was kept where.

    Raises Stop for a lesson without exercises, where there is no copy yet, and where the course's own file was written
    into, which is then not fresh itself.
    """
    there = sorted(path.stem for path in (course / "exercises").glob("*.ipynb"))
    [stem] = [one for one in there if lesson in (one, one[:2])] or [""]
    if not stem:
        raise Stop(f"No lesson {lesson} has exercises: there are {', '.join(one[:2] for one in there)}.")
    if not copy.exists():
        raise Stop(
            f"There is no folder {copy.name} yet, so nothing of yours to begin anew: python course.py lab makes it."
        )
    name = f"exercises/{stem}.ipynb"
    today, mine = (course / name).read_bytes(), copy / name
    try:
        answered = worked_in(read(today))
    except ValueError:
        answered = True
    if answered:
        raise Stop(
            f"{name} of the course itself was changed, so that a copy of it would not be fresh: restore it first."
        )
    date = date or datetime.date.today().isoformat()
    if not mine.exists():
        return [*refresh(course, copy, date), f"{copy.name}/{name} was not there: it is now, as it is given out."]
    if mine.read_bytes() == today:
        return [f"{copy.name}/{name} is as it was given out: there is nothing to begin anew."]
    try:
        kept = keep_before(mine, date)
        write(mine, today)
        write(copy / EDITION / name, today)
    except OSError as problem:  # Windows lets nobody replace a file that is open elsewhere
        raise Stop(f"{name} could not be given out anew: close it, and try again ({problem}).") from None
    return [
        f"{copy.name}/{name} is fresh. Your old one: {copy.name}/exercises/{kept.name}",
        "If it is open in JupyterLab, close it there and open it again. What the checks have passed stays done.",
    ]
