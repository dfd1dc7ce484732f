"""The blocks of a Transformer: attention, then a small net for each place, each with a way around it and a norm."""

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.cache import Cache
from course_utils.attention.guards import require_positive
from course_utils.attention.heads import MultiHeadAttention
from course_utils.models.places import PlacedAttention

NORMS = ("post", "pre")
SHORT = 64  # keys: for fewer, plain products are faster on a processor than the fused kernel, which works in tiles
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class FeedForward(nn.Module):
    """Two linear layers with a bend between them, for every place alike and each place alone.

    Shapes: x (…, size) → (…, size), with `hidden` features in between.
    Raises ValueError for sizes below 1, a dropout outside 0 … 1, and an unknown activation ("relu" or "gelu").
    Source: Vaswani et al. 2017, section 3.3.
    """

    def __init__(self, size: int, hidden: int, dropout: float = 0.0, activation: str = "relu") -> None:
        require_positive(size=size, hidden=hidden)
        _require_choices(dropout, activation=activation)
        super().__init__()
        self.widen, self.narrow = nn.Linear(size, hidden), nn.Linear(hidden, size)
        self.dropout, self.activation = nn.Dropout(dropout), ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        return self.narrow(self.dropout(self.activation(self.widen(x))))


class Residual(nn.Module):
    """A way around a layer: what goes in is added to what comes out, with LayerNorm after the sum or before the layer.

    Shapes: x (…, size), a layer that keeps the shape → (…, size).
    "post" is the order of 2017, norm(x + layer(x)); "pre" leaves the way around free of norms, x + layer(norm(x)).
    Source: Vaswani et al. 2017, sections 3.1 and 5.4 (dropout on what the layer says); Xiong et al. 2020 (pre).
    """

    def __init__(self, size: int, dropout: float = 0.0, norm: str = "post") -> None:
        require_positive(size=size)
        _require_choices(dropout, norm=norm)
        super().__init__()
        self.norm, self.dropout, self.first = nn.LayerNorm(size), nn.Dropout(dropout), norm == "pre"

    def forward(self, x: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
        if self.first:
            return x + self.dropout(layer(self.norm(x)))
        return self.norm(x + self.dropout(layer(x)))


class EncoderBlock(nn.Module):
    """Every place asks all places, then each thinks for itself; under a causal mask, the block of a decoder-only model.

    Shapes: source (batch, length, size), mask that broadcasts to (batch, heads, query, key), True = may attend
    → (batch, length, size). `maps`, a list, gets the weights (batch, heads, query, key).
    `attention` takes the place of the usual one, as an attention that knows positions does. Raises ValueError for
    heads that do not divide the size, and for what its parts refuse. Source: Vaswani et al. 2017, section 3.1.
    """

    def __init__(
        self, size: int, heads: int, hidden: int, dropout: float = 0.0, norm: str = "post",
        activation: str = "relu", attention: PlacedAttention | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.attention = attention or PlacedAttention(size, heads)
        self.around_attention = Residual(size, dropout, norm)
        self.feed = FeedForward(size, hidden, dropout, activation)
        self.around_feed = Residual(size, dropout, norm)

    def forward(
        self,
        source: Tensor,
        mask: Tensor | None = None,
        maps: list[Tensor] | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        source = self.around_attention(source, lambda x: _context(self.attention, x, x, mask, maps, cache=cache))
        return self.around_feed(source, self.feed)


class DecoderBlock(nn.Module):
    """The same with a look at the memory in between: queries from the target, keys and values from the encoder.

    Shapes: target (batch, query, size), memory (batch, key, size), target_mask that broadcasts to (batch, heads, query,
    query), causal as a rule, memory_mask that broadcasts to (batch, heads, query, key) → (batch, query, size).
    `maps`, a list, gets the weights over the memory (batch, heads, query, key). Raises ValueError as EncoderBlock does.
    Source: Vaswani et al. 2017, section 3.1.
    """

    def __init__(
        self, size: int, heads: int, hidden: int, dropout: float = 0.0, norm: str = "post",
        activation: str = "relu", attention: PlacedAttention | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.attention = attention or PlacedAttention(size, heads)
        self.around_attention = Residual(size, dropout, norm)
        self.cross = MultiHeadAttention(size, heads)
        self.around_cross = Residual(size, dropout, norm)
        self.feed = FeedForward(size, hidden, dropout, activation)
        self.around_feed = Residual(size, dropout, norm)

    def forward(
        self,
        target: Tensor,
        memory: Tensor,
        target_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        maps: list[Tensor] | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        target = self.around_attention(target, lambda x: _context(self.attention, x, x, target_mask, cache=cache))
        target = self.around_cross(target, lambda x: _context(self.cross, x, memory, memory_mask, maps))
        return self.around_feed(target, self.feed)


class Stack(nn.Module):
    """Blocks to go through one after the other, and a last norm if `final`: with pre-norm the sum is never normed."""

    def __init__(self, blocks: Sequence[nn.Module], size: int, final: bool = True) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(size) if final else nn.Identity()


class EncoderStack(Stack):
    """Encoder blocks one after the other, then the last norm.

    Shapes: as EncoderBlock. `maps` gets the weights of each block in turn.
    """

    def forward(
        self,
        source: Tensor,
        mask: Tensor | None = None,
        maps: list[Tensor] | None = None,
        caches: Sequence[Cache] | None = None,
    ) -> Tensor:
        for place, block in enumerate(self.blocks):
            source = block(source, mask, maps, caches[place] if caches else None)
        return self.norm(source)


class DecoderStack(Stack):
    """Decoder blocks one after the other; each looks at the same memory. Shapes: as DecoderBlock."""

    def forward(
        self,
        target: Tensor,
        memory: Tensor,
        target_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        maps: list[Tensor] | None = None,
        caches: Sequence[Cache] | None = None,
    ) -> Tensor:
        for place, block in enumerate(self.blocks):
            target = block(target, memory, target_mask, memory_mask, maps, caches[place] if caches else None)
        return self.norm(target)


def glorot(module: nn.Module) -> None:
    """Draws every matrix of a module's linear layers afresh, by Glorot's rule, and sets their biases to 0.

    nn.Transformer begins so too. The usual start of nn.Linear is smaller, for a square matrix by the root of 3, so that
    what the blocks say is at first quiet beside what goes around them; a Transformer then learns more slowly, see
    benchmarks/RESULTS.md. Source: Glorot and Bengio 2010, equation 16.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def _context(
    attention: MultiHeadAttention,
    x: Tensor,
    seen: Tensor,
    mask: Tensor | None,
    maps: list[Tensor] | None = None,
    **kept: Cache | None,
) -> Tensor:
    """What x is told by what it sees; where somebody collects maps, the weights go there. Self-attention may keep."""
    plain = maps is not None or (seen.shape[-2] <= SHORT and seen.device.type == "cpu")
    context, weights = attention(x, seen, seen, mask, need_weights=plain, **kept)
    if maps is not None and weights is not None:
        maps.append(weights)
    return context


def _require_choices(dropout: float, norm: str = "pre", activation: str = "relu") -> None:
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout: got {dropout!r}, expected a share from 0 to below 1")
    if norm not in NORMS:
        raise ValueError(f"norm: got {norm!r}, expected one of {', '.join(NORMS)}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation: got {activation!r}, expected one of {', '.join(ACTIVATIONS)}")
