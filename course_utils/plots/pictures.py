"""The pictures of lesson 12 that show pictures: a photograph that asks itself, patches as tokens, digits with maps."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from course_utils.plots.base import COLOURS, as_array
from course_utils.plots.card import Card

GREY = {"cmap": "gray", "vmin": 0, "vmax": 1}  # black is 0, white is 1


def pixel_asks() -> None:
    """Draws how a pixel becomes a query: its surroundings are compared with all others, whose pixels are blended."""
    card = Card(11.4, 3.1, "A pixel asks: who looks like me?")
    rng = np.random.default_rng(0)
    card.cells("me", 1.15, 1.75, _cross(rng), "query", "patch of the pixel")
    card.cells("others", 3.6, 1.75, _cross(rng), "key", "patches of all pixels")
    card.box("scores", 5.85, 1.75, "(pixel, pixel)", role="weights", text="minus distance²\nover temperature")
    card.box("weights", 8.0, 1.75, "(pixel, pixel)", role="weights", text="softmax")
    card.box("pixel", 10.15, 1.75, "(pixel)", role="context", text="weighted\nmean")
    card.arrow("others", "scores")
    card.arrow("scores", "weights")
    card.arrow("weights", "pixel")
    card.arrow("me", "scores", bend=0.35, role="query")
    card.note(1.15, 0.78, "query", "query")
    card.note(3.6, 0.78, "key", "key")
    card.note(10.15, 0.78, "of the pixels in\nthe middle: value", "value")
    card.note(5.85, 0.3, "Nothing is learned: what asks and what is compared are pieces of the picture itself.")


def _cross(rng: np.random.Generator) -> np.ndarray:
    """A made-up patch: a bright line with noise."""
    patch = np.full((5, 5), 0.25)
    patch[2] = 0.9
    return np.clip(patch + 0.1 * rng.standard_normal((5, 5)), 0, 1)


def in_a_row(pictures: Sequence, titles: Sequence[str], size: float = 2.7, note: str = "") -> None:
    """Shows grey pictures side by side, each with its title. Raises ValueError for another number of titles."""
    if len(pictures) != len(titles):
        raise ValueError(f"titles: got {len(titles)}, expected one for each of {len(pictures)} pictures")
    figure, axes = plt.subplots(1, len(pictures), figsize=(size * len(pictures), size + 0.45), squeeze=False)
    for ax, picture, title in zip(axes[0], pictures, titles, strict=True):
        _show(ax, picture)
        ax.set_title(title, size=10)
    if note:
        figure.supxlabel(note, size=10)


def who_is_asked(picture, weights, pixels: Mapping[str, tuple[int, int]], reach: int = 2, title: str = "") -> None:
    """Shows for each pixel, framed, how much it takes from every other: red over the grey picture, dark red for most.

    Shapes: picture (row, column), weights (pixel, pixel), pixels {name: (row, column)}.
    """
    picture, weights = as_array(picture), as_array(weights)
    rows, columns = picture.shape
    figure, axes = plt.subplots(1, len(pixels), figsize=(4.1 * len(pixels), 4.85), squeeze=False)
    for ax, (name, (row, column)) in zip(axes[0], pixels.items(), strict=True):
        one = weights[row * columns + column].reshape(rows, columns)
        _show(ax, 0.55 + 0.45 * np.clip(picture, 0, 1))
        share = np.sqrt(one / one.max())  # the root, or only the very largest would be seen
        colour = np.concatenate([np.broadcast_to(to_rgb(COLOURS["red"]), (rows, columns, 3)), share[..., None]], -1)
        ax.imshow(colour, interpolation="nearest")
        side = 2 * reach + 1
        frame = Rectangle((column - reach - 0.5, row - reach - 0.5), side, side, fill=False, lw=2.2)
        frame.set_edgecolor(COLOURS["blue"])
        ax.add_patch(frame)
        half = np.sort(one.ravel())[::-1].cumsum().searchsorted(0.5) + 1
        ax.set_xlabel(f"{name}: {half} of {rows * columns - 1} pixels hold half of the weight", size=10)
    figure.suptitle(title, size=12, x=0.01, ha="left")


def gains(crops: Mapping, attention: Sequence[float], blur: Sequence[float], size: float = 2.0) -> None:
    """Shows crops, and under each what attention and the best blur gain on it, in decibels.

    Shapes: crops, a name and a picture (row, column) for each; attention and blur (crop).
    """
    figure, axes = plt.subplots(2, len(crops), figsize=(size * len(crops), size + 2.0), height_ratios=[1.25, 1])
    most = 1.15 * max(*attention, *blur)
    for place, (name, picture) in enumerate(crops.items()):
        _show(axes[0, place], picture)
        axes[0, place].set_title(name, size=10)
        ax, values = axes[1, place], (attention[place], blur[place])
        bars = ax.bar(["attention", "best blur"], values, color=[COLOURS["blue"], COLOURS["orange"]], width=0.7)
        ax.bar_label(bars, fmt="%.1f", size=9, padding=1.5)
        ax.set_ylim(min(0, *attention, *blur) - (0.2 if min(*attention, *blur) < 0 else 0.08) * most, most)
        ax.axhline(0, color="black", linewidth=0.8)
        ax.tick_params(axis="x", length=0, labelsize=9)
        if place:
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
    axes[1, 0].set_ylabel("dB gained")


def squares_and_strips(picture, squares, strips) -> None:
    """Shows a picture, its tokens as squares, and what a plain reshape makes of it: tokens that are strips.

    Shapes: picture (side, side); squares and strips (token, size · size), each shown in reading order.
    """
    picture, kinds = as_array(picture), [as_array(squares), as_array(strips)]
    count, size = len(kinds[0]), int(len(kinds[0][0]) ** 0.5)
    across = int(count**0.5)
    figure = plt.figure(figsize=(9.6, 3.4))
    left, middle, right = figure.subfigures(1, 3)
    _show(left.subplots(), picture)
    left.suptitle("a digit, 8 × 8", size=11)
    for part, tokens, title in ((middle, kinds[0], "tokens: squares"), (right, kinds[1], "reshape: strips")):
        for token, ax in zip(tokens, part.subplots(across, across).flat, strict=True):
            _show(ax, token.reshape(size, size) if part is middle else token.reshape(1, -1))
        part.suptitle(title, size=11)


def digit_maps(pictures: Sequence, maps: Mapping[str, Sequence], titles: Sequence[str]) -> None:
    """Shows digits with a map over their patches, a row for each kind of map: dark blue for much.

    Shapes: pictures (digit) of (side, side); for each name (digit) of (patch row, patch column); titles (digit).
    """
    figure, axes = plt.subplots(
        1 + len(maps), len(pictures), figsize=(1.5 * len(pictures), 1.6 * (1 + len(maps)) + 0.4), squeeze=False
    )
    for place, picture in enumerate(pictures):
        _show(axes[0, place], picture)
        axes[0, place].set_title(titles[place], size=10)
        for ax, found in zip(axes[1:, place], maps.values(), strict=True):
            grid = as_array(found[place])
            ax.imshow(grid, cmap="Blues", vmin=0, vmax=max(float(grid.max()), 1e-9))
            ax.set(xticks=[], yticks=[])
    for ax, name in zip(axes[:, 0], ["digit", *maps], strict=True):
        ax.set_ylabel(name, size=10)


def _show(ax: Axes, picture) -> None:
    ax.imshow(as_array(picture), **GREY)
    ax.set(xticks=[], yticks=[])
    for side in ax.spines.values():
        side.set_visible(True)
        side.set_color("#bbbbbb")
