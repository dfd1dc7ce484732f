"""Hard attention: one key instead of a blend, and three ways to learn through a choice that has no gradient."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.attention.basics import Score, masked_softmax, scaled_dot
from course_utils.attention.guards import require_pairs


def hardest(scores: Tensor) -> Tensor:
    """Chooses the key with the highest score: weight 1 there, 0 elsewhere; the first one of equals.

    Shapes: scores (…, query, key) → choice (…, query, key).
    Hidden keys have the score −inf; a row of nothing else gets weights 0. No gradient flows back to the scores.
    """
    choice = F.one_hot(scores.argmax(dim=-1), scores.shape[-1]).to(scores.dtype)
    return choice.masked_fill(scores == -math.inf, 0.0)  # only a row with nothing to look at changes here


def gumbel(shape: tuple[int, ...], generator: torch.Generator | None = None) -> Tensor:
    """Draws noise whose argmax with scores added is a draw from their softmax (Gumbel 1954).

    Shapes: shape → (*shape), on the CPU.
    """
    uniform = torch.rand(shape, generator=generator).clamp(min=torch.finfo(torch.float32).tiny)
    return -torch.log(-torch.log(uniform))


def draw(scores: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draws one key for each query, with the chances softmax(scores): weight 1 there, 0 elsewhere.

    Shapes: scores (…, query, key) → choice (…, query, key).
    Hidden keys have the score −inf and are never drawn. Source: Maddison, Tarlow and Minka 2014, A* Sampling.
    """
    return hardest(scores + gumbel(scores.shape, generator).to(scores))


def hard_attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    score: Score = scaled_dot,
    choose: Callable[[Tensor], Tensor] = hardest,
) -> tuple[Tensor, Tensor]:
    """Gives each query the value of one key instead of a blend.

    Shapes: query (…, query, size), key (…, key, size), value (…, key, value size), mask (…, query, key)
    → context (…, query, value size), choice (…, query, key).
    `choose` turns scores into a choice: hardest, draw, straight_through; with a softmax this is soft attention.
    Raises ValueError when the numbers of keys and values differ, or the mask is not boolean.
    Source: Xu et al. 2015, section 4.1.
    """
    require_pairs(key, value)
    if mask is not None and mask.dtype != torch.bool:
        raise ValueError(f"mask: got {mask.dtype}, expected torch.bool, where True means may attend")
    scores = score(query, key)
    choice = choose(scores if mask is None else scores.masked_fill(~mask, -math.inf))
    return choice @ value, choice


def expected_cost(scores: Tensor, costs: Tensor) -> Tensor:
    """Averages the cost of every key, each as likely as it is to be chosen: exact, but every key must be tried.

    Shapes: scores (…, key), costs (…, key) → (…).
    Raises ValueError when the numbers of keys differ.
    """
    if scores.shape[-1] != costs.shape[-1]:
        raise ValueError(f"costs: got {costs.shape[-1]}, expected one for each key: {scores.shape[-1]}")
    return (masked_softmax(scores, scores > -math.inf) * costs).sum(-1)


def reinforce_loss(scores: Tensor, choice: Tensor, cost: Tensor, baseline: float | Tensor = 0.0) -> Tensor:
    """Gives a loss whose gradient is, on average, that of the expected cost; only the chosen key's cost is needed.

    Shapes: scores (…, key), choice (…, key), cost (…), baseline a number or (…) → (…).
    Its value means nothing; only its gradient does. The baseline must not depend on the choice. Raises ValueError
    when `choice` does not choose exactly one key in each row. Source: Williams 1992, the REINFORCE estimator.
    """
    if not torch.equal((choice == 1).sum(-1) + (choice != 0).sum(-1), torch.full_like(choice[..., 0], 2).long()):
        raise ValueError("choice: got rows without exactly one 1, expected a choice of one key in each row")
    log_chance = torch.log_softmax(scores, dim=-1).masked_fill(choice == 0, 0.0).sum(-1)
    return (cost - baseline).detach() * log_chance


def straight_through(scores: Tensor, temperature: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
    """Draws one key for each query, and passes gradients back as if the choice had been a softmax.

    Shapes: scores (…, query, key) → choice (…, query, key).
    The gradient is that of softmax((scores + noise) / temperature), with the very noise that made the choice. Raises
    ValueError for a temperature that is not above 0.
    Sources: Bengio, Léonard and Courville 2013; Jang, Gu and Poole 2017; Maddison, Mnih and Teh 2017.
    """
    if not temperature > 0:
        raise ValueError(f"temperature: got {temperature!r}, expected a number above 0")
    noisy = scores + gumbel(scores.shape, generator).to(scores)
    soft = masked_softmax(noisy / temperature, noisy > -math.inf)
    return hardest(noisy).detach() + soft - soft.detach()
