"""The court as a page: a card for each claim, folded where scripts are stripped, and the script that lets vote."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from importlib.resources import files

from course_utils.court.cases import Case
from course_utils.court.plain import SAID

SIGNS = {"right": "✓", "half": "◐", "wrong": "✗"}


def beside(case: Case) -> str:
    """Where the lesson of a claim opens from another lesson's notebook."""
    return f"{case.lesson}.ipynb"


class Court:
    """The page that `court` returns: the last line of a cell shows it."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = tuple(cases)

    def _repr_html_(self) -> str:
        return page(self.cases)

    def __repr__(self) -> str:
        """What stands where there is no page."""
        return f"The court: {len(self.cases)} claims, in a terminal by `python -m course_utils.court`"


def page(cases: Sequence[Case], link: Callable[[Case], str] = beside, open_all: bool = False) -> str:
    """The HTML of the court, lesson by lesson; the same claims give the same bytes.

    `link` gives the address of the lesson (and cell) of a claim, or "" for none. `open_all` unfolds every lesson, else
    only the first begins unfolded. Without scripts each claim is a line to unfold, with the verdict inside.
    """
    made: list[str] = []
    for stem in sorted({case.lesson for case in cases}):
        here = [case for case in cases if case.lesson == stem]
        count = f"{len(here)} claim{'s' if len(here) > 1 else ''}"
        unfolded = " open" if open_all or not made else ""
        cards = "".join(_card(case, link(case)) for case in here)
        made.append(
            f'<details class="lesson" data-lesson="{stem[:2]}"{unfolded}><summary><strong>{stem[:2]}</strong> '
            f"{escape(here[0].title)} <span>({count})</span></summary>\n<ul>\n{cards}</ul></details>\n"
        )
    return (  # JupyterLab takes no key for itself below data-lm-suppress-shortcuts
        '<div class="attention-court tex2jax_ignore mathjax_ignore" data-lm-suppress-shortcuts="true">\n'
        f"{''.join(made)}</div>\n<script>{_script()}</script>"
    )


def _card(case: Case, link: str) -> str:
    said = f"{SIGNS[case.verdict]} {SAID[case.verdict]}"
    quoted = ""
    if case.code:
        shown = f"\n<pre>{escape(case.shown)}</pre>" if case.shown else ""
        quoted = f"<pre><code>{escape(case.code)}</code></pre>{shown}\n"
    return (
        f'<li id="{case.name}" data-verdict="{case.verdict}"><details class="case"><summary>{escape(case.words)}'
        f'</summary>\n<p><strong class="verdict {case.verdict}">{said}.</strong> {escape(case.instead)}</p>\n'
        f'{quoted}<p class="where">{_where(case, link)}</p></details></li>\n'
    )


def _where(case: Case, link: str) -> str:
    lesson = f"lesson {case.lesson[:2]}"
    lesson = f'<a href="{escape(link)}">{lesson}</a>' if link else lesson
    if case.source:
        return f"The source: <cite>{escape(case.source)}</cite>, in {lesson}."
    return f"What decides: the cell <code>{escape(case.cell)}</code> of {lesson}."


@cache
def _script() -> str:
    """The script with its style inside, without indentation and comments."""
    here = files("course_utils.court")
    style = re.sub(r"/\*.*?\*/|\n\s*", "", here.joinpath("court.css").read_text("utf-8"), flags=re.DOTALL)
    script = re.sub(r"^\s*//.*\n|^\s+", "", here.joinpath("court.js").read_text("utf-8"), flags=re.MULTILINE)
    return f"(() => {{const STYLE = {json.dumps(style, ensure_ascii=False)};\n{script}}})();"
