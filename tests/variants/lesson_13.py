"""Answers to the exercises of lesson 13, written apart from the bank: right ones, and one for each known mistake."""

import numpy as np
import torch
import torch.nn.functional as F

INF = float("inf")


# 13.1


def tile_with_logs(greatest, total, context, scores, values):
    new = torch.cat([greatest[:, None], scores], 1).amax(1)
    safe = torch.where(new.isinf(), 0.0, new)
    old = (greatest - safe).exp()
    powers = (scores - safe.unsqueeze(1)).exp()
    return (
        new,
        old * total + powers.sum(1),
        torch.einsum("q,qs->qs", old, context) + torch.einsum("qt,ts->qs", powers, values),
    )


def tile_with_nan_to_num(greatest, total, context, scores, values):
    new = torch.maximum(greatest, scores.max(-1).values)
    powers = (scores - new[:, None]).exp().nan_to_num(0.0)
    factor = (greatest - new).exp().nan_to_num(0.0)
    return new, factor * total + powers.sum(-1), factor[:, None] * context + powers @ values


def tile_in_a_loop(greatest, total, context, scores, values):
    greatest, total, context = greatest.clone(), total.clone(), context.clone()
    for column, value in zip(scores.T, values, strict=True):
        for i, score in enumerate(column):
            if score == -INF:
                continue
            new = torch.maximum(greatest[i], score)
            factor, power = torch.exp(greatest[i] - new), torch.exp(score - new)
            total[i], context[i] = total[i] * factor + power, context[i] * factor + power * value
            greatest[i] = new
    return greatest, total, context


def tile_of(anchor=True, total=True, context=True, sign=1, carry=None, own=False):
    def one_more_tile(greatest, before, mixed, scores, values):
        top = scores.max(1).values
        new = torch.where(greatest > top, greatest, top) if carry is None else carry(greatest, top)
        safe = torch.where(new == -INF, torch.zeros_like(new), new) if anchor else new
        against = torch.where(top == -INF, torch.zeros_like(top), top) if own else safe
        powers = torch.exp(scores - against.unsqueeze(-1))
        factor = torch.exp(sign * (greatest - safe))
        return (
            new,
            before * (factor if total else 1) + powers.sum(1),
            mixed * (factor.unsqueeze(1) if context else 1) + torch.einsum("qt,ts->qs", powers, values),
        )

    return one_more_tile


def tile_old_returned(greatest, total, context, scores, values):
    return greatest, *tile_with_logs(greatest, total, context, scores, values)[1:]


def tile_bare(greatest, total, context, scores, values):
    powers = scores.exp()
    return (
        torch.maximum(greatest, scores.amax(1)),
        total + powers.sum(1),
        context + torch.einsum("qt,ts->qs", powers, values),
    )


def tile_divided(greatest, total, context, scores, values):
    new, whole, mixed = tile_with_logs(greatest, total, context, scores, values)
    return new, whole, mixed / whole.unsqueeze(1)


def tile_softmax(greatest, total, context, scores, values):
    new, whole, _ = tile_with_logs(greatest, total, context, scores, values)
    factor = torch.exp(greatest - torch.where(new.isinf(), 0.0, new))
    return new, whole, factor.unsqueeze(1) * context + scores.softmax(1) @ values


def tile_unweighted(greatest, total, context, scores, values):
    new, whole, _ = tile_with_logs(greatest, total, context, scores, values)
    factor = torch.exp(greatest - torch.where(new.isinf(), 0.0, new))
    return new, whole, factor.unsqueeze(1) * context + values.sum(dim=0, keepdim=True)


def tile_total_lost(greatest, total, context, scores, values):
    new, _, mixed = tile_with_logs(greatest, total, context, scores, values)
    return new, torch.exp(scores - torch.where(new.isinf(), 0.0, new).unsqueeze(1)).sum(1), mixed


def tile_then(change):
    """A wrong answer: the right one's results and the parts it is made of, put together otherwise."""

    def one_more_tile(greatest, total, context, scores, values):
        new, whole, mixed = tile_with_logs(greatest, total, context, scores, values)
        old = torch.where(new.isinf(), 0.0, torch.exp(greatest - new))
        here = whole - old * total, mixed - old[:, None] * context
        return change(new, old, (whole, mixed), (total, context), here)

    return one_more_tile


def as_a_mean(greatest, total, context, scores, values):
    new, whole, mixed = tile_with_logs(greatest, total, total[:, None] * context, scores, values)
    return new, whole, mixed / whole[:, None]


def multiplied_back(greatest, total, context, scores, values):
    return tile_with_logs(greatest, total, torch.einsum("q,qs->qs", total, context), scores, values)


def tile_turned(factor_of):
    def one_more_tile(greatest, total, context, scores, values):
        new = torch.maximum(greatest, scores.max(-1).values)
        powers = (scores - torch.where(new == -INF, 0.0, new).unsqueeze(1)).exp()
        factor = factor_of(greatest, new)
        return new, factor * total + powers.sum(1), torch.einsum("q,qs->qs", factor, context) + powers.mm(values)

    return one_more_tile


def tile_one_total(greatest, total, context, scores, values):
    new, whole, mixed = tile_with_logs(greatest, total, context, scores, values)
    powers = torch.exp(scores - torch.where(new.isinf(), 0.0, new).unsqueeze(1)).sum(1)
    return new, whole - powers + powers.sum(), mixed


def tile_one_greatest(greatest, total, context, scores, values):
    wide = torch.cat([scores, scores.max().expand(len(scores), 1)], 1)
    new = wide.amax(1).maximum(greatest)
    factor, powers = torch.exp(greatest - new), torch.exp(scores - new[:, None])
    return new, total * factor + powers.sum(1), context * factor[:, None] + powers @ values


# 13.2


def step_with_bias(x, key, value, wq, wk, wv):
    key, value = torch.cat([key, x @ wk], 1), torch.cat([value, x @ wv], 1)
    place = torch.arange(key.shape[1])
    own = place[key.shape[1] - x.shape[1] :]
    scores = torch.einsum("bqs,bks->bqk", x @ wq, key) / wq.shape[1] ** 0.5
    scores = scores + torch.where(place[None] > own[:, None], -1e9, 0.0)
    return torch.einsum("bqk,bks->bqs", scores.softmax(-1), value), key, value


def step_in_a_loop(x, key, value, wq, wk, wv):
    found = []
    for t in range(x.shape[1]):
        new = x[:, t : t + 1]
        key, value = torch.cat((key, new @ wk), -2), torch.cat((value, new @ wv), -2)
        weights = torch.softmax((new @ wq) @ key.mT * wq.shape[1] ** -0.5, 2)
        found.append(weights @ value)
    return torch.cat(found, 1), key, value


def step_fused(x, key, value, wq, wk, wv):
    before = key.shape[1]
    key, value = torch.cat([key, x @ wk], 1), torch.cat([value, x @ wv], 1)
    seen = torch.cat([torch.ones(x.shape[1], before), torch.ones(x.shape[1], x.shape[1]).tril()], 1).bool()
    return F.scaled_dot_product_attention(x @ wq, key, value, seen), key, value


def grown(x, key, value, wk, wv):
    return torch.cat([key, torch.einsum("bnf,fs->bns", x, wk)], 1), torch.cat([value, x @ wv], 1)


def step_masked(mask, fill=-INF):
    """A step whose mask is made by `mask(new, before)`, True = may attend."""

    def cached_step(x, key, value, wq, wk, wv):
        before = key.shape[1]
        key, value = grown(x, key, value, wk, wv)
        scores = (x @ wq) @ key.mT / key.shape[2] ** 0.5
        scores = torch.where(mask(x.shape[1], before), scores, fill)
        return scores.softmax(-1) @ value, key, value

    return cached_step


def triangle(shift):
    return lambda new, before: torch.arange(before + new)[None] <= torch.arange(new)[:, None] + before + shift


def fused_top_left(x, key, value, wq, wk, wv):
    key, value = grown(x, key, value, wk, wv)
    return F.scaled_dot_product_attention(x @ wq, key, value, is_causal=True), key, value


def fused_unmasked(x, key, value, wq, wk, wv):
    key, value = grown(x, key, value, wk, wv)
    return F.scaled_dot_product_attention(x @ wq, key, value), key, value


def step_new_first(x, key, value, wq, wk, wv):
    key, value = torch.cat([x @ wk, key], 1), torch.cat([x @ wv, value], 1)
    mask = triangle(0)(x.shape[1], key.shape[1] - x.shape[1])
    return F.scaled_dot_product_attention(x @ wq, key, value, mask), key, value


def step_forgets(x, key, value, wq, wk, wv):
    key, value = x @ wk, x @ wv
    return F.scaled_dot_product_attention(x @ wq, key, value, is_causal=True), key, value


def step_sees_new(x, key, value, wq, wk, wv):
    context = F.scaled_dot_product_attention(x @ wq, x @ wk, x @ wv, is_causal=True)
    return context, *grown(x, key, value, wk, wv)


def step_scaled(scale):
    def cached_step(x, key, value, wq, wk, wv):
        before = key.shape[1]
        key, value = grown(x, key, value, wk, wv)
        mask = triangle(0)(x.shape[1], before)
        return F.scaled_dot_product_attention(x @ wq, key, value, mask, scale=scale(x, key)), key, value

    return cached_step


def step_keys_mixed(x, key, value, wq, wk, wv):
    before = key.shape[1]
    key, value = grown(x, key, value, wk, wv)
    return F.scaled_dot_product_attention(x @ wq, key, key, triangle(0)(x.shape[1], before)), key, value


def step_sees_kept(x, key, value, wq, wk, wv):
    weights = torch.einsum("bns,bks->bnk", x @ wq, key).div(wq.shape[1] ** 0.5).softmax(-1)
    return torch.einsum("bnk,bks->bns", weights, value), *grown(x, key, value, wk, wv)


def kept_only(new, before):
    return (torch.arange(before + new) < before).expand(new, -1)


def kept_and_itself(new, before):
    place = torch.arange(before + new)
    return (place < before) | (place == before + torch.arange(new)[:, None])


def step_unmasked_unscaled(x, key, value, wq, wk, wv):
    keys, values = grown(x, key, value, wk, wv)
    return torch.einsum("bns,bks->bnk", x @ wq, keys).softmax(-1) @ values, keys, values


# 13.3


def plus(x):
    return torch.where(x > 0, x + 1, torch.exp(x.clamp(max=0)))


def recurrent_by_cumsum(query, key, value):
    memory = torch.einsum("bts,btv->btsv", plus(key), value).cumsum(1)
    above = torch.einsum("bts,btsv->btv", plus(query), memory)
    return above / torch.einsum("bts,bts->bt", plus(query), plus(key).cumsum(1))[..., None]


def recurrent_in_parallel(query, key, value):
    weights = (plus(query) @ plus(key).mT).tril()
    return (weights / weights.sum(2, keepdim=True)) @ value


def recurrent_row_by_row(query, key, value):
    out = torch.zeros(value.shape)
    for b in range(len(query)):
        memory, total = torch.zeros(key.shape[2], value.shape[2]), torch.zeros(key.shape[2])
        for t in range(key.shape[1]):
            memory += torch.outer(plus(key[b, t]), value[b, t])
            total += plus(key[b, t])
            out[b, t] = plus(query[b, t]) @ memory / (plus(query[b, t]) @ total)
    return out


def of_weights(asked=plus, told=plus, shift=0, divide=True):
    def recurrent_attention(query, key, value):
        weights = (asked(query) @ told(key).mT).tril(shift)
        return (weights / weights.sum(2, keepdim=True) if divide else weights) @ value

    return recurrent_attention


def by_count(query, key, value):
    return of_weights(divide=False)(query, key, value) / torch.arange(1, key.shape[1] + 1)[:, None]


def total_alone(query, key, value):
    return of_weights(divide=False)(query, key, value) / plus(key).cumsum(1).sum(-1, keepdim=True)


def last_only(query, key, value):
    likeness = (plus(query) * plus(key)).sum(-1, keepdim=True)
    return likeness * value / likeness


def last_below(query, key, value):
    return of_weights(divide=False)(query, key, value) / (plus(query) * plus(key)).sum(-1, keepdim=True)


def everything(query, key, value):
    memory, total = plus(key).mT @ value, plus(key).sum(1)
    return plus(query) @ memory / (plus(query) @ total[..., None])


def down_the_batch(query, key, value):
    memory = torch.einsum("bts,btv->btsv", plus(key), value).cumsum(0)
    below = torch.einsum("bts,bts->bt", plus(query), plus(key).cumsum(0))
    return torch.einsum("bts,btsv->btv", plus(query), memory) / below[..., None]


def softmax_masked(query, key, value):
    scores = query @ key.mT / query.shape[-1] ** 0.5
    return torch.where(torch.ones(scores.shape[-2:]).tril() > 0, scores, -INF).softmax(-1) @ value


def everything_undivided(query, key, value):
    return torch.einsum("bts,bis,biv->btv", plus(query), plus(key), value)


def rectified_guarded(query, key, value):
    weights = (query.clamp(min=0) @ key.clamp(min=0).mT).tril()
    below = weights.sum(2, keepdim=True)
    return weights @ value / torch.where(below < 1e-6, 1e-6, below)


def late_from_nothing(query, key, value):
    found = of_weights(shift=-1)(query, key, value)
    return torch.cat([torch.zeros_like(found[:, :1]), found[:, 1:]], 1)


def divided_by(power):
    return lambda x: plus(x / x.shape[-1] ** power)


# 13.4


def tiles_split(query, key, value, tile):
    running = None
    for k, v in zip(key.split(tile), value.split(tile), strict=True):
        scores = query @ k.T * query.shape[1] ** -0.5
        top = scores.amax(1, keepdim=True)
        powers = (scores - top).exp()
        part = (top, powers.sum(1, keepdim=True), powers @ v)
        running = part if running is None else joined(running, part)
    return running[2] / running[1]


def joined(one, two):
    top = torch.maximum(one[0], two[0])
    a, b = (one[0] - top).exp(), (two[0] - top).exp()
    return top, a * one[1] + b * two[1], a * one[2] + b * two[2]


def tiles_in_one(query, key, value, tile):
    return torch.softmax(query @ key.T / query.shape[1] ** 0.5, -1) @ value


def tiles_with_logs(query, key, value, tile):
    lse, context = None, torch.zeros(len(query), value.shape[1])
    for begin in range(0, len(key), tile):
        scores = query @ key[begin : begin + tile].T / query.shape[1] ** 0.5
        here = scores.logsumexp(1, keepdim=True)
        mixed = scores.softmax(1) @ value[begin : begin + tile]
        both = here if lse is None else torch.logaddexp(lse, here)
        context = (context if lse is None else context * (lse - both).exp()) + mixed * (here - both).exp()
        lse = both
    return context


def tiles_of(
    rescale=True, tail=True, scale=lambda q, t: q.shape[1] ** -0.5, total=True, context=True, turn=False, carry=True
):
    def tiles(query, key, value, tile):
        top = torch.full((len(query),), -INF)
        whole, mixed = torch.zeros(len(query)), torch.zeros(len(query), value.shape[1])
        for number in range(-(-len(key) // tile) if tail else len(key) // tile):
            part = slice(number * tile, (number + 1) * tile)
            scores = torch.einsum("qs,ks->qk", query, key[part]) * scale(query, tile)
            new = torch.max(top, scores.max(1)[0])
            factor = torch.exp(top - new)
            if turn:
                factor = torch.exp(new - top) if number else torch.zeros(len(query))
            powers = torch.exp(scores - new[:, None])
            whole = whole * (factor if rescale and total else 1) + powers.sum(1)
            mixed = mixed * (factor[:, None] if rescale and context else 1) + powers @ value[part]
            top = new if carry else top
        return mixed / whole[:, None]

    return tiles


def tiles_turned(query, key, value, tile):
    top, whole, mixed = torch.tensor(-INF), 0.0, 0.0
    for keys, values in zip(key.split(tile), value.split(tile), strict=True):
        scores = query @ keys.mT * query.shape[1] ** -0.5
        new = torch.max(top, scores.amax(1, keepdim=True))
        whole = (new - top).exp() * whole + (scores - new).exp().sum(1, keepdim=True)
        mixed = (new - top).exp() * mixed + (scores - new).exp() @ values
        top = new
    return mixed / whole


def tiles_divided_inside(query, key, value, tile):
    top, whole, mixed = torch.tensor(-INF), 0.0, 0.0
    for keys, values in zip(key.split(tile), value.split(tile), strict=True):
        scores = query @ keys.mT * query.shape[1] ** -0.5
        new = torch.max(top, scores.amax(1, keepdim=True))
        whole = (top - new).exp() * whole + (scores - new).exp().sum(1, keepdim=True)
        mixed = ((top - new).exp() * mixed + (scores - new).exp() @ values) / whole
        top = new
    return mixed / whole


def tiles_against_the_old(query, key, value, tile):
    top, whole, mixed = torch.full((len(query), 1), -INF), 0.0, 0.0
    for keys, values in zip(key.split(tile), value.split(tile), strict=True):
        scores = torch.einsum("qs,ks->qk", query, keys) / query.shape[1] ** 0.5
        powers, new = (scores - top).exp(), top.maximum(scores.amax(1, keepdim=True))
        factor = (top - new).exp()
        whole, mixed, top = factor * whole + powers.sum(1, keepdim=True), factor * mixed + powers @ values, new
    return mixed / whole


def tiles_by_length(query, key, value, tile):
    shares = torch.arange(len(key)) // tile  # which tile each key is in
    answers = torch.stack([
        torch.softmax((query @ key.T / query.shape[1] ** 0.5).masked_fill(shares != number, -INF), -1) @ value
        for number in shares.unique()
    ])  # fmt: skip
    return torch.einsum("tqv,t->qv", answers, shares.bincount() / len(key))


def tiles_filled_up(query, key, value, tile):
    extra = torch.zeros((tile - len(key) % tile) % tile, key.shape[1])
    return tiles_in_one(query, torch.cat([key, extra]), torch.cat([value, extra]), tile)


def step_weighed(weights_of):
    """A wrong answer: other weights from the scores and what may be seen."""

    def step(x, key, value, wq, wk, wv):
        before = key.shape[1]
        keys, values = torch.cat([key, x @ wk], 1), torch.cat([value, x @ wv], 1)
        seen = torch.arange(keys.shape[1]) <= before + torch.arange(x.shape[1])[:, None]
        scores = torch.einsum("bns,bks->bnk", x @ wq, keys) * keys.shape[-1] ** -0.5
        return weights_of(scores, seen) @ values, keys, values

    return step


def step_top_left_unscaled(x, key, value, wq, wk, wv):
    _, keys, values = step_fused(x, key, value, wq, wk, wv)
    return F.scaled_dot_product_attention(x @ wq, keys, values, is_causal=True, scale=1.0), keys, values


def unscaled(query, tile):
    return 1.0


def tiles_undivided(query, key, value, tile):
    scores = query @ key.T / query.shape[1] ** 0.5
    return torch.exp(scores - scores.amax(1, keepdim=True)) @ value


def tiles_averaged(query, key, value, tile):
    answers = []
    for begin in range(0, len(key), tile):
        scores = query @ key[begin : begin + tile].T / query.shape[1] ** 0.5
        answers.append(scores.softmax(-1) @ value[begin : begin + tile])
    return torch.stack(answers).mean(0)


# 13.5


def found_by_slices(read, text, prices, distances):
    place = {d: len(text) - 1 - d for d in distances}
    return {
        d: 100 * sum(read(text[:at] + [price] + text[at + 1 :]) == price for price in prices) / len(prices)
        for d, at in place.items()
    }


def found_with_negative_index(read, text, prices, distances):
    result = {}
    for d in distances:
        hits = []
        for price in prices:
            words = text.copy()
            words[-1 - d] = price
            hits.append(read(words) == price)
        result[d] = float(np.mean(hits) * 100)
    return result


def found_and_put_back(read, text, prices, distances):
    result, words = {}, list(text)
    for d in distances:
        at = len(words) - d - 1
        old, hits = words[at], 0
        for price in prices:
            words[at] = price
            if read(words) == price:
                hits += 1
        words[at] = old
        result[d] = hits / len(prices) * 100
    return result


def found_with(
    place=lambda n, d: n - 1 - d, write=None, right=lambda a, p: a == p, of=None, key=lambda n, d: d, all_of=None
):
    def found_by_distance(read, text, prices, distances):
        result = {}
        for d in distances:
            asked, hits = (all_of(prices) if all_of else prices), 0
            for price in asked:
                words = list(text)
                if write:
                    write(words, place(len(text), d), price)
                else:
                    words[place(len(text), d)] = price
                hits = hits + int(right(read(words), price))
            result[key(len(text), d)] = of(hits, len(asked)) if of else 100 * hits / len(asked)
        return result

    return found_by_distance


def found_in_place(read, text, prices, distances):
    result = {}
    for d in distances:
        hits = 0
        for price in prices:
            text[-1 - d] = price
            hits += read(text) == price
        result[d] = 100 * hits / len(prices)
    return result


def last_of_all(read, text, prices, distances):
    result = {}
    for d in distances:
        for price in prices:
            words = text[:]
            words[-1 - d] = price
            result[d] = (read(words) == price) * 100 / len(prices)
    return result


def counted_on(read, text, prices, distances):
    result, hits = {}, []
    for d in distances:
        hits += [read([*text[: len(text) - 1 - d], price, *text[len(text) - d :]]) == price for price in prices]
        result[d] = sum(hits) / len(prices) * 100
    return result


def found_in_one_copy(read, text, prices, distances):
    words, result = text[:], {}
    for d in distances:
        hits = 0
        for price in prices:
            words[-1 - d] = price
            hits += read(words) == price
        result[d] = 100 * hits / len(prices)
    return result


# 13.6


def grouped_fused(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, enable_gqa=True)


def grouped_with_axes(query, key, value):
    b, h, q, s = query.shape
    groups = key.shape[1]
    folded = query.reshape(b, groups, h // groups, q, s)
    scores = torch.einsum("bgrqs,bgks->bgrqk", folded, key) / s**0.5
    return torch.einsum("bgrqk,bgks->bgrqs", scores.softmax(-1), value).reshape(b, h, q, s)


def grouped_in_a_loop(query, key, value):
    out = torch.zeros_like(query)
    share = query.shape[1] // key.shape[1]
    for h in range(query.shape[1]):
        weights = torch.softmax(query[:, h] @ key[:, h // share].mT / query.shape[-1] ** 0.5, -1)
        out[:, h] = weights @ value[:, h // share]
    return out


def by_groups(groups_of, values_of=None, scale=None):
    """Head h takes the keys of group `groups_of(h, share, groups)`."""

    def grouped_queries(query, key, value):
        groups, heads = key.shape[1], query.shape[1]
        own = [groups_of(h, heads // groups, groups) for h in range(heads)]
        others = [(values_of or groups_of)(h, heads // groups, groups) for h in range(heads)]
        return F.scaled_dot_product_attention(query, key[:, own], value[:, others], scale=scale and scale(query))

    return grouped_queries


def neighbours(h, share, groups):
    return h // share


def in_turn(h, share, groups):
    return h % groups


def grouped_softmax(dim, mix="value"):
    def grouped_queries(query, key, value):
        share = query.shape[1] // key.shape[1]
        keys, values = (torch.repeat_interleave(one, share, 1) for one in (key, value))
        scores = torch.einsum("bhqs,bhks->bhqk", query, keys) / query.shape[-1] ** 0.5
        return scores.softmax(dim) @ (values if mix == "value" else keys)

    return grouped_queries


def grouped_mean(query, key, value):
    keys, values = (one.mean(1)[:, None].expand(-1, query.shape[1], -1, -1) for one in (key, value))
    return F.scaled_dot_product_attention(query, keys, values)


def grouped_of(keys_of, values_of):
    """Keys and values for all heads, made of the groups, (batch, groups, …) → (batch, 1 or heads, …)."""

    def grouped_queries(query, key, value):
        times = query.shape[1] // key.shape[1]
        keys, values = keys_of(key, times), values_of(value, times)
        shape = query.shape[1]
        return F.scaled_dot_product_attention(query, *(one.expand(-1, shape, -1, -1) for one in (keys, values)))

    return grouped_queries


def shared_out(groups, times):
    return groups[:, torch.arange(groups.shape[1] * times) // times]


def averaged(groups, times):
    return torch.einsum("bgks->bks", groups)[:, None] / groups.shape[1]


def added_up(groups, times):
    return torch.einsum("bgks->bks", groups)[:, None]


def by_groups_and_keys(root):
    def grouped_queries(query, key, value):
        keys, values = (shared_out(one, query.shape[1] // key.shape[1]) for one in (key, value))
        return F.scaled_dot_product_attention(query, keys, values, scale=root(query, key) ** -0.5)

    return grouped_queries


# 13.7

GOODS = torch.eye(5, 4) * 2 + 0.5
FACTORS = torch.linalg.svd(GOODS.T)[2][-1]
ONE = torch.arange(10.0).reshape(5, 2)
STATES = {"features": GOODS, "one": ONE, "other": ONE + torch.outer(FACTORS, torch.tensor([2.0, -1.0]))}
BY_HAND = {
    "features": [[2, 1, 1, 1], [1, 2, 1, 1], [1, 1, 2, 1], [1, 1, 1, 2], [1.25, 1.25, 1.25, 1.25]],
    "one": [[0, 0], [0, 0], [0, 0], [0, 0], [4, 4]],
    "other": [[1, 1], [1, 1], [1, 1], [1, 1], [0, 0]],
}
LOW = torch.tensor([[1.0, 2, 3, 4], [2, 4, 6, 8], [3, 6, 9, 12], [4, 8, 12, 16], [5, 10, 15, 20]])


# 13.8

SIZES = {
    "numbers": 2048, "kibibytes": 96, "mebibytes": 192, "grouped": 24, "multi-query": 12, "window": 24, "linear": 66560,
}  # fmt: skip


RIGHT = {
    "13.1": [tile_with_logs, tile_with_nan_to_num, tile_in_a_loop],
    "13.2": [step_with_bias, step_in_a_loop, step_fused],
    "13.3": [recurrent_by_cumsum, recurrent_in_parallel, recurrent_row_by_row],
    "13.4": [tiles_split, tiles_in_one, tiles_with_logs],
    "13.5": [found_by_slices, found_with_negative_index, found_and_put_back],
    "13.6": [grouped_fused, grouped_with_axes, grouped_in_a_loop],
    "13.7": [STATES, BY_HAND, {**STATES, "other": (ONE - torch.outer(FACTORS, torch.tensor([0.0, 9.0]))).numpy()}],
    "13.8": [
        SIZES,
        {**SIZES, "kibibytes": 96.0, "linear": 66_560.0},
        {**SIZES, "numbers": torch.tensor(2048), "mebibytes": "192"},
    ],
}

WRONG = {
    "13.1": {
        "no-anchor": [tile_of(anchor=False)],
        "no-rescale": [tile_of(total=False, context=False)],
        "no-rescale-no-anchor": [tile_of(anchor=False, total=False, context=False)],
        "total-not-rescaled": [tile_of(total=False)],
        "context-not-rescaled": [tile_of(context=False)],
        "rescaled-the-other-way": [tile_of(sign=-1)],
        "greatest-of-the-tile": [tile_of(carry=lambda old, top: top)],
        "greatest-not-carried": [tile_old_returned],
        "no-greatest": [tile_bare],
        "divided": [tile_divided],
        "scores-for-powers": [tile_softmax],
        "values-not-weighted": [tile_unweighted],
        "swapped": [lambda *given: [tile_of()(*given)[place] for place in (0, 2, 1)]],
        "total-for-context-lost": [tile_total_lost],
        "against-its-own-greatest": [tile_of(own=True)],
        "before-lost": [tile_then(lambda new, old, both, before, here: (new, *here))],
        "context-lost": [tile_then(lambda new, old, both, before, here: (new, both[0], here[1]))],
        "tile-rescaled": [
            tile_then(
                lambda new, old, both, before, here: (
                    new,
                    old * (before[0] + here[0]),
                    old[:, None] * (before[1] + here[1]),
                )
            )
        ],
        "tile-context-rescaled": [
            tile_then(lambda new, old, both, before, here: (new, both[0], old[:, None] * (before[1] + here[1])))
        ],
        "as-a-mean": [as_a_mean],
        "as-a-mean-nan-to-num": [lambda *given: [part.nan_to_num(0.0, neginf=-INF) for part in as_a_mean(*given)]],
        "multiplied-back": [multiplied_back],
        "anchor-returned": [
            tile_then(lambda new, old, both, before, here: (torch.where(new.isinf(), 0.0, new), *both))
        ],
        "turned-round-guarded": [
            tile_turned(lambda old, new: torch.where(old.isinf(), 0.0, torch.exp(new - old))),
            tile_turned(lambda old, new: torch.where(new > old, new - old, 0.0).clamp(max=1e9).exp().nan_to_num()),
        ],
        "total-over-queries": [tile_one_total],
        "greatest-of-all-queries": [tile_one_greatest],
    },
    "13.2": {
        "top-left": [fused_top_left, step_masked(lambda new, before: triangle(-before)(new, before))],
        "no-mask": [fused_unmasked],
        "one-too-few": [step_masked(triangle(-1))],
        "one-too-many": [step_masked(triangle(1))],
        "tril-new": [step_masked(lambda new, before: triangle(new - before)(new, before))],
        "only-kept-seen": [step_masked(kept_only)],
        "only-kept-seen-alone": [step_sees_kept],
        "new-see-themselves-only": [step_masked(kept_and_itself)],
        "inverted": [step_masked(lambda new, before: ~triangle(0)(new, before))],
        "inverted-large": [step_masked(lambda new, before: ~triangle(0)(new, before), -1e9)],
        "added-mask": [step_weighed(lambda s, seen: (s + seen.float()).softmax(-1))],
        "mask-after-softmax": [step_weighed(lambda s, seen: torch.where(seen, s.softmax(-1), 0.0))],
        "mask-times-scores": [step_weighed(lambda s, seen: torch.where(seen, s, 0.0).softmax(-1))],
        "top-left-and-root": [step_top_left_unscaled],
        "no-mask-and-root": [step_unmasked_unscaled],
        "keys-and-values-swapped": [lambda x, key, value, wq, wk, wv: step_fused(x, key, value, wq, wv, wk)],
        "new-first": [step_new_first],
        "old-forgotten": [step_forgets],
        "only-new-seen": [step_sees_new],
        "no-root": [step_scaled(lambda x, key: 1.0)],
        "root-of-features": [step_scaled(lambda x, key: x.shape[-1] ** -0.5)],
        "size-not-its-root": [step_scaled(lambda x, key: 1 / key.shape[-1])],
        "key-for-value": [step_keys_mixed],
        "matrices-swapped": [lambda x, key, value, wq, wk, wv: step_fused(x, key, value, wk, wq, wv)],
        "only-the-new-returned": [lambda *given: (step_fused(*given)[0], given[0] @ given[4], given[0] @ given[5])],
        "the-old-returned": [lambda *given: (step_fused(*given)[0], given[1], given[2])],
        "swapped": [lambda *given: [step_fused(*given)[place] for place in (0, 2, 1)]],
    },
    "13.3": {
        "no-normaliser": [of_weights(divide=False)],
        "divided-by-the-count": [by_count],
        "total-without-query": [total_alone],
        "no-features": [of_weights(lambda x: x, lambda x: x)],
        "query-without-features": [of_weights(asked=lambda x: x)],
        "key-without-features": [of_weights(told=lambda x: x)],
        "no-plus-one": [of_weights(F.elu, F.elu)],
        "relu": [of_weights(lambda x: x.clamp(min=0) + 1, lambda x: x.relu() + 1)],
        "plus-one-inside": [of_weights(lambda x: F.elu(1 + x), lambda x: F.elu(1 + x))],
        "exponential": [of_weights(torch.exp, torch.exp)],
        "softplus": [of_weights(F.softplus, F.softplus)],
        "sigmoid": [of_weights(torch.sigmoid, torch.sigmoid)],
        "features-by-softmax": [of_weights(lambda x: F.softmax(x, 2), lambda x: F.softmax(x, 2))],
        "plain-relu": [of_weights(F.relu, F.relu)],
        "plain-relu-guarded": [rectified_guarded],
        "only-the-last": [last_only],
        "total-of-the-last": [last_below],
        "scaled": [of_weights(asked=lambda x: plus(x / x.shape[-1] ** 0.5))],
        "both-scaled": [of_weights(divided_by(0.25), divided_by(0.25))],
        "both-by-the-root": [of_weights(divided_by(0.5), divided_by(0.5))],
        "read-before-written": [of_weights(shift=-1)],
        "read-before-written-guarded": [late_from_nothing],
        "sees-the-future-undivided": [everything_undivided],
        "sees-the-future": [everything],
        "over-the-batch": [down_the_batch],
        "softmax": [softmax_masked],
    },
    "13.4": {
        "no-rescale": [tiles_of(rescale=False)],
        "tail": [tiles_of(tail=False)],
        "no-root": [tiles_of(scale=unscaled)],
        "no-rescale-and-tail": [tiles_of(rescale=False, tail=False)],
        "no-rescale-and-root": [tiles_of(rescale=False, scale=unscaled)],
        "tail-and-root": [tiles_of(tail=False, scale=unscaled)],
        "as-it-was": [tiles_of(rescale=False, tail=False, scale=unscaled)],
        "size-not-its-root": [tiles_of(scale=lambda q, t: 1 / q.shape[1])],
        "root-of-the-tile": [tiles_of(scale=lambda q, t: t**-0.5)],
        "total-not-rescaled": [tiles_of(total=False)],
        "context-not-rescaled": [tiles_of(context=False)],
        "rescaled-the-other-way": [tiles_of(turn=True)],
        "total-not-rescaled-and-tail": [tiles_of(total=False, tail=False)],
        "total-not-rescaled-and-root": [tiles_of(total=False, scale=unscaled)],
        "total-not-rescaled-tail-root": [tiles_of(total=False, tail=False, scale=unscaled)],
        "context-not-rescaled-and-tail": [tiles_of(context=False, tail=False)],
        "context-not-rescaled-and-root": [tiles_of(context=False, scale=unscaled)],
        "context-not-rescaled-tail-root": [tiles_of(context=False, tail=False, scale=unscaled)],
        "nan-everywhere": [tiles_turned, tiles_against_the_old],
        "divided-inside": [tiles_divided_inside],
        "greatest-not-carried": [tiles_of(carry=False)],
        "not-divided": [tiles_undivided],
        "mean-of-tiles": [tiles_averaged],
        "mean-by-length": [tiles_by_length],
        "padded": [tiles_filled_up],
    },
    "13.5": {
        "from-the-start": [found_with(lambda n, d: d)],
        "one-too-near": [found_with(lambda n, d: -d)],
        "one-too-far": [found_with(lambda n, d: -2 - d if d < n - 1 else n - 1)],
        "inserted": [found_with(lambda n, d: n - d, lambda words, at, price: words.insert(at, price))],
        "inserted-before": [found_with(write=lambda words, at, price: words.insert(at, price))],
        "text-changed": [found_in_place],
        "text-kept-for-all": [found_in_one_copy],
        "share": [found_with(of=lambda hits, n: hits / n)],
        "count": [found_with(of=lambda hits, n: hits)],
        "wrong-ones": [found_with(right=lambda a, p: a != p)],
        "first-price-only": [found_with(all_of=lambda prices: prices[:1])],
        "yes-or-no": [found_with(of=lambda hits, n: hits > 0)],
        "any": [found_with(of=lambda hits, n: 100.0 if hits else 0.0)],
        "all-or-nothing": [
            found_with(of=lambda hits, n: 100.0 if hits == n else 0.0),
            found_with(of=lambda hits, n: hits // n * 100),
        ],
        "last-price-only": [found_with(all_of=lambda prices: prices[-1:])],
        "last-price-of-all": [last_of_all],
        "never-from-0": [counted_on],
        "one-too-far-at-most": [found_with(lambda n, d: max(n - 2 - d, 0))],
        "by-place": [found_with(key=lambda n, d: n - 1 - d)],
        "anything-said": [found_with(right=lambda a, p: a is not None)],
    },
    "13.6": {
        "tiled": [by_groups(in_turn)],
        "keys-tiled": [by_groups(in_turn, neighbours)],
        "values-tiled": [by_groups(neighbours, in_turn)],
        "first-group": [by_groups(lambda h, share, groups: 0)],
        "last-group": [by_groups(lambda h, share, groups: groups - 1)],
        "keys-averaged": [grouped_of(averaged, shared_out)],
        "values-averaged": [grouped_of(shared_out, averaged)],
        "keys-summed": [grouped_of(added_up, shared_out)],
        "values-summed": [grouped_of(shared_out, added_up)],
        "sum-of-groups": [grouped_of(added_up, added_up)],
        "mean-of-groups": [grouped_mean],
        "no-root": [by_groups(neighbours, scale=lambda query: 1.0)],
        "no-root-and-tiled": [by_groups(in_turn, scale=lambda query: 1.0)],
        "no-root-and-keys-tiled": [by_groups(in_turn, neighbours, lambda query: 1.0)],
        "no-root-and-values-tiled": [by_groups(neighbours, in_turn, lambda query: 1.0)],
        "root-of-groups": [by_groups_and_keys(lambda query, key: key.shape[1])],
        "root-of-keys": [by_groups_and_keys(lambda query, key: key.shape[2])],
        "root-of-heads": [by_groups_and_keys(lambda query, key: query.shape[1])],
        "size-not-its-root": [by_groups(neighbours, scale=lambda query: 1 / query.shape[-1])],
        "root-of-all-heads": [by_groups(neighbours, scale=lambda query: (query.shape[1] * query.shape[3]) ** -0.5)],
        "over-queries": [grouped_softmax(2)],
        "over-heads": [grouped_softmax(1)],
        "key-for-value": [grouped_softmax(-1, "key")],
        "not-repeated": [lambda query, key, value: F.scaled_dot_product_attention(query, key, value)],
    },
    "13.7": {
        "shapes": [{**STATES, "one": ONE[:, :1]}, {**STATES, "features": GOODS.T}],
        "finite": [{**STATES, "features": GOODS / 0}],
        "positive": [{**STATES, "features": GOODS - 0.5}],
        "alike": [{**STATES, "other": ONE.clone()}],
        "equal-goods": [{**STATES, "features": GOODS[[0, 0, 1, 2, 3]]}],
        "rank": [{**STATES, "features": LOW}],
        "only-one-column": [{**STATES, "other": STATES["other"] + torch.tensor([[0.0, 1]])}],
        "same-state": [{**STATES, "other": ONE + 1}, {**STATES, "other": ONE.flip(0)}],
    },
    "13.8": {
        "keys-only": [{**SIZES, "numbers": 1024}],
        "three-parts": [{**SIZES, "numbers": 3072}],
        "one-head": [{**SIZES, "numbers": 128}],
        "bytes-not-numbers": [{**SIZES, "numbers": 4096}],
        "one-layer": [{**SIZES, "kibibytes": 4}],
        "no-bytes": [{**SIZES, "kibibytes": 48}],
        "in-bytes": [{**SIZES, "kibibytes": 98304}],
        "thousands": [{**SIZES, "kibibytes": 98.304}],
        "thousands-rounded": [{**SIZES, "kibibytes": 98}],
        "thousands-of-thousands": [{**SIZES, "mebibytes": 192 * 1.024**2}],
        "thousands-of-thousands-rounded": [{**SIZES, "mebibytes": 201}],
        "thousands-once": [{**SIZES, "mebibytes": 192 * 1.024}],
        "thousands-once-rounded": [{**SIZES, "mebibytes": 197}],
        "thousands-carried-on": [{**SIZES, "mebibytes": 98 * 2}],
        "one-layer-only": [{**SIZES, "mebibytes": 8}],
        "keys-only-all": [{**SIZES, "mebibytes": 96}],
        "squared": [{**SIZES, "mebibytes": 393216}],
        "divided-by-groups": [{**SIZES, "grouped": 96}],
        "nothing-saved": [{**SIZES, "grouped": 192}],
        "one-number": [{**SIZES, "multi-query": 24}],
        "query-kept": [{**SIZES, "multi-query": 18}],
        "not-cut": [{**SIZES, "window": 192}],
        "window-keys-only": [{**SIZES, "window": 12}],
        "window-in-tokens": [{**SIZES, "window": 256}],
        "left-over": [{**SIZES, "window": 168}],
        "one-state": [{**SIZES, "linear": 4160}],
        "no-vector": [{**SIZES, "linear": 65536}],
        "all-layers": [{**SIZES, "linear": 66560 * 24}],
        "twice": [{**SIZES, "linear": 66560 * 2}],
        "two-matrices": [{**SIZES, "linear": 16 * 64 * 129}],
        "grows": [{**SIZES, "linear": 2 * 16 * 64 * 2048}],
        "heads-mixed": [{**SIZES, "linear": 1024 * 1024 + 1024}],
    },
}
