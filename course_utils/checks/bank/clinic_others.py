"""Lesson 14, the patients that are called in their own way: projections, heads, modes, a past that was kept."""

import functools
import math

import torch
import torch.nn.functional as F

from course_utils.checks.bank.parts import draw


def _weights_too(attend, value):
    """Context and weights of PyTorch's function: the weights are what it makes of the unit vectors."""
    return attend(value), attend(torch.eye(value.shape[-2]).expand(*value.shape[:-1], -1))


# Number 10: one projection for query, key and value.


def _projected_by_pytorch(source, project):
    query, key, value = (source @ part for part in project.split(source.shape[-1], dim=1))
    return _weights_too(lambda x: F.scaled_dot_product_attention(query, key, x), value)


def _sources(generator):
    return [draw(generator, (b, n, s), (s, 3 * s)) for b, n, s in [(2, 5, 6), (3, 4, 9), (1, 7, 3)]]


def _project(source, project):
    query, key, value = (source @ project).chunk(3, dim=-1)
    weights = torch.softmax(query @ key.transpose(-2, -1) / math.sqrt(source.shape[-1]), dim=-1)
    return weights @ value, weights


# Numbers 5 and 13: heads; 17: whether they fit.


def _heads_one_by_one(query, key, value, heads):
    parts = [x.tensor_split(heads, dim=-1) for x in (query, key, value)]
    found = [
        _weights_too(lambda x, q=q, k=k: F.scaled_dot_product_attention(q, k, x), v)
        for q, k, v in zip(*parts, strict=True)
    ]
    return torch.cat([context for context, _ in found], dim=-1), torch.stack([weights for _, weights in found], dim=1)


def _for_heads(generator):
    shapes = [(2, 4, 6, 6, 2), (1, 6, 3, 12, 3), (3, 3, 5, 8, 4)]
    return [(*draw(generator, (b, q, s), (b, k, s), (b, k, s)), heads) for b, q, k, s, heads in shapes]


def _in_heads(query, key, value, heads):
    width = query.shape[-1] // heads
    query, key, value = (x.unflatten(-1, (heads, width)).transpose(1, 2) for x in (query, key, value))
    weights = torch.softmax(query @ key.transpose(-2, -1) / math.sqrt(width), dim=-1)
    return (weights @ value).transpose(1, 2).flatten(2), weights


def _fit_by_counting(size, heads):
    return heads in [count for count in range(1, size + 1) if size // count * count == size]


def _sizes(generator):
    return [(size, heads) for size in (6, 8, 12) for heads in (0, -2, 1, 2, 3, 4, 5, 6, 7, 8, 12, 24)]


def _fit(size, heads):
    return heads > 0 and size % heads == 0


def between_0_and_size(size, heads):
    """What patient 17 asks, on its own."""
    return 0 < heads < size


# Number 18: a mask for each element of the batch, and heads.


def _packed_by_pytorch(query, key, value, mask):
    return _weights_too(lambda x: F.scaled_dot_product_attention(query, key, x, attn_mask=mask[:, None, None]), value)


def _baskets(generator):
    drawn = []
    for b, h, q, k, s in [(2, 3, 2, 5, 4), (3, 2, 4, 6, 3)]:
        mask = torch.arange(k) < torch.tensor([k, 2, 4][:b])[:, None]
        drawn.append((*draw(generator, (b, h, q, s), (b, h, k, s), (b, h, k, s + 1)), mask))
    return drawn


def _packed(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(~mask[:, None, None], -math.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


# Numbers 3 and 19: the future; 20: dropout.


def _causal_by_pytorch(source, training):
    return F.scaled_dot_product_attention(source, source, source, is_causal=True)


def _sentences(generator):
    return [(*draw(generator, (b, n, 4)), training) for b, n in [(2, 5), (1, 7)] for training in (True, False)]


def _causal(source, training):
    scores = source @ source.transpose(-2, -1) / math.sqrt(source.shape[-1])
    seen = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    return torch.softmax(scores.masked_fill(~seen, -math.inf), dim=-1) @ source


def _last_by_pytorch(query, key, value):
    rest = key.shape[-2] - query.shape[-2]
    whole = torch.cat([torch.zeros_like(key[..., :rest, :]), query], dim=-2)
    return F.scaled_dot_product_attention(whole, key, value, is_causal=True)[..., rest:, :]


def _pasts(generator):
    return [draw(generator, (b, q, 4), (b, k, 4), (b, k, 3)) for b, q, k in [(2, 1, 5), (1, 3, 7), (2, 4, 4)]]


def _last(query, key, value):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    seen = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(key.shape[-2] - query.shape[-2])
    return torch.softmax(scores.masked_fill(~seen, -math.inf), dim=-1) @ value


def _dropped_by_pytorch(query, key, value, rate, training):
    unit = torch.eye(key.shape[-2]).expand(*key.shape[:-1], -1)
    weights = F.dropout(F.scaled_dot_product_attention(query, key, unit), rate, training)
    return weights @ value, weights


def _is_drawn(rate, training):
    return training and 0 < rate < 1


def _where_kept(mended, query, key, value, rate, training):
    """The answer's result; where dropout draws, what no draw decides: each weight where it was kept, times 1 − rate.

    Among so many draws every weight is kept once. Of a context that is not made of its map's weights, what the map
    does not explain is returned, which is never right.
    """
    if not _is_drawn(rate, training):
        return mended(query, key, value, rate, training)
    drawn = [mended(query, key, value, rate, training) for _ in range(DRAWS)]
    shapes = [(*query.shape[:2], value.shape[2]), (*query.shape[:2], key.shape[1])]
    if any(not isinstance(one, tuple | list) or [getattr(part, "shape", 0) for part in one] != shapes for one in drawn):
        return drawn[0]
    maps = torch.stack([weights for _, weights in drawn]).detach()
    kept = maps.gather(0, maps.abs().argmax(0, keepdim=True))[0] * (1 - rate)
    unexplained = [context.detach() - weights.detach() @ value.to(weights.dtype) for context, weights in drawn]
    mixed = all(float(rest.abs().max()) < 1e-4 for rest in unexplained)
    return kept @ value.to(kept.dtype) if mixed else unexplained[0], kept


def made_of_the_map(arguments, result):
    """Whether the context is the returned weights times the value."""
    context, weights = result
    return torch.allclose(context, weights @ arguments[2].to(weights.dtype), rtol=1e-3, atol=1e-4)


DRAWS = 40  # with rate 0.4 the chance that one of the thirty weights is never kept is below 1e-14


def _with_rates(generator):
    return [(*draw(generator, (2, 3, 4), (2, 5, 4), (2, 5, 6)), rate, training)
            for rate, training in [(0.5, False), (1.0, True), (0.0, True), (1.0, False), (0.4, True)]]  # fmt: skip


def _dropping(query, key, value, rate, training):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = torch.softmax(scores, dim=-1)
    used = F.dropout(weights, rate, training)
    return used @ value, used


NAMES = {"results": ("context", "weights")}
OTHERS = {  # number of the patient → oracle, inputs, a right answer, what else `write` is told
    10: (_projected_by_pytorch, _sources, _project, NAMES),
    5: (_heads_one_by_one, _for_heads, _in_heads, NAMES),
    3: (_causal_by_pytorch, _sentences, _causal, {}),
    13: (_heads_one_by_one, _for_heads, _in_heads, NAMES),
    17: (_fit_by_counting, _sizes, _fit, {}),
    18: (_packed_by_pytorch, _baskets, _packed, NAMES),
    19: (_last_by_pytorch, _pasts, _last, {}),
    20: (
        functools.partial(_where_kept, _dropped_by_pytorch),
        _with_rates,
        _dropping,
        NAMES | {"call": _where_kept, "properties": {"made-of-the-map": made_of_the_map}},
    ),
}

HEADS = {
    "no-root": (" / math.sqrt(width)", ""),
    "whole-root": ("math.sqrt(width)", "math.sqrt(width * heads)"),
    "root-of-heads": ("math.sqrt(width)", "math.sqrt(heads)"),
    "by-view": (".unflatten(-1, (heads, width)).transpose(1, 2)", ".reshape(len(x), heads, -1, width)"),
    "merged-by-view": (".transpose(1, 2).flatten(2)", ".reshape(len(query), -1, width * heads)"),
    "over-queries": ("dim=-1", "dim=-2"),
}
HEADS["viewed-twice"] = [HEADS["by-view"], HEADS["merged-by-view"]]
NO_ROOT = (" / math.sqrt(query.shape[-1])", "")
NO_ROOT_OF_SOURCE = (" / math.sqrt(source.shape[-1])", "")
EDITS = {
    10: {
        "interleaved": (".chunk(3, dim=-1)", ".unflatten(-1, (-1, 3)).unbind(-1)"),
        "roles-exchanged": ("query, key, value =", "key, query, value ="),
        "no-root": NO_ROOT_OF_SOURCE,
        "over-queries": ("shape[-1]), dim=-1", "shape[-1]), dim=-2"),
    },
    5: HEADS,
    3: {
        "never": (".masked_fill(~seen, -math.inf)", ""),
        "in-evaluation-only": ("~seen", "~seen & (not training)"),
        "one-too-many": ("tril()", "tril(1)"),
        "turned-round": ("tril()", "triu()"),
        "no-root": NO_ROOT_OF_SOURCE,
    },
    13: HEADS,
    17: {
        "divides-only": ("heads > 0 and size % heads == 0", "heads != 0 and size % heads == 0"),
        "not-all": ("heads > 0 and", "0 < heads < size and"),
        "at-most-size": ("heads > 0 and size % heads == 0", "0 < heads <= size"),
        "other-way-round": ("size % heads", "heads % size"),
    },
    18: {
        "unmasked": ("    scores = scores.masked_fill(~mask[:, None, None], -math.inf)\n", ""),
        "inverted": ("~mask", "mask"),
        "late": [
            ("    scores = scores.masked_fill(~mask[:, None, None], -math.inf)\n", ""),
            ("dim=-1)", "dim=-1) * mask[:, None, None]"),
        ],
        "no-root": NO_ROOT,
    },
    19: {
        "no-causal": (".masked_fill(~seen, -math.inf)", ""),
        "one-too-many": (" - query.shape[-2])", " - query.shape[-2] + 1)"),
        "one-too-few": (" - query.shape[-2])", " - query.shape[-2] - 1)"),
        "turned-round": (".tril(", ".triu("),
        "no-root": NO_ROOT,
    },
    20: {
        "never-drops": ("F.dropout(weights, rate, training)", "weights"),
        "drops-in-evaluation-only": ("rate, training)\n", "rate, not training)\n"),
        "undropped-map": ("used @ value, used", "used @ value, weights"),
        "undropped-context": ("used @ value, used", "weights @ value, used"),
        "drawn-twice": ("used @ value, used", "used @ value, F.dropout(weights, rate, training)"),
        "unscaled": ("return used @", "used = used * (1 - rate) if training else used\n    return used @"),
        "rate-kept": ("weights, rate, training", "weights, 1 - rate, training"),
        "no-root": NO_ROOT,
    },
}
