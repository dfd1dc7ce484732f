"""From text to tensors: a vocabulary of characters or words, padding, and a batch of pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from course_utils.attention.guards import require_positive
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
    times gets no number of its own. Raises ValueError for one string, for strings and sequences mixed, for a token
    that is no string, and for at_least below 1.
    """

    def __init__(self, texts: Iterable[Sequence[str]], at_least: int = 1):
        if isinstance(texts, str):
            raise ValueError(f"texts: got one string, {texts[:20]!r}, expected several strings, as in [{texts[:9]!r}]")
        require_positive(at_least=at_least)
        texts = list(texts)
        strings = sum(isinstance(text, str) for text in texts)
        if 0 < strings < len(texts):
            raise ValueError(f"texts: got {strings} strings among {len(texts)}, expected only strings, or none")
        times = Counter(chain.from_iterable(texts))
        strange = [token for token in times if not isinstance(token, str)]
        if strange:
            raise ValueError(f"texts: got the token {strange[0]!r}, expected strings")
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
        """Gives one number for each token; a token never seen before becomes `<unknown>`.

        Raises ValueError for a string where the tokens are words: it would be read letter by letter.
        """
        if self._between and isinstance(text, str):
            raise ValueError(f"text: got the string {text[:20]!r}, expected a sequence of tokens, such as a tuple")
        return [self._number.get(token, UNKNOWN) for token in text]

    def tokens(self, numbers: Iterable[int]) -> list[str]:
        """Gives the tokens up to the first `<end>`; `<pad>` and `<start>` are left out, `<unknown>` becomes �.

        Shapes: numbers is a list of ints or a tensor (length). Raises ValueError for a number outside the vocabulary.
        """
        found = []
        for number in numbers.tolist() if isinstance(numbers, Tensor) else numbers:
            if not 0 <= number < len(self):
                raise ValueError(f"numbers: got {number}, expected numbers from 0 to {len(self) - 1}")
            if number == END:
                break
            if number >= len(SIGNS):
                found.append(self.entries[number - len(SIGNS)])
            elif number == UNKNOWN:
                found.append("\N{REPLACEMENT CHARACTER}")
        return found

    def decode(self, numbers: Iterable[int]) -> str:
        """Gives the same tokens as one text: characters side by side, words and sounds with spaces between.

        Shapes: numbers is a list of ints or a tensor (length). Raises ValueError for a number outside the vocabulary.
        """
        return self._between.join(self.tokens(numbers))


def pad(sequences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Puts sequences of different lengths into one rectangle, filled up with `<pad>` on the right.

    Shapes: sequences of lengths t₁ … tₙ → ids (batch, longest) and lengths (batch), both int64.
    Raises ValueError for no sequence.
    """
    if len(sequences) == 0:
        raise ValueError("sequences: got none, expected at least one sequence of numbers")
    rows = [torch.as_tensor(sequence, dtype=torch.long) for sequence in sequences]
    return pad_sequence(rows, batch_first=True, padding_value=PAD), torch.tensor([len(row) for row in rows])


@dataclass(frozen=True)
class Batch:
    """Several pairs as tensors, ready for an encoder and a decoder.

    Shapes: source (batch, key), source_mask (batch, 1, key) with True = may attend, source_lengths (batch),
    target_in and target_out (batch, query), real (tokens). The decoder reads `<start>2026` (target_in) while it writes
    `2026<end>` (target_out). `pairs` holds the examples themselves, in the same order. `real` says where target_out,
    laid out in one row, holds a real token. It is found when the batch is made, on the CPU, and the lengths stay there:
    a GPU that had to be asked for them would have to finish its work first.
    Raises ValueError when mask and lengths say different things, or the lengths are not on the CPU.
    """

    source: Tensor
    source_mask: Tensor
    source_lengths: Tensor
    target_in: Tensor
    target_out: Tensor
    pairs: tuple = field(repr=False)
    real: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.source_lengths.device.type != "cpu":
            raise ValueError(f"source_lengths: got a tensor on {self.source_lengths.device}, expected one on the CPU")
        if not torch.equal(self.source_mask.cpu(), padding_mask(self.source_lengths, self.source.shape[1])):
            raise ValueError("source_mask: got a mask that differs from source_lengths, expected True for as many keys")
        real = (self.target_out != PAD).flatten().nonzero().squeeze(1)
        object.__setattr__(self, "real", real)  # frozen: nobody else may

    def to(self, device: torch.device | str) -> Batch:
        """Gives the same batch with its tensors on another device; the lengths stay on the CPU."""
        moved = copy(self)
        tensors = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        vars(moved).update({name: value.to(device) for name, value in tensors.items() if name != "source_lengths"})
        return moved

    def rows(self, chosen: slice) -> Batch:
        """Gives a batch of some of the rows, in their order; it is as wide as before."""
        return Batch(*(getattr(self, part.name)[chosen] for part in fields(self) if part.init))

    def __len__(self) -> int:
        return len(self.pairs)


def collate(pairs: Sequence, sources: Vocabulary, targets: Vocabulary) -> Batch:
    """Makes one batch of the given pairs, in the given order.

    Shapes: n pairs (source first, target second) → Batch of n rows. Raises ValueError for no pairs.
    """
    if len(pairs) == 0:
        raise ValueError("pairs: got none, expected at least one pair")
    source, lengths = pad([sources.encode(pair[0]) for pair in pairs])
    target_in, target_out, _ = shifted([targets.encode(pair[1]) for pair in pairs])
    return Batch(source, padding_mask(lengths), lengths, target_in, target_out, tuple(pairs))


def shifted(targets: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Makes what a decoder reads and what it writes: the same tokens, shifted by one position.

    Shapes: targets of lengths t₁ … tₙ → target_in and target_out (batch, longest + 1), lengths (batch), which count
    `<end>`.
    """
    target_in, lengths = pad([[START, *target] for target in targets])
    target_out, _ = pad([[*target, END] for target in targets])
    return target_in, target_out, lengths
