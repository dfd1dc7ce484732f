"""Exercises of lesson 06: split and merge, multi-head attention, copied weights, broken heads, hull, rank, pruning."""

import math

import torch
from torch import Tensor, nn

from course_utils.attention.heads import MultiHeadAttention
from course_utils.checks.forms import predict, prove, write


def _draw(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator)


# The right parts, and the wrong ones that several exercises share.


def _split(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(-2, -3)


def _merge(parts: Tensor) -> Tensor:
    return parts.transpose(-2, -3).flatten(-2)


def _view_split(x: Tensor, heads: int) -> Tensor:
    return x.reshape(len(x), heads, x.shape[1], -1)


def _view_merge(parts: Tensor) -> Tensor:
    return parts.reshape(len(parts), parts.shape[2], -1)


def _interleaved_split(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (-1, heads)).movedim(-1, -3)


def _weigh(scores: Tensor, dim: int = -1) -> Tensor:
    return torch.softmax(scores, dim=dim)


# 6.1 Split and merge: the oracle copies number by number.


def _split_and_merge_oracle(x: Tensor, parts: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    batch, length, size = x.shape
    width = size // heads
    split = torch.stack([x[:, :, head * width : (head + 1) * width] for head in range(heads)], dim=1)
    merged = torch.cat([parts[:, head] for head in range(parts.shape[1])], dim=-1)
    return split, merged


def _run_heads(answer, x: Tensor, parts: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    made = answer(heads)
    return made.split(x), made.merge(parts)


def _heads(split=_split, merge=_merge) -> type:
    """A class such as the learner's, with one wrong part."""

    class Heads:
        def __init__(self, heads):
            self.heads = heads

        def split(self, x):
            return split(x, self.heads)

        def merge(self, parts):
            return merge(parts)

    return Heads


SPLIT_AND_MERGE = write(
    "6.1",
    oracle=_split_and_merge_oracle,
    call=_run_heads,
    inputs=lambda generator: [
        (_draw(generator, 2, 3, 20), _draw(generator, 2, 4, 3, 5), 4),
        (_draw(generator, 3, 5, 6), _draw(generator, 3, 2, 5, 3), 2),
    ],
    mistakes={
        "view-split": _heads(split=_view_split),
        "heads-not-moved": _heads(split=lambda x, heads: x.unflatten(-1, (heads, -1))),
        "interleaved-split": _heads(split=_interleaved_split),
        "view-merge": _heads(merge=_view_merge),
        "heads-added": _heads(merge=lambda parts: parts.sum(dim=1)),
        "interleaved-merge": _heads(merge=lambda parts: parts.permute(0, 2, 3, 1).flatten(-2)),
        "heads-below": _heads(merge=lambda parts: parts.flatten(1, 2)),
    },
)


# 6.2 Multi-head attention: a loop over items, heads and queries as the oracle.


def _multi_head_oracle(query, key, value, wq, wk, wv, wo, heads):
    width = len(wq) // heads
    output = torch.zeros(*query.shape[:2], len(wo))
    for b in range(len(query)):
        for i in range(query.shape[1]):
            merged = []
            for h in range(heads):
                rows = slice(h * width, (h + 1) * width)
                keys, values = key[b] @ wk[rows].T, value[b] @ wv[rows].T
                scores = keys @ (wq[rows] @ query[b, i]) / math.sqrt(width)
                merged.append(torch.softmax(scores, dim=0) @ values)
            output[b, i] = wo @ torch.cat(merged)
    return output


def _multi_head(root=None, split=_split, merge=_merge, dim=-1, project_key=True, turn=lambda w: w.T, last=True):
    """Multi-head attention with one wrong part; `root` gives the divisor from size and heads."""
    root = root or (lambda size, heads: math.sqrt(size // heads))

    def answer(query, key, value, wq, wk, wv, wo, heads):
        divisor = root(len(wq), heads)
        query = split(query @ turn(wq), heads)
        key = split(key @ turn(wk) if project_key else key, heads)
        value = split(value @ turn(wv), heads)
        merged = merge(_weigh(query @ key.transpose(-2, -1) / divisor, dim) @ value)
        return merged @ turn(wo) if last else merged

    return answer


def _combined(query, key, value, wq, wk, wv, wo, heads):
    query, key = _split(query @ wq.T, heads), _split(key @ wk.T, heads)
    weights = _weigh(query @ key.transpose(-2, -1) / math.sqrt(len(wq) // heads)).mean(1)
    return weights @ (value @ wv.T) @ wo.T


def _draw_multi_head(generator: torch.Generator) -> list[tuple]:
    def case(batch: int, queries: int, keys: int, heads: int, width: int) -> tuple:
        size = heads * width
        words = [_draw(generator, batch, length, size) for length in (queries, keys, keys)]
        return *words, *(_draw(generator, size, size) / 2 for _ in range(4)), heads

    return [case(2, 3, 5, 4, 2), case(3, 4, 2, 2, 5)]


MULTI_HEAD = write(
    "6.2",
    oracle=_multi_head_oracle,
    inputs=_draw_multi_head,
    mistakes={
        "root-of-the-size": _multi_head(root=lambda size, heads: math.sqrt(size)),
        "no-root": _multi_head(root=lambda size, heads: 1.0),
        "head-size-not-its-root": _multi_head(root=lambda size, heads: size // heads),
        "one-head": lambda *given: _multi_head()(*given[:7], 1),
        "view-split": _multi_head(split=_view_split),
        "view-merge": _multi_head(merge=_view_merge),
        "combined": _combined,
        "over-queries": _multi_head(dim=-2),
        "no-key-projection": _multi_head(project_key=False),
        "no-output-projection": _multi_head(last=False),
        "not-transposed": _multi_head(turn=lambda w: w),
    },
)


# 6.3 Copied weights: the learner's module must answer as PyTorch's does, and keep doing so when that one changes.


def _theirs(size, heads, in_weight, in_bias, out_weight, out_bias) -> nn.MultiheadAttention:
    theirs = nn.MultiheadAttention(size, heads, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(in_weight)
        theirs.in_proj_bias.copy_(in_bias)
        theirs.out_proj.weight.copy_(out_weight)
        theirs.out_proj.bias.copy_(out_bias)
    return theirs


def _copied_oracle(size, heads, in_weight, in_bias, out_weight, out_bias, query, memory):
    theirs = _theirs(size, heads, in_weight, in_bias, out_weight, out_bias)
    output = theirs(query, memory, memory, need_weights=False)[0].detach()
    return output, output


def _run_copy(answer, size, heads, in_weight, in_bias, out_weight, out_bias, query, memory):
    theirs = _theirs(size, heads, in_weight, in_bias, out_weight, out_bias)
    ours = answer(theirs)
    if not isinstance(ours, MultiHeadAttention):  # PyTorch's own module would pass every other test
        return type(ours).__name__
    before = ours(query, memory, memory)[0].detach()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.zero_()
    return before, ours(query, memory, memory)[0].detach()


def _draw_copy(generator: torch.Generator) -> list[tuple]:
    def case(size: int, heads: int, queries: int, keys: int) -> tuple:
        parameters = [(3 * size, size), (3 * size,), (size, size), (size,)]
        words = [_draw(generator, 2, length, size) for length in (queries, keys)]
        return size, heads, *(_draw(generator, *shape) / 2 for shape in parameters), *words

    return [case(8, 2, 3, 5), case(6, 3, 4, 2)]


def _copy(order=(0, 1, 2), turn=lambda w: w, biases=True, output=True, heads=None, share=False):
    """Copies with one wrong part."""

    def answer(theirs):
        ours = MultiHeadAttention(theirs.embed_dim, heads or theirs.num_heads)
        layers = [ours.project_query, ours.project_key, ours.project_value]
        weights, offsets = theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3)
        for layer, place in zip(layers, order, strict=True):
            _fill(layer, turn(weights[place]), offsets[place] if biases else None, share)
        if output:
            offset = theirs.out_proj.bias if biases and output != "weight" else None
            _fill(ours.project_output, turn(theirs.out_proj.weight), offset, share)
        return ours

    return answer


def _fill(layer: nn.Linear, weight: Tensor, bias: Tensor | None, share: bool) -> None:
    if share:
        layer.weight.data, layer.bias.data = weight.data, bias.data
        return
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)


COPY = write(
    "6.3",
    oracle=_copied_oracle,
    inputs=_draw_copy,
    call=_run_copy,
    mistakes={
        "keys-first": _copy(order=(1, 0, 2)),
        "values-before-keys": _copy(order=(0, 2, 1)),
        "transposed": _copy(turn=lambda w: w.T),
        "biases-forgotten": _copy(biases=False),
        "output-forgotten": _copy(output=False),
        "output-bias-forgotten": _copy(output="weight"),
        "still-pytorchs": lambda theirs: theirs,
        "one-head": _copy(heads=1),
        "shared": _copy(share=True),
    },
)


# 6.4 A projection three times too wide.


def _thirds_oracle(x, weight, heads):
    size = x.shape[-1]
    width = size // heads
    thirds = []
    for third in range(3):
        starts = [third * size + head * width for head in range(heads)]
        thirds.append(torch.stack([x @ weight[start : start + width].T for start in starts], dim=1))
    return tuple(thirds)


def _thirds(cut):
    return lambda x, weight, heads: tuple(cut(x @ weight.T, heads))


def _chunk_and(split):
    return _thirds(lambda wide, heads: (split(third, heads) for third in wide.chunk(3, dim=-1)))


THREE_TIMES_TOO_WIDE = write(
    "6.4",
    oracle=_thirds_oracle,
    inputs=lambda generator: [
        (_draw(generator, 2, 3, 8), _draw(generator, 24, 8), 4),
        (_draw(generator, 3, 5, 6), _draw(generator, 18, 6), 2),
    ],
    mistakes={
        "unrepaired": _thirds(lambda wide, heads: wide.view(len(wide), heads, wide.shape[1], -1, 3 * heads + 1)),
        "view-split": _chunk_and(_view_split),
        "view-then-thirds": _thirds(lambda wide, heads: _view_split(wide, heads).chunk(3, dim=-1)),
        "thirds-inside-heads": _thirds(lambda wide, heads: _split(wide, heads).chunk(3, dim=-1)),
        "heads-not-moved": _chunk_and(lambda third, heads: third.unflatten(-1, (heads, -1))),
        "first-third-only": _thirds(lambda wide, heads: [_split(wide.chunk(3, dim=-1)[0], heads)] * 3),
    },
)


# 6.5 Two faults that raise nothing: view without a transpose, and the root of the whole size.


def _plain_heads_oracle(query, key, value, heads):
    width = query.shape[-1] // heads
    contexts = []
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        scores = torch.einsum("bqs,bks->bqk", query[..., part], key[..., part]) / width**0.5
        contexts.append(torch.einsum("bqk,bks->bqs", torch.softmax(scores, -1), value[..., part]))
    return torch.cat(contexts, dim=-1)


def _plain_heads(split=_split, merge=_merge, root=lambda size, heads: math.sqrt(size // heads)):
    def answer(query, key, value, heads):
        divisor = root(query.shape[-1], heads)
        query, key, value = (split(one, heads) for one in (query, key, value))
        return merge(_weigh(query @ key.transpose(-2, -1) / divisor) @ value)

    return answer


def _whole_root(size: int, heads: int) -> float:
    return math.sqrt(size)


TWO_FAULTS = write(
    "6.5",
    oracle=_plain_heads_oracle,
    inputs=lambda generator: [
        (*(_draw(generator, 2, length, 12) for length in (3, 5, 5)), 3),
        (*(_draw(generator, 3, length, 8) for length in (6, 4, 4)), 4),
    ],
    mistakes={
        "unrepaired": _plain_heads(_view_split, _view_merge, _whole_root),
        "root-left": _plain_heads(root=_whole_root),
        "view-left": _plain_heads(_view_split, _view_merge),
        "merge-left": _plain_heads(merge=_view_merge),
        "head-size-not-its-root": _plain_heads(root=lambda size, heads: size // heads),
        "merge-and-root-left": _plain_heads(merge=_view_merge, root=_whole_root),
        "no-root": _plain_heads(root=lambda size, heads: 1.0),
    },
)


# 6.6 Outside the hull, inside the box.


def _corners(answer) -> tuple[Tensor, Tensor]:
    values, wanted = answer
    return torch.as_tensor(values, dtype=torch.float64), torch.as_tensor(wanted, dtype=torch.float64)


def _shaped(answer) -> bool:
    values, wanted = _corners(answer)
    return values.shape == (3, 2) and wanted.shape == (2,)


def _in_the_box(answer) -> bool:
    values, wanted = _corners(answer)
    return bool(((wanted >= values.amin(0) - 1e-9) & (wanted <= values.amax(0) + 1e-9)).all())


def _from_the_hull(answer) -> float:
    """The distance from the wanted point to the triangle of the values, on a grid of blends."""
    values, wanted = _corners(answer)
    steps = torch.linspace(0, 1, 201, dtype=torch.float64)
    one, two = torch.meshgrid(steps, steps, indexing="ij")
    weights = torch.stack([one, two, 1 - one - two], dim=-1)[one + two <= 1 + 1e-9]
    return (weights @ values - wanted).norm(dim=-1).min().item()


def _reach(answer) -> float:
    values, _ = _corners(answer)
    return (values.amax(0) - values.amin(0)).max().item()


BOX = prove(
    "6.6",
    requirements={
        "not-shaped": _shaped,
        "outside-the-box": _in_the_box,
        "inside-the-hull": lambda answer: _from_the_hull(answer) > 0.02 * _reach(answer),
        "too-near": lambda answer: _from_the_hull(answer) > 0.2 * _reach(answer),
    },
)


# 6.7 Rank.


def _table(answer) -> Tensor:
    return torch.as_tensor(answer[0], dtype=torch.float64)


def _one_feature(answer) -> tuple[Tensor, Tensor]:
    return tuple(torch.as_tensor(one, dtype=torch.float64) for one in answer[1:])


def _weights_rank(answer) -> int:
    query, key = _one_feature(answer)
    return int(torch.linalg.matrix_rank(torch.softmax(query @ key.T, dim=-1), rtol=1e-12))


RANK = prove(
    "6.7",
    requirements={
        "table-not-5-by-5": lambda answer: _table(answer).shape == (5, 5) and bool(_table(answer).isfinite().all()),
        "rank-too-low": lambda answer: int(torch.linalg.matrix_rank(_table(answer), rtol=1e-6)) > 2,
        "rank-too-high": lambda answer: int(torch.linalg.matrix_rank(_table(answer), rtol=1e-6)) == 3,
        "not-one-feature": lambda answer: all(one.shape == (5, 1) for one in _one_feature(answer)),
        "weights-of-low-rank": lambda answer: _weights_rank(answer) == 5,
    },
)


# 6.8 Prune.


def _rows_of(size: int, heads: int, kept: list[int]) -> Tensor:
    return torch.arange(size).view(heads, -1)[kept].flatten()


def _prune_oracle(wq, wk, wv, wo, heads, kept):
    inputs = [torch.cat([w.chunk(heads)[head] for head in kept]) for w in (wq, wk, wv)]
    return *inputs, torch.cat([wo.chunk(heads, dim=1)[head] for head in kept], dim=1)


def _prune(choose, of_output=lambda wo, rows: wo[:, rows]):
    def answer(wq, wk, wv, wo, heads, kept):
        rows = choose(len(wq), heads, kept)
        return wq[rows], wk[rows], wv[rows], of_output(wo, rows)

    return answer


def _zeroed(wq, wk, wv, wo, heads, kept):
    keep = torch.zeros(heads, len(wq) // heads)
    keep[kept] = 1
    keep = keep.flatten()
    return wq * keep[:, None], wk * keep[:, None], wv * keep[:, None], wo * keep


PRUNE = write(
    "6.8",
    oracle=_prune_oracle,
    inputs=lambda generator: [
        (*(_draw(generator, 12, 12) for _ in range(4)), 4, [0, 2, 3]),
        (*(_draw(generator, 15, 15) for _ in range(4)), 5, [1, 4]),
    ],
    mistakes={
        "rows-of-the-output": _prune(_rows_of, lambda wo, rows: wo[rows]),
        "output-left-whole": _prune(_rows_of, lambda wo, rows: wo),
        "kept-and-dropped-swapped": _prune(
            lambda size, heads, kept: _rows_of(size, heads, [h for h in range(heads) if h not in kept])
        ),
        "first-heads": _prune(lambda size, heads, kept: _rows_of(size, heads, list(range(len(kept))))),
        "single-rows": lambda wq, wk, wv, wo, heads, kept: (wq[kept], wk[kept], wv[kept], wo[:, kept]),
        "every-so-many-rows": _prune(lambda size, heads, kept: torch.arange(size).view(-1, heads)[:, kept].T.flatten()),
        "zeroed": _zeroed,
    },
)


# 6.9 Not attention at all.


def _true_attention_oracle(x, wq, wk, wv, mask):
    context = torch.zeros(*x.shape[:2], len(wv))
    for b in range(len(x)):
        real = [place for place in range(x.shape[1]) if mask[b, 0, place]]
        for i in range(x.shape[1]):
            scores = torch.stack([(wq @ x[b, i]) @ (wk @ x[b, j]) for j in real]) / math.sqrt(len(wq))
            powers = torch.exp(scores - scores.max())
            context[b, i] = sum(power / powers.sum() * (wv @ x[b, j]) for power, j in zip(powers, real, strict=True))
    return context


def _draw_padded(generator: torch.Generator) -> list[tuple]:
    def case(lengths: list[int], size: int, width: int, value_width: int) -> tuple:
        x = _draw(generator, len(lengths), max(lengths), size)
        mask = torch.arange(max(lengths))[None, None] < torch.tensor(lengths)[:, None, None]
        return x, *(_draw(generator, rows, size) for rows in (width, width, value_width)), mask

    return [case([3, 5], 6, 4, 7), case([2, 4, 3], 3, 5, 4)]


def _attention(weigh, finish=lambda context: context, root=math.sqrt):
    def answer(x, wq, wk, wv, mask):
        scores = (x @ wq.T) @ (x @ wk.T).transpose(-2, -1) / root(len(wq))
        return finish(weigh(scores, mask) @ (x @ wv.T))

    return answer


def _hidden(scores: Tensor, mask: Tensor) -> Tensor:
    return _weigh(scores.masked_fill(~mask, -math.inf))


NOT_ATTENTION = write(
    "6.9",
    oracle=_true_attention_oracle,
    inputs=_draw_padded,
    mistakes={
        "unrepaired": lambda x, wq, wk, wv, mask: _weigh((x @ wv.T) * mask.transpose(1, 2)),
        "mask-multiplied": _attention(lambda scores, mask: _weigh(scores * mask)),
        "mask-after": _attention(lambda scores, mask: _weigh(scores) * mask),
        "softmax-on-output": _attention(_hidden, _weigh),
        "no-root": _attention(_hidden, root=lambda width: 1.0),
        "no-mask": _attention(lambda scores, mask: _weigh(scores)),
        "mask-inverted": _attention(lambda scores, mask: _hidden(scores, ~mask)),
    },
)


# 6.10 Predictions.


def _true_counts() -> dict:
    def divides(heads: int) -> bool:
        try:
            MultiHeadAttention(64, heads)
        except ValueError:
            return False
        return True

    def parameters(**options) -> int:
        return sum(p.numel() for p in MultiHeadAttention(64, biases=False, **options).parameters())

    return {
        "6 heads are possible": divides(6),
        "64 heads are possible": divides(64),
        "parameters with 16 heads": parameters(heads=16),
        "parameters with 4 heads of full size": parameters(heads=4, head_size=64),
        "divisor of the scores with 16 heads": math.sqrt(64 / 16),
        "weights of 16 heads at length 10": 16 * 10 * 10,
    }


COUNTS = predict(
    "6.10",
    truth=_true_counts,
    mistakes={
        "any-number-below": {"6 heads are possible": True},
        "not-the-size-itself": {"64 heads are possible": False},
        "heads-multiply": {"parameters with 16 heads": 16 * 16_384},
        "three-matrices": {"parameters with 16 heads": 3 * 4_096},
        "full-size-for-free": {"parameters with 4 heads of full size": 16_384},
        "output-stays-small": {"parameters with 4 heads of full size": 3 * 4 * 4_096 + 4_096},
        "root-of-the-size": {"divisor of the scores with 16 heads": 8.0},
        "no-root": {"divisor of the scores with 16 heads": 4.0},
        "one-table": {"weights of 16 heads at length 10": 100},
    },
)

EXERCISES = [
    SPLIT_AND_MERGE, MULTI_HEAD, COPY, THREE_TIMES_TOO_WIDE, TWO_FAULTS, BOX, RANK, PRUNE, NOT_ATTENTION, COUNTS,
]  # fmt: skip
