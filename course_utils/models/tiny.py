"""A tiny model, several at once: embedding, one attention layer, one linear layer, and six ways to tell the places."""

import math
from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention import attend, masked_softmax, scaled_dot
from course_utils.attention.heads import merge_heads, split_heads
from course_utils.attention.positions import alibi, angles, distances, rotary, sinusoid

WAYS = ["none", "sine and cosine", "learned", "relative bias", "rotary", "ALiBi"]


class Tiny(nn.Module):
    """Embedding, one attention layer with four heads, one linear layer; each seed is a model of its own.

    Shapes: digits (seed, batch, length), mask (query, key) → scores for the ten digits (seed, batch, length, 10).
    Places that are added are counted from the middle, …, −1, 0, 1, … or …, −½, ½, …, so that they have a meaning at
    every length. Raises ValueError for a way that is not in WAYS.
    """

    def __init__(self, way: str, size: int = 32, longest: int = 96, furthest: int = 8, seeds: int = 3) -> None:
        _require_way(way)
        super().__init__()
        self.way, self.longest, self.furthest = way, longest, furthest
        self.embed = nn.Parameter(torch.randn(seeds, 1, 10, size))
        self.project = nn.Parameter(torch.randn(3, seeds, 1, size, size) / size**0.5)
        self.answer = nn.Parameter(torch.randn(seeds, 1, size, 10) / size**0.5)
        if way == "learned":  # half places too
            self.table = nn.Parameter(torch.randn(seeds, 1, 2 * longest - 1, size))
        if way == "relative bias":
            self.bias = nn.Parameter(torch.zeros(seeds, 1, 4, 2 * furthest + 1))

    def forward(self, digits: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.look(digits, mask)[0]

    def look(self, digits: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Gives what `forward` gives, and the weights: (seed, batch, heads, query, key)."""
        x = F.one_hot(digits, 10).float() @ self.embed  # (seed, batch, length, size)
        n, size = x.shape[-2:]
        if self.way == "sine and cosine":  # added to the inputs
            x = x + sinusoid(n, size, start=(1 - n) / 2).to(x)
        if self.way == "learned":
            x = x + self.table[..., self.longest - n : self.longest + n : 2, :]
        query, key, value = (split_heads(x @ w, 4) for w in self.project)  # (seed, batch, head, length, size / 4)
        if self.way == "rotary":  # turns queries and keys
            query, key = rotary(query), rotary(key)
        bias = torch.zeros(4, n, n).to(x)
        if self.way == "relative bias":  # added to the scores
            bias = self.bias[..., distances(n).clamp(-self.furthest, self.furthest) + self.furthest]
        if self.way == "ALiBi":
            bias = alibi(4, n).to(x)
        context, weights = attend(query, key, value, mask, lambda query, key: scaled_dot(query, key) + bias)
        return merge_heads(context) @ self.answer, weights  # (seed, batch, head, query, key)


@torch.no_grad()
def with_hands_held(model: Tiny, digits: Tensor, mask: Tensor | None, held: Collection[int], furthest: int) -> Tensor:
    """What a rotary model answers when some of its hands turn no further than they do at the distance `furthest`.

    Shapes: digits (seed, batch, length), mask (query, key) → scores for the ten digits (seed, batch, length, 10).
    `held` counts the pairs of features of a head from 0; with none, these are the model's own answers. Raises
    ValueError for a model that is not rotary.
    """
    if model.way != "rotary":
        raise ValueError(f"model: got the way {model.way!r}, expected 'rotary'")
    x = F.one_hot(digits, 10).float() @ model.embed
    query, key, value = (split_heads(x @ w, 4) for w in model.project)
    apart = distances(digits.shape[-1])  # (query, key)
    pairs = query.shape[-1] // 2
    scores = torch.zeros((), device=x.device)
    for pair in range(pairs):
        (a, b), (c, d) = (
            query[..., 2 * pair : 2 * pair + 2].split(1, -1),
            key[..., 2 * pair : 2 * pair + 2].mT.split(1, -2),
        )
        turned = angles((apart.clamp(-furthest, furthest) if pair in held else apart).flatten(), 2 * pairs)[:, pair]
        cosine, sine = (f(turned).view_as(apart).to(x) for f in (torch.cos, torch.sin))
        scores = scores + (a * c + b * d) * cosine + (b * c - a * d) * sine  # a query's hand, a key's hand, their turn
    weights = masked_softmax(scores / math.sqrt(2 * pairs), mask)
    return merge_heads(weights @ value) @ model.answer


def _require_way(way: str) -> None:
    if way not in WAYS:
        raise ValueError(f"way: got {way!r}, expected one of {', '.join(WAYS)}")
