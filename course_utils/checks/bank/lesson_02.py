"""Exercises of lesson 02: the three rules, the two ways in which rule 1 is blind, and joining context and query."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.scores import ConcatTanhSum
from course_utils.checks.bank.parts import as_double, draw, rows_sum_to_one
from course_utils.checks.forms import edited, prove, write

# 2.1 Rules 1 and 2: pairs are built literally in the oracle, with a loop over queries and keys.


def _concatenation_oracle(query: Tensor, key: Tensor, weight: Tensor, bias: Tensor, squash: bool) -> Tensor:
    scores = torch.zeros(len(query), query.shape[1], key.shape[1])
    for b, i, j in torch.cartesian_prod(*(torch.arange(size) for size in scores.shape)).tolist():
        hidden = weight @ torch.cat([query[b, i], key[b, j]]) + bias
        scores[b, i, j] = (torch.tanh(hidden) if squash else hidden).sum()
    return torch.softmax(scores, dim=-1)


def _draw_concatenation(generator: torch.Generator) -> list[tuple]:
    def case(batch: int, queries: int, keys: int, query_size: int, key_size: int, hidden: int, squash: bool) -> tuple:
        sizes = [(batch, queries, query_size), (batch, keys, key_size), (hidden, query_size + key_size), (hidden,)]
        return *(0.7 * torch.randn(size, generator=generator) for size in sizes), squash

    return [case(2, 3, 5, 4, 4, 6, True), case(3, 2, 4, 5, 3, 7, True), case(2, 4, 3, 6, 5, 7, False)]


def _pairs(query: Tensor, key: Tensor) -> Tensor:
    """Every [query; key], literally."""
    shape = (*query.shape[:-1], key.shape[-2])
    return torch.cat([query[..., None, :].expand(*shape, -1), key[..., None, :, :].expand(*shape, -1)], dim=-1)


def _halves(query: Tensor, key: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """What the two halves of the weight make of queries and of keys: (…, query, 1, hidden), (…, 1, key, hidden)."""
    for_query, for_key = weight.split([query.shape[-1], key.shape[-1]], dim=1)
    return (query @ for_query.T)[..., None, :], (key @ for_key.T)[..., None, :, :]


def _concatenate(query: Tensor, key: Tensor, weight: Tensor, bias: Tensor, squash: bool) -> Tensor:
    hidden = _pairs(query, key) @ weight.T + bias
    features = torch.tanh(hidden) if squash else hidden
    return torch.softmax(features.sum(-1), dim=-1)


CONCATENATION = write(
    "2.1",
    oracle=_concatenation_oracle,
    inputs=_draw_concatenation,
    properties={"rows-sum-to-one": rows_sum_to_one},
    mistakes=edited(
        _concatenate,
        {
            "tanh-after-sum": ("tanh(hidden)", "tanh(hidden.sum(-1, keepdim=True))"),
            "no-tanh": ("torch.tanh(hidden) if squash else hidden", "hidden"),
            "always-tanh": (" if squash else hidden", ""),
            "key-first": ("_pairs(query, key)", "_pairs(key, query).transpose(-3, -2)"),
            "no-bias": (" + bias", ""),
            "mean-for-sum": (".sum(-1)", ".mean(-1)"),
            "squash-inverted": ("if squash", "if not squash"),
            "over-queries": ("dim=-1", "dim=-2"),
            "no-softmax": ("torch.softmax(features.sum(-1), dim=-1)", "features.sum(-1)"),
            "only-element-0": ("features.sum(-1)", "features.sum(-1)[0]"),
            "hidden-kept": ("features.sum(-1)", "features"),
            "softmax-before-sum": (
                "torch.softmax(features.sum(-1), dim=-1)",
                "torch.softmax(features, dim=-1).sum(-1)",
            ),
            "halves-squashed": [
                ("hidden = _pairs(query, key) @ weight.T + bias", "halves = _halves(query, key, weight)"),
                (
                    "torch.tanh(hidden) if squash else hidden",
                    "(torch.tanh(halves[0]) + torch.tanh(halves[1]) if squash else sum(halves)) + bias",
                ),
            ],
            "key-first-no-bias": [
                ("_pairs(query, key)", "_pairs(key, query).transpose(-3, -2)"),
                (" + bias", ""),
            ],
            "mean-over-queries": [(".sum(-1)", ".mean(-1)"), ("dim=-1", "dim=-2")],
            "no-bias-over-queries": [(" + bias", ""), ("dim=-1", "dim=-2")],
        },
    ),
)


# 2.2 Rule 3: the oracle is PyTorch's fused attention with the identity as values.


def _scaled_dot_oracle(query: Tensor, key: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(query, key, torch.eye(key.shape[1]).expand(len(key), -1, -1))


def _scaled_dot(query: Tensor, key: Tensor) -> Tensor:
    scores = query @ key.transpose(-2, -1)
    return torch.softmax(scores / math.sqrt(query.shape[-1]), dim=-1)


RULE_3 = write(
    "2.2",
    oracle=_scaled_dot_oracle,
    inputs=lambda generator: [draw(generator, (2, 3, 8), (2, 5, 8)), draw(generator, (3, 4, 6), (3, 2, 6))],
    properties={"rows-sum-to-one": rows_sum_to_one},
    mistakes=edited(
        _scaled_dot,
        {
            "no-root": (" / math.sqrt(query.shape[-1])", ""),
            "root-of-keys": ("query.shape[-1]", "key.shape[1]"),
            "root-of-queries": ("query.shape[-1]", "query.shape[1]"),
            "size-without-root": ("math.sqrt(query.shape[-1])", "query.shape[-1]"),
            "half-the-size": ("math.sqrt(query.shape[-1])", "(query.shape[-1] / 2)"),
            "size-and-two": ("math.sqrt(query.shape[-1])", "query.shape[-1] / 2"),
            "reshaped": ("key.transpose(-2, -1)", "key.reshape(len(key), key.shape[2], -1)"),
            "softmax-twice": [("return torch", "return torch.softmax(torch"), ("dim=-1)", "dim=-1), dim=-1)")],
            "multiplied": ("scores /", "scores *"),
            "root-after-softmax": (" / math.sqrt(query.shape[-1]), dim=-1)", ", dim=-1) / math.sqrt(query.shape[-1])"),
            "cosine": [
                (
                    "query @ key.transpose(-2, -1)",
                    "F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(-2, -1)",
                ),
                (" / math.sqrt(query.shape[-1])", ""),
            ],
            "over-queries": ("dim=-1", "dim=-2"),
            "no-softmax": [("torch.softmax(", "("), (", dim=-1", "")],
            "only-element-0": ("query @ key.", "query[0] @ key[0]."),
            "all-axes-turned": ("key.transpose(-2, -1)", "key.permute(2, 1, 0)"),
            "not-transposed": ("key.transpose(-2, -1)", "key"),
            "keys-ask": ("query @ key.transpose(-2, -1)", "key @ query.transpose(-2, -1)"),
            "over-the-batch": ("dim=-1", "dim=0"),
            "root-of-batch": ("query.shape[-1]", "query.shape[0]"),
            "no-root-over-queries": [(" / math.sqrt(query.shape[-1])", ""), ("dim=-1", "dim=-2")],
            "no-root-no-softmax": ("torch.softmax(scores / math.sqrt(query.shape[-1]), dim=-1)", "scores"),
        },
    ),
)


# 2.3 A customer whom rule 1 serves wrong.


def _tensors(answer: Any, **shapes: tuple[int, ...]) -> bool:
    """Whether an answer is a dict that holds numbers of these shapes, as tensors or as lists."""
    try:
        return all(tuple(as_double(answer[name]).shape) == shape for name, shape in shapes.items())
    except (KeyError, TypeError, ValueError, RuntimeError):
        return False


def _rule_1(answer: dict) -> tuple[Tensor, Tensor]:
    """The parts of rule 1's scores that come from the queries and from the keys."""
    weight = as_double(answer["weight"])
    return as_double(answer["query"]) @ weight[:3], as_double(answer["key"]) @ weight[3:]


def _wishes(answer: dict) -> list[int]:
    return (as_double(answer["query"]) @ as_double(answer["key"]).T).argmax(-1).tolist()


CANCELS = prove(
    "2.3",
    requirements={
        "shapes": lambda answer: _tensors(answer, query=(2, 3), key=(4, 3), weight=(6,)),
        "different-wishes": lambda answer: _wishes(answer)[0] != _wishes(answer)[1],
        "query-has-a-say": lambda answer: bool((_rule_1(answer)[0].diff().abs() >= 5).all()),
        "sure": lambda answer: float(torch.softmax(_rule_1(answer)[1], dim=-1).max()) >= 0.9,
        "first-is-served": lambda answer: int(_rule_1(answer)[1].argmax()) == _wishes(answer)[0],
    },
)


# 2.4 The module of fixed width.


def _repaired_oracle(query: Tensor, key: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return _concatenation_oracle(query[:, None], key, weight, bias, True)[:, 0]


def _mended(query: Tensor, key: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    hidden = (_pairs(query[:, None], key) @ weight.T + bias)[:, 0]  # (batch, key, hidden)
    return torch.softmax(torch.tanh(hidden).sum(-1), dim=-1)


def _draw_shops(generator: torch.Generator) -> list[tuple]:
    one, two = [(2, 3), (2, 5, 3), (4, 6), (4,)], [(3, 2), (3, 4, 2), (6, 4), (6,)]  # query, key, weight, bias
    return [draw(generator, *one), draw(generator, *two)]


FIXED_WIDTH = write(
    "2.4",
    oracle=_repaired_oracle,
    inputs=_draw_shops,
    properties={"rows-sum-to-one": rows_sum_to_one},
    mistakes=edited(
        _mended,
        {
            "unchanged": [
                (
                    "(_pairs(query[:, None], key) @ weight.T + bias)[:, 0]",
                    "weight @ torch.cat([query[0], key[0, 0]]) + bias",
                ),
                ("torch.tanh(hidden).sum(-1)", "hidden"),
            ],
            "still-first-key": ("torch.tanh(hidden).sum(-1)", "hidden[:, 0]"),
            "still-element-0": ("tanh(hidden)", "tanh(hidden[0])"),
            "no-tanh": ("torch.tanh(hidden)", "hidden"),
            "tanh-after-sum": ("torch.tanh(hidden).sum(-1)", "torch.tanh(hidden.sum(-1))"),
            "summed-over-keys": ("sum(-1)", "sum(1)"),
            "over-shops": ("dim=-1", "dim=0"),
            "no-softmax": ("torch.softmax(torch.tanh(hidden).sum(-1), dim=-1)", "torch.tanh(hidden).sum(-1)"),
            "key-first": ("@ weight.T", "@ weight.roll(query.shape[-1], 1).T"),
            "still-places": ("torch.tanh(hidden).sum(-1)", "hidden"),
            "places-squashed": ("torch.tanh(hidden).sum(-1)", "torch.tanh(hidden)"),
            "first-key-squashed": ("torch.tanh(hidden).sum(-1)", "torch.tanh(hidden[:, 0])"),
            "first-key-summed": ("tanh(hidden)", "tanh(hidden[:, 0])"),
            "element-0-no-tanh": ("torch.tanh(hidden)", "hidden[0]"),
            "element-0-places": ("torch.tanh(hidden).sum(-1)", "hidden[0]"),
            "query-of-shop-0": ("query[:, None]", "query[:1, None].expand(len(key), 1, -1)"),
            "no-bias": (" + bias", ""),
            "mean-for-sum": ("sum(-1)", "mean(-1)"),
            "softmax-before-sum": (
                "torch.softmax(torch.tanh(hidden).sum(-1), dim=-1)",
                "torch.softmax(torch.tanh(hidden), dim=-1).sum(-1)",
            ),
        },
    ),
)


# 2.5 Customers on whom the dot product loses.


def _measured(result: dict) -> dict[str, float]:
    generator = torch.Generator().manual_seed(7)
    query, key, wanted = result["draw"](600, generator)
    with torch.no_grad():
        rule, stranger = result["rule"](query, key), result["rule"](query.roll(1, 0), key)
    hit = {"rule": rule, "stranger": stranger, "dot": query @ key.transpose(-2, -1)}
    shares = {name: (scores[:, 0].argmax(-1) == wanted).double().mean().item() for name, scores in hit.items()}
    return shares | {"rarest": wanted.bincount(minlength=6).min().item() / 600}


def _shapes_of_draw(result: dict) -> bool:
    if not isinstance(result, dict) or not callable(result.get("draw")):
        return False
    if not isinstance(result.get("rule"), ConcatTanhSum):
        return False
    drawn = result["draw"](9, torch.Generator().manual_seed(7))
    return isinstance(drawn, tuple) and [tuple(part.shape) for part in drawn] == [(9, 1, 4), (9, 6, 4), (9,)]


DOT_LOSES = prove(
    "2.5",
    requirements={
        "shapes": _shapes_of_draw,
        "every-place": lambda result: _measured(result)["rarest"] >= 0.05,
        "dot-loses": lambda result: _measured(result)["dot"] <= 0.4,
        "rule-2-wins": lambda result: _measured(result)["rule"] >= 0.85,
        "query-counts": lambda result: _measured(result)["stranger"] <= 0.6,
    },
)


# 2.6 Join context and query.


def _run_joined(answer, query: Tensor, key: Tensor, value: Tensor, weight: Tensor, bias: Tensor):
    """Builds the learner's module, gives its projection the parameters of this case, and runs it."""
    if isinstance(answer, nn.Module):
        raise TypeError("check the class itself, Joined, not a module that was made from it")
    module = answer(query.shape[-1], value.shape[-1], len(bias))
    projection, sizes = getattr(module, "projection", None), (query.shape[-1], value.shape[-1])
    if isinstance(projection, nn.LazyLinear):
        module(query, key, value)  # now it knows its size
    if projection is None:
        raise AttributeError("your module has no `self.projection`", name="projection", obj=module)
    if not isinstance(projection, nn.Linear) or projection.bias is None:
        raise TypeError("self.projection should be an nn.Linear with bias")
    if projection.in_features not in (sizes[1], sum(sizes)):
        raise ValueError(
            f"self.projection takes {projection.in_features} numbers; with query size {sizes[0]} and value size "
            f"{sizes[1]} the pair has {sum(sizes)}"
        )
    with torch.no_grad():  # a projection of the context alone gets the context's columns
        module.projection.weight.copy_(weight[:, : module.projection.in_features])
        module.projection.bias.copy_(bias)
    return module(query, key, value)


def _joined_oracle(query: Tensor, key: Tensor, value: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    weights = _scaled_dot_oracle(query, key)
    context = F.scaled_dot_product_attention(query, key, value)
    size = value.shape[-1]
    return context @ weight[:, :size].T + query @ weight[:, size:].T + bias, weights


def _draw_joined(generator: torch.Generator) -> list[tuple]:
    return [  # query, key, value, weight, bias
        draw(generator, (2, 3, 6), (2, 4, 6), (2, 4, 5), (7, 11), (7,)),
        draw(generator, (3, 4, 5), (3, 2, 5), (3, 2, 6), (8, 11), (8,)),
    ]


class _Joined(nn.Module):
    def __init__(self, query_size: int, value_size: int, output_size: int) -> None:
        super().__init__()
        self.projection = nn.Linear(value_size + query_size, output_size)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        weights = torch.softmax(query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]), dim=-1)
        joined = torch.cat([weights @ value, query], -1)
        return self.projection(joined), weights


JOINED = write(
    "2.6",
    oracle=_joined_oracle,
    inputs=_draw_joined,
    call=_run_joined,
    mistakes=edited(
        _Joined,
        {
            "context-replaces-query": [
                ("value_size + query_size", "value_size"),
                ("torch.cat([weights @ value, query], -1)", "weights @ value"),
            ],
            "query-first": ("[weights @ value, query]", "[query, weights @ value]"),
            "with-tanh": ("self.projection(joined)", "torch.tanh(self.projection(joined))"),
            "output-only": ("(joined), weights", "(joined)"),
            "context-not-projected": ("self.projection(joined)", "joined"),
            "no-root": (" / math.sqrt(query.shape[-1])", ""),
            "over-queries": ("dim=-1", "dim=-2"),
            "query-first-with-tanh": [
                ("[weights @ value, query]", "[query, weights @ value]"),
                ("self.projection(joined)", "torch.tanh(self.projection(joined))"),
            ],
            "output-only-with-tanh": ("self.projection(joined), weights", "torch.tanh(self.projection(joined))"),
            "projection-without-bias": ("output_size)\n\n", "output_size, bias=False)\n\n"),
            "another-size": ("value_size + query_size", "2 * query_size"),
            "pair-squashed": ("self.projection(joined)", "self.projection(torch.tanh(joined))"),
        },
    )
    | {"a-module-for-the-class": _Joined(2, 2, 2)},
)


# Further.


def _bilinear_oracle(query: Tensor, key: Tensor, weight: Tensor) -> Tensor:
    layer = nn.Bilinear(*weight.shape, 1, bias=False)
    shape = (*query.shape[:-1], key.shape[-2])
    pairs = query[:, :, None].expand(*shape, -1), key[:, None].expand(*shape, -1)
    with torch.no_grad():
        layer.weight.copy_(weight[None])
        return torch.softmax(layer(*(part.contiguous() for part in pairs)).squeeze(-1), dim=-1)


def _draw_bilinear(generator: torch.Generator) -> list[tuple]:
    one, two = [(2, 3, 5), (2, 4, 5), (5, 5)], [(3, 2, 4), (3, 5, 6), (4, 6)]  # query, key, weight
    return [draw(generator, *one), draw(generator, *two)]


def _bilinear(query: Tensor, key: Tensor, weight: Tensor) -> Tensor:
    scores = query @ weight @ key.transpose(-2, -1)
    return torch.softmax(scores, dim=-1)


BILINEAR = write(
    "2.7",
    oracle=_bilinear_oracle,
    inputs=_draw_bilinear,
    properties={"rows-sum-to-one": rows_sum_to_one},
    mistakes=edited(
        _bilinear,
        {
            "transposed": ("@ weight @", "@ weight.T @"),
            "with-root": ("torch.softmax(scores", "torch.softmax(scores / math.sqrt(query.shape[-1])"),
            "over-queries": ("dim=-1", "dim=-2"),
            "no-softmax": ("torch.softmax(scores, dim=-1)", "scores"),
            "only-element-0": ("softmax(scores", "softmax(scores[0]"),
            "all-axes-turned": ("key.transpose(-2, -1)", "key.permute(2, 1, 0)"),
            "root-of-the-keys-size": ("torch.softmax(scores", "torch.softmax(scores / math.sqrt(key.shape[-1])"),
            "transposed-over-queries": [("@ weight @", "@ weight.T @"), ("dim=-1", "dim=-2")],
        },
    ),
)


def _orders(answer: dict) -> tuple[Tensor, Tensor]:
    query, key = as_double(answer["query"]), as_double(answer["key"])
    return F.cosine_similarity(query, key, dim=-1), (query @ key.T)[0] / math.sqrt(query.shape[-1])


def _apart(scores: Tensor) -> bool:
    return float(scores.sort().values.diff().min()) >= 0.1


ORDERS = prove(
    "2.8",
    requirements={
        "shapes": lambda answer: _tensors(answer, query=(1, 2), key=(3, 2)),
        "angles-differ": lambda answer: _apart(_orders(answer)[0]),
        "dot-products-differ": lambda answer: _apart(_orders(answer)[1]),
        "best-differs": lambda answer: int(_orders(answer)[0].argmax()) != int(_orders(answer)[1].argmax()),
        "reversed": lambda answer: torch.equal(_orders(answer)[0].argsort(), _orders(answer)[1].argsort().flip(0)),
    },
)


def _jacobian_oracle(scores: Tensor) -> Tensor:
    rows = scores.reshape(-1, scores.shape[-1])
    found = [torch.autograd.functional.jacobian(lambda row: torch.softmax(row, dim=-1), row) for row in rows]
    return torch.stack(found).reshape(*scores.shape, scores.shape[-1])


def _outer(p: Tensor) -> Tensor:
    return p[..., :, None] * p[..., None, :]


def _from_weights(formula):
    return lambda scores: formula(torch.softmax(scores, dim=-1))


JACOBIAN = write(
    "2.9",
    oracle=_jacobian_oracle,
    inputs=lambda generator: [draw(generator, shape) for shape in [(4,), (3, 5), (2, 3, 6)]],
    properties={
        "rows-sum-to-zero": lambda case, found: bool((found.sum(-1).abs() < 1e-4).all()),
    },
    mistakes={
        "only-the-diagonal": _from_weights(lambda p: torch.diag_embed(p * (1 - p))),
        "plus": _from_weights(lambda p: torch.diag_embed(p) + _outer(p)),
        "no-diagonal": _from_weights(lambda p: -_outer(p)),
        "ones-on-the-diagonal": _from_weights(lambda p: torch.eye(p.shape[-1]) - _outer(p)),
        "weights-alone": _from_weights(torch.diag_embed),
        "square-taken-twice": _from_weights(lambda p: torch.diag_embed(p * (1 - p)) - _outer(p)),
        "one-minus-p": _from_weights(lambda p: torch.diag_embed(1 - p) - _outer(p)),
        "a-row-for-a-matrix": _from_weights(lambda p: p * (1 - p)),
        "scores-for-weights": lambda scores: torch.diag_embed(scores) - _outer(scores),
    },
)

EXERCISES = [CONCATENATION, RULE_3, CANCELS, FIXED_WIDTH, DOT_LOSES, JOINED, BILINEAR, ORDERS, JACOBIAN]
