"""Exercises of lesson 01, search: the soft lookup, temperature, the convex hull, blends, kernels, rankings."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checks import Exercise, Mistake, Prediction, Property, Requirement, Witness
from course_utils.data import shop


# 1.1 soft lookup ------------------------------------------------------------------------------------------------------
def _draw_searches(generator: torch.Generator) -> list[tuple]:
    def draw(*shape):
        return torch.randn(shape, generator=generator)

    return [
        (draw(3, 4), draw(5, 4), draw(5, 2), 0.3),
        (draw(2, 6), draw(7, 6), draw(7, 4), 2.5),
    ]


def _weights(query, key, temperature, dim=-1):
    return torch.softmax(query @ key.T / temperature, dim)


SOFT_LOOKUP = Exercise(
    "1.1",
    "A soft lookup",
    oracle=lambda query, key, value, temperature: F.scaled_dot_product_attention(
        query[None], key[None], value[None], scale=1 / temperature
    )[0],
    inputs=_draw_searches,
    mistakes=[
        Mistake(
            "over-queries",
            lambda q, k, v, t: _weights(q, k, t, dim=0) @ v,
            "You normalised over the queries; each query shares its weight among the keys: which axis must sum to 1?",
        ),
        Mistake(
            "no-temperature",
            lambda q, k, v, t: _weights(q, k, 1) @ v,
            "Your result does not depend on the temperature: use it on the scores, before the softmax.",
        ),
        Mistake(
            "multiplied",
            lambda q, k, v, t: _weights(q, k, 1 / t) @ v,
            "You multiply by the temperature, so that a hot search is a sharp one; it should be the other way round.",
        ),
        Mistake(
            "after-softmax",
            lambda q, k, v, t: _weights(q, k, 1) / t @ v,
            "You used the temperature after the softmax, so that the weights no longer sum to 1.",
        ),
        Mistake(
            "not-normalised",
            lambda q, k, v, t: torch.exp(q @ k.T / t) @ v,
            "You took the exponential of the scores but did not divide by its sum: your weights do not sum to 1.",
        ),
        Mistake(
            "hard",
            lambda q, k, v, t: v[(q @ k.T).argmax(-1)],
            "You return the value of the best key alone; here every key answers, as much as its weight says.",
        ),
        Mistake(
            "plain-mean",
            lambda q, k, v, t: v.mean(0).expand(len(q), -1),
            "You take the plain mean of the values: every query gets the same answer, so the weights are not used.",
        ),
        Mistake(
            "value-normalised",
            lambda q, k, v, t: _weights(q, k, t) @ torch.softmax(v, -1),
            "You put the values through a softmax too; only scores become weights, and values are mixed as they are.",
        ),
        Mistake(
            "weights-returned",
            lambda q, k, v, t: _weights(q, k, t),
            "You return the weights; one step is missing, in which they mix the values.",
        ),
        Mistake(
            "both-returned",
            lambda q, k, v, t: (_weights(q, k, t) @ v, _weights(q, k, t)),
            "You return context and weights together, as `attend` does; here the context alone is asked for.",
        ),
        Mistake(
            "scaled",
            lambda q, k, v, t: _weights(q, k, t * math.sqrt(q.shape[-1])) @ v,
            "You also divide by the root of the size, like a scaled dot product; here the temperature does that work.",
        ),
    ],
    properties=[
        Property(
            "every fact of the context must lie between the smallest and the largest such fact of the values",
            lambda case, out: bool((out >= case[2].amin(0) - 1e-4).all() and (out <= case[2].amax(0) + 1e-4).all()),
        )
    ],
)


# 1.2 temperature ------------------------------------------------------------------------------------------------------
def _temperature_truth() -> dict:
    scores = torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64)
    tied = torch.tensor([2.0, 2.0, 0.0], dtype=torch.float64)
    half = torch.softmax(scores / 0.5, 0)
    return {
        "cold": torch.softmax(scores / 1e-4, 0)[0].item(),
        "hot": torch.softmax(scores / 1e6, 0)[0].item(),
        "cold tie": torch.softmax(tied / 1e-4, 0)[0].item(),
        "ratio": (half[0] / half[1]).item(),
        "shift changes": not torch.allclose(torch.softmax(scores + 10, 0), torch.softmax(scores, 0)),
        "order changes": bool((torch.softmax(scores / 5, 0).argsort() != scores.argsort()).any()),
    }


TEMPERATURE = Prediction(
    "1.2",
    "What temperature does",
    truth=_temperature_truth,
    mistakes=[
        Mistake(
            "swapped",
            {"cold": 1 / 3, "hot": 1.0},
            "You have cold and hot the wrong way round: scores are divided by the temperature, so a small one pulls "
            "them apart.",
        ),
        Mistake(
            "hot-takes-one",
            {"hot": 1.0},
            "You let heat pull the scores apart; dividing by an enormous number brings all of them close to 0.",
        ),
        Mistake(
            "cold-as-it-was",
            {"cold": 0.66524},
            "You left the scores as they are; in the cold they are divided by almost 0, and their differences grow.",
        ),
        Mistake(
            "hot-is-zero",
            {"hot": 0.0},
            "You let the weights vanish in the heat; they still sum to 1, so what is left for each of three goods?",
        ),
        Mistake(
            "tie-takes-one",
            {"cold tie": 1.0},
            "You let one of two equal goods win; softmax cannot tell equal scores apart, however cold it is.",
        ),
        Mistake(
            "ratio-of-scores",
            {"ratio": 2.0},
            "You divided the scores; weights go with the exponentials of the scores, so their difference counts.",
        ),
        Mistake(
            "ratio-multiplied",
            {"ratio": math.exp(0.5)},
            "You multiplied the difference of the scores by the temperature; divide by it.",
        ),
        Mistake(
            "ratio-without-temperature",
            {"ratio": math.e},
            "You left the temperature out of the ratio: divide the difference of the scores by it first.",
        ),
        Mistake(
            "shift-matters",
            {"shift changes": True},
            "You expect a shift to matter; but the same factor appears above and below the fraction, so it cancels.",
        ),
        Mistake(
            "order-changes",
            {"order changes": True},
            "You expect heat to change the order; dividing all scores by one positive number keeps the larger larger.",
        ),
    ],
)

# 1.3 convex hull ------------------------------------------------------------------------------------------------------
CORNERS = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]], dtype=torch.float64)  # (good, fact)
TARGET = torch.tensor([1.0, 2.0], dtype=torch.float64)


def _vector(numbers) -> Tensor:
    return torch.as_tensor(numbers, dtype=torch.float64).flatten()


def _is_outside(point: Tensor) -> bool:
    return bool((point < -1e-6).any() or point.sum() > 4 + 1e-6)


def _separates(point: Tensor, direction: Tensor) -> bool:
    return bool((CORNERS @ direction).max() < point @ direction - 1e-9)


def _numbers_of(part) -> int:
    """How many numbers a part of the answer holds; 0 where there are none."""
    try:
        return torch.as_tensor(part, dtype=torch.float64).numel()
    except (TypeError, ValueError, RuntimeError):
        return 0


def _is_complete(answer) -> bool:
    return isinstance(answer, tuple | list) and [_numbers_of(part) for part in answer] == [3, 2, 2]


HULL = Witness(
    "1.3",
    "Leave the goods behind, if you can",
    requirements=[
        Requirement(
            "complete",
            _is_complete,
            "Something is missing: the check needs 3 weights, a point of 2 numbers and a direction of 2 numbers.",
        ),
        Requirement(
            "not-negative",
            lambda answer: bool((_vector(answer[0]) >= -1e-6).all()),
            "One of your weights is negative; softmax never gives that.",
        ),
        Requirement(
            "sum-to-one",
            lambda answer: abs(_vector(answer[0]).sum().item() - 1) < 1e-4,
            "Your weights do not sum to 1, so they are not what a softmax gives.",
        ),
        Requirement(
            "reaches-the-target",
            lambda answer: torch.allclose(_vector(answer[0]) @ CORNERS, TARGET, atol=1e-3),
            "Your weights are weights, but their blend is not (1, 2): write down what each fact of the blend asks for.",
        ),
        Requirement(
            "outside",
            lambda answer: _is_outside(_vector(answer[1])),
            "Some weights do reach the point that you call out of reach: it lies in the triangle, or on its edge.",
        ),
        Requirement(
            "separates",
            lambda answer: _separates(_vector(answer[1]), _vector(answer[2])),
            "Your direction proves nothing yet: along it, some good lies as far as your point, or further.",
        ),
    ],
)

# 1.4 where the story breaks -------------------------------------------------------------------------------------------
SEARCH_TEMPERATURE = 0.2


def nearest_to_blend(query: str) -> tuple[str, float, float]:
    """The good nearest to a query's blend in standardised facts: its name, its weight, and its distance.

    The engine is the clerk's table with the dot product at temperature 0.2. Raises ValueError for unknown words.
    """
    value = shop.values()
    weights = torch.softmax(shop.counts([query]) @ shop.word_table() @ shop.keys().T / SEARCH_TEMPERATURE, -1)[0]
    distance = ((value - weights @ value) / value.std(dim=0)).norm(dim=-1)
    place = int(distance.argmin())
    return shop.NAMES[place], weights[place].item(), distance[place].item()


def _readable(query) -> bool:
    try:
        return any(word in shop.NOUNS for word in shop.read(query))
    except (ValueError, AttributeError):
        return False


BROKEN_STORY = Witness(
    "1.4",
    "Where the story breaks",
    requirements=[
        Requirement(
            "two-texts",
            lambda answer: (
                isinstance(answer, tuple | list) and len(answer) == 2 and all(isinstance(part, str) for part in answer)
            ),
            'Your answer should be two texts, the query and the name of the good: `found = ("…", "…")`.',
        ),
        Requirement(
            "readable",
            lambda answer: _readable(answer[0]),
            "The clerk's table has nothing for your query: use at least one of the nouns that it describes.",
        ),
        Requirement(
            "named",
            lambda answer: nearest_to_blend(answer[0])[0] == answer[1].lower().strip(),
            "The good that you name is not the nearest to this blend: compare all three facts, each divided by its "
            "standard deviation over the shop.",
        ),
        Requirement(
            "unwanted",
            lambda answer: nearest_to_blend(answer[0])[1] < 0.001,
            "The nearest good has a fair weight, so the story holds for this query: look for one that blends goods of "
            "different kinds.",
        ),
        Requirement(
            "close",
            lambda answer: nearest_to_blend(answer[0])[2] < 0.15,
            "Nobody would take your blend for that good, because it is too far away: try more queries, by a loop.",
        ),
    ],
)


# 1.5 kernel regression ------------------------------------------------------------------------------------------------
def _draw_points(generator: torch.Generator) -> list[tuple]:
    def case(queries, keys, width):
        return (
            torch.rand(queries, generator=generator) * 4,
            torch.rand(keys, generator=generator) * 4,
            torch.randn(keys, generator=generator) * 3 + 5,
            width,
        )

    return [case(3, 7, 0.6), case(6, 5, 1.7)]


def _kernel_by_hand(x, x_seen, y_seen, width):
    predicted = []
    for place in x.tolist():
        near = [math.exp(-((place - seen) ** 2) / (2 * width**2)) for seen in x_seen.tolist()]
        predicted.append(sum(a * b for a, b in zip(near, y_seen.tolist(), strict=True)) / sum(near))
    return torch.tensor(predicted)


def _kernel(score, dim=-1):
    """A kernel regression with another score: score(distance, width)."""
    return lambda x, x_seen, y_seen, width: torch.softmax(score(x[:, None] - x_seen, width), dim) @ y_seen


KERNEL = Exercise(
    "1.5",
    "Kernel regression is attention",
    oracle=_kernel_by_hand,
    inputs=_draw_points,
    mistakes=[
        Mistake(
            "no-two",
            _kernel(lambda d, w: -(d**2) / w**2),
            "You left out the 2 in the denominator, so your kernel is narrower than its width says.",
        ),
        Mistake(
            "width-not-squared",
            _kernel(lambda d, w: -(d**2) / (2 * w)),
            "You divide by the width itself; a squared distance needs a squared width.",
        ),
        Mistake(
            "distance-not-squared",
            _kernel(lambda d, w: -d.abs() / (2 * w**2)),
            "You use the distance itself; this kernel squares it.",
        ),
        Mistake(
            "sign",
            _kernel(lambda d, w: d**2 / (2 * w**2)),
            "Your sign is turned round: far points count most, when near ones should.",
        ),
        Mistake(
            "over-queries",
            _kernel(lambda d, w: -(d**2) / (2 * w**2), dim=0),
            "You normalised over the queries: for each query the weights of the points seen must sum to 1.",
        ),
        Mistake(
            "not-normalised",
            lambda x, x_seen, y_seen, w: torch.exp(-((x[:, None] - x_seen) ** 2) / (2 * w**2)) @ y_seen,
            "You sum the values times the kernel without dividing by the sum of the kernel, so crowds count double.",
        ),
        Mistake(
            "multiplied",
            _kernel(lambda d, w: -(d**2) / 2 * w**2),
            "You multiply by the squared width: in Python a / 2 * b is (a / 2) * b, so the denominator needs "
            "parentheses.",
        ),
        Mistake(
            "two-squared",
            _kernel(lambda d, w: -(d**2) / (2 * w) ** 2),
            "You squared the 2 along with the width: only the width is squared.",
        ),
        Mistake(
            "no-width",
            _kernel(lambda d, w: -(d**2)),
            "Your prediction does not depend on the width: divide the squared distance by twice its square.",
        ),
        Mistake(
            "mean-of-all",
            lambda x, x_seen, y_seen, w: y_seen.mean().expand(len(x)),
            "You take the plain mean of all values: near points should count more than far ones.",
        ),
    ],
    properties=[
        Property(
            "a prediction must lie between the smallest and the largest value seen",
            lambda case, out: bool(((out >= case[2].min() - 1e-4) & (out <= case[2].max() + 1e-4)).all()),
        )
    ],
)


# 1.6 mean reciprocal rank ---------------------------------------------------------------------------------------------
def _draw_rankings(generator: torch.Generator) -> list[tuple]:
    return [
        (torch.randn(queries, goods, generator=generator), torch.randint(goods, (queries,), generator=generator))
        for queries, goods in [(6, 9), (4, 11), (8, 5)]
    ]


def _ranks(scores: Tensor, wanted: Tensor, descending: bool = True) -> Tensor:
    """The rank of each wanted good, from 1, by searching the sorted list for it."""
    order = scores.argsort(dim=-1, descending=descending).tolist()
    return torch.tensor([row.index(good) + 1.0 for row, good in zip(order, wanted.tolist(), strict=True)])


RECIPROCAL_RANK = Exercise(
    "1.6",
    "Mean reciprocal rank",
    oracle=lambda scores, wanted: (1 / _ranks(scores, wanted)).mean(),
    inputs=_draw_rankings,
    mistakes=[
        Mistake(
            "ranks-from-zero",
            lambda scores, wanted: (1 / (_ranks(scores, wanted) - 1)).mean(),
            "Your ranks start at 0, so the best place divides by zero; the first place is rank 1.",
        ),
        Mistake(
            "ascending",
            lambda scores, wanted: (1 / _ranks(scores, wanted, descending=False)).mean(),
            "You count from the worst score up; rank 1 belongs to the largest score.",
        ),
        Mistake(
            "argsort-is-not-rank",
            lambda scores, wanted: (
                1 / (scores.argsort(dim=-1, descending=True).gather(1, wanted[:, None])[:, 0] + 1.0)
            ).mean(),
            "You read argsort at the good's number; it says which good stands at a place, and you need the place at "
            "which a good stands.",
        ),
        Mistake(
            "mean-of-ranks",
            lambda scores, wanted: _ranks(scores, wanted).mean(),
            "You averaged the ranks; take the reciprocal of each rank first.",
        ),
        Mistake(
            "reciprocal-of-mean",
            lambda scores, wanted: 1 / _ranks(scores, wanted).mean(),
            "You took the reciprocal of the mean rank; first the reciprocal of each rank, then the mean.",
        ),
        Mistake(
            "not-averaged",
            lambda scores, wanted: 1 / _ranks(scores, wanted),
            "You return a number for each query; the measure is their mean.",
        ),
        Mistake(
            "summed",
            lambda scores, wanted: (1 / _ranks(scores, wanted)).sum(),
            "You added the reciprocals up; divide by the number of queries, so that 1 is the best possible.",
        ),
        Mistake(
            "only-the-first",
            lambda scores, wanted: (scores.argmax(-1) == wanted).float().mean(),
            "You count first places alone; a good in second place still earns 1 / 2.",
        ),
    ],
)

EXERCISES = [SOFT_LOOKUP, TEMPERATURE, HULL, BROKEN_STORY, KERNEL, RECIPROCAL_RANK]
