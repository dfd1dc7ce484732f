"""The pictures of lesson 11: a block in two orders, encoder and decoder, a mask of one sequence, the next letter."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from course_utils.plots.base import COLOURS, as_array, row
from course_utils.plots.card import GREY, ROLES, Card

STREAM = COLOURS["black"]


def two_blocks() -> None:
    """Draws a block twice, its stream as a line from bottom to top: with the norm last, and with the norm first."""
    card = Card(11.4, 5.5, "One block, in two orders")
    for left, title, first in ((0.5, "norm last (post-norm, 2017)", False), (6.0, "norm first (pre-norm)", True)):
        line, far = left + 0.75, left + 3.7
        card.note(left, 4.95, title, align="left")
        for place, (name, role) in enumerate((("attention", "weights"), ("feed-forward", "value"))):
            low = 1.05 + 1.85 * place
            card.box(f"{title}{name}", far, low, role=role, text=name)
            read = far - 0.75
            if first:
                card.box(f"{title}norm {place}", line + 1.25, low, text="norm")
                _line(card, (line, low), (line + 0.8, low), head=True)
                _line(card, (line + 1.7, low), (read, low), head=True)
            else:
                _line(card, (line, low), (read, low), head=True)
            _line(card, (far, low + 0.2), (far, low + 0.7), colour=ROLES[role])
            _line(card, (far, low + 0.7), (line + 0.22, low + 0.7), head=True, colour=ROLES[role])
            _plus(card, line, low + 0.7)
            if not first:
                card.box(f"{title}norm {place}", line, low + 1.2, text="norm")
        _line(card, (line, 0.42), (line, 4.68), True, STREAM, 3.0, 1.2)
        said = "nothing stands on the stream: it is only added to" if first else "every norm stands on the stream"
        card.note(line + 0.2, 0.42, said, align="left")


def _line(
    card: Card, start, stop, head: bool = False, colour: str = GREY, width: float = 1.5, order: float = 1.5
) -> None:
    arrow = FancyArrowPatch(
        start, stop, arrowstyle="-|>" if head else "-", mutation_scale=10 + 3 * width, linewidth=width, color=colour,
        shrinkA=0, shrinkB=0, zorder=order,
    )  # fmt: skip
    card.axes.add_patch(arrow)


def _plus(card: Card, x: float, y: float) -> None:
    paper = {"boxstyle": "circle,pad=0.12", "facecolor": "white", "edgecolor": STREAM, "linewidth": 1.6}
    card.axes.text(x, y, "+", ha="center", va="center", size=13, bbox=paper, zorder=3)


def encoder_decoder() -> None:
    """Draws encoder and decoder side by side: what asks, what answers, and which mask each attention has."""
    card = Card(11.4, 5.6, "Encoder and decoder")
    reader, writer = 2.6, 7.6
    card.box("source", reader, 0.6, "(batch, source)", text="French words")
    card.box("target", writer, 0.6, "(batch, target)", text="English words so far")
    for x, name in ((reader, "source"), (writer, "target")):
        card.box(f"{name} embed", x, 1.45, text="embed, add places")
        card.arrow(name, f"{name} embed")
    for x, wide in ((reader, 1.75), (writer, 2.35)):
        block = Rectangle((x - wide / 2 - 0.05, 2.05), wide + 0.1, 2.2, fill=False, ls="--", lw=1.3, ec=GREY)
        card.axes.add_patch(block)
    card.box("look", reader, 2.35, role="weights", text="self-attention")
    card.box("think", reader, 3.95, role="value", text="feed-forward")
    card.box("memory", reader, 4.8, "(batch, source, size)", "key", "memory")
    card.box("own", writer, 2.35, role="weights", text="causal self-attention")
    card.box("cross", writer, 3.15, role="weights", text="cross-attention")
    card.box("write", writer, 3.95, role="value", text="feed-forward")
    card.box("logits", writer, 4.8, "(batch, target, vocabulary)", "query", "scores of the next word")
    for start, stop in (("source embed", "look"), ("look", "think"), ("think", "memory"), ("target embed", "own"),
                        ("own", "cross"), ("cross", "write"), ("write", "logits")):  # fmt: skip
        card.arrow(start, stop)
    card.arrow("memory", "cross", role="key")
    card.note(5.0, 4.35, "keys, values", "key")
    card.note(7.75, 2.75, "queries", "query", "left")
    card.note(0.3, 2.35, "mask: the\nsource's padding", "weights", "left")
    card.note(8.95, 2.35, "mask: what comes later", "weights", "left")
    card.note(8.95, 3.15, "mask: the source's padding", "weights", "left")
    card.note(0.2, 3.8, "a block: each part\nhas norm and sum", align="left")
    card.note(8.95, 3.95, "a block, repeated", align="left")


def ablation(found: Mapping[str, Sequence[float]], note: str = "", title: str = "") -> None:
    """Draws a row of points for each contestant, one for each seed, and a line at their mean; the least loss on top.

    Shapes: found {name: (seed)}, losses of a word in nats. `note` stands below the axis: how it was measured.
    """
    names = sorted(found, key=lambda name: -float(np.mean(found[name])))
    ax = row(1, 8.4, 1.4 + 0.32 * len(names))[0]
    for place, name in enumerate(names):
        values, mean = as_array(found[name]), float(np.mean(found[name]))
        ax.plot(values, [place] * len(values), "o", color=COLOURS["blue"], alpha=0.45, markersize=6)
        ax.plot([mean, mean], [place - 0.32, place + 0.32], "-", color=COLOURS["blue"], linewidth=2.4)
    ax.set_yticks(range(len(names)), names)
    ax.set(title=title, xlabel="loss of a word on unseen sentences (nats)" + (f"\n{note}" if note else ""))
    ax.grid(axis="x", color="#eeeeee")


def sequence_mask(mask, source: Sequence[str], target: Sequence[str], title: str = "", ax: Axes | None = None) -> None:
    """Draws the mask of one sequence that is a source and its translation: who may see whom, in four quarters.

    Shapes: mask (query, key), True = may attend, for the source's words and then the target's. Raises ValueError for
    another shape.
    """
    seen = as_array(mask)
    words = [*source, *target]
    if seen.shape != (len(words), len(words)):
        raise ValueError(f"mask: got shape {seen.shape}, expected ({len(words)}, {len(words)}), a row for each word")
    ax = row(1, 5.6, 5.0)[0] if ax is None else ax
    ax.pcolormesh(seen, cmap="Blues", vmin=0, vmax=1.6, edgecolor="#dddddd", linewidth=0.5)
    ax.set(ylim=(len(words), 0), title=title, xlabel="keys", ylabel="queries")
    ax.set_xticks(np.arange(len(words)) + 0.5, words, rotation=45, ha="left", rotation_mode="anchor")
    ax.set_yticks(np.arange(len(words)) + 0.5, words)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("bottom")
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    for draw_line in (ax.axhline, ax.axvline):
        draw_line(len(source), color=COLOURS["red"], linewidth=2)


def next_letters(chances: Mapping[str, Sequence[float]], letters: Sequence[str], title: str = "") -> None:
    """Draws how likely each next letter is, once for each setting, side by side; what is cut off has no bar.

    Shapes: chances {setting: (letter)}, letters (letter), the likeliest first. Raises ValueError for another number.
    """
    axes = row(len(chances), 11.0 / len(chances), 0.7 + 0.27 * len(letters))
    places = np.arange(len(letters))
    for ax, (name, values) in zip(axes, chances.items(), strict=True):
        heights = as_array(values)
        if heights.shape != places.shape:
            raise ValueError(f"chances: got {heights.size} numbers for {name!r}, expected {len(letters)}")
        ax.barh(places, heights, color=[COLOURS["blue"] if value > 0 else "none" for value in heights])
        ax.set(title=name, xlim=(0, 1), ylim=(len(letters) - 0.4, -0.6), xlabel="probability")
        ax.set_xticks([0, 0.5])  # a tick at 1 would touch the neighbour's at 0
        ax.set_yticks(places, letters if ax is axes[0] else [""] * len(letters))
        ax.tick_params(axis="y", length=0)
        for place, value in zip(places, heights, strict=True):
            if value >= 0.005:
                ax.text(value + 0.02, place, f"{value:.2f}", va="center", size=8)
    axes[0].set_ylabel(f"next letter, the {len(letters)} likeliest")
    if title:
        axes[0].figure.suptitle(title, x=0.01, ha="left", fontsize=12)
