"""Strings of digits and their reversal: a task whose length is ours to choose."""

from __future__ import annotations

import random

from course_utils.data.text import Pair


def make_reversals(count: int, shortest: int, longest: int, seed: int = 0) -> list[Pair]:
    """Draw strings of random digits and write each one backwards: `Pair("4071", "1704")`.

    Every length from `shortest` to `longest` is equally likely, and so is every digit. The same seed gives the same
    pairs. Very short strings must repeat: there are only ten of length 1.
    Errors: ValueError for a negative count, or unless 1 ≤ shortest ≤ longest.
    """
    if count < 0:
        raise ValueError(f"count: given {count}; expected 0 or more")
    if not 1 <= shortest <= longest:
        raise ValueError(f"shortest, longest: given {shortest}, {longest}; expected 1 <= shortest <= longest")
    draw = random.Random(seed)
    pairs = []
    for _ in range(count):
        digits = "".join(draw.choices("0123456789", k=draw.randint(shortest, longest)))
        pairs.append(Pair(digits, digits[::-1]))
    return pairs
