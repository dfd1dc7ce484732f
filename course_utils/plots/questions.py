"""The pictures of lesson 10: five steps, questions with their words shaded, a race, and layers against length."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from course_utils.plots.base import COLOURS, SEQUENTIAL, as_array, curves, row
from course_utils.plots.card import Card

DARK = 0.55  # a share of the shades from which letters are white
SPACE = 8  # points between two words


def five_steps() -> None:
    """Draws how a question becomes a kind of answer, with the shape after each step."""
    card = Card(11.4, 2.8, "Five steps from words to a kind of answer")
    steps = [
        ("1 embed", "(batch, word, size)", "key"),
        ("2 read", "(batch, word, size)", "value"),
        ("3 weigh", "(batch, word)", "weights"),
        ("4 join", "(batch, size)", "context"),
        ("5 predict", "(batch, kind)", "query"),
    ]
    notes = ["a vector\nfor each word", "words learn of\ntheir neighbours", "one score a word,\nthen softmax",
             "a weighted\nmean", "one score\nfor each kind"]  # fmt: skip
    card.box("words", 0.95, 1.5, "(batch, word)")
    before, shift = "words", 1.95
    for place, ((name, shape, role), note) in enumerate(zip(steps, notes, strict=True)):
        x = 2.75 + shift * place - (0.1 if place else 0)
        card.box(name, x, 1.5, shape, role=role)
        card.arrow(before, name)
        card.note(x, 0.8, note, role=role)
        before = name
    card.note(5.7, 0.28, "Padding is hidden where words meet: in 2 and in 3.")


def highlighted(
    questions: Sequence[Sequence[str]], shades: Sequence, titles: Sequence[str] | None = None, title: str = ""
) -> None:
    """Writes each question with its words shaded: white for 0, dark for 1.

    Shapes: questions (question) of words, shades (question) of numbers from 0 to 1, one for each word or more, titles
    (question), written above each. Raises ValueError for a question with fewer shades than words.
    """
    for words, weights in zip(questions, shades, strict=True):
        if len(as_array(weights)) < len(words):
            raise ValueError(f"shades: got {len(as_array(weights))} for {len(words)} words, expected one for each")
    high = 0.72 if titles else 0.46
    figure, ax = plt.subplots(figsize=(9.4, 0.35 + high * len(questions)))
    ax.set(xlim=(0, 1), ylim=(-len(questions), 0.2 if title else 0), title=title)
    ax.axis("off")
    scheme = plt.get_cmap(SEQUENTIAL)
    for place, (words, weights) in enumerate(zip(questions, shades, strict=True)):
        y = -place - (0.68 if titles else 0.5)
        if titles:
            ax.text(0, -place - 0.2, titles[place], size=9, color="#444444", va="center")
        left = ax.text(0.004, y, "", va="center")
        for word, weight in zip(words, as_array(weights), strict=False):
            share = float(np.clip(weight, 0, 1))
            paper = {"facecolor": scheme(share), "edgecolor": "#dddddd", "pad": 2.5, "linewidth": 0.6}
            left = ax.annotate(
                word, (1, 0), xycoords=left, xytext=(SPACE, 0), textcoords="offset points", va="bottom", size=12,
                color="white" if share > DARK else "black", bbox=paper,
            )  # fmt: skip
    figure.canvas.draw_idle()


def race(
    found: Mapping[str, Sequence[float]], note: str = "", shuffled: Mapping[str, Sequence[float]] | None = None
) -> None:
    """Draws a row of points for each contestant, one for each seed, and a line at their mean; the best stands on top.

    `shuffled` adds, for those that it names, what they reach on shuffled words.
    """
    names = sorted(found, key=lambda name: float(np.mean(found[name])))
    ax = plt.subplots(figsize=(8.4, 1.2 + 0.32 * len(names)))[1]
    for y, name in enumerate(names):
        _points(ax, found[name], y, COLOURS["blue"], "o")
        if shuffled and name in shuffled:
            _points(ax, shuffled[name], y, COLOURS["red"], "s")
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("% right on the 500" + (f"\n{note}" if note else ""))
    ax.grid(axis="x", color="#eeeeee")
    ax.set_title("Who sorts the questions best?" if not shuffled else "With the words in order ●, and shuffled ■")


def _points(ax: Axes, values: Sequence[float], y: float, colour: str, marker: str) -> None:
    ax.plot(values, [y] * len(values), marker, color=colour, alpha=0.45, markersize=6, linewidth=0)
    mean = float(np.mean(values))
    ax.plot([mean, mean], [y - 0.32, y + 0.32], "-", color=colour, linewidth=2.4)


def layers(lengths: Sequence[int], operations: Mapping[str, Sequence], milliseconds: Mapping[str, Sequence]) -> None:
    """Draws operations and time of each layer against length, both axes in powers.

    Shapes: lengths (points), and for the name of each layer (points).
    """
    left, right = row(2, 5.0, 3.8)
    for ax, found, label, title in (
        (left, operations, "multiply-adds", "Counted"),
        (right, milliseconds, "milliseconds, forward", "Measured here"),
    ):
        curves({n: (lengths, v) for n, v in found.items()}, "words", label, title, ax=ax, logx=True, logy=True)
