"""The inputs of an audit: small shapes first, numbers that one can read, and the same ones every time."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from course_utils.contract.convention import Convention

SEEDS = (0, 1)
LENGTHS = (  # batch, queries, keys: each clause meets them from the smallest input to the largest
    (1, 1, 1),
    (1, 1, 2),
    (1, 2, 2),
    (1, 2, 3),
    (1, 3, 2),
    (1, 3, 3),
    (1, 1, 4),
    (1, 4, 4),
    (2, 1, 2),
    (2, 2, 2),
    (2, 2, 4),
    (2, 3, 3),
    (3, 4, 5),
    (3, 5, 5),
)
WIDE = tuple((1, length, length) for length in (6, 8, 10, 12, 16))  # only for one that runs with nothing smaller


@dataclass(frozen=True)
class Dims:
    """The sizes of one input. Sorts from small to large."""

    batch: int
    queries: int
    keys: int
    size: int
    key_size: int
    value_size: int

    @property
    def numbers(self) -> int:
        """How many numbers query, key and value hold."""
        return self.batch * (self.queries * self.size + self.keys * (self.key_size + self.value_size))

    def __str__(self) -> str:
        parts = [f"batch {self.batch}"] if self.batch > 1 else []
        parts += [_count(self.queries, "query", "queries"), _count(self.keys, "key", "keys"), f"size {self.size}"]
        return ", ".join(parts)


@dataclass(frozen=True)
class Inputs:
    """One input, in our axes: query, key, value (batch, heads, length, size), mask (batch, heads, query, key).

    The mask is boolean, True = may attend, or None. In self-attention of one source the three are one tensor.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    dims: Dims
    seed: int

    def to(self, dtype: torch.dtype) -> "Inputs":
        """The same numbers in another floating type."""
        return replace(self, query=self.query.to(dtype), key=self.key.to(dtype), value=self.value.to(dtype))

    def item(self, place: int) -> "Inputs":
        """One element of the batch, alone."""
        mask = None if self.mask is None else self.mask[place : place + 1]
        query, key, value = (tensor[place : place + 1] for tensor in (self.query, self.key, self.value))
        return Inputs(query, key, value, mask, replace(self.dims, batch=1), self.seed)

    @property
    def seen(self) -> Tensor:
        """The mask of an input that has one."""
        assert self.mask is not None
        return self.mask

    @property
    def named(self) -> dict[str, Tensor]:
        """The tensors by name, without the axis of heads where there is one head."""
        tensors = {"query": self.query, "key": self.key, "value": self.value}
        if self.key is self.query:
            tensors = {"source": self.query}
        if self.mask is not None:
            tensors["mask"] = self.mask
        return {name: tensor.squeeze(1) if tensor.shape[1] == 1 else tensor for name, tensor in tensors.items()}


def shapes(convention: Convention, lengths: tuple = LENGTHS) -> list[Dims]:
    """The shapes that a convention allows, the smallest first."""
    if convention.size is not None:
        sizes = [(convention.size, convention.value_size or convention.size)]
    elif convention.heads > 1 and not convention.has_heads_axis:
        sizes = [(step * convention.heads, convention.value_size or step * convention.heads) for step in (2, 1)]
    else:
        sizes = [(size, convention.value_size or value_size) for size, value_size in ((2, 3), (2, 1), (1, 1))]
    shared = "value" not in convention.order.split()  # keys and values are one tensor: so they have one size
    found = {
        Dims(batch, queries, keys, size, key_size := convention.key_size or size, key_size if shared else value_size)
        for batch, queries, keys in lengths
        for size, value_size in (sizes if batch == 1 and keys < 4 else sizes[:1])
        if (queries == keys or not convention.square) and (batch == 1 or convention.has_batch)
    }
    return sorted(found, key=lambda dims: (dims.numbers, dims.batch, dims.queries, dims.keys, dims.size))


def numbers(generator: torch.Generator, *shape: int) -> Tensor:
    """Draws eighths from −2 to 2, never 0: short to print, and exact in half precision too."""
    size = torch.randint(1, 17, shape, generator=generator)
    sign = torch.randint(0, 2, shape, generator=generator) * 2 - 1
    return (size * sign) / 8


def draw(convention: Convention, dims: Dims, seed: int, device: torch.device) -> Inputs:
    """Draws an input without a mask, on the CPU, and moves it."""
    generator = torch.Generator().manual_seed(seed)
    heads = convention.heads if convention.has_heads_axis else 1
    query = numbers(generator, dims.batch, heads, dims.queries, dims.size).to(device)
    if convention.one_source:
        return Inputs(query, query, query, None, dims, seed)
    key = numbers(generator, dims.batch, heads, dims.keys, dims.key_size).to(device)
    if "memory" in convention.order.split():
        return Inputs(query, key, key, None, dims, seed)
    value = numbers(generator, dims.batch, heads, dims.keys, dims.value_size).to(device)
    return Inputs(query, key, value, None, dims, seed)


def moved(tensor: Tensor, places: list[int] | slice, seed: int) -> Tensor:
    """A copy whose rows at these places (of the axis `length`) have other numbers, each at least 1 away."""
    change = numbers(torch.Generator().manual_seed(1000 + seed), *tensor.shape).to(tensor)
    other = tensor.clone()
    other[..., places, :] += (change + change.sign())[..., places, :]
    return other


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
