"""The masks of an audit: random, causal, padding, and one with an empty row, as far as the convention can say them."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from course_utils.contract.cases import Inputs
from course_utils.contract.convention import Convention


def visible(convention: Convention, inputs: Inputs) -> Tensor:
    """Which pairs may look at each other, by the mask, and by the attention's own causality and window.

    Shapes: → (batch, 1, query, key), True = may attend. With fewer queries than keys, the queries are the last ones.
    """
    shape, first = (inputs.dims.batch, 1, inputs.dims.queries, inputs.dims.keys), inputs.dims.keys - inputs.dims.queries
    seen = torch.ones(shape, dtype=torch.bool, device=inputs.query.device)
    if convention.causal:
        seen = seen.tril(first)
    if convention.window is not None:
        seen = seen.tril(first + convention.window).triu(first - convention.window)
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
    """Hides keys at random, the first as often as any other; every row keeps something to look at."""
    dims, generator = inputs.dims, torch.Generator().manual_seed(100 + inputs.seed)
    batch = dims.batch if says(convention, "batch") else 1
    queries = dims.queries if says(convention, "query") else 1
    if convention.mask == "lengths":
        lengths = torch.randint(1, dims.keys + 1, (batch, 1, 1), generator=generator)
        return with_mask(convention, inputs, torch.arange(dims.keys) < lengths)
    mask = torch.rand(batch, queries, dims.keys, generator=generator) < 0.5
    kept = torch.randint(0, dims.keys, (batch, queries, 1), generator=generator)
    if inputs.seed == 0:
        kept = kept.clamp(min=1)  # so that key 0 is hidden somewhere, also from a single row
        mask[..., 0, 0] = False
    mask.scatter_(-1, kept, True)
    apart = queries == dims.queries  # each row has a mask of its own
    if convention.window is not None or (convention.causal and apart):
        mask |= torch.eye(dims.queries, dims.keys, dtype=torch.bool) if apart else True  # its own place stays visible
    elif convention.causal:
        mask[..., 0] = True  # the first row sees nothing else
    return with_mask(convention, inputs, mask)


def plain_and_masked(convention: Convention, plain: Iterator[Inputs]) -> Iterator[Inputs]:
    """Each input without a mask and, where a mask is taken, with one."""
    for one in plain:
        yield one
        if convention.mask and one.dims.keys > 1:
            yield random_mask(convention, one)


def with_future(convention: Convention, plain: Iterator[Inputs]) -> Iterator[Inputs]:
    """Inputs with a future that must not be seen, by itself or by a causal mask; the queries are the last places."""
    for one in plain:
        queries, keys = one.dims.queries, one.dims.keys
        if queries > keys or keys < 2 or (queries < 2 and not convention.one_source):
            continue
        if convention.causal:
            yield one
        else:
            yield with_mask(convention, one, torch.ones(1, queries, keys, dtype=torch.bool).tril(keys - queries))


def with_padding(convention: Convention, plain: Iterator[Inputs], left: bool = False) -> Iterator[Inputs]:
    """Inputs whose last keys are padding, or their first; where it can be said, each element of the batch has its own
    length.
    """
    for one in plain:
        if one.dims.keys < 2:
            continue
        lengths = 1 + (one.dims.keys - 2 + torch.arange(one.dims.batch)) % (one.dims.keys - 1)
        if not says(convention, "batch"):
            lengths = lengths[:1]
        real = (torch.arange(one.dims.keys) < lengths[:, None])[:, None]
        yield with_mask(convention, one, real.flip(-1) if left else real)


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
