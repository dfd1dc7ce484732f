"""Training a classifier, epoch by epoch: every example once, in an order drawn afresh, and the mean loss of each."""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.guards import require_positive
from course_utils.data.text import PAD
from course_utils.train.fit import adamw

POOL = 20  # batches that are sorted by length together


def fit_epochs(
    model: nn.Module,
    numbers: Tensor,
    classes: Tensor,
    epochs: int = 10,
    learning_rate: float = 5e-3,
    batch: int = 128,
    seed: int = 0,
    weight_decay: float = 0.01,
) -> list[float]:
    """Trains a classifier and gives the mean loss of each epoch, after that of the very first batch.

    Shapes: numbers (example, word, feature), padded with 0, classes (example) → (1 + epochs). Units: nats.
    The learning rate falls in a straight line to 0. Batches hold texts of like length, so that little is padded; their
    order depends on the seed alone. Afterwards the model is in evaluation mode. The first loss tells whether all is
    well: a classifier that knows nothing yet loses log(number of classes). Raises ValueError for different numbers of
    examples, and for epochs or batch below 1.
    Source: Loshchilov and Hutter 2019 (AdamW).
    """
    require_positive(epochs=epochs, batch=batch)
    if len(numbers) != len(classes):
        raise ValueError(f"classes: got {len(classes)}, expected one for each of {len(numbers)} examples")
    generator = torch.Generator().manual_seed(seed)
    lengths = (numbers[..., 0] != PAD).sum(1).cpu()
    optimizer = adamw(list(model.parameters()), learning_rate, weight_decay)
    steps = epochs * math.ceil(len(numbers) / batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / (steps + 1))
    losses: list[float] = []
    for _ in range(epochs):
        model.train()
        total = 0.0
        for rows in batches_of_like_length(lengths, batch, generator):
            logits, _ = model(numbers[rows, : lengths[rows].max()])
            loss = F.cross_entropy(logits, classes[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
            losses = losses or [loss.item()]
        losses.append(total / len(numbers))
    model.eval()
    return losses


def batches_of_like_length(lengths: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yields the rows of each batch: every row once, in an order drawn afresh, rows of like length together.

    Shapes: lengths (example) → (rows), at most `size` of them; one batch of each `POOL` may be smaller.
    """
    groups: list[Tensor] = []
    for block in torch.randperm(len(lengths), generator=generator).split(POOL * size):
        groups += block[lengths[block].argsort(stable=True)].split(size)
    for place in torch.randperm(len(groups), generator=generator).tolist():
        yield groups[place]


@torch.no_grad()
def predict(model: nn.Module, numbers: Tensor, batch: int = 256) -> Tensor:
    """Gives the class that a model finds likeliest, in evaluation mode; afterwards it is in the mode in which it was.

    Shapes: numbers (example, word, feature) → (example), whole numbers, on the CPU. Raises ValueError for a batch
    below 1.
    """
    require_positive(batch=batch)
    training = model.training
    model.eval()
    lengths = (numbers[..., 0] != PAD).sum(1).cpu()
    found = torch.zeros(len(numbers), dtype=torch.long)
    for rows in lengths.argsort(stable=True).split(batch):  # texts of like length together
        logits, _ = model(numbers[rows, : lengths[rows].max()])
        found[rows] = logits.argmax(-1).cpu()
    model.train(training)
    return found
