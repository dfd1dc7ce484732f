"""The pictures of lesson 12 that show no pictures: a race with its spread, a history with weights, a film's reasons."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np

from course_utils.plots.base import COLOURS, as_array
from course_utils.plots.card import Card


def candidate_asks() -> None:
    """Draws target attention: the good that is shown asks each past click, and the history is summed with weights."""
    card = Card(11.4, 3.0, "Target attention: the good that is shown asks the past clicks")
    card.box("candidate", 1.3, 2.0, "(size)", role="query", text="tent?")
    for place, name in enumerate(("boots", "mug", "lantern")):
        card.box(name, 1.3 + 1.45 * place, 0.75, "(size)", role="key")
    card.box("net", 5.9, 2.0, "(click)", role="weights", text="a small net\nfor each pair")
    card.box("weights", 8.0, 2.0, "(click)", role="weights", text="sigmoid\nor softmax")
    card.box("context", 8.0, 0.75, "(size)", role="context", text="weighted sum")
    card.box("chance", 10.2, 1.35, text="click?")
    card.arrow("candidate", "net", role="query")
    for name, bend in {"boots": -0.1, "mug": -0.06, "lantern": 0.0}.items():  # over the heads of their neighbours
        card.arrow(name, "net", role="key", bend=bend)
    card.arrow("net", "weights")
    card.arrow("weights", "context")
    card.arrow("lantern", "context", "values of all", role="value", lift=-0.28)
    card.arrow("context", "chance")
    card.note(2.75, 0.25, "keys and values: what was clicked before", "key")


def points(
    found: Mapping[str, Sequence[float]], label: str, title: str, note: str = "", best_on_top: bool = True
) -> None:
    """Draws a row of points for each contestant, one for each seed or split, and a line at their mean.

    Shapes: found, for each name (seed). The best stands on top.
    """
    names = sorted(found, key=lambda name: float(np.mean(found[name])))
    ax = plt.subplots(figsize=(8.4, 1.3 + 0.32 * len(names)))[1]
    for y, name in enumerate(names):
        values, mean = list(found[name]), float(np.mean(found[name]))
        ax.plot(values, [y] * len(values), "o", color=COLOURS["blue"], alpha=0.45, markersize=6)
        ax.plot([mean, mean], [y - 0.32, y + 0.32], "-", color=COLOURS["blue"], linewidth=2.4)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel(label + (f"\n{note}" if note else ""))
    ax.grid(axis="x", color="#eeeeee")
    ax.set_title(title)


def history(clicks: Sequence[str], weights, truth, title: str) -> None:
    """Draws for each past click what the model gave it, and its true relevance, both from 0 to 1.

    Shapes: clicks, weights and truth (click).
    """
    weights, truth, y = as_array(weights), as_array(truth), np.arange(len(clicks))
    ax = plt.subplots(figsize=(7.6, 1.2 + 0.34 * len(clicks)))[1]
    ax.barh(y - 0.19, weights, height=0.36, color=COLOURS["blue"], label="weight")
    ax.barh(y + 0.19, truth, height=0.36, color=COLOURS["orange"], label="true relevance")
    ax.set_yticks(y, clicks)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="from 0 to 1", title=title)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def because(reasons: Mapping[str, Mapping[str, float]]) -> None:
    """Draws for each recommended title the titles seen before that weigh most.

    Shapes: reasons, for each title a title and a weight for each reason.
    """
    figure, axes = plt.subplots(1, len(reasons), figsize=(4.6 * len(reasons), 2.6), squeeze=False)
    for ax, (film, found) in zip(axes[0], reasons.items(), strict=True):
        ax.barh(list(found)[::-1], list(found.values())[::-1], color=COLOURS["blue"], height=0.6)
        ax.set_title(f"{film}\nbecause you watched", size=11)
        ax.set_xlabel("weight")
