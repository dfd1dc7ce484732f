"""Exercises of lesson 06: split and merge, multi-head attention, copied weights, broken heads, hull, rank, pruning."""

import math

import torch
from torch import Tensor, nn

from course_utils.attention.heads import MultiHeadAttention
from course_utils.checks.bank.parts import as_double, draw
from course_utils.checks.forms import edited, predict, prove, write

# The right parts, and the wrong ones that several exercises share.


def _split(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(-2, -3)


def _merge(parts: Tensor) -> Tensor:
    return parts.transpose(-2, -3).flatten(-2)


def _view_split(x: Tensor, heads: int) -> Tensor:
    return x.reshape(len(x), heads, x.shape[1], -1)


def _view_merge(parts: Tensor) -> Tensor:
    return parts.reshape(len(parts), parts.shape[2], -1)


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


class _Heads:
    def __init__(self, heads):
        self.heads = heads

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-2, -3)

    def merge(self, parts):
        return parts.transpose(-2, -3).flatten(-2)


SPLIT_AND_MERGE = write(
    "6.1",
    oracle=_split_and_merge_oracle,
    call=_run_heads,
    results=("split", "merge"),
    inputs=lambda generator: [
        (*draw(generator, (2, 3, 20), (2, 4, 3, 5)), 4),
        (*draw(generator, (3, 5, 6), (3, 2, 5, 3)), 2),
    ],
    mistakes=edited(
        _Heads,
        {
            "view-split": (
                "x.unflatten(-1, (self.heads, -1)).transpose(-2, -3)",
                "x.reshape(len(x), self.heads, x.shape[1], -1)",
            ),
            "heads-not-moved": ("(self.heads, -1)).transpose(-2, -3)", "(self.heads, -1))"),
            "interleaved-split": ("(self.heads, -1)).transpose(-2, -3)", "(-1, self.heads)).movedim(-1, -3)"),
            "view-merge": (
                "parts.transpose(-2, -3).flatten(-2)",
                "parts.reshape(len(parts), parts.shape[2], -1)",
            ),
            "view-both": [
                (
                    "x.unflatten(-1, (self.heads, -1)).transpose(-2, -3)",
                    "x.reshape(len(x), self.heads, x.shape[1], -1)",
                ),
                ("parts.transpose(-2, -3).flatten(-2)", "parts.reshape(len(parts), parts.shape[2], -1)"),
            ],
            "heads-added": ("parts.transpose(-2, -3).flatten(-2)", "parts.sum(dim=1)"),
            "interleaved-merge": ("parts.transpose(-2, -3)", "parts.permute(0, 2, 3, 1)"),
            "heads-below": ("parts.transpose(-2, -3).flatten(-2)", "parts.flatten(1, 2)"),
        },
    ),
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


def _multi_head(query, key, value, wq, wk, wv, wo, heads):
    query, key, value = (_split(x @ w.T, heads) for x, w in [(query, wq), (key, wk), (value, wv)])
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    merged = _merge(torch.softmax(scores, dim=-1) @ value)
    return merged @ wo.T


def _draw_multi_head(generator: torch.Generator) -> list[tuple]:
    def case(batch: int, queries: int, keys: int, heads: int, width: int) -> tuple:
        size = heads * width
        words = draw(generator, *((batch, length, size) for length in (queries, keys, keys)))
        return *words, *(w / 2 for w in draw(generator, *4 * [(size, size)])), heads

    return [case(2, 3, 5, 4, 2), case(3, 4, 2, 2, 5)]


_WHOLE_ROOT = ("math.sqrt(query.shape[-1])", "math.sqrt(heads * query.shape[-1])")
_NO_ROOT = (" / math.sqrt(query.shape[-1])", "")
_SIZE_FOR_ROOT = ("math.sqrt(query.shape[-1])", "query.shape[-1]")
_VIEW_SPLIT, _VIEW_MERGE = ("_split(", "_view_split("), ("_merge(", "_view_merge(")

MULTI_HEAD = write(
    "6.2",
    oracle=_multi_head_oracle,
    inputs=_draw_multi_head,
    mistakes=edited(
        _multi_head,
        {
            "root-of-the-size": _WHOLE_ROOT,
            "no-root": _NO_ROOT,
            "head-size-not-its-root": _SIZE_FOR_ROOT,
            "one-head": ("_split(x @ w.T, heads)", "(x @ w.T)[:, None]"),
            "view-split": _VIEW_SPLIT,
            "view-merge": _VIEW_MERGE,
            "view-both": [_VIEW_SPLIT, _VIEW_MERGE],
            "size-and-two": ("math.sqrt(query.shape[-1])", "query.shape[-1] / 2"),
            "root-of-the-heads": ("query.shape[-1]", "heads"),
            "over-heads": ("dim=-1", "dim=1"),
            "combined": (
                "_merge(torch.softmax(scores, dim=-1) @ value)",
                "torch.softmax(scores, -1).mean(1) @ _merge(value)",
            ),
            "over-queries": ("dim=-1", "dim=-2"),
            "no-key-projection": ("(key, wk)", "(key, torch.eye(len(wk)))"),
            "no-output-projection": ("merged @ wo.T", "merged"),
            "not-transposed": [("x @ w.T", "x @ w"), ("merged @ wo.T", "merged @ wo")],
            "inputs-not-transposed": ("x @ w.T", "x @ w"),
            "output-not-transposed": ("merged @ wo.T", "merged @ wo"),
            "key-for-value": ("(value, wv)", "(key, wv)"),
            "matrices-swapped": [("(query, wq)", "(query, wk)"), ("(key, wk)", "(key, wq)")],
        },
    ),
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
    if ours is None:
        return None
    if not isinstance(ours, MultiHeadAttention):  # PyTorch's own module would pass every other test
        return f"{type(ours).__name__}, which is no MultiHeadAttention of the course"
    before = ours(query, memory, memory)[0].detach()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.zero_()
    return before, ours(query, memory, memory)[0].detach()


def _draw_copy(generator: torch.Generator) -> list[tuple]:
    def case(size: int, heads: int, queries: int, keys: int) -> tuple:
        parameters = draw(generator, (3 * size, size), (3 * size,), (size, size), (size,))
        words = draw(generator, (2, queries, size), (2, keys, size))
        return size, heads, *(numbers / 2 for numbers in parameters), *words

    return [case(8, 2, 3, 5), case(6, 3, 4, 2)]


def _copied(theirs):
    ours = MultiHeadAttention(theirs.embed_dim, theirs.num_heads)
    layers = [ours.project_query, ours.project_key, ours.project_value]
    weights, biases = theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3)
    with torch.no_grad():
        for layer, weight, bias in zip(layers, weights, biases, strict=True):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        ours.project_output.weight.copy_(theirs.out_proj.weight)
        ours.project_output.bias.copy_(theirs.out_proj.bias)
    return ours


_OUTPUT_WEIGHT = "ours.project_output.weight.copy_(theirs.out_proj.weight)"
_OUTPUT_BIAS = "ours.project_output.bias.copy_(theirs.out_proj.bias)"

COPY = write(
    "6.3",
    oracle=_copied_oracle,
    inputs=_draw_copy,
    call=_run_copy,
    mistakes=edited(
        _copied,
        {
            "keys-first": ("project_query, ours.project_key,", "project_key, ours.project_query,"),
            "values-before-keys": ("project_key, ours.project_value]", "project_value, ours.project_key]"),
            "transposed": [("copy_(weight)", "copy_(weight.T)"), ("out_proj.weight)", "out_proj.weight.T)")],
            "inputs-transposed": ("copy_(weight)", "copy_(weight.T)"),
            "biases-forgotten": [("layer.bias.copy_(bias)", "pass"), (_OUTPUT_BIAS, "pass")],
            "output-forgotten": [(_OUTPUT_WEIGHT, "pass"), (_OUTPUT_BIAS, "pass")],
            "output-bias-forgotten": (_OUTPUT_BIAS, "pass"),
            "still-pytorchs": ("return ours", "return theirs"),
            "one-head": ("theirs.num_heads", "1"),
            "shared": [
                ("layer.weight.copy_(weight)", "layer.weight.data = weight.data"),
                ("layer.bias.copy_(bias)", "layer.bias.data = bias.data"),
                (_OUTPUT_WEIGHT, "ours.project_output.weight = theirs.out_proj.weight"),
                (_OUTPUT_BIAS, "ours.project_output.bias = theirs.out_proj.bias"),
            ],
        },
    ),
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
    results=("query", "key", "value"),
    inputs=lambda generator: [(*draw(generator, (2, 3, 8), (24, 8)), 4), (*draw(generator, (3, 5, 6), (18, 6)), 2)],
    mistakes={
        "unrepaired": _thirds(lambda wide, heads: wide.view(len(wide), heads, wide.shape[1], -1, 3 * heads + 1)),
        "view-split": _chunk_and(_view_split),
        "view-then-thirds": _thirds(lambda wide, heads: _view_split(wide, heads).chunk(3, dim=-1)),
        "thirds-inside-heads": _thirds(lambda wide, heads: _split(wide, heads).chunk(3, dim=-1)),
        "heads-not-moved": _chunk_and(lambda third, heads: third.unflatten(-1, (heads, -1))),
        "keys-first": _thirds(
            lambda wide, heads: [
                _split(third, heads) for third in wide.unflatten(-1, (3, -1))[..., [1, 0, 2], :].unbind(-2)
            ]
        ),
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


def _plain_heads(query, key, value, heads):
    query, key, value = (_split(one, heads) for one in (query, key, value))
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return _merge(torch.softmax(scores, dim=-1) @ value)


TWO_FAULTS = write(
    "6.5",
    oracle=_plain_heads_oracle,
    inputs=lambda generator: [
        (*draw(generator, (2, 3, 12), (2, 5, 12), (2, 5, 12)), 3),
        (*draw(generator, (3, 6, 8), (3, 4, 8), (3, 4, 8)), 4),
    ],
    mistakes=edited(
        _plain_heads,
        {
            "unrepaired": [_VIEW_SPLIT, _VIEW_MERGE, _WHOLE_ROOT],
            "root-left": _WHOLE_ROOT,
            "view-left": [_VIEW_SPLIT, _VIEW_MERGE],
            "merge-left": _VIEW_MERGE,
            "split-left": _VIEW_SPLIT,
            "head-size-not-its-root": _SIZE_FOR_ROOT,
            "size-and-two": ("math.sqrt(query.shape[-1])", "query.shape[-1] / 2"),
            "root-of-the-heads": ("query.shape[-1]", "heads"),
            "merge-and-root-left": [_VIEW_MERGE, _WHOLE_ROOT],
            "no-root": _NO_ROOT,
        },
    ),
)


# 6.6 Outside the hull, inside the box.


def _corners(answer) -> tuple[Tensor, Tensor]:
    values, wanted = answer
    return as_double(values), as_double(wanted)


def _shaped(answer) -> bool:
    values, wanted = _corners(answer)
    finite = bool(values.isfinite().all() and wanted.isfinite().all())
    return values.shape == (3, 2) and wanted.shape == (2,) and finite


def _in_the_box(answer) -> bool:
    values, wanted = _corners(answer)
    return bool(((wanted >= values.amin(0) - 1e-9) & (wanted <= values.amax(0) + 1e-9)).all())


def _from_the_hull(answer) -> float:
    """The distance from the wanted point to the triangle of the values, each fact in units of its own range."""
    values, wanted = _corners(answer)
    ranges = (values.amax(0) - values.amin(0)).clamp(min=1e-12)
    corners, point = values / ranges, wanted / ranges
    sides = torch.roll(corners, -1, 0) - corners
    across = torch.stack([sides[:, 1], -sides[:, 0]], dim=1)  # at right angles to each side
    turns = ((point - corners) * across).sum(1)
    if (turns > 0).all() or (turns < 0).all():  # on the same side of all three
        return 0.0
    along = ((point - corners) * sides).sum(1) / sides.square().sum(1).clamp(min=1e-24)
    return (corners + along.clamp(0, 1)[:, None] * sides - point).norm(dim=1).min().item()


BOX = prove(
    "6.6",
    requirements={
        "not-shaped": _shaped,
        "outside-the-box": _in_the_box,
        "inside-the-hull": lambda answer: _from_the_hull(answer) > 1e-9,
        "too-near": lambda answer: _from_the_hull(answer) > 0.2,
    },
)


# 6.7 Rank.


def _table(answer) -> Tensor:
    return as_double(answer[0])


def _one_feature(answer) -> tuple[Tensor, Tensor]:
    return tuple(as_double(one) for one in answer[1:])


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


def _prune_oracle(wq, wk, wv, wo, heads, kept):
    inputs = [torch.cat([w.chunk(heads)[head] for head in kept]) for w in (wq, wk, wv)]
    return *inputs, torch.cat([wo.chunk(heads, dim=1)[head] for head in kept], dim=1)


def _prune(wq, wk, wv, wo, heads, kept):
    rows = torch.arange(len(wq)).view(heads, -1)[kept].flatten()
    return wq[rows], wk[rows], wv[rows], wo[:, rows]


def _zeroed(wq, wk, wv, wo, heads, kept):
    keep = torch.zeros(heads, len(wq) // heads)
    keep[kept] = 1
    keep = keep.flatten()
    return wq * keep[:, None], wk * keep[:, None], wv * keep[:, None], wo * keep


PRUNE = write(
    "6.8",
    oracle=_prune_oracle,
    inputs=lambda generator: [
        (*draw(generator, *4 * [(12, 12)]), 4, [0, 2, 3]),
        (*draw(generator, *4 * [(15, 15)]), 5, [1, 4]),
    ],
    mistakes=edited(
        _prune,
        {
            "rows-of-the-output": ("wo[:, rows]", "wo[rows]"),
            "output-left-whole": ("wo[:, rows]", "wo"),
            "kept-and-dropped-swapped": ("[kept]", "[[head for head in range(heads) if head not in kept]]"),
            "first-heads": ("[kept]", "[: len(kept)]"),
            "columns-everywhere": ("wq[rows], wk[rows], wv[rows]", "wq[:, rows], wk[:, rows], wv[:, rows]"),
            "values-left-whole": ("wv[rows], wo[:, rows]", "wv, wo"),
            "single-rows": ("torch.arange(len(wq)).view(heads, -1)[kept].flatten()", "kept"),
            "every-so-many-rows": ("view(heads, -1)[kept]", "view(-1, heads)[:, kept].T"),
        },
    )
    | {"zeroed": _zeroed},
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
        source = max(lengths) + 1  # padding even for the longest
        x, *weights = draw(generator, (len(lengths), source, size), (width, size), (width, size), (value_width, size))
        mask = torch.arange(source)[None, None] < torch.tensor(lengths)[:, None, None]
        mask[1::2] = mask[1::2].flip(-1)  # padded on the left: in every row, and in no column, all may be padding
        return x, *weights, mask

    return [case([3, 5], 6, 4, 7), case([2, 4, 3], 3, 5, 4)]


def _attention(x, wq, wk, wv, mask):
    scores = (x @ wq.T) @ (x @ wk.T).transpose(-2, -1) / math.sqrt(len(wq))
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), dim=-1)
    return weights @ (x @ wv.T)


_MASKED = "scores.masked_fill(~mask, -math.inf)"

NOT_ATTENTION = write(
    "6.9",
    oracle=_true_attention_oracle,
    inputs=_draw_padded,
    mistakes={
        "unrepaired": lambda x, wq, wk, wv, mask: torch.softmax((x @ wv.T) * mask.transpose(1, 2), dim=-1),
        **edited(
            _attention,
            {
                "mask-multiplied": (_MASKED, "scores * mask"),
                "mask-after": [(_MASKED, "scores"), ("weights @", "weights * mask @")],
                "softmax-on-output": ("return weights @ (x @ wv.T)", "return torch.softmax(weights @ (x @ wv.T), -1)"),
                "no-root": (" / math.sqrt(len(wq))", ""),
                "size-and-two": ("math.sqrt(len(wq))", "len(wq) / 2"),
                "matrices-as-they-lie": ("(x @ wq.T) @ (x @ wk.T)", "(x @ wq) @ (x @ wk)"),
                "root-of-the-input": ("math.sqrt(len(wq))", "math.sqrt(x.shape[-1])"),
                "no-mask": (_MASKED, "scores"),
                "over-queries": ("-math.inf), dim=-1", "-1e9), dim=-2"),
                "over-queries-with-nan": ("-math.inf), dim=-1", "-math.inf), dim=-2"),
                "mask-inverted": ("~mask", "mask"),
            },
        ),
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
        "no-output-projection": {"parameters with 4 heads of full size": 3 * 4 * 4_096},
        "output-stays-small": {"parameters with 4 heads of full size": 3 * 4 * 4_096 + 4_096},
        "root-of-the-size": {"divisor of the scores with 16 heads": 8.0},
        "no-root": {"divisor of the scores with 16 heads": 4.0},
        "one-table": {"weights of 16 heads at length 10": 100},
    },
)

EXERCISES = [
    SPLIT_AND_MERGE, MULTI_HEAD, COPY, THREE_TIMES_TOO_WIDE, TWO_FAULTS, BOX, RANK, PRUNE, NOT_ATTENTION, COUNTS,
]  # fmt: skip
