"""Pictures of lesson 00: one vector beside a look back at every state, and how many digits each reader keeps."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt

from course_utils.plots.base import COLOURS, LINES, MARKERS, as_array
from course_utils.plots.card import GREY, Card

SOURCE = "21 Nov"  # six characters, so six states
STEP = 0.62  # inches from one state to the next
HIGH, WIDE = 4.9, 10.0  # inches


def two_readers() -> None:
    """Draws what passes from the encoder to the decoder: its two ends in one vector, or a mix of all its states."""
    card = Card(WIDE, HIGH, "What passes from the encoder to the decoder?")
    card.axes.plot([WIDE / 2 - 0.2] * 2, [0.3, HIGH - 0.7], color="#cccccc", linewidth=1)
    _one_vector(card, left=0.85)
    _look_back(card, left=5.75)


def _states(card: Card, name: str, left: float) -> list[str]:
    """A row of states, each a column of numbers over its character; returns their names."""
    names = [f"{name} {place}" for place in range(len(SOURCE))]
    for place, (state, character) in enumerate(zip(names, SOURCE, strict=True)):
        x = left + place * STEP
        shades = [(3 * place + 2 * row + 1) % 7 / 9 for row in range(4)]  # no data: numbers that differ
        card.cells(state, x, 1.2, [[shade] for shade in shades], "key", size=0.19)
        card.note(x, 0.64, character if character != " " else "␣")
    card.note(_middle(left), 0.34, "a state for each character, (batch, source, 64)", "key")
    return names


def _one_vector(card: Card, left: float) -> None:
    middle = _middle(left)
    card.note(middle, HIGH - 0.72, "Without attention: one vector")
    states = _states(card, "read", left)
    card.box("vector", middle, 2.45, "(batch, 64)", "key", "the two ends")
    card.box("decoder", middle, 3.55, "(batch, target, 64)", "query", "decoder's states")
    card.arrow(states[0], "vector", role="key")
    card.arrow(states[-1], "vector", role="key")
    card.arrow("vector", "decoder", "all that it ever gets", "key", lift=-0.08)


def _look_back(card: Card, left: float) -> None:
    card.note(_middle(left), HIGH - 0.72, "With attention: a look back before each digit")
    states = _states(card, "kept", left)
    for place, weight in enumerate([0.8, 0.7, 0.1, 0.02, 0.04, 0.02]):  # the day is being written
        card.cells(f"weight {place}", left + place * STEP, 2.15, [weight], "weights")
        card.arrow(states[place], f"weight {place}", role="key")
    card.note(left + 0.3, 2.55, "weights, (batch, target, source)", "weights", align="left")
    card.box("query", left + 0.35, 3.55, "(batch, target, 64)", "query", "decoder's states")
    card.box("context", left + 2.85, 3.55, "(batch, target, 64)", "context", "context")
    card.arrow("query", "weight 0", "ask", "query", lift=-0.08)
    card.arrow("weight 5", "context", "mix", "weights", lift=-0.08)
    card.arrow("context", "query", "join", "context")


def _middle(left: float) -> float:
    return left + STEP * (len(SOURCE) - 1) / 2


def digits_by_length(
    lengths: Sequence[int], runs: Mapping[str, Sequence[Sequence[float]]], title: str = "", guessing: float = 10
) -> None:
    """Draws the share of digits in their place against the number of digits: means, and bands from worst to best seed.

    Shapes: lengths (length), each of runs (seed, length), in percent.
    """
    _, ax = plt.subplots(figsize=(7, 4))
    for place, (name, shares) in enumerate(runs.items()):
        found, colour = as_array(shares), list(COLOURS.values())[place]
        ax.plot(lengths, found.mean(0), LINES[place], marker=MARKERS[place], markersize=5, color=colour, label=name)
        ax.fill_between(lengths, found.min(0), found.max(0), color=colour, alpha=0.2, linewidth=0)
    ax.axhline(guessing, color=GREY, linewidth=1, linestyle=":", label="guessing")
    ax.set(xlabel="number of digits", ylabel="digits in the right place (%)", title=title, ylim=(0, 103))
    ax.set_xticks(lengths)
    ax.legend()
