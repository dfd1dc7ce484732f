"""Linear attention: positive features take the place of exp, so that keys and values can be summed before the query.

Three forms of one thing: all at once, a step at a time with a state of fixed size, and chunk by chunk.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.attention.guards import require_one_size, require_pairs, require_positive


class State(NamedTuple):
    """All that linear attention keeps of the past, however long it was."""

    memory: Tensor  # Σ features(key) ⊗ value: (…, size, value size)
    total: Tensor  # Σ features(key): (…, size)


def features(x: Tensor) -> Tensor:
    """Maps queries and keys to positive numbers: ELU + 1 (Katharopoulos et al. 2020, equation 7).

    Shapes: (…, size) → (…, size).
    Written as exp(x) below 0 and x + 1 above: in half precision ELU rounds to −1 before 1 is added, and a feature of 0
    is left.
    """
    return torch.exp(x.clamp(max=0.0)) + x.clamp(min=0.0)


def linear_attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Linear attention in the form of all others, with a matrix of weights: features of query · key, over their sum.

    Shapes: query (…, query, size), key (…, key, size), value (…, key, value size), mask (…, query, key)
    → context (…, query, value size), weights (…, query, key).
    A row with nothing to look at gets 0. It costs the square; the other forms do not. Raises ValueError when sizes
    differ. Source: Katharopoulos et al. 2020, equation 4.
    """
    require_one_size(query, key)
    require_pairs(key, value)
    likeness = features(query) @ features(key).transpose(-2, -1)  # (…, query, key), all positive
    if mask is not None:
        likeness = likeness.masked_fill(~mask, 0.0)
    total = likeness.sum(-1, keepdim=True)
    weights = likeness / _positive(total)
    return weights @ value, weights


def empty_state(key: Tensor, value: Tensor) -> State:
    """The state before the first key.

    Shapes: key (…, key, size), value (…, key, value size) → State. Half precision is summed in float32.
    """
    dtype = torch.promote_types(key.dtype, torch.float32)
    leading = torch.broadcast_shapes(key.shape[:-2], value.shape[:-2])
    memory = key.new_zeros(*leading, key.shape[-1], value.shape[-1], dtype=dtype)
    return State(memory, memory.new_zeros(*leading, key.shape[-1]))


def linear_step(query: Tensor, key: Tensor, value: Tensor, state: State) -> tuple[Tensor, State]:
    """One step of the recurrent form: write one key and value into the state, then read it with one query.

    Shapes: query, key (…, size), value (…, value size) → context (…, value size), State.
    Source: Katharopoulos et al. 2020, equations 16 to 20.
    """
    asked, told = features(query).to(state.memory), features(key).to(state.memory)
    memory = state.memory + told[..., :, None] * value[..., None, :].to(state.memory)  # an outer product
    total = state.total + told
    context = (asked[..., None, :] @ memory).squeeze(-2) / _positive((asked * total).sum(-1, keepdim=True))
    return context.to(value), State(memory, total)


def chunked_attend(
    query: Tensor, key: Tensor, value: Tensor, chunk: int = 64, state: State | None = None
) -> tuple[Tensor, State]:
    """Causal linear attention, chunk by chunk: the square inside a chunk, the state between chunks.

    Shapes: query (…, length, size), key (…, length, size), value (…, length, value size) → context (…, length, value
    size), the State after the last key.
    Time grows with length · (chunk + size). `state` is what was read before. Raises ValueError when sizes or lengths
    differ, or for a chunk below 1. Source: the block-parallel form of Yang et al. 2023, section 2.
    """
    require_one_size(query, key)
    require_pairs(key, value)
    require_positive(chunk=chunk)
    if query.shape[-2] != key.shape[-2]:
        raise ValueError(f"key: got {key.shape[-2]} keys, expected as many as there are queries: {query.shape[-2]}")
    memory, total = empty_state(key, value) if state is None else state
    parts = []
    for start in range(0, query.shape[-2], chunk):
        here = slice(start, start + chunk)
        asked, told = features(query[..., here, :]).to(memory), features(key[..., here, :]).to(memory)
        values = value[..., here, :].to(memory)
        likeness = (asked @ told.transpose(-2, -1)).tril()  # inside the chunk: (…, chunk, chunk)
        above = likeness @ values + asked @ memory  # what this chunk says, and what stands in the state
        below = likeness.sum(-1, keepdim=True) + asked @ total.unsqueeze(-1)
        parts.append((above / _positive(below)).to(value))
        memory = memory + told.transpose(-2, -1) @ values
        total = total + told.sum(-2)
    return torch.cat(parts, dim=-2) if parts else value[..., :0, :], State(memory, total)


def _positive(total: Tensor) -> Tensor:
    """A sum to divide by: 1 where it is 0, so that nothing to look at gives 0 and not nan."""
    return total.masked_fill(total == 0, 1.0)
