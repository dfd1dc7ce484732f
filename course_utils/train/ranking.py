"""How well a recommender ranks: the rank of what came next among all films, and what is read off it; the AUC."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.guards import require_positive
from course_utils.data.films import newest
from course_utils.train.fit import fit


def ranks(scores: Tensor, target: Tensor, left_out: Tensor | None = None) -> Tensor:
    """The rank of each target among all that may be recommended, from 1.

    Shapes: scores (…, item), target (…), left_out (…, item), True = not ranked, such as what was seen → (…).
    Equal scores share their places: with three others of its score a target stands one and a half places further down.
    Raises ValueError where the target itself is left out.
    """
    own = scores.gather(-1, target.unsqueeze(-1))
    if left_out is not None:
        if left_out.gather(-1, target.unsqueeze(-1)).any():
            raise ValueError("left_out: got a target that is left out, expected targets that may be ranked")
        scores = scores.masked_fill(left_out, -torch.inf)
    better, equal = (scores > own).sum(-1), (scores == own).sum(-1) - 1
    return 1 + better + equal / 2


def hit_rate(found: Tensor, at: int = 10) -> float:
    """The share of targets among the first `at`. Shapes: found (any), ranks from 1 → a number from 0 to 1."""
    require_positive(at=at)
    return (found <= at).float().mean().item()


def ndcg(found: Tensor, at: int = 10) -> float:
    """The same, less for a place further down: 1 / log2(rank + 1). Shapes: found (any), ranks → from 0 to 1.

    Source: Järvelin and Kekäläinen 2002; with one target the best ranking gains 1.
    """
    require_positive(at=at)
    return ((found <= at) / torch.log2(found + 1)).mean().item()


def sampled(scores: Tensor, target: Tensor, left_out: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """The rank of each target among `count` others drawn at random: quick, and flattering.

    Shapes: scores (person, item), target (person), left_out (person, item) → (person), from 1 to count + 1.
    Source: Krichene and Rendle 2020, On Sampled Metrics for Item Recommendation, on why not to.
    """
    require_positive(count=count)
    others = ~left_out.scatter(-1, target.unsqueeze(-1), True)
    drawn = torch.multinomial(others.float(), count, generator=generator)
    shown = torch.cat([scores.gather(-1, target.unsqueeze(-1)), scores.gather(-1, drawn)], -1)
    return ranks(shown, torch.zeros_like(target))


def auc(scores: Tensor, clicked: Tensor) -> float:
    """The chance that a clicked one scores above one that was not clicked; equal scores count half.

    Shapes: scores and clicked (visit), 0 or 1 → a number from 0 to 1. Raises ValueError where all or none are clicked.
    """
    scores, clicked = scores.cpu().double(), clicked.cpu()  # not every device has float64
    yes, no = scores[clicked == 1], scores[clicked == 0].sort().values
    if not len(yes) or not len(no):
        raise ValueError(f"clicked: got {len(yes)} clicks and {len(no)} without, expected some of both")
    below, up_to = (torch.searchsorted(no, yes, right=right).double() for right in (False, True))
    return ((below + up_to) / 2 / len(no)).mean().item()


def rank_correlation(one: Tensor, other: Tensor) -> float:
    """Spearman's correlation: 1 where both order alike, 0 where one says nothing of the other.

    Shapes: one and other (any), alike; equal values share their ranks. Raises ValueError where one is constant.
    """
    places = [_mid_ranks(values.cpu().double().flatten()) for values in (one, other)]
    first, second = (row - row.mean() for row in places)
    if not first.any() or not second.any():
        raise ValueError("one, other: got values that are all equal, expected at least two different ones in each")
    return (first @ second / (first.norm() * second.norm())).item()


def _mid_ranks(values: Tensor) -> Tensor:
    ordered = values.sort().values
    return (torch.searchsorted(ordered, values) + torch.searchsorted(ordered, values, right=True)) / 2.0


def popularity(histories: list[Tensor], count: int) -> Tensor:
    """How often each film was seen. Shapes: histories (person) of (film) → (1 + film)."""
    return torch.cat(histories).bincount(minlength=1 + count).float()


def seen(histories: list[Tensor], count: int) -> Tensor:
    """Marks what each person has seen, and number 0, which is no film. Shapes: → (person, 1 + film), True = seen."""
    marks = torch.zeros(len(histories), 1 + count, dtype=torch.bool)
    marks[:, 0] = True
    for row, history in zip(marks, histories, strict=True):
        row[history] = True
    return marks


@torch.no_grad()
def scores_of(model: nn.Module, histories: list[Tensor], length: int = 100, batch: int = 64) -> Tensor:
    """Scores every film as the next one of each history, in evaluation mode; the model is left in the mode it had.

    Shapes: histories (person) of (film) → (person, 1 + film), on the CPU.
    """
    device, training = next(model.parameters()).device, model.training
    model.eval()
    tables = newest(histories, length).split(batch)
    found = torch.cat([model(table.to(device))[:, -1].cpu() for table in tables])
    model.train(training)
    return found


def windows(histories: list[Tensor], length: int) -> Tensor:
    """Cuts histories, from the newest back, into pieces of `length` and one film more: to read, and to predict.

    Shapes: histories (person) of (film) → (piece, length + 1); neighbouring pieces share a film, so that each film but
    a person's first is predicted once.
    """
    pieces = []
    for history in histories:
        end = len(history)
        while end > 1:
            pieces.append(history[max(0, end - length - 1) : end])
            end -= length
    return newest(pieces, length + 1)


def fit_next(
    model: nn.Module, histories: list[Tensor], epochs: int, learning_rate: float = 5e-3, length: int = 100,
    batch: int = 32, weight_decay: float = 0.01, seed: int = 0,
) -> list[float]:  # fmt: skip
    """Trains a model to say, at each place of each history, which film comes next: cross-entropy over all films.

    Shapes: histories (person) of (film) → the loss of every step, in nats. Afterwards the model is in evaluation mode.
    """
    require_positive(epochs=epochs, batch=batch)
    pieces, device = windows(histories, length), next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    orders = [part for _ in range(epochs) for part in torch.randperm(len(pieces), generator=generator).split(batch)]

    def loss(step: int) -> Tensor:
        rows = pieces[orders[step]].to(device)
        rows = rows[:, (rows != 0).any(0)]  # what is padding everywhere is left out
        scores = model(rows[:, :-1])
        real = (rows[:, :-1] != 0) & (rows[:, 1:] != 0)
        return F.cross_entropy(scores[real], rows[:, 1:][real])

    losses = fit(model, loss, len(orders), learning_rate, weight_decay=weight_decay)
    model.eval()
    return losses
