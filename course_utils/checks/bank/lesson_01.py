"""Exercises of lesson 01, search: the soft lookup, temperature, the convex hull, blends, kernels, rankings."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checks.bank.parts import as_double, draw
from course_utils.checks.forms import predict, prove, write
from course_utils.data import shop

# 1.1 Soft lookup.


def _draw_searches(generator: torch.Generator) -> list[tuple]:
    one, two = [(3, 4), (5, 4), (5, 2)], [(2, 6), (7, 6), (7, 4)]  # query, key, value
    return [(*draw(generator, *one), 0.3), (*draw(generator, *two), 2.5)]


def _weights(query, key, temperature, dim=-1):
    return torch.softmax(query @ key.T / temperature, dim)


SOFT_LOOKUP = write(
    "1.1",
    oracle=lambda query, key, value, temperature: F.scaled_dot_product_attention(
        query[None], key[None], value[None], scale=1 / temperature
    )[0],
    inputs=_draw_searches,
    mistakes={
        "over-queries": lambda q, k, v, t: _weights(q, k, t, dim=0) @ v,
        "no-temperature": lambda q, k, v, t: _weights(q, k, 1) @ v,
        "multiplied": lambda q, k, v, t: _weights(q, k, 1 / t) @ v,
        "after-softmax": lambda q, k, v, t: _weights(q, k, 1) / t @ v,
        "not-normalised": lambda q, k, v, t: torch.exp(q @ k.T / t) @ v,
        "hard": lambda q, k, v, t: v[(q @ k.T).argmax(-1)],
        "plain-mean": lambda q, k, v, t: v.mean(0).expand(len(q), -1),
        "value-normalised": lambda q, k, v, t: _weights(q, k, t) @ torch.softmax(v, -1),
        "weights-returned": lambda q, k, v, t: _weights(q, k, t),
        "both-returned": lambda q, k, v, t: (_weights(q, k, t) @ v, _weights(q, k, t)),
        "scaled": lambda q, k, v, t: _weights(q, k, t * math.sqrt(q.shape[-1])) @ v,
        "root-in-its-place": lambda q, k, v, t: _weights(q, k, math.sqrt(q.shape[-1])) @ v,
        "root-of-the-temperature": lambda q, k, v, t: _weights(q, k, math.sqrt(t)) @ v,
        "temperature-squared": lambda q, k, v, t: _weights(q, k, t**2) @ v,
        "no-softmax": lambda q, k, v, t: q @ k.T / t @ v,
        "shares-of-the-scores": lambda q, k, v, t: q @ k.T / (q @ k.T).sum(-1, keepdim=True) @ v,
        "over-everything": lambda q, k, v, t: torch.softmax((q @ k.T / t).flatten(), 0).view(len(q), len(k)) @ v,
        "softmax-twice": lambda q, k, v, t: torch.softmax(_weights(q, k, t), -1) @ v,
        "keys-mixed": lambda q, k, v, t: _weights(q, k, t) @ k,
        "by-distance": lambda q, k, v, t: torch.softmax(-torch.cdist(q, k) / t, -1) @ v,
        "cosine": lambda q, k, v, t: _weights(F.normalize(q, dim=-1), F.normalize(k, dim=-1), t) @ v,
    },
    properties={
        "within-the-values": lambda case, out: bool(
            (out >= case[2].amin(0) - 1e-4).all() and (out <= case[2].amax(0) + 1e-4).all()
        ),
    },
)


# 1.2 Temperature.


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


TEMPERATURE = predict(
    "1.2",
    truth=_temperature_truth,
    mistakes={
        "swapped": {"cold": 1 / 3, "hot": 1.0},
        "hot-takes-one": {"hot": 1.0},
        "cold-as-it-was": {"cold": 0.66524},
        "hot-is-zero": {"hot": 0.0},
        "tie-takes-one": {"cold tie": 1.0},
        "ratio-of-scores": {"ratio": 2.0},
        "ratio-multiplied": {"ratio": math.exp(0.5)},
        "ratio-without-temperature": {"ratio": math.e},
        "shift-matters": {"shift changes": True},
        "order-changes": {"order changes": True},
        "hot-as-it-was": {"hot": 0.66524},
        "cold-is-zero": {"cold": 0.0},
        "tie-as-it-was": {"cold tie": 0.4683},
        "tie-of-three": {"cold tie": 1 / 3},
        "ratio-turned-round": {"ratio": math.exp(-2)},
        "ratio-of-a-quarter": {"ratio": math.exp(4)},
    },
)


# 1.3 Convex hull.


CORNERS = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]], dtype=torch.float64)  # (good, fact)
TARGET = torch.tensor([1.0, 2.0], dtype=torch.float64)


def _vector(numbers) -> Tensor:
    return as_double(numbers).flatten()


def _is_outside(point: Tensor) -> bool:
    return bool((point < -1e-6).any() or point.sum() > 4 + 1e-6)


def _separates(point: Tensor, direction: Tensor) -> bool:
    return bool((CORNERS @ direction).max() < point @ direction - 1e-9)


def _numbers_of(part) -> int:
    """How many numbers a part of the answer holds; 0 where there are none."""
    try:
        return as_double(part).numel()
    except (TypeError, ValueError, RuntimeError):
        return 0


def _is_complete(answer) -> bool:
    return isinstance(answer, tuple | list) and [_numbers_of(part) for part in answer] == [3, 2, 2]


HULL = prove(
    "1.3",
    requirements={
        "complete": _is_complete,
        "not-negative": lambda answer: bool((_vector(answer[0]) >= -1e-6).all()),
        "sum-to-one": lambda answer: abs(_vector(answer[0]).sum().item() - 1) < 1e-4,
        "reaches-the-target": lambda answer: torch.allclose(_vector(answer[0]) @ CORNERS, TARGET, atol=1e-3),
        "outside": lambda answer: _is_outside(_vector(answer[1])),
        "turned-round": lambda answer: not _separates(_vector(answer[1]), -_vector(answer[2])),
        "separates": lambda answer: _separates(_vector(answer[1]), _vector(answer[2])),
    },
)


# 1.4 Where the story breaks.


SEARCH_TEMPERATURE = 0.2


def _place(good: str) -> int | None:
    """The row of a good in the catalogue, by its English or its Chinese name; None where there is none."""
    said = good.lower().strip().replace("’", "'")
    return next((row for row, one in enumerate(shop.GOODS) if said in (one.name, one.chinese)), None)


def blend_and_good(query: str, good: str) -> tuple[float, float]:
    """How much weight a good has in the blend of a query, and how far from it the blend lies, in standardised facts.

    The search is the clerk's table with the dot product at temperature 0.2. Raises ValueError for unknown words.
    """
    value, place = shop.values(), _place(good)
    weights = torch.softmax(shop.counts([query]) @ shop.word_table() @ shop.keys().T / SEARCH_TEMPERATURE, -1)[0]
    distance = ((value - weights @ value) / value.std(dim=0)).norm(dim=-1)
    return weights[place].item(), distance[place].item()


def _readable(query: str) -> bool:
    try:
        return any(word in shop.NOUNS for word in shop.read(query))
    except ValueError:
        return False


BROKEN_STORY = prove(
    "1.4",
    requirements={
        "two-texts": lambda answer: (
            isinstance(answer, tuple | list) and len(answer) == 2 and all(isinstance(part, str) for part in answer)
        ),
        "swapped": lambda answer: _readable(answer[0]) or _place(answer[0]) is None or not _readable(answer[1]),
        "readable": lambda answer: _readable(answer[0]),
        "known": lambda answer: _place(answer[1]) is not None,
        "unwanted": lambda answer: blend_and_good(*answer)[0] < 0.001,
        "close": lambda answer: blend_and_good(*answer)[1] < 0.15,
    },
)


# 1.5 Kernel regression.


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


KERNEL = write(
    "1.5",
    oracle=_kernel_by_hand,
    inputs=_draw_points,
    mistakes={
        "no-two": _kernel(lambda d, w: -(d**2) / w**2),
        "width-not-squared": _kernel(lambda d, w: -(d**2) / (2 * w)),
        "distance-not-squared": _kernel(lambda d, w: -d.abs() / (2 * w**2)),
        "sign": _kernel(lambda d, w: d**2 / (2 * w**2)),
        "over-queries": _kernel(lambda d, w: -(d**2) / (2 * w**2), dim=0),
        "not-normalised": lambda x, x_seen, y_seen, w: torch.exp(-((x[:, None] - x_seen) ** 2) / (2 * w**2)) @ y_seen,
        "multiplied": _kernel(lambda d, w: -(d**2) / 2 * w**2),
        "two-squared": _kernel(lambda d, w: -(d**2) / (2 * w) ** 2),
        "no-width": _kernel(lambda d, w: -(d**2)),
        "mean-of-all": lambda x, x_seen, y_seen, w: y_seen.mean().expand(len(x)),
        "nearest-only": lambda x, x_seen, y_seen, w: y_seen[(x[:, None] - x_seen).abs().argmin(-1)],
        "distance-over-width": _kernel(lambda d, w: -d.abs() / w),
        "width-to-the-fourth": _kernel(lambda d, w: -(d**2) / (2 * w**4)),
        "by-product": lambda x, x_seen, y_seen, w: torch.softmax(x[:, None] * x_seen / (2 * w**2), -1) @ y_seen,
        "points-mixed": lambda x, x_seen, y_seen, w: (
            torch.softmax(-((x[:, None] - x_seen) ** 2) / (2 * w**2), -1) @ x_seen
        ),
        "not-summed": lambda x, x_seen, y_seen, w: (
            torch.softmax(-((x[:, None] - x_seen) ** 2) / (2 * w**2), -1) * y_seen
        ),
        "density": lambda x, x_seen, y_seen, w: (
            torch.exp(-((x[:, None] - x_seen) ** 2) / (2 * w**2)) / (w * math.sqrt(2 * math.pi)) @ y_seen
        ),
        "mean-of-products": lambda x, x_seen, y_seen, w: (
            torch.exp(-((x[:, None] - x_seen) ** 2) / (2 * w**2)) * y_seen
        ).mean(-1),
    },
    properties={
        "within-the-values": lambda case, out: bool(
            ((out >= case[2].min() - 1e-4) & (out <= case[2].max() + 1e-4)).all()
        ),
    },
)


# 1.6 Mean reciprocal rank.


def _draw_rankings(generator: torch.Generator) -> list[tuple]:
    return [
        (torch.randn(queries, goods, generator=generator), torch.randint(goods, (queries,), generator=generator))
        for queries, goods in [(6, 9), (4, 11), (8, 5)]
    ]


def _ranks(scores: Tensor, wanted: Tensor, descending: bool = True) -> Tensor:
    """The rank of each wanted good, from 1, by searching the sorted list for it."""
    order = scores.argsort(dim=-1, descending=descending).tolist()
    return torch.tensor([row.index(good) + 1.0 for row, good in zip(order, wanted.tolist(), strict=True)])


RECIPROCAL_RANK = write(
    "1.6",
    oracle=lambda scores, wanted: (1 / _ranks(scores, wanted)).mean(),
    inputs=_draw_rankings,
    mistakes={
        "ranks-from-zero": lambda scores, wanted: (1 / (_ranks(scores, wanted) - 1)).mean(),
        "ascending": lambda scores, wanted: (1 / _ranks(scores, wanted, descending=False)).mean(),
        "argsort-is-not-rank": lambda scores, wanted: (
            1 / (scores.argsort(dim=-1, descending=True).gather(1, wanted[:, None])[:, 0] + 1.0)
        ).mean(),
        "mean-of-ranks": lambda scores, wanted: _ranks(scores, wanted).mean(),
        "reciprocal-of-mean": lambda scores, wanted: 1 / _ranks(scores, wanted).mean(),
        "not-averaged": lambda scores, wanted: 1 / _ranks(scores, wanted),
        "summed": lambda scores, wanted: (1 / _ranks(scores, wanted)).sum(),
        "only-the-first": lambda scores, wanted: (scores.argmax(-1) == wanted).float().mean(),
        "counts-itself": lambda scores, wanted: (1 / (_ranks(scores, wanted) + 1)).mean(),
        "over-the-queries": lambda scores, wanted: (
            1 / (1 + (scores > scores.gather(1, wanted[:, None])).sum(0))
        ).mean(),
        "discounted": lambda scores, wanted: (1 / torch.log2(1 + _ranks(scores, wanted))).mean(),
        "best-query": lambda scores, wanted: (1 / _ranks(scores, wanted)).max(),
        "first-query-only": lambda scores, wanted: 1 / _ranks(scores, wanted)[0] / len(wanted),
        "score-of-the-good": lambda scores, wanted: scores.gather(1, wanted[:, None]).mean(),
    },
)

EXERCISES = [SOFT_LOOKUP, TEMPERATURE, HULL, BROKEN_STORY, KERNEL, RECIPROCAL_RANK]
