"""Patients whose masks are ill: what they hide, where they hide it, and when.

Shapes: query (batch, query, size), key (batch, key, size), value (batch, key, value size), mask (…, query, key), True =
may attend → context (batch, query, value size), weights (batch, query, key).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def sociable(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scores every pair, hides, and mixes."""
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    if mask is not None:
        scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


def contrary(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scores every pair, hides, and mixes."""
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(mask, -math.inf)
    weights = torch.softmax(scores, dim=-1).nan_to_num(0.0)
    return weights @ value, weights


def stingy(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scores every pair, hides, and mixes."""
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    weights = torch.softmax(scores, dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)
    return weights @ value, weights


def fainting(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scores every pair, hides, and mixes."""
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


def allergic(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scores every pair, hides, and mixes; a row with nothing left gets weights 0."""
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)
    weights = torch.softmax(scores, dim=-1)
    weights = weights if mask is None else weights.masked_fill(~mask, 0.0)
    return weights @ value, weights


def two_faced(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scores every pair, hides, and mixes."""
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    shown = torch.softmax(scores, dim=-1)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1).nan_to_num(0.0)
    return weights @ value, shown


def exam_cheat(source: Tensor, training: bool) -> Tensor:
    """Self-attention of words that are to be predicted one by one.

    Shapes: source (batch, word, size) → context (batch, word, size).
    """
    scores = source / math.sqrt(source.shape[-1]) @ source.transpose(-2, -1)
    if training:
        seen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        scores = scores.masked_fill(~seen, -math.inf)
    return torch.softmax(scores, dim=-1) @ source


def shortsighted(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Writes on: the queries are the last words of a text whose earlier keys and values were kept.

    Shapes: query (batch, query, size), key and value (batch, key, size), no fewer keys than queries → context.
    """
    return F.scaled_dot_product_attention(query, key, value, is_causal=True)
