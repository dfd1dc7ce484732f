"""Answers to the exercises of lesson 02, right and wrong, written independently of the bank."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.attention.scores import ConcatTanhSum

# 2.1: scores pair by pair, with everything that can go wrong as an option.


def rule_by_loops(
    squash_each=True, squash_sum=False, squash_always=False, swap=False, biased=True, over=-1, weigh=True, average=False
):
    def answer(query, key, weight, bias, squash):
        rows = []
        for b in range(query.size(0)):
            for i in range(query.size(1)):
                for j in range(key.size(1)):
                    parts = [key[b, j], query[b, i]] if swap else [query[b, i], key[b, j]]
                    hidden = F.linear(torch.cat(parts), weight, bias if biased else None)
                    if (squash and squash_each) or squash_always:
                        hidden = hidden.tanh()
                    total = hidden.sum() / (len(hidden) if average else 1)
                    rows.append(total.tanh() if squash and squash_sum else total)
        scores = torch.stack(rows).view(query.size(0), query.size(1), key.size(1))
        return scores.softmax(dim=over) if weigh else scores

    return answer


def rule_by_einsum(query, key, weight, bias, squash):
    n = query.shape[-1]
    left = torch.einsum("bqs,hs->bqh", query, weight[:, :n])
    right = torch.einsum("bks,hs->bkh", key, weight[:, n:])
    hidden = left.unsqueeze(2) + right.unsqueeze(1) + bias
    scores = (hidden.tanh() if squash else hidden).sum(dim=3)
    return scores.exp() / scores.exp().sum(dim=2, keepdim=True)


def rule_by_repeating(query, key, weight, bias, squash):
    n, m = query.shape[1], key.shape[1]
    pairs = torch.cat([query.repeat_interleave(m, 1), key.repeat(1, n, 1)], 2)  # (batch, query · key, size + size)
    hidden = F.linear(pairs, weight, bias)
    return F.softmax((torch.tanh(hidden) if squash else hidden).sum(2).unflatten(1, (n, m)), 2)


def hidden_features(query, key, weight, bias):
    size = query.shape[2]
    from_query, from_key = F.linear(query, weight[:, :size]), F.linear(key, weight[:, size:])
    return from_query[:, :, None, :], from_key[:, None, :, :] + bias


def not_summed(query, key, weight, bias, squash):
    hidden = sum(hidden_features(query, key, weight, bias))
    return (hidden.tanh() if squash else hidden).softmax(3)


def bias_outside(query, key, weight, bias, squash):
    hidden = sum(hidden_features(query, key, weight, 0))
    return ((hidden.tanh() if squash else hidden) + bias).sum(3).softmax(2)


def each_half_squashed(query, key, weight, bias, squash):
    one, two = hidden_features(query, key, weight, 0)
    return ((one.tanh() + two.tanh() if squash else one + two) + bias).sum(3).softmax(2)


def rule_of_the_first(query, key, weight, bias, squash):
    return rule_by_loops()(query[:1], key[:1], weight, bias, squash).squeeze(0)


# 2.2


def product_by_loops(divisor, over=2, weigh=True):
    def answer(query, key):
        scores = torch.empty(query.shape[0], query.shape[1], key.shape[1])
        for b, shop in enumerate(query):
            for i, one in enumerate(shop):
                scores[b, i] = torch.stack([(one * other).sum() for other in key[b]]) / divisor(query, key)
        return F.softmax(scores, dim=over) if weigh else scores

    return answer


def by_root(query, key):
    return query.shape[2] ** 0.5


def product_by_broadcasting(query, key):
    products = (query.unsqueeze(2) * key.unsqueeze(1)).sum(3).mul(query.shape[2] ** -0.5)
    return products.exp() / products.exp().sum(2, keepdim=True)


def product_by_bmm(query, key):
    return torch.bmm(query * query.shape[2] ** -0.5, key.mT).softmax(2)


# 2.3


def customers(query, key, weight):
    parts = {"query": query, "key": key, "weight": weight}
    return {name: torch.tensor(part).float() for name, part in parts.items()}


SHELF = [[2, 0, 0], [0, 2, 0], [0, 0, 2], [-2, 0, 0]]
SERVED = customers([[3, 0, 0], [0, 3, 0]], SHELF, [2, 0, 0, 4, 0, 0])
OTHER = customers([[0, 0, 1], [-1, 0, 0]], SHELF, [9, 0, 1, 0, 0, 3.5])
SERVED_WRONG = {
    "shapes": [SERVED | {"weight": torch.zeros(3)}, SERVED | {"key": torch.zeros(2, 3)}, (1, 2, 3)],
    "different-wishes": [customers([[1, 0, 0], [9, 0, 0]], SHELF, [2, 0, 0, 4, 0, 0])],
    "query-has-a-say": [SERVED | {"weight": torch.tensor([0, 0, 0, 4.0, 0, 0])}],
    "sure": [SERVED | {"weight": torch.tensor([2, 0, 0, 0.3, 0, 0])}],
    "first-is-served": [SERVED | {"weight": torch.tensor([2, 0, 0, 0, 4.0, 0])}],
}


# 2.4


def mended_by_loops(squash=True, squash_sum=False, shops=None, first_key=False, over=1, sum_over=2, weigh=True):
    def answer(query, key, weight, bias):
        hidden = torch.stack([
            torch.stack([weight @ torch.cat((query[b], good)) + bias for good in key[b]]) for b in range(len(key))
        ])  # fmt: skip
        if first_key:
            return hidden[:, 0, :].softmax(1)
        scores = (hidden.tanh() if squash else hidden).sum(sum_over)
        scores = scores.tanh() if squash_sum else scores
        if not weigh:
            return scores
        return scores[0].softmax(0) if shops == "first" else scores.softmax(over)

    return answer


def mended_by_halves(query, key, weight, bias):
    size = query.shape[1]
    hidden = F.linear(query, weight[:, :size], bias)[:, None, :] + F.linear(key, weight[:, size:])
    return hidden.tanh().sum(2).softmax(1)


def mended_by_einsum(query, key, weight, bias):
    first, second = weight.tensor_split([query.shape[1]], dim=1)
    hidden = torch.einsum("bs,hs->bh", query, first)[:, None] + torch.einsum("bks,hs->bkh", key, second) + bias
    return F.softmax(torch.einsum("bkh->bk", hidden.tanh()), 1)


def outputs(query, key, weight, bias):
    """What the layer makes of each shop's pairs, (batch, key, hidden)."""
    return F.linear(torch.dstack([torch.stack([query] * key.shape[1], 1), key]), weight, bias)


def left_as_it_was(query, key, weight, bias):
    return F.linear(torch.cat((query[0], key[0][0])), weight, bias).softmax(0)


# 2.5: rule 2 with weights set by hand. Two tanh of opposite direction make a bump where query and key agree.


def bumps(sign, slope=4.0, bias=1.5):
    rule = ConcatTanhSum(4, 4, 8)
    eye = slope * torch.eye(4)
    with torch.no_grad():
        rule.linear.weight.copy_(torch.cat([torch.cat([-sign * eye, eye], 1), torch.cat([sign * eye, -eye], 1)]))
        rule.linear.bias.fill_(bias)
    return rule


def asks(transform):
    def draw(batch, generator):
        key = torch.randn(batch, 6, 4, generator=generator)
        wanted = torch.randint(6, (batch,), generator=generator)
        return transform(key[torch.arange(batch), wanted])[:, None], key, wanted

    return draw


def one_in_the_middle(batch, generator):
    """All keys lie in one direction; the query names a place on the line, always far below the furthest."""
    far = torch.rand(batch, 6, generator=generator).argsort(1).float() + 1.0
    place = torch.randint(1, 4, (batch, 1), generator=generator).float()  # the second, third or fourth on the line
    return (
        place[:, :, None].expand(batch, 1, 4) * 1.0,
        far[:, :, None].expand(batch, 6, 4) * 1.0,
        (far == place).int().argmax(1),
    )


def always_the_first(batch, generator):
    query, key, _ = asks(torch.neg)(batch, generator)
    return -key[:, :1], key, torch.zeros(batch, dtype=torch.long)


def the_largest_first_feature(batch, generator):
    key, query = torch.randn(batch, 6, 4, generator=generator), torch.randn(batch, 1, 4, generator=generator)
    return query, key, key[:, :, 0].argmax(1)


def without_query():
    rule = ConcatTanhSum(4, 4, 1)
    with torch.no_grad():
        rule.linear.weight.copy_(torch.tensor([[0, 0, 0, 0, 0.3, 0, 0, 0]]))
    return rule


OPPOSITE = {"draw": asks(torch.neg), "rule": bumps(-1.0)}
LOSES_WRONG = {
    "shapes": [
        {"draw": asks(torch.neg)}, {"rule": bumps(1.0)}, OPPOSITE | {"rule": nn.Bilinear(4, 4, 1)},
        OPPOSITE | {"draw": lambda batch, generator: asks(torch.neg)(batch, generator)[:2]},
    ],
    "every-place": [{"draw": always_the_first, "rule": bumps(-1.0)}],
    "dot-loses": [{"draw": asks(lambda key: key), "rule": bumps(1.0)}],
    "rule-2-wins": [{"draw": asks(torch.neg), "rule": bumps(1.0)}],
    "query-counts": [{"draw": the_largest_first_feature, "rule": without_query()}],
}  # fmt: skip


# 2.6


def joined_module(order="cq", squash=False, give="both", root=True, over=-1, project=True):
    class Answer(nn.Module):
        def __init__(self, query_size, value_size, output_size):
            super().__init__()
            self.projection = nn.Linear({"c": 0}.get(order, query_size) + value_size, output_size)

        def forward(self, query, key, value):
            scores = torch.einsum("bqs,bks->bqk", query, key)
            weights = F.softmax(scores / query.size(-1) ** 0.5 if root else scores, dim=over)
            parts = {"c": torch.einsum("bqk,bkv->bqv", weights, value), "q": query}
            output = torch.cat([parts[name] for name in order], 2)
            output = self.projection(output) if project else output
            output = output.tanh() if squash else output
            return output if give == "output" else (output, weights)

    return Answer


class JoinedWithFused(nn.Module):
    def __init__(self, query_size, value_size, output_size):
        super().__init__()
        self.projection = nn.LazyLinear(output_size)

    def forward(self, query, key, value):
        context = F.scaled_dot_product_attention(query, key, value)
        ones = torch.eye(key.shape[1]).expand(len(key), -1, -1)
        return self.projection(torch.cat([context, query], 2)), F.scaled_dot_product_attention(query, key, ones)


def joined_otherwise(project, features=lambda query_size, value_size: query_size + value_size, bias=True):
    class Answer(nn.Module):
        def __init__(self, query_size, value_size, output_size):
            super().__init__()
            self.projection = nn.Linear(features(query_size, value_size), output_size, bias=bias)

        def forward(self, query, key, value):
            weights = product_by_bmm(query, key)
            return project(self.projection, torch.bmm(weights, value), query, weights)

    return Answer


class JoinedByLoop(nn.Module):
    def __init__(self, query_size, value_size, output_size):
        super().__init__()
        self.projection = nn.Linear(query_size + value_size, output_size)

    def forward(self, query, key, value):
        outputs, weights = [], []
        for i in range(query.shape[1]):
            row = ((key * query[:, i : i + 1]).sum(2) / math.sqrt(query.shape[2])).softmax(1)
            context = (row[:, :, None] * value).sum(1)
            outputs.append(self.projection(torch.hstack([context, query[:, i]])))
            weights.append(row)
        return torch.stack(outputs, 1), torch.stack(weights, 1)


# 2.7 to 2.9


def bilinear_by_loops(over=2, divisor=1.0, weigh=True):
    def answer(query, key, weight):
        scores = torch.zeros(query.shape[0], query.shape[1], key.shape[1])
        for b in range(scores.shape[0]):
            for i in range(scores.shape[1]):
                for j in range(scores.shape[2]):
                    scores[b, i, j] = torch.outer(query[b, i], key[b, j]).mul(weight).sum()
        if divisor == "root":
            scores = scores / query.shape[-1] ** 0.5
        return scores.softmax(over) if weigh else scores

    return answer


def bilinear_of_pairs(query, key, weight):
    translated = F.linear(query, weight.T)
    return (translated[:, :, None] * key[:, None]).sum(-1).softmax(2)


def orders(query, key):
    return {"query": torch.tensor([query]).float(), "key": torch.tensor(key).float()}


def jacobian_by_loops(own=lambda p, i: p[i], sign=-1.0, across=True, weigh=True):
    def answer(scores):
        flat = scores.reshape(-1, scores.shape[-1])
        found = torch.zeros(*flat.shape, flat.shape[1])
        for row, one in enumerate(flat):
            p = one.softmax(0) if weigh else one
            for i in range(len(p)):
                for j in range(len(p)):
                    if across or i == j:
                        found[row, i, j] += sign * p[i] * p[j]
                    if i == j:
                        found[row, i, j] += own(p, i)
        return found.view(*scores.shape, -1)

    return answer


def jacobian_by_autograd(scores):
    flat = scores.reshape(-1, scores.shape[-1])
    rows = [torch.autograd.functional.jacobian(lambda row: row.softmax(0), row) for row in flat]
    return torch.stack(rows).view(*scores.shape, -1)


def jacobian_by_scaling(scores):
    p = scores.softmax(-1)
    return p.unsqueeze(-1) * (torch.eye(p.shape[-1]) - p.unsqueeze(-2))


RIGHT = {
    "2.1": [rule_by_loops(), rule_by_einsum, rule_by_repeating],
    "2.2": [product_by_loops(by_root), product_by_bmm, product_by_broadcasting],
    "2.3": [SERVED, OTHER, {name: part.tolist() for name, part in SERVED.items()}],
    "2.4": [mended_by_loops(), mended_by_halves, mended_by_einsum],
    "2.5": [
        OPPOSITE,
        {"draw": one_in_the_middle, "rule": bumps(1.0)},
        {"draw": asks(lambda key: -1.05 * key), "rule": bumps(-1.0)},
    ],
    "2.6": [JoinedByLoop, joined_module(), JoinedWithFused],
    "2.7": [
        bilinear_by_loops(),
        lambda q, k, w: torch.einsum("bqm,mn,bkn->bqk", q, w, k).softmax(-1),
        bilinear_of_pairs,
    ],
    "2.8": [
        orders([1, 0], [[1, 0], [2, 2], [4, 8]]),
        orders([0, 2], [[5, 3], [0, 0.5], [0.7, 1]]),
        {"query": [[1, 0]], "key": [[1, 0], [2, 2], [4, 8]]},
    ],
    "2.9": [jacobian_by_loops(), jacobian_by_scaling, jacobian_by_autograd],
}
WRONG = {
    "2.1": {
        "tanh-after-sum": [rule_by_loops(squash_each=False, squash_sum=True)],
        "no-tanh": [rule_by_loops(squash_each=False)],
        "always-tanh": [rule_by_loops(squash_always=True)],
        "key-first": [rule_by_loops(swap=True)],
        "no-bias": [rule_by_loops(biased=False), bias_outside],
        "hidden-kept": [not_summed],
        "softmax-before-sum": [lambda q, k, w, b, squash: not_summed(q, k, w, b, squash).sum(3)],
        "halves-squashed": [each_half_squashed],
        "key-first-no-bias": [rule_by_loops(swap=True, biased=False)],
        "mean-over-queries": [rule_by_loops(average=True, over=1)],
        "no-bias-over-queries": [rule_by_loops(biased=False, over=1)],
        "mean-for-sum": [rule_by_loops(average=True)],
        "squash-inverted": [lambda q, k, w, b, squash: rule_by_einsum(q, k, w, b, not squash)],
        "over-queries": [rule_by_loops(over=1)],
        "no-softmax": [rule_by_loops(weigh=False)],
        "only-element-0": [rule_of_the_first],
    },
    "2.2": {
        "no-root": [product_by_loops(lambda q, k: 1), lambda q, k: torch.bmm(q, k.mT).softmax(2)],
        "root-of-keys": [product_by_loops(lambda q, k: k.size(1) ** 0.5)],
        "root-of-queries": [product_by_loops(lambda q, k: q.size(1) ** 0.5)],
        "size-without-root": [
            product_by_loops(lambda q, k: q.size(2)),
            lambda q, k: product_by_bmm(q * q.size(2) ** -0.5, k),
        ],
        "all-axes-turned": [lambda q, k: torch.matmul(q, k.permute(2, 1, 0)).div(by_root(q, k)).softmax(-1)],
        "not-transposed": [lambda q, k: torch.matmul(q, k).div(by_root(q, k)).softmax(-1)],
        "keys-ask": [lambda q, k: product_by_bmm(k, q)],
        "over-the-batch": [product_by_loops(by_root, over=0)],
        "root-of-batch": [product_by_loops(lambda q, k: len(k) ** 0.5)],
        "no-root-over-queries": [product_by_loops(lambda q, k: 1, over=1)],
        "no-root-no-softmax": [product_by_loops(lambda q, k: 1, weigh=False), lambda q, k: torch.bmm(q, k.mT)],
        "half-the-size": [product_by_loops(lambda q, k: q.size(2) / 2)],
        "size-and-two": [lambda q, k: (torch.bmm(q, k.mT) / q.size(2) ** 1 / 2).softmax(2)],
        "reshaped": [lambda q, k: (q @ k.contiguous().view(len(k), k.size(2), k.size(1)) / by_root(q, k)).softmax(2)],
        "softmax-twice": [lambda q, k: product_by_bmm(q, k).softmax(2)],
        "multiplied": [product_by_loops(lambda q, k: q.size(2) ** -0.5)],
        "root-after-softmax": [lambda q, k: torch.bmm(q, k.mT).softmax(2) / by_root(q, k)],
        "cosine": [lambda q, k: F.cosine_similarity(q[:, :, None], k[:, None], dim=3).softmax(2)],
        "over-queries": [product_by_loops(by_root, over=1)],
        "no-softmax": [product_by_loops(by_root, weigh=False)],
        "only-element-0": [lambda q, k: product_by_bmm(q[:1], k[:1])[0]],
    },
    "2.3": SERVED_WRONG,
    "2.4": {
        "unchanged": [left_as_it_was],
        "still-first-key": [mended_by_loops(first_key=True)],
        "still-element-0": [mended_by_loops(shops="first")],
        "no-tanh": [mended_by_loops(squash=False)],
        "tanh-after-sum": [mended_by_loops(squash=False, squash_sum=True)],
        "summed-over-keys": [mended_by_loops(sum_over=1)],
        "still-places": [lambda q, k, w, b: outputs(q, k, w, b).softmax(2)],
        "places-squashed": [lambda q, k, w, b: outputs(q, k, w, b).tanh().softmax(2)],
        "first-key-squashed": [lambda q, k, w, b: outputs(q, k[:, :1], w, b)[:, 0].tanh().softmax(1)],
        "first-key-summed": [lambda q, k, w, b: outputs(q, k[:, :1], w, b)[:, 0].tanh().sum(1).softmax(0)],
        "element-0-no-tanh": [lambda q, k, w, b: outputs(q[:1], k[:1], w, b)[0].sum(1).softmax(0)],
        "element-0-places": [lambda q, k, w, b: outputs(q[:1], k[:1], w, b)[0].softmax(1)],
        "query-of-shop-0": [lambda q, k, w, b: mended_by_loops()(q[:1].repeat(len(q), 1), k, w, b)],
        "no-bias": [
            lambda q, k, w, b: mended_by_halves(q, k, w, 0 * b),
            lambda q, k, w, b: (outputs(q, k, w, 0 * b).tanh() + b).sum(2).softmax(1),
        ],
        "mean-for-sum": [lambda q, k, w, b: outputs(q, k, w, b).tanh().mean(2).softmax(1)],
        "softmax-before-sum": [lambda q, k, w, b: outputs(q, k, w, b).tanh().softmax(2).sum(2)],
        "over-shops": [mended_by_loops(over=0)],
        "no-softmax": [mended_by_loops(weigh=False)],
        "key-first": [
            lambda q, k, w, b: mended_by_halves(q, k, torch.hstack([w[:, q.shape[1] :], w[:, : q.shape[1]]]), b)
        ],
    },
    "2.5": LOSES_WRONG,
    "2.6": {
        "context-replaces-query": [joined_module("c")],
        "query-first": [joined_module("qc")],
        "with-tanh": [joined_module(squash=True)],
        "output-only": [joined_module(give="output")],
        "context-not-projected": [joined_module(project=False)],
        "query-first-with-tanh": [joined_module("qc", squash=True)],
        "output-only-with-tanh": [joined_module(squash=True, give="output")],
        "projection-without-bias": [joined_otherwise(lambda p, c, q, w: (p(torch.dstack([c, q])), w), bias=False)],
        "another-size": [
            joined_otherwise(lambda p, c, q, w: (p(torch.dstack([q, q])), w), lambda q, v: q + q),
            joined_otherwise(lambda p, c, q, w: (p(c + q), w), lambda q, v: q),
        ],
        "pair-squashed": [joined_otherwise(lambda p, c, q, w: (p(torch.dstack([c, q]).tanh()), w))],
        "a-module-for-the-class": [JoinedByLoop(6, 5, 7)],
        "no-root": [joined_module(root=False)],
        "over-queries": [joined_module(over=1)],
    },
    "2.7": {
        "transposed": [lambda q, k, w: torch.einsum("bqm,nm,bkn->bqk", q, w, k).softmax(-1)],
        "with-root": [bilinear_by_loops(divisor="root")],
        "all-axes-turned": [lambda q, k, w: torch.matmul(torch.matmul(q, w), k.permute(2, 1, 0)).softmax(-1)],
        "root-of-the-keys-size": [lambda q, k, w: (q @ w @ k.mT * w.shape[1] ** -0.5).softmax(-1)],
        "transposed-over-queries": [lambda q, k, w: torch.einsum("bqm,nm,bkn->bqk", q, w, k).softmax(1)],
        "over-queries": [bilinear_by_loops(over=1)],
        "no-softmax": [bilinear_by_loops(weigh=False)],
        "only-element-0": [lambda q, k, w: bilinear_by_loops()(q[:1], k[:1], w)[0]],
    },
    "2.8": {
        "shapes": [orders([1, 0, 0], [[1, 0], [2, 2], [4, 8]]), orders([1, 0], [[1, 0], [2, 2]])],
        "angles-differ": [orders([1, 0], [[1, 0], [2, 0], [4, 8]])],
        "dot-products-differ": [orders([1, 0], [[1, 0], [1, 1], [4, 8]])],
        "best-differs": [orders([1, 0], [[9, 0], [2, 2], [4, 8]])],
        "reversed": [orders([1, 0], [[1, 0], [5, 5], [4, 8]])],
    },
    "2.9": {
        "only-the-diagonal": [jacobian_by_loops(across=False)],
        "plus": [jacobian_by_loops(sign=1.0)],
        "no-diagonal": [jacobian_by_loops(own=lambda p, i: 0.0)],
        "ones-on-the-diagonal": [jacobian_by_loops(own=lambda p, i: 1.0)],
        "weights-alone": [lambda scores: torch.diag_embed(scores.softmax(-1))],
        "square-taken-twice": [jacobian_by_loops(own=lambda p, i: p[i] - p[i] ** 2)],
        "one-minus-p": [jacobian_by_loops(own=lambda p, i: 1 - p[i])],
        "a-row-for-a-matrix": [lambda scores: scores.softmax(-1) - scores.softmax(-1) ** 2],
        "scores-for-weights": [jacobian_by_loops(weigh=False)],
    },
}
