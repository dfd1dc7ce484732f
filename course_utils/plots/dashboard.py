"""The pictures of lesson 15: the map of the shop's engine, and its report on one page."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from course_utils.plots.base import COLOURS, SEQUENTIAL, as_array, bars
from course_utils.plots.card import GREY, Card

Ranking = Sequence[tuple[str, float, bool]]  # good, chance, sold out


def engine_map() -> None:
    """Draws the engine: above from the words to the heads' mixture, below from the clicks to what each good gains."""
    card = Card(12.4, 3.9, "The shop's engine: words above, clicks below, one list")
    card.box("words", 0.95, 2.7, "(word)", role="query")
    card.box("query", 2.75, 2.7, "(size)", role="query", text="1 encode")
    card.box("scores", 4.75, 2.7, "(head, good)", role="key", text="2 score")
    card.box("mask", 6.75, 2.7, "(head, good)", role="weights", text="mask,\nsoftmax")
    card.box("heads", 8.95, 2.7, "(good)", role="context", text="mix the heads")
    card.box("history", 0.95, 1.0, "(click)", role="value", text="clicks")
    card.box("goods", 2.75, 1.0, "(good, size)", role="key")
    card.box("ask", 5.2, 1.0, "(head, good, click)", role="weights", text="4 each good asks")
    card.box("gain", 8.0, 1.0, "(good)", role="context", text="what it gains")
    card.box("list", 11.2, 1.85, "(good)", text="3 add, rank")
    for one, other in (("words", "query"), ("query", "scores"), ("scores", "mask"), ("mask", "heads")):
        card.arrow(one, other)
    card.arrow("goods", "scores", "keys", "key", lift=0.0)
    card.arrow("goods", "ask", "queries", "query")
    card.arrow("history", "ask", role="value", bend=0.32)
    card.note(4.6, 0.36, "keys and values", "value")
    card.arrow("ask", "gain")
    card.arrow("heads", "list")
    card.arrow("gain", "list")
    card.note(6.75, 3.3, "sold out: −∞", "weights")


def dashboard(
    rankings: Mapping[str, Ranking], maps: tuple[Sequence[str], Sequence[str], object],
    history: tuple[str, Sequence[str], object, object], losses: Sequence[float], quality: Mapping[str, float],
) -> None:  # fmt: skip
    """Draws the report of an engine on one page.

    Shapes: rankings, for each query a list of (good, chance, sold out); maps: the names of rows and of goods, and
    weights (row, good); history: a title, the clicks, the engine's weights (click) and the true ones (click); losses
    (step), in nats; quality: percent for each contestant, the best on top.
    """
    figure = plt.figure(figsize=(13, 11.5))
    grid = figure.add_gridspec(3, 6, height_ratios=[1.1, 1.15, 1])
    for place, (query, ranking) in enumerate(rankings.items()):
        wide = 6 // len(rankings)
        _ranking(figure.add_subplot(grid[0, wide * place : wide * (place + 1)]), query, ranking)
    _maps(figure.add_subplot(grid[1, :]), *maps)
    _history(figure.add_subplot(grid[2, :2]), *history)
    _learning(figure.add_subplot(grid[2, 2:4]), losses)
    last = figure.add_subplot(grid[2, 4:])
    bars(quality, "NDCG@10 on held-out queries, %", "Beside the baselines", ax=last)


def _ranking(ax: Axes, query: str, ranking: Ranking) -> None:
    places = np.arange(len(ranking))[::-1]
    ax.barh(places, [0 if gone else 100 * chance for _, chance, gone in ranking], color=COLOURS["blue"])
    ax.set_yticks(places, [name for name, *_ in ranking])
    for place, label, (_, chance, gone) in zip(places, ax.get_yticklabels(), ranking, strict=True):
        said = "sold out" if gone else f"{100 * chance:.0f}"
        ax.annotate(said, (0 if gone else 100 * chance, place), (4, 0), textcoords="offset points", va="center",
                    color=GREY if gone else "black", size=10)  # fmt: skip
        label.set_color(GREY if gone else "black")
        label.set_fontstyle("italic" if gone else "normal")
    ax.set(xlabel="chance of a click, %", title=query)
    ax.margins(x=0.18)
    ax.tick_params(axis="y", length=0)


def _maps(ax: Axes, rows: Sequence[str], goods: Sequence[str], weights) -> None:
    numbers = as_array(weights)
    image = ax.imshow(numbers, cmap=SEQUENTIAL, vmin=0, vmax=max(float(numbers.max()), 1e-9), aspect="auto")
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xticks(range(len(goods)), goods, rotation=90, size=8)
    ax.set_title("Where each head looks: dark is more weight")
    ax.figure.colorbar(image, ax=ax, label="weight", pad=0.01, fraction=0.03)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)


def _history(ax: Axes, title: str, clicks: Sequence[str], weights, truth) -> None:
    places = np.arange(len(clicks))[::-1]
    ax.barh(places + 0.2, as_array(truth), 0.38, color=COLOURS["orange"], label="truth")
    ax.barh(places - 0.2, as_array(weights), 0.38, color=COLOURS["blue"], hatch="//", edgecolor="white", label="engine")
    ax.set_yticks(places, clicks)
    ax.set(xlabel="weight of the past click", title=title, xlim=(0, 1))
    ax.legend(loc="best")
    ax.tick_params(axis="y", length=0)


def _learning(ax: Axes, losses: Sequence[float]) -> None:
    around = 20
    smooth = np.convolve(losses, np.ones(around) / around, mode="valid")
    ax.plot(range(1, len(losses) + 1), losses, color=COLOURS["blue"], alpha=0.25, linewidth=0.8)
    ax.plot(np.arange(len(smooth)) + around / 2, smooth, color=COLOURS["blue"], linewidth=2)
    ax.axhline(np.log(8), color=GREY, linestyle="--", linewidth=1)
    ax.annotate("by chance", (len(losses), np.log(8)), (0, 4), textcoords="offset points", ha="right", color=GREY)
    ax.set(xlabel="step", ylabel="loss, nats", title="Learning from clicks")
