"""The pictures of lesson 02: what each rule can see, who finds the goods, and how the keys share the weight."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import seaborn as sns
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
        below.set(xlabel=xlabel, ylim=(-0.03, 0.75))
        if column < len(notes):
            below.set_title(notes[column], fontsize=11, color="#333333")
    axes[0, 0].set_ylabel("score")
    axes[1, 0].set_ylabel("weight, after softmax")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(customers))


def stripes_and_diagonals(weights: Mapping[str, Tensor], queries: Sequence[str], keys: Sequence[str]) -> None:
    """Draws the weights of several rules side by side: stripes are blind, a diagonal finds what was asked for.

    Shapes: weights (query, key) for each rule; one name for each query and for each key.
    """
    size = (1.6 + 2.35 * len(weights), 3.4)
    figure, axes = plt.subplots(1, len(weights), figsize=size, sharey=True, squeeze=False)
    for ax, (rule, found) in zip(axes[0], weights.items(), strict=True):
        sns.heatmap(
            found.detach().cpu(), ax=ax, cmap=SEQUENTIAL, vmin=0, vmax=1, annot=True, fmt=".2f", annot_kws={"size": 9},
            linewidths=0.5, linecolor="#dddddd", cbar=False, square=True, xticklabels=keys, yticklabels=queries,
        )  # fmt: skip
        ax.set_title(rule, fontsize=10)
        ax.set_xlabel("keys")
        ax.tick_params(length=0)
        plt.setp(ax.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
    axes[0, 0].set_ylabel("queries")
    figure.colorbar(axes[0, 0].collections[0], ax=axes[0], label="weight", shrink=0.75, pad=0.01)


def shares_of_softmax(sizes: Sequence[int], shares: Mapping[str, Tensor]) -> None:
    """Draws one bar for each size: the whole weight, cut into the shares of the keys, the largest share first.

    Shapes: shares (sizes, key) for each way of scoring; every row is sorted downwards and sums to 1.
    """
    figure, axes = plt.subplots(1, len(shares), figsize=(5.2 * len(shares), 3.4), sharey=True, squeeze=False)
    for ax, (title, share) in zip(axes[0], shares.items(), strict=True):
        start = torch.zeros(len(sizes))
        for place, piece in enumerate(share.detach().cpu().T):
            shade = plt.get_cmap(SEQUENTIAL)(0.85 - 0.75 * place / share.shape[1])
            ax.barh(range(len(sizes)), piece, left=start, color=shade, edgecolor="white", linewidth=0.8, height=0.75)
            start = start + piece
        for row, first in enumerate(share[:, 0].tolist()):
            ax.text(first / 2, row, f"{first:.2f}", ha="center", va="center", fontsize=10, color="white")
        ax.set(title=title, xlabel="share of the weight, strongest key first", xlim=(0, 1))
        ax.tick_params(axis="y", length=0)
    axes[0, 0].set_yticks(range(len(sizes)), [str(size) for size in sizes])
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_ylabel("size of query and key")


def _lines(ax: Axes, goods: Tensor, found: Tensor, customers: Sequence[str]) -> None:
    """One line for each customer; the first is the widest, so that lines that coincide are all seen."""
    colours = list(COLOURS.values())
    for place, customer in enumerate(customers):
        width = 1.5 + 2 * (len(customers) - 1 - place)
        ax.plot(
            goods, found[place], LINES[place], marker=MARKERS[place], markersize=3.5 + 1.3 * width, linewidth=width,
            color=colours[place], label=customer,
        )  # fmt: skip
