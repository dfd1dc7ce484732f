"""Scores with parameters: the two concatenation rules, additive and bilinear. Each is a module of query and key.

All take query (…, query, query size) and key (…, key, key size) and give scores (…, query, key); softmax comes later.
Two of them are here because they fail: ConcatLinear cannot see the query, ConcatToSlots cannot see the other keys.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.guards import require_positive, require_size


class PairLinear(nn.Linear):
    """The linear layer of every pair [query; key], computed without building the pairs.

    Shapes: query (…, query, query size), key (…, key, key size) → (…, query, key, hidden).
    The weight's columns fall into two halves, W[query; key] + b = W_query query + (W_key key + b): each half is
    applied once per query or key, not once per pair. Raises ValueError for sizes that are not those it was built for.
    """

    def __init__(self, query_size: int, key_size: int, hidden: int) -> None:
        require_positive(query_size=query_size, key_size=key_size, hidden=hidden)
        super().__init__(query_size + key_size, hidden)
        self.sizes = [query_size, key_size]

    def forward(self, query: Tensor, key: Tensor) -> Tensor:  # type: ignore[override]  # a pair, not one input
        _require_sizes(query, key, *self.sizes)
        for_query, for_key = self.weight.split(self.sizes, dim=1)
        from_query = F.linear(query, for_query).unsqueeze(-2)  # (…, query, 1, hidden)
        from_key = F.linear(key, for_key, self.bias).unsqueeze(-3)  # (…, 1, key, hidden)
        return from_query + from_key


class ConcatLinear(nn.Module):
    """Rule 1 scored per key: one linear layer turns [query; key] into one number.

    Shapes: query (…, query, query size), key (…, key, key size) → scores (…, query, key).
    Blind: the query adds the same number to all its scores, and softmax takes it out again.
    Raises ValueError for wrong sizes.
    """

    def __init__(self, query_size: int, key_size: int) -> None:
        super().__init__()
        self.linear = PairLinear(query_size, key_size, 1)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return self.linear(query, key).squeeze(-1)


class ConcatToSlots(nn.Module):
    """Rule 1 to all scores at once: one linear layer turns [query; first key] into one number per slot.

    Shapes: query (…, query, query size), key (…, slots, key size) → scores (…, query, slots).
    Blind: it never reads the other keys, and works for one number of keys only.
    Raises ValueError for wrong sizes or another number of keys.
    """

    def __init__(self, query_size: int, key_size: int, slots: int) -> None:
        require_positive(slots=slots)
        super().__init__()
        self.linear = PairLinear(query_size, key_size, slots)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        _require_sizes(query, key, *self.linear.sizes)
        _require_number_of_keys(key, self.linear.out_features)
        return self.linear(query, key[..., :1, :]).squeeze(-2)


class ConcatTanhSum(nn.Module):
    """Rule 2: a linear layer on [query; key], tanh, and the sum over the hidden features.

    Shapes: query (…, query, query size), key (…, key, key size) → scores (…, query, key).
    It is additive attention with v fixed to ones, so that no score leaves −hidden … hidden.
    Raises ValueError for wrong sizes.
    """

    def __init__(self, query_size: int, key_size: int, hidden: int) -> None:
        super().__init__()
        self.linear = PairLinear(query_size, key_size, hidden)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return torch.tanh(self.linear(query, key)).sum(-1)


class Additive(nn.Module):
    """Additive attention: rule 2 whose hidden features are weighted by a learned vector v.

    Shapes: query (…, query, query size), key (…, key, key size) → scores (…, query, key).
    Raises ValueError for wrong sizes. Source: Bahdanau, Cho and Bengio 2015, appendix A.1.2; biases are kept here.
    """

    def __init__(self, query_size: int, key_size: int, hidden: int) -> None:
        super().__init__()
        self.linear = PairLinear(query_size, key_size, hidden)
        self.v = nn.Linear(hidden, 1, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return self.v(torch.tanh(self.linear(query, key))).squeeze(-1)


class Bilinear(nn.Module):
    """Bilinear scores: a learned matrix between query and key, query W keyᵀ, so that their sizes may differ.

    Shapes: query (…, query, query size), key (…, key, key size) → scores (…, query, key).
    W starts so small that scores of unit-variance input have variance 1. Raises ValueError for wrong sizes.
    Source: Luong, Pham and Manning 2015, equation 8, "general".
    """

    def __init__(self, query_size: int, key_size: int) -> None:
        require_positive(query_size=query_size, key_size=key_size)
        super().__init__()
        self.weight = nn.Parameter(torch.randn(query_size, key_size) / math.sqrt(query_size * key_size))

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        _require_sizes(query, key, *self.weight.shape)
        return query @ self.weight @ key.transpose(-2, -1)


def _require_sizes(query: Tensor, key: Tensor, query_size: int, key_size: int) -> None:
    """Raises ValueError, naming query or key, when one has no (…, count, size) shape or not the expected size."""
    require_size("query", query, query_size)
    require_size("key", key, key_size)


def _require_number_of_keys(key: Tensor, number: int) -> None:
    if key.shape[-2] != number:
        raise ValueError(f"key: got shape {tuple(key.shape)}, expected {number} keys, (…, {number}, size)")
