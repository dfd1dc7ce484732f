"""A whole model that answers as another does and looks elsewhere: one set of parameters for all questions."""

from collections.abc import Callable

from torch import Tensor, nn

from course_utils.explain.moving import moved
from course_utils.train.fit import fit_rows

Run = Callable[[Tensor], tuple[Tensor, Tensor]]  # rows → logarithms of chances (row, class), weights (row, key)


def divergence(one: Tensor, other: Tensor) -> Tensor:
    """Kullback-Leibler: how far one map is from another, in nats. Shapes: weights (…, key) → (…); both 0 count 0."""
    return (one * (one.clamp(min=1e-6).log() - other.clamp(min=1e-6).log())).sum(-1)


def adversarial_loss(
    chances: Tensor, weights: Tensor, chances_of: Tensor, weights_of: Tensor, strength: float
) -> Tensor:
    """The mean of how far the answers are apart, less `strength` times how far the maps are.

    Shapes: chances (row, class), logarithms, and weights (row, key) of the new model; the same of the old one → ().
    Source: Wiegreffe and Pinter 2019, equation 1.
    """
    return (moved(chances, chances_of) - strength * divergence(weights, weights_of)).mean()


def fit_adversary(
    model: nn.Module,
    run: Run,
    old: tuple[Tensor, Tensor],
    strength: float,
    steps: int = 400,
    learning_rate: float = 5e-3,
    batch: int = 128,
    seed: int = 0,
) -> list[float]:
    """Trains a model to answer as an old one does, under other weights; gives the loss of each step.

    Shapes: `run` runs the new model on some rows; old, chances (row, class) and weights (row, key) of the old model.
    Afterwards the model is in evaluation mode. Raises ValueError for a batch below 1.
    """
    chances, weights = old

    def loss(rows: Tensor) -> Tensor:
        rows = rows.to(chances.device)
        now, looked = run(rows)
        return adversarial_loss(now, looked, chances[rows], weights[rows][..., : looked.shape[-1]], strength)

    return fit_rows(model, loss, len(chances), steps, learning_rate, batch, seed)
