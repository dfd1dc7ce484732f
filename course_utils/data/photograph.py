"""A photograph in grey, noise on it, and how far a picture is from another: the photographs come with scikit-learn."""

import torch
from torch import Tensor

from course_utils.attention.guards import require_positive

PHOTOGRAPHS = ("china.jpg", "flower.jpg")
GREY = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)


def photograph(name: str = "china.jpg") -> Tensor:
    """Gives one of scikit-learn's two photographs in grey. Shapes: → (row, column), from 0 (black) to 1 (white).

    Raises ValueError for any other name. Both under CC BY 2.0, as scikit-learn says beside them: china.jpg by
    danielbuechele, flower.jpg by vultilion, on Flickr.
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"name: got {name!r}, expected one of {', '.join(PHOTOGRAPHS)}")
    from sklearn.datasets import load_sample_image

    return torch.tensor(load_sample_image(name)).float() @ torch.tensor(GREY) / 255


def crop(picture: Tensor, top: int, left: int, size: int = 64) -> Tensor:
    """Cuts a square out. Shapes: picture (row, column) → (size, size). Raises ValueError where it would stick out."""
    require_positive(size=size)
    rows, columns = picture.shape
    if not (0 <= top <= rows - size and 0 <= left <= columns - size):
        raise ValueError(f"top, left: got {top}, {left}, expected a square of {size} inside {rows} by {columns}")
    return picture[top : top + size, left : left + size].clone()


def noisy(picture: Tensor, deviation: float, seed: int = 0) -> Tensor:
    """Adds Gaussian noise of this standard deviation, drawn on the CPU. Shapes: (…) → (…); values may leave 0 … 1."""
    drawn = torch.randn(picture.shape, generator=torch.Generator().manual_seed(seed))
    return picture + deviation * drawn.to(picture.device)


def decibels(picture: Tensor, clean: Tensor) -> float:
    """How near a picture is to the clean one (PSNR): 10 dB more is a tenth of the mean squared error.

    Shapes: picture and clean of one shape, with white at 1. Raises ValueError for two shapes.
    """
    if picture.shape != clean.shape:
        raise ValueError(f"picture: got shape {tuple(picture.shape)}, expected that of clean, {tuple(clean.shape)}")
    return (-10 * torch.log10(((picture - clean) ** 2).mean())).item()
