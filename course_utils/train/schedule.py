"""How far a training has come, how much of its budget is spent, and the learning rate that follows from it."""

import math
from dataclasses import dataclass
from typing import NamedTuple


@dataclass
class Reached:
    """How far a training has come: steps in all, the next batch in its epoch, seconds of training, target tokens."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    elapsed: float = 0.0
    tokens: int = 0


class Budget(NamedTuple):
    """So many steps, or else so many seconds of training."""

    steps: int | None
    seconds: float | None

    def share(self, step: int, elapsed: float) -> float:
        """The share that is spent before a step, from 0; at 1 the run is over. A step counts from its middle."""
        if self.steps is not None:
            return (step + 0.5) / self.steps
        assert self.seconds is not None  # one of the two is given
        return elapsed / self.seconds


def rate_at(share: float, warmup: float) -> float:
    """How much of the learning rate is used at a share of the budget: a straight rise, then half a cosine.

    Time is measured in shares, so that a slow machine comes down to 0 at the end of its minutes just as a fast one.
    """
    if share < warmup:
        return share / warmup
    return 0.5 * (1 + math.cos(math.pi * (share - warmup) / max(1 - warmup, 1e-9)))
