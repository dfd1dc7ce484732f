"""Handwritten digits of 8 × 8 pixels, which come with scikit-learn, in five splits; shifted, shuffled, fewer."""

from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.attention.guards import require_positive

SPLITS, DEV = 5, 297


class Digits(NamedTuple):
    """Pictures, and which digit each shows. Shapes: pictures (digit, 8, 8), from 0 to 1; classes (digit)."""

    pictures: Tensor
    classes: Tensor


class Parts(NamedTuple):
    """Digits to learn from, to choose settings by, and to be measured on."""

    train: Digits
    dev: Digits
    test: Digits


def load_handwriting(split: int = 0) -> Parts:
    """Gives one of five splits of 1 797 digits: 1 200 to learn from, 297 to choose settings by, 300 to be measured on.

    dev is the same in each, and in no test; the five tests share no digit and make up the rest. Each part holds all ten
    digits alike. The same people wrote all parts: what is measured is new digits, not new hands. Raises ValueError for
    any other split. Source: Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits (UCI), its test set.
    """
    if split not in range(SPLITS):
        raise ValueError(f"split: got {split!r}, expected a number from 0 to {SPLITS - 1}")
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.model_selection import StratifiedKFold, train_test_split

    found = load_digits()
    pictures, classes = torch.from_numpy(found.images / 16).float(), torch.from_numpy(found.target).long()
    rest, dev = train_test_split(np.arange(len(classes)), test_size=DEV, stratify=classes, random_state=0)
    folds = StratifiedKFold(SPLITS, shuffle=True, random_state=0).split(rest, classes[rest])
    train, test = list(folds)[split]
    return Parts(*(Digits(pictures[rows], classes[rows]) for rows in (rest[train], dev, rest[test])))


def shifted(pictures: Tensor, generator: torch.Generator, most: int = 1) -> Tensor:
    """Moves each picture by up to `most` pixels, up or down and left or right; what moves in is black.

    Shapes: pictures (digit, row, column) → the same.
    """
    require_positive(most=most)
    rows, columns = pictures.shape[1:]
    framed = torch.nn.functional.pad(pictures, (most,) * 4)
    moves = torch.randint(2 * most + 1, (2, len(pictures), 1), generator=generator).to(pictures.device)
    down, right = (
        moves[axis] + torch.arange(side, device=pictures.device) for axis, side in enumerate((rows, columns))
    )
    return framed[torch.arange(len(pictures), device=pictures.device)[:, None, None], down[:, :, None], right[:, None]]


def shuffled(pictures: Tensor, patch: int, seed: int = 0) -> Tensor:
    """Cuts pictures into squares and puts the squares in another order, the same one for all pictures.

    Shapes: pictures (digit, side, side) → the same. Raises ValueError for a patch that does not divide the side.
    """
    side = pictures.shape[-1]
    if not isinstance(patch, int) or patch < 1 or side % patch:
        raise ValueError(f"patch: got {patch!r}, expected a whole number that divides {side}")
    count = side // patch
    order = torch.randperm(count * count, generator=torch.Generator().manual_seed(seed)).to(pictures.device)
    cut = pictures.unflatten(-1, (count, patch)).unflatten(-3, (count, patch)).transpose(-3, -2)
    squares = cut.flatten(-4, -3)[:, order].unflatten(1, (count, count))
    return squares.transpose(-3, -2).flatten(-2).flatten(-3, -2)


def fewer(digits: Digits, each: int, seed: int = 0) -> Digits:
    """Draws so many pictures of each digit. Raises ValueError where there are not that many."""
    require_positive(each=each)
    counts = digits.classes.bincount()
    if each > counts.min():
        raise ValueError(f"each: got {each}, expected at most {counts.min()}, as many as there are of the rarest digit")
    order = torch.randperm(len(digits.classes), generator=torch.Generator().manual_seed(seed))
    rows = torch.cat([order[digits.classes[order] == digit][:each] for digit in range(len(counts))])
    return Digits(digits.pictures[rows], digits.classes[rows])
