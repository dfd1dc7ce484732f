"""Masks: which keys a query may look at. True = may attend, everywhere in this course.

Masks are joined with `&`. They broadcast against scores (…, query, key); an axis of size 1 stands for every query.
"""

import math

import torch
from torch import Tensor

from course_utils.attention.guards import require_at_least, require_boolean, require_positive


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


def windows(centres: Tensor, length: int, reach: int, mask: Tensor | None = None) -> Tensor:
    """Lets each query look at the keys at most `reach` positions from its centre.

    Shapes: centres (…, query), any numbers, mask (…, 1, key) or None → mask (…, query, key), where key = length.
    Raises ValueError for a negative length or reach. Source: Luong, Pham and Manning 2015, section 3.2.
    """
    require_at_least(0, length=length, reach=reach)
    positions = torch.arange(length, device=centres.device)
    inside = (positions - centres[..., None]).abs() <= reach
    return inside if mask is None else inside & mask


def window_mask(queries: int, keys: int, reach: int, device: torch.device | str | None = None) -> Tensor:
    """Lets each query look at keys at most `reach` positions away: windows, each around its query's own position.

    Shapes: → mask (query, key).
    Raises ValueError for a negative number or reach. Source: Luong, Pham and Manning 2015, section 3.2 (local-m).
    """
    require_at_least(0, queries=queries, keys=keys, reach=reach)
    return windows(torch.arange(queries, device=device), keys, reach)


def top_k_mask(scores: Tensor, k: int, mask: Tensor | None = None) -> Tensor:
    """Lets each query look at the k keys that score highest among those it may look at.

    Shapes: scores (…, query, key), mask broadcastable to them → mask (…, query, key).
    Equal scores: exactly k are kept all the same. Raises ValueError for k below 1.
    """
    require_positive(k=k)
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


def as_bias(mask: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Translates to a bias, numbers that are added to the scores: 0 where a query may look, −inf where not.

    Shapes: mask (…) → (…).
    """
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(hidden(mask), -math.inf)
