"""The pictures of lesson 04: what each mask leaves to see, and where an output moved that should not have."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Patch, Rectangle

from course_utils.plots.base import COLOURS, SEQUENTIAL, as_array
from course_utils.plots.card import Card

HIDDEN = {"facecolor": "#f2f2f2", "edgecolor": "#bdbdbd", "hatch": "///", "linewidth": 0}


def where_the_mask_enters() -> None:
    """Draws one row of four scores on its way to weights: the mask meets the scores, before the softmax."""
    card, size = Card(10.6, 3.5), 0.52
    scores, seen = [2.0, 1.0, 1.0, 0.0], [True, True, True, False]
    e = [np.exp(score) if visible else 0.0 for score, visible in zip(scores, seen, strict=True)]
    rows = {
        "scores": (1.4, 1.15, [score / 4 for score in scores], [f"{score:.0f}" for score in scores]),
        "mask": (
            4.35,
            2.55,
            [0.12 * visible for visible in seen],
            ["True" if visible else "False" for visible in seen],
        ),
        "hidden": (4.35, 1.15, [0.5, 0.25, 0.25, 0.0], ["2", "1", "1", "−∞"]),
        "weights": (7.35, 1.15, [x / sum(e) for x in e], [f"{x / sum(e):.2f}" for x in e]),
    }
    titles = {
        "scores": "scores (key)",
        "mask": "mask (key), True = may attend",
        "hidden": "",
        "weights": "weights (key)",
    }
    for name, (x, y, shades, texts) in rows.items():
        card.cells(name, x, y, shades, "weights" if name == "weights" else "plain", titles[name], size)
        for place, text in enumerate(texts):
            dark = name == "weights" and shades[place] > 0.5
            card.axes.text(
                x + (place - 1.5) * size, y, text, ha="center", va="center", size=9, color="white" if dark else "black"
            )
    card.arrow("scores", "hidden")
    card.arrow("mask", "hidden", "where False: −∞", lift=-0.02)
    card.arrow("hidden", "weights", "softmax")
    card.box("context", 9.85, 1.15, "(size)", "context")
    card.arrow("weights", "context")
    card.note(8.86, 1.34, "· values")
    card.note(1.4, 0.55, "a score of 0 is not nothing")
    card.note(7.35, 0.55, "the sum is 1, and the hidden key has no share", "weights")


def gallery(maps: Mapping[str, tuple], names: Sequence[str], across: int = 3) -> None:
    """Draws for each mask the weights that it leaves; what it hides is hatched, so that it differs from a weight of 0.

    Each entry of `maps` is a title with (weights, mask). Shapes: weights and mask (query, key), mask True = may
    attend. Raises ValueError when they do not fit the names.
    """
    axes, spare = _grid(len(maps), across, names)
    for ax, (title, (weights, mask)) in zip(axes, maps.items(), strict=False):
        weights, seen = _square("weights", weights, names), _square("mask", mask, names) > 0
        for (down, right), weight in np.ndenumerate(weights):
            if not seen[down, right]:
                ax.add_patch(Rectangle((right - 0.5, down - 0.5), 1, 1, **HIDDEN))
            elif weight >= 0.005:
                ax.text(right, down, f"{weight:.2f}", ha="center", va="center", fontsize=8,
                        color="white" if weight > 0.55 else "black")  # fmt: skip
        image = ax.imshow(np.where(seen, weights, np.nan), cmap=SEQUENTIAL, vmin=0, vmax=1)
        _name(ax, names, title, "keys", "queries")
    for ax in spare:
        ax.set_visible(False)
    axes[0].figure.colorbar(image, ax=list(axes), label="weight", fraction=0.02, pad=0.02, aspect=35)
    axes[0].figure.legend(handles=[Patch(label="hidden", **HIDDEN)], loc="outside lower right")


def detector(maps: Mapping[str, tuple], names: Sequence[str]) -> None:
    """Draws how far each output moved when one input was replaced; red frames are leaks.

    Each entry of `maps` is a title with (moved, allowed). Shapes: moved and allowed (output, input), True = may
    depend. Darkness is the share of the largest move in the same picture. Raises ValueError when they do not fit the
    names.
    """
    axes, _ = _grid(len(maps), len(maps), names)
    for ax, (title, (moved, allowed)) in zip(axes, maps.items(), strict=True):
        moved, fine = _square("moved", moved, names), _square("allowed", allowed, names) > 0
        ax.imshow(moved / max(moved.max(), 1e-9), cmap=SEQUENTIAL, vmin=0, vmax=1)
        leaky = (moved > 1e-4 * max(1.0, moved.max())) & ~fine
        for down, right in np.argwhere(leaky):
            ax.add_patch(
                Rectangle((right - 0.43, down - 0.43), 0.86, 0.86, fill=False, edgecolor=COLOURS["red"], linewidth=2.2)
            )
        count = int(leaky.sum())
        _name(
            ax, names, f"{title}: {count or 'no'} leak{'' if count == 1 else 's'}", "input that was replaced", "output"
        )
    shades = ScalarMappable(Normalize(0, 1), SEQUENTIAL)
    axes[0].figure.colorbar(shades, ax=list(axes), label="move (1: the farthest)", fraction=0.02, pad=0.02)
    leak = Patch(facecolor="none", edgecolor=COLOURS["red"], linewidth=2.2, label="moved, and must not")
    axes[0].figure.legend(handles=[leak], loc="outside lower right")


def _grid(count: int, across: int, names: Sequence[str]) -> tuple[list[Axes], list[Axes]]:
    down = -(-count // across)
    size = 1.35 + 0.36 * len(names)
    _, axes = plt.subplots(down, across, figsize=(across * size + 0.6, down * size + 0.3), squeeze=False)
    axes = list(axes.flat)
    return axes[:count], axes[count:]


def _square(name: str, numbers, names: Sequence[str]) -> np.ndarray:
    numbers = as_array(numbers)
    if numbers.shape != (len(names), len(names)):
        raise ValueError(f"{name}: got shape {numbers.shape}, expected {(len(names), len(names))}, one for each name")
    return numbers


def _name(ax: Axes, names: Sequence[str], title: str, xlabel: str, ylabel: str) -> None:
    ax.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor", fontsize=9)
    ax.set_yticks(range(len(names)), names, fontsize=9)
    ax.tick_params(length=0)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_title(title, fontsize=11)
    ax.set_xticks(np.arange(-0.5, len(names)), minor=True)
    ax.set_yticks(np.arange(-0.5, len(names)), minor=True)
    ax.grid(which="minor", color="#dddddd", linewidth=0.6)
    ax.tick_params(which="minor", length=0)
    first_column, last_row = ax.get_subplotspec().is_first_col(), ax.get_subplotspec().is_last_row()
    if not first_column:
        ax.set(ylabel="", yticklabels=[])
    if not last_row:
        ax.set(xlabel="", xticklabels=[])
