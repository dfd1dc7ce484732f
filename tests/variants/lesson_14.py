"""Answers to the exercises of lesson 14, written apart from the bank: right ones, and one for each known mistake."""

import torch
import torch.nn.functional as F

INF = float("inf")

# The fault of each patient, and the wrong names that have a sentence of their own.

FAULTS = {
    1: "softmax over one thing",
    8: "values not mixed",
    10: "roles attend to each other",
    11: "scores kept",
    5: "heads cut across places",
    6: "blind to other keys",
    7: "first of the batch",
    2: "mask not applied",
    9: "mask inverted",
    3: "causal in training only",
    4: "mask after softmax",
    12: "nothing left to see",
    13: "root of the whole size",
    14: "fill too large",
    15: "arguments changed",
    16: "map of other weights",
    17: "wrong rule for heads",
    18: "masks in the wrong order",
    19: "causal from the top left",
    20: "dropout left on",
}
TAKEN_FOR = {
    1: ["scores kept", "softmax over the queries", "softmax over the batch", "no root"],
    8: ["softmax over the queries", "roles attend to each other", "first of the batch", "layer for one length"],
    10: ["values not mixed", "first of the batch", "heads cut across places", "blind to other keys"],
    11: ["softmax over one thing", "mask after softmax", "no root", "softmax over the queries"],
    5: ["softmax over the queries", "root of the whole size", "first of the batch", "masks in the wrong order"],
    6: ["blind to the query", "values not mixed", "first of the batch", "layer for one length"],
    7: ["softmax over the batch", "arguments changed", "blind to the query", "masks in the wrong order"],
    2: ["mask inverted", "mask after softmax", "mask multiplied", "map of other weights"],
    9: ["mask not applied", "mask after softmax", "mask multiplied", "map of other weights"],
    3: ["causal from the top left", "dropout left on", "mask not applied", "mask inverted"],
    4: ["mask multiplied", "mask not applied", "softmax over one thing", "dropout left on"],
    12: ["fill too large", "mask inverted", "scores kept", "mask not applied"],
    13: ["no root", "heads cut across places", "softmax over the queries", "scores kept"],
    14: ["nothing left to see", "mask not applied", "no root", "arguments changed"],
    15: ["dropout left on", "root of the whole size", "no root", "map of other weights"],
    16: ["mask not applied", "mask after softmax", "the picture", "mask inverted"],
    17: ["heads cut across places", "root of the whole size", "layer for one length", "first of the batch"],
    18: ["mask not applied", "mask inverted", "heads cut across places", "first of the batch"],
    19: ["causal in training only", "blind to other keys", "padding counted as places", "nothing left to see"],
    20: ["arguments changed", "softmax over the batch", "causal in training only", "map of other weights"],
}
RIGHT = {f"14.{n}": [name, name.upper() + " ", {"diagnosis": name.replace(" ", "-")}] for n, name in FAULTS.items()}
WRONG = {
    f"14.{n}": {name.replace(" ", "-"): [name, name.capitalize() + "."] for name in names}
    for n, names in TAKEN_FOR.items()
}

# One attention without a mask: 14.21, 14.26, 14.28, 14.31


def scored(query, key, root=True):
    scores = torch.einsum("bqs,bks->bqk", query, key)
    return scores * query.shape[-1] ** -0.5 if root else scores


def mixed(weights, value):
    return torch.einsum("bqk,bkv->bqv", weights, value), weights


def with_einsum(query, key, value):
    scores = torch.einsum("bqs,bks->bqk", query, key) * query.shape[-1] ** -0.5
    weights = scores.softmax(2)
    return torch.einsum("bqk,bkv->bqv", weights, value), weights


def by_hand(query, key, value):
    powers = torch.exp(torch.bmm(query, key.mT) / query.shape[2] ** 0.5)
    weights = powers / powers.sum(2, keepdim=True)
    return torch.bmm(weights, value), weights


def in_a_loop(query, key, value):
    contexts, maps = [], []
    for q, k, v in zip(query, key, value, strict=True):
        weights = F.softmax((q @ k.T) / len(q[0]) ** 0.5, 1)
        contexts.append(weights @ v)
        maps.append(weights)
    return torch.stack(contexts), torch.stack(maps)


def axis_of_1(query, key, value):
    return mixed(scored(query, key)[..., None].softmax(-1)[..., 0], value)


def summed_over_queries(query, key, value):
    weights = scored(query, key).softmax(-1)
    return torch.einsum("bqk,bkv->bkv", weights, value), weights


def scores_and_softmax(query, key, value):
    scores = scored(query, key)
    return mixed(scores.softmax(-1).mul(scores), value)


def first_key_only(query, key, value):
    trained = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    both = torch.cat([query, key[:, :1].repeat(1, query.shape[1], 1)], 2)
    return mixed(F.softmax(both.matmul(trained), 2), value)


def unscaled(query, key, value):
    return mixed(scored(query, key, root=False).softmax(-1), value)


def by_the_size(query, key, value):
    return mixed((scored(query, key, root=False) / query.size(2)).softmax(-1), value)


def down_the_columns(query, key, value):
    powers = scored(query, key).exp()
    return mixed(powers / powers.sum(1, keepdim=True), value)


def weights_first(query, key, value):
    return with_einsum(query, key, value)[::-1]


def scores_second(query, key, value):
    return with_einsum(query, key, value)[0], scored(query, key)


PLAIN = {
    "no-root": [unscaled],
    "size-for-root": [by_the_size],
    "over-queries": [down_the_columns],
    "swapped": [weights_first],
    "scores-returned": [scores_second],
}
for number, still in {1: axis_of_1, 6: first_key_only, 8: summed_over_queries, 11: scores_and_softmax}.items():
    RIGHT[f"14.{number + 20}"] = [with_einsum, by_hand, in_a_loop]
    WRONG[f"14.{number + 20}"] = {"still": [still], **PLAIN}

# With a mask: 14.22, 14.24, 14.27, 14.29, 14.32, 14.34 to 14.36


def masked_einsum(query, key, value, mask):
    scores = torch.einsum("bqs,bks->bqk", query, key) * query.shape[-1] ** -0.5
    weights = torch.where(mask, scores, -INF).softmax(2).nan_to_num(0.0)
    return torch.einsum("bqk,bkv->bqv", weights, value), weights


def masked_by_hand(query, key, value, mask):
    powers = torch.exp(torch.bmm(query, key.mT) / query.shape[2] ** 0.5) * mask
    weights = powers / powers.sum(2, keepdim=True).clamp(min=1e-7)
    return torch.bmm(weights, value), weights


def masked_fused(query, key, value, mask):
    unit = torch.eye(key.shape[1], dtype=key.dtype).repeat(len(key), 1, 1)
    empty = mask.logical_not().all(2, keepdim=True)
    weights = F.scaled_dot_product_attention(query, key, unit, attn_mask=mask | empty)
    weights = torch.where(empty, 0.0, weights)
    return weights @ value, weights


def only_the_first(query, key, value, mask):
    scores = (query[:1] * query.shape[-1] ** -0.5) @ key[:1].mT
    weights = torch.where(mask, scores, -INF).softmax(-1).nan_to_num(0.0)
    return mixed(weights, value)


def no_mask(query, key, value, mask):
    return mixed(scored(query, key).softmax(-1), value)


def mask_turned(query, key, value, mask):
    return mixed(torch.where(mask, -INF, scored(query, key)).softmax(-1).nan_to_num(0.0), value)


def mask_at_the_end(query, key, value, mask):
    return mixed(scored(query, key).softmax(-1) * mask, value)


def mask_as_factor(query, key, value, mask):
    return mixed(torch.where(mask, scored(query, key), 0.0).softmax(-1), value)


def nan_in_empty_rows(query, key, value, mask):
    return mixed((scored(query, key) + torch.zeros(mask.shape).to(query).masked_fill(~mask, -INF)).softmax(-1), value)


def same_in_empty_rows(query, key, value, mask):
    lowest = torch.finfo(query.dtype).min
    return mixed(torch.where(mask, scored(query, key), lowest).softmax(-1), value)


def too_large_to_fill(query, key, value, mask):
    weights = scored(query, key).masked_fill(mask.logical_not(), -1e9).softmax(-1)
    return mixed(weights * mask, value)


def query_written_into(query, key, value, mask):
    query /= query.shape[-1] ** 0.5
    weights = torch.where(mask, query @ key.mT, -INF).softmax(-1).nan_to_num(0.0)
    return mixed(weights, value)


def other_map(query, key, value, mask):
    return masked_einsum(query, key, value, mask)[0], scored(query, key).softmax(-1)


def masked_unscaled(query, key, value, mask):
    return mixed(torch.where(mask, scored(query, key, False), -INF).softmax(-1).nan_to_num(0.0), value)


def masked_columns(query, key, value, mask):
    return mixed(torch.where(mask, scored(query, key), -INF).softmax(1).nan_to_num(0.0), value)


MASKED = {
    "unmasked": [no_mask],
    "inverted": [mask_turned],
    "late": [mask_at_the_end],
    "multiplied": [mask_as_factor],
    "no-root": [masked_unscaled],
    "over-queries": [masked_columns],
}


def filled_with_a_billion(query, key, value, mask):
    return mixed(scored(query, key).masked_fill(mask.logical_not(), -1e9).softmax(-1), value)


EMPTY = {
    12: {"uniform-row": [same_in_empty_rows]},
    14: {"large-fill": [filled_with_a_billion], "nan-row": [nan_in_empty_rows], "uniform-row": [same_in_empty_rows]},
}
OLD = {2: no_mask, 4: mask_at_the_end, 7: only_the_first, 9: mask_turned, 12: nan_in_empty_rows,
       14: too_large_to_fill, 15: query_written_into, 16: other_map}  # fmt: skip
for number, still in OLD.items():
    others = {name: answers for name, answers in MASKED.items() if answers != [still]}
    RIGHT[f"14.{number + 20}"] = [masked_einsum, masked_by_hand, masked_fused]
    WRONG[f"14.{number + 20}"] = {"still": [still], **EMPTY.get(number, {}), **others}

# 14.30: one projection


def projected_in_parts(source, project):
    size = source.shape[-1]
    query, key, value = (torch.einsum("bns,st->bnt", source, project[:, n * size : (n + 1) * size]) for n in range(3))
    weights = F.softmax(query.matmul(key.mT) * size**-0.5, 2)
    return weights.matmul(value), weights


def projected_by_split(source, project):
    query, key, value = torch.split(source @ project, source.shape[2], 2)
    return with_einsum(query, key, value)


def projected_by_view(source, project):
    batch, length, size = source.shape
    query, key, value = (source @ project).view(batch, length, 3, size).unbind(2)
    return by_hand(query, key, value)


def roles_of_one_word(source, project):
    batch, length, size = source.shape
    query, key, value = torch.chunk((source @ project).reshape(batch, length, 3, size), 3, 3)
    weights = F.softmax(torch.einsum("bnis,bnjs->bnij", query, key) * size**-0.5, 3)
    return torch.einsum("bnij,bnjs->bnis", weights, value).reshape(batch, length, size), weights


def in_turns(source, project):
    all_of_it = source @ project
    return with_einsum(all_of_it[..., 0::3], all_of_it[..., 1::3], all_of_it[..., 2::3])


def key_first(source, project):
    key, query, value = torch.split(source @ project, source.shape[2], 2)
    return with_einsum(query, key, value)


def projected_unscaled(source, project):
    return unscaled(*torch.split(source @ project, source.shape[2], 2))


def projected_columns(source, project):
    return down_the_columns(*torch.split(source @ project, source.shape[2], 2))


RIGHT["14.30"] = [projected_in_parts, projected_by_split, projected_by_view]
WRONG["14.30"] = {
    "still": [roles_of_one_word],
    "interleaved": [in_turns],
    "roles-exchanged": [key_first],
    "no-root": [projected_unscaled],
    "over-queries": [projected_columns],
}

# 14.25 and 14.33: heads


def apart(x, heads):
    return x.reshape(len(x), x.shape[1], heads, -1)  # (batch, length, heads, head size)


def heads_with(query, key, value, heads, root, axis=3):
    scores = torch.einsum("bqhs,bkhs->bhqk", apart(query, heads), apart(key, heads)) / root
    weights = F.softmax(scores, axis)
    return torch.einsum("bhqk,bkhs->bqhs", weights, apart(value, heads)).reshape(query.shape), weights


def heads_einsum(query, key, value, heads):
    width = query.shape[2] // heads
    query, key, value = (x.reshape(len(x), x.shape[1], heads, width) for x in (query, key, value))
    weights = F.softmax(torch.einsum("bqhs,bkhs->bhqk", query, key) / width**0.5, 3)
    return torch.einsum("bhqk,bkhs->bqhs", weights, value).flatten(2), weights


def heads_by_chunks(query, key, value, heads):
    found = [with_einsum(*parts) for parts in zip(*(x.chunk(heads, 2) for x in (query, key, value)), strict=True)]
    return torch.cat([context for context, _ in found], 2), torch.stack([weights for _, weights in found], 1)


def heads_permuted(query, key, value, heads):
    q, k, v = (x.unflatten(2, (heads, -1)).permute(0, 2, 1, 3) for x in (query, key, value))
    weights = torch.softmax(q @ k.mT * q.shape[3] ** -0.5, 3)
    return (weights @ v).permute(0, 2, 1, 3).reshape(query.shape), weights


def whole_size(query, key, value, heads):
    return heads_with(query, key, value, heads, query.shape[2] ** 0.5)


def number_of_heads(query, key, value, heads):
    return heads_with(query, key, value, heads, heads**0.5)


def heads_unscaled(query, key, value, heads):
    return heads_with(query, key, value, heads, 1)


def heads_columns(query, key, value, heads):
    return heads_with(query, key, value, heads, (query.shape[2] / heads) ** 0.5, 2)


def heads_across(query, key, value, heads):
    width = query.shape[2] // heads
    q, k, v = (x.reshape(len(x), heads, x.shape[1], width) for x in (query, key, value))
    weights = F.softmax(torch.einsum("bhqs,bhks->bhqk", q, k) / width**0.5, 3)
    return torch.einsum("bhqk,bhks->bqhs", weights, v).flatten(2), weights


def merged_across(query, key, value, heads):
    weights = heads_einsum(query, key, value, heads)[1]
    return torch.einsum("bhqk,bkhs->bhqs", weights, apart(value, heads)).reshape(query.shape), weights


def viewed_both_ways(query, key, value, heads):
    width = query.shape[2] // heads
    q, k, v = (x.reshape(len(x), heads, -1, width) for x in (query, key, value))
    context, weights = F.scaled_dot_product_attention(q, k, v), (q @ k.mT * width**-0.5).softmax(3)
    return context.reshape(query.shape), weights


HEADS = {
    "viewed-twice": [viewed_both_ways],
    "no-root": [heads_unscaled],
    "merged-by-view": [merged_across],
    "over-queries": [heads_columns],
}
for key in ("14.25", "14.33"):
    RIGHT[key] = [heads_einsum, heads_by_chunks, heads_permuted]
WRONG["14.25"] = {"still": [heads_across], "whole-root": [whole_size], **HEADS}
WRONG["14.33"] = {"still": [whole_size], "root-of-heads": [number_of_heads], "by-view": [heads_across], **HEADS}

# 14.23: the future, in both modes


def causal_rows(source, training):
    rows = []
    for place in range(source.shape[1]):
        past = source[:, : place + 1]
        scores = torch.einsum("bs,bks->bk", source[:, place], past) / source.shape[2] ** 0.5
        rows.append(torch.einsum("bk,bks->bs", scores.softmax(1), past))
    return torch.stack(rows, 1)


def causal_where(source, training):
    places = torch.arange(source.shape[1])
    scores = torch.where(places[:, None] >= places, scored(source, source), -INF)
    return mixed(scores.softmax(2), source)[0]


def causal_filled(source, training):
    future = torch.ones(source.shape[1], source.shape[1]).triu(1).bool()
    scores = source.matmul(source.mT) * source.shape[2] ** -0.5
    return F.softmax(scores.masked_fill(future, -1e9), 2).matmul(source)


def fused_by_mode(source, training):
    return F.scaled_dot_product_attention(source, source, source, is_causal=training)


def fused_by_other_mode(source, training):
    return F.scaled_dot_product_attention(source, source, source, is_causal=not training)


def never_causal(source, training):
    return F.scaled_dot_product_attention(source, source, source)


def one_ahead(source, training):
    places = torch.arange(source.shape[1])
    return F.scaled_dot_product_attention(source, source, source, attn_mask=places <= places[:, None] + 1)


def backwards(source, training):
    places = torch.arange(source.shape[1])
    return F.scaled_dot_product_attention(source, source, source, attn_mask=places >= places[:, None])


def causal_unscaled(source, training):
    return F.scaled_dot_product_attention(source, source, source, is_causal=True, scale=1.0)


RIGHT["14.23"] = [causal_rows, causal_where, causal_filled]
WRONG["14.23"] = {
    "still": [fused_by_mode],
    "never": [never_causal],
    "in-evaluation-only": [fused_by_other_mode],
    "one-too-many": [one_ahead],
    "turned-round": [backwards],
    "no-root": [causal_unscaled],
}

# 14.37: whether heads fit


def fits(size, heads):
    return heads >= 1 and size // heads * heads == size


def fits_by_remainder(size, heads):
    if heads < 1:
        return False
    return not size % heads


def fits_by_listing(size, heads):
    return any(heads * width == size for width in range(1, size + 1))


def smaller(size, heads):
    return heads > 0 and heads < size


def divides(size, heads):
    return bool(heads) and size % heads == 0


def divides_and_smaller(size, heads):
    return heads in range(1, size) and size % heads == 0


def no_larger(size, heads):
    return heads in range(1, size + 1)


def the_wrong_way(size, heads):
    return heads > 0 and heads // size * size == heads


RIGHT["14.37"] = [fits, fits_by_remainder, fits_by_listing]
WRONG["14.37"] = {
    "still": [smaller],
    "divides-only": [divides],
    "not-all": [divides_and_smaller],
    "at-most-size": [no_larger],
    "other-way-round": [the_wrong_way],
}

# 14.38: baskets and heads


def packed_with(query, key, value, masks, root=True, late=False):
    query, key, flat = (x.flatten(0, 1) for x in (query, key, value))
    scores = scored(query, key, root)
    if not late and masks is not None:
        scores = torch.where(masks[:, None], scores, -INF)
    weights = scores.softmax(-1)
    weights = weights * masks[:, None] if late else weights.nan_to_num(0.0)
    context = torch.einsum("bqk,bkv->bqv", weights, flat)
    return context.unflatten(0, value.shape[:2]), weights.unflatten(0, value.shape[:2])


def packed_in_order(query, key, value, mask):
    heads = query.shape[1]
    masks = mask.repeat_interleave(heads, 0).unsqueeze(1)
    query, key, flat = (x.flatten(0, 1) for x in (query, key, value))
    weights = F.softmax((query @ key.mT / query.shape[2] ** 0.5).masked_fill(~masks, -INF), 2)
    return (weights @ flat).unflatten(0, (-1, heads)), weights.unflatten(0, (-1, heads))


def packed_basket_by_basket(query, key, value, mask):
    contexts, maps = [], []
    for q, k, v, seen in zip(query, key, value, mask, strict=True):
        weights = torch.where(seen, torch.einsum("hqs,hks->hqk", q, k) / q.shape[2] ** 0.5, -INF).softmax(2)
        contexts.append(torch.einsum("hqk,hkv->hqv", weights, v))
        maps.append(weights)
    return torch.stack(contexts), torch.stack(maps)


def packed_einsum(query, key, value, mask):
    scores = torch.einsum("bhqs,bhks->bhqk", query, key) * query.shape[3] ** -0.5
    weights = torch.where(mask[:, None, None, :], scores, -INF).softmax(3)
    return torch.einsum("bhqk,bhkv->bhqv", weights, value), weights


def packed_tiled(query, key, value, mask):
    return packed_with(query, key, value, torch.cat([mask] * query.shape[1]))


def packed_unmasked(query, key, value, mask):
    return packed_with(query, key, value, None)


def packed_turned(query, key, value, mask):
    # where nothing is padding, nothing is left, and the rows are nan
    scores = torch.einsum("bhqs,bhks->bhqk", query, key) * query.shape[3] ** -0.5
    weights = torch.where(mask[:, None, None, :], -INF, scores).softmax(3)
    return torch.einsum("bhqk,bhkv->bhqv", weights, value), weights


def packed_late(query, key, value, mask):
    return packed_with(query, key, value, mask.repeat_interleave(query.shape[1], 0), late=True)


def packed_unscaled(query, key, value, mask):
    return packed_with(query, key, value, mask.repeat_interleave(query.shape[1], 0), root=False)


RIGHT["14.38"] = [packed_in_order, packed_basket_by_basket, packed_einsum]
WRONG["14.38"] = {
    "still": [packed_tiled],
    "unmasked": [packed_unmasked],
    "inverted": [packed_turned],
    "late": [packed_late],
    "no-root": [packed_unscaled],
}

# 14.39: writing on


def places_of(query, key, shift=0):
    rows = torch.arange(query.shape[1]) + key.shape[1] - query.shape[1] + shift
    return torch.arange(key.shape[1]) <= rows[:, None]


def last_by_places(query, key, value):
    rows = torch.arange(query.shape[1]) + key.shape[1] - query.shape[1]
    seen = torch.arange(key.shape[1]) <= rows[:, None]
    return F.scaled_dot_product_attention(query, key, value, attn_mask=seen)


def last_one_by_one(query, key, value):
    rows = []
    for place in range(query.shape[1]):
        count = key.shape[1] - query.shape[1] + place + 1
        weights = torch.softmax(query[:, place : place + 1] @ key[:, :count].mT / query.shape[2] ** 0.5, 2)
        rows.append(weights @ value[:, :count])
    return torch.cat(rows, 1)


def last_of_a_square(query, key, value):
    seen = torch.ones(key.shape[1], key.shape[1]).tril()[-query.shape[1] :] > 0
    scores = torch.einsum("bqs,bks->bqk", query, key) * query.shape[2] ** -0.5
    return torch.where(seen, scores, -INF).softmax(2) @ value


def top_left(query, key, value):
    seen = torch.arange(key.shape[1]) <= torch.arange(query.shape[1])[:, None]
    return mixed(torch.where(seen, scored(query, key), -INF).softmax(-1), value)[0]


def no_future_hidden(query, key, value):
    return F.scaled_dot_product_attention(query, key, value)


def last_one_ahead(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, attn_mask=places_of(query, key, 1))


def last_without_itself(query, key, value):
    return mixed(torch.where(places_of(query, key, -1), scored(query, key), -INF).softmax(-1), value)[0]


def last_backwards(query, key, value):
    seen = ~places_of(query, key, -1)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=seen)


def last_unscaled(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, attn_mask=places_of(query, key), scale=1.0)


RIGHT["14.39"] = [last_by_places, last_one_by_one, last_of_a_square]
WRONG["14.39"] = {
    "still": [top_left],
    "no-causal": [no_future_hidden],
    "one-too-many": [last_one_ahead],
    "one-too-few": [last_without_itself],
    "turned-round": [last_backwards],
    "no-root": [last_unscaled],
}

# 14.40: dropout


def dropped_by_module(query, key, value, rate, training):
    drop = torch.nn.Dropout(rate).train(training)
    weights = drop(with_einsum(query, key, value)[1])
    return weights @ value, weights


def dropped_if_training(query, key, value, rate, training):
    scores = torch.einsum("bqs,bks->bqk", query, key) * query.shape[-1] ** -0.5
    weights = scores.softmax(2)
    if training:
        weights = F.dropout(weights, rate)
    return torch.einsum("bqk,bkv->bqv", weights, value), weights


def dropped_by_hand(query, key, value, rate, training):
    weights = by_hand(query, key, value)[1]
    if training and rate < 1:
        weights = weights * (torch.rand(weights.shape) >= rate) / (1 - rate)
    elif training:
        weights = torch.zeros_like(weights)
    return weights @ value, weights


def always_dropped(query, key, value, rate, training):
    weights = torch.nn.Dropout(rate)(with_einsum(query, key, value)[1])
    return mixed(weights, value)


def never_dropped(query, key, value, rate, training):
    return by_hand(query, key, value)


def dropped_in_evaluation(query, key, value, rate, training):
    return mixed(torch.nn.Dropout(rate).train(not training)(with_einsum(query, key, value)[1]), value)


def map_before_dropout(query, key, value, rate, training):
    weights = with_einsum(query, key, value)[1]
    return F.dropout(weights, rate, training) @ value, weights


def context_before_dropout(query, key, value, rate, training):
    weights = with_einsum(query, key, value)[1]
    return weights @ value, torch.nn.Dropout(rate).train(training)(weights)


def drawn_for_each(query, key, value, rate, training):
    weights = with_einsum(query, key, value)[1]
    context = F.dropout(weights, rate, training) @ value
    return context, F.dropout(weights, rate, training)


def not_divided(query, key, value, rate, training):
    weights = by_hand(query, key, value)[1]
    kept = torch.rand(weights.shape) >= rate if training else torch.ones_like(weights)
    return mixed(weights * kept, value)


def masked_without_dividing(query, key, value, rate, training):
    weights = with_einsum(query, key, value)[1]
    return mixed(weights.masked_fill(torch.rand_like(weights) < rate, 0.0) if training else weights, value)


def share_kept(query, key, value, rate, training):
    return mixed(F.dropout(with_einsum(query, key, value)[1], 1 - rate, training), value)


def dropped_unscaled(query, key, value, rate, training):
    return mixed(F.dropout(scored(query, key, False).softmax(-1), rate, training), value)


RIGHT["14.40"] = [dropped_by_module, dropped_if_training, dropped_by_hand]
WRONG["14.40"] = {
    "still": [always_dropped],
    "never-drops": [never_dropped],
    "drops-in-evaluation-only": [dropped_in_evaluation],
    "undropped-map": [map_before_dropout],
    "undropped-context": [context_before_dropout],
    "drawn-twice": [drawn_for_each],
    "unscaled": [not_divided, masked_without_dividing],
    "rate-kept": [share_kept],
    "no-root": [dropped_unscaled],
}
