"""Local attention: each query looks through a window, at its own position or at one that it predicts."""

import torch
from torch import Tensor, nn

from course_utils.attention.basics import Score, masked_softmax
from course_utils.attention.guards import require_at_least
from course_utils.attention.masks import windows


def bell(centres: Tensor, positions: Tensor, reach: int) -> Tensor:
    """Gives a Gaussian around each centre, with half the reach as its standard deviation; 1 at the centre.

    Shapes: centres (…, query), positions (…, key) → (…, query, key). Source: Luong et al. 2015, equation 10.
    """
    return torch.exp(-0.5 * ((positions - centres[..., None]) / (reach / 2)).square())


def local_attend(
    query: Tensor, states: Tensor, mask: Tensor, centres: Tensor, reach: int, score: Score, gaussian: bool = False
) -> tuple[Tensor, Tensor]:
    """Attends through windows, by scoring all keys and hiding those outside.

    Shapes: query (batch, query, size), states (batch, key, size), mask (batch, 1, key), centres (batch, query)
    → context (batch, query, size), weights (batch, query, key).
    The softmax shares the weight among the keys of the window. With `gaussian` it is then multiplied by a bell around
    the centre, as the paper has it: such rows sum to less than 1. A window with no real key in it gives zeros.
    """
    weights = masked_softmax(score(query, states), windows(centres, states.shape[1], reach, mask))
    if gaussian:
        weights = weights * bell(centres, torch.arange(states.shape[1], device=states.device), reach)
    return weights @ states, weights


def gathered_attend(
    query: Tensor, states: Tensor, mask: Tensor, centres: Tensor, reach: int, score: Score, gaussian: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Does the same by fetching each query's few keys first, so that the work grows with the window alone.

    Shapes: as for `local_attend` → context (batch, query, size), weights (batch, query, window), the positions of these
    weights (batch, query, window), where window = 2 · reach + 1.
    """
    require_at_least(0, reach=reach)
    start = torch.ceil(centres.detach() - reach)[..., None].long()  # the first position inside each window
    positions = start + torch.arange(2 * reach + 1, device=states.device)  # (batch, query, window)
    inside = (positions >= 0) & (positions < states.shape[1]) & (positions <= centres[..., None] + reach)
    positions = positions.clamp(0, states.shape[1] - 1)
    rows = torch.arange(len(states), device=states.device)[:, None, None]
    fetched, real = (
        states[rows, positions],
        mask[:, 0][rows, positions],
    )  # (batch, query, window, size) and without size
    scores = score(query[..., None, :], fetched).squeeze(-2)  # (batch, query, window)
    weights = masked_softmax(scores, inside & real)
    if gaussian:
        weights = weights * bell(centres, positions, reach)
    return (weights[..., None, :] @ fetched).squeeze(-2), weights, positions


class LocalM(nn.Module):
    """Local attention whose window moves on by one position with each query (monotonic): centre p_t = t.

    Shapes: query (batch, target, size), states (batch, source, size), mask (batch, 1, source)
    → context (batch, target, size), weights (batch, target, source).
    `first` is the position of the first query in the target. Where the target runs on beyond the source by more than
    `reach`, there is nothing to see, and context and weights are 0. Source: Luong et al. 2015, section 3.2, local-m.
    """

    gaussian = False

    def __init__(self, score: Score, reach: int) -> None:
        super().__init__()
        require_at_least(0, reach=reach)
        self.score, self.reach = score, reach

    def centres(self, query: Tensor, mask: Tensor, first: int = 0) -> Tensor:
        """Gives the centre of each query's window: its own position in the target.

        Shapes: query (batch, target, size), mask (batch, 1, source) → (batch, target).
        """
        positions = torch.arange(first, first + query.shape[1], device=query.device, dtype=query.dtype)
        return positions.expand(query.shape[:2])

    def forward(self, query: Tensor, states: Tensor, mask: Tensor, first: int = 0) -> tuple[Tensor, Tensor]:
        centres = self.centres(query, mask, first)
        return local_attend(query, states, mask, centres, self.reach, self.score, self.gaussian)


class LocalP(LocalM):
    """Local attention whose window each query places itself (predictive): p_t = S · sigmoid(vᵀ tanh(W query)).

    Shapes: query (batch, target, size), states (batch, source, size), mask (batch, 1, source)
    → context (batch, target, size), weights (batch, target, source).
    S is the length of the source, each row's own. The weights are multiplied by a bell around p_t; without it no
    gradient would reach W and v, for the edge of a window has none. Raises ValueError for a reach below 1: the bell
    needs a width. Source: Luong et al. 2015, equations 9 and 10.
    """

    gaussian = True

    def __init__(self, score: Score, size: int, reach: int) -> None:
        super().__init__(score, reach)
        if reach < 1:
            raise ValueError(f"reach: got {reach}, expected at least 1, for the bell's width is half of it")
        self.hidden = nn.Linear(size, size, bias=False)  # W
        self.v = nn.Linear(size, 1, bias=False)

    def centres(self, query: Tensor, mask: Tensor, first: int = 0) -> Tensor:
        """Gives the centre that each query predicts, anywhere from 0 to the length of its source.

        Shapes: query (batch, target, size), mask (batch, 1, source) → (batch, target).
        """
        share = torch.sigmoid(self.v(torch.tanh(self.hidden(query)))).squeeze(-1)  # (batch, target)
        return mask.sum(dim=-1) * share
