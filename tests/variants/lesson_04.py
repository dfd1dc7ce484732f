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


def large_number_then_zero(scores, mask):
    return F.softmax(scores.masked_fill(mask == False, -1e9), dim=-1) * mask  # noqa: E712


def with_a_logarithm(scores, mask):
    return (scores + mask.float().log()).softmax(-1).nan_to_num(0.0)


def through_the_fused_kernel(scores, mask):
    """The scores as a bias, a query and key of zeros, and a unit matrix as values."""
    keys = scores.shape[-1]
    bias = torch.where(mask, scores, -INF)
    query, key = torch.zeros(*scores.shape[:-1], 1), torch.zeros(*scores.shape[:-2], keys, 1)
    unit = torch.eye(keys).expand(*scores.shape[:-2], keys, keys)
    weights = F.scaled_dot_product_attention(query, key, unit, attn_mask=bias)
    return torch.where(mask.any(-1, keepdim=True), weights, 0.0).nan_to_num(0.0)


def inverted_large_number(scores, mask):
    return scores.masked_fill(mask, -1e9).softmax(-1)


def hides_then_keeps_the_hidden(scores, mask):
    return F.softmax(torch.where(mask, scores, -INF), -1).masked_fill(mask, 0.0)


def small_number(scores, mask):
    return torch.where(mask, torch.where(mask, scores, -10.0).softmax(-1), 0.0)


def zeroed_twice(scores, mask):
    return (scores * mask).softmax(-1) * mask


def tiny_fill(scores, mask):
    """Written with 1e-9 where −1e9 was meant."""
    return scores.masked_fill(~mask, 1e-9).softmax(-1)


def columns_with_nan(scores, mask):
    return F.softmax(scores + torch.zeros(mask.shape).masked_fill(~mask, -INF), dim=-2)


def too_late_with_epsilon(scores, mask):
    kept = scores.softmax(dim=-1).masked_fill(~mask, 0)
    return kept / kept.sum(-1, keepdim=True).clamp(min=1e-9)


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


def row_by_row(queries, keys):
    rows = []
    for i in range(queries):
        seen = keys - queries + i + 1
        rows.append([True] * seen + [False] * (keys - seen))
    return torch.tensor(rows)


def past_is_not_future(queries, keys):
    return ~torch.triu(torch.ones(queries, keys), diagonal=keys - queries + 1).bool()


def shifts_to_the_left(queries, keys):
    return torch.arange(keys) <= torch.arange(queries)[:, None] - (keys - queries)


def future_from_the_top(queries, keys):
    return torch.arange(keys) > torch.arange(queries)[:, None]


def axes_swapped(queries, keys):
    return torch.arange(keys)[:, None] <= torch.arange(keys - queries, keys)


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


def each_basket_alone(module, x, lengths):
    rows = []
    for i, n in enumerate(lengths):
        rows.append(module(x[i : i + 1], x[i : i + 1, :n], x[i : i + 1, :n])[0])
    return torch.vstack(rows)


def as_a_bias(module, x, lengths):
    bias = torch.zeros(x.shape[:2])
    bias[torch.arange(x.shape[1]) >= lengths[:, None]] = -INF
    return module(x, x, x, key_padding_mask=bias)[0]


def ones_for_padding(module, x, lengths):
    padding = 1.0 - (torch.arange(x.shape[1]) < lengths[:, None]).float()
    return module(x, x, x, key_padding_mask=padding)[0]


def ones_for_goods(module, x, lengths):
    return module(x, x, x, key_padding_mask=(torch.arange(x.shape[1]) < lengths[:, None]).to(x.dtype))[0]


def the_second_of_the_pair(module, x, lengths):
    _, output = module(x, x, x, key_padding_mask=torch.arange(x.shape[1]).ge(lengths[:, None]))
    return output


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


class WithEinsum(Layers):
    def forward(self, x):
        query, key, value = self.parts(x)
        scores = torch.einsum("bqd,bkd->bqk", query, key) / math.sqrt(query.size(-1))
        n = x.size(1)
        scores = torch.where(torch.ones(n, n).tril() == 1, scores, torch.tensor(-1e9))
        return torch.einsum("bqk,bkd->bqd", torch.softmax(scores, 2), value)


class StaysInTraining(Layers):
    def forward(self, x):
        self.train()
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril() if self.training else None
        return self.attend(x, mask)


class StaysInEvaluation(Layers):
    def forward(self, x):
        self.train(False)
        return self.attend(x, torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril())


class WithBias(Layers):
    """Scores with anything added to or done with them."""

    def scores(self, x):
        query, key, _ = self.parts(x)
        return torch.einsum("bqd,bkd->bqk", query, key) * x.shape[-1] ** -0.5

    def forward(self, x):
        n = x.shape[1]
        past = torch.arange(n) <= torch.arange(n)[:, None]
        return self.weights(self.scores(x), past) @ self.value(x)


class PastHidden(WithBias):
    def weights(self, scores, past):
        return torch.where(past & ~torch.eye(len(past)).bool(), -INF, scores).softmax(-1)


class OneFurther(WithBias):
    def weights(self, scores, past):
        nearly = torch.cat([past[1:], past[-1:]])
        return torch.where(nearly, scores, -INF).softmax(-1)


class TimesMask(WithBias):
    def weights(self, scores, past):
        return (scores * past.float()).softmax(-1)


class OverQueries(WithBias):
    def weights(self, scores, past):
        return torch.where(past, scores, -INF).softmax(1)


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


def by_loops(mask, heads):
    out = torch.empty(len(mask) * heads, *mask.shape[1:], dtype=torch.bool)
    for b in range(len(mask)):
        for h in range(heads):
            out[b * heads + h] = torch.logical_not(mask[b])
    return out


def rows_in_a_row(mask, heads):
    return torch.repeat_interleave(mask.logical_not(), heads, 1)


def ones_and_zeros(mask, heads):
    return by_loops(mask, heads).float()


def four_axes_of_ours(mask, heads):
    return torch.stack([mask] * heads, dim=1)


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


def hides_by(scores, mask, number):
    return torch.where(mask, scores, torch.tensor(number)).softmax(-1)


def one_over_one_plus(scores, mask):
    return torch.where(mask, 1 / (1 + torch.exp(-scores)), 0.0)


def as_attention_mask_of_wrong_heads(module, x, lengths):
    hidden = torch.stack([torch.arange(x.size(1)) >= length for length in lengths])
    masks = [hidden[b % len(x)].expand(x.size(1), -1) for b in range(len(x) * module.num_heads)]
    return module(x, x, x, attn_mask=torch.stack(masks))[0]


def powers_then_hides(scores, mask):
    powers = torch.where(mask, 1.0, 0.0) * math.e**scores
    total = powers.sum(-1, keepdim=True)
    return powers / total.masked_fill(total == 0, 1.0)


def with_another_mask(padding, **more):
    def attend_to_basket(module, x, lengths):
        places = torch.arange(x.size(1)).expand(len(x), -1)
        return module(x, x, x, key_padding_mask=padding(places, lengths), **{k: v(x) for k, v in more.items()})[0]

    return attend_to_basket


class Otherwise(Layers):
    """Causal in both modes; `three` may change query, key and value, and `root` the divisor."""

    masked = True

    def forward(self, x):
        query, key, value = self.three(x)
        scores = torch.einsum("bqs,bks->bqk", query, key) / self.root(x)
        if self.masked:
            scores = scores + torch.full((x.size(1), x.size(1)), -INF).triu(1)
        return scores.softmax(2) @ value

    def three(self, x):
        return self.query(x), self.key(x), self.value(x)

    def root(self, x):
        return x.size(2) ** 0.5


class NoRoot(Otherwise):
    def root(self, x):
        return 1


class NoRootNoMask(NoRoot):
    masked = False


class RootOfTheLength(Otherwise):
    def root(self, x):
        return x.size(1) ** 0.5


class MixesInputs(Otherwise):
    def three(self, x):
        return self.query(x), self.key(x), x


class AsksWithKeys(Otherwise):
    def three(self, x):
        return self.key(x), self.query(x), self.value(x)


RIGHT = {
    "4.1": [
        filled_twice,
        with_exponentials,
        element_by_element,
        large_number_then_zero,
        with_a_logarithm,
        through_the_fused_kernel,
    ],
    "4.2": [compares_places, end_of_the_square, row_by_row, past_is_not_future],
    "4.3": [hides_true, as_attention_mask, each_basket_alone, as_a_bias],
    "4.4": [WithTheSwitch, WithALoop, WithEinsum],
    "4.5": [
        VALUES,
        {**VALUES, "hidden after": 0.67, "filled with −1e9": 0.17},
        {**VALUES, "shape": torch.Size([2, 6, 6]), "hidden after": 4 / 6, "filled with −1e9": 1 / 6},
    ],
    "4.6": [by_indexing, by_flattening, by_loops],
    "4.7": [
        (torch.tensor([0.0, 150.0, 0.0, 0.0]), SEEN),
        (torch.tensor([-300.0, 300.0, 5.0, -5.0]), torch.tensor([True, False, False, True])),
        [torch.tensor([-120.0, 0, -110, 180]).requires_grad_(), torch.tensor([1, 1, 1, 0]) == 1],
    ],
}

WRONG = {
    "4.1": {
        "not-hidden": [lambda scores, mask: scores.softmax(-1)],
        "zero-times-infinity": [lambda scores, mask: F.softmax(scores - (1 - mask.float()) * math.inf, -1)],
        "hidden-power-overflows": [powers_then_hides],
        "nan": [leaves_nan],
        "uniform": [large_number],
        "inverted": [other_way_round, inverted_large_number],
        "after-softmax": [too_late],
        "renormalised": [too_late_repaired],
        "renormalised-safely": [too_late_with_epsilon],
        "scores-times-mask": [zeroed_scores, tiny_fill],
        "over-queries": [columns],
        "not-low-enough-anywhere": [lambda scores, mask: hides_by(scores, mask, -10.0)],
        "mask-added": [lambda scores, mask: torch.softmax(scores + mask.float(), -1)],
        "sigmoid": [one_over_one_plus],
        "only-the-first-inverted": [lambda scores, mask: other_way_round(scores, mask) * mask],
        "only-the-second-inverted": [hides_then_keeps_the_hidden],
        "not-low-enough": [small_number],
        "scores-times-mask-then-zero": [zeroed_twice],
        "nan-over-queries": [columns_with_nan],
        "in-place": [writes_into_scores],
    },
    "4.2": {
        "top-left": [starts_at_the_top],
        "not-itself": [strictly_before],
        "one-ahead": [one_further],
        "inverted": [strictly_after],
        "looks-ahead": [from_itself_on],
        "numbers": [zeros_and_ones],
        "shifted-back": [shifts_to_the_left],
        "inverted-top-left": [future_from_the_top],
        "square": [lambda queries, keys: torch.tril(torch.ones(keys, keys), keys - queries) > 0],
        "transposed": [axes_swapped],
        "own-place-only": [lambda queries, keys: torch.eye(keys)[keys - queries :] == 1],
        "everything": [lambda queries, keys: torch.full((queries, keys), True)],
        "top-left-numbers": [lambda queries, keys: torch.tril(torch.ones(queries, keys))],
        "top-left-not-itself": [lambda queries, keys: torch.arange(keys) < torch.arange(queries).unsqueeze(1)],
    },
    "4.3": {
        "unchanged": [hides_the_goods],
        "one-too-few": [forgets_the_first_pad],
        "one-too-many": [hides_a_good],
        "no-mask": [hides_nothing],
        "zeros-instead": [wipes_the_padding],
        "zeros-inside": [wipes_the_answers],
        "floats": [ones_for_padding],
        "floats-of-the-goods": [ones_for_goods],
        "weights-instead": [the_second_of_the_pair],
        "one-too-few-inverted": [with_another_mask(lambda places, lengths: places < lengths[:, None] + 1)],
        "causal-as-well": [
            with_another_mask(
                lambda places, lengths: places > lengths[:, None] - 1,
                attn_mask=lambda x: torch.full((x.size(1), x.size(1)), True).triu(1),
            )
        ],
        "first-length": [with_another_mask(lambda places, lengths: places >= lengths[0])],
        "shortest-length": [
            with_another_mask(lambda places, lengths: places >= min(lengths)),
            lambda module, x, lengths: module(x, x[:, : min(lengths)], x[:, : min(lengths)])[0],
        ],
        "heads-apart": [as_attention_mask_of_wrong_heads],
    },
    "4.4": {
        "unchanged": [SwitchFollowsTraining],
        "only-in-evaluation": [SwitchFollowsEvaluation],
        "never": [NoMask],
        "not-itself": [OthersOnly],
        "inverted": [FutureOnly],
        "after-softmax": [Late],
        "looks-ahead": [PastHidden],
        "one-ahead": [OneFurther],
        "switches-mode": [StaysInTraining],
        "switches-to-evaluation": [StaysInEvaluation],
        "no-root": [NoRoot],
        "no-root-no-mask": [NoRootNoMask],
        "root-of-the-length": [RootOfTheLength],
        "value-is-x": [MixesInputs],
        "query-and-key-swapped": [AsksWithKeys],
        "scores-times-mask": [TimesMask],
        "over-queries": [OverQueries],
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
        "no-query-axis": [{**VALUES, "shape": (2, 6)}],
        "all-pairs": [{**VALUES, "causal pairs": 36}],
        "half-of-all": [{**VALUES, "causal pairs": 18}],
        "joined-as-long": [{**VALUES, "joined pairs": 21}],
        "padding-only": [{**VALUES, "joined pairs": 24}],
        "goods-by-goods": [{**VALUES, "joined pairs": 16}],
        "before-is-zero": [{**VALUES, "hidden before": 0}],
        "before-is-one": [{**VALUES, "hidden before": 1}],
        "what-is-lost": [{**VALUES, "hidden after": "1/3"}],
        "one-good-after": [{**VALUES, "hidden after": 0.167}],
        "hidden-means-one": [{**VALUES, "filled with −1e9": 1}],
        "nothing-seen": [{**VALUES, "is_causal": 0}],
    },
    "4.6": {
        "not-turned": [ours_for_each_head],
        "heads-apart": [batches_in_a_row],
        "both": [ours_in_a_row],
        "heads-forgotten": [one_for_each_basket],
        "own-axis": [four_axes],
        "queries-repeated": [rows_in_a_row],
        "floats": [ones_and_zeros],
        "own-axis-not-turned": [four_axes_of_ours],
        "keys-repeated": [lambda mask, heads: torch.stack([~mask] * heads, -1).flatten(2)],
        "floats-not-turned": [lambda mask, heads: torch.stack([mask] * heads, 1).flatten(0, 1).double()],
        "heads-first": [lambda mask, heads: torch.stack([mask.logical_not()] * heads)],
        "axes-swapped": [lambda mask, heads: by_indexing(mask.transpose(1, 2), heads)],
        "one-head-too-few": [lambda mask, heads: by_indexing(mask, heads - 1)],
    },
    "4.7": {
        "scores": [(torch.tensor([0, 150, 0, 0]), SEEN), ([0.0, 150.0, 0.0, 0.0], SEEN)],
        "small-enough": [(torch.tensor([0.0, INF, 0.0, 0.0]), SEEN), (torch.tensor([0.0, 1e6, 0.0, 0.0]), SEEN)],
        "mask": [(torch.tensor([0.0, 150.0, 0.0, 0.0]), SEEN.float())],
        "two-visible": [(torch.tensor([0.0, 150.0, 0.0, 0.0]), torch.tensor([True, False, False, False]))],
        "something-hidden": [(torch.tensor([0.0, 150.0, 0.0, 0.0]), torch.ones(4, dtype=torch.bool))],
        "hidden-is-largest": [
            (torch.tensor([250.0, 0.0, 0.0, 0.0]), SEEN),
            (torch.tensor([300.0, 300.0, 0.0, 0.0]), SEEN),
        ],
        "nan": [(torch.tensor([0.0, 50.0, 0.0, 0.0]), SEEN)],
    },
}

UNTOUCHED = {}
