"""The pictures of the explanation lab: explanations side by side, what was measured of each system, two maps."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np

from course_utils.plots.base import COLOURS, MARKERS, SEQUENTIAL, as_array


def side_by_side(explanations: Mapping[str, Sequence], inputs: Sequence[str], title: str = "") -> None:
    """Draws a row of shades for each explanation of one answer, each divided by its largest value.

    Shapes: explanations, for each name (input), 0 or more. Raises ValueError where one has fewer values than inputs.
    """
    for name, values in explanations.items():
        if len(as_array(values)) < len(inputs):
            raise ValueError(f"explanations: got {len(as_array(values))} values for {name}, expected {len(inputs)}")
    shares = np.stack([as_array(values)[: len(inputs)] for values in explanations.values()])
    shares = shares / np.maximum(shares.max(1, keepdims=True), 1e-12)
    size = (min(10.0, max(6.0, 2.6 + 0.42 * len(inputs))), 1.1 + 0.42 * len(shares))
    ax = plt.subplots(figsize=size)[1]
    ax.pcolormesh(shares, cmap=SEQUENTIAL, vmin=0, vmax=1, edgecolor="#dddddd", linewidth=0.5)
    ax.set_yticks(np.arange(len(shares)) + 0.5, list(explanations))
    slanted = max(map(len, inputs)) > 3
    ax.set_xticks(np.arange(len(inputs)) + 0.5, [text if text != " " else "␣" for text in inputs],
                  rotation=40 if slanted else 0, ha="right" if slanted else "center")  # fmt: skip
    ax.invert_yaxis()
    ax.tick_params(length=0)
    ax.set_title(title)


def by_system(
    found: Mapping[str, Mapping[str, Sequence[float]]], label: str, title: str, note: str = "", most: float = 1.0
) -> None:
    """Draws, for each system, points for each of several things measured, one point a seed, and a line at their mean.

    Shapes: found, for each system and each thing (seed). Things have the same colour and marker in each system.
    """
    things = list(dict.fromkeys(thing for row in found.values() for thing in row))
    height = 0.13 * len(things) + 0.22
    ax = plt.subplots(figsize=(8.6, 1.5 + height * len(found)))[1]
    for y, row in enumerate(found.values()):
        for place, (name, values) in enumerate((thing, row[thing]) for thing in things if thing in row):
            number = things.index(name)
            at = y + (place - (len(row) - 1) / 2) * 0.7 / max(len(things), 1)
            colour = list(COLOURS.values())[number % len(COLOURS)]
            ax.plot(values, [at] * len(values), MARKERS[number % len(MARKERS)], color=colour, alpha=0.6, markersize=6,
                    linewidth=0, label=name)  # fmt: skip
            middle = float(np.mean(values))
            ax.plot([middle, middle], [at - 0.08, at + 0.08], "-", color=colour, linewidth=2.4)
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ax.legend(handles.values(), handles.keys(), loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set_yticks(range(len(found)), list(found))
    ax.set_ylim(len(found) - 0.4, -0.6)
    ax.set_xlim(min(0.0, *(v for row in found.values() for values in row.values() for v in values)) - 0.02, most * 1.03)
    ax.set_xlabel(label + (f"\n{note}" if note else ""))
    ax.grid(axis="x", color="#eeeeee")
    ax.set_title(title)


def two_maps(one, other, inputs: Sequence[str], names: Sequence[str], title: str = "") -> None:
    """Draws two maps of one question as bars, the one upwards and the other downwards.

    Shapes: one and other (input), from 0 to 1; names, of the two. Raises ValueError for maps of other lengths.
    """
    maps = [as_array(values)[: len(inputs)] for values in (one, other)]
    if any(len(values) != len(inputs) for values in maps):
        raise ValueError(
            f"one, other: got {[len(m) for m in maps]} weights, expected {len(inputs)}, one for each input"
        )
    ax = plt.subplots(figsize=(max(6.0, 1.8 + 0.5 * len(inputs)), 3.2))[1]
    for values, sign, name, colour in zip(maps, (1, -1), names, ("blue", "red"), strict=True):
        ax.bar(range(len(inputs)), sign * values, color=COLOURS[colour], label=name)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_xticks(range(len(inputs)), list(inputs), rotation=40, ha="right")
    ax.set(ylim=(-1.02, 1.02), ylabel="weight", title=title)
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):.1f}")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
