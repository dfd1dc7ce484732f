"""Grouped-query attention: several query heads share one head of keys and values, so that there is less to keep."""

import torch
from torch import Tensor, nn

from course_utils.attention.cache import Cache
from course_utils.attention.guards import require_divisor, require_mask, require_pairs, require_positive
from course_utils.attention.heads import for_heads, fused_attend, merge_heads, split_heads


def grouped_attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Lets neighbouring query heads share a head of keys and values; nothing is copied.

    Shapes: query (…, heads, query, size), key (…, groups, key, size), value (…, groups, key, value size), mask
    (…, 1 or heads, query, key) → context (…, heads, query, value size).
    Query heads 0, 1, … of one group stand side by side, as `repeat_interleave` has it. One group is multi-query
    attention (Shazeer 2019), as many groups as heads the usual one. Raises ValueError where groups do not divide heads.
    Source: Ainslie et al. 2023, section 2.2.
    """
    heads, groups = query.shape[-3], key.shape[-3]
    if heads % groups:
        raise ValueError(f"key: got {groups} groups, expected a number that divides the heads of the query: {heads}")
    require_pairs(key, value)
    if mask is not None:
        require_mask(mask, (*query.shape[:-1], key.shape[-2]))
        if mask.dim() > 2:  # (…, heads, query, key) → (…, groups, heads of a group, query, key)
            mask = mask.unflatten(-3, (groups, -1)) if mask.shape[-3] == heads else mask.unsqueeze(-3)
    query = query.unflatten(-3, (groups, -1))  # (…, groups, heads of a group, query, size)
    return fused_attend(query, key.unsqueeze(-3), value.unsqueeze(-3), mask).flatten(-4, -3)


class GroupedAttention(nn.Module):
    """Multi-head attention whose keys and values have fewer heads than its queries, with a cache where one is given.

    Shapes: query (batch, query, size), key and value (batch, key, size), mask (…, query, key) or (…, heads, query, key)
    → output (batch, query, size).
    With a `cache`, key and value are the new ones only, and the mask speaks of all keys that are kept. Raises
    ValueError when the heads do not divide the size, or the groups the heads. Source: Ainslie et al. 2023.
    """

    def __init__(self, size: int, heads: int, groups: int, biases: bool = True) -> None:
        require_divisor(size, heads)
        require_positive(groups=groups)
        if heads % groups:
            raise ValueError(f"groups: got {groups}, expected a number that divides the heads: {heads}")
        super().__init__()
        self.heads, self.groups = heads, groups
        shared = groups * size // heads  # the numbers of a key, all groups side by side
        self.project_query = nn.Linear(size, size, biases)
        self.project_key = nn.Linear(size, shared, biases)
        self.project_value = nn.Linear(size, shared, biases)
        self.project_output = nn.Linear(size, size, biases)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, cache: Cache | None = None
    ) -> Tensor:
        query = split_heads(self.project_query(query), self.heads)  # (batch, heads, query, head size)
        key = split_heads(self.project_key(key), self.groups)  # (batch, groups, key, head size)
        value = split_heads(self.project_value(value), self.groups)
        if cache is not None:
            key, value = cache.append(key, value)
        context = grouped_attend(query, key, value, for_heads(mask, query.dim()))
        return self.project_output(merge_heads(context))


def repeated(tensor: Tensor, heads: int) -> Tensor:
    """Gives each query head its keys as a head of their own, copied: for kernels that know no groups.

    Shapes: (…, groups, length, size) → (…, heads, length, size), a group's copies side by side.
    Raises ValueError where groups do not divide heads.
    """
    groups = tensor.shape[-3]
    if heads < 1 or heads % groups:
        raise ValueError(f"heads: got {heads}, expected a multiple of the groups: {groups}")
    return torch.repeat_interleave(tensor, heads // groups, dim=-3)
