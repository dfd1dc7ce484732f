"""What shoppers clicked before, one more good, and whether they click it: simulated, so the true relevance is known."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.attention.guards import require_positive
from course_utils.data.shop import GOODS, keys

LONGEST, INTERESTS = 20, 5  # clicks in a history; tastes of a shopper
COUNTS = ("sum", "mean")


class Visits(NamedTuple):
    """Past clicks, the good that is shown now, whether it was clicked, and what only the shop's maker knows.

    Shapes: history (visit, place), rows of the catalogue, any number where mask is False; mask (visit, place), True = a
    real click; candidate (visit); clicked (visit), 0 or 1; chance (visit), the true one.
    """

    history: Tensor
    mask: Tensor
    candidate: Tensor
    clicked: Tensor
    chance: Tensor


def relevance() -> Tensor:
    """How much a past click on one good says about another: the cube of the cosine of their attributes.

    Shapes: (good, good), from 0 to 1. Nobody but the simulation sees it.
    """
    attributes = F.normalize(keys(), dim=-1)
    return (attributes @ attributes.T).clamp(0, 1) ** 3


def simulate_visits(count: int, generator: torch.Generator, counts: str = "sum") -> Visits:
    """Lets shoppers come by: each has some tastes, a history of clicks from them, and is shown one good.

    Shapes: count visits. Half of the goods shown suit one of the tastes, half are drawn at random. The chance of a
    click grows with the relevance of the past clicks for that good: with their sum ("sum": two bags say more than one),
    or with their mean ("mean": the share of the history that fits). Raises ValueError for any other word.
    """
    require_positive(count=count)
    if counts not in COUNTS:
        raise ValueError(f"counts: got {counts!r}, expected one of {', '.join(COUNTS)}")
    relevant = relevance()
    tastes = torch.randint(len(GOODS), (count, INTERESTS), generator=generator)
    chosen = torch.randint(INTERESTS, (count, LONGEST + 1), generator=generator)
    wanted = tastes.gather(1, chosen)  # the taste behind each click, and behind the good that is shown
    drawn = torch.multinomial(relevant[wanted].flatten(0, 1), 1, generator=generator).view(count, -1)
    history, fitting = drawn[:, :LONGEST], drawn[:, LONGEST]
    anything = torch.randint(len(GOODS), (count,), generator=generator)
    candidate = torch.where(torch.rand(count, generator=generator) < 0.5, fitting, anything)
    lengths = torch.randint(2, LONGEST + 1, (count,), generator=generator)
    mask = torch.arange(LONGEST) < lengths[:, None]
    fits = relevant[history, candidate[:, None]] * mask
    interest = fits.sum(1) if counts == "sum" else 8 * fits.sum(1) / lengths
    chance = torch.sigmoid(1.2 * interest - 2)
    clicked = (torch.rand(count, generator=generator) < chance).float()
    return Visits(history, mask, candidate, clicked, chance)
