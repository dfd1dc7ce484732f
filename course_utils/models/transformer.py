"""The Transformer, encoder and decoder, with the calls of the recurrent `Seq2Seq`: it trains and searches alike."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_utils.attention.cache import Cache
from course_utils.attention.guards import require_positive
from course_utils.attention.heads import merge_heads, split_heads
from course_utils.attention.masks import causal_mask
from course_utils.data.text import START
from course_utils.models.blocks import DecoderBlock, DecoderStack, EncoderBlock, EncoderStack, glorot
from course_utils.models.decoding import greedy_search
from course_utils.models.encoder import Memory
from course_utils.models.places import Embedded, PlacedAttention, scorer


class Transformer(nn.Module):
    """Reads a source with encoder blocks, and writes a target with decoder blocks that look back at it.

    Shapes: source (batch, source), source_mask (batch, 1, source), target_in (batch, target).
    `layers` blocks of each kind, unless `decoder_layers` says otherwise; `hidden` features in their feed-forward
    layers. `positions` is one of "sine", "learned" (added to the inputs), "rotary", "alibi", "relative" (in every
    self-attention; the look at the source has none) and "none". `norm` is "pre" or "post"; a last norm follows the
    blocks with pre-norm only, unless `final` says otherwise (nn.Transformer has it always). When `tied`, a target token
    is scored by its own embedding. Raises ValueError for sizes below 1, heads that do not divide the size, and unknown
    words. Source: Vaswani et al. 2017.
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        size: int = 128,
        heads: int = 4,
        hidden: int = 512,
        layers: int = 2,
        *,
        decoder_layers: int | None = None,
        dropout: float = 0.0,
        positions: str = "sine",
        norm: str = "pre",
        tied: bool = True,
        activation: str = "relu",
        final: bool | None = None,
    ) -> None:
        final = norm == "pre" if final is None else final
        decoder_layers = layers if decoder_layers is None else decoder_layers
        require_positive(source_size=source_size, target_size=target_size, layers=layers, decoder_layers=decoder_layers)
        super().__init__()
        options = (size, heads, hidden, dropout, norm, activation)
        self.embed_source = Embedded(source_size, size, positions, dropout)
        self.embed_target = Embedded(target_size, size, positions, dropout)
        readers = [EncoderBlock(*options, PlacedAttention(size, heads, positions)) for _ in range(layers)]
        writers = [DecoderBlock(*options, PlacedAttention(size, heads, positions)) for _ in range(decoder_layers)]
        self.encoder = EncoderStack(readers, size, final)
        self.decoder = DecoderStack(writers, size, final)
        glorot(self.encoder)
        glorot(self.decoder)
        self.project = scorer(self.embed_target, tied)

    def forward(
        self, source: Tensor, source_mask: Tensor, target_in: Tensor, source_lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Predicts each target token from the true ones before it (teacher forcing), all in one pass.

        Shapes: source_lengths (batch) on the CPU or None → logits (batch, target, target_size),
        weights (batch, target, source): the last block's look at the source, the mean of its heads.
        """
        memory = self.encode(source, source_mask, source_lengths)
        maps: list[Tensor] = []
        return self.project(self.write(memory, target_in, maps)), maps[-1].mean(1)

    def features(
        self, source: Tensor, source_mask: Tensor, target_in: Tensor, source_lengths: Tensor | None = None
    ) -> tuple[Tensor, None]:
        """Gives what `forward` projects to logits, and no weights: the fused kernel makes none.

        Shapes: → features (batch, target, size), None.
        """
        return self.write(self.encode(source, source_mask, source_lengths), target_in), None

    def encode(self, source: Tensor, source_mask: Tensor, source_lengths: Tensor | None = None) -> Memory:
        """Reads the source. Shapes: → Memory, whose `last` (batch, 0, kept) is what has been written so far: nothing.

        Of each token that is written, the keys and values of every decoder block are kept, side by side.
        """
        padded = source_lengths is None or bool(source_lengths.min() < source.shape[1])  # asks the CPU, no device
        states = self.encoder(self.embed_source(source), source_mask if padded else None)
        kept = sum(2 * block.attention.project_key.out_features for block in self._writers)
        return Memory(states, source_mask, states.new_zeros(len(source), 0, kept))

    @property
    def _writers(self) -> list[DecoderBlock]:
        return [block for block in self.decoder.blocks if isinstance(block, DecoderBlock)]

    def write(
        self,
        memory: Memory,
        target_in: Tensor,
        maps: list[Tensor] | None = None,
        caches: Sequence[Cache] | None = None,
    ) -> Tensor:
        """Runs the decoder over target tokens. Shapes: target_in (batch, target) → features (batch, target, size).

        With `caches`, one for each block, the tokens are the new ones only: they follow those that were written before.
        Padding on the right needs no mask of its own: the causal mask hides it from every real token.
        """
        if target_in.dim() != 2 or len(target_in) != len(memory.states):
            raise ValueError(f"target_in: got shape {tuple(target_in.shape)}, expected ({len(memory.states)}, target)")
        before, new = len(caches[0]) if caches else 0, target_in.shape[1]
        causal = causal_mask(new, before + new, device=target_in.device)
        return self.decoder(self.embed_target(target_in, before), memory.states, causal, memory.mask, maps, caches)

    def decode(
        self, memory: Memory, target_in: Tensor, state: Tensor, first: int = 0
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Goes on writing after the tokens whose keys and values are in `state`; only the new ones are computed.

        Shapes: target_in (batch, target), state (batch, before, kept) → logits (batch, target, target_size), None, the
        state after the last token (batch, before + target, kept). `first` is for decoders that count: here it changes
        nothing. No gradient flows into the state.
        """
        caches = [Cache() for _ in self._writers]
        if state.shape[1]:
            for cache, block, kept in zip(caches, self._writers, state.chunk(len(caches), -1), strict=True):
                cache.append(*(split_heads(part, block.attention.heads) for part in kept.chunk(2, -1)))
        features = self.write(memory, target_in, caches=caches)
        return self.project(features), None, torch.cat([merge_heads(part) for one in caches for part in one.kept], -1)

    @torch.no_grad()
    def greedy(self, source: Tensor, source_mask: Tensor, longest: int) -> tuple[Tensor, Tensor]:
        """Writes the likeliest token, reads it back in, and so on, up to `<end>` or `longest` tokens.

        Shapes: → ids (batch, target), weights (batch, target, source) as in `forward`, where target ≤ longest.
        After a row's `<end>` its ids are `<pad>`; writing stops when every row has ended.
        """
        ids = greedy_search(self, source, source_mask, longest)
        start = torch.full_like(ids[:, :1], START)
        return ids, self.look(source, source_mask, torch.cat([start, ids[:, :-1]], dim=1))[:, -1].mean(1)

    def look(self, source: Tensor, source_mask: Tensor, target_in: Tensor) -> Tensor:
        """Gives all weights over the source: (batch, layers, heads, target, source)."""
        maps: list[Tensor] = []
        self.write(self.encode(source, source_mask), target_in, maps)
        return torch.stack(maps, dim=1)
