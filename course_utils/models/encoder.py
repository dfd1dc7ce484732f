"""The encoder of a sequence-to-sequence model, and the memory that it hands to the decoder."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.attention.masks import padding_mask

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}


class Memory(NamedTuple):
    """What the encoder hands over: one state for each source token, which of them are real, and the last state."""

    states: Tensor  # (batch, source, size)
    mask: Tensor  # (batch, 1, source), True = a real token
    last: Tensor  # (batch, state): all that a decoder without attention ever sees

    def rows(self, index: Tensor) -> "Memory":
        """Picks rows of the batch, in the given order and as often as they are named, as a beam search needs them.

        Shapes: index (rows,) → a Memory whose batch is rows.
        """
        return Memory(*(part.index_select(0, index) for part in self))


class Encoder(nn.Module):
    """Reads the source forwards and backwards, and writes one state for each token.

    Shapes: source (batch, source), mask (batch, 1, source) → Memory.
    Each direction has half the size. Padding stands on the right and is never read: packed sequences end where each
    row ends, so `last` is the state after the last real token, joined to the backward one after the first. With an
    LSTM `last` holds its two states in a row, hidden and cell.
    """

    def __init__(
        self, vocabulary: int, size: int, cell: str = "gru", embedding: int | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        embedding = size if embedding is None else embedding
        self.embed = nn.Embedding(vocabulary, embedding)
        self.dropout = nn.Dropout(dropout)
        self.read = CELLS[cell](embedding, size // 2, batch_first=True, bidirectional=True)

    def forward(self, source: Tensor, mask: Tensor) -> Memory:
        lengths = _lengths(source, mask)
        embedded = self.dropout(self.embed(source))  # (batch, source, embedding)
        if lengths.min() == source.shape[1]:  # sources of one length need no packing, which is slower
            states, ends = self.read(embedded)
        else:
            packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
            states, ends = self.read(packed)
            states, _ = pad_packed_sequence(states, batch_first=True, total_length=source.shape[1])
        ends = ends if isinstance(ends, tuple) else (ends,)
        return Memory(states, mask, torch.cat([direction for end in ends for direction in end], dim=-1))


def _lengths(source: Tensor, mask: Tensor) -> Tensor:
    """The number of real tokens in each row, on the CPU, where packing wants it."""
    if source.dim() != 2:
        raise ValueError(f"source: got shape {tuple(source.shape)}, expected (batch, source)")
    expected = (source.shape[0], 1, source.shape[1])
    if mask.dtype != torch.bool or mask.shape != expected:
        raise ValueError(f"source_mask: got {mask.dtype} {tuple(mask.shape)}, expected torch.bool {expected}")
    mask = mask.cpu()
    lengths = mask.sum(dim=(1, 2))
    if (lengths < 1).any() or not torch.equal(mask, padding_mask(lengths, source.shape[1])):
        raise ValueError("source_mask: got an empty row or a gap, expected real tokens first and padding on the right")
    return lengths
