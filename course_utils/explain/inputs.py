"""Two other explanations: how far the answer moves without an input, and how steeply it rises with one."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.attention.guards import require_boolean
from course_utils.explain.moving import moved


def without_each(mask: Tensor, *parts: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Yields the mask and the parts without place 0, then without place 1, and so on; what follows moves up.

    Shapes: mask (text, place), True = real, padding on the right; parts (text, place, …) → as many pairs as places, all
    of the same shapes; the last place is free, and filled with 0. A text that is shorter is left as it is. Raises
    ValueError for a mask that is not boolean, or with a gap.
    """
    _require_prefix(mask)
    for place in range(mask.shape[1]):
        real = mask[:, place]
        yield tuple(torch.where(_like(real, part), _without(part, place), part) for part in (mask, *parts))


def _without(part: Tensor, place: int) -> Tensor:
    return torch.cat([part[:, :place], part[:, place + 1 :], torch.zeros_like(part[:, :1])], 1)


def _like(real: Tensor, part: Tensor) -> Tensor:
    return real.view(-1, *[1] * (part.dim() - 1))


def _require_prefix(mask: Tensor) -> None:
    """Raises ValueError for a mask that is not boolean, or has a gap: what is real stands first."""
    require_boolean(mask)
    if (mask[..., 1:] & ~mask[..., :-1]).any():
        raise ValueError("mask: got a gap, expected what is real first and padding on the right")


@torch.no_grad()
def leave_one_out(ask: Callable[..., Tensor], mask: Tensor, *parts: Tensor) -> Tensor:
    """How far the answer moves, in total variation, when one place is left out: for every place of every text.

    Shapes: `ask` turns mask (text, place) and parts (text, place, …) into logarithms of chances (text · r, class), r
    rows for each text → (text · r, place), from 0 to 1; 0 on padding. Raises ValueError as `without_each` does.
    Source: Jain and Wallace 2019, section 4.1.
    """
    whole = ask(mask, *parts)
    found = torch.stack([moved(whole, ask(*shorter)) for shorter in without_each(mask, *parts)], -1)
    return found * mask.repeat_interleave(len(whole) // len(mask), 0)


class Slopes(NamedTuple):
    """How steeply the logarithm of the chance of the answer rises with the vector of each input.

    Shapes: steep (row, place), the length of the gradient; times (row, place), the size of gradient · vector, which is
    how far a straight line would fall if the vector went to 0. Source: Simonyan et al. 2014; Shrikumar et al. 2017.
    """

    steep: Tensor
    times: Tensor


def slopes(model: nn.Module, embed: nn.Module, ask: Callable[[], Tensor], rows: int = 1) -> Slopes:
    """Gradients of the answer by the vectors that `embed`, a part of the model, gives when `ask` runs the model.

    Shapes: embed gives (text, place, size), the last of its outputs with three axes counts; ask() → logarithms of
    chances (text · rows, class) → Slopes (text · rows, place). The class of a row is the one it finds likeliest. The
    weights move along: this is the whole slope. Nothing is left in the model's `.grad`. Raises ValueError where embed
    gives no such vectors.
    """
    held: list[Tensor] = []
    hook = embed.register_forward_hook(lambda module, given, made: held.append(made))
    model.eval()
    try:
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):  # its recurrent nets need training mode
            chances = ask()
            vectors = next((made for made in reversed(held) if made.dim() == 3), None)
            if vectors is None:
                raise ValueError("embed: got no vectors of shape (text, place, size), expected some while ask() runs")
            best = chances.amax(-1).view(-1, rows)
            found = [torch.autograd.grad(best[:, row].sum(), vectors, retain_graph=True)[0] for row in range(rows)]
    finally:
        hook.remove()
    gradient = torch.stack(found, 1).flatten(0, 1)  # (text · rows, place, size)
    vectors = vectors.detach().repeat_interleave(rows, 0)
    return Slopes(gradient.norm(dim=-1), (gradient * vectors).sum(-1).abs())
