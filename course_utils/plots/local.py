"""The pictures of lessons 08 and 09: windows over an alignment, a tree of choices, where each word came from."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_utils.plots.base import COLOURS, SEQUENTIAL, as_array


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


def choices(tree: Mapping[str, tuple], found: Mapping[str, tuple], title: str = "", ax: Axes | None = None) -> None:
    """Draws a tree of two choices with their probabilities, and the paths that searches take through it.

    `tree` gives for each first word (its probability, {second word: its probability}); `found` gives for the name of a
    search (first word, second word).
    """
    ax = plt.subplots(figsize=(8.4, 4.4))[1] if ax is None else ax
    leaves = [(first, second) for first, (_, below) in tree.items() for second in below]
    height = {leaf: -place for place, leaf in enumerate(leaves)}
    middle = {first: np.mean([height[leaf] for leaf in leaves if leaf[0] == first]) for first in tree}
    root = (0.0, float(np.mean(list(middle.values()))))
    styles = dict(zip(found, [(COLOURS["red"], 5.0), (COLOURS["blue"], 5.0)], strict=False))
    for first, (likely, below) in tree.items():
        spot = (1.0, middle[first])
        _branch(ax, root, spot, f"{likely:.2f}", [styles[name] for name, path in found.items() if path[0] == first])
        for second, then in below.items():
            end = (2.0, height[first, second])
            paths = [name for name, path in found.items() if path == (first, second)]
            _branch(ax, spot, end, f"{then:.2f}", [styles[name] for name in paths])
            note = f"  {second}    {likely:.2f} · {then:.2f} = {likely * then:.2f}" + "".join(f"   {n}" for n in paths)
            ax.annotate(note, end, va="center", color=styles[paths[0]][0] if paths else "black")
        ax.annotate(first, spot, (0, 12), textcoords="offset points", ha="center", weight="bold")
    ax.annotate("start", root, (-6, 0), textcoords="offset points", ha="right", va="center")
    ax.set(xlim=(-0.25, 3.5), ylim=(-len(leaves) + 0.4, 0.6), title=title)
    ax.axis("off")


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


def _branch(ax: Axes, begin: tuple, end: tuple, label: str, styles: Sequence[tuple]) -> None:
    ax.plot(*zip(begin, end, strict=True), color="#bbbbbb", linewidth=1.2, zorder=1)
    for place, (colour, width) in enumerate(styles):
        ax.plot(*zip(begin, end, strict=True), color=colour, linewidth=width - 2 * place, alpha=0.6, zorder=0)
    spot = (begin[0] + 0.62 * (end[0] - begin[0]), begin[1] + 0.62 * (end[1] - begin[1]))
    ax.annotate(
        label, spot, ha="center", va="center", size=10, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1}
    )


def _fitting(weights, target: Sequence[str], source: Sequence[str]) -> np.ndarray:
    weights = as_array(weights)
    if weights.ndim != 2 or weights.shape[0] < len(target) or weights.shape[1] < len(source):
        raise ValueError(f"weights: got shape {weights.shape}, expected at least ({len(target)}, {len(source)})")
    return weights[: len(target), : len(source)]
