"""Positions: five ways to tell attention where a token stands. By itself it treats a sequence as a set.

Sine and cosine or learned vectors are added to the inputs; a relative bias and ALiBi are added to the scores; rotary
positions turn queries and keys.
"""

import torch
from torch import Tensor, nn

from course_utils.attention.guards import require_even, require_positive


def angles(places: Tensor, size: int, base: float = 10_000.0) -> Tensor:
    """Gives the angle of each pair of features at each place; each pair turns more slowly than the one before.

    Shapes: places (length) → (length, pairs), in float64; an odd size counts the last feature as a pair.
    Source: Vaswani et al. 2017, section 3.5.
    """
    pairs = torch.arange((size + 1) // 2, dtype=torch.float64, device=places.device)
    return places.double()[:, None] * base ** (-2 * pairs / size)


def sinusoid(length: int, size: int, base: float = 10_000.0, start: float = 0) -> Tensor:
    """Writes each position as sines and cosines of falling frequency; the pair 2i, 2i+1 shares one frequency.

    Shapes: → (length, size); an odd size ends with a sine whose cosine is cut off.
    `start` is the first place; it may be negative, or half a number, as when places are counted from the middle.
    Source: Vaswani et al. 2017, section 3.5. Raises ValueError for a length or size below 1.
    """
    require_positive(length=length, size=size)
    turned = angles(start + torch.arange(length), size, base)  # (length, pairs)
    return torch.stack([turned.sin(), turned.cos()], dim=-1).flatten(-2)[:, :size].float()


def shift_matrix(shift: int, size: int, base: float = 10_000.0) -> Tensor:
    """Gives the matrix that turns the encoding of any position into that of the position `shift` further on.

    Shapes: → (size, size), a rotation of each pair: `shift_matrix(shift) @ code[t]` is `code[t + shift]`.
    Raises ValueError for an odd size.
    """
    require_even(size)
    turned = angles(torch.tensor([shift]), size, base)[0]  # (pairs)
    sine, cosine = turned.sin(), turned.cos()
    pairs = torch.stack([torch.stack([cosine, sine], -1), torch.stack([-sine, cosine], -1)], -2)  # (pairs, 2, 2)
    return torch.block_diag(*pairs).float()


def rotary(inputs: Tensor, base: float = 10_000.0, start: float = 0) -> Tensor:
    """Turns each pair of features by an angle that grows with the position.

    Shapes: inputs (…, length, size) → (…, length, size).
    Applied to queries and keys alike, their dot product depends on the distance of the two positions only.
    Source: Su et al. 2021, equation 34. Raises ValueError for an odd size.
    """
    length, size = inputs.shape[-2:]
    require_even(size)
    turned = angles(start + torch.arange(length), size, base)  # (length, pairs)
    sine, cosine = turned.sin().to(inputs), turned.cos().to(inputs)
    first, second = inputs[..., 0::2], inputs[..., 1::2]
    return torch.stack([first * cosine - second * sine, first * sine + second * cosine], dim=-1).flatten(-2)


def distances(queries: int, keys: int | None = None) -> Tensor:
    """Says how far each key stands to the right of each query; with fewer queries than keys, they are the last places.

    Shapes: → (query, key), whole numbers; a key to the left has a negative distance.
    Raises ValueError for numbers below 1.
    """
    keys = queries if keys is None else keys
    require_positive(queries=queries, keys=keys)
    return torch.arange(keys) - torch.arange(keys - queries, keys)[:, None]


def alibi(heads: int, queries: int, keys: int | None = None) -> Tensor:
    """Gives the penalties of ALiBi, to be added to scores: each head has its slope, and each step away costs as much.

    Shapes: → (heads, query, key), 0 or negative.
    The slopes are 2^(−8/heads), 2^(−16/heads), …; the penalty is symmetric, and a causal mask hides the future
    half. Source: Press et al. 2022, section 3. Raises ValueError for numbers below 1.
    """
    require_positive(heads=heads, queries=queries)
    slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)
    return slopes[:, None, None] * -distances(queries, keys).abs()


class LearnedPositions(nn.Module):
    """Adds a learned vector for each position up to `longest`; beyond that there is none.

    Shapes: inputs (…, length, size) → (…, length, size).
    Source: Gehring et al. 2017, section 3.1. Raises ValueError for a sequence longer than `longest`.
    """

    def __init__(self, longest: int, size: int) -> None:
        require_positive(longest=longest, size=size)
        super().__init__()
        self.table = nn.Parameter(torch.randn(longest, size) * 0.02)

    def forward(self, inputs: Tensor, start: int = 0) -> Tensor:
        stop = start + inputs.shape[-2]
        if stop > len(self.table):
            raise ValueError(f"inputs: got length {stop}, expected at most longest = {len(self.table)}")
        return inputs + self.table[start:stop]


class RelativeBias(nn.Module):
    """Learns one number for each head and each distance, to be added to the scores; far distances share the last.

    Shapes: → (heads, query, key).
    Source: Shaw et al. 2018 (clipped distances); Raffel et al. 2020, section 2.1 (one number for each head).
    Raises ValueError for numbers below 1.
    """

    def __init__(self, heads: int, furthest: int) -> None:
        require_positive(heads=heads, furthest=furthest)
        super().__init__()
        self.furthest = furthest
        self.bias = nn.Parameter(torch.zeros(heads, 2 * furthest + 1))

    def forward(self, queries: int, keys: int | None = None) -> Tensor:
        clipped = distances(queries, keys).clamp(-self.furthest, self.furthest)
        return self.bias[:, clipped.to(self.bias.device) + self.furthest]
