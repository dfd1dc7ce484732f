"""Copying at the output: a word may come from the vocabulary or straight from the source, and a gate decides."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention import Score
from course_utils.data.text import PAD, SIGNS, UNKNOWN, Batch, Pair, Vocabulary
from course_utils.models.encoder import Memory
from course_utils.models.seq2seq import Seq2Seq


def copy_distribution(words: Tensor, weights: Tensor, gate: Tensor, numbers: Tensor, total: int) -> Tensor:
    """Mixes a distribution over the vocabulary with one over the words of the source: gate · words + (1 − gate) · copy.

    Shapes: words (batch, target, vocabulary), weights (batch, target, source), gate (batch, target, 1),
    numbers (batch, source) → (batch, target, total).
    `numbers` says which word each position of the source holds, below `total`; a word that stands there twice gets
    both weights. Source: See, Liu and Manning 2017, equation 9; Gu et al. 2016; Gulcehre et al. 2016.
    """
    mixed = F.pad(gate * words, (0, total - words.shape[-1]))  # (batch, target, total): 0 for what it cannot write
    return mixed.scatter_add(-1, numbers[:, None].expand_as(weights), (1 - gate) * weights)


class Extended:
    """Two vocabularies, and for each sentence a number for every word of its source, known or not.

    The n-th word of a source that its vocabulary lacks gets the number len(sources) + n. A target word has the number
    of its vocabulary; a word that only the source has gets len(targets) + its number there. `same` (len(sources)) holds
    for each source word the number under which it can be written.
    """

    def __init__(self, sources: Vocabulary, targets: Vocabulary) -> None:
        self.sources, self.targets = sources, targets
        numbers = [targets.encode([word])[0] if word in targets else None for word in [*SIGNS, *sources.entries]]
        self.same = torch.tensor([len(targets) + index if one is None else one for index, one in enumerate(numbers)])

    def encode_source(self, words: Sequence[str]) -> list[int]:
        """Gives each word its number; unknown words are numbered as they come."""
        unknown = self.unknown(words)
        known = self.sources.encode(words)
        return [
            len(self.sources) + unknown.index(word) if number == UNKNOWN else number
            for word, number in zip(words, known, strict=True)
        ]

    def encode_target(self, words: Sequence[str], source: Sequence[str]) -> list[int]:
        """Gives each word its number; one that neither the vocabulary nor the source has becomes `<unknown>`."""
        copied = dict(zip(source, self.encode_source(source), strict=True))
        return [
            len(self.targets) + copied[word] if number == UNKNOWN and word in copied else number
            for word, number in zip(words, self.targets.encode(words), strict=True)
        ]

    def tokens(self, numbers: Tensor, source: Sequence[str]) -> list[str]:
        """Gives the words of a target up to its `<end>`, those that were copied from this source included."""
        shown = [*SIGNS, *self.targets.entries, *SIGNS, *self.sources.entries, *self.unknown(source)]
        kept = self.targets.tokens(numbers.clamp_max(UNKNOWN))  # as many signs as there are words before the end
        return [shown[number] for number in numbers.tolist() if number != PAD][: len(kept)]

    def unknown(self, words: Sequence[str]) -> list[str]:
        """Lists the words that the source's vocabulary lacks, each once, in their order."""
        return list(dict.fromkeys(word for word in words if word not in self.sources))

    def encode(self, pair: Pair) -> Pair:
        """Turns a pair of words into a pair of numbers, for batches with `AsNumbers` as both vocabularies."""
        source, target = self.encode_source(pair.source), self.encode_target(pair.target, pair.source)
        return Pair(tuple(source), tuple(target))  # type: ignore[arg-type]  # numbers in place of words


class AsNumbers:
    """A vocabulary for what is encoded already: every number stands for itself."""

    @staticmethod
    def encode(numbers: Sequence[int]) -> list[int]:
        """Gives the numbers as they are."""
        return list(numbers)


class CopyMemory(NamedTuple):
    """A Memory that also knows under which number each position of the source can be written."""

    states: Tensor  # (batch, source, size)
    mask: Tensor  # (batch, 1, source)
    last: Tensor  # (batch, state)
    numbers: Tensor  # (batch, source)

    def rows(self, index: Tensor) -> "CopyMemory":
        """Picks rows of the batch, as `Memory.rows` does.

        Shapes: index (rows) → a CopyMemory whose batch is rows.
        """
        return CopyMemory(*(part.index_select(0, index) for part in self))


class CopyEncoder(nn.Module):
    """Reads unknown words as `<unknown>`, and remembers which they were.

    Shapes: source (batch, source), mask (batch, 1, source), lengths (batch) on the CPU or None → CopyMemory.
    """

    same: Tensor

    def __init__(self, encoder: nn.Module, same: Tensor, target_size: int) -> None:
        super().__init__()
        self.encoder, self.target_size = encoder, target_size
        self.register_buffer("same", same)

    def forward(self, source: Tensor, mask: Tensor, lengths: Tensor | None = None) -> CopyMemory:
        unknown = source >= len(self.same)
        memory: Memory = self.encoder(source.masked_fill(unknown, UNKNOWN), mask, lengths)
        known = self.same[source.masked_fill(unknown, UNKNOWN)]
        return CopyMemory(*memory, torch.where(unknown, self.target_size + source, known))


class CopySeq2Seq(Seq2Seq):
    """An encoder-decoder with attention that can also write a word of its source, through the same weights.

    Shapes: source (batch, source) with the numbers of `Extended`, source_mask (batch, 1, source),
    target_in (batch, target). In place of logits it gives log-probabilities (batch, target, total), where total =
    target_size + source_size + source: a softmax leaves them as they are, so greedy and beam search work unchanged.
    A copied word is read back as `<unknown>`. The gate is a linear layer and a sigmoid on the joined context and query.
    """

    encode: CopyEncoder

    def __init__(self, vocabularies: Extended, size: int, score: Score, **settings) -> None:
        super().__init__(len(vocabularies.sources), len(vocabularies.targets), size, score, **settings)
        self.target_size = len(vocabularies.targets)
        self.encode = CopyEncoder(self.encode, vocabularies.same, self.target_size)
        self.gate = nn.Linear(size, 1)

    def forward(
        self, source: Tensor, source_mask: Tensor, target_in: Tensor, source_lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        memory = self.encode(source, source_mask, source_lengths)
        log_words, weights, _ = self.decode(memory, target_in, memory.last)
        return log_words, weights

    # Its encoder makes no other memory, and with attention there are always weights: narrower types than Seq2Seq's.
    def decode(  # type: ignore[override]
        self, memory: CopyMemory, target_in: Tensor, state: Tensor, first: int = 0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Runs the decoder as `Seq2Seq.decode` does, with log-probabilities over vocabulary and source.

        Shapes: target_in (batch, target), state (batch, state) → (batch, target, total), weights, state.
        """
        features, weights, state = self.advance(memory, target_in, state, first)
        words, gate = torch.softmax(self.project(features), dim=-1), torch.sigmoid(self.gate(features))
        total = self.target_size + len(self.encode.same) + memory.states.shape[1]
        mixed = copy_distribution(words, weights, gate, memory.numbers, total)
        return mixed.clamp_min(1e-12).log(), weights, state

    def advance(  # type: ignore[override]
        self, memory: CopyMemory, target_in: Tensor, state: Tensor, first: int = 0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Runs the decoder up to its features; what was copied is read back as `<unknown>`.

        Shapes: target_in (batch, target), state (batch, state) → features (batch, target, size), weights, state.
        """
        known = target_in.masked_fill(target_in >= self.target_size, UNKNOWN)
        return super().advance(memory, known, state, first)  # type: ignore[arg-type, return-value]


def copy_loss(model: CopySeq2Seq, batch: Batch) -> tuple[Tensor, int]:
    """Gives the summed cross-entropy of the true next words, and how many there were, as `token_loss` does.

    Shapes: → a sum (), the number of real target tokens. Units: nats.
    Only the probability of the true word is made, gate · vocabulary + (1 − gate) · the weight of the positions where
    the source has it; the large mixed distribution is not needed. Nothing here asks the device for a number.
    """
    memory = model.encode(batch.source, batch.source_mask, batch.source_lengths)
    features, weights, _ = model.advance(memory, batch.target_in, memory.last)
    true = batch.target_out
    gate = torch.sigmoid(model.gate(features)).squeeze(-1)  # (batch, target)
    written = torch.softmax(model.project(features), dim=-1)
    written = written.gather(-1, true.masked_fill(true >= model.target_size, UNKNOWN)[..., None]).squeeze(-1)
    written = written.masked_fill(true >= model.target_size, 0.0)
    copied = (weights * (memory.numbers[:, None] == true[..., None])).sum(-1)
    mixed = gate * written + (1 - gate) * copied
    chances = mixed.flatten().index_select(0, batch.real)  # (tokens)
    return -chances.clamp_min(1e-12).log().sum(), len(batch.real)
