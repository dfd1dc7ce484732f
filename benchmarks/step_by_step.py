"""The decoder that common tutorials teach, for the benchmark: one target token after another, in a Python loop.

There are two forms that compute the same. `AsTaught` does as tutorials do: at every step the keys' half of the additive
score and the logits. `StepByStep` does both once for all steps, and is the faster. Both are written with care, so that
the comparison is fair: the decoder starts from the state after the last real token, padding gets no attention, batches
are no wider than their longest pair, and all is encoded before the clock starts.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.masks import padding_mask
from course_utils.data.text import END, PAD, START, Batch, Vocabulary, pad


class StepByStep(nn.Module):
    """An encoder-decoder whose decoder looks back before each step: the context goes into the recurrent net.

    Shapes: source (batch, source), mask (batch, 1, source), target_in (batch, target)
    → logits (batch, target, target_size).
    Source: Bahdanau et al. 2015, with an encoder that reads in one direction, as tutorials have it.
    """

    def __init__(self, source_size: int, target_size: int, size: int = 128) -> None:
        super().__init__()
        self.embed_source = nn.Embedding(source_size, size)
        self.read = nn.GRU(size, size, batch_first=True)
        self.for_query = nn.Linear(size, size, bias=False)
        self.for_key = nn.Linear(size, size)
        self.v = nn.Linear(size, 1, bias=False)
        self.embed_target = nn.Embedding(target_size, size)
        self.write = nn.GRU(2 * size, size, batch_first=True)
        self.project = nn.Linear(size, target_size)

    def forward(self, source: Tensor, mask: Tensor, target_in: Tensor) -> Tensor:
        states, state = self.encode(source, mask)
        keys = self.for_key(states)
        outputs = []
        for place in range(target_in.shape[1]):
            output, state = self.step(target_in[:, place : place + 1], state, keys, states, mask)
            outputs.append(output)
        return self.project(torch.cat(outputs, dim=1))

    def encode(self, source: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Reads the padded sources: states (batch, source, size), and the last real one of each (1, batch, size)."""
        states, _ = self.read(self.embed_source(source))
        last = mask.sum(dim=(1, 2)) - 1
        return states, states[torch.arange(len(source), device=source.device), last][None]

    def step(self, token: Tensor, state: Tensor, keys: Tensor, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Reads one target token (batch, 1): the net's output (batch, 1, size) and its next state (1, batch, size)."""
        context = self.attend(state.transpose(0, 1), keys, states, mask)
        return self.write(torch.cat([self.embed_target(token), context], dim=-1), state)

    def attend(self, query: Tensor, keys: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """Mixes the states for one query (batch, 1, size), weighted by additive scores: context (batch, 1, size)."""
        scores = self.v(torch.tanh(self.for_query(query) + keys)).transpose(1, 2)  # (batch, 1, source)
        return torch.bmm(torch.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1), states)


class AsTaught(StepByStep):
    """The same, with the keys and the logits computed anew at each step, as tutorials have it."""

    def forward(self, source: Tensor, mask: Tensor, target_in: Tensor) -> Tensor:
        states, state = self.encode(source, mask)
        logits = []
        for place in range(target_in.shape[1]):
            output, state = self.step(target_in[:, place : place + 1], state, self.for_key(states), states, mask)
            logits.append(self.project(output))
        return torch.cat(logits, dim=1)


def loop_loss(model: StepByStep, batch: Batch) -> tuple[Tensor, int]:
    """Gives what the package's `token_loss` gives: the summed loss of real target tokens, and their number.

    Logits are made for every place of the rectangle, padding too, and the loss leaves the padding out.
    """
    logits = model(batch.source, batch.source_mask, batch.target_in).flatten(0, 1)
    target = batch.target_out.flatten()
    return F.cross_entropy(logits, target, ignore_index=PAD, reduction="sum"), int((target != PAD).sum())


class Padded:
    """All pairs in two rectangles; batches of `rows` pairs in random order, cut to the longest pair of each.

    Everything is encoded and padded once, so that a batch costs the loop next to nothing.
    """

    def __init__(self, pairs: Sequence, sources: Vocabulary, targets: Vocabulary, rows: int) -> None:
        encoded = [targets.encode(pair[1]) for pair in pairs]
        self.source, self.lengths = pad([sources.encode(pair[0]) for pair in pairs])
        self.target_in, self.target_lengths = pad([[START, *target] for target in encoded])
        self.target_out, _ = pad([[*target, END] for target in encoded])
        self.rows = rows

    def with_rows(self, rows: int) -> "Padded":
        """The same data in batches of another size, without a copy of it."""
        other = object.__new__(Padded)
        other.__dict__ = {**self.__dict__, "rows": rows}
        return other

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yields all pairs once; the order depends on the epoch's number only."""
        order = torch.randperm(len(self.source), generator=torch.Generator().manual_seed(number))
        for places in order.split(self.rows):
            lengths, longest = self.lengths[places], int(self.target_lengths[places].max())
            source = self.source[places, : int(lengths.max())]
            target_in, target_out = self.target_in[places, :longest], self.target_out[places, :longest]
            yield Batch(source, padding_mask(lengths, source.shape[1]), lengths, target_in, target_out, ())
