"""What the banks share: drawing inputs, and reading what a learner constructed."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def draw(generator: torch.Generator, *shapes: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Standard normal numbers, a tensor for each shape."""
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


def rows_sum_to_one(arguments: tuple, weights: Tensor) -> bool:
    """The property of all weights, along the last axis."""
    return bool(((weights.sum(-1) - 1).abs() < 1e-4).all())


def as_double(answer: Any) -> Tensor:
    """Numbers of any form (a list, a tensor with gradients) as a tensor of float64 on the CPU."""
    return torch.as_tensor(answer, dtype=torch.float64).detach().cpu()


def has_shapes(answer: Any, **shapes: tuple[int, ...]) -> bool:
    """Whether an answer is a dict with a tensor of its shape under each name."""
    return isinstance(answer, Mapping) and all(
        isinstance(answer.get(name), Tensor) and tuple(answer[name].shape) == shape for name, shape in shapes.items()
    )
