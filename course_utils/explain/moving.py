"""Weights permuted, made even, or put on one key: how far does the answer move, and how far could it have moved?"""

import torch
from torch import Tensor

from course_utils.attention.guards import require_positive
from course_utils.explain.opened import Opened


def moved(one: Tensor, other: Tensor) -> Tensor:
    """The total variation between two answers: from 0, the same, to 1. Shapes: logarithms of chances (…, class) → (…).

    It is the most by which the chance of anything differs between them.
    """
    return (one.exp() - other.exp()).abs().sum(-1) / 2


def apart(one: Tensor, other: Tensor) -> Tensor:
    """The total variation between two maps: the share of the weight that has to be moved. Shapes: (…, key) → (…).

    Rows that do not sum to 1 are divided by their sum first.
    """
    one, other = (weights / weights.sum(-1, keepdim=True).clamp(min=1e-9) for weights in (one, other))
    return (one - other).abs().sum(-1) / 2


def permuted(weights: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
    """Each row's weights in an order drawn at random, among its real keys.

    Shapes: weights and mask (row, key), True = real → (row, key).
    """
    drawn = torch.rand(weights.shape, generator=generator).to(weights.device)
    given = drawn.masked_fill(~mask, 2.0).argsort(-1)  # the real keys in a random order, then padding
    place = (~mask).int().sort(dim=-1, stable=True).indices  # the real keys in their own order, then padding
    return torch.zeros_like(weights).scatter(-1, place, weights.gather(-1, given))


def even(weights: Tensor, mask: Tensor) -> Tensor:
    """The same sum, shared evenly by a row's real keys. Shapes: weights, mask (row, key), True = real → (row, key)."""
    return mask * weights.sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp(min=1)


@torch.no_grad()
def under_permutation(opened: Opened, generator: torch.Generator, times: int = 20) -> Tensor:
    """How far the answer moves when the weights are permuted: the median of many permutations of each row.

    Shapes: → (row), from 0 to 1. Raises ValueError for fewer than one. Source: Jain and Wallace 2019, algorithm 2.
    """
    require_positive(times=times)
    whole = opened.under(opened.weights)
    drawn = (permuted(opened.weights, opened.mask, generator) for _ in range(times))
    return torch.stack([moved(whole, opened.under(weights)) for weights in drawn]).quantile(0.5, 0)


@torch.no_grad()
def most(opened: Opened) -> Tensor:
    """How far the answer can move at all, at the corners: all the weight on one key, whichever moves it most.

    Shapes: → (row), from 0 to 1. Where this is small, no experiment with weights can show much.
    """
    whole, found = opened.under(opened.weights), []
    for key in range(opened.mask.shape[1]):
        one = torch.zeros_like(opened.weights)
        one[:, key] = opened.weights.sum(-1)
        found.append(moved(whole, opened.under(one)) * opened.mask[:, key])
    return torch.stack(found).amax(0)
