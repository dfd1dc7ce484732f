"""Numbers in the prose of a lesson that no cell near them prints, asserts or sets: promises that nobody keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from minutes import HEADING
from nbformat import NotebookNode

NUMBER = re.compile(r"(?<![\w.])(?:\d{1,3}(?:[  ,]\d{3})+|\d+)(?:\.\d+)?(?!\w)")
MARKED = re.compile(r"<!-- numbers: (.+?) -->")  # <!-- numbers: 1082 languages, from Unicode's CLDR -->
NOT_CLAIMED = [  # parts of a text whose numbers measure nothing
    re.compile(r"```.*?```|`[^`]*`", re.DOTALL),  # code
    re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL),  # formulas
    re.compile(r"\[[^\]]*\]\([^)]*\)"),  # links
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(
        r"\b(?:lessons?|sections?|equations?|figures?|chapters?|exercises?|rungs?|rules?|steps?|heads?|seeds?)"
        r" \d[\d.]*(?:(?:,| and| to|–) \d[\d.]*)*",
        re.IGNORECASE,
    ),  # fmt: skip
    re.compile(r"\b(?:1[6-9]|20)\d\d\b"),  # years
    re.compile(r"^#+ .*$", re.MULTILINE),  # headings
    re.compile(r"^(?:\*\*Time:\*\*|\|).*$", re.MULTILINE),  # the head of a lesson, tables
    re.compile(r"\(\d[\d, ]*(?:, ?…)?\)"),  # shapes
]
SMALL = 12  # up to a dozen, a number counts things in sight
UNCHECKED = ("Sources", "What to remember", "Popular claims", "Exercises")


def unkept(cells: list[NotebookNode]) -> Iterator[tuple[str, str]]:
    """Yields (cell id, number) for each number in prose that stands neither in an output nor in code of its section.

    A number is kept when the section holds it, or a number that rounds to it; what a comment `<!-- numbers: … -->` in
    the section names is kept as well. Whole numbers up to 12 are not looked at.
    """
    for section in _sections(cells):
        title = section[0].source.lstrip("# ").split("\n")[0]
        if title.startswith(UNCHECKED):
            continue
        held = [value for cell in section for value in _held(cell)]
        for cell in section:
            if cell.cell_type == "markdown":
                for text in _claimed(cell.source):
                    if not any(_keeps(text, value) for value in held):
                        yield cell.id, text


def _sections(cells: list[NotebookNode]) -> list[list[NotebookNode]]:
    """The cells under each heading of the first or second level."""
    parts: list[list[NotebookNode]] = [[]]
    for cell in cells:
        heading = HEADING.match(cell.source) if cell.cell_type == "markdown" else None
        if heading and len(heading.group(1)) <= 2 and parts[-1]:
            parts.append([])
        parts[-1].append(cell)
    return parts


def _claimed(markdown: str) -> list[str]:
    for part in NOT_CLAIMED:
        markdown = part.sub(" ", markdown)
    found = [text.strip(" ,") for text in NUMBER.findall(markdown)]
    return [text for text in found if "." in text or _value(text) > SMALL]


def _held(cell: NotebookNode) -> Iterator[float]:
    if cell.cell_type == "markdown":
        texts = MARKED.findall(cell.source)
    else:
        texts = [cell.source]
        for output in cell.outputs:
            data = output.get("data", {})
            texts += [output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")]
    for text in texts:
        for found in re.findall(r"\d[\d_,]*(?:\.\d+)?(?:e-?\d+)?", text):
            yield float(found.replace("_", "").replace(",", "") or 0)
        for high, low in re.findall(r"(\d[\d_]*)\s*\*\*\s*(\d+)", text):
            if float(low) < 20:
                yield float(high.replace("_", "")) ** float(low)


def _keeps(text: str, value: float) -> bool:
    """Whether a number of the notebook is what the prose says, as far as it says it; shares may be percentages."""
    said, digits = _value(text), len(text.partition(".")[2])
    return any(abs(round(candidate, digits) - said) < 1e-9 for candidate in (value, 100 * value, value / 100))


def _value(text: str) -> float:
    return float(re.sub("[   ,]", "", text))
