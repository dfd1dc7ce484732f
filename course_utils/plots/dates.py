"""The first picture of lesson 00: one day as many languages write it, with year, month and day in their colours."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from course_utils.plots.alignment import FIELD_COLOURS
from course_utils.plots.fonts import clusters, joined, use_fonts, visual_order


def coloured_dates(
    texts: Sequence[str],
    fields: Sequence[Sequence[str]],
    labels: Sequence[str],
    title: str = "",
    ax: Axes | None = None,
) -> None:
    """Writes one text below the other, each character on the colour of its field, with a label in front.

    Each text has as many fields as characters; fields without a colour ("other") stay white. Arabic and Hebrew stand
    as they are read, from right to left, and their label says so. Raises ValueError when texts, fields and labels
    differ in number.
    """
    if not len(texts) == len(fields) == len(labels) or any(map(_differ, texts, fields)):
        got = f"{len(fields)} lists and {len(labels)} labels for {len(texts)} texts"
        raise ValueError(f"fields: got {got}, expected a label and a list for each text, a field for each character")
    use_fonts()
    if ax is None:
        longest = max((sum(map(_width, text)) for text in texts), default=0.0)
        ax = plt.subplots(figsize=(2.4 + 0.155 * longest, 0.7 + 0.36 * len(texts)), layout="constrained")[1]
    widest, names_of_rows = 0.0, list(labels)
    for row, (text, names) in enumerate(zip(texts, fields, strict=True)):
        order, glyphs, place = visual_order(text), joined(text), 0.0
        if order != sorted(order):
            names_of_rows[row] += ", from right to left"
        for start, stop in clusters("".join(text[i] for i in order)):
            drawn = [order[i] for i in range(start, stop)]
            wide = _width(text[drawn[0]])
            if colour := FIELD_COLOURS.get(names[drawn[0]]):
                ax.add_patch(Rectangle((place, row - 0.42), wide, 0.84, color=colour, alpha=0.3, linewidth=0))
            letter = "".join(glyphs[i] for i in drawn)
            ax.text(place + wide / 2, row + 0.02, letter, ha="center", va="center_baseline", size=13)
            place += wide
        widest = max(widest, place)
    ax.set(xlim=(-0.3, widest + 0.3), ylim=(len(texts) - 0.4, -0.6), title=title)
    ax.set_yticks(range(len(labels)), names_of_rows)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    shown = [name for name in FIELD_COLOURS if any(name in names for names in fields)]
    patches = [Patch(color=FIELD_COLOURS[name], alpha=0.3, label=name, linewidth=0) for name in shown]
    ax.legend(handles=patches, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _width(character: str) -> float:
    return 1.6 if east_asian_width(character) in "WF" else 1.0  # a Chinese character is as wide as it is high


def _differ(text: str, names: Sequence[str]) -> bool:
    return len(text) != len(names)
