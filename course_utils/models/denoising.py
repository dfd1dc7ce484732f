"""A photograph that denoises itself: non-local means, which is attention of pixels to pixels, without any training."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.attention.basics import attend


def surroundings(picture: Tensor, reach: int) -> Tensor:
    """What stands around each pixel, up to `reach` away; beyond the edge the picture is mirrored.

    Shapes: picture (row, column) → (pixel, (2 · reach + 1)²).
    """
    side = 2 * reach + 1
    mirrored = F.pad(picture[None, None], (reach,) * 4, mode="reflect")
    return F.unfold(mirrored, side)[0].T


def likeness(query: Tensor, key: Tensor, temperature: float) -> Tensor:
    """Scores two patches by minus their squared distance, over a temperature.

    Shapes: query (…, query, size), key (…, key, size) → scores (…, query, key).
    """
    return -(torch.cdist(query, key) ** 2) / temperature


def non_local_means(picture: Tensor, deviation: float, reach: int = 2) -> tuple[Tensor, Tensor]:
    """Denoises a picture by attention: each pixel asks with its surroundings, and takes the values of the others.

    Shapes: picture (row, column) → denoised (row, column), weights (pixel, pixel).
    A pixel does not ask itself: its noise would agree with itself. The temperature is what noise alone does to the
    squared distance of two patches that show the same: a standard deviation of 2 · deviation² · √(2 · pixels).
    Raises ValueError for a deviation that is not above 0. Source: Buades, Coll and Morel 2005, in plain softmax form.
    """
    if not deviation > 0:
        raise ValueError(f"deviation: got {deviation!r}, expected a number above 0")
    around = surroundings(picture, reach)  # (pixel, patch), query and key
    temperature = 2 * deviation**2 * math.sqrt(2 * around.shape[1])
    others = ~torch.eye(len(around), dtype=torch.bool, device=picture.device)
    values = picture.reshape(1, -1, 1)
    context, weights = attend(around[None], around[None], values, others, lambda q, k: likeness(q, k, temperature))
    return context.reshape(picture.shape), weights[0]
