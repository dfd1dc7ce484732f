"""The court of popular claims as a page: vote first, then the verdict and the cell that settles it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from course_utils.court.cases import Case, cases
from course_utils.court.page import page
from course_utils.court.plain import SAID

FILE = "court.html"  # raw HTML beside the sources; the page takes it in


def scoreboard(known: Mapping[str, str]) -> str:
    """The text of the page."""
    board = cases()
    count = Counter(case.verdict for case in board)
    total = ", ".join(f"{count[verdict]} {words}" for verdict, words in SAID.items())
    return f"""\
# Popular claims, settled

What is said about attention, in books, posts and lectures, and what came out when it was tried. Vote before you read:
the verdict opens then, with what is right instead, and the cell of a lesson that decides, or the paper that says it.
Votes stay in your browser.

**{len(board)} claims: {total}.**

```{{raw}} html
:file: {FILE}
```
"""


def court(known: Mapping[str, str]) -> str:
    """The cards, which lead to the lessons that the site has."""

    def link(case: Case) -> str:
        if f"notebooks/{case.lesson}.ipynb" not in known:
            return ""
        return f"notebooks/{case.lesson}.html" + (f"#cell-{case.cell}" if case.cell else "")

    return page(cases(), link, open_all=True)
