"""A leak detector: replace one input at a time, and see which outputs move."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

SENSITIVITY = 1e-4  # relative to the largest output: above rounding, below any real influence


def influence(model: Callable[[Tensor], Tensor], source: Tensor, other: Tensor) -> Tensor:
    """Measures how far each output moves when one place of the input is replaced.

    Shapes: source, other (batch, length, …) → moved (output, input), the largest change over batch and features.
    Place by place, `source` gets what stands there in `other`; so it works for vectors and for numbers of tokens
    alike. `model` gives (batch, length, …). What it draws at random, as dropout does, is the same in every call. An
    output that is not finite counts as infinitely far. Raises ValueError when the two inputs differ in shape, or
    agree at some place.
    """
    _require_inputs(source, other)
    with torch.no_grad():
        before = _steady(model, source)
        columns = []
        for place in range(source.shape[1]):
            changed = source.clone()
            changed[:, place] = other[:, place]
            off = (_steady(model, changed) - before).abs().flatten(2)  # (batch, output, features)
            columns.append(off.nan_to_num(nan=torch.inf).amax(dim=(0, 2)))
    return torch.stack(columns, dim=-1)


def leaks(model: nn.Module, source: Tensor, other: Tensor, allowed: Tensor) -> dict[str, list[tuple[int, int]]]:
    """Finds the pairs (output, input) that must not depend on each other and do, in training and evaluation mode.

    Shapes: source, other (batch, length, …), allowed (output, input), True = may depend → for each mode its pairs.
    The model is given back in its own mode. Raises ValueError for `allowed` of another type or shape.
    """
    length = source.shape[1]
    if allowed.dtype != torch.bool or allowed.shape != (length, length):
        raise ValueError(
            f"allowed: got {allowed.dtype} of shape {tuple(allowed.shape)}, expected torch.bool of {(length, length)}"
        )
    before = [(module, module.training) for module in model.modules()]
    found = {}
    try:
        for mode in ("training", "evaluation"):
            model.train(mode == "training")
            moved = influence(model, source, other)
            with torch.no_grad():
                largest = _steady(model, source).abs().max()
            wrong = (moved > SENSITIVITY * max(1.0, float(largest))) & ~allowed.to(moved.device)
            found[mode] = [tuple(pair) for pair in wrong.nonzero().tolist()]
    finally:
        for module, was in before:
            module.training = was
    return found


def _steady(model: Callable[[Tensor], Tensor], source: Tensor) -> Tensor:
    """Calls the model, always with the same random numbers, and leaves the caller's as they were."""
    devices = [source.device] if source.is_cuda else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(0)
        return model(source)


def _require_inputs(source: Tensor, other: Tensor) -> None:
    if source.dim() < 2 or source.shape != other.shape:
        raise ValueError(
            f"other: got shape {tuple(other.shape)}, expected that of source, {tuple(source.shape)}: (batch, length, …)"
        )
    same = (source == other).flatten(2).all(-1) if source.dim() > 2 else source == other
    if bool(same.all(0).any()):
        place = int(same.all(0).nonzero()[0])
        raise ValueError(f"other: got at place {place} what source has there, expected something else at every place")
