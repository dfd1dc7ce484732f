"""Training a model of clicks, a batch of visits at a time."""

from torch import Tensor

from course_utils.data.clicks import Visits
from course_utils.models.clicks import ClickModel, click_loss
from course_utils.train.fit import fit_rows


def fit_clicks(
    model: ClickModel, visits: Visits, steps: int = 1000, learning_rate: float = 1e-2, batch: int = 512, seed: int = 0
) -> list[float]:
    """Trains for a number of steps and gives the loss of each, in nats. Afterwards the model is in evaluation mode.

    Shapes: `Visits` → (steps). Raises ValueError for a batch below 1.
    """
    device = next(model.parameters()).device
    visits = Visits(*(part.to(device) for part in visits))

    def loss(rows: Tensor) -> Tensor:
        return click_loss(model, Visits(*(part[rows.to(device)] for part in visits)))

    return fit_rows(model, loss, len(visits.clicked), steps, learning_rate, batch, seed, weight_decay=0.1)
