"""Answers to the exercises of lesson 04, written apart from the bank: right ones, and one for each known mistake."""

import math

import torch
import torch.nn.functional as F
from torch import nn

INF = float("inf")


# 4.1


def filled_twice(scores, mask):
    weights = F.softmax(torch.where(mask, scores, -INF), -1)
    return torch.where(mask, weights, 0.0)


def with_exponentials(scores, mask):
    mask = mask.expand_as(scores)
    largest = torch.where(mask, scores, -INF).amax(-1, keepdim=True)
    e = torch.where(mask, torch.exp(torch.where(mask, scores - largest, 0.0)), 0.0)
    return e / e.sum(-1, keepdim=True).clamp(min=1e-30)


def element_by_element(scores, mask):
    if scores.dim() > 2:
        masks = mask.expand_as(scores)
        return torch.stack([element_by_element(s, m) for s, m in zip(scores, masks, strict=True)])
    out = torch.zeros_like(scores)
    for i in range(scores.shape[0]):
        seen = [j for j in range(scores.shape[1]) if mask.expand_as(scores)[i, j]]
        total = sum(math.exp(scores[i, j]) for j in seen)
        for j in seen:
            out[i, j] = math.exp(scores[i, j]) / total
    return out


def leaves_nan(scores, mask):
    return (scores + torch.zeros(mask.shape).masked_fill(mask.logical_not(), -INF)).softmax(-1)


def large_number(scores, mask):
    return torch.where(mask, scores, torch.tensor(-1e9)).softmax(-1)


def other_way_round(scores, mask):
    weights = torch.where(mask, -INF, scores).softmax(-1)
    return torch.where(mask, 0.0, weights).nan_to_num(0.0)


def too_late(scores, mask):
    return torch.where(mask, scores.softmax(-1), 0.0)


def too_late_repaired(scores, mask):
    kept = torch.where(mask, scores.softmax(-1), 0.0)
    return kept.div(kept.sum(dim=-1, keepdim=True))


def zeroed_scores(scores, mask):
    return torch.where(mask, scores, 0.0).softmax(-1)


def columns(scores, mask):
    weights = torch.where(mask, scores, -INF).softmax(-2)
    return torch.where(weights.isnan(), 0.0, weights)


def writes_into_scores(scores, mask):
    scores[~mask.expand_as(scores)] = -INF
    return scores.softmax(-1).nan_to_num(0.0)


# 4.2


def compares_places(queries, keys):
    return torch.arange(keys) <= torch.arange(keys - queries, keys)[:, None]


def end_of_the_square(queries, keys):
    return torch.ones(keys, keys).tril().bool()[keys - queries :]


def starts_at_the_top(queries, keys):
    return torch.arange(keys) <= torch.arange(queries)[:, None]


def strictly_before(queries, keys):
    return torch.arange(keys) < torch.arange(keys - queries, keys)[:, None]


def one_further(queries, keys):
    return torch.arange(keys) <= torch.arange(keys - queries, keys)[:, None] + 1


def strictly_after(queries, keys):
    return torch.arange(keys) > torch.arange(keys - queries, keys)[:, None]


def from_itself_on(queries, keys):
    return torch.arange(keys) >= torch.arange(keys - queries, keys)[:, None]


def zeros_and_ones(queries, keys):
    return compares_places(queries, keys).float()


# 4.3


def hides_true(module, x, lengths):
    hidden = torch.ones(x.shape[:2], dtype=torch.bool)
    for row, length in zip(hidden, lengths.tolist(), strict=True):
        row[:length] = False
    return module(x, x, x, key_padding_mask=hidden, need_weights=False)[0]


def as_attention_mask(module, x, lengths):
    batch, n, _ = x.shape
    hidden = (torch.arange(n)[None] >= lengths[:, None])[:, None].expand(batch, n, n)
    return module(x, x, x, attn_mask=hidden.repeat_interleave(module.num_heads, 0))[0]


def hides_the_goods(module, x, lengths):
    n = x.shape[1]
    return module(x, x, x, key_padding_mask=lengths[:, None].gt(torch.arange(n)))[0]


def forgets_the_first_pad(module, x, lengths):
    return module(x, x, x, key_padding_mask=~(torch.arange(x.size(1)) <= lengths.unsqueeze(1)))[0]


def hides_a_good(module, x, lengths):
    return module(x, x, x, key_padding_mask=~(torch.arange(x.size(1)) + 1 < lengths.unsqueeze(1)))[0]


def hides_nothing(module, x, lengths):
    return module(x, x, x, key_padding_mask=torch.zeros(x.shape[:2], dtype=torch.bool))[0]


def wipes_the_padding(module, x, lengths):
    clean = x.clone()
    for row, length in zip(clean, lengths.tolist(), strict=True):
        row[length:] = 0
    return module(clean, clean, clean)[0]


def wipes_the_answers(module, x, lengths):
    output = hides_true(module, x, lengths)
    return torch.where((torch.arange(x.shape[1]) < lengths[:, None])[..., None], output, 0.0)


# 4.4


class Layers(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.query, self.key, self.value = nn.Linear(size, size), nn.Linear(size, size), nn.Linear(size, size)

    def parts(self, x):
        return self.query(x), self.key(x), self.value(x)

    def attend(self, x, mask=None):
        return F.scaled_dot_product_attention(*self.parts(x), attn_mask=mask)


class WithTheSwitch(Layers):
    def forward(self, x):
        return F.scaled_dot_product_attention(*self.parts(x), is_causal=True)


class WithALoop(Layers):
    def forward(self, x):
        query, key, value = self.parts(x)
        rows = []
        for i in range(x.shape[1]):
            scores = (key[:, : i + 1] * query[:, i : i + 1]).sum(-1) / math.sqrt(x.shape[-1])
            rows.append((scores.softmax(-1)[..., None] * value[:, : i + 1]).sum(1))
        return torch.stack(rows, dim=1)


class SwitchFollowsTraining(Layers):
    def forward(self, x):
        return F.scaled_dot_product_attention(*self.parts(x), is_causal=self.training)


class SwitchFollowsEvaluation(Layers):
    def forward(self, x):
        return F.scaled_dot_product_attention(*self.parts(x), is_causal=not self.training)


class NoMask(Layers):
    def forward(self, x):
        return self.attend(x)


class OthersOnly(Layers):
    def forward(self, x):
        query, key, value = self.parts(x)
        places = torch.arange(x.shape[1])
        scores = query @ key.mT * x.shape[-1] ** -0.5 + torch.where(places < places[:, None], 0.0, -INF)
        return scores.softmax(-1) @ value


class FutureOnly(Layers):
    def forward(self, x):
        query, key, value = self.parts(x)
        places = torch.arange(x.shape[1])
        scores = query @ key.mT * x.shape[-1] ** -0.5 + torch.where(places > places[:, None], 0.0, -INF)
        return scores.softmax(-1) @ value


class Late(Layers):
    def forward(self, x):
        query, key, value = self.parts(x)
        return (query @ key.mT * x.shape[-1] ** -0.5).softmax(-1).tril() @ value


# 4.5

VALUES = {
    "shape": (2, 6, 6),
    "causal pairs": 21,
    "joined pairs": 18,
    "hidden before": 0.25,
    "hidden after": 0.6667,
    "filled with −1e9": 0.1667,
    "is_causal": 1,
}


# 4.6


def by_indexing(mask, heads):
    return mask.logical_not()[torch.arange(len(mask) * heads) // heads]


def by_flattening(mask, heads):
    return (~mask)[:, None].expand(-1, heads, -1, -1).flatten(0, 1)


def ours_for_each_head(mask, heads):
    return mask[:, None].expand(-1, heads, -1, -1).flatten(0, 1)


def batches_in_a_row(mask, heads):
    return torch.cat([mask.logical_not()] * heads)


def ours_in_a_row(mask, heads):
    return torch.cat([mask] * heads)


def one_for_each_basket(mask, heads):
    return mask == False  # noqa: E712  (as a beginner writes it)


def four_axes(mask, heads):
    return torch.stack([mask.logical_not()] * heads, dim=1)


# 4.7

SEEN = torch.tensor([True, False, True, True])


RIGHT = {
    "4.1": [filled_twice, with_exponentials, element_by_element],
    "4.2": [compares_places, end_of_the_square],
    "4.3": [hides_true, as_attention_mask],
    "4.4": [WithTheSwitch, WithALoop],
    "4.5": [VALUES, {**VALUES, "shape": torch.Size([2, 6, 6]), "hidden after": 4 / 6, "filled with −1e9": 1 / 6}],
    "4.6": [by_indexing, by_flattening],
    "4.7": [
        (torch.tensor([0.0, 150.0, 0.0, 0.0]), SEEN),
        (torch.tensor([-300.0, 300.0, 5.0, -5.0]), torch.tensor([True, False, False, True])),
    ],
}

WRONG = {
    "4.1": {
        "nan": [leaves_nan],
        "uniform": [large_number],
        "inverted": [other_way_round],
        "after-softmax": [too_late],
        "renormalised": [too_late_repaired],
        "scores-times-mask": [zeroed_scores],
        "over-queries": [columns],
        "in-place": [writes_into_scores],
    },
    "4.2": {
        "top-left": [starts_at_the_top],
        "not-itself": [strictly_before],
        "one-ahead": [one_further],
        "inverted": [strictly_after],
        "looks-ahead": [from_itself_on],
        "numbers": [zeros_and_ones],
    },
    "4.3": {
        "unchanged": [hides_the_goods],
        "one-too-few": [forgets_the_first_pad],
        "one-too-many": [hides_a_good],
        "no-mask": [hides_nothing],
        "zeros-instead": [wipes_the_padding],
        "zeros-inside": [wipes_the_answers],
    },
    "4.4": {
        "unchanged": [SwitchFollowsTraining],
        "only-in-evaluation": [SwitchFollowsEvaluation],
        "never": [NoMask],
        "not-itself": [OthersOnly],
        "inverted": [FutureOnly],
        "after-softmax": [Late],
    },
    "4.5": {
        "batch-lost": [{**VALUES, "shape": [6, 6]}],
        "axis-of-1-kept": [{**VALUES, "shape": (2, 1, 6)}],
        "diagonal-forgotten": [{**VALUES, "causal pairs": 1 + 2 + 3 + 4 + 5}],
        "padded-rows-hidden": [{**VALUES, "joined pairs": 1 + 2 + 3 + 4}],
        "padding-still-in-the-sum": [{**VALUES, "hidden before": 0.16667}],
        "after-is-before": [{**VALUES, "hidden after": 1}],
        "hidden-means-zero": [{**VALUES, "filled with −1e9": 0}],
        "bottom-right": [{**VALUES, "is_causal": 6.0}],
    },
    "4.6": {
        "not-turned": [ours_for_each_head],
        "heads-apart": [batches_in_a_row],
        "both": [ours_in_a_row],
        "heads-forgotten": [one_for_each_basket],
        "own-axis": [four_axes],
    },
    "4.7": {
        "scores": [(torch.tensor([0, 150, 0, 0]), SEEN), ([0.0, 150.0, 0.0, 0.0], SEEN)],
        "small-enough": [(torch.tensor([0.0, INF, 0.0, 0.0]), SEEN), (torch.tensor([0.0, 1e6, 0.0, 0.0]), SEEN)],
        "mask": [(torch.tensor([0.0, 150.0, 0.0, 0.0]), SEEN.float())],
        "two-visible": [(torch.tensor([0.0, 150.0, 0.0, 0.0]), torch.tensor([True, False, False, False]))],
        "something-hidden": [(torch.tensor([0.0, 150.0, 0.0, 0.0]), torch.ones(4, dtype=torch.bool))],
        "visible-is-largest": [(torch.tensor([250.0, 0.0, 0.0, 0.0]), SEEN)],
        "nan": [(torch.tensor([0.0, 50.0, 0.0, 0.0]), SEEN)],
    },
}

UNTOUCHED = {}
