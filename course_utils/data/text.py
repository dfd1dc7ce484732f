"""From text to tensors: a vocabulary of characters or words, padding, and batches of pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from course_utils.attention.masks import padding_mask

PAD, START, END, UNKNOWN = range(4)
SIGNS = ("<pad>", "<start>", "<end>", "<unknown>")


class Pair(NamedTuple):
    """One example: what goes in and what should come out, each a text or a tuple of tokens (words, sounds)."""

    source: str | tuple[str, ...]
    target: str | tuple[str, ...]


class Vocabulary:
    """Numbers for tokens, and tokens for numbers; the tokens are characters, or words, or sounds.

    The first four numbers are signs: 0 is `<pad>`, 1 `<start>`, 2 `<end>`, 3 `<unknown>`. The tokens of `texts` follow
    in the order of their code points, so that the same set of tokens always gives the same numbers. A string is a
    sequence of characters; a tuple or list of strings is a sequence of words. A token that occurs less than `at_least`
    times gets no number of its own. Errors: ValueError for one string, for strings and sequences mixed, for a token
    that is no string, and for at_least below 1.
    """

    def __init__(self, texts: Iterable[Sequence[str]], at_least: int = 1):
        if isinstance(texts, str):
            raise ValueError(
                f"texts: given one string, {texts[:20]!r}; expected several strings, such as [{texts[:9]!r}]"
            )
        if at_least < 1:
            raise ValueError(f"at_least: given {at_least}; expected 1 or more")
        texts = list(texts)
        strings = sum(isinstance(text, str) for text in texts)
        if 0 < strings < len(texts):
            raise ValueError(f"texts: given {strings} strings among {len(texts)}; expected only strings, or none")
        times = Counter(chain.from_iterable(texts))
        strange = [token for token in times if not isinstance(token, str)]
        if strange:
            raise ValueError(f"texts: given the token {strange[0]!r}; expected strings")
        self.entries = sorted(token for token, number in times.items() if number >= at_least)
        self._between = "" if strings == len(texts) else " "
        self._number = {token: number for number, token in enumerate(self.entries, start=len(SIGNS))}

    @property
    def characters(self) -> list[str]:
        """The entries, by the name that fits when each is one character."""
        return self.entries

    def __len__(self) -> int:
        return len(SIGNS) + len(self.entries)

    def __contains__(self, token: str) -> bool:
        return token in self._number

    def __repr__(self) -> str:
        kind = "tokens" if self._between else "characters"
        return f"Vocabulary of {len(self)}: {len(SIGNS)} signs and {len(self.entries)} {kind}"

    def encode(self, text: Sequence[str]) -> list[int]:
        """Return one number for each token; a token never seen before becomes `<unknown>`.

        Errors: ValueError for a string where the tokens are words: it would be read letter by letter.
        """
        if self._between and isinstance(text, str):
            raise ValueError(f"text: given the string {text[:20]!r}; expected a sequence of tokens, such as a tuple")
        return [self._number.get(token, UNKNOWN) for token in text]

    def tokens(self, numbers: Iterable[int]) -> list[str]:
        """Return the tokens up to the first `<end>`; `<pad>` and `<start>` are left out, `<unknown>` becomes �.

        Shapes: numbers is a list of ints or a tensor (length,). Errors: ValueError for a number outside the vocabulary.
        """
        found = []
        for number in numbers.tolist() if isinstance(numbers, Tensor) else numbers:
            if not 0 <= number < len(self):
                raise ValueError(f"numbers: given {number}; expected numbers from 0 to {len(self) - 1}")
            if number == END:
                break
            if number >= len(SIGNS):
                found.append(self.entries[number - len(SIGNS)])
            elif number == UNKNOWN:
                found.append("\N{REPLACEMENT CHARACTER}")
        return found

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the same tokens as one text: characters side by side, words and sounds with spaces between.

        Shapes: numbers is a list of ints or a tensor (length,). Errors: ValueError for a number outside the vocabulary.
        """
        return self._between.join(self.tokens(numbers))


def pad(sequences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Put sequences of different lengths into one rectangle, filled up with `<pad>` on the right.

    Shapes: sequences of lengths t₁ … tₙ → ids (batch, longest) and lengths (batch,), both int64.
    """
    if len(sequences) == 0:
        raise ValueError("sequences: given none; expected at least one sequence of numbers")
    rows = [_numbers(sequence) for sequence in sequences]
    return pad_sequence(rows, batch_first=True, padding_value=PAD), torch.tensor([len(row) for row in rows])


def _numbers(sequence: Sequence[int]) -> Tensor:
    return torch.as_tensor(sequence, dtype=torch.long)


@dataclass(frozen=True)
class Batch:
    """Several pairs as tensors, ready for an encoder and a decoder.

    Shapes: source (batch, key), source_mask (batch, 1, key) with True = may attend, source_lengths (batch,),
    target_in and target_out (batch, query). The decoder reads `<start>2026` (target_in) while it writes `2026<end>`
    (target_out). `pairs` holds the examples themselves, in the same order.
    """

    source: Tensor
    source_mask: Tensor
    source_lengths: Tensor
    target_in: Tensor
    target_out: Tensor
    pairs: tuple = field(repr=False)

    def to(self, device: torch.device | str) -> Batch:
        """Return the same batch with its tensors on another device."""
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **moved)

    def __len__(self) -> int:
        return len(self.pairs)


def collate(pairs: Sequence, sources: Vocabulary, targets: Vocabulary) -> Batch:
    """Make one batch of the given pairs, in the given order.

    Shapes: n pairs (source text first, target text second) → Batch of n rows.
    Errors: ValueError for no pairs.
    """
    return _batch(_encoded(_checked(pairs), sources, targets))


def batches(
    pairs: Sequence,
    size: int,
    sources: Vocabulary,
    targets: Vocabulary,
    generator: torch.Generator | None = None,
    epochs: int | None = 1,
) -> Iterator[Batch]:
    """Yield batches that go through all pairs once per epoch; `epochs=None` never ends.

    With a generator the order is drawn anew each epoch, and pairs of similar source length come together, which saves
    padding. Without one the pairs come as given. The last batch of an epoch may be smaller.
    Errors: ValueError for no pairs, a size below 1, or fewer than 0 epochs.
    """
    if size < 1:
        raise ValueError(f"size: given {size}; expected at least 1")
    if epochs is not None and epochs < 0:
        raise ValueError(f"epochs: given {epochs}; expected 0 or more, or None for a stream without end")
    # A function of its own, so that a mistake is reported here and not when the first batch is asked for.
    return _stream(_encoded(_checked(pairs), sources, targets), size, generator, epochs)


def _checked(pairs: Sequence) -> Sequence:
    if len(pairs) == 0:
        raise ValueError("pairs: given none; expected at least one pair")
    return pairs


def _encoded(pairs: Sequence, sources: Vocabulary, targets: Vocabulary) -> list[tuple]:
    """Turn texts into numbers once, not once an epoch: (pair, source, target in, target out) for each pair."""
    rows = []
    for pair in pairs:
        target = targets.encode(pair[1])
        rows.append((pair, _numbers(sources.encode(pair[0])), _numbers([START, *target]), _numbers([*target, END])))
    return rows


def _batch(rows: Sequence[tuple]) -> Batch:
    pairs, sources, targets_in, targets_out = zip(*rows, strict=True)
    source, lengths = pad(sources)
    return Batch(source, padding_mask(lengths), lengths, pad(targets_in)[0], pad(targets_out)[0], pairs)


def _stream(rows: list[tuple], size: int, generator: torch.Generator | None, epochs: int | None) -> Iterator[Batch]:
    for _ in count() if epochs is None else range(epochs):
        for places in _places([len(row[1]) for row in rows], size, generator):
            yield _batch([rows[place] for place in places])


def _places(lengths: list[int], size: int, generator: torch.Generator | None) -> list[list[int]]:
    """Cut the numbers 0 … n − 1 into batches: in order, or shuffled and bucketed by length."""
    if generator is None:
        order = list(range(len(lengths)))
        return [order[start : start + size] for start in range(0, len(order), size)]
    order = torch.randperm(len(lengths), generator=generator).tolist()
    pool = 50 * size  # sorted within pools, not over everything, so that batches differ from epoch to epoch
    cut = []
    for start in range(0, len(order), pool):
        part = sorted(order[start : start + pool], key=lengths.__getitem__)
        cut += [part[first : first + size] for first in range(0, len(part), size)]
    return [cut[place] for place in torch.randperm(len(cut), generator=generator).tolist()]
