"""Exercises of lesson 02: the three rules, the two ways in which rule 1 is blind, and joining context and query."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.scores import ConcatTanhSum
from course_utils.checks.forms import prove, write


def _rows_sum_to_one(arguments: tuple, weights: Tensor) -> bool:
    return torch.allclose(weights.sum(-1), torch.ones_like(weights.sum(-1)), atol=1e-4)


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


def _concatenation(step, softmax=lambda scores: torch.softmax(scores, -1), pairs=_pairs, with_bias=1.0):
    """A wrong answer to 2.1: `step(hidden, squash)` gives scores from what the linear layer put out."""
    return lambda query, key, weight, bias, squash: softmax(
        step(pairs(query, key) @ weight.T + with_bias * bias, squash)
    )


def _squash_and_sum(hidden: Tensor, squash: bool) -> Tensor:
    return (torch.tanh(hidden) if squash else hidden).sum(-1)


CONCATENATION = write(
    "2.1",
    oracle=_concatenation_oracle,
    inputs=_draw_concatenation,
    properties={"rows-sum-to-one": _rows_sum_to_one},
    mistakes={
        "tanh-after-sum": _concatenation(
            lambda hidden, squash: torch.tanh(hidden.sum(-1)) if squash else hidden.sum(-1)
        ),
        "no-tanh": _concatenation(lambda hidden, squash: hidden.sum(-1)),
        "always-tanh": _concatenation(lambda hidden, squash: torch.tanh(hidden).sum(-1)),
        "key-first": _concatenation(_squash_and_sum, pairs=lambda q, k: _pairs(k, q).transpose(-3, -2)),
        "no-bias": _concatenation(_squash_and_sum, with_bias=0.0),
        "mean-for-sum": _concatenation(lambda hidden, squash: (torch.tanh(hidden) if squash else hidden).mean(-1)),
        "squash-inverted": _concatenation(lambda hidden, squash: _squash_and_sum(hidden, not squash)),
        "over-queries": _concatenation(_squash_and_sum, lambda s: torch.softmax(s, -2)),
        "no-softmax": _concatenation(_squash_and_sum, lambda scores: scores),
        "only-element-0": _concatenation(_squash_and_sum, lambda s: torch.softmax(s[0], -1)),
    },
)


# 2.2 Rule 3: the oracle is PyTorch's fused attention with the identity as values.


def _scaled_dot_oracle(query: Tensor, key: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(query, key, torch.eye(key.shape[1]).expand(len(key), -1, -1))


def _divided(divisor, dim: int = -1):
    return lambda query, key: torch.softmax(query @ key.transpose(-2, -1) / divisor(query, key), dim)


def _root(query: Tensor, key: Tensor) -> float:
    return math.sqrt(query.shape[-1])


def _draw_rule_3(generator: torch.Generator) -> list[tuple]:
    shapes = [(2, 3, 5, 8), (3, 4, 2, 6)]
    return [
        (torch.randn(b, q, size, generator=generator), torch.randn(b, k, size, generator=generator))
        for b, q, k, size in shapes
    ]


RULE_3 = write(
    "2.2",
    oracle=_scaled_dot_oracle,
    inputs=_draw_rule_3,
    properties={"rows-sum-to-one": _rows_sum_to_one},
    mistakes={
        "no-root": _divided(lambda query, key: 1.0),
        "root-of-keys": _divided(lambda query, key: math.sqrt(key.shape[1])),
        "root-of-queries": _divided(lambda query, key: math.sqrt(query.shape[1])),
        "size-without-root": _divided(lambda query, key: query.shape[-1]),
        "multiplied": _divided(lambda query, key: 1 / math.sqrt(query.shape[-1])),
        "root-after-softmax": lambda query, key: _divided(lambda q, k: 1.0)(query, key) / _root(query, key),
        "cosine": lambda query, key: torch.softmax(
            F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(-2, -1), dim=-1
        ),
        "over-queries": _divided(_root, dim=-2),
        "no-softmax": lambda query, key: query @ key.transpose(-2, -1) / _root(query, key),
        "only-element-0": lambda query, key: _divided(_root)(query[0], key[0]),
    },
)


# 2.3 A customer whom rule 1 serves wrong.


def _rule_1(answer: dict) -> tuple[Tensor, Tensor]:
    """The parts of rule 1's scores that come from the queries and from the keys."""
    weight = answer["weight"].double()
    return answer["query"].double() @ weight[:3], answer["key"].double() @ weight[3:]


def _wishes(answer: dict) -> list[int]:
    return (answer["query"].double() @ answer["key"].double().T).argmax(-1).tolist()


def _shapes_of_customers(answer: dict) -> bool:
    wanted = {"query": (2, 3), "key": (4, 3), "weight": (6,)}
    return isinstance(answer, dict) and all(
        isinstance(answer.get(name), Tensor) and tuple(answer[name].shape) == shape for name, shape in wanted.items()
    )


CANCELS = prove(
    "2.3",
    requirements={
        "shapes": _shapes_of_customers,
        "different-wishes": lambda answer: _wishes(answer)[0] != _wishes(answer)[1],
        "query-has-a-say": lambda answer: bool((_rule_1(answer)[0].diff().abs() >= 5).all()),
        "sure": lambda answer: float(torch.softmax(_rule_1(answer)[1], dim=-1).max()) >= 0.9,
        "first-is-served": lambda answer: int(_rule_1(answer)[1].argmax()) == _wishes(answer)[0],
    },
)


# 2.4 The module of fixed width.


def _repaired_oracle(query: Tensor, key: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return _concatenation_oracle(query[:, None], key, weight, bias, True)[:, 0]


def _hidden(query: Tensor, key: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return (_pairs(query[:, None], key) @ weight.T + bias)[:, 0]  # (batch, key, hidden)


def _repair(scores):
    """A wrong answer to 2.4: `scores(hidden)` makes scores of what the linear layer put out, (batch, key, hidden)."""
    return lambda *arguments: torch.softmax(scores(_hidden(*arguments)), dim=-1)


def _draw_shops(generator: torch.Generator) -> list[tuple]:
    sizes = [(2, 5, 3, 4), (3, 4, 2, 6)]  # batch, keys, size, hidden
    return [
        tuple(torch.randn(shape, generator=generator) for shape in [(b, s), (b, k, s), (h, 2 * s), (h,)])
        for b, k, s, h in sizes
    ]


FIXED_WIDTH = write(
    "2.4",
    oracle=_repaired_oracle,
    inputs=_draw_shops,
    properties={"rows-sum-to-one": _rows_sum_to_one},
    mistakes={
        "unchanged": lambda query, key, weight, bias: torch.softmax(
            weight @ torch.cat([query[0], key[0, 0]]) + bias, -1
        ),
        "still-first-key": _repair(lambda hidden: hidden[:, 0]),
        "still-element-0": _repair(lambda hidden: torch.tanh(hidden[0]).sum(-1)),
        "no-tanh": _repair(lambda hidden: hidden.sum(-1)),
        "tanh-after-sum": _repair(lambda hidden: torch.tanh(hidden.sum(-1))),
        "summed-over-keys": _repair(lambda hidden: torch.tanh(hidden).sum(1)),
        "over-shops": lambda *arguments: torch.softmax(torch.tanh(_hidden(*arguments)).sum(-1), dim=0),
        "no-softmax": lambda *arguments: torch.tanh(_hidden(*arguments)).sum(-1),
        "key-first": lambda query, key, weight, bias: _repaired_oracle(
            query, key, weight.roll(query.shape[-1], 1), bias
        ),
    },
)


# 2.5 Customers on whom the dot product loses.


def _measured(result: dict) -> dict[str, float]:
    generator = torch.Generator().manual_seed(7)
    query, key, wanted = result["draw"](600, generator)
    with torch.no_grad():
        hit = {
            "rule": result["rule"](query, key), "stranger": result["rule"](query.roll(1, 0), key),
            "dot": query @ key.transpose(-2, -1),
        }  # fmt: skip
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
    sizes = [(2, 3, 4, 6, 5, 7), (3, 4, 2, 5, 6, 8)]  # batch, queries, keys, size, value size, output size
    return [
        tuple(
            torch.randn(shape, generator=generator)
            for shape in [(b, q, size), (b, k, size), (b, k, values), (out, values + size), (out,)]
        )
        for b, q, k, size, values, out in sizes
    ]


def _joined(finish, root=_root, softmax_dim: int = -1, only_context: bool = False):
    """A wrong answer to 2.6: `finish(projection, query, context, weights)` gives what the module returns."""

    class Joined(nn.Module):
        def __init__(self, query_size: int, value_size: int, output_size: int) -> None:
            super().__init__()
            self.projection = nn.Linear(value_size + (0 if only_context else query_size), output_size)

        def forward(self, query: Tensor, key: Tensor, value: Tensor):
            weights = _divided(root, softmax_dim)(query, key)
            return finish(self.projection, query, weights @ value, weights)

    return Joined


def _context_first(projection, query, context, weights):
    return projection(torch.cat([context, query], -1)), weights


JOINED = write(
    "2.6",
    oracle=_joined_oracle,
    inputs=_draw_joined,
    call=_run_joined,
    mistakes={
        "context-replaces-query": _joined(
            lambda projection, query, context, weights: (projection(context), weights), only_context=True
        ),
        "query-first": _joined(
            lambda projection, query, context, weights: (projection(torch.cat([query, context], -1)), weights)
        ),
        "with-tanh": _joined(
            lambda projection, query, context, weights: (
                torch.tanh(projection(torch.cat([context, query], -1))),
                weights,
            )
        ),
        "output-only": _joined(lambda *parts: _context_first(*parts)[0]),
        "context-not-projected": _joined(
            lambda projection, query, context, weights: (torch.cat([context, query], -1), weights)
        ),
        "no-root": _joined(_context_first, root=lambda query, key: 1.0),
        "over-queries": _joined(_context_first, softmax_dim=-2),
    },
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
    sizes = [(2, 3, 4, 5, 5), (3, 2, 5, 4, 6)]  # batch, queries, keys, query size, key size
    return [
        tuple(torch.randn(shape, generator=generator) for shape in [(b, q, m), (b, k, n), (m, n)])
        for b, q, k, m, n in sizes
    ]


def _bilinear(query: Tensor, key: Tensor, weight: Tensor) -> Tensor:
    return query @ weight @ key.transpose(-2, -1)


BILINEAR = write(
    "2.7",
    oracle=_bilinear_oracle,
    inputs=_draw_bilinear,
    properties={"rows-sum-to-one": _rows_sum_to_one},
    mistakes={
        "transposed": lambda query, key, weight: torch.softmax(_bilinear(query, key, weight.T), dim=-1),
        "with-root": lambda query, key, w: torch.softmax(_bilinear(query, key, w) / _root(query, key), dim=-1),
        "over-queries": lambda *case: torch.softmax(_bilinear(*case), dim=-2),
        "no-softmax": _bilinear,
        "only-element-0": lambda query, key, w: torch.softmax(_bilinear(query[0], key[0], w), -1),
    },
)


def _orders(answer: dict) -> tuple[Tensor, Tensor]:
    query, key = answer["query"].double(), answer["key"].double()
    return F.cosine_similarity(query, key, dim=-1), (query @ key.T)[0] / math.sqrt(query.shape[-1])


def _shapes_of_orders(answer: dict) -> bool:
    return (
        isinstance(answer, dict)
        and all(isinstance(answer.get(name), Tensor) for name in ("query", "key"))
        and tuple(answer["query"].shape) == (1, 2)
        and tuple(answer["key"].shape) == (3, 2)
    )


def _apart(scores: Tensor) -> bool:
    return float(scores.sort().values.diff().min()) >= 0.1


ORDERS = prove(
    "2.8",
    requirements={
        "shapes": _shapes_of_orders,
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
    inputs=lambda generator: [(torch.randn(shape, generator=generator),) for shape in [(4,), (3, 5), (2, 3, 6)]],
    properties={
        "rows-sum-to-zero": lambda case, found: bool((found.sum(-1).abs() < 1e-4).all()),
    },
    mistakes={
        "only-the-diagonal": _from_weights(lambda p: torch.diag_embed(p * (1 - p))),
        "plus": _from_weights(lambda p: torch.diag_embed(p) + _outer(p)),
        "no-diagonal": _from_weights(lambda p: -_outer(p)),
        "ones-on-the-diagonal": _from_weights(lambda p: torch.eye(p.shape[-1]) - _outer(p)),
        "scores-for-weights": lambda scores: torch.diag_embed(scores) - _outer(scores),
    },
)

EXERCISES = [CONCATENATION, RULE_3, CANCELS, FIXED_WIDTH, DOT_LOSES, JOINED, BILINEAR, ORDERS, JACOBIAN]
