"""The pictures of the encoder-decoder: two orders of looking and writing, curves that part, alignments of words."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from course_utils.plots.base import COLOURS, SEQUENTIAL, as_array

GREY = "#767676"  # dark enough to be read on white
DARK_ORANGE = "#8F6200"  # for words: the orange of the lines is too pale to be read
BOX = {"boxstyle": "round,pad=0.35", "facecolor": "white", "linewidth": 1.6}


def two_orders() -> None:
    """Draws one step of two decoders: the state before asks (Bahdanau), or the state after asks (Luong)."""
    _, axes = plt.subplots(2, 1, figsize=(9.4, 5.4))
    fixed = {
        "sound before": (0.9, 2.2),
        "state before": (0.9, 1.35),
        "letters' states": (0.9, 0.35),
        "join": (7.1, 1.35),
    }
    first = {**fixed, "look": (3.1, 0.35), "cell": (5.1, 1.35)}
    second = {**fixed, "cell": (3.1, 1.35), "look": (5.1, 0.35)}
    _order(
        axes[0], first, "state before", "cell", "Bahdanau: the state before asks, and the context goes into the cell"
    )
    _order(axes[1], second, "cell", None, "Luong: the state after asks, and the context stays out of the cell")


def _order(ax: Axes, places: dict, asks: str, into: str | None, title: str) -> None:
    """One step: who asks, and whether the context enters the recurrent cell."""
    for name, (x, y) in places.items():
        edge = {"look": COLOURS["red"], "cell": COLOURS["blue"]}.get(name, GREY)
        ax.text(x, y, name, ha="center", va="center", size=11, bbox={**BOX, "edgecolor": edge}, zorder=3)
    arrows = [("sound before", "cell", "", GREY), ("state before", "cell", "", COLOURS["blue"]),
              ("letters' states", "look", "keys, values", GREY), (asks, "look", "query", COLOURS["red"]),
              ("cell", "join", "state after", COLOURS["blue"]),
              ("look", "join", "context", COLOURS["red"])]  # fmt: skip
    arrows += [("look", into, "context", COLOURS["red"])] if into else []
    for start, stop, word, colour in arrows:
        _arrow(ax, _edge(start, places[start], places[stop]), _edge(stop, places[stop], places[start]), word, colour)
    _arrow(ax, (7.5, 1.35), (8.3, 1.35), "", GREY)
    ax.text(8.4, 1.35, "next sound", ha="left", va="center", size=11)
    ax.set(xlim=(0, 9.4), ylim=(0, 2.5), title=title)
    ax.axis("off")


def _edge(name: str, centre: tuple, towards: tuple) -> tuple[float, float]:
    """Where the line from a box to another leaves it; one unit is about an inch."""
    half = np.array([0.17 + 0.042 * len(name), 0.22])
    away = np.array(towards) - centre
    return tuple(centre + away / np.abs(away / half).max())


def _arrow(ax: Axes, start: tuple, stop: tuple, word: str, colour: str) -> None:
    """An arrow with a word on it."""
    style = {"arrowstyle": "-|>", "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 13, "color": colour}
    ax.annotate("", stop, start, arrowprops=style, zorder=2)
    middle = (np.array(start) + stop) / 2
    ax.text(*middle, word, size=9.5, color=colour, ha="center", va="center", zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5} if word else None)  # fmt: skip


def parting_curves(lengths, without, with_it, ylabel: str, title: str, counts=None, ax: Axes | None = None) -> None:
    """Draws error against length for two models, the space between them shaded, and the gap at the longest words.

    Shapes: lengths, without, with_it (points). `counts` says how many words stand behind each point, as small numbers
    below the curves.
    """
    ax = plt.subplots(figsize=(8, 4.6))[1] if ax is None else ax
    x, upper, lower = as_array(lengths), as_array(without), as_array(with_it)
    ax.fill_between(x, lower, upper, color=COLOURS["orange"], alpha=0.15, linewidth=0)
    ax.plot(x, upper, "--s", color=COLOURS["orange"], markersize=6, linewidth=2)
    ax.plot(x, lower, "-o", color=COLOURS["blue"], markersize=6, linewidth=2)
    for y, text, shift in ((upper, "one vector", (-12, 10)), (lower, "with attention", (0, -26))):
        colour = DARK_ORANGE if y is upper else COLOURS["blue"]
        ax.annotate(text, (x[-2], y[-2]), shift, textcoords="offset points", ha="right", color=colour)
    ax.annotate("", (x[-1], upper[-1]), (x[-1], lower[-1]), arrowprops={"arrowstyle": "<->", "color": GREY})
    ax.set(xlabel="letters in the word", ylabel=ylabel, title=title, ylim=(0, 1.12 * max(upper.max(), lower.max())))
    ax.set_xticks(x, [f"{length:.0f}" for length in x])
    if counts is not None:
        for place, count in zip(x, counts, strict=True):
            ax.text(place, 0.6, f"{count}", ha="center", va="bottom", size=8, color=GREY)
        ax.text(x[0] - 0.35, 0.6, "words:", ha="right", va="bottom", size=8, color=GREY)
        ax.set_xlim(x[0] - 1.3, x[-1] + 0.6)


def word_alignments(maps: Sequence, words: Sequence[str], sounds: Sequence[Sequence[str]], title: str = "") -> None:
    """Draws what each written sound looked at: letters across (keys), sounds down (queries), one map for each word.

    Shapes: maps of shape (query, key), at least as many rows as sounds and columns as letters; the rest is left out.
    Raises ValueError when maps, words and sounds differ in number.
    """
    if not len(maps) == len(words) == len(sounds):
        raise ValueError(
            f"maps: got {len(maps)} maps, {len(words)} words, {len(sounds)} rows of sounds, expected equal"
        )
    widths = [max(4, len(word)) for word in words]
    height = 1.3 + 0.36 * max(map(len, sounds))
    figure, axes = plt.subplots(
        1, len(words), figsize=(1.4 + 0.36 * sum(widths) + 0.4 * len(words), height), width_ratios=widths, squeeze=False
    )
    for ax, weights, word, spoken in zip(axes[0], maps, words, sounds, strict=True):
        shown = as_array(weights)[: len(spoken), : len(word)]
        image = ax.pcolormesh(shown, cmap=SEQUENTIAL, vmin=0, vmax=1, edgecolor="#e0e0e0", linewidth=0.5)
        ax.set(xlim=(0, len(word)), ylim=(len(spoken), 0))
        ax.set_xticks(np.arange(len(word)) + 0.5, list(word))
        ax.set_yticks(np.arange(len(spoken)) + 0.5, list(spoken))
        ax.xaxis.tick_top()
        ax.tick_params(length=0, labelsize=12)
        ax.spines[:].set_visible(False)
        ax.set_xlabel("keys: letters")
        ax.set_aspect("equal")
        ax.set_anchor("N")
    axes[0, 0].set_ylabel("queries: sounds")
    figure.colorbar(image, ax=axes[0], label="weight", shrink=0.75, aspect=20, pad=0.02)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
