"""Training a model that sorts pictures, each shown once an epoch and shifted if wanted; and how good it is."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.guards import require_positive
from course_utils.data.handwriting import Digits, shifted
from course_utils.train.fit import fit


def fit_pictures(
    model: nn.Module, digits: Digits, steps: int = 1200, learning_rate: float = 3e-3, shifts: bool = False,
    batch: int = 64, weight_decay: float = 0.01, seed: int = 0,
) -> list[float]:  # fmt: skip
    """Trains for a number of steps and gives the loss of each, in nats. Afterwards the model is in evaluation mode.

    `shifts` moves each picture by up to a pixel, drawn anew each time it is shown; the shown digit stays the same.
    Shapes: → (steps). Raises ValueError for steps or a batch below 1.
    """
    require_positive(steps=steps, batch=batch)
    generator, rows = torch.Generator().manual_seed(seed), torch.empty(0, dtype=torch.long)
    device = next(model.parameters()).device
    pictures, classes = digits.pictures.to(device), digits.classes.to(device)

    def loss(step: int) -> Tensor:
        nonlocal rows
        if len(rows) < min(batch, len(pictures)):
            rows = torch.randperm(len(pictures), generator=generator)
        chosen, rows = rows[:batch], rows[batch:]
        shown = shifted(pictures[chosen], generator) if shifts else pictures[chosen]
        return F.cross_entropy(model(shown), classes[chosen])

    losses = fit(model, loss, steps, learning_rate, weight_decay=weight_decay)
    model.eval()
    return losses


@torch.no_grad()
def answers(model: nn.Module, pictures: Tensor) -> Tensor:
    """The class that a model finds likeliest for each picture, in evaluation mode. Shapes: (digit, …) → (digit)."""
    training = model.training
    model.eval()
    found = model(pictures.to(next(model.parameters()).device)).argmax(-1).cpu()
    model.train(training)
    return found


def percent_right(found: Tensor, classes: Tensor) -> float:
    """Shapes: found and classes (digit) → a percentage."""
    return 100 * (torch.as_tensor(found) == classes).float().mean().item()
