"""Numbers that print alike on every machine."""

from typing import overload

import torch


@overload
def tidy(value: float, digits: int = 3) -> float: ...


@overload
def tidy(value: torch.Tensor, digits: int = 3) -> torch.Tensor: ...


def tidy(value: float | torch.Tensor, digits: int = 3) -> float | torch.Tensor:
    """Rounds a number or a tensor for printing, and turns −0 into 0.

    Two machines may compute −0.0001 and 0.0001 for the same thing; rounded and signed alike, both print 0.000.
    Shapes: (…) → (…), on the CPU, without a gradient.
    """
    if isinstance(value, torch.Tensor):
        scaled = torch.round(value.detach().cpu() * 10**digits) / 10**digits
        return scaled + 0.0  # −0.0 + 0.0 is 0.0
    return round(float(value), digits) + 0.0


def approx(value: float, unit: str = "", digits: int = 1) -> str:
    """Writes a number that depends on the machine: `≈ 99.4 %`.

    What follows ≈ is not compared between machines; an assertion in the same cell states the range that holds on
    all of them. The width is fixed, so that tables stay in line.
    """
    number = f"≈ {tidy(value, digits):>6.{digits}f}"
    return f"{number} {unit}" if unit else number
