"""The pictures of the shop: one search drawn, goods on their shelves, blend against rank, tables, kernels."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from course_utils.data.catalogue import ATTRIBUTES, SHELF
from course_utils.data.shop import NAMES
from course_utils.plots.base import COLOURS, SEQUENTIAL, as_array, curves, row
from course_utils.plots.card import Card

GREY = "#767676"  # dark enough to be read on white
SIGNED = "RdBu"  # blue is more, as in every map of the course; red is less than nothing


def one_search() -> None:
    """Draws a search of the shop as a card: words, query, keys, scores, weights, values, and the blend."""
    card = Card(10.7, 3.7, "One search in four steps")
    card.box("words", 0.85, 1.2, "(1, word)")
    card.box("query", 2.9, 1.2, "(1, attribute)", "query")
    card.box("keys", 4.85, 2.6, "(good, attribute)", "key", "keys of the goods")
    card.box("scores", 4.85, 1.2, "(1, good)")
    card.cells("weights", 7.05, 1.2, [0.3, 0.02, 0.6, 0.02, 0.06], "weights", size=0.23)
    card.note(7.05, 0.88, "weights, (1, good)", "weights")
    card.box("values", 9.4, 2.6, "(good, fact)", "value", "values of the goods")
    card.box("context", 9.4, 1.2, "(1, fact)", "context", "blend (context)")
    card.arrow("words", "query", "1 encode")
    card.arrow("query", "scores", "2 score", "query")
    card.arrow("keys", "scores", "dot product", "key", lift=-0.08)
    card.arrow("scores", "weights", "3 softmax")
    card.arrow("weights", "context", "4 mix", "weights")
    card.arrow("values", "context", "as much as the weights say", "value", lift=-0.08)
    card.note(0.4, 0.38, "The keys decide how much each good matters. The values are what comes back.", align="left")


def shelf(weights, queries: Sequence[str], top: float | None = None) -> None:
    """Draws the whole shop once for each query: every good in its place, darker the more weight it gets.

    Shapes: weights (query, good). All queries share one scale from 0 to `top`, by default the largest weight.
    Raises ValueError when weights do not fit the queries and the catalogue.
    """
    weights = as_array(weights)
    if weights.shape != (len(queries), len(NAMES)):
        raise ValueError(f"weights: got shape {weights.shape}, expected {(len(queries), len(NAMES))}, (query, good)")
    shades = plt.cm.ScalarMappable(Normalize(0, weights.max() if top is None else top), SEQUENTIAL)
    figure, axes = plt.subplots(len(queries), 1, figsize=(10.5, 2.35 * len(queries)), squeeze=False)
    for ax, query, line in zip(axes[:, 0], queries, weights, strict=True):
        for place, (name, weight) in enumerate(zip(NAMES, line, strict=True)):
            _tile(ax, place % SHELF, place // SHELF, name, weight, shades)
        ax.set(xlim=(-0.03, SHELF), ylim=(len(NAMES) // SHELF, -0.05), xticks=[], yticks=[])
        ax.set_title(f"“{query}”", fontsize=13, fontweight="bold")
        for side in ax.spines.values():
            side.set_visible(False)
    figure.colorbar(shades, ax=axes, label="weight", fraction=0.02, pad=0.01, aspect=30)


def _tile(ax: Axes, across: int, down: int, name: str, weight: float, shades) -> None:
    colour = shades.to_rgba(weight)
    dark = shades.norm(weight) > 0.55
    lit = weight >= 0.01
    ax.add_patch(Rectangle((across, down), 0.97, 0.93, facecolor=colour, edgecolor="#c4c4c4", linewidth=0.8))
    text = name.replace(" ", "\n") + (f"\n{100 * weight:.0f} %" if lit else "")
    ax.text(
        across + 0.485, down + 0.465, text, ha="center", va="center", fontsize=7.5, linespacing=1.05,
        color="white" if dark else "black" if lit else GREY, fontweight="bold" if lit else "normal",
    )  # fmt: skip


def cooling(degrees, weights: Mapping[str, object], sharing) -> None:
    """Draws against the temperature the weights of a few goods, and how many goods share the weight.

    Shapes: degrees, each of weights, and sharing: (temperature).
    """
    left, right = row(2, width=5.2, height=3.8)
    series = {name: (degrees, line) for name, line in weights.items()}
    curves(series, "temperature", "weight", "Cold: the best takes all. Hot: all alike", ax=left)
    title = "From one good to the whole shop"
    curves({"": (degrees, sharing)}, "temperature", "goods that share the weight", title, ax=right)
    right.set_ylim(0, len(NAMES) + 1)
    for ax in (left, right):
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")


def blend_against_rank(weights, values, context, query: str, count: int = 8) -> None:
    """Draws what a shop shows, a ranked list, beside what attention returns, one point between the goods.

    Shapes: weights (good), values (good, at least price and weight), context (at least price and weight).
    """
    weights, values, context = as_array(weights), as_array(values), as_array(context)
    order = np.argsort(-weights, kind="stable")[:count]
    left, right = row(2, width=5.2, height=4.2)
    left.barh(range(count), weights[order], color=plt.get_cmap(SEQUENTIAL)(0.75))
    left.set_yticks(range(count), [f"{place}. {NAMES[good]}" for place, good in enumerate(order, 1)])
    left.tick_params(axis="y", length=0)
    left.invert_yaxis()
    left.xaxis.set_major_locator(MaxNLocator(5))
    left.set(xlabel="weight", title=f"A shop answers “{query}” with a list …")
    for good in order:  # the goods pull the blend, each as strongly as its weight
        right.plot(*zip(values[good, :2], context[:2], strict=True), color=COLOURS["blue"], alpha=0.35,
                   linewidth=25 * weights[good], solid_capstyle="butt", zorder=1)  # fmt: skip
    right.scatter(values[:, 0], values[:, 1], s=22, color="#9a9a9a", zorder=2, label="a good")
    right.scatter(*values[order, :2].T, s=600 * weights[order], color=COLOURS["blue"], zorder=3, label="the eight best")
    right.scatter(*context[:2], marker="X", s=190, color=COLOURS["red"], edgecolor="white", zorder=5, label="the blend")
    right.set(
        xlabel="price in yuan", ylabel="weight in grams", title="… attention with one point, where no good is",
        xlim=(-300, 9600), ylim=(-150, 3700),
    )  # fmt: skip
    _name_corners(right, values)
    right.legend(loc="upper right")


def _name_corners(ax: Axes, values: np.ndarray) -> None:
    """Names what the eye looks for: the laptops, and by a line the paper notebook in the crowd."""
    for name, shift, side in [
        ("laptop", (-6, 9), "right"), ("ultrabook", (8, -13), "left"), ("gaming laptop", (-10, 1), "right"),
        ("tablet", (9, -4), "left"),
    ]:  # fmt: skip
        place = values[NAMES.index(name), :2]
        ax.annotate(name, place, shift, textcoords="offset points", ha=side, fontsize=9, zorder=6)
    line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.8}
    paper = values[NAMES.index("lined notebook"), :2]
    ax.annotate("lined notebook", paper, (1100, 1700), fontsize=9, ha="left", arrowprops=line, zorder=6)


def word_tables(tables: Mapping[str, object], words: Sequence[str]) -> None:
    """Draws tables of words against attributes side by side, each scaled to its largest entry; negative ones are red.

    Shapes: each table (word, attribute).
    """
    _, axes = plt.subplots(1, len(tables), figsize=(10.5, 1.6 + 0.2 * len(words)), squeeze=False, sharey=True)
    for ax, (title, table) in zip(axes[0], tables.items(), strict=True):
        table = as_array(table)
        image = ax.imshow(table / max(np.abs(table).max(), 1e-9), cmap=SIGNED, vmin=-1, vmax=1, aspect="auto")
        ax.set_xticks(range(len(ATTRIBUTES)), ATTRIBUTES, rotation=40, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(words)), words)
        ax.set(xlabel="attributes of a key", title=title)
        ax.tick_params(length=0, labelsize=9)
        ax.grid(False)
    axes[0, 0].set_ylabel("words of a query")
    plt.colorbar(image, ax=axes, label="share of the largest entry", fraction=0.02, pad=0.01)


def kernel_fits(x, y, weights: Mapping[str, object], query: int, grid, fits: Mapping[str, object], truth) -> None:
    """Draws, for each kernel width, the prediction over the points; their colour is their weight for one query.

    Shapes: x and y (key), each of weights (query, key), grid, truth and each of fits (query). `query` is the place on
    the grid of the query whose weights are shown.
    """
    axes = row(len(fits), width=3.6, height=3.6)
    x, y, grid, truth = as_array(x), as_array(y), as_array(grid), as_array(truth)
    for ax, (title, fit) in zip(axes, fits.items(), strict=True):
        shades = as_array(weights[title])[query]
        ax.axvline(grid[query], color=COLOURS["red"], linewidth=1, linestyle=":", label="the query")
        ax.scatter(x, y, c=shades, cmap=SEQUENTIAL, vmin=0, vmax=shades.max(), edgecolor=GREY, linewidth=0.6, s=34)
        ax.plot(grid, truth, "--", color="black", linewidth=1.2, label="the truth")
        ax.plot(grid, as_array(fit), color=COLOURS["red"], linewidth=2, label="attention")
        ax.set(xlabel="degrees outside", ylabel="thermoses sold in a day" if ax is axes[0] else "", title=title)
        ax.set(ylim=(0, y.max() * 1.08))
    axes[0].legend(loc="upper right", fontsize=9)
