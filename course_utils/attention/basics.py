"""Attention in the open: score every key for every query, turn scores into weights, mix the values."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.attention.guards import require_mask, require_one_size, require_pairs

Score = Callable[[Tensor, Tensor], Tensor]


def dot(query: Tensor, key: Tensor) -> Tensor:
    """Scores by the plain dot product of every query with every key (Luong et al. 2015, "dot").

    Shapes: query (…, query, size), key (…, key, size) → scores (…, query, key).
    Raises ValueError when the sizes differ.
    """
    require_one_size(query, key)
    return query @ key.transpose(-2, -1)


def scaled_dot(query: Tensor, key: Tensor) -> Tensor:
    """Scores by the dot product divided by the root of the size (Vaswani et al. 2017, equation 1).

    Shapes: query (…, query, size), key (…, key, size) → scores (…, query, key).
    Raises ValueError when the sizes differ.
    """
    require_one_size(query, key)
    # The query is divided, not the scores: the result is the same, and there are far fewer numbers to divide.
    return query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)


def cosine(query: Tensor, key: Tensor) -> Tensor:
    """Scores by the cosine of the angle between every query and every key; a zero vector scores 0.

    Shapes: query (…, query, size), key (…, key, size) → scores (…, query, key), each from −1 to 1.
    Raises ValueError when the sizes differ.
    """
    require_one_size(query, key)
    return F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(-2, -1)


def masked_softmax(scores: Tensor, mask: Tensor | None = None, dim: int = -1) -> Tensor:
    """Turns scores into weights that sum to 1 over the keys that may be looked at, and are 0 elsewhere.

    Shapes: scores (…, query, key), mask broadcastable to them, True = may attend → weights (…, query, key).
    A row with nothing to look at gets weights 0, and no gradient flows through it. Half precision is safe: hidden
    scores become −inf, which every floating type can hold. Raises ValueError for a mask that is not boolean or
    does not fit.
    """
    if mask is None:
        return torch.softmax(scores, dim)
    require_mask(mask, scores.shape)
    hidden = ~mask
    weights = torch.softmax(scores.masked_fill(hidden, -math.inf), dim)
    return weights.masked_fill(hidden, 0.0)  # only a fully masked row changes here: softmax made it nan


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, score: Score = scaled_dot
) -> tuple[Tensor, Tensor]:
    """Mixes the values for each query, weighted by how well its key answers that query.

    Shapes: query (…, query, size), key (…, key, size), value (…, key, value size), mask (…, query, key)
    → context (…, query, value size), weights (…, query, key).
    There are as many values as keys; the value size is free. `score` is any function of query and key that gives
    (…, query, key). Raises ValueError when the numbers of keys and values differ, or the mask does not fit.
    Source: Vaswani et al. 2017, section 3.2.1; Bahdanau et al. 2015, equations 5 and 6.
    """
    require_pairs(key, value)
    weights = masked_softmax(score(query, key), mask)
    return weights @ value, weights
