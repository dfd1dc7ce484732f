"""What a word shows of itself: its letters small, its ending, its beginning, its shape. An unknown word keeps some."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from course_utils.data.text import PAD

UNKNOWN = 1  # the number of a feature that training did not have often enough
FIRST = 2  # the number of the first feature that it had


def shape(word: str) -> str:
    """Writes X for capitals, x for small letters, 9 for digits, and each repetition once: Popeye → Xx, 1980 → 9."""
    kinds = re.sub("[A-Z]", "X", re.sub("[a-z]", "x", re.sub("[0-9]", "9", word)))
    return re.sub(r"(.)\1+", r"\1", kinds)


FEATURES: dict[str, Callable[[str], str]] = {
    "word": str.lower,
    "ending": lambda word: word.lower()[-3:],
    "beginning": lambda word: word.lower()[:3],
    "shape": shape,
}


class WordFeatures:
    """Numbers the features of words, each kind by itself: 0 pads, 1 is unknown, the others come as training has them.

    `names` are among FEATURES; a feature that occurs fewer than `at_least` times is unknown, so that training meets
    the unknown too. Raises ValueError for a name that is not among FEATURES, for none, and for at_least below 1.
    """

    def __init__(
        self, texts: Iterable[Sequence[str]], names: Sequence[str] = tuple(FEATURES), at_least: int = 2
    ) -> None:
        for name in names:
            if name not in FEATURES:
                raise ValueError(f"names: got {name!r}, expected some of {', '.join(FEATURES)}")
        if not names:
            raise ValueError(f"names: got none, expected some of {', '.join(FEATURES)}")
        if at_least < 1:
            raise ValueError(f"at_least: got {at_least}, expected at least 1")
        self.names = tuple(names)
        counts: list[Counter[str]] = [Counter() for _ in names]
        for words in texts:
            for name, count in zip(names, counts, strict=True):
                count.update(map(FEATURES[name], words))
        self.numbers = [
            {feature: number for number, feature in enumerate((f for f, n in count.items() if n >= at_least), FIRST)}
            for count in counts
        ]

    @property
    def sizes(self) -> list[int]:
        """How many numbers each kind of feature has, padding and unknown included."""
        return [len(numbers) + FIRST for numbers in self.numbers]

    def encode(self, texts: Sequence[Sequence[str]]) -> Tensor:
        """Gives the numbers of all words of all texts, padded on the right.

        Shapes: texts (batch) of words → (batch, word, feature), whole numbers. Raises ValueError for no text and for an
        empty one.
        """
        if len(texts) == 0:
            raise ValueError("texts: got none, expected at least one")
        if min(map(len, texts)) == 0:
            raise ValueError("texts: got one without a word, expected at least one word in each")
        rows = torch.full((len(texts), max(map(len, texts)), len(self.names)), PAD)
        for row, words in zip(rows, texts, strict=True):
            columns = [
                [numbers.get(FEATURES[name](word), UNKNOWN) for word in words]
                for name, numbers in zip(self.names, self.numbers, strict=True)
            ]
            row[: len(words)] = torch.tensor(columns).T
        return rows
