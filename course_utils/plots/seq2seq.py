"""The pictures of the encoder-decoder: two orders of looking and writing, curves that part, alignments of words."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from course_utils.plots.base import COLOURS, LINES, MARKERS, SEQUENTIAL, as_array
from course_utils.plots.card import Card

GREY = "#767676"  # dark enough to be read on white


def two_orders() -> None:
    """Draws one step of two decoders: the state before asks (Bahdanau), or the state after asks (Luong)."""
    card = Card(9.6, 6.1)
    first = {"look": (3.9, 0.45), "cell": (6.0, 1.3)}
    second = {"look": (6.0, 0.45), "cell": (3.9, 1.3)}
    _order(card, 3.05, first, "before", "Bahdanau: the state before asks, and the context goes into the cell")
    _order(
        card, 0.1, second, "cell", "Luong: the cell moves first, the state after asks, and the context stays outside"
    )


def _order(card: Card, base: float, places: dict, asks: str, title: str) -> None:
    """One step: who asks, and whether the context enters the recurrent cell."""
    name = {part: f"{part} at {base}" for part in ("sound", "before", "states", "look", "cell", "join", "next")}
    look, cell = places["look"], places["cell"]
    card.note(0.3, base + 2.62, title, align="left")
    card.box(name["sound"], 1.15, base + 2.05, "(1, size)", text="sound before")
    card.box(name["before"], 1.15, base + 1.3, "(1, size)", "query" if asks == "before" else "plain", "state before")
    card.box(name["states"], 1.15, base + 0.45, "(letters, size)", "key", "letters' states")
    card.box(name["look"], look[0], base + look[1], "(1, letters)", "weights", "weights")
    card.box(name["cell"], cell[0], base + cell[1], text="GRU cell")
    card.box(name["join"], 8.35, base + 1.3, "(1, size)", text="join")
    card.box(name["next"], 8.35, base + 2.15, text="next sound")
    card.arrow(name["sound"], name["cell"])
    card.arrow(name["before"], name["cell"])
    card.arrow(name["states"], name["look"], "keys, values", "key", lift=0.03)
    card.arrow(name[asks], name["look"], "query", "query", lift=-0.09)
    card.arrow(name["cell"], name["join"], "state after", lift=0.03)
    card.arrow(name["look"], name["join"], "context", "context", lift=-0.09)
    if asks == "before":
        card.arrow(name["look"], name["cell"], "context", "context", lift=-0.09)
    card.arrow(name["join"], name["next"])


def parting_curves(
    lengths: Sequence[int],
    curves: Mapping[str, Sequence],
    ylabel: str,
    title: str = "",
    counts: Sequence[int] | None = None,
    ax: Axes | None = None,
) -> None:
    """Draws error against length for several models, each with its own colour, line and marker.

    Shapes: lengths (points), each curve (points), or (seeds, points): then the line is the mean, in a band from the
    least to the greatest. `counts` says how many words stand behind each point, as small numbers below the curves.
    Raises ValueError for a curve without a number for each length.
    """
    ax = plt.subplots(figsize=(8, 4.6))[1] if ax is None else ax
    x, means = as_array(lengths), []
    for place, (name, values) in enumerate(curves.items()):
        y = np.atleast_2d(as_array(values))
        if y.shape[-1] != len(x):
            raise ValueError(f"curves: got {y.shape[-1]} numbers for {name!r}, expected {len(x)}, one for each length")
        colour = [COLOURS["orange"], COLOURS["purple"], COLOURS["blue"], COLOURS["green"]][place % 4]
        ax.plot(
            x, y.mean(0), LINES[place % 4], marker=MARKERS[place], markersize=5, linewidth=2, color=colour, label=name
        )
        ax.fill_between(x, y.min(0), y.max(0), color=colour, alpha=0.25, linewidth=0)
        means.append(y.mean(0))
    ax.set(xlabel="letters in the word", ylabel=ylabel, title=title, ylim=(0, 1.12 * np.max(means)))
    ax.set_xticks(x, [f"{length:.0f}" for length in x])
    ax.legend(loc="upper left")
    if counts is not None:
        for place, count in zip(x, counts, strict=True):
            ax.text(place, 0.6, f"{count}", ha="center", va="bottom", size=8, color=GREY)
        ax.text(x[0] - 0.4, 0.6, "words:", ha="right", va="bottom", size=8, color=GREY)
        ax.set_xlim(x[0] - 1.6, x[-1] + 0.6)


def word_alignments(
    maps: Sequence,
    words: Sequence[str],
    sounds: Sequence[Sequence[str]],
    true: Sequence[Sequence[str] | None] | None = None,
    title: str = "",
    across: int = 2,
) -> None:
    """Draws what each written sound looked at: letters across (keys), sounds down (queries), one map for each word.

    Shapes: maps of shape (query, key), at least as many rows as sounds and columns as letters; the rest is left out.
    Over each map stand the word and what was written, and below that the true sounds, or "right", or nothing where
    they are not known. Raises ValueError when maps, words, sounds and true differ in number.
    """
    true = [None] * len(words) if true is None else true
    if not len(maps) == len(words) == len(sounds) == len(true):
        raise ValueError(
            f"maps: got {len(maps)} maps, {len(words)} words, {len(sounds)} rows of sounds, {len(true)} true ones, "
            "expected equal"
        )
    across = min(across, len(words))
    widths = [max(4, *map(len, words[column::across])) for column in range(across)]
    # As tall as the words have letters: the size of a figure must not depend on what a model wrote.
    heights = [max(4, *map(len, words[first : first + across])) for first in range(0, len(words), across)]
    figure, axes = plt.subplots(
        len(heights), across, squeeze=False, width_ratios=widths, height_ratios=heights,
        figsize=(1.4 + 0.36 * sum(widths) + 0.4 * across, 0.4 + 0.36 * sum(heights) + 1.4 * len(heights)),
    )  # fmt: skip
    for empty in axes.flat[len(words) :]:
        empty.set_visible(False)
    for place, (weights, word, spoken, wanted) in enumerate(zip(maps, words, sounds, true, strict=True)):
        ax = axes.flat[place]
        shown = as_array(weights)[: len(spoken), : len(word)]
        image = ax.pcolormesh(shown, cmap=SEQUENTIAL, vmin=0, vmax=1, edgecolor="#e0e0e0", linewidth=0.5)
        ax.set(xlim=(0, widths[place % across]), ylim=(len(spoken), 0))  # so that all cells have one size
        ax.set_xticks(np.arange(len(word)) + 0.5, list(word))
        ax.set_yticks(np.arange(len(spoken)) + 0.5, list(spoken))
        ax.xaxis.tick_top()
        ax.tick_params(length=0, labelsize=12)
        ax.spines[:].set_visible(False)
        ax.set_xlabel("keys: letters", loc="left")
        ax.set_aspect("equal")
        ax.set_anchor("NW")
        said = " ".join(spoken)
        verdict = "" if wanted is None else "\nright" if said == " ".join(wanted) else f"\ntrue: {' '.join(wanted)}"
        ax.set_title(f"{word} → {said}{verdict}", size=10, color="#a03000" if "true" in verdict else "black")
    for ax in axes[:, 0]:
        ax.set_ylabel("queries: sounds")
    figure.colorbar(image, ax=axes, label="weight", shrink=0.75, aspect=20, pad=0.02, panchor=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
