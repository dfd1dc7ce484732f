"""An encoder-decoder of recurrent nets: one vector carries everything, or, with attention, the decoder looks back."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.attention import Score, attend
from course_utils.data.text import END, PAD, START
from course_utils.masks import padding_mask


class Memory(NamedTuple):
    """What the encoder hands over: one state for each source token, which of them are real, and the last state."""

    states: Tensor  # (batch, source, size)
    mask: Tensor  # (batch, 1, source), True = a real token
    last: Tensor  # (batch, size): all that a decoder without attention ever sees


class Encoder(nn.Module):
    """Reads the source forwards and backwards, and writes one state for each token.

    Shapes: source (batch, source), mask (batch, 1, source) → Memory.
    Each direction has half the size. Padding stands on the right and is never read: packed sequences end where each
    row ends, so `last` is the state after the last real token, joined to the backward one after the first.
    """

    def __init__(self, vocabulary: int, size: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, size)
        self.read = nn.GRU(size, size // 2, batch_first=True, bidirectional=True)

    def forward(self, source: Tensor, mask: Tensor) -> Memory:
        lengths = _lengths(source, mask)
        packed = pack_padded_sequence(self.embed(source), lengths, batch_first=True, enforce_sorted=False)
        states, ends = self.read(packed)
        states, _ = pad_packed_sequence(states, batch_first=True, total_length=source.shape[1])
        return Memory(states, mask, torch.cat([*ends], dim=-1))


class Seq2Seq(nn.Module):
    """Reads a source and writes a target token by token; with a score it may look back at the source.

    Shapes: source (batch, source), source_mask (batch, 1, source), target_in (batch, target).
    Without a score the encoder's last state starts the decoder and is joined to every decoder input, so that nobody
    has to remember it. With a score (any function or module of query and key) the decoder's states are the queries,
    the encoder's states the keys and values, and each context is joined to its query: tanh(W[context; query]).
    Raises ValueError for sizes below 1 or an odd size. Source: Sutskever et al. 2014; Cho et al. 2014 (the last state
    joined to every input); Luong et al. 2015, equations 5 and 6.
    """

    def __init__(self, source_size: int, target_size: int, size: int = 64, score: Score | None = None) -> None:
        super().__init__()
        for name, number in (("source_size", source_size), ("target_size", target_size), ("size", size)):
            if not isinstance(number, int) or number < 1:
                raise ValueError(f"{name}: got {number!r}, expected a whole number of at least 1")
        if size % 2:
            raise ValueError(f"size: got {size}, expected an even number, for the encoder reads in two directions")
        self.score = score
        self.encode = Encoder(source_size, size)
        self.embed = nn.Embedding(target_size, size)
        self.write = nn.GRU(2 * size if score is None else size, size, batch_first=True)
        self.join = None if score is None else nn.Linear(2 * size, size)
        self.project = nn.Linear(size, target_size)

    def forward(self, source: Tensor, source_mask: Tensor, target_in: Tensor) -> tuple[Tensor, Tensor | None]:
        """Predicts each target token from the true ones before it (teacher forcing), all in one pass.

        Shapes: → logits (batch, target, target_size), weights (batch, target, source) or None.
        """
        memory = self.encode(source, source_mask)
        if target_in.dim() != 2 or len(target_in) != len(source):
            raise ValueError(f"target_in: got shape {tuple(target_in.shape)}, expected ({len(source)}, target)")
        logits, weights, _ = self.decode(memory, target_in, memory.last)
        return logits, weights

    def decode(self, memory: Memory, target_in: Tensor, state: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """Runs the decoder over the given target tokens, many or one, from a state on.

        Shapes: target_in (batch, target), state (batch, size) → logits (batch, target, target_size),
        weights (batch, target, source) or None, the state after the last token (batch, size).
        """
        inputs = self.embed(target_in)  # (batch, target, size)
        if self.score is None:
            last = memory.last[:, None].expand(-1, target_in.shape[1], -1)
            inputs = torch.cat([inputs, last], dim=-1)  # (batch, target, 2 · size)
        query, final = self.write(inputs, state[None].contiguous())  # (batch, target, size)
        if self.score is None:
            return self.project(query), None, final[0]
        context, weights = attend(query, memory.states, memory.states, memory.mask, self.score)
        joined = torch.tanh(self.join(torch.cat([context, query], dim=-1)))
        return self.project(joined), weights, final[0]

    @torch.no_grad()
    def greedy(self, source: Tensor, source_mask: Tensor, longest: int) -> tuple[Tensor, Tensor | None]:
        """Writes the likeliest token, reads it back in, and so on, up to `<end>` or `longest` tokens.

        Shapes: → ids (batch, target), weights (batch, target, source) or None, where target ≤ longest.
        After a row's `<end>` its ids are `<pad>`; writing stops when every row has ended.
        """
        if longest < 1:
            raise ValueError(f"longest: got {longest}, expected at least 1")
        memory = self.encode(source, source_mask)
        token, state = torch.full_like(source[:, :1], START), memory.last
        done = torch.zeros_like(token, dtype=torch.bool)
        ids, weights = [], []
        while len(ids) < longest and not done.all():
            logits, looked, state = self.decode(memory, token, state)
            token = logits.argmax(dim=-1).masked_fill(done, PAD)  # (batch, 1)
            done = done | (token == END)
            ids.append(token)
            weights.append(looked)
        return torch.cat(ids, dim=1), None if self.score is None else torch.cat(weights, dim=1)


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
