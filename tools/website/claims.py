"""The scoreboard: popular claims about attention, the verdict on each, and the cell that settles it."""

from __future__ import annotations

import html
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from installation import ROOT

from website.lessons import lesson

VERDICTS = {"right": ("✓", "right"), "half": ("◐", "half right"), "wrong": ("✗", "wrong")}


def claims(root: Path = ROOT) -> list[dict]:
    """What lessons/claims.toml says."""
    return tomllib.loads((root / "lessons/claims.toml").read_text("utf-8"))["claim"]


def scoreboard(known: Mapping[str, str], root: Path = ROOT) -> str:
    """The text of the page."""
    cases = claims(root)
    count = Counter(case["verdict"] for case in cases)
    total = ", ".join(f"{count[verdict]} {words}" for verdict, (_, words) in VERDICTS.items())
    made = [
        "# Popular claims, settled\n",
        "What is said about attention, in books, posts and lectures, and what came out when it was tried.",
        "Each verdict leads to the cell of a lesson that computes it, or names the paper that says it.\n",
        f"**{len(cases)} claims: {total}.**\n",
    ]
    for stem in sorted({case["lesson"] for case in cases}):
        page = f"notebooks/{stem}.ipynb"
        title = lesson(stem, root).title
        made.append(f"## {stem[:2]} · {f'[{title}]({page})' if page in known else title}\n")
        rows = "".join(_row(case, page in known) for case in cases if case["lesson"] == stem)
        made.append(f'```{{raw}} html\n<ul class="claims">\n{rows}</ul>\n```\n')
    return "\n".join(made)


def _row(case: dict, linked: bool) -> str:
    sign, words = VERDICTS[case["verdict"]]
    if "cell" in case:
        where = f'<a href="notebooks/{case["lesson"]}.html#cell-{case["cell"]}">The cell that settles it</a>'
        where = where if linked else ""
    else:
        where = f"Source: <cite>{html.escape(case['source'])}</cite>"
    return (
        f'<li id="{case["name"]}"><p class="said">{html.escape(case["words"])}</p>'
        f'<p><strong class="verdict {case["verdict"]}"><span aria-hidden="true">{sign}</span> {words}</strong> '
        f'{html.escape(case["instead"])}</p><p class="where">{where}</p></li>\n'
    )
