"""The court in plain text: a verdict as a sentence, and the scoreboard by lesson as a table."""

from __future__ import annotations

from collections.abc import Mapping

from course_utils.court.cases import VERDICTS, Case, cases, named, require_vote

SAID = {"right": "right", "half": "half right", "wrong": "wrong"}


def verdict(claim: str, vote: str | None = None) -> str:
    """Says whether a claim is right, half right or wrong, what is right instead, and where that is decided.

    `claim` is a number ("K13") or a name; where a number takes several claims, each has its line. With a `vote` it
    says whether that agrees. Raises ValueError for a claim that is not there, and for a vote that is none of right,
    half and wrong.
    """
    voted = None if vote is None else require_vote(vote)
    return "\n".join(_sentence(case, voted) for case in named(claim))


def scoreboard(votes: Mapping[str, str] | None = None) -> str:
    """The table of verdicts by lesson: claims, and how many are right, half right and wrong.

    With `votes` (right, half or wrong, by number or name) it counts instead how many were voted on, and how many votes
    agree; a vote by number counts for each claim that the number takes. Raises ValueError as `verdict` does.
    """
    board = cases()
    if votes is None:
        columns = ["claims", *SAID.values()]
        counted = {case.name: [1, *(case.verdict == one for one in VERDICTS)] for case in board}
    else:
        columns = ["claims", "voted", "agree"]
        cast: dict[str, str] = {}
        for claim, vote in votes.items():
            cast |= {case.name: require_vote(vote) for case in named(claim)}
        counted = {case.name: [1, case.name in cast, cast.get(case.name) == case.verdict] for case in board}
    rows = {stem[:2]: [0] * len(columns) for stem in sorted({case.lesson for case in board})}
    for case in board:
        rows[case.lesson[:2]] = [
            one + more for one, more in zip(rows[case.lesson[:2]], counted[case.name], strict=True)
        ]
    rows["all"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    lines = ["lesson" + "".join(f"{name:>12}" for name in columns)]
    return "\n".join(lines + [f"{name:<6}" + "".join(f"{count:>12}" for count in row) for name, row in rows.items()])


def where(case: Case) -> str:
    """Says what decides a claim, in words."""
    return f"source: {case.source}" if case.source else f"lesson {case.lesson[:2]}, cell {case.cell}"


def _sentence(case: Case, voted: str | None) -> str:
    agreed = "" if voted is None else "You agree. " if voted == case.verdict else f"You said {SAID[voted]}. "
    return f'{agreed}"{case.words}" is {SAID[case.verdict]}. {case.instead} ({where(case)})'
