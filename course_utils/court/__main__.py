"""The court in a terminal: `python -m course_utils.court`, or of one lesson: `python -m course_utils.court 02`."""

from __future__ import annotations

import argparse
import sys

from course_utils.court.cases import VERDICTS, cases
from course_utils.court.plain import scoreboard, verdict
from course_utils.terminal import print_anyway


def main(arguments: list[str] | None = None) -> int:
    """Asks for a vote on each claim, then shows the verdict and the cell; q, or the end of the input, ends it."""
    ask = argparse.ArgumentParser(prog="python -m course_utils.court", description=__doc__)
    ask.add_argument("lesson", nargs="?", help="the number of a lesson, such as 02 (default: all)")
    try:
        board = cases(ask.parse_args(arguments).lesson)
    except ValueError as problem:
        ask.error(str(problem))
    print("Each line is said about attention. Type right, half or wrong (r, h, w are enough), or q to end.")
    votes: dict[str, str] = {}
    for number, case in enumerate(board, 1):
        vote = _vote(f'\n{number} of {len(board)}, lesson {case.lesson[:2]}: "{case.words}" ')
        if vote is None:
            break
        votes[case.name] = vote
        print(verdict(case.name, vote))
        if case.code:
            print("\n".join(f"    {line}".rstrip() for line in [*case.code.splitlines(), *case.shown.splitlines()]))
    if votes:
        print(f"\n{scoreboard(votes)}")
    return 0


def _vote(question: str) -> str | None:
    while True:
        try:
            said = input(question).strip().lower()
        except EOFError:
            return None
        if said in ("q", "quit"):
            return None
        found = [one for one in VERDICTS if said and one.startswith(said)]
        if found:
            return found[0]
        question = "right, half, wrong, or q: "


if __name__ == "__main__":
    print_anyway()
    sys.exit(main())
