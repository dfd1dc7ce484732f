"""What an argument must be, in one grammar, `name: got this, expected that`; lessons do not show these calls."""

import torch
from torch import Tensor


def require_positive(**numbers: int) -> None:
    """Raises ValueError for the first argument that is not a whole number of at least 1."""
    require_at_least(1, **numbers)


def require_at_least(least: int, **numbers: int) -> None:
    """Raises ValueError for the first argument that is not a whole number of at least `least`."""
    for name, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            raise ValueError(f"{name}: got {number!r}, expected a whole number of at least {least}")


def require_divisor(size: int, heads: int) -> None:
    """Raises ValueError when heads is no whole number that divides the size."""
    if not isinstance(heads, int) or isinstance(heads, bool) or heads < 1 or size % heads:
        raise ValueError(f"heads: got {heads!r}, expected a whole number that divides the size {size}")


def require_even(size: int) -> None:
    """Raises ValueError for a size that cannot be cut into pairs of features."""
    require_positive(size=size)
    if size % 2:
        raise ValueError(f"size: got {size}, expected an even number: features come in pairs")


def require_size(name: str, tensor: Tensor, size: int, axis: str | None = None) -> None:
    """Raises ValueError when a tensor has fewer than two axes, or another number of features than `size`."""
    if tensor.dim() < 2 or tensor.shape[-1] != size:
        raise ValueError(f"{name}: got shape {tuple(tensor.shape)}, expected (…, {axis or name}, {size})")


def require_one_size(query: Tensor, key: Tensor) -> None:
    """Raises ValueError when query and key differ in size, as dot products do not allow."""
    for name, tensor in (("query", query), ("key", key)):
        if tensor.dim() < 2:
            raise ValueError(f"{name}: got shape {tuple(tensor.shape)}, expected at least two axes, (…, {name}, size)")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"key: got size {key.shape[-1]}, expected the query's size {query.shape[-1]}")


def require_pairs(key: Tensor, value: Tensor) -> None:
    """Raises ValueError when there are not as many values as keys."""
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"value: got {value.shape[-2]} values, expected as many as there are keys: {key.shape[-2]}")


def require_boolean(mask: Tensor) -> None:
    """Raises ValueError for a mask that does not hold True and False."""
    if mask.dtype != torch.bool:
        raise ValueError(f"mask: got {mask.dtype}, expected torch.bool, where True means may attend")


def require_mask(mask: Tensor, shape: tuple[int, ...]) -> None:
    """Raises ValueError for a mask that is not boolean, or does not broadcast to scores of this shape."""
    require_boolean(mask)
    try:
        fits = torch.broadcast_shapes(mask.shape, shape) == torch.Size(shape)
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(f"mask: got shape {tuple(mask.shape)}, expected one that broadcasts to scores {tuple(shape)}")
