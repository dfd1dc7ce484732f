"""What comes next? A history answers by its mean, by target attention (the candidate asks), or by self-attention."""

import torch
from torch import Tensor, nn

from course_utils.attention.basics import masked_softmax
from course_utils.attention.guards import require_positive
from course_utils.attention.masks import causal_mask
from course_utils.models.blocks import EncoderBlock, EncoderStack


class NextFilm(nn.Module):
    """What all models of this page share: a vector and a bias for each film, and the score of every film as the next.

    Shapes: history (batch, place), numbers of films, the newest on the right, 0 = nothing there → scores (batch,
    place, 1 + film): at each place every film's score as the next one, from the films up to there. A subclass says in
    `forward` what those films make of a candidate. Raises ValueError for sizes below 1.
    """

    def __init__(self, films: int, size: int, dropout: float = 0.0) -> None:
        require_positive(films=films, size=size)
        super().__init__()
        self.table = nn.Embedding(1 + films, size, padding_idx=0)
        with torch.no_grad():
            self.table.weight.normal_(std=size**-0.5)[0] = 0
        self.bias, self.dropout = nn.Parameter(torch.zeros(1 + films)), nn.Dropout(dropout)

    def score(self, states: Tensor) -> Tensor:
        """Scores every film by its dot product with a state. Shapes: states (…, size) → (…, 1 + film)."""
        return states @ self.table.weight.T + self.bias


class MeanOfHistory(NextFilm):
    """The mean of the films so far is the state: no film asks, and none is asked. Shapes: as NextFilm."""

    def forward(self, history: Tensor) -> Tensor:
        vectors = self.dropout(self.table(history))
        count = (history != 0).cumsum(1).clamp(min=1)
        return self.score(vectors.cumsum(1) / count.unsqueeze(-1))


class TargetOverHistory(NextFilm):
    """Each film that might come next asks the films so far, and takes the blend that matters for it.

    Shapes: as NextFilm. A film's score is its dot product with its own blend of the films so far. A pair of films
    scores q·k, and older ones lose `fading` a place, learned. All candidates and all places are computed at once: both
    sums of the softmax run along the history. Source: Zhou et al. 2018, Deep Interest Network, equation 3, with dot
    products in place of the small net, and normalised.
    """

    def __init__(self, films: int, size: int, dropout: float = 0.0) -> None:
        super().__init__(films, size, dropout)
        self.query, self.key = nn.Linear(size, size, bias=False), nn.Linear(size, size, bias=False)
        self.fading = nn.Parameter(torch.tensor(0.0))

    def _scores(self, history: Tensor) -> Tensor:
        asked = self.query(self.table.weight) / self.table.embedding_dim**0.5
        scores = self.key(self.table(history)) @ asked.T  # (batch, place, 1 + film)
        return scores + self.fading * torch.arange(history.shape[1], device=history.device).unsqueeze(-1)

    def forward(self, history: Tensor) -> Tensor:
        scores = self._scores(history).masked_fill((history == 0).unsqueeze(-1), -1e4)
        powers = (scores - scores.amax(1, keepdim=True)).exp() + 1e-9
        powers = powers * (history != 0).unsqueeze(-1)
        said = self.dropout(self.table(history)) @ self.table.weight.T  # what each film so far says of each candidate
        return (powers * said).cumsum(1) / powers.cumsum(1).clamp(min=1e-9) + self.bias

    @torch.no_grad()
    def weights(self, history: Tensor, film: Tensor) -> Tensor:
        """How much of each film one candidate takes. Shapes: history (batch, place), film (batch) → (batch, place)."""
        scores = self._scores(history).gather(-1, film[:, None, None].expand(-1, history.shape[1], 1)).squeeze(-1)
        return masked_softmax(scores, history != 0)


class SelfAttentive(NextFilm):
    """Causal self-attention over the history: each film asks those before it, and the last state says what comes next.

    Shapes: as NextFilm. `maps`, a list, gets the weights of each layer (batch, heads, place, place). Places are learned
    and count from the newest film. Raises ValueError for a history longer than `length`.
    Source: Kang and McAuley 2018, Self-Attentive Sequential Recommendation, with pre-norm and a loss over all films.
    """

    def __init__(
        self, films: int, size: int, layers: int = 1, heads: int = 1, length: int = 100, dropout: float = 0.2
    ) -> None:
        super().__init__(films, size, dropout)
        require_positive(layers=layers, length=length)
        self.places = nn.Embedding(length, size)
        nn.init.normal_(self.places.weight, std=size**-0.5)
        blocks = [EncoderBlock(size, heads, 2 * size, dropout, norm="pre", activation="gelu") for _ in range(layers)]
        self.blocks = EncoderStack(blocks, size)

    def states(self, history: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        """What each place has made of the films up to it. Shapes: (batch, place) → (batch, place, size)."""
        count, most = history.shape[1], self.places.num_embeddings
        if count > most:
            raise ValueError(f"history: got {count} places, expected at most {most}, as the model was built for")
        ago = torch.arange(count - 1, -1, -1, device=history.device)
        real = history != 0
        x = self.dropout(self.table(history) + self.places(ago))
        mask = causal_mask(count, device=history.device) & real.unsqueeze(1)  # (batch, query, key)
        return self.blocks(x, mask, maps)

    def forward(self, history: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        return self.score(self.states(history, maps))
