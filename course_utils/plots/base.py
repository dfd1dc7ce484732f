"""The pictures that every lesson uses: a map of weights, curves over each other, bars with their spread."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from course_utils.plots.fonts import use_fonts

SEQUENTIAL = "Blues"  # white is no weight, so that an empty cell looks empty; lightness alone carries the value
COLOURS = {  # Okabe and Ito 2008; yellow is left out: too pale on white
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "black": "#000000",
}
LINES = ["-", "--", "-.", ":"]  # a second sign beside colour
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]


def use_style() -> None:
    """Sets the look of every figure of the course; `start` calls it."""
    sns.set_theme(context="notebook", style="ticks", palette=list(COLOURS.values()))
    use_fonts()  # after seaborn's theme, which sets the font back
    plt.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 12,
            "axes.titlepad": 10,
            "axes.labelsize": 11,
            "legend.frameon": False,
            "font.size": 11,
        }
    )


def row(count: int, width: float = 4.5, height: float = 3.6) -> Sequence[Axes]:
    """A row of empty axes, each `width` by `height` inches, to be passed on as `ax`."""
    if count < 1:
        raise ValueError(f"count: got {count}, expected at least 1")
    _, axes = plt.subplots(1, count, figsize=(count * width, height), squeeze=False)
    return axes[0]


def heatmap(
    weights,
    queries: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
    title: str = "",
    ax: Axes | None = None,
    annotate: bool | None = None,
    vmin: float = 0.0,
    vmax: float = 1.0,
) -> None:
    """Draws weights as a map: a row for each query, a column for each key.

    Shapes: weights (query, key). Numbers are written into the cells where there is room for them (at most ten keys
    and ten queries, or as `annotate` says). Raises ValueError when names and weights differ in number.
    """
    weights = as_array(weights)
    if weights.ndim != 2:
        raise ValueError(f"weights: got shape {weights.shape}, expected two axes, (query, key)")
    for name, names, count in (("queries", queries, weights.shape[0]), ("keys", keys, weights.shape[1])):
        if names is not None and len(names) != count:
            raise ValueError(f"{name}: got {len(names)} names, expected {count}, one for each")
    if ax is None:
        size = (min(10.0, 2.6 + 0.55 * weights.shape[1]), min(8.0, 1.5 + 0.45 * weights.shape[0]))
        ax = plt.subplots(figsize=size)[1]
    roomy = max(weights.shape) <= 10 if annotate is None else annotate
    sns.heatmap(
        weights, ax=ax, cmap=SEQUENTIAL, vmin=vmin, vmax=vmax, annot=roomy, fmt=".2f", annot_kws={"size": 9},
        linewidths=0.5 if max(weights.shape) <= 30 else 0, linecolor="#dddddd", cbar_kws={"label": "weight"},
        xticklabels="auto" if keys is None else list(keys), yticklabels="auto" if queries is None else list(queries),
    )  # fmt: skip
    ax.set(xlabel="keys", ylabel="queries", title=title)
    ax.tick_params(length=0)
    ax.tick_params(axis="y", rotation=0)
    if keys is not None and max(map(len, keys)) > 3:
        plt.setp(ax.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")


def curves(
    series: Mapping[str, tuple],
    xlabel: str,
    ylabel: str,
    title: str = "",
    ax: Axes | None = None,
    logx: bool = False,
    logy: bool = False,
) -> None:
    """Draws curves over each other; each has its own colour, line and marker.

    Shapes: each series is (x, y) or (x, y, spread), each of shape (points); the spread is drawn as a band y ± spread.
    """
    ax = plt.subplots(figsize=(7, 4))[1] if ax is None else ax
    for place, (label, (x, y, *spread)) in enumerate(series.items()):
        x, y = as_array(x), as_array(y)
        colour = list(COLOURS.values())[place % len(COLOURS)]
        marker = MARKERS[place % len(MARKERS)] if len(x) <= 25 else None
        ax.plot(x, y, LINES[place % len(LINES)], marker=marker, markersize=5, color=colour, label=label)
        if spread:
            ax.fill_between(x, y - as_array(spread[0]), y + as_array(spread[0]), color=colour, alpha=0.2, linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if logx:
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:.3g}" if x < 1000 else f"{x:.0f}")
    elif all(float(v).is_integer() for x, *_ in series.values() for v in as_array(x)):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if logy:
        ax.set_yscale("log")
    if len(series) > 1:
        ax.legend()


def bars(values: Mapping[str, float | tuple], ylabel: str, title: str = "", ax: Axes | None = None) -> None:
    """Draws one horizontal bar for each label, its number at the end, and its spread where one is given.

    Each value is a number, or a pair (mean, spread).
    """
    ax = plt.subplots(figsize=(7, 0.8 + 0.45 * len(values)))[1] if ax is None else ax
    means = [float(v[0] if isinstance(v, tuple) else v) for v in values.values()]
    spreads = [float(v[1]) if isinstance(v, tuple) else 0.0 for v in values.values()]
    places = np.arange(len(values))[::-1]
    longest = max(map(abs, means), default=0.0) or 1.0
    needed = max((len(f"{mean:.3g}".partition(".")[2]) for mean in means), default=0)
    digits = max(0, min(needed, 2 - int(np.floor(np.log10(longest)))))  # all alike, and three figures for the longest
    ax.barh(places, means, xerr=spreads if any(spreads) else None, color=COLOURS["blue"], ecolor="#333333", capsize=3)
    for place, mean, spread in zip(places, means, spreads, strict=True):
        end = max(mean, 0) + spread
        ax.annotate(f"{mean:.{digits}f}", (end, place), (5, 0), textcoords="offset points", va="center")
    ax.set_yticks(places, list(values))
    ax.set(xlabel=ylabel, title=title)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.12)


def as_array(values) -> np.ndarray:
    """Anything that holds numbers, a tensor on any device included, as an array."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().float().numpy()
    return np.asarray(values, dtype=float)
