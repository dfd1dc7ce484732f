"""Drawings that are no data: boxes with shapes, arrows with words, on an opaque card that dark pages show as well."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from numpy.typing import ArrayLike

from course_utils.plots.base import COLOURS, SEQUENTIAL

GREY = "#767676"  # dark enough to be read on white
ROLES = {  # one colour for one role, in every drawing of the course
    "query": COLOURS["blue"],
    "key": "#8F6200",  # the orange of the lines is too pale for words
    "value": COLOURS["green"],
    "weights": COLOURS["red"],
    "context": "#9A4A78",
    "plain": GREY,
}
TINT = 0.12  # how much of a box's colour its inside has
LINE = 0.19  # inches that a line of text takes
LETTER = 0.092  # inches that a letter takes, on the average


class Card:
    """An empty card of so many inches; x runs from left to right and y from the bottom up, both in inches.

    `box` places a name with its shape below it, `cells` a vector or a matrix, `arrow` joins two of them, `note` writes
    a remark. Raises ValueError for a role that is not in ROLES, for a box that would leave the card, and for an arrow
    between boxes that are not there. Nothing is drawn from data: a drawing is the same on every machine.
    """

    def __init__(self, width: float, height: float, title: str = "") -> None:
        # The axes fill the card. With no engine at all, saving a figure would bring the style's own back.
        still = PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=True)
        figure = plt.figure(figsize=(width, height), facecolor="white", layout=still)
        self.axes = figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(0, height))
        self.axes.axis("off")
        self.width, self.height = width, height
        self.boxes: dict[str, FancyBboxPatch | Rectangle] = {}
        frame = FancyBboxPatch(
            (0.06, 0.06), width - 0.12, height - 0.12, "round,pad=0,rounding_size=0.12", facecolor="white",
            edgecolor="#bbbbbb", linewidth=1.2,
        )  # fmt: skip
        self.axes.add_patch(frame)
        if title:
            self.axes.text(0.25, height - 0.22, title, size=12, va="top")

    def box(self, name: str, x: float, y: float, shape: str = "", role: str = "plain", text: str | None = None) -> None:
        """Places a box around x, y: its text (by default its name), and below that its shape in small letters."""
        said = name if text is None else text
        lines = said.split("\n")
        wide = max(0.9, LETTER * max(len(line) for line in lines) + 0.3, 0.8 * LETTER * len(shape) + 0.25)
        high = LINE * (len(lines) + bool(shape)) + 0.2
        colour = _colour(role)
        patch = FancyBboxPatch(
            (x - wide / 2, y - high / 2), wide, high, "round,pad=0,rounding_size=0.08", linewidth=1.6,
            edgecolor=colour, facecolor=_tint(colour), zorder=2,
        )  # fmt: skip
        self._place(name, patch, x, y, wide, high)
        shift = 0.5 * LINE * bool(shape)
        self.axes.text(x, y + shift, said, ha="center", va="center", size=11, linespacing=1.15, zorder=3)
        if shape:
            bottom = y - high / 2 + 0.1 + LINE / 2
            self.axes.text(x, bottom, shape, ha="center", va="center", size=9, color="#444444", zorder=3)

    def cells(
        self, name: str, x: float, y: float, values: ArrayLike, role: str = "plain", text: str = "", size: float = 0.26
    ) -> None:
        """Places a small grid around x, y, one square for each number, darker for more; its text stands above it.

        Shapes: values (columns) or (rows, columns), from 0 to 1.
        """
        grid = np.atleast_2d(np.asarray(values, dtype=float))
        rows, columns = grid.shape
        left, top, colour = x - columns * size / 2, y + rows * size / 2, _colour(role)
        outline = Rectangle(
            (left, top - rows * size), columns * size, rows * size, fill=False, lw=1.4, ec=colour, zorder=1.2
        )
        self._place(name, outline, x, y, columns * size, rows * size)
        shades = plt.get_cmap(SEQUENTIAL) if role in ("plain", "weights") else lambda v: _tint(colour, 0.1 + 0.8 * v)
        for i in range(rows):
            for j in range(columns):
                corner = (left + j * size, top - (i + 1) * size)
                face = shades(float(grid[i, j]))
                self.axes.add_patch(Rectangle(corner, size, size, facecolor=face, edgecolor="white", lw=0.8, zorder=1))
        if text:
            self.axes.text(x, top + 0.06, text, ha="center", va="bottom", size=10)

    def arrow(
        self, start: str, stop: str, text: str = "", role: str = "plain", bend: float = 0.0, lift: float = 0.1
    ) -> None:
        """Draws an arrow from edge to edge, with a word `lift` inches above its middle; `bend` curves it."""
        for name in (start, stop):
            if name not in self.boxes:
                raise ValueError(f"arrow: got {name!r}, expected one of {', '.join(self.boxes)}")
        ends = [_centre(self.boxes[name]) for name in (start, stop)]
        colour = _colour(role)
        line = FancyArrowPatch(
            *ends, patchA=self.boxes[start], patchB=self.boxes[stop], shrinkA=2, shrinkB=2, arrowstyle="-|>",
            mutation_scale=13, linewidth=1.5, color=colour, connectionstyle=f"arc3,rad={bend}", zorder=1.5,
        )  # fmt: skip
        self.axes.add_patch(line)
        if text:
            (x0, y0), (x1, y1) = ends
            x, y = (x0 + x1) / 2 + bend * (y1 - y0) / 2, (y0 + y1) / 2 - bend * (x1 - x0) / 2
            paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            self.axes.text(x, y + lift, text, ha="center", va="bottom", size=10, color=colour, bbox=paper, zorder=1.8)

    def note(
        self, x: float, y: float, text: str, role: str = "plain", align: str = "center", base: bool = False
    ) -> None:
        """Writes a remark around x, y, or from x on with align="left"; with `base` its letters stand on y."""
        lies = "baseline" if base else "center"
        self.axes.text(x, y, text, ha=align, va=lies, size=10, color=_colour(role), linespacing=1.25)

    def _place(self, name: str, patch, x: float, y: float, wide: float, high: float) -> None:
        if name in self.boxes:
            raise ValueError(f"name: got {name!r} again, expected a name that no other box has")
        if not (wide / 2 <= x <= self.width - wide / 2 and high / 2 <= y <= self.height - high / 2):
            raise ValueError(f"{name}: got the place ({x}, {y}), expected one that keeps the box on the card")
        self.boxes[name] = patch
        self.axes.add_patch(patch)


def _centre(patch) -> tuple[float, float]:
    x, y, wide, high = patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height()
    return x + wide / 2, y + high / 2


def _colour(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"role: got {role!r}, expected one of {', '.join(ROLES)}")
    return ROLES[role]


def _tint(colour: str, strength: float = TINT) -> tuple[float, float, float]:
    """A colour mixed into white."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return red, green, blue
