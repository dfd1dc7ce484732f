"""An encoder-decoder of recurrent nets: one vector carries everything, or, with attention, the decoder looks back."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention import Score, attend
from course_utils.attention.guards import require_positive
from course_utils.data.text import END, PAD, START, Batch
from course_utils.models.encoder import CELLS, Encoder, Memory


class Global(nn.Module):
    """Global attention: every query looks at the whole source, by any score.

    Shapes: query (batch, target, size), states (batch, source, size), mask (batch, 1, source)
    → context (batch, target, size), weights (batch, target, source).
    `first`, the position of the first query in the target, is for windows that move with it; here it changes nothing.
    Source: Luong et al. 2015, section 3.1.
    """

    def __init__(self, score: Score) -> None:
        super().__init__()
        self.score = score

    def forward(self, query: Tensor, states: Tensor, mask: Tensor, first: int = 0) -> tuple[Tensor, Tensor]:
        return attend(query, states, states, mask, self.score)


class Seq2Seq(nn.Module):
    """Reads a source and writes a target token by token; with attention it may look back at the source.

    Shapes: source (batch, source), source_mask (batch, 1, source), target_in (batch, target).
    Without attention the encoder's last state starts the decoder and is joined to every decoder input, so that nobody
    has to remember it. With attention the decoder's states are the queries, the encoder's states the keys and values,
    and each context is joined to its query: tanh(W[context; query]). `score`, any function or module of query and
    key, is short for `attention=Global(score)`; an attention is a module like `Global`. Dropout falls on the embedded
    tokens and on what is projected to the vocabulary. When `tied`, that projection goes through the target embedding's
    own table, which saves time where the vocabulary is large. Raises ValueError for sizes below 1, an odd size, an
    unknown cell, a dropout outside 0 … 1, and for both a score and an attention. Source: Sutskever et al. 2014;
    Cho et al. 2014 (the last state joined to every input); Luong et al. 2015, equations 5 and 6; Press and Wolf 2017
    (tied).
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        size: int = 64,
        score: Score | None = None,
        *,
        attention: nn.Module | None = None,
        cell: str = "gru",
        embedding: int | None = None,
        dropout: float = 0.0,
        tied: bool = False,
    ) -> None:
        super().__init__()
        require_positive(
            source_size=source_size,
            target_size=target_size,
            size=size,
            embedding=size if embedding is None else embedding,
        )
        _require_choices(size, score, attention, cell, dropout)
        embedding = size if embedding is None else embedding
        self.size = size
        self.encode: nn.Module = Encoder(source_size, size, cell, embedding, dropout)
        self.attention = Global(score) if score is not None else attention
        self.embed = nn.Embedding(target_size, embedding)
        self.dropout = nn.Dropout(dropout)
        self.write = CELLS[cell](embedding if self.attention else embedding + size, size, batch_first=True)
        self.join = nn.Linear(2 * size, size) if self.attention else None
        self.project = _tied(self.embed, size) if tied else nn.Linear(size, target_size)

    def forward(
        self, source: Tensor, source_mask: Tensor, target_in: Tensor, source_lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Predicts each target token from the true ones before it (teacher forcing), all in one pass.

        Shapes: source_lengths (batch) on the CPU or None → logits (batch, target, target_size),
        weights (batch, target, source) or None.
        With the lengths a GPU need not be asked for them: see `Encoder`.
        """
        features, weights = self.features(source, source_mask, target_in, source_lengths)
        return self.project(features), weights

    def features(
        self, source: Tensor, source_mask: Tensor, target_in: Tensor, source_lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Gives what `forward` projects to logits, for a loss that needs the logits of some tokens only.

        Shapes: source_lengths (batch) on the CPU or None → features (batch, target, size),
        weights (batch, target, source) or None.
        """
        memory = self.encode(source, source_mask, source_lengths)
        if target_in.dim() != 2 or len(target_in) != len(source):
            raise ValueError(f"target_in: got shape {tuple(target_in.shape)}, expected ({len(source)}, target)")
        features, weights, _ = self.advance(memory, target_in, memory.last)
        return features, weights

    def decode(
        self, memory: Memory, target_in: Tensor, state: Tensor, first: int = 0
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Runs the decoder over the given target tokens, many or one, from a state on.

        Shapes: target_in (batch, target), state (batch, state) → logits (batch, target, target_size),
        weights (batch, target, source) or None, the state after the last token (batch, state).
        `first` is the position of the first of these tokens in the target.
        """
        features, weights, state = self.advance(memory, target_in, state, first)
        return self.project(features), weights, state

    def advance(
        self, memory: Memory, target_in: Tensor, state: Tensor, first: int = 0
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Does what `decode` does, and stops before the projection: features (batch, target, size), not logits."""
        inputs = self.dropout(self.embed(target_in))  # (batch, target, embedding)
        if self.attention is None:
            last = memory.last[:, None, : self.size].expand(-1, target_in.shape[1], -1)
            inputs = torch.cat([inputs, last], dim=-1)  # (batch, target, embedding + size)
        query, state = self._write(inputs, state)  # (batch, target, size)
        if self.attention is None or self.join is None:  # there are both or none
            return self.dropout(query), None, state
        context, weights = self.attention(query, memory.states, memory.mask, first)
        joined = torch.tanh(self.join(torch.cat([context, query], dim=-1)))
        return self.dropout(joined), weights, state

    @torch.no_grad()
    def greedy(self, source: Tensor, source_mask: Tensor, longest: int) -> tuple[Tensor, Tensor | None]:
        """Writes the likeliest token, reads it back in, and so on, up to `<end>` or `longest` tokens.

        Shapes: → ids (batch, target), weights (batch, target, source) or None, where target ≤ longest.
        After a row's `<end>` its ids are `<pad>`; writing stops when every row has ended.
        """
        require_positive(longest=longest)
        memory = self.encode(source, source_mask)
        token, state = torch.full_like(source[:, :1], START), memory.last
        done = torch.zeros_like(token, dtype=torch.bool)
        ids: list[Tensor] = []
        weights: list[Tensor] = []
        while len(ids) < longest and not done.all():
            logits, looked, state = self.decode(memory, token, state, first=len(ids))
            token = logits.argmax(dim=-1).masked_fill(done, PAD)  # (batch, 1)
            done = done | (token == END)
            ids.append(token)
            if looked is not None:
                weights.append(looked)
        return torch.cat(ids, dim=1), torch.cat(weights, dim=1) if weights else None

    def _write(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Runs the recurrent net; an LSTM's two states travel as one, side by side."""
        parts = tuple(part[None].contiguous() for part in state.split(self.size, dim=-1))
        query, ends = self.write(inputs, parts if isinstance(self.write, nn.LSTM) else parts[0])
        return query, torch.cat(ends, dim=-1)[0] if isinstance(ends, tuple) else ends[0]


def token_loss(model: Seq2Seq, batch: Batch, smoothing: float = 0.0) -> tuple[Tensor, int]:
    """Gives the summed cross-entropy of the true next tokens, and how many there were; padding does not count.

    Shapes: → a sum (), the number of real target tokens. Units: nats.
    Logits are made for real target tokens only. With `smoothing` the target is that much of a uniform distribution.
    Nothing here asks the device for a number. Source: Szegedy et al. 2016, section 7 (label smoothing).
    """
    features, _ = model.features(batch.source, batch.source_mask, batch.target_in, batch.source_lengths)
    target = batch.target_out.flatten().index_select(0, batch.real)  # (tokens)
    logits = model.project(features.flatten(0, 1).index_select(0, batch.real))  # (tokens, target_size)
    return F.cross_entropy(logits, target, reduction="sum", label_smoothing=smoothing), len(batch.real)


def _tied(embed: nn.Embedding, size: int) -> nn.Sequential:
    """A projection to the vocabulary whose last matrix is the embedding's table: its own vector scores a token."""
    # A table of unit variance, right for an embedding, would begin with logits far from 0.
    nn.init.normal_(embed.weight, std=embed.embedding_dim**-0.5)
    scores = nn.Linear(embed.embedding_dim, embed.num_embeddings)
    scores.weight = embed.weight
    return nn.Sequential(nn.Linear(size, embed.embedding_dim, bias=False), scores)


def _require_choices(size: int, score: Score | None, attention: nn.Module | None, cell: str, dropout: float) -> None:
    if size % 2:
        raise ValueError(f"size: got {size}, expected an even number, for the encoder reads in two directions")
    if score is not None and attention is not None:
        raise ValueError("attention: got an attention beside a score, expected one of the two")
    if cell not in CELLS:
        raise ValueError(f"cell: got {cell!r}, expected one of {', '.join(CELLS)}")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout: got {dropout!r}, expected a share from 0 to below 1")
