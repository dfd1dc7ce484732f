"""The pictures of lesson 03: one source, shuffled maps, four kinds, self-weights, and what a gradient is worth."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils.plots.base import COLOURS, LINES, MARKERS, as_array, heatmap, row
from course_utils.plots.card import Card

A_MAP = [[0.1, 0.7, 0.1], [0.6, 0.1, 0.3], [0.1, 0.2, 0.7]]  # no data: a map of weights as small as can be


def one_source() -> None:
    """Draws self-attention: one source, three projections, then the steps that every attention has."""
    card = Card(10.4, 4.1)
    card.box("x", 1.1, 2.05, "(length, input size)", text="source x")
    projections = {
        "query": (3.3, "(length, size)"),
        "key": (2.05, "(length, size)"),
        "value": (0.8, "(length, value size)"),
    }
    for name, (height, shape) in projections.items():
        card.box(name, 4.1, height, shape, name)
        card.arrow("x", name, f"W {name}", name, lift=0.04)
    card.box("scores", 6.5, 2.7, "(length, length)")
    card.arrow("query", "scores", role="query")
    card.arrow("key", "scores", role="key")
    card.cells("weights", 8.9, 2.7, A_MAP, "weights", "weights (length, length)")
    card.arrow("scores", "weights", "softmax")
    card.box("context", 8.9, 0.8, "(length, value size)", "context")
    card.arrow("weights", "context", role="weights")
    card.arrow("value", "context", "mixed by the weights", "value")


def side_by_side(maps: Mapping[str, tuple], mark: tuple[str, str] | None = None) -> None:
    """Draws maps of weights beside each other; one pair of names is framed in each, so that it can be followed.

    Each entry of `maps` is a title with (weights, names). Shapes: weights (name, name). Raises ValueError when a
    marked name is missing.
    """
    axes = row(len(maps), width=5.4, height=4.3)
    _apart(axes[0].figure)
    for ax, (title, (weights, names)) in zip(axes, maps.items(), strict=True):
        heatmap(weights, queries=names, keys=names, title=title, ax=ax)
        if mark is not None:
            if absent := set(mark) - set(names):
                raise ValueError(f"mark: got {', '.join(sorted(absent))}, expected two of {', '.join(names)}")
            down, across = (list(names).index(name) for name in mark)
            ax.add_patch(Rectangle((across, down), 1, 1, fill=False, edgecolor=COLOURS["orange"], linewidth=3.5))


def two_axes(maps: Mapping[tuple[str, str], object], keys: Sequence[str], queries: Mapping[str, Sequence[str]]) -> None:
    """Draws one map for each pair of answers: how the choice is made (down) and who asks (across).

    Shapes: maps[how, who] (query, key); `queries` holds the names of those who ask, for each `who`.
    """
    hows, whos = (list(dict.fromkeys(pair[place] for pair in maps)) for place in (0, 1))
    figure, axes = plt.subplots(len(hows), len(whos), figsize=(5.4 * len(whos), 3.7 * len(hows)), squeeze=False)
    _apart(figure)
    for line, how in zip(axes, hows, strict=True):
        for ax, who in zip(line, whos, strict=True):
            heatmap(maps[how, who], queries=queries[who], keys=keys, title=f"{how}, {who}", ax=ax)


def _apart(figure: Figure) -> None:
    """Keeps the label of a colour bar away from the names of the next map."""
    figure.set_layout_engine("constrained", wspace=0.06)


def histograms(series: Mapping[str, object], xlabel: str, title: str = "") -> None:
    """Draws histograms of numbers from 0 to 1 below each other, each with its mean.

    Shapes: each series (count).
    """
    _, axes = plt.subplots(len(series), 1, figsize=(8, 1.25 * len(series) + 0.9), sharex=True, squeeze=False)
    for ax, colour, (label, numbers) in zip(axes[:, 0], COLOURS.values(), series.items(), strict=False):
        numbers = as_array(numbers)
        share = np.full(len(numbers), 100 / len(numbers))
        ax.hist(numbers, bins=50, range=(0, 1), weights=share, color=colour, alpha=0.85)
        ax.axvline(numbers.mean(), color="black", linestyle="--", linewidth=1.3)
        ax.text(0.4, 0.8, f"{label}: mean {numbers.mean():.2f}", transform=ax.transAxes, ha="center", va="center")
        ax.set_ylabel("% of tokens", fontsize=9)
    axes[0, 0].set_title(title)
    axes[-1, 0].set(xlabel=xlabel, xlim=(0, 1))


def bias_and_variance(bias: Mapping, variance: Mapping) -> None:
    """Draws squared bias and variance of a gradient: numbers as curves over temperature, names as lines.

    Shapes: each entry (seed); the mean is drawn, with the standard error of the mean as a bar.
    """
    left, right = row(2, width=5.4, height=4)
    _over_temperature(left, bias, "squared bias", "Straight-through: the hotter, the more wrong …")
    _over_temperature(right, variance, "variance", "… and the calmer")
    right.set_yscale("log")
    left.legend(loc="upper left")


def _over_temperature(ax: Axes, found: Mapping, ylabel: str, title: str) -> None:
    degrees = [way for way in found if not isinstance(way, str)]
    lines = [way for way in found if isinstance(way, str)]
    colours = list(COLOURS.values())
    means, errors = zip(*(_mean_and_error(found[way]) for way in degrees), strict=True)
    ax.errorbar(degrees, means, errors, marker=MARKERS[0], color=colours[0], capsize=3, label="straight-through")
    for place, way in enumerate(lines, 1):
        mean, error = _mean_and_error(found[way])
        ax.axhline(mean, linestyle=LINES[place], color=colours[place], label=way)
        ax.axhspan(mean - error, mean + error, color=colours[place], alpha=0.2, linewidth=0)
    ax.set_xscale("log", base=2)
    ax.set_xticks(degrees, [f"{degree:g}" for degree in degrees])
    ax.set(xlabel="temperature", ylabel=f"{ylabel}, as a share of the exact gradient²", title=title)


def _mean_and_error(numbers) -> tuple[float, float]:
    numbers = as_array(numbers)
    return numbers.mean(), numbers.std(ddof=1) / np.sqrt(len(numbers))
