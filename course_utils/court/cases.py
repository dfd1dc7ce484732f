"""The claims that the course settles, each with its verdict, what is right instead, and what decides it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

VERDICTS = ("right", "half", "wrong")


@dataclass(frozen=True)
class Case:
    """One claim: the cell of a lesson decides it (its code, and the text that it printed), or a paper does."""

    name: str
    numbers: tuple[str, ...]  # K1 to K37: claims of widely copied notes, which the course set out to settle
    words: str
    verdict: str  # one of VERDICTS
    instead: str
    lesson: str  # "02_scores"
    title: str  # of the lesson
    cell: str = ""
    code: str = ""
    shown: str = ""
    source: str = ""


def cases(lesson: str | None = None) -> tuple[Case, ...]:
    """Gives the claims of the course in the order of its lessons, or those of one lesson ("02").

    Raises ValueError for a lesson that settles no claim.
    """
    if lesson is None:
        return _all()
    found = tuple(case for case in _all() if lesson in (case.lesson, case.lesson[:2]))
    if not found:
        there = ", ".join(sorted({case.lesson[:2] for case in _all()}))
        raise ValueError(f"lesson: got {lesson!r}, expected one of {there}")
    return found


def named(claim: str) -> tuple[Case, ...]:
    """Gives the claims that answer to a number ("K13") or to a name; a number may take several.

    Raises ValueError for a claim that is not there.
    """
    wanted = str(claim).strip()
    found = tuple(case for case in _all() if wanted == case.name or wanted.upper() in case.numbers)
    if not found:
        numbers = sorted({number for case in _all() for number in case.numbers}, key=lambda one: int(one[1:]))
        raise ValueError(f"claim: got {claim!r}, expected a name, or a number from {numbers[0]} to {numbers[-1]}")
    return found


def require_vote(vote: object) -> str:
    """Gives the vote in small letters; raises ValueError for what is none of right, half and wrong."""
    said = vote.strip().lower() if isinstance(vote, str) else vote
    if said not in VERDICTS:
        raise ValueError(f"vote: got {vote!r}, expected right, half or wrong")
    return str(said)


def read(text: str) -> tuple[Case, ...]:
    """The claims in a text such as that of cases.json."""
    told = json.loads(text)
    return tuple(
        Case(**{**one, "numbers": tuple(one["numbers"])}, title=re.sub(r"[`*]", "", told["lessons"][one["lesson"]]))
        for one in told["claims"]
    )


@cache
def _all() -> tuple[Case, ...]:
    return read(files("course_utils.court").joinpath("cases.json").read_text("utf-8"))
