"""One training loop for the whole course: AdamW, a learning rate that rises and then falls, clipped gradients."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_utils.attention.guards import require_positive
from course_utils.train.bars import bar
from course_utils.train.schedule import rate_at


def fit(
    model: nn.Module,
    loss: Callable[[int], Tensor],
    steps: int,
    learning_rate: float = 3e-3,
    warmup: float = 0.1,
    clip: float = 1.0,
    weight_decay: float = 0.01,
    label: str = "",
) -> list[float]:
    """Trains the model for a number of steps and returns the loss of every step.

    Shapes: loss(step) gives a scalar; step counts from 0.
    `loss` draws its own batch; it may also measure held-out quality now and then, for the model is put into training
    mode before every step. Afterwards every part of it is back in the mode in which it was given. Nothing random is
    drawn here: what the model and `loss` draw decides the result. A progress bar shows for people only; the
    environment variable ATTENTION_COURSE_PROGRESS=0 silences it. Raises ValueError for settings out of range, for a
    model with nothing to train, and for a loss that is not one finite number.
    Source: Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization (AdamW).
    """
    _require_settings(steps, learning_rate, warmup, clip)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    if not weights:
        raise ValueError("model: got no parameter that requires a gradient, expected at least one")
    optimizer = adamw(weights, learning_rate, weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps, warmup))
    modes = [(module, module.training) for module in model.modules()]
    losses = []
    try:
        for step in bar(steps, label):
            model.train()
            value = loss(step)
            losses.append(_number(value, step))
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(weights, clip)
            optimizer.step()
            schedule.step()
    finally:
        for module, mode in modes:
            module.training = mode
    return losses


def fit_rows(
    model: nn.Module,
    loss_of: Callable[[Tensor], Tensor],
    count: int,
    steps: int,
    learning_rate: float,
    batch: int,
    seed: int = 0,
    weight_decay: float = 0.01,
) -> list[float]:
    """Trains as `fit` does, each step on some of `count` examples, drawn at random; gives the loss of every step.

    Shapes: loss_of takes the rows of a batch, (batch), on the CPU, and gives a scalar. The rows depend on the seed
    alone. Afterwards the model is in evaluation mode. Raises ValueError for count or batch below 1, and as `fit` does.
    """
    require_positive(count=count, batch=batch)
    generator = torch.Generator().manual_seed(seed)

    def loss(step: int) -> Tensor:
        return loss_of(torch.randint(count, (batch,), generator=generator))

    losses = fit(model, loss, steps, learning_rate, weight_decay=weight_decay)
    model.eval()
    return losses


def rate(step: int, steps: int, warmup: float = 0.1) -> float:
    """The share of the learning rate in use at a step: `schedule.rate_at`, in whole steps.

    The rise takes the share `warmup` of all steps; the last step still learns a little.
    """
    rise = max(1, round(warmup * steps))
    return rate_at((step + 1) / (steps + 1), warmup=rise / (steps + 1))


def adamw(weights: list[nn.Parameter], learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW in its fused form, which is one kernel instead of many, where device and PyTorch have it."""
    try:
        return torch.optim.AdamW(weights, lr=learning_rate, weight_decay=weight_decay, fused=True)
    except RuntimeError:
        return torch.optim.AdamW(weights, lr=learning_rate, weight_decay=weight_decay)


def _require_settings(steps: int, learning_rate: float, warmup: float, clip: float) -> None:
    require_positive(steps=steps)
    if not learning_rate > 0:
        raise ValueError(f"learning_rate: got {learning_rate!r}, expected a number above 0")
    if not 0 <= warmup <= 1:
        raise ValueError(f"warmup: got {warmup!r}, expected a share of the steps, from 0 to 1")
    if not clip > 0:
        raise ValueError(f"clip: got {clip!r}, expected a number above 0")


def _number(value: Tensor, step: int) -> float:
    if not isinstance(value, Tensor) or value.dim() != 0:
        given = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"loss: got {given} at step {step}, expected a tensor that holds one number, shape ()")
    number = value.item()
    if not math.isfinite(number):
        raise ValueError(f"loss: got {number} at step {step}, expected a finite number; is the learning rate too high?")
    return number
