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


def jacobian_by_scaling(scores):
    p = scores.softmax(-1)
    return p.unsqueeze(-1) * (torch.eye(p.shape[-1]) - p.unsqueeze(-2))


RIGHT = {
    "2.1": [rule_by_loops(), rule_by_einsum],
    "2.2": [product_by_loops(by_root), product_by_bmm],
    "2.3": [SERVED, OTHER],
    "2.4": [mended_by_loops(), mended_by_halves],
    "2.5": [OPPOSITE, {"draw": one_in_the_middle, "rule": bumps(1.0)}],
    "2.6": [JoinedByLoop, joined_module()],
    "2.7": [bilinear_by_loops(), lambda q, k, w: torch.einsum("bqm,mn,bkn->bqk", q, w, k).softmax(-1)],
    "2.8": [orders([1, 0], [[1, 0], [2, 2], [4, 8]]), orders([0, 2], [[5, 3], [0, 0.5], [0.7, 1]])],
    "2.9": [jacobian_by_loops(), jacobian_by_scaling],
}
WRONG = {
    "2.1": {
        "tanh-after-sum": [rule_by_loops(squash_each=False, squash_sum=True)],
        "no-tanh": [rule_by_loops(squash_each=False)],
        "always-tanh": [rule_by_loops(squash_always=True)],
        "key-first": [rule_by_loops(swap=True)],
        "no-bias": [rule_by_loops(biased=False)],
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
        "size-without-root": [product_by_loops(lambda q, k: q.size(2))],
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
        "no-root": [joined_module(root=False)],
        "over-queries": [joined_module(over=1)],
    },
    "2.7": {
        "transposed": [lambda q, k, w: torch.einsum("bqm,nm,bkn->bqk", q, w, k).softmax(-1)],
        "with-root": [bilinear_by_loops(divisor="root")],
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
        "scores-for-weights": [jacobian_by_loops(weigh=False)],
    },
}
