"""Answers to lesson 06, written without the bank: right ones in two styles, and one for each known mistake."""

import copy as copying

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.attention.heads import MultiHeadAttention, merge_heads, split_heads

# 6.1


class Base:
    def __init__(self, heads):
        self.heads = heads

    def split(self, x):
        batch, length, size = x.shape
        return x.view(batch, length, self.heads, size // self.heads).permute(0, 2, 1, 3)

    def merge(self, parts):
        return torch.cat(tuple(parts.unbind(1)), -1)


class BySlices(Base):
    def split(self, x):
        return torch.stack(x.chunk(self.heads, dim=-1), dim=1)

    def merge(self, parts):
        batch, heads, length, width = parts.shape
        merged = torch.empty(batch, length, heads * width)
        for head in range(heads):
            merged[..., head * width : (head + 1) * width] = parts[:, head]
        return merged


class ByEinsum(Base):
    def split(self, x):
        return torch.einsum("blhs->bhls", x.reshape(*x.shape[:2], self.heads, -1))

    def merge(self, parts):
        return torch.einsum("bhls->blhs", parts).reshape(len(parts), parts.shape[2], -1)


class ViewSplit(Base):
    def split(self, x):
        batch, length, size = x.shape
        return x.view(batch, self.heads, length, size // self.heads)


class NotMoved(Base):
    def split(self, x):
        return torch.stack(x.chunk(self.heads, dim=-1), dim=2)


class DealtOut(Base):
    def split(self, x):
        return torch.stack([x[..., head :: self.heads] for head in range(self.heads)], dim=1)


class ViewMerge(Base):
    def merge(self, parts):
        batch, heads, length, width = parts.shape
        return parts.contiguous().view(batch, length, heads * width)


class ViewBoth(ViewSplit, ViewMerge):
    pass


class Added(Base):
    def merge(self, parts):
        return sum(parts.unbind(1))


class DealtBack(Base):
    def merge(self, parts):
        return torch.stack(tuple(parts.unbind(1)), dim=-1).flatten(2)


class Below(Base):
    def merge(self, parts):
        return torch.cat(tuple(parts.unbind(1)), dim=1)


# 6.2


def by_library(query, key, value, wq, wk, wv, wo, heads):
    module = nn.MultiheadAttention(len(wq), heads, bias=False, batch_first=True)
    with torch.no_grad():
        module.in_proj_weight.copy_(torch.cat([wq, wk, wv]))
        module.out_proj.weight.copy_(wo)
    return module(query, key, value)[0]


def by_kernel(query, key, value, wq, wk, wv, wo, heads, scale=None):
    parts = [split_heads(F.linear(one, w), heads) for one, w in ((query, wq), (key, wk), (value, wv))]
    return F.linear(merge_heads(F.scaled_dot_product_attention(*parts, scale=scale)), wo)


def over_the_heads(query, key, value, wq, wk, wv, wo, heads):
    q, k, v = (split_heads(F.linear(one, w), heads) for one, w in ((query, wq), (key, wk), (value, wv)))
    weights = (torch.einsum("bhqd,bhkd->bhqk", q, k) * q.shape[-1] ** -0.5).softmax(-3)
    return F.linear(merge_heads(weights @ v), wo)


def by_loop(query, key, value, wq, wk, wv, wo, heads):
    merged = [
        F.scaled_dot_product_attention(query @ q.T, key @ k.T, value @ v.T)
        for q, k, v in zip(wq.chunk(heads), wk.chunk(heads), wv.chunk(heads), strict=True)
    ]
    return torch.cat(merged, -1) @ wo.T


def viewed(query, key, value, wq, wk, wv, wo, heads):
    parts = [
        F.linear(one, w).view(one.shape[0], heads, one.shape[1], -1) for one, w in ((query, wq), (key, wk), (value, wv))
    ]
    return F.linear(merge_heads(F.scaled_dot_product_attention(*parts)), wo)


def merged_by_view(query, key, value, wq, wk, wv, wo, heads):
    parts = [split_heads(F.linear(one, w), heads) for one, w in ((query, wq), (key, wk), (value, wv))]
    context = F.scaled_dot_product_attention(*parts).contiguous()
    return F.linear(context.view(query.shape), wo)


def viewed_twice(query, key, value, wq, wk, wv, wo, heads):
    parts = [
        F.linear(one, w).view(one.shape[0], heads, one.shape[1], -1) for one, w in ((query, wq), (key, wk), (value, wv))
    ]
    return F.scaled_dot_product_attention(*parts).reshape(query.shape) @ wo.T


def averaged(query, key, value, wq, wk, wv, wo, heads):
    module = nn.MultiheadAttention(len(wq), heads, bias=False, batch_first=True)
    with torch.no_grad():
        module.in_proj_weight.copy_(torch.cat([wq, wk, wv]))
    _, weights = module(query, key, value)  # the mean over the heads
    return F.linear(torch.bmm(weights, F.linear(value, wv)), wo)


def one_head_only(query, key, value, wq, wk, wv, wo, heads):
    scores = torch.einsum("bqs,bks->bqk", F.linear(query, wq), F.linear(key, wk)) / len(wq) ** 0.5
    return F.linear(torch.bmm(scores.softmax(-1), F.linear(value, wv)), wo)


def over_queries(query, key, value, wq, wk, wv, wo, heads):
    contexts = []
    for q, k, v in zip(wq.chunk(heads), wk.chunk(heads), wv.chunk(heads), strict=True):
        scores = torch.einsum("bqs,bks->bqk", query @ q.T, key @ k.T) / len(q) ** 0.5
        contexts.append(scores.softmax(1) @ (value @ v.T))
    return torch.cat(contexts, -1) @ wo.T


def same(size):
    return torch.eye(size)


# 6.3


def by_hand(theirs):
    size = theirs.embed_dim
    ours = MultiHeadAttention(size, theirs.num_heads)
    with torch.no_grad():
        for place, layer in enumerate((ours.project_query, ours.project_key, ours.project_value)):
            layer.weight[:] = theirs.in_proj_weight[place * size : (place + 1) * size]
            layer.bias[:] = theirs.in_proj_bias[place * size : (place + 1) * size]
    ours.project_output.load_state_dict(theirs.out_proj.state_dict())
    return ours


def by_state(theirs, order=("query", "key", "value"), heads=None, skip=()):
    ours = MultiHeadAttention(theirs.embed_dim, heads or theirs.num_heads)
    state = {}
    for kind, whole in (("weight", theirs.in_proj_weight), ("bias", theirs.in_proj_bias)):
        state |= {f"project_{name}.{kind}": part for name, part in zip(order, whole.chunk(3), strict=True)}
    state |= {f"project_output.{name}": part for name, part in theirs.out_proj.state_dict().items()}
    ours.load_state_dict({name: part for name, part in state.items() if not any(word in name for word in skip)}, False)
    return ours


def by_parameters(theirs):
    ours = MultiHeadAttention(theirs.embed_dim, theirs.num_heads)
    for name, weight, bias in zip(
        ("query", "key", "value"), theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3), strict=True
    ):
        layer = getattr(ours, f"project_{name}")
        layer.weight, layer.bias = (nn.Parameter(one.detach().clone()) for one in (weight, bias))
    ours.project_output = copying.deepcopy(theirs.out_proj)
    return ours


def transposed(theirs, output=True):
    ours = by_hand(theirs)
    for layer in (ours.project_query, ours.project_key, ours.project_value, *output * [ours.project_output]):
        layer.weight = nn.Parameter(layer.weight.detach().T.clone())
    return ours


def shared(theirs):
    ours = by_hand(theirs)
    size = theirs.embed_dim
    layers = (ours.project_query, ours.project_key, ours.project_value)
    for place, layer in enumerate(layers):
        layer.weight = nn.Parameter(theirs.in_proj_weight.detach()[place * size : (place + 1) * size])
        layer.bias = nn.Parameter(theirs.in_proj_bias.detach()[place * size : (place + 1) * size])
    ours.project_output = theirs.out_proj
    return ours


# 6.4


def by_third(x, weight, heads):
    return tuple(split_heads(x @ part.T, heads) for part in weight.chunk(3))


def by_view(x, weight, heads):
    batch, length, size = x.shape
    wide = (x @ weight.T).view(batch, length, 3, heads, size // heads)
    return tuple(wide.permute(2, 0, 3, 1, 4))


def by_einsum(x, weight, heads):
    cut = weight.reshape(3, heads, -1, x.shape[-1])  # (query, key or value; heads; head size; size)
    return list(torch.einsum("bld,thsd->tbhls", x, cut))


def still_too_wide(x, weight, heads):
    batch, length, size = x.shape
    return F.linear(x, weight).view(batch, heads, length, size // heads)


def thirds_viewed(x, weight, heads):
    batch, length, size = x.shape
    return tuple((x @ part.T).view(batch, heads, length, size // heads) for part in weight.chunk(3))


def heads_then_thirds(x, weight, heads):
    batch, length, size = x.shape
    wide = (x @ weight.T).view(batch, length, heads, 3, size // heads)
    return tuple(wide.permute(3, 0, 2, 1, 4))


def wide_viewed(x, weight, heads):
    batch, length, size = x.shape
    wide = F.linear(x, weight).view(batch, heads, length, 3, size // heads)
    return tuple(wide.unbind(3))


def thirds_not_moved(x, weight, heads):
    batch, length, size = x.shape
    return (x @ weight.T).view(batch, length, 3, heads, size // heads).unbind(2)


def only_first(x, weight, heads):
    part = split_heads(x @ weight[: x.shape[-1]].T, heads)
    return part, part, part


# 6.5


def plain(query, key, value, heads, scale=None):
    parts = [split_heads(one, heads) for one in (query, key, value)]
    return merge_heads(F.scaled_dot_product_attention(*parts, scale=scale))


def plain_loop(query, key, value, heads):
    thirds = zip(query.chunk(heads, -1), key.chunk(heads, -1), value.chunk(heads, -1), strict=True)
    return torch.cat([F.scaled_dot_product_attention(*three) for three in thirds], -1)


def plain_einsum(query, key, value, heads):
    query, key, value = (one.unflatten(-1, (heads, -1)) for one in (query, key, value))
    scores = torch.einsum("bqhs,bkhs->bhqk", query, key) * query.shape[-1] ** -0.5
    return torch.einsum("bhqk,bkhs->bqhs", scores.softmax(-1), value).flatten(2)


def viewing(query, key, value, heads, scale=None):
    parts = [one.view(len(one), heads, one.shape[1], -1) for one in (query, key, value)]
    return F.scaled_dot_product_attention(*parts, scale=scale).reshape(query.shape)


def viewing_at_the_end(query, key, value, heads, scale=None):
    parts = [split_heads(one, heads) for one in (query, key, value)]
    return F.scaled_dot_product_attention(*parts, scale=scale).contiguous().view(query.shape)


def viewing_at_the_start(query, key, value, heads):
    parts = [one.view(len(one), heads, one.shape[1], -1) for one in (query, key, value)]
    return merge_heads(F.scaled_dot_product_attention(*parts))


# 6.8


def prune_by_blocks(wq, wk, wv, wo, heads, kept):
    def rows(w):
        return w.reshape(heads, -1, w.shape[1])[kept].reshape(-1, w.shape[1])

    return rows(wq), rows(wk), rows(wv), rows(wo.T).T


def prune_by_mask(wq, wk, wv, wo, heads, kept):
    stays = torch.tensor([head in kept for head in range(heads)]).repeat_interleave(len(wq) // heads)
    return wq[stays], wk[stays], wv[stays], wo[:, stays]


def with_mask(stays, last=lambda wo, stays: wo[:, stays]):
    def answer(wq, wk, wv, wo, heads, kept):
        chosen = stays(heads, len(wq) // heads, kept)
        return wq[chosen], wk[chosen], wv[chosen], last(wo, chosen)

    return answer


def of_kept(heads, width, kept):
    return [head * width + place for head in kept for place in range(width)]


def of_kept_rows(heads, width, kept):
    return torch.cat([torch.arange(head * width, (head + 1) * width) for head in kept])


def of_dropped(heads, width, kept):
    return of_kept(heads, width, sorted(set(range(heads)) - set(kept)))


def silenced(wq, wk, wv, wo, heads, kept):
    wq, wk, wv, wo = (copying.deepcopy(w) for w in (wq, wk, wv, wo))
    width = len(wq) // heads
    for head in set(range(heads)) - set(kept):
        place = slice(head * width, (head + 1) * width)
        wq[place], wk[place], wv[place], wo[:, place] = 0, 0, 0, 0
    return wq, wk, wv, wo


# 6.9


def true_attention(x, wq, wk, wv, mask):
    return F.scaled_dot_product_attention(x @ wq.T, x @ wk.T, x @ wv.T, attn_mask=mask)


def true_by_powers(x, wq, wk, wv, mask):
    powers = torch.exp(torch.einsum("bqs,bks->bqk", x @ wq.T, x @ wk.T) / len(wq) ** 0.5).double() * mask
    return torch.einsum("bqk,bkv->bqv", (powers / powers.sum(-1, keepdim=True)).float(), x @ wv.T)


def true_by_fill(x, wq, wk, wv, mask):
    scores = F.linear(x, wq) @ F.linear(x, wk).mT * wq.shape[0] ** -0.5
    return scores.where(mask, torch.tensor(-1e9)).softmax(2) @ F.linear(x, wv)


def scores_of(x, wq, wk):
    return torch.einsum("bqs,bks->bqk", x @ wq.T, x @ wk.T) / len(wq) ** 0.5


COUNTED = {
    "6 heads are possible": False,
    "64 heads are possible": True,
    "parameters with 16 heads": 16384,
    "parameters with 4 heads of full size": 65536,
    "divisor of the scores with 16 heads": 2,
    "weights of 16 heads at length 10": 1600,
}

TRIANGLE = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]
LADDER = torch.arange(5.0)[:, None]
THREE = torch.diag(torch.tensor([1.0, 2, 3, 0, 0]))

RIGHT = {
    "6.1": [Base, BySlices, ByEinsum],
    "6.2": [by_library, by_kernel, by_loop],
    "6.3": [by_hand, by_state, by_parameters],
    "6.4": [by_third, by_view, by_einsum],
    "6.5": [plain, plain_loop, plain_einsum],
    "6.6": [
        (TRIANGLE, [4.0, 4.0]),
        ([[0, 0], [100, 0], [0, 1]], (100, 1)),
        (torch.tensor([[1.0, 2.0], [3.0, 9.0], [2.0, 5.0]]), torch.tensor([3.0, 2.0])),
    ],
    "6.7": [
        (THREE, LADDER, LADDER),
        (THREE.flip(0).tolist(), (LADDER - 2).tolist(), (2 - LADDER).tolist()),
        [THREE @ THREE.T + THREE, LADDER / 2, (LADDER + 1).requires_grad_()],
    ],
    "6.8": [prune_by_blocks, prune_by_mask, with_mask(of_kept_rows)],
    "6.9": [true_attention, true_by_powers, true_by_fill],
    "6.10": [
        COUNTED,
        {**COUNTED, "divisor of the scores with 16 heads": 4**0.5},
        {
            **COUNTED,
            "6 heads are possible": "no",
            "64 heads are possible": 1,
            "weights of 16 heads at length 10": "1,600",
        },
    ],
}

WRONG = {
    "6.1": {
        "view-split": [ViewSplit],
        "heads-not-moved": [NotMoved],
        "interleaved-split": [DealtOut],
        "view-merge": [ViewMerge],
        "view-both": [ViewBoth],
        "heads-added": [Added],
        "interleaved-merge": [DealtBack],
        "heads-below": [Below],
    },
    "6.2": {
        "root-of-the-size": [lambda *given: by_kernel(*given, scale=len(given[3]) ** -0.5)],
        "no-root": [lambda *given: by_kernel(*given, scale=1.0)],
        "head-size-not-its-root": [lambda *given: by_kernel(*given, scale=given[7] / len(given[3]))],
        "one-head": [one_head_only],
        "view-split": [viewed],
        "view-merge": [merged_by_view],
        "view-both": [viewed_twice],
        "inputs-not-transposed": [lambda q, k, v, wq, wk, wv, *rest: by_loop(q, k, v, wq.T, wk.T, wv.T, *rest)],
        "output-not-transposed": [lambda *given: by_library(*given[:6], given[6].T, given[7])],
        "key-for-value": [lambda q, k, v, *rest: by_loop(q, k, k, *rest)],
        "matrices-swapped": [lambda q, k, v, wq, wk, *rest: by_library(q, k, v, wk, wq, *rest)],
        "size-and-two": [lambda *given: by_kernel(*given, scale=given[7] / len(given[3]) / 2)],
        "root-of-the-heads": [lambda *given: by_kernel(*given, scale=given[7] ** -0.5)],
        "over-heads": [over_the_heads],
        "combined": [averaged],
        "over-queries": [over_queries],
        "no-key-projection": [lambda q, k, v, wq, wk, *rest: by_kernel(q, k, v, wq, same(len(wq)), *rest)],
        "no-output-projection": [lambda *given: by_loop(*given[:6], same(len(given[3])), given[7])],
        "not-transposed": [lambda q, k, v, *rest: by_loop(q, k, v, *(w.T for w in rest[:4]), rest[4])],
    },
    "6.3": {
        "keys-first": [lambda theirs: by_state(theirs, ("key", "query", "value"))],
        "values-before-keys": [lambda theirs: by_state(theirs, ("query", "value", "key"))],
        "transposed": [transposed],
        "inputs-transposed": [lambda theirs: transposed(theirs, output=False)],
        "biases-forgotten": [lambda theirs: by_state(theirs, skip=["bias"])],
        "output-forgotten": [lambda theirs: by_state(theirs, skip=["output"])],
        "output-bias-forgotten": [lambda theirs: by_state(theirs, skip=["output.bias"])],
        "still-pytorchs": [copying.deepcopy],
        "one-head": [lambda theirs: by_state(theirs, heads=1)],
        "shared": [shared],
    },
    "6.4": {
        "unrepaired": [still_too_wide],
        "view-split": [thirds_viewed],
        "thirds-inside-heads": [heads_then_thirds],
        "view-then-thirds": [wide_viewed],
        "heads-not-moved": [thirds_not_moved],
        "keys-first": [lambda x, w, heads: (lambda q, k, v: (k, q, v))(*by_third(x, w, heads))],
        "first-third-only": [only_first],
    },
    "6.5": {
        "unrepaired": [lambda q, k, v, heads: viewing(q, k, v, heads, q.shape[-1] ** -0.5)],
        "root-left": [lambda q, k, v, heads: plain(q, k, v, heads, q.shape[-1] ** -0.5)],
        "view-left": [viewing],
        "merge-left": [viewing_at_the_end],
        "split-left": [viewing_at_the_start],
        "no-root": [lambda q, k, v, heads: plain(q, k, v, heads, 1.0)],
        "head-size-not-its-root": [lambda q, k, v, heads: plain(q, k, v, heads, heads / q.shape[-1])],
        "size-and-two": [lambda q, k, v, heads: plain(q, k, v, heads, heads / q.shape[-1] / 2)],
        "root-of-the-heads": [lambda q, k, v, heads: plain(q, k, v, heads, heads**-0.5)],
        "merge-and-root-left": [lambda q, k, v, heads: viewing_at_the_end(q, k, v, heads, q.shape[-1] ** -0.5)],
    },
    "6.6": {
        "not-shaped": [(TRIANGLE, [4.0, 4.0, 4.0]), (TRIANGLE, [float("nan"), 4.0])],
        "outside-the-box": [(TRIANGLE, [5.0, 1.0])],
        "inside-the-hull": [(TRIANGLE, [1.0, 1.0]), (TRIANGLE, [2.0, 2.0])],
        "too-near": [(TRIANGLE, [2.2, 2.2]), ([[0, 0], [100, 0], [0, 1]], [52, 0.52])],
    },
    "6.7": {
        "table-not-5-by-5": [(torch.eye(3), LADDER, LADDER)],
        "rank-too-low": [(torch.outer(LADDER[:, 0], LADDER[:, 0]), LADDER, LADDER)],
        "rank-too-high": [(torch.eye(5), LADDER, LADDER)],
        "not-one-feature": [(THREE, LADDER.T, LADDER)],
        "weights-of-low-rank": [(THREE, LADDER.clamp(max=3), LADDER)],
    },
    "6.8": {
        "rows-of-the-output": [with_mask(of_kept, lambda wo, chosen: wo[chosen])],
        "output-left-whole": [with_mask(of_kept, lambda wo, chosen: wo.clone())],
        "kept-and-dropped-swapped": [with_mask(of_dropped)],
        "columns-everywhere": [
            lambda wq, wk, wv, wo, *rest: tuple(
                w.index_select(1, torch.tensor(of_kept(rest[0], len(wq) // rest[0], rest[1]))) for w in (wq, wk, wv, wo)
            )
        ],
        "values-left-whole": [lambda wq, wk, wv, wo, *rest: (*prune_by_blocks(wq, wk, wv, wo, *rest)[:2], wv, wo)],
        "first-heads": [with_mask(lambda heads, width, kept: slice(len(kept) * width))],
        "single-rows": [lambda wq, wk, wv, wo, heads, kept: (wq[kept], wk[kept], wv[kept], wo.T[kept].T)],
        "every-so-many-rows": [
            with_mask(lambda heads, width, kept: [head + heads * place for head in kept for place in range(width)])
        ],
        "zeroed": [silenced],
    },
    "6.9": {
        "unrepaired": [lambda x, wq, wk, wv, mask: F.softmax((x @ wv.T).masked_fill(~mask[:, 0, :, None], 0), -1)],
        "mask-multiplied": [
            lambda x, wq, wk, wv, mask: scores_of(x, wq, wk).masked_fill(~mask, 0.0).softmax(-1) @ (x @ wv.T)
        ],
        "mask-after": [
            lambda x, wq, wk, wv, mask: scores_of(x, wq, wk).softmax(-1).masked_fill(~mask, 0.0) @ (x @ wv.T),
            lambda x, wq, wk, wv, mask: scores_of(x, wq, wk).softmax(-1) @ ((x @ wv.T) * mask.mT),
        ],
        "softmax-on-output": [lambda *given: true_attention(*given).softmax(-1)],
        "no-root": [
            lambda x, wq, wk, wv, mask: F.scaled_dot_product_attention(x @ wq.T, x @ wk.T, x @ wv.T, mask, scale=1)
        ],
        "size-and-two": [
            lambda x, wq, wk, wv, mask: F.scaled_dot_product_attention(
                x @ wq.T, x @ wk.T, x @ wv.T, mask, scale=1 / len(wq) / 2
            )
        ],
        "matrices-as-they-lie": [
            lambda x, wq, wk, wv, mask: F.scaled_dot_product_attention(x @ wq, x @ wk, x @ wv.T, mask)
        ],
        "root-of-the-input": [
            lambda x, wq, wk, wv, mask: true_attention(x, wq * (len(wq) / x.shape[2]) ** 0.5, wk, wv, mask)
        ],
        "no-mask": [lambda x, wq, wk, wv, mask: true_attention(x, wq, wk, wv, None)],
        "over-queries": [
            lambda x, wq, wk, wv, mask: scores_of(x, wq, wk).masked_fill(~mask, -1e9).softmax(1) @ (x @ wv.T)
        ],
        "over-queries-with-nan": [
            lambda x, wq, wk, wv, mask: scores_of(x, wq, wk).where(mask, -torch.inf).softmax(-2) @ F.linear(x, wv)
        ],
        "mask-inverted": [
            lambda x, wq, wk, wv, mask: scores_of(x, wq, wk).masked_fill(mask, -torch.inf).softmax(-1) @ (x @ wv.T),
            lambda x, wq, wk, wv, mask: (scores_of(x, wq, wk) - 1e9 * mask).softmax(-1) @ (x @ wv.T),
            lambda x, wq, wk, wv, mask: true_attention(x, wq, wk, wv, ~mask),
        ],
    },
    "6.10": {
        "any-number-below": [{**COUNTED, "6 heads are possible": True}],
        "not-the-size-itself": [{**COUNTED, "64 heads are possible": False}],
        "heads-multiply": [{**COUNTED, "parameters with 16 heads": 262144}],
        "three-matrices": [{**COUNTED, "parameters with 16 heads": 12288}],
        "full-size-for-free": [{**COUNTED, "parameters with 4 heads of full size": 16384}],
        "no-output-projection": [{**COUNTED, "parameters with 4 heads of full size": 49152}],
        "output-stays-small": [{**COUNTED, "parameters with 4 heads of full size": 53248}],
        "root-of-the-size": [{**COUNTED, "divisor of the scores with 16 heads": 8}],
        "no-root": [{**COUNTED, "divisor of the scores with 16 heads": 4}],
        "one-table": [{**COUNTED, "weights of 16 heads at length 10": 100}],
    },
}

UNTOUCHED = {}
