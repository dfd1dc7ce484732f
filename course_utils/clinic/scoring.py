"""Patients whose scores, softmax or mixing is ill. Called as this course calls attention, with or without a mask.

Shapes: query (batch, query, size), key (batch, key, size), value (batch, key, value size), mask (…, query, key), True =
may attend → context (batch, query, value size), weights (batch, query, key).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def generous(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Scores every pair, and mixes."""
    pairs = query.unsqueeze(-2) * key.unsqueeze(-3)  # (batch, query, key, size)
    scores = pairs.sum(-1, keepdim=True) / math.sqrt(query.shape[-1])
    weights = torch.softmax(scores, dim=-1).squeeze(-1)
    return weights @ value, weights


def hermit(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Scores every pair, and mixes."""
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    weights = torch.softmax(scores, dim=-1)
    mixed = weights.unsqueeze(-1) * value.unsqueeze(1)  # (batch, query, key, value size)
    return mixed.sum(1), weights


def loud(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Scores every pair, and mixes."""
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    weights = scores * torch.softmax(scores, dim=-1)
    return weights @ value, weights


def set_in_its_ways(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Scores with a matrix that was trained once, and mixes."""
    trained = torch.randn(2 * 4, 4, generator=torch.Generator().manual_seed(0)).to(query)
    first = key[..., :1, :].expand_as(query)
    weights = torch.softmax(torch.cat([query, first], dim=-1) @ trained, dim=-1)
    return weights @ value, weights


def copycat(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scores every pair, hides, and mixes."""
    scores = query[0] / math.sqrt(query.shape[-1]) @ key[0].transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1).nan_to_num(0.0).expand(len(query), -1, -1)
    return weights @ value, weights


def tired(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scores every pair, hides, and mixes."""
    query.detach().div_(math.sqrt(query.shape[-1]))
    scores = query @ key.transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1).nan_to_num(0.0)
    return weights @ value, weights


def moody(
    query: Tensor, key: Tensor, value: Tensor, rate: float = 0.3, training: bool = False
) -> tuple[Tensor, Tensor]:
    """Scores every pair, drops some weights in training, and mixes."""
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    weights = F.dropout(torch.softmax(scores, dim=-1), rate)
    return weights @ value, weights


def visitor(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Scores every pair, and mixes: the patient that the lesson examines from beginning to end."""
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    weights = torch.softmax(scores, dim=-2)
    return weights @ value, weights
