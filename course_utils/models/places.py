"""Where the tokens of a Transformer stand: a choice of ways, each at the place where it enters."""

import math

import torch
from torch import Tensor, nn

from course_utils.attention.cache import Cache
from course_utils.attention.guards import require_positive
from course_utils.attention.heads import MultiHeadAttention, split_heads
from course_utils.attention.positions import LearnedPositions, RelativeBias, alibi, rotary, sinusoid

POSITIONS = ("sine", "learned", "rotary", "alibi", "relative", "none")
FURTHEST = 16  # steps: what is further away shares one number
LONGEST = 512  # learned positions


class Embedded(nn.Module):
    """Gives tokens their vectors, times the root of the size, and adds where they stand if that is added to inputs.

    Shapes: tokens (batch, length) → (batch, length, size). The first of them stands at the place `start`.
    A table that also scores the tokens has vectors of length about 1, whose numbers are about 1 / √size: times √size
    they are as loud as sines and cosines. Raises ValueError for an unknown way, and, where positions are learned, for
    more tokens than there are. Source: Vaswani et al. 2017, sections 3.4 and 3.5.
    """

    def __init__(self, vocabulary: int, size: int, positions: str = "sine", dropout: float = 0.0) -> None:
        require_positive(vocabulary=vocabulary, size=size)
        _require_way(positions)
        super().__init__()
        self.table = nn.Embedding(vocabulary, size)
        nn.init.normal_(self.table.weight, std=size**-0.5)
        self.positions, self.dropout = positions, nn.Dropout(dropout)
        self.place = LearnedPositions(LONGEST, size) if positions == "learned" else None

    def forward(self, tokens: Tensor, start: int = 0) -> Tensor:
        vectors = self.table(tokens) * math.sqrt(self.table.embedding_dim)
        if self.positions == "sine":
            vectors = vectors + sinusoid(vectors.shape[-2], vectors.shape[-1], start=start).to(vectors)
        if self.place is not None:
            vectors = self.place(vectors, start)
        return self.dropout(vectors)


class PlacedAttention(MultiHeadAttention):
    """Multi-head self-attention that can keep its keys and values, and that knows places where the inputs do not.

    Shapes: query (batch, length, size), key and value of the same length, mask as in MultiHeadAttention
    → output (batch, length, size), weights (batch, heads, query, key) or None. With a `cache`, query, key and value are
    the new ones only, and the mask speaks of all that are kept. With positions "rotary", "alibi" and "relative" (a
    learned bias) the scores know how far apart query and key stand; with the others it is MultiHeadAttention.
    Raises ValueError for an unknown way, and with rotary for heads of odd size.
    """

    def __init__(self, size: int, heads: int, positions: str = "none") -> None:
        _require_way(positions)
        super().__init__(size, heads)
        self.positions = positions
        self.relative = RelativeBias(heads, FURTHEST) if positions == "relative" else None

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        need_weights: bool = False,
        cache: Cache | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        query = split_heads(self.project_query(query), self.heads)  # (batch, heads, query, head size)
        key = split_heads(self.project_key(key), self.heads)
        value = split_heads(self.project_value(value), self.heads)
        if self.positions == "rotary":
            start = 0 if cache is None else len(cache)
            query, key = rotary(query, start=start), rotary(key, start=start)
        if cache is not None:  # keys are kept as they were turned
            key, value = cache.append(key, value)
        if self.positions == "alibi":
            bias = alibi(self.heads, query.shape[-2], key.shape[-2]).to(query)
        if self.relative is not None:
            bias = self.relative(query.shape[-2], key.shape[-2]).to(query.dtype)
        return self.attend_in_heads(query, key, value, mask, bias, need_weights)


def scorer(embedded: Embedded, tied: bool = True) -> nn.Linear:
    """Makes the last layer, from features to logits; `tied`: a token's own vector scores it.

    Shapes: (…, size) → (…, vocabulary). Source: Press and Wolf 2017.
    """
    vocabulary, size = embedded.table.weight.shape
    scores = nn.Linear(size, vocabulary)
    with torch.no_grad():
        scores.bias.zero_()
    if tied:
        scores.weight = embedded.table.weight
    return scores


def _require_way(positions: str) -> None:
    if positions not in POSITIONS:
        raise ValueError(f"positions: got {positions!r}, expected one of {', '.join(POSITIONS)}")
