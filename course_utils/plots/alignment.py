"""The picture of lesson 00: which characters of a date the model looked at while it wrote each digit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from unicodedata import east_asian_width

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.transforms import ScaledTranslation

from course_utils.plots.base import COLOURS, SEQUENTIAL
from course_utils.plots.fonts import clusters, families, joined, visual_order

FIELD_COLOURS = {  # no blue: that is the colour of the weights
    "year": COLOURS["red"],
    "month": COLOURS["green"],
    "day": COLOURS["purple"],
    "weekday": COLOURS["orange"],
}
ISO_FIELDS = ("year",) * 4 + ("other",) + ("month",) * 2 + ("other",) + ("day",) * 2
STRIP = 7  # points: how thick the coloured strips are


def alignment(
    weights,
    source: str,
    target: str,
    fields: Sequence[str] | None = None,
    title: str = "",
    ax: Axes | None = None,
    target_fields: Sequence[str] | None = None,
) -> None:
    """Draw attention weights between two texts: target characters down (queries), source characters across (keys).

    With `fields`, one label for each source character, coloured strips and words show where year, month and day truly
    are, and frames in the same colours show where the weight of each field should fall. `target_fields` does the same
    for the target; without it, ten characters count as an ISO date. Labels without a colour ("other") stay bare.

    Columns stand in the order in which the text is seen. For Arabic and Hebrew that is from right to left, with the
    numbers inside from left to right; the weights move with their characters. A letter and the marks on it (Thai,
    Hindi) keep a column each, and are written together in the middle of them.
    Shapes: weights (query, key), at least one row for each target and one column for each source character; the rest
    (`<end>`, padding) is left out. Raises ValueError when weights are too few, or labels and characters differ in
    number.
    """
    weights = np.asarray(weights.detach().cpu().float() if hasattr(weights, "detach") else weights, dtype=float)
    if weights.ndim != 2 or weights.shape[0] < len(target) or weights.shape[1] < len(source):
        raise ValueError(f"weights: got shape {weights.shape}, expected at least ({len(target)}, {len(source)})")
    if fields is not None and target_fields is None and len(target) == len(ISO_FIELDS):
        target_fields = ISO_FIELDS
    for name, labels, text in (("fields", fields, source), ("target_fields", target_fields, target)):
        if labels is not None and len(labels) != len(text):
            raise ValueError(f"{name}: got {len(labels)} labels, expected {len(text)}, one for each of {text!r}")
    if ax is None:
        size = (min(9.5, max(5.5, 1.8 + 0.42 * len(source))), 1.5 + 0.32 * len(target))
        ax = plt.subplots(figsize=size, layout="constrained")[1]

    order = visual_order(source)
    shown = weights[: len(target), order]
    image = ax.pcolormesh(shown, cmap=SEQUENTIAL, vmin=0, vmax=1, edgecolor="#e8e8e8", linewidth=0.5)
    ax.figure.colorbar(image, ax=ax, label="weight", shrink=0.7, aspect=25, pad=0.02)
    ax.set(xlim=(0, len(source)), ylim=(len(target), 0))  # the first query on top
    ax.set_xlabel("keys: source" if order == sorted(order) else "keys: source, from right to left")
    ax.set_ylabel("queries: target")
    pad = 4 if fields is None else 4 + STRIP
    top = pad + 1.6 * _write_characters(ax, source, target, order, pad)  # points above the map where the letters end
    if fields is not None:
        _show_fields(ax, _runs([fields[place] for place in order]), _runs(target_fields or []), top)
        top += 14
    ax.set_title(title, y=1, pad=top + 5, fontfamily=families())


def _write_characters(ax: Axes, source: str, target: str, order: list[int], pad: float) -> float:
    """Write the source above the map and the target beside it; return the size of the source's letters in points."""
    glyphs = joined(source)
    spans = clusters("".join(source[place] for place in order))
    labels = ["".join(glyphs[place] for place in order[start:stop]) for start, stop in spans]
    ax.set_xticks([(start + stop) / 2 for start, stop in spans], labels)
    ax.set_yticks([row + 0.5 for row in range(len(target))], list(target))
    column = (
        0.85 * 72 * ax.get_window_extent().width / ax.figure.dpi / max(len(source), 1)
    )  # points, less the colour bar
    if any(east_asian_width(character) in "WF" for character in source):
        column *= 0.75  # a Chinese character is as wide as it is high
    size = min(17.0, max(8.0, column))
    ax.xaxis.tick_top()
    ax.tick_params(axis="x", length=0, pad=pad, labelsize=size, labelfontfamily=families())
    ax.tick_params(axis="y", length=0, pad=pad, labelsize=14, labelfontfamily=families())
    for spine in ax.spines.values():
        spine.set_visible(False)
    return size


def _show_fields(ax: Axes, columns: list[tuple], rows: list[tuple], top: float) -> None:
    """Mark the true fields: strips and words beside the map, and frames on it."""
    along, down = ax.get_xaxis_transform(), ax.get_yaxis_transform()
    shift = STRIP / 144 + 1 / 72  # inches from the edge of the map to the middle of a strip
    above = along + ScaledTranslation(0, shift, ax.figure.dpi_scale_trans)
    beside = down + ScaledTranslation(-shift, 0, ax.figure.dpi_scale_trans)
    strip = {"linewidth": STRIP, "solid_capstyle": "butt", "clip_on": False}
    word = {"textcoords": "offset points", "ha": "center", "size": 10, "color": "#444444", "annotation_clip": False}
    for field, start, stop in columns:
        ax.plot([start + 0.08, stop - 0.08], [1, 1], color=FIELD_COLOURS[field], transform=above, **strip)
        ax.annotate(field, ((start + stop) / 2, 1), (0, top), xycoords=along, **word)
    for field, start, stop in rows:
        ax.plot([0, 0], [start + 0.08, stop - 0.08], color=FIELD_COLOURS[field], transform=beside, **strip)
        ax.annotate(field, (0, (start + stop) / 2), (-STRIP - 22, 0), xycoords=down, va="center", rotation=90, **word)
        for name, left, right in columns:
            if name == field:
                frame = {"fill": False, "clip_on": False, "linewidth": 2, "edgecolor": FIELD_COLOURS[field]}
                ax.add_patch(Rectangle((left, start), right - left, stop - start, **frame))
    ax.yaxis.labelpad = 20  # room for the words


def _runs(fields: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return (field, start, stop) of every run of equal labels that has a colour."""
    runs, start = [], 0
    for field, group in groupby(fields):
        stop = start + len(list(group))
        if field in FIELD_COLOURS:
            runs.append((field, start, stop))
        start = stop
    return runs
