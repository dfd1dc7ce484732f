"""The pictures of the heads: split and merge, hull and box, the ladder, head maps, accuracy against heads."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import LogLocator, StrMethodFormatter
from matplotlib.transforms import ScaledTranslation

from course_utils.plots.base import COLOURS, LINES, MARKERS, SEQUENTIAL, as_array, row
from course_utils.plots.card import Card

GREY = "#767676"  # dark enough to be read on white


def split_and_merge() -> None:
    """Draws multi-head attention as a way of numbers: columns cut among three heads, attended in each, joined again."""
    card = Card(10.4, 4.5, "Three words, six features, three heads: columns are cut, never words")
    columns = np.tile(np.linspace(0.15, 0.95, 6), (3, 1))
    card.cells("x", 1.15, 2.0, columns, text="x (3, 6)")
    card.cells("merged", 7.1, 2.0, columns, "context", "(3, 6)")
    card.cells("output", 9.4, 2.0, np.full((3, 6), 0.5), "context", "output (3, 6)")
    for head, y in enumerate((3.2, 2.0, 0.8), 1):
        part = columns[:, 2 * head - 2 : 2 * head]
        card.cells(f"head {head}", 3.5, y, part, text=f"head {head} (3, 2)")
        card.cells(f"context {head}", 5.2, y, part, "context", "(3, 2)")
        card.arrow("x", f"head {head}", "split" if head == 1 else "", lift=0.08)
        card.arrow(f"head {head}", f"context {head}", "attend", "weights", lift=0.04)
        card.arrow(f"context {head}", "merged", "merge" if head == 1 else "", lift=0.08)
    card.arrow("merged", "output", "Wo", lift=0.04)


def hull_and_box(names: Sequence[str], values, one_head, two_heads, labels: Sequence[str]) -> None:
    """Draws what one softmax can reach, the hull of the values, inside what a softmax for each column can: the box.

    Shapes: values (good, 2), one_head (2), two_heads (2). `labels` names the two columns.
    """
    values, one, two = as_array(values), as_array(one_head), as_array(two_heads)
    ax = plt.subplots(figsize=(7.4, 4.6))[1]
    low, high = values.min(axis=0), values.max(axis=0)
    box = Rectangle(low, *(high - low), facecolor=COLOURS["orange"], alpha=0.18, label="two heads reach the box")
    ax.add_patch(box)
    ax.add_patch(Rectangle(low, *(high - low), fill=False, edgecolor=COLOURS["orange"], linestyle="--"))
    ax.add_patch(Polygon(_hull(values), facecolor="white"))  # so that the hull has the colour that the legend gives it
    ax.add_patch(Polygon(_hull(values), facecolor=COLOURS["blue"], alpha=0.35, label="one head stays in the hull"))
    ax.plot(*np.stack([one, two]).T, ":", color=GREY)
    ax.scatter(*values.T, s=45, color="black", zorder=3)
    for name, point in zip(names, values, strict=True):
        right = point[0] > 0.8 * high[0]
        ax.annotate(name, point, (-8 if right else 8, 7), textcoords="offset points", ha="right" if right else "left")
    ax.scatter(*two, marker="*", s=260, color=COLOURS["red"], zorder=4, label="what the customer wants")
    ax.scatter(
        *one, marker="X", s=120, color=COLOURS["blue"], edgecolor="white", zorder=4, label="the best of one head"
    )
    ax.set(xlabel=labels[0], ylabel=labels[1], title="One softmax makes one blend; two make two")
    ax.margins(0.1)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _hull(points: np.ndarray) -> np.ndarray:
    """The corners of the convex hull in order (Andrew's monotone chain, 1979)."""
    ordered = sorted(map(tuple, points))

    def chain(places: list) -> list:
        kept: list = []
        for place in places:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], place) <= 0:
                kept.pop()
            kept.append(place)
        return kept[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))


def _turn(a: tuple, b: tuple, c: tuple) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def ladder(milliseconds: Mapping[str, float], errors: Mapping[str, tuple], limit: float = 1e-5) -> None:
    """Draws the rungs of the ladder: on the left their times, on the right their errors, far below the limit.

    Each time is in milliseconds; each pair of errors is that of the output and that of the gradients.
    """
    left, right = row(2, width=5.4, height=0.9 + 0.42 * len(milliseconds))
    places = np.arange(len(milliseconds))[::-1]
    for place, time in zip(places, milliseconds.values(), strict=True):  # dots: on a log scale bars start nowhere
        left.plot(time, place, "o", color=COLOURS["blue"], markersize=9)
        left.annotate(f"{time:.3g}", (time, place), (9, 0), textcoords="offset points", va="center")
    left.set(xscale="log", xlabel="milliseconds, forward (log scale)", title="Several ways to write it …")
    left.xaxis.set_major_locator(LogLocator(10, subs=(1, 3)))  # few enough to be read side by side
    left.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    left.minorticks_off()
    left.set_yticks(places, list(milliseconds))
    left.grid(axis="y", color="#dddddd")
    left.margins(x=0.25, y=0.1)
    for number, name in enumerate(["output", "gradients"]):
        values = [max(pair[number], 1e-9) for pair in errors.values()]
        colour, marker = list(COLOURS.values())[number], MARKERS[number]  # the second fits inside the first
        right.plot(values, places, marker, color=colour, markersize=10 - 4 * number, label=name)
    right.axvline(limit, color=COLOURS["red"], linestyle="--", label="the limit that we set")
    right.set(xscale="log", xlim=(1e-8, 1e-4), xlabel="relative error against float64", title="… and all give the same")
    right.set_yticks(places, [""] * len(places))
    right.set_ylim(left.get_ylim())
    below = right.transAxes + ScaledTranslation(0, -0.42, right.figure.dpi_scale_trans)  # in inches, for any height
    right.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, ncols=3, fontsize=9, handletextpad=0.3
    )


def head_map(weights, titles: Sequence[str], title: str = "", across: int = 4) -> None:
    """Draws one small map for each head, all on one scale from 0 to 1, under a title that says what the head does.

    Shapes: weights (heads, query, key). Raises ValueError unless there is one title for each head.
    """
    weights = as_array(weights)
    if weights.ndim != 3 or len(titles) != len(weights):
        raise ValueError(f"titles: got {len(titles)} for weights {weights.shape}, expected one for each head")
    down = -(-len(weights) // across)
    figure, axes = plt.subplots(down, across, figsize=(2.55 * across, 0.4 + 2.75 * down), squeeze=False)
    for place, ax in enumerate(axes.flat):
        if place >= len(weights):
            ax.set_visible(False)
            continue
        image = ax.imshow(weights[place], cmap=SEQUENTIAL, vmin=0, vmax=1)
        ax.set_title(titles[place], fontsize=10, pad=6)
        _number_places(ax, weights.shape[1:], bottom=place + across >= len(weights), left=place % across == 0)
    figure.suptitle(title, x=0.01, ha="left")
    figure.colorbar(image, ax=axes, label="mean weight", fraction=0.03, pad=0.02)


def _number_places(ax: Axes, shape: tuple, bottom: bool, left: bool) -> None:
    """Places are counted from 1, and every third is named."""
    ax.set_xticks(range(0, shape[1], 3), range(1, shape[1] + 1, 3))
    ax.set_yticks(range(0, shape[0], 3), range(1, shape[0] + 1, 3))
    ax.tick_params(length=0, labelsize=9)
    ax.set(xlabel="keys: input" if bottom else "", ylabel="queries: output" if left else "")


def accuracy_against_heads(series: Mapping[str, tuple], title: str, ax: Axes) -> None:
    """Draws accuracy against the number of heads, 1 to 8, with its spread over the seeds.

    Shapes: each series is (heads, percent, spread), each of shape (points).
    """
    for place, (label, (heads, percent, spread)) in enumerate(series.items()):
        ax.errorbar(
            heads, as_array(percent), as_array(spread), color=list(COLOURS.values())[place], linestyle=LINES[place],
            marker=MARKERS[place], capsize=3, label=label,
        )  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    ax.minorticks_off()
    ax.set(xlabel="heads", ylabel="digits right, in %", title=title, ylim=(0, 105))
    ax.legend(loc="lower right", fontsize=9)
