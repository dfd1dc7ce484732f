"""Strings of digits and their reversal: a task whose length is ours to choose."""

from __future__ import annotations

import random

from course_utils.attention.guards import require_at_least
from course_utils.data.text import Pair


def make_reversals(count: int, shortest: int, longest: int, seed: int = 0) -> list[Pair]:
    """Draws strings of random digits and writes each one backwards: `Pair("4071", "1704")`.

    Every length from `shortest` to `longest` is equally likely, and so is every digit. The same seed gives the same
    pairs. Very short strings must repeat: there are only ten of length 1.
    Raises ValueError for a negative count, or unless 1 ≤ shortest ≤ longest.
    """
    require_at_least(0, count=count)
    require_at_least(1, shortest=shortest)
    require_at_least(shortest, longest=longest)
    draw = random.Random(seed)
    pairs = []
    for _ in range(count):
        digits = "".join(draw.choices("0123456789", k=draw.randint(shortest, longest)))
        pairs.append(Pair(digits, digits[::-1]))
    return pairs
