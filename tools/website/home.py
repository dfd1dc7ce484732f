"""The first page: what you can do afterwards, the explorer alive, the map of the lessons, two commands."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from installation import ROOT

from website.lessons import Lesson, lesson, read, stems
from website.markdown import sections, without_comments

ALIVE = "attention-explorer"


class Alive(NamedTuple):
    """A living picture of a lesson: its HTML, and the words before it."""

    shown: str
    words: str
    stem: str
    cell: str


def explorer(root: Path = ROOT) -> Alive | None:
    """The first living picture of the lessons."""
    for stem in stems(root=root):
        words = ""
        for cell in read("notebooks", stem, root).cells:
            if cell.cell_type == "markdown":
                words = without_comments(cell.source).strip().split("\n\n")[-1]
            for output in cell.get("outputs", []):
                shown = "".join(output.get("data", {}).get("text/html", ""))
                if ALIVE in shown:
                    return Alive(shown, words, stem, cell.id)
    return None


def map_of_lessons(known: Mapping[str, str], root: Path = ROOT) -> str:
    """A card for each lesson: what it claims, what it costs, which lessons it builds upon."""
    there = [stem for stem in stems(root=root) if f"notebooks/{stem}.ipynb" in known]
    return '<ol class="map">\n' + "".join(_card(lesson(stem, root), there) for stem in there) + "</ol>\n"


def _card(one: Lesson, there: list[str]) -> str:
    by_number = {stem[:2]: stem for stem in there}
    needs = ", ".join(
        f'<a href="notebooks/{by_number[number]}.html">{number}</a>' for number in one.needs if number in by_number
    )
    upon = f"builds on {needs}" if needs else "needs no other lesson" if not one.needs else ""
    practice = f" + {one.exercises} for the exercises" if one.exercises else ""
    facts = " · ".join(filter(None, [f"{one.minutes} minutes{practice}", upon]))
    return (
        f'<li id="lesson-{one.stem[:2]}"><span class="number" aria-hidden="true">{one.stem[:2]}</span>'
        f'<a class="claim" href="notebooks/{one.stem}.html">{html.escape(one.title)}</a>'
        f'<span class="cost">{facts}</span></li>\n'
    )


def home(known: Mapping[str, str], root: Path = ROOT) -> str:
    """The text of the first page."""
    readme = (root / "README.md").read_text("utf-8")
    parts = sections(readme)
    first = next(iter(stem for stem in stems(root=root) if f"notebooks/{stem}.ipynb" in known))
    opening = parts[""].split("\n\n")[1]
    alive = explorer(root)
    there = f"notebooks/{alive.stem}.html#cell-{alive.cell}"
    linked = f"notebooks/{alive.stem}.ipynb" in known
    whence = f' It stands in <a href="{there}">lesson {alive.stem[:2]}</a>.' if linked else ""
    return f"""\
# Attention: a course that runs

{opening}

<p class="ways"><a class="first" href="notebooks/{first}.html">Read the first lesson</a>
<a href="start.html">Run it at home or in Colab</a></p>

## Touch it

{alive.words}{whence}

```{{raw}} html
:file: explorer.html
```

## The lessons

Each claims something, and shows it.

```{{raw}} html
{map_of_lessons(known, root)}```

## Two commands

```console
python course.py lab
python course.py test
```

The first makes the folder `.venv`, installs what the course needs there, and opens JupyterLab at the first lesson, in a
copy that is yours. The second runs every test and every notebook. You need Python 3.11 to 3.14, and no GPU:
[all ways in](start.md).

## After the course you can

{parts["After the course you can"].strip()}
"""
