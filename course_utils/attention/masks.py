"""Masks: which keys a query may look at. True = may attend, everywhere in this course.

Masks are joined with `&`. They broadcast against scores (…, query, key); an axis of size 1 stands for every query.
"""

import math

import torch
from torch import Tensor

from course_utils.attention.guards import require_at_least, require_boolean


def padding_mask(lengths: Tensor, longest: int | None = None) -> Tensor:
    """Gives True where a position holds a real element, False where it is padding.

    Shapes: lengths (batch) → mask (batch, 1, key), where the axis of size 1 stands for every query.
    `longest` is the number of keys; without it, the greatest length. Raises ValueError for lengths that are not
    whole numbers, are negative, or exceed `longest`.
    """
    if lengths.dim() != 1 or lengths.is_floating_point() or lengths.dtype == torch.bool:
        raise ValueError(
            f"lengths: got {lengths.dtype} of shape {tuple(lengths.shape)}, expected whole numbers of shape (batch)"
        )
    most = int(lengths.max()) if len(lengths) else 0
    longest = most if longest is None else longest
    if most > longest or (len(lengths) and int(lengths.min()) < 0):
        raise ValueError(f"lengths: got {lengths.tolist()}, expected numbers from 0 to longest = {longest}")
    positions = torch.arange(longest, device=lengths.device)
    return (positions < lengths[:, None])[:, None, :]


def causal_mask(queries: int, keys: int | None = None, device: torch.device | str | None = None) -> Tensor:
    """Lets each query look at its own position and at what came before it.

    Shapes: → mask (query, key).
    With more keys than queries, the queries are the last positions, as with a cache of keys: the last query sees
    every key. (`is_causal=True` of F.scaled_dot_product_attention aligns the first query with the first key instead.)
    Raises ValueError for fewer keys than queries.
    """
    keys = queries if keys is None else keys
    require_at_least(0, queries=queries, keys=keys)
    if keys < queries:
        raise ValueError(f"keys: got {keys}, expected at least as many as there are queries: {queries}")
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def window_mask(queries: int, keys: int, radius: int, device: torch.device | str | None = None) -> Tensor:
    """Lets each query look at keys at most `radius` positions away.

    Shapes: → mask (query, key).
    Source: Luong, Pham and Manning 2015, section 3.2 (local-m). Raises ValueError for a negative radius.
    """
    require_at_least(0, queries=queries, keys=keys)
    if radius < 0:
        raise ValueError(f"radius: got {radius}, expected at least 0")
    distance = torch.arange(keys, device=device) - torch.arange(queries, device=device)[:, None]
    return distance.abs() <= radius


def top_k_mask(scores: Tensor, k: int, mask: Tensor | None = None) -> Tensor:
    """Lets each query look at the k keys that score highest among those it may look at.

    Shapes: scores (…, query, key), mask broadcastable to them → mask (…, query, key).
    Equal scores: exactly k are kept all the same. Raises ValueError for k below 1.
    """
    if k < 1:
        raise ValueError(f"k: got {k}, expected at least 1")
    allowed = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand(scores.shape)
    best = scores.masked_fill(~allowed, -math.inf).topk(min(k, scores.shape[-1]), dim=-1).indices
    chosen = torch.zeros_like(allowed).scatter(-1, best, True)
    return chosen & allowed  # a row with fewer than k allowed keys keeps those only


def hidden(mask: Tensor) -> Tensor:
    """Translates to the opposite convention, True = hidden, and back: nn.MultiheadAttention's masks.

    Shapes: mask (…) → mask (…).
    """
    require_boolean(mask)
    return ~mask


def additive(mask: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Translates to numbers that are added to the scores: 0 where a query may look, −inf where not.

    Shapes: mask (…) → (…).
    """
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(hidden(mask), -math.inf)
