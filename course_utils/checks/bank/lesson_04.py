"""The exercises of lesson 04: two masks to write, two to mend, one to translate, values, and a late mask to break."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks.forms import predict, prove, write


def _softmax(scores, dim=-1):
    return torch.softmax(scores, dim=dim)


# 4.1


def _scores_and_masks(generator):
    drawn = []
    for shape, mask_shape in [((3, 5), (3, 5)), ((2, 4, 6), (2, 1, 6)), ((2, 3, 4, 7), (4, 7))]:
        mask = torch.rand(mask_shape, generator=generator) < 0.5
        mask[..., 0], mask[..., -1] = True, False
        drawn.append([2 * torch.randn(shape, generator=generator), mask])
    drawn[0][1][1] = False  # a row with nothing to see
    drawn[1][0][..., -1] = 250.0  # a hidden score that swamps the others
    return [tuple(pair) for pair in drawn]


def _by_rows(scores, mask):
    weights, keys = torch.zeros_like(scores), scores.shape[-1]
    seen = mask.expand(scores.shape).reshape(-1, keys)
    for row, visible, out in zip(scores.view(-1, keys), seen, weights.view(-1, keys), strict=True):
        if visible.any():
            out[visible] = _softmax(row[visible])
    return weights


def _fill(scores, mask, value=-math.inf):
    return scores.masked_fill(~mask, value)


def _renormalised(scores, mask):
    weights = _softmax(scores) * mask
    return weights / weights.sum(-1, keepdim=True)


def _in_place(scores, mask):
    return _softmax(scores.masked_fill_(~mask, -math.inf)).masked_fill(~mask, 0.0)


MASKED_SOFTMAX = write(
    "4.1",
    oracle=_by_rows,
    inputs=_scores_and_masks,
    mistakes={
        "nan": lambda scores, mask: _softmax(_fill(scores, mask)),
        "uniform": lambda scores, mask: _softmax(_fill(scores, mask, -1e9)),
        "inverted": lambda scores, mask: _softmax(_fill(scores, ~mask)).masked_fill(mask, 0.0),
        "after-softmax": lambda scores, mask: _softmax(scores) * mask,
        "renormalised": _renormalised,
        "scores-times-mask": lambda scores, mask: _softmax(scores * mask),
        "over-queries": lambda scores, mask: _softmax(_fill(scores, mask), dim=-2).nan_to_num(0.0),
        "in-place": _in_place,
    },
    properties={
        "finite": lambda arguments, result: bool(result.isfinite().all()),
        "hidden-weighs-nothing": lambda arguments, result: bool((result.masked_fill(arguments[1], 0.0) == 0).all()),
    },
)


# 4.2


def _lengths(generator):
    queries = int(torch.randint(2, 5, (), generator=generator))
    return [(4, 4), (queries, queries + 3), (1, 6)]


def _by_places(queries, keys):
    return torch.tensor([[key <= query + keys - queries for key in range(keys)] for query in range(queries)])


def _ones(queries, keys):
    return torch.ones(queries, keys, dtype=torch.bool)


CAUSAL = write(
    "4.2",
    oracle=_by_places,
    inputs=_lengths,
    mistakes={
        "top-left": lambda queries, keys: _ones(queries, keys).tril(),
        "not-itself": lambda queries, keys: _ones(queries, keys).tril(keys - queries - 1),
        "one-ahead": lambda queries, keys: _ones(queries, keys).tril(keys - queries + 1),
        "inverted": lambda queries, keys: _ones(queries, keys).triu(keys - queries + 1),
        "looks-ahead": lambda queries, keys: _ones(queries, keys).triu(keys - queries),
        "numbers": lambda queries, keys: torch.ones(queries, keys).tril(keys - queries),
    },
)


# 4.3


def _modules_and_baskets(generator):
    drawn = []
    for lengths, longest, size, heads in [([3, 6], 6, 4, 2), ([2, 4, 3], 5, 6, 3)]:
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


def _with_padding_mask(hides, prepare=lambda x, lengths: x):
    def answer(module, x, lengths):
        places = torch.arange(x.shape[1])
        prepared = prepare(x, lengths)
        return module(prepared, prepared, prepared, key_padding_mask=hides(places, lengths[:, None]))[0]

    return answer


def _without_padding(x, lengths):
    return x * (torch.arange(x.shape[1]) < lengths[:, None])[..., None]


INVERTED = write(
    "4.3",
    oracle=_basket_by_basket,
    inputs=_modules_and_baskets,
    mistakes={
        "unchanged": _with_padding_mask(lambda places, lengths: places < lengths),
        "one-too-few": _with_padding_mask(lambda places, lengths: places > lengths),
        "one-too-many": _with_padding_mask(lambda places, lengths: places >= lengths - 1),
        "no-mask": lambda module, x, lengths: module(x, x, x)[0],
        "zeros-instead": lambda module, x, lengths: module(*3 * [_without_padding(x, lengths)])[0],
        "zeros-inside": lambda module, x, lengths: _without_padding(
            _with_padding_mask(lambda places, lengths: places >= lengths)(module, x, lengths), lengths
        ),
    },
)


# 4.4


class _Reader(nn.Module):
    """The layer with a mask that a subclass chooses: where scores become −∞."""

    def __init__(self, size):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(size, size) for _ in range(3))

    def hides(self, future):
        return future

    def weights(self, scores, hidden):
        return _softmax(scores.masked_fill(hidden, -math.inf))

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(-2, -1) / math.sqrt(x.shape[-1])
        future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        return self.weights(scores, self.hides(future)) @ self.value(x)


class _OnlyInTraining(_Reader):
    def hides(self, future):
        return future & self.training


class _OnlyInEvaluation(_Reader):
    def hides(self, future):
        return future & (not self.training)


class _Never(_Reader):
    def hides(self, future):
        return future & False


class _NotItself(_Reader):
    def hides(self, future):
        return ~future.T


class _Past(_Reader):
    def hides(self, future):
        return ~future


class _After(_Reader):
    def weights(self, scores, hidden):
        return _softmax(scores) * ~hidden


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
        return {mode: copy.deepcopy(layer).train(mode == "training")(x) for mode in ("training", "evaluation")}


def _by_prefixes(x, state):
    query, key, value = (F.linear(x, *state[place : place + 2]) for place in (0, 2, 4))
    steps = range(1, x.shape[1] + 1)
    context = torch.cat(
        [F.scaled_dot_product_attention(query[:, n - 1 : n], key[:, :n], value[:, :n]) for n in steps], dim=1
    )
    return {"training": context, "evaluation": context}


ONLY_IN_TRAINING = write(
    "4.4",
    oracle=_by_prefixes,
    inputs=_layers_and_inputs,
    call=_in_both_modes,
    mistakes={
        "unchanged": _OnlyInTraining,
        "only-in-evaluation": _OnlyInEvaluation,
        "never": _Never,
        "not-itself": _NotItself,
        "inverted": _Past,
        "after-softmax": _After,
    },
)


# 4.5


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
        "hidden before": float(_softmax(equal.masked_fill(~real[1], -math.inf))[0]),
        "hidden after": float((_softmax(equal) * real[1]).sum()),
        "filled with −1e9": float(_softmax(equal.masked_fill(torch.ones(6, dtype=torch.bool), -1e9))[0]),
        "is_causal": int((first > 0).sum()),
    }


VALUES = predict(
    "4.5",
    truth=_values,
    mistakes={
        "batch-lost": {"shape": (6, 6)},
        "axis-of-1-kept": {"shape": (2, 1, 6)},
        "diagonal-forgotten": {"causal pairs": 15},
        "padded-rows-hidden": {"joined pairs": 10},
        "padding-still-in-the-sum": {"hidden before": 1 / 6},
        "after-is-before": {"hidden after": 1.0},
        "hidden-means-zero": {"filled with −1e9": 0.0},
        "bottom-right": {"is_causal": 6},
    },
)


# 4.6


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
    },
)


# 4.7


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
        "visible-is-largest": lambda answer: bool(answer[0][~answer[1]].max() > answer[0][answer[1]].max()),
        "nan": lambda answer: bool(_late(answer).isnan().any()),
    },
)

EXERCISES = [MASKED_SOFTMAX, CAUSAL, INVERTED, ONLY_IN_TRAINING, VALUES, TRANSLATE, LATE_MASK]
