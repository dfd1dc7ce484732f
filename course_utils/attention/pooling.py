"""Attention that makes one vector of a sequence: the query is learned, since the question is always the same one."""

import math

import torch
from torch import Tensor, nn

from course_utils.attention.basics import masked_softmax
from course_utils.attention.guards import require_boolean, require_positive, require_size


class AttentionPooling(nn.Module):
    """Weighs every element against one learned query, and joins them: a weighted mean.

    Shapes: x (…, length, size), mask (…, length), True = a real element → context (…, size), weights (…, length).
    The score is linear, w·x + b: with the query fixed, a score of the key alone is all that is needed (for a decoder,
    whose query changes with each word, it is not enough). b changes no weight. A row of padding alone gets weights 0.
    Raises ValueError for a size below 1, an x of another size, or a mask that is not boolean (…, length).
    Source: Yang et al. 2016, Hierarchical Attention Networks, equations 5 to 7, without the hidden layer.
    """

    def __init__(self, size: int) -> None:
        require_positive(size=size)
        super().__init__()
        self.query = nn.Linear(size, 1)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        require_size("x", x, self.query.in_features, axis="length")
        _require_row_mask(mask, x)
        weights = masked_softmax(self.query(x).squeeze(-1), mask)  # (…, length)
        return (weights.unsqueeze(-2) @ x).squeeze(-2), weights


def mean_pooling(x: Tensor, mask: Tensor) -> Tensor:
    """Gives the mean of the real elements; padding counts neither above nor below the line.

    Shapes: x (…, length, size), mask (…, length), True = a real element → (…, size). A row of padding alone gives 0.
    Raises ValueError for a mask that is not boolean (…, length).
    """
    _require_row_mask(mask, x)
    return x.masked_fill(~mask.unsqueeze(-1), 0.0).sum(-2) / mask.sum(-1, keepdim=True).clamp(min=1)


def max_pooling(x: Tensor, mask: Tensor) -> Tensor:
    """Gives the greatest value of each feature among the real elements.

    Shapes: x (…, length, size), mask (…, length), True = a real element → (…, size). A row of padding alone gives 0.
    Raises ValueError for a mask that is not boolean (…, length). Source: Collobert et al. 2011, section 3.3.
    """
    _require_row_mask(mask, x)
    greatest = x.masked_fill(~mask.unsqueeze(-1), -math.inf).amax(-2)
    return torch.where(mask.any(-1, keepdim=True), greatest, 0.0)


def _require_row_mask(mask: Tensor, x: Tensor) -> None:
    require_boolean(mask)
    if mask.shape != x.shape[:-1]:
        raise ValueError(f"mask: got shape {tuple(mask.shape)}, expected {tuple(x.shape[:-1])}, as x without its size")
