"""Will the shopper click? The good that is shown asks her past clicks: target attention, and what it is beside."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.basics import masked_softmax
from course_utils.attention.guards import require_mask, require_positive
from course_utils.data.clicks import Visits

WEIGHINGS = ("mean", "sum", "softmax", "sigmoid")


class TargetAttention(nn.Module):
    """A candidate asks a history: a small net scores each pair, and the history is summed with the weights.

    Shapes: candidate (batch, size), history (batch, place, size), mask (batch, place), True = real → context (batch,
    size), weights (batch, place). "sigmoid" leaves each weight between 0 and 1 whatever the others are, so that three
    fitting clicks weigh more than one; "softmax" makes them sum to 1. "mean" and "sum" ask nothing. A row of padding
    alone gives 0. Raises ValueError for another word, and a mask that does not fit.
    Source: Zhou et al. 2018, Deep Interest Network, equation 3 and figure 2 (the pair joined to its product here).
    """

    def __init__(self, size: int, weighing: str = "sigmoid", hidden: int = 32) -> None:
        require_positive(size=size, hidden=hidden)
        if weighing not in WEIGHINGS:
            raise ValueError(f"weighing: got {weighing!r}, expected one of {', '.join(WEIGHINGS)}")
        super().__init__()
        self.weighing = weighing
        self.net = nn.Sequential(nn.Linear(3 * size, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, candidate: Tensor, history: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        require_mask(mask, tuple(history.shape[:-1]))
        weights = self._weights(candidate, history, mask)
        return (weights.unsqueeze(-1) * history).sum(-2), weights

    def _weights(self, candidate: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        if self.weighing == "sum":
            return mask.to(history.dtype)
        if self.weighing == "mean":
            return mask / mask.sum(-1, keepdim=True).clamp(min=1)
        asks = candidate.unsqueeze(-2).expand_as(history)
        scores = self.net(torch.cat([asks, history, asks * history], -1)).squeeze(-1)
        return masked_softmax(scores, mask) if self.weighing == "softmax" else scores.sigmoid() * mask


class ClickModel(nn.Module):
    """How likely a click is: a vector for each good, the history as the candidate sees it, and a small net on top.

    Shapes: `Visits` → logits (visit), weights (visit, place). Raises ValueError as TargetAttention does.
    """

    def __init__(self, goods: int, weighing: str = "sigmoid", size: int = 16, hidden: int = 32) -> None:
        require_positive(goods=goods)
        super().__init__()
        self.table, self.ask = nn.Embedding(goods, size), TargetAttention(size, weighing, hidden)
        nn.init.normal_(self.table.weight, std=size**-0.5)
        self.predict = nn.Sequential(nn.Linear(2 * size, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, visits: Visits) -> tuple[Tensor, Tensor]:
        candidate = self.table(visits.candidate)
        context, weights = self.ask(candidate, self.table(visits.history), visits.mask)
        return self.predict(torch.cat([context, candidate], -1)).squeeze(-1), weights


def click_loss(model: nn.Module, visits: Visits) -> Tensor:
    """The mean cross-entropy of click or no click. Shapes: `Visits` → a number, in nats."""
    return F.binary_cross_entropy_with_logits(model(visits)[0], visits.clicked)
