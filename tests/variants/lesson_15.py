"""Answers to the exercises of lesson 15, written apart from the bank: right ones, and one for each known mistake."""

import math

import torch
import torch.nn.functional as F
from torch import nn

INF = float("inf")


# 15.1


def sum_of_where(words, mask, table):
    return torch.where(mask[..., None], table[words], 0.0).sum(dim=1)


def sum_by_einsum(words, mask, table):
    return torch.einsum("qws,qw->qs", table[words], mask.to(table.dtype))


def sum_by_counting(words, mask, table):
    counts = torch.zeros(len(words), len(table))
    for row in range(len(words)):
        for word, real in zip(words[row], mask[row], strict=True):
            counts[row, word] += float(real)
    return counts @ table


def summed(keep, finish):
    def encode(words, mask, table):
        vectors = F.embedding(words, table).masked_fill(~keep(words, mask)[:, :, None], 0)
        return finish(vectors, mask)

    return encode


def real(words, mask):
    return mask


def added(vectors, mask):
    return torch.sum(vectors, 1)


# 15.2


class ScaledDot(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(size, size, bias=False) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def score(self, q, k):
        return q @ k.mT / math.sqrt(q.shape[-1])

    def weigh(self, scores, mask):
        weights = scores.masked_fill(~mask.unsqueeze(1), -INF).softmax(-1)
        return weights.nan_to_num(0.0)

    def mix(self, weights, values):
        return self.o((weights @ values).transpose(1, 2).flatten(2))

    def forward(self, query, key, value, mask):
        weights = self.weigh(self.score(self.split(self.q(query)), self.split(self.k(key))), mask)
        return self.mix(weights, self.split(self.v(value))), weights


class AdditiveRule(nn.Module):
    """A head in a loop, each with projections and a learned vector of its own."""

    def __init__(self, size, heads):
        super().__init__()
        part = size // heads
        self.parts = nn.ModuleList(
            nn.ModuleDict(
                {
                    "q": nn.Linear(size, part),
                    "k": nn.Linear(size, part, bias=False),
                    "v": nn.Linear(size, part, bias=False),
                    "s": nn.Linear(part, 1, bias=False),
                }
            )
            for _ in range(heads)
        )
        self.out = nn.Linear(size, size, bias=False)

    def forward(self, query, key, value, mask):
        contexts, maps = [], []
        for part in self.parts:
            joined = torch.tanh(part["q"](query)[:, :, None] + part["k"](key)[:, None])
            scores = part["s"](joined).squeeze(-1)
            scores = torch.where(mask, scores, torch.full_like(scores, -1e9))
            weights = torch.where(mask, scores.softmax(-1), torch.zeros_like(scores))
            maps.append(weights)
            contexts.append(torch.einsum("bqk,bkv->bqv", weights, part["v"](value)))
        return self.out(torch.cat(contexts, -1)), torch.stack(maps, 1)


class BilinearRule(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.between = nn.Parameter(torch.randn(heads, size, size) / size)
        self.value = nn.Parameter(torch.randn(heads, size, size) / size)

    def forward(self, query, key, value, mask):
        scores = torch.einsum("bqi,hij,bkj->bhqk", query, self.between, key)
        powers = torch.exp(scores - scores.amax(-1, keepdim=True)) * mask[:, None]
        weights = powers / powers.sum(-1, keepdim=True).clamp(min=1e-9)
        return torch.einsum("bhqk,bkj,hij->bqi", weights, value, self.value), weights


class LibrarysModule(nn.Module):
    """PyTorch's module, whose empty rows are mended."""

    def __init__(self, size, heads):
        super().__init__()
        self.inner = nn.MultiheadAttention(size, heads, bias=False, batch_first=True)
        self.heads = heads

    def forward(self, query, key, value, mask):
        some = mask.any(-1, keepdim=True)
        hidden = (~(mask | ~some)).repeat_interleave(self.heads, 0)
        context, weights = self.inner(query, key, value, attn_mask=hidden, average_attn_weights=False)
        return context * some, weights * some.unsqueeze(1)


class NotWritten(ScaledDot):
    def forward(self, query, key, value, mask):
        return self.mix(self.weigh(self.score(query, key), mask), value)  # forgets the heads and the weights


class MapsOfOneHead(ScaledDot):
    def forward(self, query, key, value, mask):
        context, weights = super().forward(query, key, value, mask)
        return context, weights.mean(1)


class NanRow(ScaledDot):
    def weigh(self, scores, mask):
        return scores.masked_fill(~mask[:, None], -INF).softmax(-1)


class NoMask(ScaledDot):
    def weigh(self, scores, mask):
        return scores.softmax(-1)


class Inverted(ScaledDot):
    def weigh(self, scores, mask):
        return scores.masked_fill(mask[:, None], -INF).softmax(-1).nan_to_num(0.0)


class TimesTheMask(ScaledDot):
    def weigh(self, scores, mask):
        return (scores * mask[:, None]).softmax(-1)


class EvenWhereNothing(ScaledDot):
    def weigh(self, scores, mask):
        return scores.masked_fill(~mask[:, None], -1e9).softmax(-1)


class AfterSoftmax(ScaledDot):
    def weigh(self, scores, mask):
        return scores.softmax(-1) * mask[:, None]


class MeanOfAll(ScaledDot):
    def forward(self, query, key, value, mask):
        return super().forward(query, key, value - value.mean(1, keepdim=True), mask)


class OnlyAdded(ScaledDot):
    def score(self, q, k):
        return q.sum(-1)[..., None] + k.sum(-1)[..., None, :]


class KeysUnheard(ScaledDot):
    def score(self, q, k):
        return q.sum(-1, keepdim=True) * torch.arange(k.shape[2])


class KeysForValues(ScaledDot):
    def forward(self, query, key, value, mask):
        return super().forward(query, key, key, mask)


class OverQueries(ScaledDot):
    def weigh(self, scores, mask):
        shares = scores.masked_fill(~mask[:, None], -INF).softmax(-2).nan_to_num(0.0)
        return shares / shares.sum(-1, keepdim=True).clamp(min=1e-9)


class SplitByView(ScaledDot):
    def split(self, x):
        return x.reshape(len(x), self.heads, x.shape[1], -1)


class OverTheBatch(ScaledDot):
    def weigh(self, scores, mask):
        powers = scores.softmax(0) * mask[:, None]
        return powers / powers.sum(-1, keepdim=True).clamp(min=1e-9)


class WithPlaces(ScaledDot):
    def score(self, q, k):
        return super().score(q, k) + torch.arange(k.shape[2]) / 2


class HeadsAlike(ScaledDot):
    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).mean(2, keepdim=True).expand(-1, -1, self.heads, -1).transpose(1, 2)


class WithABias(ScaledDot):
    def __init__(self, size, heads):
        super().__init__(size, heads)
        self.o = nn.Linear(size, size)


class InPlace(ScaledDot):
    def forward(self, query, key, value, mask):
        query /= math.sqrt(query.shape[-1])
        return super().forward(query, key, value, mask)


class PartWithoutUse(ScaledDot):
    def __init__(self, size, heads):
        super().__init__(size, heads)
        self.spare = nn.Linear(size, size)


class NoParameters:
    def __init__(self, size, heads):
        self.heads = heads

    def __call__(self, query, key, value, mask):
        q, k, v = (x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in (query, key, value))
        weights = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~mask[:, None], -INF).softmax(-1).nan_to_num(0.0)
        return (weights @ v).transpose(1, 2).flatten(2), weights


# 15.3


def list_by_sorting(scores, sold_out, count):
    left = [row for row in range(len(scores)) if not sold_out[row]]
    return sorted(left, key=lambda row: -scores[row])[:count]


def list_by_topk(scores, sold_out, count):
    hidden = torch.where(sold_out, -INF, scores)
    return hidden.topk(min(count, int((sold_out == 0).sum()))).indices


def list_by_rows(scores, sold_out, count):
    rows = (~sold_out).nonzero().flatten()
    return rows[(-scores[rows]).argsort()][:count]


def list_by_taking(scores, sold_out, count):
    found, scores = [], scores.clone()
    scores[sold_out] = -INF
    while len(found) < count and scores.max() > -INF:
        found.append(int(scores.argmax()))
        scores[found[-1]] = -INF
    return torch.tensor(found, dtype=torch.long)


def sorted_rows(keep=lambda gone: not gone, sign=-1, cut=lambda rows, count: rows[:count]):
    def shelf(scores, sold_out, count):
        rows = sorted(range(len(scores)), key=lambda row: sign * float(scores[row]))
        return cut([row for row in rows if keep(bool(sold_out[row]))], count)

    return shelf


def cut_first(scores, sold_out, count):
    return [int(row) for row in scores.topk(min(count, len(scores))).indices if not sold_out[row]]


def not_looked_up(scores, sold_out, count):
    rows = scores.sort(descending=True).indices.tolist()
    return [row for row, gone in zip(rows, sold_out.tolist(), strict=True) if not gone][:count]


def zeroed(scores, sold_out, count):
    return torch.where(sold_out, 0.0, scores).sort(descending=True).indices[:count]


def filled(scores, sold_out, count):
    return scores.masked_fill(sold_out, -1e9).sort(descending=True).indices[:count]


def ranks_of(scores, sold_out, count):
    hidden = torch.where(sold_out, -INF, scores)
    ranks = torch.empty(len(scores), dtype=torch.long)
    ranks[hidden.sort(descending=True).indices] = torch.arange(len(scores))
    return ranks[: min(count, int((~sold_out).sum()))]


# 15.4


def likes_fused(candidates, clicks, seen):
    mask = seen[:, None] | ~seen.any(1)[:, None, None]
    context = F.scaled_dot_product_attention(candidates, clicks, clicks, attn_mask=mask)
    return (candidates * context).sum(-1) * seen.any(1, keepdim=True)


def likes_by_hand(candidates, clicks, seen):
    scores = torch.einsum("pgs,pcs->pgc", candidates, clicks) / clicks.shape[-1] ** 0.5
    powers = torch.exp(scores - scores.amax(-1, keepdim=True)) * seen.unsqueeze(1)
    weights = powers / powers.sum(-1, keepdim=True).clamp(min=1e-12)
    return torch.einsum("pgc,pcs,pgs->pg", weights, clicks, candidates)


def likes_in_a_loop(candidates, clicks, seen):
    rows = []
    for goods, past, real in zip(candidates, clicks, seen, strict=True):
        past = past[real]
        if len(past) == 0:
            rows.append(torch.zeros(len(goods)))
            continue
        scores = goods @ past.T / math.sqrt(past.shape[1])
        rows.append(((scores.softmax(1) @ past) * goods).sum(1))
    return torch.stack(rows)


def liked(weigh=None, root=lambda clicks: clicks.shape[-1] ** 0.5, mix=None, finish=None):
    def likes(candidates, clicks, seen):
        scores = torch.einsum("pgs,pcs->pgc", candidates, clicks) / root(clicks)
        keep = seen[:, None].expand_as(scores)
        seen_only = torch.where(keep, scores, -INF).softmax(-1).nan_to_num(0.0)
        weights = seen_only if weigh is None else weigh(scores, keep)
        context = torch.bmm(weights, clicks) if mix is None else mix(weights, clicks)
        if finish is not None:
            return finish(weights, context)
        return torch.einsum("pgs,pgs->pg", candidates, context)

    return likes


# 15.5


def report_by_course(scores, gains, shown, clicked, lists, sold_out, at):
    from course_utils.data.shop import ndcg

    own = shown[torch.arange(len(shown)), clicked][:, None]
    others = torch.ones_like(shown, dtype=torch.bool).scatter(1, clicked[:, None], False)
    won = torch.where(own > shown, 1.0, torch.where(own == shown, 0.5, 0.0))
    gone = torch.stack([row[chosen] for row, chosen in zip(sold_out, lists, strict=True)])
    return 100 * ndcg(scores, gains, at).mean(), 100 * won[others].mean(), gone.sum()


def report_by_lists(scores, gains, shown, clicked, lists, sold_out, at):
    quality = 0.0
    for score, gain in zip(scores, gains, strict=True):
        dcg = sum(float(gain[good]) / math.log2(2 + place) for place, good in enumerate(score.topk(at).indices))
        best = sum(float(g) / math.log2(2 + place) for place, g in enumerate(gain.topk(at).values))
        quality += dcg / best / len(scores)
    pairs = [
        1.0 if row[mine] > row[other] else 0.5 if row[mine] == row[other] else 0.0
        for row, mine in zip(shown, clicked, strict=True)
        for other in range(len(row))
        if other != mine
    ]
    gone = sum(int(away[good]) for row, away in zip(lists, sold_out, strict=True) for good in row)
    return 100 * quality, 100 * sum(pairs) / len(pairs), gone


def report_with(
    discount=lambda at: torch.log2(torch.arange(at) + 2.0).reciprocal(),
    order=lambda scores: scores.sort(1, descending=True).indices,
    depth=lambda at, goods: at,
    best=None,
    share=True,
    won=lambda own, shown: (own > shown) + 0.5 * (own == shown),
    auc=lambda won, own, shown: (won.sum(1) - 0.5).mean() / (shown.shape[1] - 1),
    gone=lambda sold_out, lists: sold_out.gather(1, lists).sum(),
    end=lambda quality, auc, gone: (100 * quality, 100 * auc, gone),
    over=lambda gained, ideal: gained / ideal,
):
    def report(scores, gains, shown, clicked, lists, sold_out, at):
        deep = depth(at, gains.shape[1])
        found = torch.take_along_dim(gains, order(scores), 1)[:, :deep]
        ideal = (gains.topk(deep, 1).values if best is None else best(found)) @ discount(deep)
        quality = over(found @ discount(deep), ideal if share else 1.0)
        own = torch.take_along_dim(shown, clicked[:, None], 1)
        return end(quality.mean(), auc(won(own, shown).float(), own, shown), gone(sold_out, lists))

    return report


RIGHT = {
    "15.1": [sum_of_where, sum_by_einsum, sum_by_counting],
    "15.2": [ScaledDot, AdditiveRule, BilinearRule, LibrarysModule],
    "15.3": [list_by_sorting, list_by_topk, list_by_rows, list_by_taking],
    "15.4": [likes_fused, likes_by_hand, likes_in_a_loop],
    "15.5": [report_by_course, report_by_lists, report_with()],
}
WRONG = {
    "15.1": {
        "padding-counts": [summed(lambda words, mask: torch.ones_like(mask), added)],
        "mask-inverted": [summed(lambda words, mask: ~mask, added)],
        "number-0-left-out": [summed(lambda words, mask: mask & (words > 0), added)],
        "number-0-is-padding": [summed(lambda words, mask: words > 0, added)],
        "padding-made-number-0": [
            lambda words, mask, table: table[words.masked_fill(~mask, 0)].sum(1),
            lambda words, mask, table: F.embedding_bag(torch.where(mask, words, 0), table, mode="sum"),
        ],
        "mean-of-all-places": [summed(real, lambda vectors, mask: vectors.mean(1))],
        "mean-of-the-words": [
            summed(real, lambda vectors, mask: vectors.sum(1) / mask.sum(1).clamp(min=1)[:, None]),
            summed(real, lambda vectors, mask: (vectors.sum(1) / mask.sum(1)[:, None]).nan_to_num(0.0)),
        ],
        "mean-with-nan": [summed(real, lambda vectors, mask: vectors.sum(1) / mask.sum(1)[:, None])],
        "first-word": [summed(real, lambda vectors, mask: vectors.select(1, 0))],
        "last-place": [summed(real, lambda vectors, mask: vectors.select(1, -1))],
        "largest": [summed(real, lambda vectors, mask: vectors.max(1).values)],
        "over-the-size": [summed(real, lambda vectors, mask: torch.einsum("qws->qw", vectors))],
        "over-the-queries": [summed(real, lambda vectors, mask: torch.einsum("qws->ws", vectors))],
        "one-word-at-most": [
            summed(real, lambda vectors, mask: vectors.sum(1) / vectors.sum(1).norm(dim=1, keepdim=True).clamp(1e-12))
        ],
    },
    "15.2": {
        "runs": [NotWritten],
        "shapes": [MapsOfOneHead],
        "finite": [NanRow],
        "hidden-weighs-nothing": [NoMask, Inverted, TimesTheMask],
        "rows-sum": [AfterSoftmax],
        "hidden-changes-nothing": [MeanOfAll],
        "query-is-heard": [OnlyAdded],
        "keys-are-heard": [KeysUnheard],
        "values-are-mixed": [KeysForValues],
        "queries-are-apart": [OverQueries, SplitByView],
        "items-are-apart": [OverTheBatch],
        "pairs-stay-together": [WithPlaces],
        "heads-differ": [HeadsAlike],
        "empty-is-0": [WithABias],
        "nothing-is-changed": [InPlace],
        "learns": [PartWithoutUse, NoParameters],
    },
    "15.3": {
        "sold-out-shown": [sorted_rows(lambda gone: True)],
        "only-what-is-gone": [sorted_rows(lambda gone: gone)],
        "worst-first": [sorted_rows(sign=1)],
        "cut-too-early": [cut_first],
        "mask-not-in-order": [not_looked_up],
        "one-too-many": [sorted_rows(cut=lambda rows, count: rows[: count + 1])],
        "one-too-few": [sorted_rows(cut=lambda rows, count: rows[: count - 1])],
        "not-cut": [sorted_rows(cut=lambda rows, count: rows)],
        "best-left-out": [sorted_rows(cut=lambda rows, count: rows[1:][:count])],
        "rows-of-what-is-left": [
            lambda scores, sold_out, count: scores[~sold_out].argsort(descending=True)[:count],
            lambda scores, sold_out, count: torch.sort(scores[sold_out == 0], descending=True).indices[:count],
        ],
        "scores-for-rows": [
            lambda scores, sold_out, count: scores[~sold_out].sort(descending=True).values[:count],
        ],
        "hidden-by-0": [zeroed],
        "filled-with-sold-out": [filled],
        "ranks-for-rows": [ranks_of],
    },
    "15.4": {
        "padding-clicked": [liked(lambda scores, keep: scores.softmax(-1))],
        "seen-inverted": [liked(lambda scores, keep: torch.where(keep, -INF, scores).softmax(-1).nan_to_num(0.0))],
        "new-people-nan": [liked(lambda scores, keep: torch.where(keep, scores, -INF).softmax(-1))],
        "new-people-even": [liked(lambda scores, keep: torch.where(keep, scores, -1e10).softmax(-1))],
        "hidden-by-0": [liked(lambda scores, keep: torch.where(keep, scores, 0.0).softmax(-1))],
        "clicks-made-0": [
            lambda candidates, clicks, seen: liked(lambda scores, keep: scores.softmax(-1))(
                candidates, clicks.masked_fill(~seen[..., None], 0.0), seen
            )
        ],
        "after-the-softmax": [liked(lambda scores, keep: torch.where(keep, scores.softmax(-1), 0.0))],
        "over-the-goods": [liked(lambda scores, keep: torch.where(keep, scores.softmax(1), 0.0))],
        "no-root": [liked(root=lambda clicks: 1.0)],
        "size-not-its-root": [liked(root=lambda clicks: clicks.shape[-1])],
        "nobody-asks": [liked(lambda scores, keep: keep / keep.sum(-1, keepdim=True).clamp(min=1))],
        "sum-of-the-clicks": [liked(lambda scores, keep: keep.to(scores.dtype))],
        "last-click": [liked(mix=lambda weights, clicks: clicks[:, -1:].expand(-1, weights.shape[1], -1))],
        "of-another-person": [
            liked(mix=lambda weights, clicks: torch.bmm(weights, torch.cat([clicks[-1:], clicks[:-1]]))),
        ],
        "score-of-the-first": [
            liked(mix=lambda weights, clicks: torch.bmm(weights, clicks)[:, :1].expand(-1, weights.shape[1], -1))
        ],
        "context-returned": [liked(finish=lambda weights, context: context)],
        "weights-returned": [liked(finish=lambda weights, context: weights)],
    },
    "15.5": {
        "no-discount": [report_with(torch.ones)],
        "discount-shifted": [report_with(lambda at: 1 / torch.log2(torch.arange(3, at + 3).float()))],
        "discount-by-place": [report_with(lambda at: 1 / torch.arange(1, at + 1))],
        "whole-list": [report_with(depth=lambda at, goods: goods)],
        "not-a-share": [report_with(share=False)],
        "ratio-of-means": [report_with(over=lambda gained, ideal: gained.mean() / ideal.mean())],
        "worst-first": [report_with(order=lambda scores: scores.sort(1).indices)],
        "gains-not-in-order": [report_with(order=lambda scores: torch.arange(scores.shape[1]).expand_as(scores))],
        "best-of-what-was-found": [report_with(best=lambda found: found.sort(1, descending=True).values)],
        "ties-are-wins": [
            report_with(
                won=lambda own, shown: own >= shown,
                auc=lambda won, own, shown: (won.sum(1) - 1).mean() / (shown.shape[1] - 1),
            )
        ],
        "ties-are-losses": [
            report_with(
                won=lambda own, shown: own > shown, auc=lambda won, own, shown: won.sum(1).mean() / (won.shape[1] - 1)
            )
        ],
        "against-itself": [report_with(auc=lambda won, own, shown: won.mean())],
        "itself-left-in-the-count": [
            report_with(auc=lambda won, own, shown: ((won.sum(1) - 0.5) / won.shape[1]).mean())
        ],
        "losses-counted": [report_with(won=lambda own, shown: (own < shown) + 0.5 * (own == shown))],
        "first-place": [report_with(auc=lambda won, own, shown: (own >= shown).all(1).float().mean())],
        "visits-not-goods": [report_with(gone=lambda sold_out, lists: sold_out.gather(1, lists).any(1).sum())],
        "all-that-is-gone": [report_with(gone=lambda sold_out, lists: sold_out.sum())],
        "share-for-count": [report_with(gone=lambda sold_out, lists: sold_out.gather(1, lists).double().mean())],
        "left-counted": [report_with(gone=lambda sold_out, lists: (~sold_out.gather(1, lists)).sum())],
        "shares-for-percent": [report_with(end=lambda quality, auc, gone: (quality, auc, gone))],
        "swapped": [report_with(end=lambda quality, auc, gone: (100 * auc, 100 * quality, gone))],
    },
}
