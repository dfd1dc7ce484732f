"""The masks of an audit: random, causal, padding, and one with an empty row, as far as the convention can say them."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from course_utils.contract.cases import Inputs
from course_utils.contract.convention import Convention


def visible(convention: Convention, inputs: Inputs) -> Tensor:
    """Which pairs may look at each other, by the mask and by the attention's own causality.

    Shapes: → (batch, 1 or heads, query, key), True = may attend.
    """
    shape = (inputs.dims.batch, 1, inputs.dims.queries, inputs.dims.keys)
    seen = torch.ones(shape, dtype=torch.bool, device=inputs.query.device)
    if convention.causal:
        seen = seen.tril()
    return seen if inputs.mask is None else seen & inputs.mask[:, :1]


def says(convention: Convention, axis: str) -> bool:
    """Whether the mask can differ along an axis."""
    return axis in convention.mask_axes.replace("*", " ").split()


def with_mask(convention: Convention, inputs: Inputs, mask: Tensor) -> Inputs:
    """The input with a mask, made the same for every head. Shapes: mask (batch or 1, query or 1, key)."""
    dims = inputs.dims
    mask = mask.to(inputs.query.device)[:, None].expand(dims.batch, convention.heads, dims.queries, dims.keys)
    return replace(inputs, mask=mask)


def random_mask(convention: Convention, inputs: Inputs) -> Inputs:
    """Hides keys at random; the first key stays, so that every row has something to look at."""
    dims, generator = inputs.dims, torch.Generator().manual_seed(100 + inputs.seed)
    batch = dims.batch if says(convention, "batch") else 1
    queries = dims.queries if says(convention, "query") else 1
    mask = torch.rand(batch, queries, dims.keys, generator=generator) < 0.5
    mask[..., 0] = True
    return with_mask(convention, inputs, mask)


def plain_and_masked(convention: Convention, plain: Iterator[Inputs]) -> Iterator[Inputs]:
    """Each input without a mask and, where a mask is taken, with one."""
    for one in plain:
        yield one
        if convention.mask and one.dims.keys > 1:
            yield random_mask(convention, one)


def with_future(convention: Convention, plain: Iterator[Inputs]) -> Iterator[Inputs]:
    """Inputs with a future that must not be seen: by itself, or by a causal mask."""
    for one in plain:
        if one.dims.queries != one.dims.keys or one.dims.keys < 2:
            continue
        if convention.causal:
            yield one
        else:
            yield with_mask(convention, one, torch.ones(1, one.dims.queries, one.dims.keys, dtype=torch.bool).tril())


def with_padding(convention: Convention, plain: Iterator[Inputs]) -> Iterator[Inputs]:
    """Inputs whose last keys are padding; where it can be said, each element of the batch has another length."""
    for one in plain:
        if one.dims.keys < 2:
            continue
        lengths = 1 + (one.dims.keys - 2 + torch.arange(one.dims.batch)) % (one.dims.keys - 1)
        if not says(convention, "batch"):
            lengths = lengths[:1]
        yield with_mask(convention, one, (torch.arange(one.dims.keys) < lengths[:, None])[:, None])


def with_empty_row(convention: Convention, plain: Iterator[Inputs]) -> Iterator[Inputs]:
    """Inputs with a row that may look at nothing: one query, or one whole element of the batch."""
    for one in plain:
        mask = torch.ones(one.dims.batch, one.dims.queries, one.dims.keys, dtype=torch.bool)
        if says(convention, "query"):
            mask[:, 0] = False
        elif says(convention, "batch"):
            mask[0] = False
        else:
            mask[:] = False
        yield with_mask(convention, one, mask)
