"""A model without context that is given its weights: if a map carries something, the model does better with it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.guards import require_mask, require_positive
from course_utils.models.classifier import Embed
from course_utils.train.fit import fit_rows


class Guided(nn.Module):
    """Each word by itself, through one layer; the weights come from outside and are not learned.

    Shapes: numbers (text, word, feature), padded with 0, weights (text, word) → logits (text, class). No word ever
    hears of another, so all that can tell more than a bag of words is the weights.
    Source: Wiegreffe and Pinter 2019, section 3.4, the diagnostic with frozen weights.
    """

    def __init__(self, sizes: list[int], classes: int, size: int = 64, dropout: float = 0.5) -> None:
        require_positive(classes=classes, size=size)
        super().__init__()
        self.embed, self.dropout = Embed(sizes, size), nn.Dropout(dropout)
        self.layer, self.predict = nn.Linear(size, size), nn.Linear(size, classes)

    def forward(self, numbers: Tensor, weights: Tensor) -> Tensor:
        require_mask(numbers[..., 0] != 0, tuple(weights.shape))
        words = torch.tanh(self.layer(self.dropout(self.embed(numbers))))
        return self.predict((weights.unsqueeze(1) @ words).squeeze(1))


def fit_guided(
    model: nn.Module, numbers: Tensor, weights: Tensor, classes: Tensor, steps: int = 350, learning_rate: float = 5e-3,
    batch: int = 128, seed: int = 0,
) -> list[float]:  # fmt: skip
    """Trains a guided model and gives the loss of each step, in nats. Afterwards it is in evaluation mode.

    Shapes: numbers (text, word, feature), weights (text, word), classes (text). Raises ValueError for a batch below 1.
    """

    def loss(rows: Tensor) -> Tensor:
        rows = rows.to(classes.device)
        return F.cross_entropy(model(numbers[rows], weights[rows]), classes[rows])

    return fit_rows(model, loss, len(classes), steps, learning_rate, batch, seed)
