"""Where in a word the errors are: an alignment of what was written with what is true, place by place."""

from collections.abc import Sequence
from difflib import SequenceMatcher


def missed(written: Sequence[str], true: Sequence[str]) -> list[bool]:
    """Says for each true token whether it is missing from what was written, in the order in which both run.

    Shapes: written (tokens written), true (tokens) → (tokens) of True, missing, and False.
    The longest run that both share is laid together first, then the same is done left and right of it.
    """
    found = [False] * len(true)
    blocks = SequenceMatcher(None, tuple(true), tuple(written), autojunk=False).get_matching_blocks()
    for start, _, length in blocks:
        found[start : start + length] = [True] * length
    return [not one for one in found]


def missed_by_place(written: Sequence[Sequence[str]], true: Sequence[Sequence[str]], parts: int = 6) -> list[float]:
    """Gives the share of tokens missed in each part of the words, from their beginning to their end.

    Shapes: written and true, one sequence for each word → (parts). Units: percent.
    A word of n tokens is cut into equal parts; its token at place i falls into part ⌊parts · i / n⌋. Raises
    ValueError for different numbers of words, for parts below 1, and for a part into which nothing falls.
    """
    if len(written) != len(true):
        raise ValueError(f"written: got {len(written)} words, expected as many as true: {len(true)}")
    if parts < 1:
        raise ValueError(f"parts: got {parts}, expected at least 1")
    lost, total = [0] * parts, [0] * parts
    for one, other in zip(written, true, strict=True):
        for place, absent in enumerate(missed(one, other)):
            part = parts * place // len(other)
            lost[part] += absent
            total[part] += 1
    if 0 in total:
        raise ValueError(f"true: got no token in part {total.index(0) + 1} of {parts}, expected longer or more words")
    return [100 * one / all_of_them for one, all_of_them in zip(lost, total, strict=True)]
