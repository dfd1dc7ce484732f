"""The pictures of lesson 02: what each rule can see, who finds the goods, and how softmax closes as sizes grow."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from course_utils.plots.base import COLOURS, LINES, MARKERS, SEQUENTIAL


def what_each_rule_sees(
    goods: Tensor, scores: Mapping[str, Tensor], customers: Sequence[str], xlabel: str, notes: Sequence[str] = ()
) -> None:
    """Draws, for each rule, the scores of goods on a line for each customer, and below them the weights.

    Shapes: goods (key), scores (query, key) for each rule; the weights are their softmax over the keys.
    `notes` has one line for each rule, written below its weights. Raises ValueError when the numbers do not fit.
    """
    for rule, found in scores.items():
        if tuple(found.shape) != (len(customers), len(goods)):
            raise ValueError(f"scores[{rule!r}]: got shape {tuple(found.shape)}, expected (customers, goods)")
    figure, axes = plt.subplots(2, len(scores), figsize=(4.1 * len(scores), 6.2), sharex=True, squeeze=False)
    for column, (rule, found) in enumerate(scores.items()):
        above, below = axes[:, column]
        above.set_title(rule)
        _lines(above, goods, found.cpu(), customers)
        _lines(below, goods, torch.softmax(found.cpu(), dim=-1), customers)
        below.set(xlabel=xlabel, ylim=(-0.04, 1.0))
        if column < len(notes):
            below.set_title(notes[column], fontsize=11, color="#333333")
    axes[0, 0].set_ylabel("score")
    axes[1, 0].set_ylabel("weight, after softmax")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(customers))


def stripes_and_diagonals(weights: Mapping[str, Tensor], names: Sequence[str] | None = None) -> None:
    """Draws the weights of several rules side by side: stripes are blind, a diagonal finds what was asked for.

    Shapes: weights (query, key) for each rule, with the wanted good of query i at key i; `names` has one for each key.
    """
    figure, axes = plt.subplots(1, len(weights), figsize=(3.0 * len(weights), 3.7), sharey=True, squeeze=False)
    for ax, (rule, found) in zip(axes[0], weights.items(), strict=True):
        image = ax.imshow(found.detach().cpu(), cmap=SEQUENTIAL, vmin=0, vmax=1)
        ax.set(title=rule, xlabel="keys: the goods")
        _grid(ax, *found.shape)
        if names is not None:
            ax.set_xticks(range(len(names)), names)
            ax.set_yticks(range(len(names)), names)
    axes[0, 0].set_ylabel("queries: who wants which good")
    figure.colorbar(image, ax=axes[0], label="weight", shrink=0.8, pad=0.01)


def softmax_closes(sizes: Sequence[int], weights: Mapping[str, Tensor]) -> None:
    """Draws how the weights are shared among the keys at each size, from the key with most weight to the least.

    Shapes: weights (sizes, key) for each way of scoring: the weights of many queries, each sorted, then averaged.
    """
    figure, axes = plt.subplots(1, len(weights), figsize=(5.2 * len(weights), 4.0), sharey=True, squeeze=False)
    for ax, (title, found) in zip(axes[0], weights.items(), strict=True):
        found = found.detach().cpu()
        image = ax.imshow(found, cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
        ax.set(title=title, xlabel="keys, from most weight to least")
        ax.set_xticks([0, found.shape[1] - 1], ["first", "last"])
        ax.set_yticks(range(len(sizes)), [str(size) for size in sizes])
        _grid(ax, *found.shape)
        for place, first in enumerate(found[:, 0].tolist()):
            ax.text(0, place, f"{first:.2f}", ha="center", va="center", fontsize=8, color=_ink(first))
    axes[0, 0].set_ylabel("size of query and key")
    figure.colorbar(image, ax=axes[0], label="weight", shrink=0.9, pad=0.01)


def _lines(ax: Axes, goods: Tensor, found: Tensor, customers: Sequence[str]) -> None:
    """One line for each customer; the first is the widest, so that lines that coincide are all seen."""
    colours = list(COLOURS.values())
    for place, customer in enumerate(customers):
        width = 1.5 + 2.5 * (len(customers) - 1 - place)
        ax.plot(
            goods, found[place], LINES[place], marker=MARKERS[place], markersize=3 + 1.3 * width, linewidth=width,
            color=colours[place], label=customer,
        )  # fmt: skip


def _grid(ax: Axes, rows: int, columns: int) -> None:
    """Thin lines between the cells, and no ticks."""
    ax.set_xticks([place - 0.5 for place in range(1, columns)], minor=True)
    ax.set_yticks([place - 0.5 for place in range(1, rows)], minor=True)
    ax.grid(which="minor", color="#dddddd", linewidth=0.5)
    ax.tick_params(which="both", length=0)


def _ink(weight: float) -> str:
    return "white" if weight > 0.55 else "black"
