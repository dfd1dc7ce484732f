"""More ways in which a symptom shows: numbers that depend on the mode, the type, the heads, or on who called before."""

from collections.abc import Callable
from functools import partial

import torch
from matplotlib.axes import Axes
from torch import Tensor

from course_utils.clinic.shop import GOODS, WISHES, hides, noise, visit
from course_utils.clinic.symptoms import Shown, a_map, message, moves, numbers, pairs
from course_utils.contract.leaks import influence
from course_utils.plots import bars, curves


def spread_against_heads(attention: Callable) -> Shown:
    """The spread of the scores, read from the weights, with more and more heads."""
    counts, found = [1, 2, 4, 8], []
    query, key = noise(1, 64, 64), noise(1, 64, 64, seed=1)
    for heads in counts:
        weights = attention(query, key, key, heads)[1]
        found.append(float(weights.log().var(-1).mean()))  # a score is the log of its weight, up to a constant
    lines = [
        f"heads:               {'  '.join(f'{count:5}' for count in counts)}",
        f"variance of a score: {numbers(found)}",
    ]

    def draw(ax: Axes) -> None:
        curves({"": (counts, found)}, "heads", "variance of a score", "64 features, more and more heads", ax, logx=True)
        ax.set_ylim(0, 1.2)

    return Shown(lines, [draw])


def in_three_types(attention: Callable) -> Shown:
    """The same visit in three types of number, with one good sold out."""
    lines = []
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        name = str(dtype).removeprefix("torch.")
        try:
            _, weights = attention(*(x.to(dtype) for x in visit()), hides(1))
            said = f"sums of the rows {numbers(weights[0].float().sum(-1).round(decimals=1))}"
        except Exception as error:
            said = message(error)
        lines.append(f"{name:9} {said}")
    return Shown(lines)


def three_calls(attention: Callable) -> Shown:
    """The same call, three times, with the same tensors."""
    query, key, value = visit()
    rows = torch.stack([attention(query, key, value)[1][0, 0].clone() for _ in range(3)])
    names = ["first call", "second call", "third call"]
    lines = [f"{name:12} {numbers(row)}" for name, row in zip(names, rows, strict=True)]
    return Shown(lines, [a_map(rows, "A wish for a dress, asked three times", names)])


def map_against_answers(attention: Callable) -> Shown:
    """The map with one good sold out, and whether that good's value moves any answer."""
    query, key, value = visit()
    mask, other = hides(0), value.clone()
    other[:, 0] += 5
    context, weights = attention(query, key, value, mask)
    moved = (attention(query, key, other, mask)[0] - context).abs().max()
    names = [f"{GOODS[0]} (sold out)", *GOODS[1:]]
    lines = [f"weight on what is sold out: {numbers(weights[0, :, 0])}"]
    lines.append(f"its value is replaced, and the answers move by {numbers([moved])}")
    return Shown(lines, [a_map(weights[0], "Its map, with one good sold out", keys=names)])


def in_two_modes(attention: Callable) -> Shown:
    """Which word moves which answer, in training and in evaluation."""
    source, other = noise(1, 5, 4), noise(1, 5, 4, seed=1)
    lines, drawings = [], []
    for training, mode in ((True, "training"), (False, "evaluation")):
        moved = influence(partial(attention, training=training), source, other)
        lines.append(f"{mode:10} word→the answers that it moves: {pairs(moved)}")
        drawings.append(moves(moved, f"In {mode}", columns="words"))
    return Shown(lines, drawings)


def at_once_and_word_by_word(attention: Callable) -> Shown:
    """A text read at once, and written on word by word with the keys of the past kept."""
    text = noise(1, 5, 4)
    at_once = attention(text, text, text)
    off = []
    for place in range(5):
        past = text[:, : place + 1]
        off.append(float((attention(past[:, -1:], past, past) - at_once[:, place : place + 1]).abs().max()))
    words = [f"word {place}" for place in range(5)]
    chances = attention(text[:, -1:], text, torch.eye(5)[None])[0]
    lines = [
        f"difference from reading at once: {numbers(off)}",
        f"weights of the last word:        {numbers(chances[0])}",
    ]
    return Shown(lines, [a_map(chances, "The last word, written on", ["word 4"], words)])


def padding_of_two_baskets(attention: Callable) -> Shown:
    """Two baskets of four and of two goods, two heads: how much weight each head puts on the padding of its basket."""
    query, key = noise(2, 2, 3, 4), noise(2, 2, 4, 4, seed=1)
    mask = torch.tensor([[True, True, True, True], [True, True, False, False]])
    weights = attention(query, key, key, mask)[1]
    lost = (weights * ~mask[:, None, None]).sum(-1).mean(-1)  # (batch, heads)
    seen = (weights > 0).any(2).sum(-1)
    lines = [f"basket of {count} goods: weight on padding in heads 0 and 1: {numbers(row)}; goods seen: {here.tolist()}"
             for count, row, here in zip((4, 2), lost, seen, strict=True)]  # fmt: skip
    drawing = a_map(weights[:, :, 0].flatten(0, 1), "The first wish of each basket, in each head",
                    [f"basket {b}, head {h}" for b in range(2) for h in range(2)], ["0", "1", "2", "3"])  # fmt: skip
    return Shown(lines, [drawing])


def sizes_and_heads(attention: Callable) -> Shown:
    """Which numbers of heads it takes for a size of 6."""
    lines = []
    for heads in (1, 2, 3, 4, 5, 6):
        x = noise(1, 2, 6)
        try:
            said = f"answers of shape {tuple(attention(x, x, x, heads)[0].shape)}"
        except Exception as error:
            said = message(error)
        lines.append(f"size 6, heads {heads}: {said}")
    return Shown(lines)


def five_calls_in_evaluation(attention: Callable) -> Shown:
    """The same call five times in evaluation: how many different answers."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        found: list[Tensor] = [attention(*visit(), training=False)[0][0] for _ in range(5)]
    different = {tuple(answer.flatten().tolist()) for answer in found}
    firsts = {f"call {place}": float(answer[0, 0]) for place, answer in enumerate(found)}
    lines = [f"five equal calls in evaluation gave {len(different)} different answers"]
    title = f"The first number of the answer to {WISHES[0]!r}"
    return Shown(lines, [lambda ax: bars(firsts, "the same call, five times", title, ax)])
