"""The pictures of lesson 02: three rules, what each can see, how the keys share the weight, and what the root does."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import seaborn as sns
import torch
from matplotlib.axes import Axes
from torch import Tensor

from course_utils.plots.base import COLOURS, LINES, MARKERS, SEQUENTIAL, curves, row
from course_utils.plots.card import Card

RULES = {  # what stands between the pair and its score, from the bottom up, and what its weights can say
    "Rule 1": ([("[query; key]", "(2 · size)"), ("linear", "(1)")], "blind to the query"),
    "Rule 2": (
        [("[query; key]", "(2 · size)"), ("linear", "(hidden)"), ("tanh, then sum", "(1)")],
        "a bump where the key fits",
    ),
    "Rule 3": ([("query · key", "(1)"), ("divided by √size", "(1)")], "rising along the query"),
}


def three_rules() -> None:
    """Draws the three rules side by side: one query and one key go in below, one score comes out above."""
    card = Card(10.2, 5.0)
    for column, (rule, (stations, verdict)) in enumerate(RULES.items()):
        middle = 1.8 + 3.3 * column
        card.axes.text(middle, 4.68, rule, ha="center", va="center", size=12)
        parts = [f"{name} of {rule}" for name in ("query", "key")]
        for name, shift, role in zip(parts, (-0.75, 0.75), ("query", "key"), strict=True):
            card.box(name, middle + shift, 0.5, "(size)", role, role)
        below = parts
        for level, (name, shape) in enumerate(stations):
            here = f"{name} of {rule}"
            card.box(here, middle, 1.35 + 0.8 * level, shape, text=name)
            for start in below:
                card.arrow(start, here)
            below = [here]
        card.box(f"score of {rule}", middle, 3.75, "one number for the pair", text="score")
        card.arrow(below[0], f"score of {rule}")
        card.note(middle, 4.3, f"weights: {verdict}", "weights")


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
    size = (1.6 + max(2.35, 0.55 * len(keys)) * len(weights), 3.4)
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
        for place, first in enumerate(share[:, 0].tolist()):
            ax.text(first / 2, place, f"{first:.2f}", ha="center", va="center", fontsize=10, color="white")
        ax.set(title=title, xlabel="share of the weight, strongest key first", xlim=(0, 1))
        ax.tick_params(axis="y", length=0)
    axes[0, 0].set_yticks(range(len(sizes)), [str(size) for size in sizes])
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_ylabel("size of query and key")


def what_fades(sizes: Sequence[int], jacobians: Mapping[str, Sequence], gradients: Mapping[str, Tensor]) -> None:
    """Draws, against the size, how far weights follow their scores, and how long the queries' gradients are.

    Shapes: jacobians (sizes) and gradients (sizes, query) for each way of scoring; mean and median are drawn.
    """
    left, right = row(2, width=5.4, height=4.1)
    curves({name: (sizes, norms) for name, norms in jacobians.items()}, "size", "norm of the Jacobian", ax=left,
           title="What the weights pass on", logx=True)  # fmt: skip
    left.set_ylim(0, 0.36)
    for (name, found), colour in zip(gradients.items(), COLOURS.values(), strict=False):
        found = found.detach().cpu()
        right.plot(sizes, found.mean(1), "-o", color=colour, label=f"{name}: mean")
        right.plot(sizes, found.median(1).values, ":s", color=colour, label=f"{name}: median")
    right.set(xlabel="size", ylabel="length of a query's gradient", title="What reaches the queries")
    right.set_xscale("log", base=2)
    right.set_yscale("log")
    right.legend(fontsize=9)
    for ax in (left, right):
        ax.set_xticks(sizes, [str(size) for size in sizes])


def where_the_root_helps(lookup: Mapping[str, Mapping], reversal: Mapping[str, Mapping]) -> None:
    """Draws what two scores reach at each learning rate on two tasks: the mean over seeds, in a band of their range.

    Shapes: lookup[score]["by rate"][rate] and reversal likewise, each (seeds): an error, and digits in percent.
    """
    left, right = row(2, width=5.6, height=4)
    _at_each_rate(left, lookup, "squared error at the end", "Components of variance 1: the root helps")
    _at_each_rate(right, reversal, "digits in their place, in %", "Small components: the root hurts")
    left.set_yscale("log")
    right.set_ylim(0, 100)
    for ax in (left, right):
        ax.legend()


def _at_each_rate(ax: Axes, found: Mapping[str, Mapping], ylabel: str, title: str) -> None:
    for place, (name, one) in enumerate(found.items()):
        rates, runs = [float(rate) for rate in one["by rate"]], torch.tensor(list(one["by rate"].values()))
        colour = list(COLOURS.values())[place]
        ax.plot(rates, runs.mean(1), LINES[place], marker=MARKERS[place], color=colour, label=name)
        ax.fill_between(rates, runs.amin(1), runs.amax(1), color=colour, alpha=0.2, linewidth=0)
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.minorticks_off()
    ax.set(xlabel="learning rate", ylabel=ylabel, title=title)


def _lines(ax: Axes, goods: Tensor, found: Tensor, customers: Sequence[str]) -> None:
    """One line for each customer; the first is the widest, so that lines that coincide are all seen."""
    colours = list(COLOURS.values())
    for place, customer in enumerate(customers):
        width = 1.5 + 2 * (len(customers) - 1 - place)
        ax.plot(
            goods, found[place], LINES[place], marker=MARKERS[place], markersize=3.5 + 1.3 * width, linewidth=width,
            color=colours[place], label=customer,
        )  # fmt: skip
