"""Batches for training at speed: sources of one length in each, so that nothing is padded, packed or masked there."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice

import torch
from torch import Tensor

from course_utils.attention.guards import require_positive
from course_utils.data.text import Batch, Vocabulary, pad, shifted


class Buckets:
    """All pairs as tensors, made once, and for each epoch another order of batches.

    Shapes: n pairs (source first, target second) → `len(buckets)` batches an epoch, each with about `tokens` source
    tokens and all its sources of one length. Targets of similar length come together. Every pair comes exactly once
    an epoch. The order depends on the seed and the epoch's number only, so that training can go on where it stopped.
    Raises ValueError for no pairs, an empty source, or tokens below 1.
    """

    def __init__(
        self, pairs: Sequence, sources: Vocabulary, targets: Vocabulary, tokens: int = 1000, seed: int = 0
    ) -> None:
        if len(pairs) == 0:
            raise ValueError("pairs: got none, expected at least one pair")
        require_positive(tokens=tokens)
        self.seed = seed
        by_length = defaultdict(list)
        for pair in pairs:
            by_length[len(pair[0])].append(pair)
        if 0 in by_length:
            raise ValueError(
                f"pairs: got an empty source with target {by_length[0][0][1]!r}, expected at least one token"
            )
        self.groups = [_Group(by_length[length], sources, targets, tokens) for length in sorted(by_length)]
        self.target_tokens = sum(group.target_tokens for group in self.groups)  # an epoch's, with <end>

    def __len__(self) -> int:
        return sum(len(group) for group in self.groups)

    def epoch(self, number: int, first: int = 0) -> Iterator[Batch]:
        """Yields the batches of one epoch in its own order, from the batch numbered `first` on."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        plan = [(group, rows) for group in self.groups for rows in group.cut(generator)]
        order = torch.randperm(len(plan), generator=generator).tolist()
        for group, rows in (plan[index] for index in islice(order, first, None)):
            yield group.batch(rows)

    def stream(self, number: int = 0) -> Iterator[Batch]:
        """Yields batches without end: the epoch with this number, then the next one, and so on."""
        return chain.from_iterable(self.epoch(epoch) for epoch in count(number))


class _Group:
    """The pairs whose sources have one length."""

    def __init__(self, pairs: list, sources: Vocabulary, targets: Vocabulary, tokens: int) -> None:
        self.pairs = pairs
        self.source, lengths = pad([sources.encode(pair[0]) for pair in pairs])
        self.target_in, self.target_out, self.target_lengths = shifted([targets.encode(pair[1]) for pair in pairs])
        self.target_tokens = int(self.target_lengths.sum())
        self.rows = max(1, tokens // int(lengths[0]))

    def __len__(self) -> int:
        return -(-len(self.pairs) // self.rows)  # rounded up: the last batch may be smaller

    def cut(self, generator: torch.Generator) -> list[Tensor]:
        """Shuffles the rows, then brings targets of one length together, and cuts them into batches."""
        order = torch.randperm(len(self.pairs), generator=generator)
        order = order[self.target_lengths[order].argsort(stable=True)]
        return list(order.split(self.rows))

    def batch(self, rows: Tensor) -> Batch:
        longest = int(self.target_lengths[rows].max())
        source = self.source[rows]
        return Batch(
            source=source,
            source_mask=torch.ones(len(rows), 1, source.shape[1], dtype=torch.bool),
            source_lengths=torch.full((len(rows),), source.shape[1]),
            target_in=self.target_in[rows, :longest],
            target_out=self.target_out[rows, :longest],
            pairs=tuple(self.pairs[row] for row in rows.tolist()),
        )
