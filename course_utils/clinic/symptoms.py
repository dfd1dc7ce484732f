"""The ways in which a symptom shows: lines to read, and a picture; each way takes any attention of its kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from matplotlib.axes import Axes
from torch import Tensor

from course_utils.clinic.shop import GOODS, WISHES, hides, noise, visit
from course_utils.contract.leaks import influence
from course_utils.plots import bars, curves, heatmap
from course_utils.printing import tidy

Drawing = Callable[[Axes], None]
PLACES = "places of the input"


@dataclass(frozen=True)
class Shown:
    """A symptom: what is printed, and what is drawn, a drawing for each pair of axes."""

    lines: list[str]
    drawings: list[Drawing] = field(default_factory=list)


def a_map(weights: Tensor, title: str, queries: Sequence[str] = WISHES, keys: Sequence[str] = GOODS) -> Drawing:
    """A map with the scale from 0 to 1, or wider where a weight lies outside. Shapes: weights (query, key)."""
    low, high = min(0.0, float(weights.min())), max(1.0, float(weights.max()))
    return lambda ax: heatmap(weights, queries, keys, title, ax, vmin=low, vmax=high)


def moves(moved: Tensor, title: str, rows: str = "answer", columns: str = PLACES) -> Drawing:
    """A map of who moves whom, as yes or no. Shapes: moved (output, input)."""

    def draw(ax: Axes) -> None:
        heatmap((moved > 1e-4).float(), title=title, ax=ax, annotate=False)
        ax.set(xlabel=columns, ylabel=f"{rows}s")
        ax.collections[0].colorbar.remove()

    return draw


def pairs(moved: Tensor) -> str:
    """Which answers each place moves, in words. Shapes: moved (output, input)."""
    return "  ".join(f"{place}→{','.join(map(str, column.nonzero().flatten().tolist()))}"
                     for place, column in enumerate((moved > 1e-4).T))  # fmt: skip


def numbers(values: Any) -> str:
    """Numbers with three decimals, side by side."""
    return "  ".join(f"{number:.3f}" for number in (rounded(value) for value in values))


def rounded(value: Any) -> float:
    """A number whose zero has no sign."""
    return float(tidy(torch.as_tensor(float(value)))) if value == value else float("nan")


def message(error: Exception) -> str:
    """What Python says, in one line."""
    return f"{type(error).__name__}: {without_cpp(str(error).strip().splitlines()[0])}"


def without_cpp(text: str) -> str:
    """A message without the names of C++ that change from version to version of PyTorch."""
    return text.replace("c10::", "").replace("at::", "")


def weights_on_the_goods(attention: Callable, mask: Tensor | None = None, title: str = "Its map") -> Shown:
    """The map of one visit, and the sum of each of its rows."""
    _, weights = attention(*visit(), *([] if mask is None else [mask]))
    names = [name if mask is None or mask[0, 0, place] else f"{name} (sold out)" for place, name in enumerate(GOODS)]
    lines = [f"sums of the rows: {numbers(weights[0].sum(-1))}"]
    if mask is not None:
        lines.append(f"weight on what is sold out: {numbers((weights[0] * ~mask[0]).sum(-1))}")
    return Shown(lines, [a_map(weights[0], title, keys=names)])


def goods_to_answers(attention: Callable) -> Shown:
    """With as many wishes as goods: which value moves which answer; and what happens with one wish less."""
    query, key, value = visit()
    four = torch.cat([query, query.flip(1)[:, :1]], dim=1) * torch.tensor([1.0, 1.0, 1.0, 0.5])[:, None]
    moved = influence(lambda given: attention(four, key, given)[0], value, value + 1.5)
    try:
        shape = tuple(attention(query, key, value)[0].shape)
        less = f"3 wishes and 4 goods: {shape[1]} answers"
    except Exception as error:
        less = f"3 wishes and 4 goods: {message(error)}"
    return Shown([f"good→the answers that its value moves: {pairs(moved)}", less],
                 [moves(moved, "Which value moves which answer?", columns="goods")])  # fmt: skip


def words_to_answers(attention: Callable) -> Shown:
    """Self-attention of five words: which word moves which answer, and the shape of the map."""
    source = noise(2, 5, 6)
    context, weights = attention(source, noise(6, 18, seed=1))
    moved = influence(lambda given: attention(given, noise(6, 18, seed=1))[0], source, noise(2, 5, 6, seed=2))
    lines = [f"2 sentences of 5 words: answers {tuple(context.shape)}, map {tuple(weights.shape)}"]
    lines.append(f"word→the answers that it moves: {pairs(moved)}")
    return Shown(lines, [moves(moved, "Which word moves which answer?", columns="words")])


def wishes_to_answers(attention: Callable) -> Shown:
    """Six wishes to two heads: which wish moves which answer."""
    key, value = noise(1, 4, 4, seed=1), noise(1, 4, 4, seed=2)
    asked, other = noise(1, 6, 4), noise(1, 6, 4, seed=3)
    moved = influence(lambda query: attention(query, key, value, 2)[0], asked, other)
    return Shown([f"wish→the answers that it moves: {pairs(moved)}"],
                 [moves(moved, "Which wish moves which answer?", columns="wishes")])  # fmt: skip


def keys_to_weights(attention: Callable) -> Shown:
    """How far the weights move when one good after the other is replaced; and what happens with five goods."""
    query, key, value = visit()
    before, found = attention(query, key, value)[1], []
    for place in range(len(GOODS)):
        other = key.clone()
        other[:, place] += 1.5
        found.append(float((attention(query, other, value)[1] - before).abs().max()))
    try:
        more = f"5 goods: {tuple(attention(query, noise(1, 5, 4), noise(1, 5, 4))[1].shape[1:])} weights"
    except Exception as error:
        more = f"5 goods: it raises {type(error).__name__}"
    lines = [f"replace one good, and the weights move by: {numbers(found)}", more]
    moved = dict(zip(GOODS, found, strict=True))
    return Shown(lines, [lambda ax: bars(moved, "largest change of a weight", "Replace one good", ax)])


def two_in_a_batch(attention: Callable) -> Shown:
    """Two visits with other wishes, together and one by one."""
    query, key, value = (torch.cat([x, x.flip(1)]) for x in visit())
    together = attention(query, key, value)[1]
    alone = attention(query[1:], key[1:], value[1:])[1]
    rows = torch.stack([together[0, 0], together[1, 0], alone[0, 0]])
    names = ["visit 0", "visit 1", "visit 1 alone"]
    lines = [f"{name:14} {numbers(row)}" for name, row in zip(names, rows, strict=True)]
    return Shown(lines, [a_map(rows, "The first wish of two visits", names, ["good 0", "good 1", "good 2", "good 3"])])


def against_padding(attention: Callable) -> Shown:
    """The same visit with more and more padding behind its goods, all of it hidden by the mask."""
    query, key, value = visit()
    counts, real, without = [0, 2, 4, 8, 16], [], []
    for count in counts:
        longer = [torch.cat([x, torch.full((1, count, 4), 0.5)], dim=1) for x in (key, value)]
        mask = (torch.arange(4 + count) < 4).expand(1, 3, -1)
        real.append(float(attention(query, *longer, mask)[1][0, 0, :4].sum()))
        without.append(float(attention(query, *longer)[1][0, 0, :4].sum()))
    lines = [f"places of padding:        {'  '.join(f'{count:5}' for count in counts)}",
             f"weight on goods:          {numbers(real)}", f"the same without a mask:  {numbers(without)}"]  # fmt: skip
    series = {"": (counts, real)}
    title = "A wish for a dress, in longer and longer batches"
    return Shown(lines, [lambda ax: _from_0(ax, series, "places of padding", "weight on real goods", title)])


def against_sold_out(attention: Callable) -> Shown:
    """The sums of the rows when more and more goods are sold out."""
    counts = [0, 1, 2, 3]
    sums = [attention(*visit(), hides(*range(count)))[1][0].sum(-1) for count in counts]
    lines = [
        f"{count} goods sold out, sums of the rows: {numbers(row)}" for count, row in zip(counts, sums, strict=True)
    ]
    series = {name: (counts, [float(row[place]) for row in sums]) for place, name in enumerate(WISHES)}
    title = "What a wish gives away in all"
    return Shown(lines, [lambda ax: _from_0(ax, series, "goods sold out", "sum of the row", title)])


def _from_0(ax: Axes, series: dict, x: str, y: str, title: str) -> None:
    curves(series, x, y, title, ax)
    ax.set_ylim(0, 1.08)
    if ax.get_legend():
        ax.legend(loc="lower left")


def nothing_left(attention: Callable) -> Shown:
    """The third wish may see nothing."""
    mask = hides()
    mask[:, 2] = False
    context, weights = attention(*visit(), mask)
    answers = [f"{name:14} {numbers(row)}" for name, row in zip(WISHES, context[0], strict=True)]
    answers.append(f"mean of all answers: {numbers([context.mean()])}")
    return Shown(answers, [a_map(weights[0], "The map of three wishes")])
