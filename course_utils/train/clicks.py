"""Training a model of clicks, a batch of visits at a time."""

import torch
from torch import Tensor

from course_utils.attention.guards import require_positive
from course_utils.data.clicks import Visits
from course_utils.models.clicks import ClickModel, click_loss
from course_utils.train.fit import fit


def fit_clicks(
    model: ClickModel, visits: Visits, steps: int = 1000, learning_rate: float = 1e-2, batch: int = 512, seed: int = 0
) -> list[float]:
    """Trains for a number of steps and gives the loss of each, in nats. Afterwards the model is in evaluation mode.

    Shapes: `Visits` → (steps). Raises ValueError for a batch
    below 1.
    """
    require_positive(batch=batch)
    generator, device = torch.Generator().manual_seed(seed), next(model.parameters()).device
    visits = Visits(*(part.to(device) for part in visits))

    def loss(step: int) -> Tensor:
        rows = torch.randint(len(visits.clicked), (batch,), generator=generator).to(device)
        return click_loss(model, Visits(*(part[rows] for part in visits)))

    losses = fit(model, loss, steps, learning_rate, weight_decay=0.1)
    model.eval()
    return losses
