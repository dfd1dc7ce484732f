"""Patients whose projections or heads are ill. None of them has weights of its own to learn; so they stay short."""

import math

import torch
from torch import Tensor


def self_absorbed(source: Tensor, project: Tensor) -> tuple[Tensor, Tensor]:
    """Self-attention with one matrix for query, key and value.

    Shapes: source (batch, length, size), project (size, 3 · size) → context (batch, length, size), weights.
    """
    batch, length, size = source.shape
    query, key, value = (source @ project).view(batch, length, 3, size).chunk(3, dim=-1)
    weights = torch.softmax(query / math.sqrt(size) @ key.transpose(-2, -1), dim=-1)
    return (weights @ value).reshape(batch, length, size), weights


def shuffler(query: Tensor, key: Tensor, value: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Heads side by side, without projections.

    Shapes: query (batch, query, size), key and value (batch, key, size) → context (batch, query, size), weights
    (batch, heads, query, key).
    """
    batch, _, size = query.shape
    query, key, value = (x.view(batch, heads, -1, size // heads) for x in (query, key, value))
    weights = torch.softmax(query / math.sqrt(size // heads) @ key.transpose(-2, -1), dim=-1)
    return (weights @ value).transpose(1, 2).flatten(2), weights


def lukewarm(query: Tensor, key: Tensor, value: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Heads side by side, without projections.

    Shapes: query (batch, query, size), key and value (batch, key, size) → context (batch, query, size), weights
    (batch, heads, query, key).
    """
    batch, _, size = query.shape
    query, key, value = (x.view(batch, -1, heads, size // heads).transpose(1, 2) for x in (query, key, value))
    weights = torch.softmax(query / math.sqrt(size) @ key.transpose(-2, -1), dim=-1)
    return (weights @ value).transpose(1, 2).flatten(2), weights


def particular(query: Tensor, key: Tensor, value: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Heads side by side, without projections, for every number of heads that fits.

    Shapes: query (batch, query, size), key and value (batch, key, size) → context (batch, query, size), weights
    (batch, heads, query, key).
    """
    batch, _, size = query.shape
    assert 0 < heads < size, "the number of heads does not fit the size"
    query, key, value = (x.view(batch, -1, heads, size // heads).transpose(1, 2) for x in (query, key, value))
    weights = torch.softmax(query / math.sqrt(size // heads) @ key.transpose(-2, -1), dim=-1)
    return (weights @ value).transpose(1, 2).flatten(2), weights


def mixed_up(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Heads that are already apart, packed into the batch; one mask for each element of the batch.

    Shapes: query (batch, heads, query, size), key and value (batch, heads, key, size), mask (batch, key) → context
    (batch, heads, query, size), weights (batch, heads, query, key).
    """
    batch, heads = query.shape[:2]
    query, key, value = (x.flatten(0, 1) for x in (query, key, value))  # (batch · heads, …, size)
    masks = mask.repeat(heads, 1).unsqueeze(1)  # (batch · heads, 1, key)
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    weights = torch.softmax(scores.masked_fill(~masks, -math.inf), dim=-1).nan_to_num(0.0)
    return (weights @ value).unflatten(0, (batch, heads)), weights.unflatten(0, (batch, heads))
