"""The pictures of lessons 08 and 09: windows over a source, what a search keeps, where a word came from."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_utils.plots.base import COLOURS, SEQUENTIAL, as_array
from course_utils.plots.card import Card


def word_alignment(
    weights,
    source: Sequence[str],
    target: Sequence[str],
    title: str = "",
    ax: Axes | None = None,
    centres=None,
    reach: int | None = None,
) -> None:
    """Draws the weights between two sentences, and, with centres and a reach, the window of each query over them.

    Shapes: weights (query, key) with at least a row for each target word and a column for each source word, centres
    (query). A frame goes round the keys in the window, a dot marks its centre. Raises ValueError for too few weights.
    """
    weights = _fitting(weights, target, source)
    if ax is None:
        ax = plt.subplots(figsize=(2.2 + 0.62 * len(source), 1.5 + 0.42 * len(target)))[1]
    image = ax.pcolormesh(weights, cmap=SEQUENTIAL, vmin=0, vmax=1, edgecolor="#dddddd", linewidth=0.5)
    ax.figure.colorbar(image, ax=ax, label="weight", shrink=0.8, aspect=25, pad=0.02)
    _write_words(ax, source, target, title)
    if centres is None:
        return
    for row, centre in enumerate(as_array(centres)[: len(target)]):
        left, right = max(np.ceil(centre - reach), 0), min(np.floor(centre + reach), len(source) - 1)
        if left <= right:
            frame = Rectangle((left + 0.06, row + 0.1), right - left + 0.88, 0.8, fill=False)
            frame.set(edgecolor=COLOURS["red"], linewidth=1.8, clip_on=False)
            ax.add_patch(frame)
        if 0 <= centre <= len(source):
            ax.plot(centre + 0.5, row + 0.5, "o", markersize=5, color=COLOURS["orange"], clip_on=False)


def three_windows(words: Sequence[str] = ("la", "robe", "rouge", "est", "ici", "."), reach: int = 1) -> None:
    """Draws where one query may look: everywhere, in a window at its own position, in one that it places itself.

    Shapes: words (key). The weights are made up; what is drawn is which keys have one.
    """
    card, size, left = Card(9.4, 4.55, "Where may the query at t = 1 look?"), 0.62, 3.1
    keys = np.arange(len(words))
    scores = np.array([0.4, 1.6, 1.9, 0.6, 0.2, -0.4, *[0.0] * len(words)])[: len(words)]
    rows = {
        "global": (None, "all keys", f"{len(words)} weights, their sum is 1"),
        "local-m": (1.0, "centre t = 1", f"D = {reach}: {2 * reach + 1} weights, sum 1"),
        "local-p": (2.4, "centre p = 2.4", "times a bell: sum below 1"),
    }
    for key, word in enumerate(words):
        card.note(left + (key + 0.5) * size, 3.89, word, "key", base=True)
        card.note(left + (key + 0.5) * size, 3.73, str(key), "key")
    card.note(left - 0.15, 3.73, "keys", "key", "right")
    for place, (name, (centre, said, remark)) in enumerate(rows.items()):
        y = 3.15 - 1.15 * place
        distance = np.zeros(len(words)) if centre is None else np.abs(keys - centre)
        inside = distance <= reach
        weights = np.where(inside, np.exp(scores), 0)
        weights = weights / weights.sum()
        if name == "local-p":
            weights = weights * np.exp(-0.5 * (distance / (reach / 2)) ** 2)
        card.box(f"query {name}", 1.0, y, "(1, size)", "query", name)
        card.cells(name, left + len(words) * size / 2, y, weights, "weights", size=size)
        card.arrow(f"query {name}", name, role="query")
        card.note(2.3, y + 0.15, said, "query")
        card.note(left + len(words) * size + 0.2, y, remark, "weights", "left")
        if centre is not None:
            begin, count = left + size * keys[inside].min(), inside.sum()
            frame = Rectangle((begin, y - size / 2 - 0.06), count * size, size + 0.12)
            frame.set(fill=False, edgecolor=COLOURS["orange"], linewidth=2.4, zorder=3)
            card.axes.add_patch(frame)
            card.axes.plot(left + (centre + 0.5) * size, y, "o", color=COLOURS["orange"], markersize=7, zorder=4)


def search_tree(table: Mapping[str, Mapping[str, float]], beams: int, title: str = "") -> None:
    """Draws what a beam search over two words keeps and drops, and what it therefore never sees.

    `table` gives for "<start>" and for each first word the words that may follow, with their probabilities.
    """
    first = table["<start>"]
    pairs = {(one, two): first[one] * share for one in first for two, share in table[one].items()}
    open_ones = sorted(first, key=first.__getitem__, reverse=True)[:beams]
    seen = {pair: total for pair, total in pairs.items() if pair[0] in open_ones}
    best = sorted(seen, key=seen.__getitem__, reverse=True)[:beams]
    card = Card(9.4, 1.15 + 0.5 * len(pairs), title)
    height = {pair: card.height - 1.05 - 0.5 * place for place, pair in enumerate(pairs)}
    card.box("<start>", 0.95, float(np.mean(list(height.values()))))
    for one, share in first.items():
        role = "value" if one in open_ones else "plain"
        middle = float(np.mean([height[pair] for pair in pairs if pair[0] == one]))
        card.box(one, 2.9, middle, "kept" if one in open_ones else "dropped", role)
        card.arrow("<start>", one, f"{share:.2f}", role, lift=0.0)
        for two, then in table[one].items():
            pair = one, two
            role = "value" if pair in best else "plain"
            fate = "kept" if pair in best else "dropped" if pair in seen else "never seen"
            card.box(f"{one} {two}", 5.25, height[pair], role=role)
            card.arrow(one, f"{one} {two}", f"{then:.2f}", role, lift=-0.08)
            winner = ": the answer" if best and pair == best[0] else ""
            card.note(
                6.45, height[pair], f"{share:.2f} · {then:.2f} = {pairs[pair]:.2f}   {fate}{winner}", role, "left"
            )


def copy_matrix(
    weights, gate, source: Sequence[str], target: Sequence[str], title: str = "", ax: Axes | None = None
) -> None:
    """Draws where each word of a target came from: its vocabulary, or a place of the source.

    Shapes: weights (query, key), gate (query): the share of the vocabulary. Each row sums to 1: gate, then
    (1 − gate) · weights. Raises ValueError for too few weights.
    """
    weights = _fitting(weights, target, source)
    gate = as_array(gate).reshape(-1)[: len(target), None]
    shown = np.concatenate([gate, (1 - gate) * weights], axis=1)
    if ax is None:
        ax = plt.subplots(figsize=(3.4 + 0.72 * len(source), 1.7 + 0.42 * len(target)))[1]
    image = ax.pcolormesh(shown, cmap=SEQUENTIAL, vmin=0, vmax=1, edgecolor="#dddddd", linewidth=0.5)
    ax.figure.colorbar(image, ax=ax, label="share of the probability", shrink=0.8, aspect=25, pad=0.02)
    _write_words(ax, ["vocabulary", *source], target, title)
    ax.set_xlabel("written from the vocabulary, or copied from a place of the source")
    ax.set_ylabel("written")
    ax.axvline(1, color=COLOURS["red"], linewidth=2)
    for (row, column), share in np.ndenumerate(shown):
        if share >= 0.1:
            ax.text(column + 0.5, row + 0.5, f"{share:.2f}", ha="center", va="center", fontsize=9,
                    color="white" if share > 0.55 else "black")  # fmt: skip


def _write_words(ax: Axes, source: Sequence[str], target: Sequence[str], title: str) -> None:
    ax.set(ylim=(len(target), 0), title=title, xlabel="keys: source", ylabel="queries: target")
    ax.set_xticks(np.arange(len(source)) + 0.5, source, rotation=35, ha="left", rotation_mode="anchor")
    ax.set_yticks(np.arange(len(target)) + 0.5, target)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _fitting(weights, target: Sequence[str], source: Sequence[str]) -> np.ndarray:
    weights = as_array(weights)
    if weights.ndim != 2 or weights.shape[0] < len(target) or weights.shape[1] < len(source):
        raise ValueError(f"weights: got shape {weights.shape}, expected at least ({len(target)}, {len(source)})")
    return weights[: len(target), : len(source)]
