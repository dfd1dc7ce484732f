"""The pictures of the positions: three doors, clocks, the code as a map, what lengths and distances do."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from course_utils.plots.base import COLOURS, SEQUENTIAL, as_array, curves, row
from course_utils.plots.card import Card

GREY = "#767676"


def where_places_enter() -> None:
    """Draws self-attention from left to right, and above it the three doors: inputs, queries and keys, scores."""
    card = Card(11.0, 4.3)
    card.box("words", 0.85, 1.6, "(length, size)")
    card.box("inputs", 2.6, 1.6, "(length, size)", text="words + places")
    for name, y in (("query", 2.3), ("key", 1.5), ("value", 0.55)):
        card.box(name, 4.35, y, "(length, size)", name)
        card.arrow("inputs", name)
    card.box("turned", 6.0, 1.9, "(length, size)", text="turned")
    card.box("scores", 7.6, 1.9, "(query, key)")
    card.box("weights", 9.15, 1.9, "(query, key)", "weights")
    card.box("context", 10.15, 0.75, "(length, size)", "context")
    for start, stop in (
        ("words", "inputs"), ("query", "turned"), ("key", "turned"), ("turned", "scores"), ("weights", "context"),
        ("value", "context"),
    ):  # fmt: skip
        card.arrow(start, stop)
    card.arrow("scores", "weights", "softmax", lift=0.34)
    for door, x, ways, what in (
        ("inputs", 2.6, "sine and cosine,\nlearned", "1. added to the inputs"),
        ("turned", 6.0, "rotary", "2. turns queries and keys"),
        ("scores", 7.95, "relative bias,\nALiBi", "3. added to the scores"),
    ):
        card.box(what, x, 3.3, text=ways)
        card.note(x, 3.9, what)
        card.arrow(what, door)


def clocks(code, periods: Sequence[float]) -> None:
    """Draws each place as a row of clocks, one for each pair of features; the hand points up at place 0.

    Shapes: code (place, 2 · pairs), sine before cosine; `periods` gives the places that each clock needs for a turn.
    Raises ValueError unless there is one period for each pair.
    """
    hands = as_array(code).reshape(len(code), -1, 2)  # (place, pair, sine and cosine)
    if len(periods) != hands.shape[1]:
        raise ValueError(f"periods: got {len(periods)}, expected one for each of the {hands.shape[1]} pairs")
    ax = plt.subplots(figsize=(1.5 + 1.7 * hands.shape[1], 0.9 + 0.95 * len(hands)))[1]
    for place, clock in np.ndindex(hands.shape[:2]):
        centre = np.array([1.7 * clock, -place])
        ax.add_patch(plt.Circle(centre, 0.42, facecolor="white", edgecolor=GREY))
        tip = centre + 0.38 * hands[place, clock]  # the sine goes right, the cosine up: clockwise, as clocks do
        ax.annotate("", tip, centre, arrowprops={"arrowstyle": "-|>", "color": COLOURS["blue"], "lw": 2.2,
                                                 "shrinkA": 0, "shrinkB": 0})  # fmt: skip
        ax.plot(*centre, "o", color=COLOURS["blue"], markersize=4)
    ax.set_xticks(
        1.7 * np.arange(len(periods)), [f"pair {i}\na turn in\n{p:,.0f} places" for i, p in enumerate(periods)]
    )
    ax.set_yticks(-np.arange(len(hands)), [f"place {place}" for place in range(len(hands))])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlim=(-0.6, 1.7 * hands.shape[1] - 1.1), ylim=(0.4 - len(hands), 0.6), aspect="equal")
    ax.set_title("A place is a row of clock hands: fast ones, slow ones")


def code_map(code, title: str) -> None:
    """Draws an encoding as a map: a row for each place, a column for each feature, from −1 (white) to 1 (dark).

    Shapes: code (place, feature).
    """
    code = as_array(code)
    figure, ax = plt.subplots(figsize=(8, 4.6))
    image = ax.imshow(code, cmap=SEQUENTIAL, vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    ax.set(xlabel="feature (even: sine, odd: cosine)", ylabel="place", title=title)
    ax.tick_params(length=0)
    figure.colorbar(image, ax=ax, label="value", pad=0.02)


def product_against_distance(distance, products: Mapping[str, np.ndarray], norms) -> None:
    """Draws, on the left, the dot product of two codes against their distance; on the right, the norm at each place.

    Shapes: distance (points), each of the products (points), norms (place).
    """
    left, right = row(2, width=5.4, height=3.8)
    curves({name: (distance, product) for name, product in products.items()}, "distance of two places",
           "dot product / norm²", "Largest at 0, and not falling all the way", ax=left)  # fmt: skip
    left.axhline(0, color=GREY, linewidth=0.8)
    norms = as_array(norms)
    points = {"norm": (np.arange(len(norms)), norms)}
    curves(points, "place", "norm of the code", "Every code has the same norm", ax=right)
    right.set_ylim(0, 1.5 * norms.max())


def weight_against_distance(mean: Mapping[str, Sequence[float]], trained: int) -> None:
    """Draws the mean weight that trained models give at each distance; distances up to `trained` occurred in training.

    Shapes: mean (distance), from 0 on, one for each model.
    """
    ax = row(1, width=8.6, height=3.8)[0]
    ax.axvspan(-0.5, trained + 0.5, color="#eeeeee", zorder=0)
    curves({name: (np.arange(len(found)), found) for name, found in mean.items()}, "distance of query and key",
           "mean weight", "Three before, examined at length 96", ax=ax)  # fmt: skip
    ax.text(
        trained, 0.97, "trained", ha="right", va="top", color="#555555", fontsize=9, transform=ax.get_xaxis_transform()
    )
    ax.set_ylim(bottom=0)
    ax.set_xticks([3, *range(10, len(next(iter(mean.values()))), 10), 47])


def along_training(panels: Mapping[str, Mapping[str, tuple]], title: str) -> None:
    """Draws what models reach after more and more steps of training, a panel for each choice of learning rates.

    Shapes: each way is (steps, percent, spread), each of shape (points).
    """
    axes = row(len(panels), width=5.2, height=3.8)
    for place, (ax, (panel, ways)) in enumerate(zip(axes, panels.items(), strict=True)):
        label = "digits right, in %" if place == 0 else ""
        curves(ways, "training steps (log scale)", label, panel, ax=ax, logx=True)
        steps = [int(n) for n in next(iter(ways.values()))[0]]
        ax.set_xticks(steps, [str(n) for n in steps])
        ax.minorticks_off()
        ax.set_ylim(55, 101)
        if (legend := ax.get_legend()) is not None:  # one way alone has none
            legend.set_loc("lower right")
            legend.set_visible(place == 0)  # the colours are the same in all panels
    axes[0].figure.suptitle(title, fontsize=12)


def extrapolation(tasks: Mapping[str, Mapping[str, tuple]], trained: int) -> None:
    """Draws accuracy against length, one panel for each task; the lengths up to `trained` were seen in training.

    Shapes: each way is (lengths, percent, spread), each of shape (points).
    """
    axes = row(len(tasks), width=4.3, height=4.6)
    lines: dict[str, Line2D] = {}
    for place, (ax, (task, ways)) in enumerate(zip(axes, tasks.items(), strict=True)):
        ax.axvspan(min(next(iter(ways.values()))[0]) / 1.1, trained, color="#eeeeee", zorder=0)
        curves(ways, "length (log scale)", "digits right, in %" if place == 0 else "", task, ax=ax, logx=True)
        ticks = [int(x) for x in next(iter(ways.values()))[0]]
        ax.set_xticks(ticks, [str(x) for x in ticks])
        ax.minorticks_off()
        ax.set_ylim(0, 105)
        ax.text(trained / 1.07, 3, "trained", ha="right", color="#555555", fontsize=9)
        lines |= {line.get_label(): line for line in ax.get_legend_handles_labels()[0] if line.get_label() not in lines}
        ax.get_legend().remove()
    axes[0].figure.legend(lines.values(), lines, loc="outside lower center", ncols=len(lines), fontsize=10)
