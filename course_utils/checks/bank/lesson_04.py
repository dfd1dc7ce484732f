"""Exercises of lesson 04: two masks to write, two to mend, one to translate, values, and a late mask to break."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks.forms import edited, predict, prove, write

# 4.1 Softmax over what may be seen.


def _scores_and_masks(generator):
    drawn = []
    for shape, mask_shape in [((3, 5), (3, 5)), ((2, 4, 6), (2, 1, 6)), ((2, 3, 4, 7), (4, 7))]:
        mask = torch.rand(mask_shape, generator=generator) < 0.5
        mask[..., 0], mask[..., -1] = True, False
        drawn.append([2 * torch.randn(shape, generator=generator), mask])
    drawn[0][1][1] = False  # a row with nothing to see
    drawn[1][0][..., -1] = 250.0  # a hidden score that swamps the others
    drawn[2][0].sub_(40.0)  # scores are small, but what is hidden must be smaller
    return [tuple(pair) for pair in drawn]


def _by_rows(scores, mask):
    weights, keys = torch.zeros_like(scores), scores.shape[-1]
    seen = mask.expand(scores.shape).reshape(-1, keys)
    for row, visible, out in zip(scores.view(-1, keys), seen, weights.view(-1, keys), strict=True):
        if visible.any():
            out[visible] = torch.softmax(row[visible], dim=-1)
    return weights


def _masked_softmax(scores, mask):
    filled = scores.masked_fill(~mask, -math.inf)
    return torch.softmax(filled, dim=-1).masked_fill(~mask, 0.0)


def _renormalised(scores, mask):
    weights = torch.softmax(scores, dim=-1) * mask
    return weights / weights.sum(-1, keepdim=True)


def _renormalised_safely(scores, mask):
    weights = torch.softmax(scores, dim=-1) * mask
    return weights / (weights.sum(-1, keepdim=True) + 1e-9)


def _powers_of_all(scores, mask):
    powers = torch.exp(scores) * mask
    return powers / powers.sum(-1, keepdim=True).clamp(min=1e-30)


MASKED_SOFTMAX = write(
    "4.1",
    oracle=_by_rows,
    inputs=_scores_and_masks,
    mistakes=edited(
        _masked_softmax,
        {
            "not-hidden": [("scores.masked_fill(~mask, -math.inf)", "scores"), (".masked_fill(~mask, 0.0)", "")],
            "zero-times-infinity": [
                ("scores.masked_fill(~mask, -math.inf)", "scores + ~mask * -math.inf"),
                (".masked_fill(~mask, 0.0)", ""),
            ],
            "nan": (".masked_fill(~mask, 0.0)", ""),
            "uniform": [("-math.inf", "-1e9"), (".masked_fill(~mask, 0.0)", "")],
            "inverted": [("~mask, -math.inf", "mask, -math.inf"), ("~mask, 0.0", "mask, 0.0")],
            "after-softmax": ("scores.masked_fill(~mask, -math.inf)", "scores"),
            "scores-times-mask": [
                ("scores.masked_fill(~mask, -math.inf)", "scores * mask"),
                (".masked_fill(~mask, 0.0)", ""),
            ],
            "over-queries": [("dim=-1", "dim=-2"), (".masked_fill(~mask, 0.0)", ".nan_to_num(0.0)")],
            "not-low-enough-anywhere": [("-math.inf", "-10.0"), (".masked_fill(~mask, 0.0)", "")],
            "mask-added": [("scores.masked_fill(~mask, -math.inf)", "scores + mask"), (".masked_fill(~mask, 0.0)", "")],
            "sigmoid": ("torch.softmax(filled, dim=-1)", "torch.sigmoid(filled)"),
            "only-the-first-inverted": ("~mask, -math.inf", "mask, -math.inf"),
            "only-the-second-inverted": ("~mask, 0.0", "mask, 0.0"),
            "not-low-enough": ("-math.inf", "-10.0"),
            "scores-times-mask-then-zero": ("scores.masked_fill(~mask, -math.inf)", "scores * mask"),
            "nan-over-queries": [("dim=-1", "dim=-2"), (".masked_fill(~mask, 0.0)", "")],
            "in-place": ("masked_fill(~mask, -math.inf)", "masked_fill_(~mask, -math.inf)"),
        },
    )
    | {
        "hidden-power-overflows": _powers_of_all,
        "renormalised": _renormalised,
        "renormalised-safely": _renormalised_safely,
    },
    properties={
        "finite": lambda arguments, result: bool(result.isfinite().all()),
        "hidden-weighs-nothing": lambda arguments, result: bool((result.masked_fill(arguments[1], 0.0) == 0).all()),
    },
)


# 4.2 Hide the future, with and without a cache.


def _lengths(generator):
    queries = int(torch.randint(2, 5, (), generator=generator))
    return [(4, 4), (queries, queries + 3), (1, 6)]


def _by_places(queries, keys):
    return torch.tensor([[key <= query + keys - queries for key in range(keys)] for query in range(queries)])


def _causal(queries, keys):
    return torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)


CAUSAL = write(
    "4.2",
    oracle=_by_places,
    inputs=_lengths,
    mistakes=edited(
        _causal,
        {
            "top-left": ("tril(keys - queries)", "tril()"),
            "not-itself": ("keys - queries", "keys - queries - 1"),
            "one-ahead": ("keys - queries", "keys - queries + 1"),
            "inverted": ("tril(keys - queries)", "triu(keys - queries + 1)"),
            "looks-ahead": ("tril", "triu"),
            "numbers": (", dtype=torch.bool", ""),
            "shifted-back": ("keys - queries", "queries - keys"),
            "inverted-top-left": ("tril(keys - queries)", "triu(1)"),
            "square": ("(queries, keys, dtype", "(keys, keys, dtype"),
            "transposed": ("tril(keys - queries)", "tril(keys - queries).T"),
            "own-place-only": ("tril(keys - queries)", "tril(keys - queries).triu(keys - queries)"),
            "everything": (".tril(keys - queries)", ""),
            "top-left-numbers": [("tril(keys - queries)", "tril()"), (", dtype=torch.bool", "")],
            "top-left-not-itself": ("tril(keys - queries)", "tril(-1)"),
        },
    ),
)


# 4.3 The padding answers, the goods are silent.


def _modules_and_baskets(generator):
    drawn = []
    for lengths, longest, size, heads in [([5, 2, 6], 6, 4, 2), ([3, 4, 2], 5, 6, 3)]:  # the first is none of a kind
        module = nn.MultiheadAttention(size, heads, batch_first=True)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator))
        drawn.append((module, torch.randn(len(lengths), longest, size, generator=generator), torch.tensor(lengths)))
    return drawn


def _basket_by_basket(module, x, lengths):
    outputs = []
    for basket, length in zip(x, lengths.tolist(), strict=True):
        goods = basket[None, :length]
        outputs.append(module(basket[None], goods, goods)[0])
    return torch.cat(outputs)


def _padding_hidden(module, x, lengths):
    hidden = torch.arange(x.shape[1]) >= lengths[:, None]
    return module(x, x, x, key_padding_mask=hidden)[0]


INVERTED = write(
    "4.3",
    oracle=_basket_by_basket,
    inputs=_modules_and_baskets,
    mistakes=edited(
        _padding_hidden,
        {
            "unchanged": (">=", "<"),
            "one-too-few": (">=", ">"),
            "one-too-many": ("lengths[:, None]", "lengths[:, None] - 1"),
            "no-mask": (", key_padding_mask=hidden", ""),
            "zeros-instead": (
                "module(x, x, x, key_padding_mask=hidden)",
                "module(*3 * [x.masked_fill(hidden[..., None], 0.0)])",
            ),
            "floats": ("key_padding_mask=hidden", "key_padding_mask=hidden.float()"),
            "floats-of-the-goods": ("key_padding_mask=hidden", "key_padding_mask=(~hidden).float()"),
            "weights-instead": ("[0]", "[1]"),
            "one-too-few-inverted": (">=", "<="),
            "causal-as-well": (
                "key_padding_mask=hidden",
                "key_padding_mask=hidden, attn_mask=torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)",
            ),
            "first-length": ("lengths[:, None]", "lengths[:1, None].expand(len(x), 1)"),
            "shortest-length": ("lengths[:, None]", "lengths.min().expand(len(x), 1)"),
            "heads-apart": (
                "key_padding_mask=hidden",
                "attn_mask=hidden[:, None].expand(-1, x.shape[1], -1).repeat(module.num_heads, 1, 1)",
            ),
            "zeros-inside": ("[0]", "[0].masked_fill(hidden[..., None], 0.0)"),
        },
    ),
)


# 4.4 Causal in training only.


class _Reader(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(size, size) for _ in range(3))

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(-2, -1) / math.sqrt(x.shape[-1])
        future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        weights = torch.softmax(scores.masked_fill(future, -math.inf), dim=-1)
        return weights @ self.value(x)


def _layers_and_inputs(generator):
    drawn = []
    for shape in [(2, 5, 3), (3, 4, 6)]:
        size = shape[-1]
        state = [torch.randn(dims, generator=generator) for _ in range(3) for dims in ((size, size), (size,))]
        drawn.append((torch.randn(shape, generator=generator), state))
    return drawn


def _in_both_modes(answer, x, state):
    """What the layer gives in training and in evaluation, with the same parameters."""
    layer = answer(x.shape[-1])
    with torch.no_grad():
        for place, name in enumerate(("query", "key", "value")):
            getattr(layer, name).weight.copy_(state[2 * place])
            getattr(layer, name).bias.copy_(state[2 * place + 1])
        found: dict = {}
        for mode in ("training", "evaluation"):
            tried = copy.deepcopy(layer).train(mode == "training")
            found[mode] = tried(x)
            found[f"still in {mode} afterwards"] = tried.training == (mode == "training")
        return found


def _by_prefixes(x, state):
    query, key, value = (F.linear(x, *state[place : place + 2]) for place in (0, 2, 4))
    steps = range(1, x.shape[1] + 1)
    context = torch.cat(
        [F.scaled_dot_product_attention(query[:, n - 1 : n], key[:, :n], value[:, :n]) for n in steps], dim=1
    )
    return {
        "training": context,
        "still in training afterwards": True,
        "evaluation": context,
        "still in evaluation afterwards": True,
    }


ONLY_IN_TRAINING = write(
    "4.4",
    oracle=_by_prefixes,
    inputs=_layers_and_inputs,
    call=_in_both_modes,
    mistakes=edited(
        _Reader,
        {
            "unchanged": ("(future,", "(future & self.training,"),
            "only-in-evaluation": ("(future,", "(future & (not self.training),"),
            "never": ("scores.masked_fill(future, -math.inf)", "scores"),
            "not-itself": ("triu(1)", "triu(0)"),
            "inverted": ("triu(1)", "tril(0)"),
            "looks-ahead": ("triu(1)", "tril(-1)"),
            "one-ahead": ("triu(1)", "triu(2)"),
            "no-root": (" / math.sqrt(x.shape[-1])", ""),
            "no-root-no-mask": [
                (" / math.sqrt(x.shape[-1])", ""),
                ("scores.masked_fill(future, -math.inf)", "scores"),
            ],
            "root-of-the-length": ("x.shape[-1]", "x.shape[-2]"),
            "value-is-x": ("self.value(x)", "x"),
            "query-and-key-swapped": (
                "self.query(x) @ self.key(x).transpose(-2, -1)",
                "self.key(x) @ self.query(x).transpose(-2, -1)",
            ),
            "switches-mode": ("(future,", "(future & self.train().training,"),
            "switches-to-evaluation": ("(future,", "(future | self.eval().training,"),
            "scores-times-mask": ("scores.masked_fill(future, -math.inf)", "scores * ~future"),
            "over-queries": ("dim=-1", "dim=-2"),
            "after-softmax": [
                ("scores.masked_fill(future, -math.inf)", "scores"),
                ("weights @", "weights * ~future @"),
            ],
        },
    ),
)


# 4.5 Predict.


def _values():
    real = torch.arange(6) < torch.tensor([6, 4])[:, None]
    causal = torch.ones(6, 6, dtype=torch.bool).tril()
    both = real[:, None] & causal
    equal, unit = torch.zeros(6), torch.eye(6)[None]
    first = F.scaled_dot_product_attention(torch.ones(1, 1, 6), torch.ones(1, 6, 6), unit, is_causal=True)
    return {
        "shape": tuple(both.shape),
        "causal pairs": int(causal.sum()),
        "joined pairs": int(both[1].sum()),
        "hidden before": float(equal.masked_fill(~real[1], -math.inf).softmax(-1)[0]),
        "hidden after": float((equal.softmax(-1) * real[1]).sum()),
        "filled with −1e9": float(torch.full((6,), -1e9).softmax(-1)[0]),
        "is_causal": int((first > 0).sum()),
    }


VALUES = predict(
    "4.5",
    truth=_values,
    mistakes={
        "batch-lost": {"shape": (6, 6)},
        "axis-of-1-kept": {"shape": (2, 1, 6)},
        "no-query-axis": {"shape": (2, 6)},
        "all-pairs": {"causal pairs": 36},
        "diagonal-forgotten": {"causal pairs": 15},
        "half-of-all": {"causal pairs": 18},
        "joined-as-long": {"joined pairs": 21},
        "padded-rows-hidden": {"joined pairs": 10},
        "padding-only": {"joined pairs": 24},
        "goods-by-goods": {"joined pairs": 16},
        "padding-still-in-the-sum": {"hidden before": 1 / 6},
        "before-is-zero": {"hidden before": 0.0},
        "before-is-one": {"hidden before": 1.0},
        "after-is-before": {"hidden after": 1.0},
        "what-is-lost": {"hidden after": 1 / 3},
        "one-good-after": {"hidden after": 1 / 6},
        "hidden-means-zero": {"filled with −1e9": 0.0},
        "hidden-means-one": {"filled with −1e9": 1.0},
        "bottom-right": {"is_causal": 6},
        "nothing-seen": {"is_causal": 0},
    },
)


# 4.6 Translate for several heads.


def _masks_and_heads(generator):
    drawn = []
    for shape, heads in [((2, 3, 5), 4), ((3, 4, 6), 2)]:
        mask = torch.rand(shape, generator=generator) < 0.5
        mask[0, 0, 0], mask[1, 0, 0] = True, False  # so that two baskets always differ
        drawn.append((mask, heads))
    return drawn


def _head_by_head(mask, heads):
    return torch.stack([~basket for basket in mask for _ in range(heads)])


TRANSLATE = write(
    "4.6",
    oracle=_head_by_head,
    inputs=_masks_and_heads,
    mistakes={
        "not-turned": lambda mask, heads: mask.repeat_interleave(heads, dim=0),
        "heads-apart": lambda mask, heads: (~mask).repeat(heads, 1, 1),
        "both": lambda mask, heads: mask.repeat(heads, 1, 1),
        "heads-forgotten": lambda mask, heads: ~mask,
        "own-axis": lambda mask, heads: (~mask)[:, None].expand(-1, heads, -1, -1),
        "queries-repeated": lambda mask, heads: (~mask).repeat_interleave(heads, dim=1),
        "floats": lambda mask, heads: (~mask).float().repeat_interleave(heads, dim=0),
        "own-axis-not-turned": lambda mask, heads: mask[:, None].expand(-1, heads, -1, -1),
        "keys-repeated": lambda mask, heads: (~mask).repeat_interleave(heads, dim=2),
        "floats-not-turned": lambda mask, heads: mask.float().repeat_interleave(heads, dim=0),
        "heads-first": lambda mask, heads: (~mask)[None].expand(heads, -1, -1, -1),
        "axes-swapped": lambda mask, heads: (~mask).mT.repeat_interleave(heads, dim=0),
        "one-head-too-few": lambda mask, heads: (~mask).repeat_interleave(heads - 1, dim=0),
    },
)


# 4.7 Break the late mask.


def _late(answer):
    return _renormalised(*answer)


def _is_scores(scores):
    return isinstance(scores, torch.Tensor) and scores.shape == (4,) and scores.dtype == torch.float32


LATE_MASK = prove(
    "4.7",
    requirements={
        "scores": lambda answer: _is_scores(answer[0]),
        "small-enough": lambda answer: bool((answer[0].abs() <= 300).all()),
        "mask": lambda answer: (
            isinstance(answer[1], torch.Tensor) and answer[1].dtype == torch.bool and answer[1].shape == (4,)
        ),
        "two-visible": lambda answer: int(answer[1].sum()) >= 2,
        "something-hidden": lambda answer: not bool(answer[1].all()),
        "hidden-is-largest": lambda answer: bool(answer[0][~answer[1]].max() > answer[0][answer[1]].max()),
        "nan": lambda answer: bool(_late(answer).isnan().any()),
    },
)

EXERCISES = [MASKED_SOFTMAX, CAUSAL, INVERTED, ONLY_IN_TRAINING, VALUES, TRANSLATE, LATE_MASK]
