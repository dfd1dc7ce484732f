"""The pictures of lesson 13: softmax in tiles, three memories, costs against length, and what is forgotten."""

import statistics
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from course_utils.plots.base import COLOURS, LINES, MARKERS, as_array, curves, row
from course_utils.plots.card import Card

DRAWN = ("naive", "top-k", "tiles", "fused, causal", "window", "linear")


def tiles_card() -> None:
    """Draws one pass over tiles: what stays of each tile, and how a block of queries carries it on."""
    card = Card(11.2, 3.75, "One pass over tiles of keys: three things are carried on")
    card.box("queries", 1.25, 2.65, "(block, size)", "query", "a block of queries")
    for place, text in enumerate(
        ("keys and values\n0 to 255", "keys and values\n256 to 511", "keys and values\n512 to 767")
    ):
        x = 3.85 + 2.35 * place
        card.box(f"tile {place}", x, 2.65, "(tile, size)", "key", text)
        card.box(f"kept {place}", x, 1.2, "", "weights", "greatest\ntotal\ncontext")
        card.arrow(f"tile {place}", f"kept {place}", role="key")
    for place in (0, 1):
        card.arrow(f"kept {place}", f"kept {place + 1}", "rescale", "weights")
    card.box("answer", 10.25, 1.2, "(block, value size)", "context", "context\n÷ total")
    card.arrow("kept 2", "answer", role="context")
    card.arrow("queries", "tile 0", role="query")
    card.note(5.6, 0.35, "A tile of scores is made, used and dropped: the matrix of all weights is never there.")


def memories_card() -> None:
    """Draws what each attention keeps of a text for the tokens to come: all of it, its end, or one state."""
    card, size = Card(11.2, 4.3, "What is kept of twelve tokens, for the thirteenth"), 0.3
    grid = np.array([[0.2, 0.7, 0.4], [0.9, 0.3, 0.6], [0.5, 0.8, 0.3]])
    last = np.zeros(12)
    last[:1], last[-4:] = 0.7, 0.7
    rows = (
        ("cache", "all pages", np.full(12, 0.7), "key", "grows by a key and a value each token;\nnothing is lost"),
        ("window", "the first and the last pages", last, "value", "stays as it is;\nloses what is far away"),
        ("state", "one slip, written over", grid, "weights", "stays as it is;\nloses when there is too much"),
    )
    for place, (name, said, values, role, remark) in enumerate(rows):
        y = 3.3 - 1.15 * place
        card.box(f"{name} name", 1.75, y, "", role, f"{name}:\n{said}")
        card.cells(name, 5.45, y, values, role, size=size)
        card.note(7.7, y, remark, role, "left")


def costs(report: Mapping[str, Any], note: str = "") -> None:
    """Draws seconds and mebibytes of each attention against length, on logarithmic axes.

    `report` is that of benchmarks/cheaper.py length.
    """
    left, right = row(2, 5.6, 4.3)
    for ax, found, label, title in (
        (left, report["seconds"], "seconds, forward", "What it takes in time"),
        (right, report["megabytes"], "MiB beside the inputs", "What it takes in memory"),
    ):
        series = {}
        for name in DRAWN:
            points = {int(n): cell[name] for n, cell in found.items() if name in cell}
            values = [statistics.median(v) if isinstance(v, list) else v for v in points.values()]
            series[name] = (list(points), values)
        curves(series, "length", label, title, ax=ax, logx=True, logy=True)
        if ax is left:
            ax.legend(fontsize=9)
        else:
            ax.get_legend().remove()
    if note:
        left.figure.supxlabel(note, size=9, color="#444444")


def prices(report: Mapping[str, Any], note: str = "") -> None:
    """Draws the percentage of prices told right against the number of pairs, with a dotted line at each state's size.

    `report` is that of benchmarks/recall.py list. A band reaches from the worst seed to the best.
    """
    ax = plt.subplots(figsize=(7.6, 4.3))[1]
    for place, (name, found) in enumerate(report["contestants"].items()):
        pairs = [int(n) for n in found["right"]]
        colour = _curve(ax, place, name, pairs, list(found["right"].values()))
        if name.startswith("linear"):
            ax.axvline(int(name.split(", ")[1]), color=colour, linestyle=":", linewidth=1.4)
    ax.set_xscale("log", base=2)
    ax.set_xticks(pairs, [str(n) for n in pairs])
    ax.set(xlabel=_noted("pairs in the list", note), ylabel="% of prices right", ylim=(0, 104))
    ax.set_title("A state of fixed size is full sooner or later")
    ax.legend(fontsize=9)


def needles(report: Mapping[str, Any], first: bool = False, note: str = "", ax: Axes | None = None) -> None:
    """Draws the percentage of texts whose price is found against its distance; with `first` it is the first token.

    `report` is that of benchmarks/recall.py needle. A band reaches from the worst seed to the best.
    """
    ax = plt.subplots(figsize=(7.6, 4.3))[1] if ax is None else ax
    for place, (name, found) in enumerate(report["contestants"].items()):
        rows = as_array(found["right, first" if first else "right"])  # (seed, distance)
        steps = np.unique(np.round(np.geomspace(1, rows.shape[1] - 1, 40)).astype(int))
        _curve(ax, place, name, steps, rows[:, steps].T, marker=False)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:.0f}")
    ax.set(xlabel=_noted("places from the price to the question", note), ylim=(-2, 104))
    ax.set(ylabel="% of prices found", title="The price is the first token" if first else "The price is a later token")
    ax.legend(fontsize=9)


def tokens(report: Mapping[str, Any], note: str = "") -> None:
    """Draws the milliseconds that each token takes to write, with a cache and without.

    `report` is that of benchmarks/cheaper.py writing.
    """
    series = {
        f"{name} a cache": (range(1, len(values) + 1), smooth(values))
        for name, values in report["milliseconds"].items()
    }
    curves(series, _noted("token", note), "milliseconds a token", "Each token costs more without a cache")


def smooth(values: Sequence[float], around: int = 4) -> list[float]:
    """The median of each value and its neighbours: one interruption is no peak. Shapes: (points) → (points)."""
    return [statistics.median(values[max(0, i - around) : i + around + 1]) for i in range(len(values))]


def _noted(label: str, note: str) -> str:
    """The label of an axis with a remark below it, in lines that the picture has room for: brackets begin a line."""
    lines = [line for part in note.replace(" (", "\n(").splitlines() for line in textwrap.wrap(part, 62)]
    return "\n".join([label, *lines])


def _curve(ax: Axes, place: int, name: str, x: Any, values: Any, marker: bool = True) -> str:
    """The mean over seeds, and a band from the worst to the best. Shapes: x (points), values (points, seeds)."""
    colour, found = list(COLOURS.values())[place % len(COLOURS)], as_array(values)
    sign = MARKERS[place % len(MARKERS)] if marker else None
    ax.plot(x, found.mean(1), LINES[place % len(LINES)], marker=sign, markersize=5, color=colour, label=name)
    ax.fill_between(x, found.min(1), found.max(1), color=colour, alpha=0.2, linewidth=0)
    return colour
