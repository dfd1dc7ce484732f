"""Exact attention in tiles: softmax in one pass, so that the matrix of weights is never there as a whole.

The backward pass makes each tile of weights again from one number that was kept for each query.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_utils.attention.guards import require_mask, require_one_size, require_pairs, require_positive


class Running(NamedTuple):
    """What one pass over tiles keeps for each query: three things, whatever the number of keys."""

    greatest: Tensor  # the greatest score so far: (…, query, 1)
    total: Tensor  # the sum of exp(score − greatest) so far: (…, query, 1)
    context: Tensor  # the sum of exp(score − greatest) · value so far: (…, query, value size)


def add_tile(before: Running, scores: Tensor, value: Tensor) -> Running:
    """Takes one more tile of keys into account.

    Shapes: scores (…, query, tile), −inf where hidden, value (…, tile, value size) → as before.
    When a greater score turns up, what was summed so far is rescaled to it. A query that has seen nothing yet has −inf
    as its greatest score; it is given 0 in the exponent, so that a fully hidden tile adds 0 and not nan.
    Source: Milakov and Gimelshein 2018, algorithm 3 (greatest and total); Rabe and Staats 2021; Dao et al. 2022,
    algorithm 1.
    """
    greatest = torch.maximum(before.greatest, scores.amax(-1, keepdim=True))
    anchor = greatest.masked_fill(greatest == -math.inf, 0.0)
    powers = torch.exp(scores - anchor)  # (…, query, tile)
    rescale = torch.exp(before.greatest - anchor)  # 1 where no greater score turned up
    total = rescale * before.total + powers.sum(-1, keepdim=True)
    context = rescale * before.context + powers @ value
    return Running(greatest, total, context)


def tiled_attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, tile: int = 256, causal: bool = False
) -> Tensor:
    """Gives the context of `attend`, in memory that grows with the length and not with its square.

    Shapes: query (…, query, size), key (…, key, size), value (…, key, value size), mask broadcastable to
    (…, query, key), True = may attend → context (…, query, value size).
    `tile` queries meet `tile` keys at a time. With `causal` the last query sees every key, and tiles that lie wholly
    in the future are not computed. A query with nothing to look at gets context 0. Half precision is summed in
    float32. Gradients come from weights that are made again, tile by tile. Raises ValueError as `attend` does, for a
    tile below 1, and for fewer keys than queries where `causal` is asked.
    Source: Dao et al. 2022, FlashAttention.
    """
    require_one_size(query, key)
    require_pairs(key, value)
    require_positive(tile=tile)
    queries, keys = query.shape[-2], key.shape[-2]
    if causal and keys < queries:
        raise ValueError(f"key: got {keys} keys, expected at least as many as there are queries: {queries}")
    leading = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    if mask is not None:
        require_mask(mask, (*leading, queries, keys))
        mask = mask.expand(*mask.shape[:-2], queries, keys) if mask.dim() > 1 else mask.expand(queries, keys)
    parts = (tensor.expand(*leading, *tensor.shape[-2:]) for tensor in (query, key, value))
    return _Tiled.apply(*parts, mask, tile, causal)


class _Tiled(torch.autograd.Function):
    """The two passes over tiles; both take a block of queries at a time."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, tile: int, causal: bool
    ) -> Tensor:
        context = query.new_empty(*query.shape[:-1], value.shape[-1])
        normaliser = _like(query, query.shape[:-1]).unsqueeze(-1)  # log of the sum of exp(score): (…, query, 1)
        for rows in _tiles(query.shape[-2], tile):
            asked = _scaled(query[..., rows, :])
            seen = asked.new_full((*asked.shape[:-1], 1), -math.inf)
            running = Running(seen, torch.zeros_like(seen), asked.new_zeros(*asked.shape[:-1], value.shape[-1]))
            for columns in _columns(rows, query, key, tile, causal):
                scores = _scores(asked, key, mask, rows, columns, query, causal)
                running = add_tile(running, scores, value[..., columns, :].to(asked))
            nothing = running.total == 0
            context[..., rows, :] = (running.context / running.total.masked_fill(nothing, 1.0)).to(context)
            normaliser[..., rows, :] = running.greatest + running.total.log()
        ctx.save_for_backward(query, key, value, mask, context, normaliser)
        ctx.tile, ctx.causal = tile, causal
        return context

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, context, normaliser = ctx.saved_tensors
        for_query, for_key, for_value = (_like(one, one.shape).zero_() for one in (query, key, value))
        for rows in _tiles(query.shape[-2], ctx.tile):
            asked, above = _scaled(query[..., rows, :]), gradient[..., rows, :].to(normaliser)
            mean = (above * context[..., rows, :].to(above)).sum(-1, keepdim=True)  # Σ weight · ∂weight: (…, query, 1)
            anchor = normaliser[..., rows, :].nan_to_num(neginf=math.inf)  # nothing seen: exp(−inf) = 0
            for columns in _columns(rows, query, key, ctx.tile, ctx.causal):
                keys, values = key[..., columns, :].to(asked), value[..., columns, :].to(asked)
                scores = _scores(asked, key, mask, rows, columns, query, ctx.causal)
                weights = torch.exp(scores.sub_(anchor))  # made again: (…, query, tile)
                for_value[..., columns, :] += weights.transpose(-2, -1) @ above
                for_scores = weights.mul_((above @ values.transpose(-2, -1)).sub_(mean))  # through the softmax
                for_query[..., rows, :] += for_scores @ keys / math.sqrt(query.shape[-1])
                for_key[..., columns, :] += for_scores.transpose(-2, -1) @ asked
        return for_query.to(query), for_key.to(key), for_value.to(value), None, None, None


def _like(tensor: Tensor, shape: torch.Size) -> Tensor:
    """Room for sums: of the tensor's type, but at least float32."""
    return tensor.new_empty(shape, dtype=torch.promote_types(tensor.dtype, torch.float32))


def _scaled(query: Tensor) -> Tensor:
    return query.to(torch.promote_types(query.dtype, torch.float32)) / math.sqrt(query.shape[-1])


def _tiles(length: int, tile: int) -> list[slice]:
    return [slice(start, min(start + tile, length)) for start in range(0, length, tile)]


def _columns(rows: slice, query: Tensor, key: Tensor, tile: int, causal: bool) -> list[slice]:
    """The tiles of keys that a block of queries may see."""
    ahead = key.shape[-2] - query.shape[-2]  # so many keys stand before the first query's own
    return _tiles(min(rows.stop + ahead, key.shape[-2]) if causal else key.shape[-2], tile)


def _scores(
    asked: Tensor, key: Tensor, mask: Tensor | None, rows: slice, columns: slice, query: Tensor, causal: bool
) -> Tensor:
    """One tile of scores, −inf where hidden: (…, query, tile)."""
    scores = asked @ key[..., columns, :].to(asked).transpose(-2, -1)
    if mask is not None:
        scores.masked_fill_(~mask[..., rows, columns], -math.inf)
    place = rows.start + key.shape[-2] - query.shape[-2]  # of the first query of these, among the keys
    if causal and columns.stop - 1 > place:
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(place - columns.start + 1)
        scores.masked_fill_(future, -math.inf)
    return scores
