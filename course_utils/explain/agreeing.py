"""How alike two explanations are, question by question: by ranks, by the top, and against a truth."""

import torch
from torch import Tensor

from course_utils.train.ranking import auc, rank_correlation


def agreements(one: Tensor, other: Tensor, mask: Tensor) -> Tensor:
    """Spearman's correlation of each row's real places; nan where there are fewer than two, or one side is constant.

    Shapes: one, other and mask (row, place), True = real → (row). Mind what it cannot say: two explanations that differ
    may both be right, and on long inputs most places matter to nobody, so that their order is noise.
    Source: Jain and Wallace 2019 use Kendall's τ; Neely et al. 2022, arXiv 2205.04559, on what neither can say.
    """
    found = []
    for first, second, real in zip(one, other, mask, strict=True):
        try:
            found.append(rank_correlation(first[real], second[real]))
        except ValueError:  # all alike: there is no order to compare
            found.append(float("nan"))
    return torch.tensor(found)


def same_top(one: Tensor, other: Tensor, mask: Tensor) -> Tensor:
    """Whether both have their largest value at the same place. Shapes: as `agreements` → (row), True or False."""
    tops = [values.masked_fill(~mask, -torch.inf).argmax(-1) for values in (one, other)]
    return tops[0] == tops[1]


def finds(explanation: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """The chance that a place which counts stands above one which does not: 1 is perfect, a half is luck.

    Shapes: explanation (row, place), truth and mask (row, place), True or False → (row); nan where all or none count.
    """
    found = []
    for values, counts, real in zip(explanation, truth, mask, strict=True):
        some = counts[real].any() and not counts[real].all()
        found.append(auc(values[real], counts[real].int()) if some else float("nan"))
    return torch.tensor(found)
