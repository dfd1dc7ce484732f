"""Attention to fewer keys: a window of the last ones, computed in blocks, with sinks; and the k best of all.

A window is laid by place, so its work is known beforehand and can be left undone. The k best are known only after all
have been scored.
"""

import torch
from torch import Tensor

from course_utils.attention.basics import masked_softmax, scaled_dot
from course_utils.attention.guards import (
    require_at_least,
    require_mask,
    require_one_size,
    require_pairs,
    require_positive,
)
from course_utils.attention.masks import top_k_mask


def last_mask(queries: int, keys: int, window: int, sinks: int = 0, device: torch.device | str | None = None) -> Tensor:
    """Lets each query look at the last `window` keys up to its own place, and at the first `sinks` keys.

    Shapes: → mask (query, key). The last query stands at the last key. Raises ValueError for a window below 1, for
    sinks below 0, and for fewer keys than queries. Source: Xiao et al. 2023, figure 1 (sinks).
    """
    _require_window(queries, keys, window, sinks)
    own = torch.arange(keys - queries, keys, device=device)[:, None]
    place = torch.arange(keys, device=device)
    return (place <= own) & ((place > own - window) | (place < sinks))


def window_attend(
    query: Tensor, key: Tensor, value: Tensor, window: int, sinks: int = 0, block: int | None = None
) -> Tensor:
    """Attends to the last `window` keys and the first `sinks`, a block of queries at a time.

    Shapes: query (…, query, size), key (…, key, size), value (…, key, value size) → context (…, query, value size).
    Equals `attend` under `last_mask`, but scores only the keys that some query of the block sees: time and memory grow
    with length · (block + window). `block` is by default the window, from 64 up. Raises ValueError as `last_mask` does.
    Source: Beltagy, Peters and Cohan 2020, section 3 (windows); Xiao et al. 2023 (sinks).
    """
    queries, keys = query.shape[-2], key.shape[-2]
    _require_all(query, key, value, window, sinks)
    block = max(64, window) if block is None else block
    require_positive(block=block)
    ahead = keys - queries  # so many keys stand before the first query's own
    blocks = []
    for start in range(0, queries, block):
        stop = min(start + block, queries)
        first = max(0, start + ahead - window + 1)  # the first key that the block's first query sees
        near = slice(first, stop + ahead)
        mask = last_mask(stop - start, stop + ahead - first, window, max(0, sinks - first), query.device)
        kept = min(sinks, first)  # sinks that lie before the window of the whole block
        keys_seen, values_seen = key[..., near, :], value[..., near, :]
        if kept:
            keys_seen = torch.cat([key[..., :kept, :], keys_seen], dim=-2)
            values_seen = torch.cat([value[..., :kept, :], values_seen], dim=-2)
            mask = torch.cat([mask.new_ones(stop - start, kept), mask], dim=-1)
        scores = scaled_dot(query[..., start:stop, :], keys_seen)  # (…, block, kept + window + block)
        blocks.append(masked_softmax(scores, mask) @ values_seen)
    return torch.cat(blocks, dim=-2)


def batched_window_attend(query: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
    """Does the same without sinks, all blocks in one product: each block of `window` queries sees two of keys.

    Shapes: as for `window_attend`, with as many queries as keys; a length that is no multiple is filled up.
    There is no loop, but every key is copied twice. Raises ValueError for other numbers of keys and queries.
    """
    length = query.shape[-2]
    _require_all(query, key, value, window, 0)
    if key.shape[-2] != length:
        raise ValueError(f"key: got {key.shape[-2]} keys, expected as many as there are queries: {length}")
    missing = -length % window
    query, key, value = (torch.nn.functional.pad(one, (0, 0, 0, missing)) for one in (query, key, value))
    query, key, value = (one.unflatten(-2, (-1, window)) for one in (query, key, value))  # (…, block, window, size)
    before = [torch.nn.functional.pad(one, (0, 0, 0, 0, 1, 0))[..., :-1, :, :] for one in (key, value)]
    key, value = (torch.cat([old, new], dim=-2) for old, new in zip(before, (key, value), strict=True))
    mask = last_mask(window, 2 * window, window, device=query.device).repeat(query.shape[-3], 1, 1)
    mask[0, :, :window] = False  # before the first block there is nothing
    return (masked_softmax(scaled_dot(query, key), mask) @ value).flatten(-3, -2)[..., :length, :]


def top_k_attend(query: Tensor, key: Tensor, value: Tensor, k: int, mask: Tensor | None = None) -> Tensor:
    """Attends to the k keys that score highest for each query.

    Shapes: query (…, query, size), key (…, key, size), value (…, key, value size), mask broadcastable to
    (…, query, key) → context (…, query, value size).
    Every key is scored all the same, or nobody would know which are the best. Raises ValueError for k below 1 and a
    mask that does not fit.
    """
    require_one_size(query, key)
    require_pairs(key, value)
    scores = scaled_dot(query, key)
    if mask is not None:
        require_mask(mask, scores.shape)
    return masked_softmax(scores, top_k_mask(scores, k, mask)) @ value


def seen_through(window: int, layers: int) -> int:
    """How many places back news can travel through stacked windows: each layer adds window − 1.

    Raises ValueError for numbers below 1.
    """
    require_positive(window=window, layers=layers)
    return layers * (window - 1)


def _require_window(queries: int, keys: int, window: int, sinks: int) -> None:
    require_positive(window=window)
    require_at_least(0, queries=queries, keys=keys, sinks=sinks)
    if keys < queries:
        raise ValueError(f"key: got {keys} keys, expected at least as many as there are queries: {queries}")


def _require_all(query: Tensor, key: Tensor, value: Tensor, window: int, sinks: int) -> None:
    require_one_size(query, key)
    require_pairs(key, value)
    _require_window(query.shape[-2], key.shape[-2], window, sinks)
