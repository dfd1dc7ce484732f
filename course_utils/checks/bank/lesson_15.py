"""The exercises of lesson 15, the engine's stages: a query's vector, an attention, a list, the clicks, the report."""

import math

import torch
import torch.nn.functional as F  # noqa: F401 (the text of a mistake uses it)

from course_utils.checks.bank.engine_attention import REQUIREMENTS
from course_utils.checks.bank.parts import draw
from course_utils.checks.forms import edited, prove, write

# 15.1 Words to a vector.


def _queries(generator):
    """Queries of several lengths; row 0 of the table is a real word, and one query has no known word at all."""
    drawn = []
    for queries, longest, vocabulary, size in ((4, 5, 7, 3), (3, 4, 6, 5)):
        words = torch.randint(1, vocabulary, (queries, longest), generator=generator)
        lengths = torch.tensor([longest, 2, 0, 3][:queries])
        words[0, 1] = 0  # the first word of the table, in the middle of a query
        mask = torch.arange(longest) < lengths[:, None]
        drawn.append((words, mask, *draw(generator, (vocabulary, size))))
    return drawn


def _encode_by_loops(words, mask, table):
    rows = []
    for row, real in zip(words.tolist(), mask.tolist(), strict=True):
        total = torch.zeros(table.shape[1])
        for word, there in zip(row, real, strict=True):
            if there:
                total = total + table[word]
        rows.append(total)
    return torch.stack(rows)


def _encode(words, mask, table):
    vectors = table[words]
    kept = vectors * mask.unsqueeze(-1)
    return kept.sum(-2)


ENCODER = write(
    "15.1",
    oracle=_encode_by_loops,
    inputs=_queries,
    mistakes=edited(
        _encode,
        {
            "padding-counts": (" * mask.unsqueeze(-1)", ""),
            "mask-inverted": ("mask.unsqueeze(-1)", "~mask.unsqueeze(-1)"),
            "number-0-left-out": ("mask.unsqueeze(-1)", "(mask & (words != 0)).unsqueeze(-1)"),
            "number-0-is-padding": ("mask.unsqueeze(-1)", "(words != 0).unsqueeze(-1)"),
            "padding-made-number-0": [("table[words]", "table[words * mask]"), (" * mask.unsqueeze(-1)", "")],
            "mean-of-all-places": ("kept.sum(-2)", "kept.mean(-2)"),
            "mean-of-the-words": ("kept.sum(-2)", "kept.sum(-2) / mask.sum(-1, keepdim=True).clamp(min=1)"),
            "mean-with-nan": ("kept.sum(-2)", "kept.sum(-2) / mask.sum(-1, keepdim=True)"),
            "first-word": ("kept.sum(-2)", "kept[:, 0]"),
            "last-place": ("kept.sum(-2)", "kept[:, -1]"),
            "largest": ("kept.sum(-2)", "kept.amax(-2)"),
            "over-the-size": ("kept.sum(-2)", "kept.sum(-1)"),
            "over-the-queries": ("kept.sum(-2)", "kept.sum(0)"),
            "one-word-at-most": ("kept.sum(-2)", "F.normalize(kept.sum(-2), dim=-1)"),
        },
    ),
)


# 15.2 An attention of one's own: any rule, any way of making heads; what must hold stands in engine_attention.

ATTENTION = prove("15.2", requirements=REQUIREMENTS)


# 15.3 The list, without what is sold out.


def _shelves(generator):
    """All different: above 0 with three goods gone, below 0, too, with one or none; a list that is short, and none.

    Where several are gone all scores are above 0: a fault that gives them 0 then leaves no ties to chance.
    """
    drawn = []
    for goods, gone, count in ((9, 3, 4), (7, 1, 4), (6, 0, 3), (4, 1, 5), (1, 1, 2)):
        scores = (torch.randperm(4 * goods, generator=generator)[:goods] + 0.5) / 2
        scores = scores - (goods if gone < 2 else 0)
        scores = -scores if goods == 7 and bool(scores.max() < 0) else scores
        order = scores.argsort(descending=True)
        sold_out = torch.zeros(goods, dtype=torch.bool)
        sold_out[order[[0, 2, -1][:gone]]] = True  # the best one first of all, so that it is missed
        drawn.append((scores, sold_out, count))
    return drawn


def _list_by_loops(scores, sold_out, count):
    pairs = sorted((-float(s), row) for row, s in enumerate(scores) if not bool(sold_out[row]))
    return torch.tensor([row for _, row in pairs][:count], dtype=torch.long)


def _list(scores, sold_out, count):
    order = torch.argsort(scores, descending=True)
    left = order[~sold_out[order]]
    return left[:count]


def _hidden_list(scores, sold_out, count):
    hidden = scores.masked_fill(sold_out, -math.inf)
    order = torch.argsort(hidden, descending=True)
    return order[: min(count, int((~sold_out).sum()))]


def _forms(answer, scores, sold_out, count):
    found = answer(scores, sold_out, count)
    if isinstance(found, list | tuple):
        return torch.tensor([int(row) for row in found], dtype=torch.long)
    return found.long() if isinstance(found, torch.Tensor) and not found.is_floating_point() else found


LIST = write(
    "15.3",
    oracle=_list_by_loops,
    inputs=_shelves,
    call=_forms,
    mistakes=edited(
        _list,
        {
            "sold-out-shown": ("order[~sold_out[order]]", "order"),
            "only-what-is-gone": ("order[~sold_out[order]]", "order[sold_out[order]]"),
            "worst-first": ("descending=True", "descending=False"),
            "cut-too-early": [("order[~sold_out[order]]", "order[:count]"), ("left[:count]", "left[~sold_out[left]]")],
            "mask-not-in-order": ("order[~sold_out[order]]", "order[~sold_out]"),
            "one-too-many": ("left[:count]", "left[: count + 1]"),
            "one-too-few": ("left[:count]", "left[: count - 1]"),
            "not-cut": ("left[:count]", "left"),
            "best-left-out": ("left[:count]", "left[1 : count + 1]"),
            "rows-of-what-is-left": [
                ("argsort(scores,", "argsort(scores[~sold_out],"),
                ("order[~sold_out[order]]", "order"),
            ],
            "scores-for-rows": ("left[:count]", "scores[left[:count]]"),
        },
    )
    | edited(
        _hidden_list,
        {
            "hidden-by-0": [
                ("scores.masked_fill(sold_out, -math.inf)", "scores * ~sold_out"),
                ("min(count, int((~sold_out).sum()))", "count"),
            ],
            "filled-with-sold-out": ("min(count, int((~sold_out).sum()))", "count"),
            "ranks-for-rows": (
                "order[: min(count, int((~sold_out).sum()))]",
                "order.argsort()[: min(count, int((~sold_out).sum()))]",
            ),
        },
    ),
)


# 15.4 What she clicked before.


def _histories(generator):
    """People with several clicks, with one, and with none."""
    drawn = []
    for people, goods, longest, size, lengths in ((4, 5, 6, 3, [6, 3, 0, 1]), (3, 4, 3, 7, [2, 3, 0])):
        candidates, clicks = draw(generator, (people, goods, size), (people, longest, size))
        drawn.append((candidates + 0.3, clicks + 0.3, torch.arange(longest) < torch.tensor(lengths)[:, None]))
    return drawn


def _likes_by_loops(candidates, clicks, seen):
    found = torch.zeros(candidates.shape[:2])
    for person in range(len(candidates)):
        real = [click for click, there in zip(clicks[person], seen[person], strict=True) if there]
        for place, good in enumerate(candidates[person]):
            if real:
                scores = torch.stack([good @ click / math.sqrt(len(good)) for click in real])
                weights = torch.softmax(scores, dim=0)
                context = sum(weight * click for weight, click in zip(weights, real, strict=True))
                found[person, place] = good @ context
    return found


def _likes(candidates, clicks, seen):
    scores = candidates @ clicks.transpose(-2, -1) / math.sqrt(clicks.shape[-1])
    hidden = ~seen[:, None, :]
    weights = torch.softmax(scores.masked_fill(hidden, -math.inf), dim=-1)
    weights = torch.nan_to_num(weights)
    context = weights @ clicks
    return (candidates * context).sum(-1)


_EVEN = ("torch.softmax(scores.masked_fill(hidden, -math.inf), dim=-1)", "(~hidden).float().expand_as(scores)")
LIKES = write(
    "15.4",
    oracle=_likes_by_loops,
    inputs=_histories,
    mistakes=edited(
        _likes,
        {
            "padding-clicked": ("scores.masked_fill(hidden, -math.inf)", "scores"),
            "seen-inverted": ("hidden = ~seen", "hidden = seen"),
            "new-people-nan": ("torch.nan_to_num(weights)", "weights"),
            "new-people-even": [
                ("torch.nan_to_num(weights)", "weights"),
                ("-math.inf", "-1e9"),
            ],
            "hidden-by-0": ("scores.masked_fill(hidden, -math.inf)", "scores * ~hidden"),
            "clicks-made-0": [
                ("    scores = ", "    clicks = clicks * seen.unsqueeze(-1)\n    scores = "),
                ("scores.masked_fill(hidden, -math.inf)", "scores"),
            ],
            "after-the-softmax": [
                ("scores.masked_fill(hidden, -math.inf)", "scores"),
                ("torch.nan_to_num(weights)", "weights * ~hidden"),
            ],
            "over-the-goods": (
                "torch.softmax(scores.masked_fill(hidden, -math.inf), dim=-1)",
                "torch.softmax(scores, -2) * ~hidden",
            ),
            "no-root": (" / math.sqrt(clicks.shape[-1])", ""),
            "size-not-its-root": ("math.sqrt(clicks.shape[-1])", "clicks.shape[-1]"),
            "nobody-asks": (
                "torch.softmax(scores.masked_fill(hidden, -math.inf), dim=-1)",
                "(~hidden).float().expand_as(scores) / (~hidden).sum(-1, keepdim=True)",
            ),
            "sum-of-the-clicks": _EVEN,
            "last-click": ("weights @ clicks", "clicks[:, None, -1].expand_as(candidates)"),
            "of-another-person": ("weights @ clicks", "weights @ clicks.roll(1, 0)"),
            "score-of-the-first": ("weights @ clicks", "weights[:, :1] @ clicks"),
            "context-returned": ("(candidates * context).sum(-1)", "context"),
            "weights-returned": ("(candidates * context).sum(-1)", "weights"),
        },
    ),
)


# 15.5 The report.


def _nights(generator):
    """Gains of all goods for some queries, and visits with a page, equal scores and lists with goods that are gone."""
    drawn = []
    for queries, goods, visits, page, at in ((3, 9, 5, 4, 5), (4, 7, 6, 3, 4)):
        (scores,) = draw(generator, (queries, goods))
        gains = torch.rand(queries, goods, generator=generator)
        shown = torch.randint(0, 4, (visits, page), generator=generator) / 2.0
        shown[:2] = torch.tensor([1.0, 1.0, 0.5, 2.0])[:page]
        clicked = torch.randint(page, (visits,), generator=generator)
        clicked[:2] = torch.tensor([0, 2])
        sold_out = torch.zeros(visits, goods, dtype=torch.bool)
        sold_out[0, :2] = sold_out[2, 1] = True
        lists = torch.stack([torch.randperm(goods, generator=generator)[:at] for _ in range(visits)])
        lists[0] = torch.tensor([1, 4, 0, 2, 3])[:at]
        lists[2] = torch.tensor([5, 1, 3, 0, 2])[:at]
        sold_out[1, int(lists[1, 0] + 1) % goods] = True
        lists[1] = lists[1].where(lists[1] != (lists[1, 0] + 1) % goods, lists[1, 0])  # gone, and on no list
        drawn.append((scores, gains, shown, clicked, lists, sold_out, at))
    return drawn


def _report_by_loops(scores, gains, shown, clicked, lists, sold_out, at):
    shares, wins, gone = [], [], 0
    for row, gain in zip(scores.tolist(), gains.tolist(), strict=True):
        order = sorted(range(len(row)), key=lambda good: -row[good])[:at]
        best = sorted(gain, reverse=True)[:at]
        found = sum(gain[good] / math.log2(place + 2) for place, good in enumerate(order))
        shares.append(found / sum(most / math.log2(place + 2) for place, most in enumerate(best)))
    for row, place in zip(shown.tolist(), clicked.tolist(), strict=True):
        others = row[:place] + row[place + 1 :]
        wins.append(sum((row[place] > other) + (row[place] == other) / 2 for other in others) / len(others))
    for row, away in zip(lists.tolist(), sold_out.tolist(), strict=True):
        gone += sum(away[good] for good in row)
    return 100 * sum(shares) / len(shares), 100 * sum(wins) / len(wins), gone


def _report(scores, gains, shown, clicked, lists, sold_out, at):
    found = gains.gather(1, scores.argsort(dim=1, descending=True))[:, :at]
    best = gains.sort(dim=1, descending=True).values[:, :at]
    discount = 1 / torch.log2(torch.arange(at) + 2.0)
    quality = ((found * discount).sum(1) / (best * discount).sum(1)).mean()
    own = shown.gather(1, clicked[:, None])
    wins = (own > shown).float() + (own == shown).float() / 2
    auc = ((wins.sum(1) - 0.5) / (shown.shape[1] - 1)).mean()
    return 100 * quality.item(), 100 * auc.item(), int(sold_out.gather(1, lists).sum())


_AUC = "((wins.sum(1) - 0.5) / (shown.shape[1] - 1)).mean()"
REPORT = write(
    "15.5",
    oracle=_report_by_loops,
    inputs=_nights,
    results=("ndcg", "auc", "gone"),
    tolerance=1e-3,
    mistakes=edited(
        _report,
        {
            "no-discount": ("1 / torch.log2(torch.arange(at) + 2.0)", "torch.ones(at)"),
            "discount-shifted": ("torch.arange(at) + 2.0", "torch.arange(at) + 3.0"),
            "discount-by-place": ("1 / torch.log2(torch.arange(at) + 2.0)", "1 / (torch.arange(at) + 1.0)"),
            "whole-list": [
                ("[:, :at]\n    best", "\n    best"),
                (".values[:, :at]", ".values"),
                ("torch.arange(at)", "torch.arange(gains.shape[1])"),
            ],
            "not-a-share": (" / (best * discount).sum(1)", ""),
            "ratio-of-means": (
                "((found * discount).sum(1) / (best * discount).sum(1)).mean()",
                "(found * discount).sum() / (best * discount).sum()",
            ),
            "worst-first": ("scores.argsort(dim=1, descending=True)", "scores.argsort(dim=1)"),
            "gains-not-in-order": ("gains.gather(1, scores.argsort(dim=1, descending=True))", "gains"),
            "best-of-what-was-found": (
                "gains.sort(dim=1, descending=True).values[:, :at]",
                "found.sort(dim=1, descending=True).values",
            ),
            "ties-are-wins": [
                ("(own > shown).float() + (own == shown).float() / 2", "(own >= shown).float()"),
                ("- 0.5", "- 1"),
            ],
            "ties-are-losses": [
                ("(own > shown).float() + (own == shown).float() / 2", "(own > shown).float()"),
                (" - 0.5", ""),
            ],
            "against-itself": (_AUC, "wins.mean()"),
            "itself-left-in-the-count": ("(shown.shape[1] - 1)", "shown.shape[1]"),
            "losses-counted": ("own > shown", "own < shown"),
            "first-place": ("auc = " + _AUC, "auc = (own.squeeze(1) >= shown.amax(1)).float().mean()"),
            "visits-not-goods": ("sold_out.gather(1, lists).sum()", "sold_out.gather(1, lists).any(1).sum()"),
            "all-that-is-gone": ("sold_out.gather(1, lists).sum()", "sold_out.sum()"),
            "share-for-count": (
                "int(sold_out.gather(1, lists).sum())",
                "sold_out.gather(1, lists).float().mean().item()",
            ),
            "left-counted": ("sold_out.gather(1, lists).sum()", "(~sold_out).gather(1, lists).sum()"),
            "shares-for-percent": [("100 * quality", "quality"), ("100 * auc", "auc")],
            "swapped": ("100 * quality.item(), 100 * auc.item()", "100 * auc.item(), 100 * quality.item()"),
        },
    ),
)


EXERCISES = [ENCODER, ATTENTION, LIST, LIKES, REPORT]
