"""How much of a run's budget is spent, and the learning rate that follows from it."""

import math
from typing import NamedTuple


class Budget(NamedTuple):
    """So many steps, or else so many seconds of training."""

    steps: int | None
    seconds: float | None

    def share(self, step: int, elapsed: float) -> float:
        """The share that is spent before a step, from 0; at 1 the run is over. A step counts from its middle."""
        return (step + 0.5) / self.steps if self.steps else elapsed / self.seconds


def rate_at(share: float, warmup: float) -> float:
    """How much of the learning rate is used at a share of the budget: a straight rise, then half a cosine.

    Time is measured in shares, so that a slow machine comes down to 0 at the end of its minutes just as a fast one.
    """
    if share < warmup:
        return share / warmup
    return 0.5 * (1 + math.cos(math.pi * (share - warmup) / max(1 - warmup, 1e-9)))
