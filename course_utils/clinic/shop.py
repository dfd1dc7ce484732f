"""What every patient is examined with: three wishes and four goods of the shop, written by hand, and noise."""

import torch
from torch import Tensor

WISHES = ["a dress", "something red", "against rain"]
GOODS = ["red dress", "blue dress", "rain coat", "wool hat"]
WISHED = [[3.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 3.0, 1.0]]  # for a dress, red, dry, warm
OFFERED = [[2.0, 2.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 1.0], [0.0, 1.0, 0.0, 2.0]]


def visit() -> tuple[Tensor, Tensor, Tensor]:
    """One visit to the shop. Shapes: → query (1, 3, 4), key (1, 4, 4), value (1, 4, 4), the keys."""
    query, key = torch.tensor([WISHED]), torch.tensor([OFFERED])
    return query, key, key.clone()


def hides(*goods: int) -> Tensor:
    """The mask that hides some of the goods from every wish. Shapes: → (1, 3, 4), True = may attend."""
    mask = torch.ones(1, len(WISHES), len(GOODS), dtype=torch.bool)
    mask[..., list(goods)] = False
    return mask


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers, the same ones every time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
