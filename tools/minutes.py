"""How long a lesson takes: counted from its prose and its code, so that the minutes at its head are no wish."""

from __future__ import annotations

import re
from typing import NamedTuple

from nbformat import NotebookNode

WORDS_A_MINUTE = 180  # read with care, formulas on the way
SECONDS_A_LINE = 10  # of code
SECONDS_A_CELL = 30  # to run it and to look at what it shows
FURTHER = re.compile(r"#+ Further\b")
HEADING = re.compile(r"(#+) ")
STATED = re.compile(r"\*\*Time:\*\* (\d+) minutes(?:, and (\d+) for \*Further\*)?(?:,? and (\d+) for the exercises)?\.")


class Minutes(NamedTuple):
    """Minutes for the main path of a lesson, for its Further sections, and for its exercises."""

    main: float
    further: float
    exercises: float = 0.0


def counted(cells: list[NotebookNode]) -> Minutes:
    """Counts the minutes of a built lesson: 180 words of prose, six lines of code, or two cells a minute.

    A heading that begins with "Further" opens a part of its own, up to the next heading of its level or above. The
    cell that sets Colab up counts nothing: it is hidden, and does nothing elsewhere.
    """
    spent = {False: 0.0, True: 0.0}
    level = 0  # of the Further heading that we are under; 0 under none
    for cell in cells:
        if cell.cell_type == "markdown":
            if heading := HEADING.match(cell.source):
                depth = len(heading.group(1))
                level = depth if FURTHER.match(cell.source) else level if level and depth > level else 0
            spent[level > 0] += words(cell.source) / WORDS_A_MINUTE
        elif "set-up" not in cell.metadata.get("tags", []):
            lines = sum(bool(line.strip()) for line in cell.source.splitlines())
            spent[level > 0] += (lines * SECONDS_A_LINE + SECONDS_A_CELL) / 60
    return Minutes(spent[False], spent[True])


def stated(text: str) -> Minutes:
    """Reads the line **Time:** of a manuscript. Raises ValueError where there is none of that form."""
    found = STATED.search(text)
    if not found:
        raise ValueError(
            "text: got no line such as **Time:** 60 minutes, and 20 for *Further*, and 45 for the exercises."
        )
    return Minutes(*(float(number or 0) for number in found.groups()))


def words(markdown: str) -> int:
    """The words of a Markdown cell: a formula counts as one, links count by their text, comments not at all."""
    text = re.sub(r"<!--.*?-->", " ", markdown, flags=re.DOTALL)
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$", " formula ", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return len(re.findall(r"\w[\w'’.-]*", text))
