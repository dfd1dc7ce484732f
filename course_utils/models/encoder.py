"""The encoder of a sequence-to-sequence model, and the memory that it hands to the decoder."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

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

    Shapes: source (batch, source), mask (batch, 1, source), lengths (batch) on the CPU or None → Memory.
    Each direction has half the size. Padding stands on the right and is never read: packed sequences end where each
    row ends, so `last` is the state after the last real token, joined to the backward one after the first. With an
    LSTM `last` holds its two states in a row, hidden and cell. `lengths` says what the mask says, as a `Batch` has it;
    without it the mask is asked, and a GPU must finish its work before it can tell. Raises ValueError for a mask or
    lengths that do not fit the source, an empty row, or padding that is not on the right.
    """

    def __init__(
        self, vocabulary: int, size: int, cell: str = "gru", embedding: int | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        embedding = size if embedding is None else embedding
        self.embed = nn.Embedding(vocabulary, embedding)
        self.dropout = nn.Dropout(dropout)
        self.read = CELLS[cell](embedding, size // 2, batch_first=True, bidirectional=True)

    def forward(self, source: Tensor, mask: Tensor, lengths: Tensor | None = None) -> Memory:
        _require_source(source, mask)
        if lengths is None:
            lengths = _lengths(mask)
        else:
            _require_lengths(source, lengths)
        embedded = self.dropout(self.embed(source))  # (batch, source, embedding)
        if lengths.min() == source.shape[1]:  # sources of one length need no packing, which is slower
            states, ends = self.read(embedded)
            ends = ends if isinstance(ends, tuple) else (ends,)
        else:
            states, ends = self._read_packed(embedded, lengths)
        return Memory(states, mask, torch.cat([direction for end in ends for direction in end], dim=-1))

    def _read_packed(self, embedded: Tensor, lengths: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Reads each row up to its length: the longest first, as packing wants it, then back in the given order.

        Sorted here and not by PyTorch, which would ask the device for the order when it unpacks.
        """
        sorted_lengths, order = lengths.sort(descending=True)
        back = order.argsort().to(embedded.device)
        longest_first = embedded.index_select(0, order.to(embedded.device))
        states, ends = self.read(pack_padded_sequence(longest_first, sorted_lengths, batch_first=True))
        states, _ = pad_packed_sequence(states, batch_first=True, total_length=embedded.shape[1])
        ends = ends if isinstance(ends, tuple) else (ends,)  # an LSTM has two
        return states.index_select(0, back), tuple(end.index_select(1, back) for end in ends)


def _lengths(mask: Tensor) -> Tensor:
    """The number of real tokens in each row, on the CPU, where packing wants it."""
    real = mask[:, 0].cpu()
    empty, gap = real[:, :1].sum() < len(real), (real[:, 1:] > real[:, :-1]).any()  # a gap: real after padding
    if empty or gap:
        raise ValueError("source_mask: got an empty row or a gap, expected real tokens first and padding on the right")
    return real.sum(-1)


def _require_source(source: Tensor, mask: Tensor) -> None:
    if source.dim() != 2:
        raise ValueError(f"source: got shape {tuple(source.shape)}, expected (batch, source)")
    expected = (source.shape[0], 1, source.shape[1])
    if mask.dtype != torch.bool or mask.shape != expected:
        raise ValueError(f"source_mask: got {mask.dtype} {tuple(mask.shape)}, expected torch.bool {expected}")


def _require_lengths(source: Tensor, lengths: Tensor) -> None:
    if lengths.device.type != "cpu" or lengths.shape != source.shape[:1]:
        got = f"shape {tuple(lengths.shape)} on {lengths.device}"
        raise ValueError(f"source_lengths: got {got}, expected ({len(source)},) on the CPU")
    if len(lengths) and not 1 <= lengths.min() <= lengths.max() <= source.shape[1]:
        raise ValueError(f"source_lengths: got {lengths.tolist()}, expected numbers from 1 to {source.shape[1]}")
