"""Bahdanau's order: the state before a token asks, and the context goes into the cell that makes the state after it."""

import torch
from torch import Tensor, nn

from course_utils.attention import Score
from course_utils.attention.scores import Additive
from course_utils.models.encoder import Memory
from course_utils.models.seq2seq import Seq2Seq


class Bahdanau(Seq2Seq):
    """An encoder-decoder whose decoder looks first and writes then, one token after another.

    Shapes: source (batch, source), source_mask (batch, 1, source), target_in (batch, target), as in `Seq2Seq`.
    The query is the state before the token; the context is read into the recurrent cell beside the token, so that
    each query depends on all contexts before it, and the tokens cannot be done in one product. Without a `score`,
    additive attention. What is projected is tanh(W[context; state]), as in `Seq2Seq`, so that the two orders differ
    in nothing else; the paper has a maxout layer there. Raises ValueError as `Seq2Seq` does.
    Source: Bahdanau et al. 2015, section 3.1 and appendix A.2.2.
    """

    attention: nn.Module  # this order always has one, and what joins it
    join: nn.Linear

    def __init__(
        self, source_size: int, target_size: int, size: int = 64, score: Score | None = None, **settings
    ) -> None:
        score = Additive(size, size, size) if score is None else score
        super().__init__(source_size, target_size, size, score, **settings)
        cell = type(self.write)
        self.write = cell(self.embed.embedding_dim + size, size, batch_first=True)  # [token; context]

    def advance(
        self, memory: Memory, target_in: Tensor, state: Tensor, first: int = 0
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Does what `Seq2Seq.advance` does, step by step: look, read, join."""
        features, weights = [], []
        for position, token in enumerate(self.dropout(self.embed(target_in)).split(1, dim=1), start=first):
            query = state[:, None, : self.size]  # (batch, 1, size): an LSTM asks with its hidden half
            context, looked = self.attention(query, memory.states, memory.mask, position)
            written, state = self._write(torch.cat([token, context], dim=-1), state)
            features.append(torch.tanh(self.join(torch.cat([context, written], dim=-1))))
            weights.append(looked)
        return self.dropout(torch.cat(features, dim=1)), torch.cat(weights, dim=1), state
