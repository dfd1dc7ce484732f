"""An adversary: for each question it looks for weights as far away as it can find, under which the answer stays."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.attention.basics import masked_softmax
from course_utils.attention.guards import require_positive
from course_utils.explain.moving import apart, moved
from course_utils.explain.opened import Opened

PENALTY = 30.0  # how much a step too far costs, beside a gain in distance
NEAR = 0.7  # the share of the tolerance at which the penalty begins, so that the search ends inside


class Found(NamedTuple):
    """The farthest weights that were found, their distance, and how far the answer moved.

    Shapes: weights (row, key), away and moved (row), both total variations, from 0 to 1.
    """

    weights: Tensor
    away: Tensor
    moved: Tensor


def adversary(
    opened: Opened,
    generator: torch.Generator,
    tolerance: float = 0.01,
    steps: int = 200,
    starts: int = 3,
    rate: float = 0.1,
) -> Found:
    """Searches weights far from the model's own, under which no chance changes by more than the tolerance.

    Shapes: Opened of many rows → Found, a row for each. Gradient ascent on the distance, from several starts drawn at
    random, with a price on what the answer moves beyond the tolerance; of all that was met on the way the farthest
    within it is kept. At worst these are the model's own weights, 0 away. What is found is possible; what is not found
    may still be. Raises ValueError for weights that do not sum to 1, and for settings out of range.
    Source: Jain and Wallace 2019, section 4.2.2, with total variation in place of the Jensen-Shannon divergence.
    """
    require_positive(steps=steps, starts=starts)
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance: got {tolerance!r}, expected a number between 0 and 1")
    sums = opened.weights.sum(-1)
    if not torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
        raise ValueError(f"opened: got weights that sum to {sums.min():.3g} … {sums.max():.3g}, expected 1 in each row")
    with torch.no_grad():
        whole = opened.under(opened.weights)
    best = Found(opened.weights.clone(), torch.zeros_like(sums), torch.zeros_like(sums))
    for _ in range(starts):
        drawn = 2 * torch.randn(opened.weights.shape, generator=generator)
        scores = drawn.to(sums.device).requires_grad_()
        optimizer = torch.optim.Adam([scores], rate)
        for _ in range(steps):
            weights = masked_softmax(scores, opened.mask)
            away, far = apart(weights, opened.weights), moved(whole, opened.under(weights))
            best = _better(best, Found(weights.detach(), away.detach(), far.detach()), tolerance)
            loss = (PENALTY * F.relu(far - NEAR * tolerance) - away).sum()
            (scores.grad,) = torch.autograd.grad(loss, scores)  # by the scores alone: the model's own are not touched
            optimizer.step()
    return best


def _better(best: Found, now: Found, tolerance: float) -> Found:
    """Row by row, the farther one of the two, if the answer stays."""
    take = (now.moved <= tolerance) & (now.away > best.away)
    weights = torch.where(take.unsqueeze(-1), now.weights, best.weights)
    return Found(weights, torch.where(take, now.away, best.away), torch.where(take, now.moved, best.moved))
