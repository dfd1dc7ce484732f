"""The court: every popular claim about attention that the course settles, to be voted on before the verdict is read.

    cases     the claims, each with its verdict and the cell that decides it, as cases.json brings them
    plain     a verdict as a sentence, and the scoreboard by lesson as a table: for terminals and for cells
    page      the court as a page of cards, which needs no kernel and no network

`python -m course_utils.court` holds it in a terminal. cases.json is built from lessons/claims.toml and the notebooks.
"""

from __future__ import annotations

from course_utils.court.cases import Case, cases
from course_utils.court.page import Court
from course_utils.court.plain import scoreboard, verdict

__all__ = ["Case", "Court", "cases", "court", "scoreboard", "verdict"]


def court(lesson: str | None = None) -> Court:
    """Opens the court as a page of cards, of all lessons or of one ("02"): the last line of a cell shows it.

    A vote uncovers the verdict, what is right instead, and the cell that decides. Votes stay on the reader's own
    machine. Raises ValueError for a lesson that settles no claim.
    """
    return Court(cases(lesson))
