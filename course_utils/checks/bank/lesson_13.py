"""The exercises of lesson 13: a tile more, a step with a cache, a recurrence, mended tiles, a needle, shared heads."""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F

from course_utils.checks.bank.parts import as_double, draw
from course_utils.checks.forms import edited, predict, prove, write

# 13.1 One more tile.


def _begun_and_tiles(generator):
    """Nothing seen yet, something seen, much seen; tiles with smaller, greater and hidden scores."""
    drawn = []
    for queries, tile, size, shift in ((3, 5, 4, 0.0), (4, 2, 3, 1.5), (2, 6, 5, 300.0)):
        greatest, total = torch.randn(queries, generator=generator), 1 + torch.rand(queries, generator=generator)
        context, scores, values = draw(generator, (queries, size), (queries, tile), (tile, size))
        drawn.append((greatest + shift, 2 * total, context, scores + shift, values + 1))
    greatest, total, context, scores, values = drawn[0]
    nothing = torch.full_like(greatest, -math.inf), torch.zeros_like(total), torch.zeros_like(context)
    hidden = scores.clone()
    hidden[1] = -math.inf
    mixed = (
        torch.tensor([-2.0, -math.inf, 2.5]),
        torch.tensor([1.4, 0.0, 1.7]),
        context * torch.tensor([[1.0], [0], [1]]),
    )
    return [*drawn[1:], (*nothing, scores, values), (*mixed, hidden, values)]


def _tile_by_loops(greatest, total, context, scores, values):
    news, totals, contexts = [], [], []
    for old, before, mixed, row in zip(
        greatest.double(), total.double(), context.double(), scores.double(), strict=True
    ):
        seen = [float(score) for score in row if score > -math.inf]
        new = max([float(old), *seen])
        factor = math.exp(float(old) - new) if old > -math.inf else 0.0
        powers = torch.tensor([math.exp(float(s) - new) if s > -math.inf else 0.0 for s in row], dtype=torch.float64)
        news.append(new)
        totals.append(factor * before + powers.sum())
        contexts.append(factor * mixed + powers @ values.double())
    return torch.tensor(news).float(), torch.stack(totals).float(), torch.stack(contexts).float()


def _tile(greatest, total, context, scores, values):
    new = torch.maximum(greatest, scores.amax(dim=-1))
    anchor = new.masked_fill(new == -math.inf, 0.0)
    powers = torch.exp(scores - anchor[:, None])
    rescale = torch.exp(greatest - anchor)
    return new, rescale * total + powers.sum(dim=-1), rescale[:, None] * context + powers @ values


def _tile_against_its_own(greatest, total, context, scores, values):
    own = scores.amax(dim=-1)
    powers = torch.exp(scores - own.masked_fill(own == -math.inf, 0.0)[:, None])
    new, rescale = torch.maximum(greatest, own), torch.exp(greatest - torch.maximum(greatest, own).nan_to_num(neginf=0))
    return new, rescale * total + powers.sum(dim=-1), rescale[:, None] * context + powers @ values


_AS_A_MEAN = "((rescale * total)[:, None] * context + powers @ values) / (rescale * total + powers.sum(1))[:, None]"
_NO_ANCHOR = ("new.masked_fill(new == -math.inf, 0.0)", "new")
TILE = write(
    "13.1",
    oracle=_tile_by_loops,
    inputs=_begun_and_tiles,
    results=("greatest", "total", "context"),
    mistakes=edited(
        _tile,
        {
            "no-anchor": _NO_ANCHOR,
            "no-rescale": [("rescale * total", "total"), ("rescale[:, None] * context", "context")],
            "no-rescale-no-anchor": [
                _NO_ANCHOR, ("rescale * total", "total"), ("rescale[:, None] * context", "context"),
            ],
            "total-not-rescaled": ("rescale * total", "total"),
            "context-not-rescaled": ("rescale[:, None] * context", "context"),
            "rescaled-the-other-way": ("torch.exp(greatest - anchor)", "torch.exp(anchor - greatest)"),
            "greatest-of-the-tile": ("torch.maximum(greatest, scores.amax(dim=-1))", "scores.amax(dim=-1)"),
            "greatest-not-carried": ("return new,", "return greatest,"),
            "no-greatest": [
                ("scores - anchor[:, None]", "scores"), ("torch.exp(greatest - anchor)", "1.0 + 0 * anchor"),
            ],
            "divided": (
                "rescale[:, None] * context + powers @ values",
                "(rescale[:, None] * context + powers @ values) / (rescale * total + powers.sum(dim=-1))[:, None]",
            ),
            "scores-for-powers": ("powers @ values", "torch.softmax(scores, -1) @ values"),
            "values-not-weighted": ("powers @ values", "values.sum(0)"),
            "swapped": (
                "rescale * total + powers.sum(dim=-1), rescale[:, None] * context + powers @ values",
                "rescale[:, None] * context + powers @ values, rescale * total + powers.sum(dim=-1)",
            ),
            "total-for-context-lost": ("rescale * total + powers.sum(dim=-1)", "powers.sum(dim=-1)"),
            "before-lost": [("rescale * total + ", ""), ("rescale[:, None] * context + ", "")],
            "context-lost": ("rescale[:, None] * context + ", ""),
            "tile-rescaled": [
                ("rescale * total + powers.sum(dim=-1)", "rescale * (total + powers.sum(dim=-1))"),
                ("rescale[:, None] * context + powers @ values", "rescale[:, None] * (context + powers @ values)"),
            ],
            "tile-context-rescaled": (
                "rescale[:, None] * context + powers @ values", "rescale[:, None] * (context + powers @ values)",
            ),
            "as-a-mean": ("rescale[:, None] * context + powers @ values", _AS_A_MEAN),
            "as-a-mean-nan-to-num": (
                "rescale[:, None] * context + powers @ values",
                f"({_AS_A_MEAN}).nan_to_num()",
            ),
            "multiplied-back": (
                "rescale[:, None] * context + powers @ values",
                "(rescale * total)[:, None] * context + powers @ values",
            ),
            "anchor-returned": ("return new,", "return anchor,"),
            "turned-round-guarded": (
                "torch.exp(greatest - anchor)", "torch.exp(anchor - greatest).nan_to_num(posinf=0)",
            ),
            "total-over-queries": ("powers.sum(dim=-1)", "powers.sum()"),
            "greatest-of-all-queries": ("scores.amax(dim=-1)", "scores.max()"),
        },
    )
    | {"against-its-own-greatest": _tile_against_its_own},
)  # fmt: skip


# 13.2 A step with a cache.


def _kept_and_new(generator):
    drawn = []
    for batch, before, new, features, size in ((2, 5, 3, 6, 4), (3, 4, 2, 5, 7), (2, 3, 1, 4, 5), (2, 0, 3, 4, 6)):
        x, key, value = draw(generator, (batch, new, features), (batch, before, size), (batch, before, size))
        drawn.append((x, key, value, *draw(generator, *[(features, size)] * 3)))
    return drawn


def _token_after_token(x, key, value, wq, wk, wv):
    contexts = []
    for token in x.unbind(1):
        key = torch.cat([key, (token @ wk)[:, None]], 1)
        value = torch.cat([value, (token @ wv)[:, None]], 1)
        contexts.append(F.scaled_dot_product_attention((token @ wq)[:, None], key, value))
    return torch.cat(contexts, 1), key, value


def _step(x, key, value, wq, wk, wv):
    before, new = key.shape[1], x.shape[1]
    key = torch.cat([key, x @ wk], dim=1)
    value = torch.cat([value, x @ wv], dim=1)
    mask = torch.ones(new, before + new, dtype=torch.bool).tril(before)
    scores = (x @ wq) @ key.transpose(-2, -1) / math.sqrt(key.shape[-1])
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), dim=-1)
    return weights @ value, key, value


STEP = write(
    "13.2",
    oracle=_token_after_token,
    inputs=_kept_and_new,
    results=("context", "key", "value"),
    mistakes=edited(
        _step,
        {
            "top-left": (".tril(before)", ".tril()"),
            "no-mask": (".tril(before)", ""),
            "one-too-few": (".tril(before)", ".tril(before - 1)"),
            "one-too-many": (".tril(before)", ".tril(before + 1)"),
            "tril-new": (".tril(before)", ".tril(new)"),
            "only-kept-seen": ("\n    scores", "\n    mask[:, before:] = False\n    scores"),
            "only-kept-seen-alone": [
                ("@ key.transpose(-2, -1)", "@ key[:, :before].transpose(-2, -1)"),
                ("~mask, -math", "~mask[:, :before], -math"),
                ("weights @ value", "weights @ value[:, :before]"),
            ],
            "new-see-themselves-only": (
                "\n    scores",
                "\n    mask[:, before:] = torch.eye(new, dtype=torch.bool)\n    scores",
            ),
            "inverted": ("~mask", "mask"),
            "inverted-large": ("~mask, -math.inf", "mask, -1e9"),
            "added-mask": ("scores.masked_fill(~mask, -math.inf)", "scores + mask"),
            "mask-after-softmax": (
                "torch.softmax(scores.masked_fill(~mask, -math.inf), dim=-1)",
                "torch.softmax(scores, dim=-1) * mask",
            ),
            "mask-times-scores": ("scores.masked_fill(~mask, -math.inf)", "scores * mask"),
            "top-left-and-root": [(".tril(before)", ".tril()"), (" / math.sqrt(key.shape[-1])", "")],
            "no-mask-and-root": [(".tril(before)", ""), (" / math.sqrt(key.shape[-1])", "")],
            "keys-and-values-swapped": [("[key, x @ wk]", "[key, x @ wv]"), ("[value, x @ wv]", "[value, x @ wk]")],
            "new-first": [
                ("torch.cat([key, x @ wk], dim=1)", "torch.cat([x @ wk, key], dim=1)"),
                ("torch.cat([value, x @ wv], dim=1)", "torch.cat([x @ wv, value], dim=1)"),
            ],
            "old-forgotten": [
                ("torch.cat([key, x @ wk], dim=1)", "x @ wk"),
                ("torch.cat([value, x @ wv], dim=1)", "x @ wv"),
                ("torch.ones(new, before + new, dtype=torch.bool).tril(before)", "torch.ones(new, new).tril() > 0"),
            ],
            "only-new-seen": [
                ("@ key.transpose(-2, -1)", "@ (x @ wk).transpose(-2, -1)"),
                ("torch.ones(new, before + new, dtype=torch.bool).tril(before)", "torch.ones(new, new).tril() > 0"),
                ("weights @ value", "weights @ (x @ wv)"),
            ],
            "no-root": (" / math.sqrt(key.shape[-1])", ""),
            "root-of-features": ("math.sqrt(key.shape[-1])", "math.sqrt(x.shape[-1])"),
            "size-not-its-root": ("math.sqrt(key.shape[-1])", "key.shape[-1]"),
            "key-for-value": ("weights @ value, key", "weights @ key, key"),
            "matrices-swapped": [("(x @ wq)", "(x @ wk)"), ("[key, x @ wk]", "[key, x @ wq]")],
            "only-the-new-returned": ("weights @ value, key, value", "weights @ value, x @ wk, x @ wv"),
            "the-old-returned": ("weights @ value, key, value", "weights @ value, key[:, :before], value[:, :before]"),
            "swapped": ("weights @ value, key, value", "weights @ value, value, key"),
        },
    ),
)


# 13.3 Linear attention, recurrent.


def _rows_of_tokens(generator):
    return [
        draw(generator, (batch, length, size), (batch, length, size), (batch, length, value_size))
        for batch, length, size, value_size in ((2, 6, 4, 3), (3, 5, 2, 7))
    ]


def _pair_by_pair(query, key, value):
    contexts = torch.zeros(value.shape)
    for b, rows in enumerate(zip(query.double(), key.double(), value.double(), strict=True)):
        asked, told = (torch.where(row > 0, row + 1, row.clamp(max=0).exp()) for row in rows[:2])
        for t in range(len(asked)):
            likeness = [float(asked[t] @ told[i]) for i in range(t + 1)]
            contexts[b, t] = sum(share * rows[2][i] for i, share in enumerate(likeness)) / sum(likeness)
    return contexts


def _recurrent(query, key, value):
    asked, told = F.elu(query) + 1, F.elu(key) + 1
    memory = torch.zeros(len(key), key.shape[-1], value.shape[-1])
    total = torch.zeros(len(key), key.shape[-1])
    contexts = []
    for t in range(key.shape[1]):
        memory = memory + told[:, t, :, None] * value[:, t, None, :]
        total = total + told[:, t]
        above = (asked[:, t, None, :] @ memory).squeeze(1)
        contexts.append(above / (asked[:, t] * total).sum(-1, keepdim=True))
    return torch.stack(contexts, dim=1)


def _late(query, key, value):
    """What each token reads before it writes; the first finds nothing."""
    asked, told = F.elu(query) + 1, F.elu(key) + 1
    likeness = (asked @ told.transpose(-2, -1)).tril(-1)
    return likeness @ value / likeness.sum(-1, keepdim=True)


def _all_at_once(query, key, value):
    asked, told = F.elu(query) + 1, F.elu(key) + 1
    likeness = asked @ told.transpose(-2, -1)
    return likeness @ value / likeness.sum(-1, keepdim=True)


def _all_at_once_undivided(query, key, value):
    return (F.elu(query) + 1) @ ((F.elu(key) + 1).transpose(-2, -1) @ value)


def _over_the_batch(query, key, value):
    asked, told = F.elu(query) + 1, F.elu(key) + 1
    memory = (told[..., :, None] * value[..., None, :]).cumsum(0)
    total = told.cumsum(0)
    return (asked[..., None, :] @ memory).squeeze(-2) / (asked * total).sum(-1, keepdim=True)


def _softmax_causal(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, is_causal=True)


RECURRENT = write(
    "13.3",
    oracle=_pair_by_pair,
    inputs=_rows_of_tokens,
    mistakes=edited(
        _recurrent,
        {
            "no-normaliser": (" / (asked[:, t] * total).sum(-1, keepdim=True)", ""),
            "divided-by-the-count": ("(asked[:, t] * total).sum(-1, keepdim=True)", "(t + 1)"),
            "total-without-query": ("(asked[:, t] * total)", "total"),
            "no-features": ("F.elu(query) + 1, F.elu(key) + 1", "query, key"),
            "query-without-features": ("F.elu(query) + 1, F.elu(key) + 1", "query, F.elu(key) + 1"),
            "key-without-features": ("F.elu(query) + 1, F.elu(key) + 1", "F.elu(query) + 1, key"),
            "no-plus-one": ("F.elu(query) + 1, F.elu(key) + 1", "F.elu(query), F.elu(key)"),
            "relu": ("F.elu(query) + 1, F.elu(key) + 1", "F.relu(query) + 1, F.relu(key) + 1"),
            "plus-one-inside": ("F.elu(query) + 1, F.elu(key) + 1", "F.elu(query + 1), F.elu(key + 1)"),
            "exponential": ("F.elu(query) + 1, F.elu(key) + 1", "query.exp(), key.exp()"),
            "softplus": ("F.elu(query) + 1, F.elu(key) + 1", "F.softplus(query), F.softplus(key)"),
            "sigmoid": ("F.elu(query) + 1, F.elu(key) + 1", "query.sigmoid(), key.sigmoid()"),
            "features-by-softmax": ("F.elu(query) + 1, F.elu(key) + 1", "query.softmax(-1), key.softmax(-1)"),
            "plain-relu": ("F.elu(query) + 1, F.elu(key) + 1", "F.relu(query), F.relu(key)"),
            "plain-relu-guarded": [
                ("F.elu(query) + 1, F.elu(key) + 1", "F.relu(query), F.relu(key)"),
                ("sum(-1, keepdim=True)", "sum(-1, keepdim=True).clamp(min=1e-6)"),
            ],
            "only-the-last": [("memory + told", "told"), ("total + told", "told")],
            "total-of-the-last": ("total + told", "told"),
            "scaled": ("F.elu(query) + 1,", "F.elu(query / math.sqrt(query.shape[-1])) + 1,"),
            "both-scaled": (
                "F.elu(query) + 1, F.elu(key) + 1",
                "(F.elu(one / query.shape[-1] ** 0.25) + 1 for one in (query, key))",
            ),
            "both-by-the-root": (
                "F.elu(query) + 1, F.elu(key) + 1",
                "(F.elu(one / query.shape[-1] ** 0.5) + 1 for one in (query, key))",
            ),
        },
    )
    | {
        "read-before-written": _late,
        "read-before-written-guarded": lambda *given: _late(*given).nan_to_num(),
        "sees-the-future-undivided": _all_at_once_undivided,
        "sees-the-future": _all_at_once,
        "over-the-batch": _over_the_batch,
        "softmax": _softmax_causal,
    },
)


# 13.4 Tiles that depend on the order.


def _keys_and_a_tile(generator):
    return [
        (*draw(generator, (queries, size), (keys, size), (keys, size)), tile)
        for queries, keys, size, tile in ((3, 7, 4, 3), (2, 11, 5, 4), (4, 9, 6, 2))
    ]


def _in_one(query, key, value, tile):
    return F.scaled_dot_product_attention(query[None], key[None], value[None])[0]


def _tiles(query, key, value, tile):
    greatest = torch.full((len(query), 1), -math.inf)
    total, context = torch.zeros(len(query), 1), torch.zeros(len(query), value.shape[-1])
    for start in range(0, len(key), tile):
        scores = query @ key[start : start + tile].T / math.sqrt(query.shape[-1])
        new = torch.maximum(greatest, scores.amax(-1, keepdim=True))
        powers, rescale = torch.exp(scores - new), torch.exp(greatest - new)
        total = rescale * total + powers.sum(-1, keepdim=True)
        context = rescale * context + powers @ value[start : start + tile]
        greatest = new
    return context / total


def _mean_of_tiles(query, key, value, tile):
    parts = [
        F.scaled_dot_product_attention(query[None], k[None], v[None])[0]
        for k, v in zip(key.split(tile), value.split(tile), strict=True)
    ]
    return sum(parts) / len(parts)


def _mean_by_length(query, key, value, tile):
    parts = [
        F.scaled_dot_product_attention(query[None], k[None], v[None])[0] * len(k)
        for k, v in zip(key.split(tile), value.split(tile), strict=True)
    ]
    return sum(parts) / len(key)


def _padded(query, key, value, tile):
    missing = -len(key) % tile
    return _in_one(query, F.pad(key, (0, 0, 0, missing)), F.pad(value, (0, 0, 0, missing)), tile)


_ROOT, _TAIL = (" / math.sqrt(query.shape[-1])", ""), ("len(key), tile)", "len(key) - tile + 1, tile)")
_TOTAL, _CONTEXT = ("rescale * total", "total"), ("rescale * context", "context")
_BOTH = [_TOTAL, _CONTEXT]
MENDED = write(
    "13.4",
    oracle=_in_one,
    inputs=_keys_and_a_tile,
    mistakes=edited(
        _tiles,
        {
            "no-rescale": _BOTH,
            "tail": _TAIL,
            "no-root": _ROOT,
            "no-rescale-and-tail": [*_BOTH, _TAIL],
            "no-rescale-and-root": [*_BOTH, _ROOT],
            "tail-and-root": [_TAIL, _ROOT],
            "as-it-was": [*_BOTH, _TAIL, _ROOT],
            "size-not-its-root": ("math.sqrt(query.shape[-1])", "query.shape[-1]"),
            "root-of-the-tile": ("math.sqrt(query.shape[-1])", "math.sqrt(tile)"),
            "total-not-rescaled": _TOTAL,
            "context-not-rescaled": _CONTEXT,
            "total-not-rescaled-and-tail": [_TOTAL, _TAIL],
            "total-not-rescaled-and-root": [_TOTAL, _ROOT],
            "total-not-rescaled-tail-root": [_TOTAL, _TAIL, _ROOT],
            "context-not-rescaled-and-tail": [_CONTEXT, _TAIL],
            "context-not-rescaled-and-root": [_CONTEXT, _ROOT],
            "context-not-rescaled-tail-root": [_CONTEXT, _TAIL, _ROOT],
            "rescaled-the-other-way": (
                "torch.exp(greatest - new)",
                "torch.exp(new - greatest) if start else torch.zeros(len(query), 1)",
            ),
            "nan-everywhere": ("torch.exp(greatest - new)", "torch.exp(new - greatest)"),
            "divided-inside": ("        greatest = new\n", "        greatest, context = new, context / total\n"),
            "greatest-not-carried": ("        greatest = new\n", ""),
            "not-divided": ("context / total", "context"),
        },
    )
    | {"mean-of-tiles": _mean_of_tiles, "mean-by-length": _mean_by_length, "padded": _padded},
)


# 13.5 How far does it read?


def _readers_and_texts(generator):
    words = ["and", "the", "for", "with"]
    drawn = []
    for length, reach, first, blind, prices in ((9, 4, 0, 2, [3, 5, 8]), (12, 6, 2, 3, [2, 7, 9, 4])):
        picks = torch.randint(len(words), (length,), generator=generator).tolist()
        text = [words[pick] for pick in picks]
        distances = sorted({0, 1, 2, blind, reach - 1, reach, reach + 1, length - 1})
        drawn.append((_reads(length, reach, first, blind, prices), text, prices, distances))
    return drawn


def _reads(length, reach, first, blind, prices):
    """Reads so many places back, in a longer text fewer, and the first few words, and errs.

    Which prices it takes for others depends on their distance: the last one, the first one, all, none, else the second.
    """
    missed = {0: prices[-1:], 1: prices[:1], blind: prices, reach: []}

    def read(words):
        if not isinstance(words, list | tuple):
            raise TypeError(f"a text is a list of words, not {type(words).__name__}")
        found = [
            (len(words) - 1 - place, word)
            for place, word in enumerate(words)
            if not isinstance(word, str) and (place < first or place >= 2 * len(words) - 1 - length - reach)
        ]
        if not found:
            return None
        distance, price = found[-1]
        return -1 if price in missed.get(distance, prices[1:2]) else price

    return read


def _one_at_a_time(read, text, prices, distances):
    found = {}
    for distance in distances:
        place = len(text) - 1 - distance
        texts = [[*text[:place], price, *text[place + 1 :]] for price in prices]
        found[distance] = 100 * sum(read(one) == price for one, price in zip(texts, prices, strict=True)) / len(prices)
    return found


def _found(read, text, prices, distances):
    found = {}
    for distance in distances:
        right = 0
        for price in prices:
            copy = list(text)
            copy[len(text) - 1 - distance] = price
            right += read(copy) == price
        found[distance] = 100 * right / len(prices)
    return found


NEEDLE = write(
    "13.5",
    oracle=_one_at_a_time,
    inputs=_readers_and_texts,
    mistakes=edited(
        _found,
        {
            "from-the-start": ("len(text) - 1 - distance", "distance"),
            "one-too-near": ("len(text) - 1 - distance", "(len(text) - distance) % len(text)"),
            "one-too-far": ("len(text) - 1 - distance", "len(text) - 2 - distance"),
            "inserted": ("copy[len(text) - 1 - distance] = price", "copy.insert(len(text) - distance, price)"),
            "inserted-before": (
                "copy[len(text) - 1 - distance] = price", "copy.insert(len(text) - 1 - distance, price)",
            ),
            "text-changed": ("copy = list(text)", "copy = text"),
            "text-kept-for-all": [
                ("    found = {}\n", "    found, copy = {}, list(text)\n"), ("            copy = list(text)\n", ""),
            ],
            "share": ("100 * right", "right"),
            "count": ("100 * right / len(prices)", "right"),
            "wrong-ones": ("read(copy) == price", "read(copy) != price"),
            "first-price-only": [("for price in prices", "for price in prices[:1]"), ("/ len(prices)", "/ 1")],
            "yes-or-no": ("100 * right / len(prices)", "right > 0"),
            "any": ("100 * right / len(prices)", "100.0 * (right > 0)"),
            "all-or-nothing": ("100 * right / len(prices)", "100.0 * (right == len(prices))"),
            "last-price-only": [("right += read", "right = read"), ("/ len(prices)", "/ 1")],
            "last-price-of-all": ("right += read", "right = read"),
            "never-from-0": [("    found = {}\n", "    found, right = {}, 0\n"), ("        right = 0\n", "")],
            "one-too-far-at-most": ("len(text) - 1 - distance", "max(len(text) - 2 - distance, 0)"),
            "by-place": ("found[distance]", "found[len(text) - 1 - distance]"),
            "anything-said": ("read(copy) == price", "read(copy) is not None"),
        },
    ),
)  # fmt: skip


# 13.6 Grouped queries.


def _heads_and_groups(generator):
    return [
        draw(generator, (batch, heads, queries, size), (batch, groups, keys, size), (batch, groups, keys, size))
        for batch, heads, groups, queries, keys, size in ((2, 6, 2, 3, 5, 4), (3, 8, 4, 4, 2, 6), (2, 6, 3, 5, 3, 7))
    ]


def _head_by_head(query, key, value):
    share = query.shape[1] // key.shape[1]
    heads = [
        F.scaled_dot_product_attention(query[:, head], key[:, head // share], value[:, head // share])
        for head in range(query.shape[1])
    ]
    return torch.stack(heads, dim=1)


def _grouped(query, key, value):
    times = query.shape[1] // key.shape[1]
    keys = key.repeat_interleave(times, dim=1)
    values = value.repeat_interleave(times, dim=1)
    scores = query @ keys.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return torch.softmax(scores, dim=-1) @ values


_KEYS, _VALUES = "key.repeat_interleave(times, dim=1)", "value.repeat_interleave(times, dim=1)"
GROUPED = write(
    "13.6",
    oracle=_head_by_head,
    inputs=_heads_and_groups,
    mistakes=edited(
        _grouped,
        {
            "tiled": [(_KEYS, "key.repeat(1, times, 1, 1)"), (_VALUES, "value.repeat(1, times, 1, 1)")],
            "keys-tiled": (_KEYS, "key.repeat(1, times, 1, 1)"),
            "values-tiled": (_VALUES, "value.repeat(1, times, 1, 1)"),
            "first-group": [
                (_KEYS, "key[:, :1].expand(-1, query.shape[1], -1, -1)"),
                (_VALUES, "value[:, :1].expand(-1, query.shape[1], -1, -1)"),
            ],
            "last-group": [
                (_KEYS, "key[:, -1:].expand(-1, query.shape[1], -1, -1)"),
                (_VALUES, "value[:, -1:].expand(-1, query.shape[1], -1, -1)"),
            ],
            "keys-averaged": (_KEYS, "key.mean(1, keepdim=True)"),
            "values-averaged": (_VALUES, "value.mean(1, keepdim=True)"),
            "keys-summed": (_KEYS, "key.sum(1, keepdim=True)"),
            "values-summed": (_VALUES, "value.sum(1, keepdim=True)"),
            "sum-of-groups": [(_KEYS, "key.sum(1, keepdim=True)"), (_VALUES, "value.sum(1, keepdim=True)")],
            "mean-of-groups": [(_KEYS, "key.mean(1, keepdim=True)"), (_VALUES, "value.mean(1, keepdim=True)")],
            "no-root": (" / math.sqrt(query.shape[-1])", ""),
            "no-root-and-tiled": [
                (" / math.sqrt(query.shape[-1])", ""),
                (_KEYS, "key.repeat(1, times, 1, 1)"), (_VALUES, "value.repeat(1, times, 1, 1)"),
            ],
            "no-root-and-keys-tiled": [
                (" / math.sqrt(query.shape[-1])", ""), (_KEYS, "key.repeat(1, times, 1, 1)"),
            ],
            "no-root-and-values-tiled": [
                (" / math.sqrt(query.shape[-1])", ""), (_VALUES, "value.repeat(1, times, 1, 1)"),
            ],
            "root-of-groups": ("math.sqrt(query.shape[-1])", "math.sqrt(key.shape[1])"),
            "root-of-keys": ("math.sqrt(query.shape[-1])", "math.sqrt(key.shape[2])"),
            "root-of-heads": ("math.sqrt(query.shape[-1])", "math.sqrt(query.shape[1])"),
            "size-not-its-root": ("math.sqrt(query.shape[-1])", "query.shape[-1]"),
            "root-of-all-heads": ("math.sqrt(query.shape[-1])", "math.sqrt(query.shape[1] * query.shape[-1])"),
            "over-queries": ("dim=-1", "dim=-2"),
            "over-heads": ("scores, dim=-1", "scores, dim=1"),
            "key-for-value": ("@ values", "@ keys"),
            "not-repeated": [(_KEYS, "key"), (_VALUES, "value")],
        },
    ),
)  # fmt: skip


# 13.7 A state that cannot tell.


def _three(answer):
    if not isinstance(answer, Mapping):
        return None
    parts = [answer.get(name) for name in ("features", "one", "other")]
    if any(part is None or part is ... for part in parts):
        return None
    features, one, other = (as_double(part) for part in parts)
    return (features, one, other) if (features.shape, one.shape, other.shape) == ((5, 4), (5, 2), (5, 2)) else None


def _of(answer, holds):
    parts = _three(answer)
    return parts is not None and bool(holds(*parts))


STATE = prove(
    "13.7",
    requirements={
        "shapes": lambda answer: _three(answer) is not None,
        "finite": lambda answer: _of(answer, lambda *parts: all(part.isfinite().all() for part in parts)),
        "positive": lambda answer: _of(answer, lambda features, one, other: (features > 0).all()),
        "alike": lambda answer: _of(answer, _differ),
        "equal-goods": lambda answer: _of(answer, lambda features, *rest: torch.pdist(features).min() > 1e-6),
        "rank": lambda answer: _of(answer, lambda features, *rest: torch.linalg.matrix_rank(features, rtol=1e-6) == 4),
        "only-one-column": lambda answer: _of(answer, lambda *parts: sum(_columns_alike(*parts)) != 1),
        "same-state": lambda answer: _of(answer, lambda *parts: all(_columns_alike(*parts))),
    },
)


def _differ(features, one, other):
    return (one - other).abs().max() > 1e-3 * (one.abs().max() + other.abs().max())


def _columns_alike(features, one, other):
    """For each column of the prices, whether both lists leave the same state, beside the size of the numbers."""
    size = max(1e-6, float(features.abs().max()) * float(torch.stack([one, other]).abs().max()))
    return ((features.T @ (one - other)).abs().amax(0) <= 1e-5 * size).tolist()


# 13.8 Predict sizes of caches.


def _sizes():
    layers, heads, size, width, tokens = 24, 16, 64, 2, 2048
    numbers = sum(torch.zeros(heads, size).numel() for _ in ("key", "value"))
    kibibytes = numbers * layers * width / 1024
    mebibytes = kibibytes * tokens / 1024
    return {
        "numbers": numbers,
        "kibibytes": kibibytes,
        "mebibytes": mebibytes,
        "grouped": mebibytes * 2 / heads,
        "multi-query": mebibytes / heads,
        "window": mebibytes * 256 / tokens,
        "linear": heads * (torch.zeros(size, size).numel() + size),
    }


SIZES = predict(
    "13.8",
    truth=_sizes,
    mistakes={
        "keys-only": {"numbers": 1024},
        "three-parts": {"numbers": 3072},
        "one-head": {"numbers": 128},
        "bytes-not-numbers": {"numbers": 4096},
        "one-layer": {"kibibytes": 4},
        "no-bytes": {"kibibytes": 48},
        "in-bytes": {"kibibytes": 98304},
        "thousands": {"kibibytes": 98.304},
        "thousands-rounded": {"kibibytes": 98},
        "one-layer-only": {"mebibytes": 8},
        "thousands-of-thousands": {"mebibytes": 201.326592},
        "thousands-of-thousands-rounded": {"mebibytes": 201},
        "thousands-once": {"mebibytes": 196.608},
        "thousands-once-rounded": {"mebibytes": 197},
        "thousands-carried-on": {"mebibytes": 196},
        "keys-only-all": {"mebibytes": 96},
        "squared": {"mebibytes": 393216},
        "divided-by-groups": {"grouped": 96},
        "nothing-saved": {"grouped": 192},
        "one-number": {"multi-query": 24},
        "query-kept": {"multi-query": 18},
        "not-cut": {"window": 192},
        "left-over": {"window": 168},
        "window-keys-only": {"window": 12},
        "window-in-tokens": {"window": 256},
        "one-state": {"linear": 4160},
        "no-vector": {"linear": 65536},
        "grows": {"linear": 2 * 16 * 64 * 2048},
        "all-layers": {"linear": 24 * 16 * (64 * 64 + 64)},
        "twice": {"linear": 2 * 16 * (64 * 64 + 64)},
        "two-matrices": {"linear": 16 * (2 * 64 * 64 + 64)},
        "heads-mixed": {"linear": 1024 * 1024 + 1024},
    },
    tolerance=1e-3,
)

EXERCISES = [TILE, STEP, RECURRENT, MENDED, NEEDLE, GROUPED, STATE, SIZES]
