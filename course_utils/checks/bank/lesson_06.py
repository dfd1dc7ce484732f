"""Exercises of lesson 06: split and merge, multi-head attention, copied weights, broken heads, hull, rank, pruning."""

import math

import torch
from torch import Tensor, nn

from course_utils.attention.heads import MultiHeadAttention
from course_utils.checks import Exercise, Mistake, Prediction, Requirement, Witness


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


SPLIT_AND_MERGE = Exercise(
    "6.1", "Split and merge",
    oracle=_split_and_merge_oracle, call=_run_heads,
    inputs=lambda generator: [
        (_draw(generator, 2, 3, 20), _draw(generator, 2, 4, 3, 5), 4),
        (_draw(generator, 3, 5, 6), _draw(generator, 3, 2, 5, 3), 2),
    ],
    mistakes=[
        Mistake(
            "view-split", _heads(split=_view_split),
            "Your split has the right shape and the wrong numbers: `view` alone cuts words apart, so make an axis for "
            "the heads out of the features first, and move it afterwards.",
        ),
        Mistake(
            "heads-not-moved", _heads(split=lambda x, heads: x.unflatten(-1, (heads, -1))),
            "Your split still has the heads behind the length; each head needs a (length, head size) of its own, so "
            "the two axes must change places.",
        ),
        Mistake(
            "interleaved-split", _heads(split=_interleaved_split),
            "You dealt the features out like cards: head 0 should get the first features in a row, so the axis of the "
            "heads comes before that of the head size.",
        ),
        Mistake(
            "view-merge", _heads(merge=_view_merge),
            "Your split is right, but your merge only changes the shape: bring heads and head size next to each other "
            "before you join them.",
        ),
        Mistake(
            "heads-added", _heads(merge=lambda parts: parts.sum(dim=1)),
            "Your merge adds the heads up; they are put side by side, and the output projection does the adding.",
        ),
        Mistake(
            "interleaved-merge", _heads(merge=lambda parts: parts.permute(0, 2, 3, 1).flatten(-2)),
            "Your merge takes one feature of each head in turn; all features of head 0 come first, then those "
            "of head 1.",
        ),
        Mistake(
            "heads-below", _heads(merge=lambda parts: parts.flatten(1, 2)),
            "Your merge puts the heads one after another along the length; they belong side by side along the "
            "features.",
        ),
    ],
)  # fmt: skip


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


MULTI_HEAD = Exercise(
    "6.2", "Multi-head attention",
    oracle=_multi_head_oracle, inputs=_draw_multi_head,
    mistakes=[
        Mistake(
            "root-of-the-size", _multi_head(root=lambda size, heads: math.sqrt(size)),
            "You divide by the root of the whole size; each head scores with its own few features, so the root is that "
            "of the head size.",
        ),
        Mistake(
            "no-root", _multi_head(root=lambda size, heads: 1.0),
            "You do not divide the scores at all; each head divides by the root of its head size.",
        ),
        Mistake(
            "head-size-not-its-root", _multi_head(root=lambda size, heads: size // heads),
            "You divide by the head size itself; it is the root of it that brings the variance of the scores to 1.",
        ),
        Mistake(
            "one-head", lambda *given: _multi_head()(*given[:7], 1),
            "You attend once, with all the features together; split query, key and value first, so that each head has "
            "weights of its own.",
        ),
        Mistake(
            "view-split", _multi_head(split=_view_split),
            "You split with `view` or `reshape` alone, which cuts words apart; cut the features, then move the axis of "
            "the heads forward.",
        ),
        Mistake(
            "view-merge", _multi_head(merge=_view_merge),
            "Split and attention are right, but you merge with `view` or `reshape` alone; move the axis of the heads "
            "back next to the features first.",
        ),
        Mistake(
            "combined", _combined,
            "You took the mean of the heads' weights and mixed once; each head mixes its own part of the values with "
            "its own weights.",
        ),
        Mistake(
            "over-queries", _multi_head(dim=-2),
            "Your softmax runs over the queries; the keys lie along the last axis.",
        ),
        Mistake(
            "no-key-projection", _multi_head(project_key=False),
            "You left out `wk`: keys are projected too, just as queries and values are.",
        ),
        Mistake(
            "no-output-projection", _multi_head(last=False),
            "You stopped after the merge; the output projection `wo` is missing, in which the heads' results meet.",
        ),
        Mistake(
            "not-transposed", _multi_head(turn=lambda w: w),
            "You multiply by the matrices as they lie; as in `nn.Linear` their rows belong to the outputs, so "
            "transpose each of the four.",
        ),
    ],
)  # fmt: skip


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


COPY = Exercise(
    "6.3", "From PyTorch's module into ours",
    oracle=_copied_oracle, inputs=_draw_copy, call=_run_copy,
    mistakes=[
        Mistake(
            "keys-first", _copy(order=(1, 0, 2)),
            "You took the thirds of `in_proj_weight` as keys, queries, values; the queries come first.",
        ),
        Mistake(
            "values-before-keys", _copy(order=(0, 2, 1)),
            "Keys and values are swapped: the second third of `in_proj_weight` belongs to the keys.",
        ),
        Mistake(
            "transposed", _copy(turn=lambda w: w.T),
            "You transposed the matrices; both modules keep them as `nn.Linear` does, so copy them as they are.",
        ),
        Mistake(
            "biases-forgotten", _copy(biases=False),
            "The matrices are right, but the biases are still the random ones of a new module: copy all four of "
            "them too.",
        ),
        Mistake(
            "output-forgotten", _copy(output=False),
            "The output projection is still the random one of a new module; PyTorch keeps it in `out_proj`.",
        ),
        Mistake(
            "output-bias-forgotten", _copy(output="weight"),
            "Everything is right but one vector: `theirs.out_proj` has a bias too.",
        ),
        Mistake(
            "still-pytorchs", lambda theirs: theirs,
            "You return PyTorch's own module; build a `MultiHeadAttention` of the course and copy the numbers into it.",
        ),
        Mistake(
            "one-head", _copy(heads=1),
            "Your module has one head; give it as many as PyTorch's, or the same matrices make another attention.",
        ),
        Mistake(
            "shared", _copy(share=True),
            "Your module shares its memory with PyTorch's: when that one is trained on, yours changes with it. "
            "Copy the numbers instead.",
        ),
    ],
)  # fmt: skip


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


THREE_TIMES_TOO_WIDE = Exercise(
    "6.4", "Three times too wide",
    oracle=_thirds_oracle,
    inputs=lambda generator: [
        (_draw(generator, 2, 3, 8), _draw(generator, 24, 8), 4),
        (_draw(generator, 3, 5, 6), _draw(generator, 18, 6), 2),
    ],
    mistakes=[
        Mistake(
            "unrepaired", _thirds(lambda wide, heads: wide.view(len(wide), heads, wide.shape[1], -1, 3 * heads + 1)),
            "It raises an error. If it is the one from above: the tensor holds query, key and value side by side, so "
            "cut it in three before you split anything.",
        ),
        Mistake(
            "view-split", _chunk_and(_view_split),
            "You cut it in three, but then split by shape alone, which cuts words apart; make the axis of the "
            "heads out of the features, then move it.",
        ),
        Mistake(
            "view-then-thirds", _thirds(lambda wide, heads: _view_split(wide, heads).chunk(3, dim=-1)),
            "The shapes fit now and the numbers do not: you split the wide tensor by shape alone, so cut it in three "
            "first, and make the heads out of the features.",
        ),
        Mistake(
            "thirds-inside-heads", _thirds(lambda wide, heads: _split(wide, heads).chunk(3, dim=-1)),
            "You split into heads first and cut each head in three; but all of the query's features come first in the "
            "wide tensor, then the key's, then the value's.",
        ),
        Mistake(
            "heads-not-moved", _chunk_and(lambda third, heads: third.unflatten(-1, (heads, -1))),
            "Your parts are (batch, length, heads, head size); the heads belong before the length.",
        ),
        Mistake(
            "first-third-only", _thirds(lambda wide, heads: [_split(wide.chunk(3, dim=-1)[0], heads)] * 3),
            "Query, key and value are all made from the first third; each has a third of its own.",
        ),
    ],
)  # fmt: skip


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


TWO_FAULTS = Exercise(
    "6.5", "Two faults and no error",
    oracle=_plain_heads_oracle,
    inputs=lambda generator: [
        (*(_draw(generator, 2, length, 12) for length in (3, 5, 5)), 3),
        (*(_draw(generator, 3, length, 8) for length in (6, 4, 4)), 4),
    ],
    mistakes=[
        Mistake(
            "unrepaired", _plain_heads(_view_split, _view_merge, _whole_root),
            "Both faults are still there: look at what a head holds after the split, and at what the scores are "
            "divided by.",
        ),
        Mistake(
            "root-left", _plain_heads(root=_whole_root),
            "Your heads are right now; the scores are still divided by the root of the whole size.",
        ),
        Mistake(
            "view-left", _plain_heads(_view_split, _view_merge),
            "Your root is right now; the heads still hold pieces of words, because split and merge change the "
            "shape only.",
        ),
        Mistake(
            "merge-left", _plain_heads(merge=_view_merge),
            "Root and split are right; the merge still joins by shape alone, so that the words' results are mixed up.",
        ),
        Mistake(
            "head-size-not-its-root", _plain_heads(root=lambda size, heads: size // heads),
            "Your heads are right, and they look at their own size; but it is the root of it that divides the scores.",
        ),
        Mistake(
            "merge-and-root-left", _plain_heads(merge=_view_merge, root=_whole_root),
            "Your split is right now; the merge still joins by shape alone, and the root is still that of the whole "
            "size.",
        ),
        Mistake(
            "no-root", _plain_heads(root=lambda size, heads: 1.0),
            "You took the root out; it should stay, as the root of what one head has.",
        ),
    ],
)  # fmt: skip


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


BOX = Witness(
    "6.6", "What one head cannot reach",
    requirements=[
        Requirement(
            "not-shaped", _shaped,
            "Give three goods with two facts each, shape (3, 2), and one wanted pair of facts, shape (2).",
        ),
        Requirement(
            "outside-the-box", _in_the_box,
            "Two heads cannot reach it either: each fact that is wanted must lie between the smallest and the largest "
            "that the goods have.",
        ),
        Requirement(
            "inside-the-hull", lambda answer: _from_the_hull(answer) > 0.02 * _reach(answer),
            "One head can blend it, for your point lies in the triangle of the three goods or on its edge.",
        ),
        Requirement(
            "too-near", lambda answer: _from_the_hull(answer) > 0.2 * _reach(answer),
            "One head comes close, since your point lies just outside the triangle: take it further away.",
        ),
    ],
)  # fmt: skip


# 6.7 Rank.


def _table(answer) -> Tensor:
    return torch.as_tensor(answer[0], dtype=torch.float64)


def _one_feature(answer) -> tuple[Tensor, Tensor]:
    return tuple(torch.as_tensor(one, dtype=torch.float64) for one in answer[1:])


def _weights_rank(answer) -> int:
    query, key = _one_feature(answer)
    return int(torch.linalg.matrix_rank(torch.softmax(query @ key.T, dim=-1), rtol=1e-12))


RANK = Witness(
    "6.7", "The rank of a head",
    requirements=[
        Requirement(
            "table-not-5-by-5", lambda answer: _table(answer).shape == (5, 5) and bool(_table(answer).isfinite().all()),
            "The table of scores must be 5 by 5, for five queries and five keys, and finite.",
        ),
        Requirement(
            "rank-too-low", lambda answer: int(torch.linalg.matrix_rank(_table(answer), rtol=1e-6)) > 2,
            "A head of size 2 can make your table, for its rank is 2 or less: use three independent rows at least.",
        ),
        Requirement(
            "rank-too-high", lambda answer: int(torch.linalg.matrix_rank(_table(answer), rtol=1e-6)) == 3,
            "A head of size 3 cannot make your table, for its rank is above 3: let only three rows be independent.",
        ),
        Requirement(
            "not-one-feature", lambda answer: all(one.shape == (5, 1) for one in _one_feature(answer)),
            "The second head has one feature: its query and its key must both have the shape (5, 1).",
        ),
        Requirement(
            "weights-of-low-rank", lambda answer: _weights_rank(answer) == 5,
            "Your weights do not reach rank 5: no two queries may be equal, nor two keys, and steps of about 1 between "
            "them are best, for the softmax makes rows alike when they differ by very little or by very much.",
        ),
    ],
)  # fmt: skip


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


PRUNE = Exercise(
    "6.8", "Cut heads out",
    oracle=_prune_oracle,
    inputs=lambda generator: [
        (*(_draw(generator, 12, 12) for _ in range(4)), 4, [0, 2, 3]),
        (*(_draw(generator, 15, 15) for _ in range(4)), 5, [1, 4]),
    ],
    mistakes=[
        Mistake(
            "rows-of-the-output", _prune(_rows_of, lambda wo, rows: wo[rows]),
            "You cut rows from `wo`; a head feeds the output projection through its columns, and the rows are the "
            "outputs.",
        ),
        Mistake(
            "output-left-whole", _prune(_rows_of, lambda wo, rows: wo),
            "Your `wo` is still whole: it no longer fits the merged heads, which have become narrower.",
        ),
        Mistake(
            "kept-and-dropped-swapped",
            _prune(lambda size, heads, kept: _rows_of(size, heads, [h for h in range(heads) if h not in kept])),
            "You cut out the heads that were to stay: `kept` names the survivors.",
        ),
        Mistake(
            "first-heads", _prune(lambda size, heads, kept: _rows_of(size, heads, list(range(len(kept))))),
            "You keep as many heads as asked for, but always the first ones; `kept` says which.",
        ),
        Mistake(
            "single-rows", lambda wq, wk, wv, wo, heads, kept: (wq[kept], wk[kept], wv[kept], wo[:, kept]),
            "You took one row for each head that stays; a head has a whole block of rows, as many as its head size.",
        ),
        Mistake(
            "every-so-many-rows",
            _prune(lambda size, heads, kept: torch.arange(size).view(-1, heads)[:, kept].T.flatten()),
            "You take every so many rows; the rows of one head lie together in one block.",
        ),
        Mistake(
            "zeroed", _zeroed,
            "Your heads are silenced with zeros but still there, with all their parameters and operations: make the "
            "matrices smaller.",
        ),
    ],
)  # fmt: skip


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


NOT_ATTENTION = Exercise(
    "6.9", "It is called attention",
    oracle=_true_attention_oracle, inputs=_draw_padded,
    mistakes=[
        Mistake(
            "unrepaired", lambda x, wq, wk, wv, mask: _weigh((x @ wv.T) * mask.transpose(1, 2)),
            "No word meets another yet: compute scores of queries with keys, and mix the values with their softmax.",
        ),
        Mistake(
            "mask-multiplied", _attention(lambda scores, mask: _weigh(scores * mask)),
            "You multiply the scores by the mask: a hidden key then scores 0, which is not nothing, for e⁰ is 1.",
        ),
        Mistake(
            "mask-after", _attention(lambda scores, mask: _weigh(scores) * mask),
            "You mask after the softmax, so that the weights that are left no longer sum to 1: hide the scores "
            "before it.",
        ),
        Mistake(
            "softmax-on-output", _attention(_hidden, _weigh),
            "Scores, mask and mix are right; take the softmax off the output, which is a mix of values and no "
            "distribution.",
        ),
        Mistake(
            "no-root", _attention(_hidden, root=lambda width: 1.0),
            "Mask and mix are right; the scores are not yet divided by the root of the query's width.",
        ),
        Mistake(
            "no-mask", _attention(lambda scores, mask: _weigh(scores)),
            "Padding gets weight now: the mask must hide its scores before the softmax.",
        ),
        Mistake(
            "mask-inverted", _attention(lambda scores, mask: _hidden(scores, ~mask)),
            "You hide the real words and look at the padding: True means may attend.",
        ),
    ],
)  # fmt: skip


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


COUNTS = Prediction(
    "6.10", "Which heads, how many parameters?",
    truth=_true_counts,
    mistakes=[
        Mistake(
            "any-number-below", {"6 heads are possible": True},
            "Six heads would have 10 features each and leave 4 over: the number of heads must divide the size.",
        ),
        Mistake(
            "not-the-size-itself", {"64 heads are possible": False},
            "64 divides 64: heads of one feature each are narrow, but nothing forbids them.",
        ),
        Mistake(
            "heads-multiply", {"parameters with 16 heads": 16 * 16_384},
            "You multiplied by the heads; they cut the four matrices in parts and add nothing.",
        ),
        Mistake(
            "three-matrices", {"parameters with 16 heads": 3 * 4_096},
            "You counted three matrices: the output projection is the fourth.",
        ),
        Mistake(
            "full-size-for-free", {"parameters with 4 heads of full size": 16_384},
            "Heads of full size do not share the features out: every matrix is as many times larger as there "
            "are heads.",
        ),
        Mistake(
            "output-stays-small", {"parameters with 4 heads of full size": 3 * 4 * 4_096 + 4_096},
            "Your first three matrices are right; the output projection has to take in four full heads, so it is four "
            "times as large too.",
        ),
        Mistake(
            "root-of-the-size", {"divisor of the scores with 16 heads": 8.0},
            "You took the root of the whole size; a head has only its own few features.",
        ),
        Mistake(
            "no-root", {"divisor of the scores with 16 heads": 4.0},
            "You divide by the head size itself; its root is what keeps the variance at 1.",
        ),
        Mistake(
            "one-table", {"weights of 16 heads at length 10": 100},
            "You counted one table of weights; every head has its own.",
        ),
    ],
)  # fmt: skip

EXERCISES = [
    SPLIT_AND_MERGE, MULTI_HEAD, COPY, THREE_TIMES_TOO_WIDE, TWO_FAULTS, BOX, RANK, PRUNE, NOT_ATTENTION, COUNTS,
]  # fmt: skip
