"""Answers to the exercises of lesson 01 in other styles than the bank's: right ones, and each known mistake."""

import math

import torch

from course_utils.data import shop


def lookup_by_loop(query, key, value, temperature):
    rows = []
    for one in query:
        likeness = [math.exp(float(torch.dot(one, other)) / temperature) for other in key]
        mixed = sum(like * row for like, row in zip(likeness, value, strict=True))
        rows.append(mixed / sum(likeness))
    return torch.stack(rows)


def lookup_by_einsum(query, key, value, temperature):
    scores = torch.einsum("qd,kd->qk", query, key).div(temperature)
    weights = scores.softmax(-1)
    return torch.einsum("qk,kv->qv", weights, value)


def _shares(scores, over):
    powers = torch.exp(scores - scores.amax(over, keepdim=True))
    return powers / powers.sum(over, keepdim=True)


def lookup_over_queries(query, key, value, temperature):
    return _shares(torch.inner(query, key) / temperature, 0).mm(value)


def lookup_without_temperature(query, key, value, temperature):
    return _shares(torch.inner(query, key), 1).mm(value)


def lookup_multiplied(query, key, value, temperature):
    return _shares(torch.inner(query * temperature, key), 1).mm(value)


def lookup_after_softmax(query, key, value, temperature):
    return _shares(torch.inner(query, key), 1).mm(value) / temperature


def lookup_not_normalised(query, key, value, temperature):
    return torch.stack(
        [sum(math.exp(float(q @ k) / temperature) * v for k, v in zip(key, value, strict=True)) for q in query]
    )


def lookup_hard(query, key, value, temperature):
    return torch.stack([max(zip(key, value, strict=True), key=lambda pair: float(q @ pair[0]))[1] for q in query])


def lookup_plain_mean(query, key, value, temperature):
    return torch.ones(len(query), len(key)).div(len(key)).mm(value)


def lookup_value_normalised(query, key, value, temperature):
    return _shares(torch.inner(query, key) / temperature, 1).mm(_shares(value, 1))


def lookup_weights(query, key, value, temperature):
    return _shares(torch.inner(query, key) / temperature, 1)


def lookup_scaled(query, key, value, temperature):
    return _shares(torch.inner(query, key) / temperature / query.size(1) ** 0.5, 1).mm(value)


def _looked_up(scores):
    def lookup(query, key, value, temperature):
        return _shares(scores(query, key, temperature), 1).mm(value)

    return lookup


def lookup_without_softmax(query, key, value, temperature):
    return torch.inner(query, key).div(temperature).mm(value)


def lookup_by_shares(query, key, value, temperature):
    scores = torch.einsum("qd,kd->qk", query, key) / temperature
    return torch.einsum("qk,kv->qv", scores / scores.sum(1)[:, None], value)


def lookup_over_all(query, key, value, temperature):
    powers = (torch.inner(query, key) / temperature).exp()
    return (powers / powers.sum()).mm(value)


def lookup_flattened(query, key, value, temperature):
    return _shares(lookup_weights(query, key, value, temperature), 1).mm(value)


def lookup_of_keys(query, key, value, temperature):
    return lookup_weights(query, key, value, temperature).mm(key)


def _lengths(rows):
    return rows.square().sum(1).sqrt()


def distances(query, key, temperature):
    return -(query[:, None] - key[None]).square().sum(-1).sqrt() / temperature


def cosines(query, key, temperature):
    return torch.inner(query, key) / _lengths(query)[:, None] / _lengths(key) / temperature


TEMPERATURE = {
    "cold": 1,
    "hot": 0.3333,
    "cold tie": 0.5,
    "ratio": 7.389,
    "shift changes": False,
    "order changes": False,
}
EXACT = TEMPERATURE | {"cold": 1.0, "hot": 1 / 3, "ratio": math.e**2}


def kernel_by_loop(x, x_seen, y_seen, width):
    out = torch.empty_like(x)
    for place, query in enumerate(x):
        near = torch.exp(-0.5 * ((query - x_seen) / width).square())
        out[place] = (near * y_seen).sum() / near.sum()
    return out


def kernel_by_broadcast(x, x_seen, y_seen, width):
    scaled = (x.unsqueeze(1) - x_seen.unsqueeze(0)) / width
    return (scaled.pow(2).div(-2).softmax(1) * y_seen).sum(1)


def _nadaraya(nearness):
    def predict(x, x_seen, y_seen, width):
        near = nearness(x[:, None], x_seen[None, :], width)
        return (near * y_seen).sum(1) / near.sum(1)

    return predict


def kernel_over_queries(x, x_seen, y_seen, width):
    near = torch.exp(-0.5 * ((x[:, None] - x_seen) / width).square())
    return (near / near.sum(0) * y_seen).sum(1)


def kernel_not_normalised(x, x_seen, y_seen, width):
    return torch.stack([(torch.exp(-0.5 * ((one - x_seen) / width).square()) * y_seen).sum() for one in x])


def kernel_nearest(x, x_seen, y_seen, width):
    return torch.stack([y_seen[int((one - x_seen).square().argmin())] for one in x])


def _gauss(x, x_seen, width):
    return torch.exp(-0.5 * ((x[:, None] - x_seen) / width).square())


def kernel_of_points(x, x_seen, y_seen, width):
    near = _gauss(x, x_seen, width)
    return (near * x_seen).sum(1) / near.sum(1)


def kernel_unsummed(x, x_seen, y_seen, width):
    near = _gauss(x, x_seen, width)
    return near / near.sum(1)[:, None] * y_seen


def kernel_as_density(x, x_seen, y_seen, width):
    normal = torch.distributions.Normal(x_seen, width)
    return torch.stack([(normal.log_prob(one).exp() * y_seen).sum() for one in x])


def kernel_averaged(x, x_seen, y_seen, width):
    return (_gauss(x, x_seen, width) * y_seen).sum(1) / len(x_seen)


def reciprocal_by_counting(scores, wanted):
    own = scores[torch.arange(len(scores)), wanted]
    return (1 / ((scores > own[:, None]).sum(1) + 1)).mean()


def reciprocal_by_loop(scores, wanted):
    total = 0.0
    for row, good in zip(scores.tolist(), wanted.tolist(), strict=True):
        total += 1 / (sorted(row, reverse=True).index(row[good]) + 1)
    return total / len(scores)


def _better(scores, wanted):
    return (scores > scores.gather(1, wanted[:, None])).sum(1).float()


def reciprocal_from_zero(scores, wanted):
    return _better(scores, wanted).reciprocal().mean()


def reciprocal_ascending(scores, wanted):
    return (_better(-scores, wanted) + 1).reciprocal().mean()


def reciprocal_argsort(scores, wanted):
    order = torch.sort(scores, dim=1, descending=True).indices
    return sum(1 / (int(order[row, good]) + 1) for row, good in enumerate(wanted)) / len(wanted)


def reciprocal_across(scores, wanted):
    own = scores[torch.arange(len(scores)), wanted]
    better = (scores > own[:, None]).float().sum(0)
    return (better + 1).reciprocal().mean()


def reciprocal_returned_early(scores, wanted):
    total = 0.0
    for row, good in zip(scores, wanted, strict=True):
        total += 1 / (1 + int((row > row[good]).sum()))
        return torch.tensor(total / len(scores))


def lookup_by_the_kernel(query, key, value, temperature):
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=1 / temperature)


WORDED = {**EXACT, "cold": "1", "hot": "1/3", "cold tie": "1/2", "shift changes": "no", "order changes": "No"}


def kernel_by_a_matrix(x, x_seen, y_seen, width):
    distance = torch.cdist(x[:, None], x_seen[:, None])
    likelihood = torch.distributions.Normal(0.0, width).log_prob(distance)  # but for a number that all keys share
    return torch.einsum("qk,k->q", likelihood.softmax(1), y_seen)


def reciprocal_by_sorting(scores, wanted):
    places = scores.argsort(dim=1, descending=True).tolist()
    return sum(1 / (1 + row.index(good)) for row, good in zip(places, wanted.tolist(), strict=True)) / len(wanted)


RIGHT = {
    "1.1": [lookup_by_loop, lookup_by_einsum, lookup_by_the_kernel],
    "1.2": [TEMPERATURE, EXACT, WORDED],
    "1.3": [
        ([0.25, 0.25, 0.5], (3, 3), (1, 1)),
        (torch.tensor([0.25, 0.25, 0.5]), torch.tensor([-1.0, 2]), [-1, 0]),
        [(1 / 4, 1 / 4, 1 / 2), [0, 4.5], torch.tensor([0.5, 2])],
    ],
    "1.4": [
        ("notebook and pen", "Headphones"),
        ("pen or book", "laptop sleeve"),
        ["pen and book", "chef’s knife"],  # within the limits, and not the nearest
        ("笔记本和笔", "耳机"),
    ],
    "1.5": [kernel_by_loop, kernel_by_broadcast, kernel_by_a_matrix],
    "1.6": [reciprocal_by_counting, reciprocal_by_loop, reciprocal_by_sorting],
}
WRONG = {
    "1.1": {
        "over-queries": [lookup_over_queries],
        "no-temperature": [lookup_without_temperature],
        "multiplied": [lookup_multiplied],
        "after-softmax": [lookup_after_softmax],
        "not-normalised": [lookup_not_normalised],
        "hard": [lookup_hard],
        "plain-mean": [lookup_plain_mean],
        "value-normalised": [lookup_value_normalised],
        "weights-returned": [lookup_weights],
        "both-returned": [lambda *case: (lookup_by_loop(*case), lookup_weights(*case))],
        "scaled": [lookup_scaled],
        "root-in-its-place": [
            _looked_up(lambda query, key, temperature: torch.inner(query, key) * key.size(1) ** -0.5)
        ],
        "root-of-the-temperature": [
            _looked_up(lambda query, key, temperature: torch.inner(query, key) * temperature**-0.5)
        ],
        "temperature-squared": [
            _looked_up(lambda query, key, temperature: torch.inner(query / temperature, key / temperature))
        ],
        "no-softmax": [lookup_without_softmax],
        "shares-of-the-scores": [lookup_by_shares],
        "over-everything": [lookup_over_all],
        "softmax-twice": [lookup_flattened],
        "keys-mixed": [lookup_of_keys],
        "by-distance": [_looked_up(distances)],
        "cosine": [_looked_up(cosines)],
    },
    "1.2": {
        "swapped": [EXACT | {"cold": 0.333, "hot": 1}],
        "hot-takes-one": [EXACT | {"hot": 1}],
        "cold-as-it-was": [TEMPERATURE | {"cold": 0.665}],
        "hot-is-zero": [TEMPERATURE | {"hot": 0}],
        "tie-takes-one": [EXACT | {"cold tie": 1}],
        "ratio-of-scores": [EXACT | {"ratio": 2}],
        "ratio-multiplied": [EXACT | {"ratio": 1.6487}],
        "ratio-without-temperature": [EXACT | {"ratio": 2.718}],
        "shift-matters": [EXACT | {"shift changes": True}],
        "order-changes": [EXACT | {"order changes": True}],
        "hot-as-it-was": [EXACT | {"hot": 0.665}],
        "cold-is-zero": [EXACT | {"cold": 0}],
        "tie-as-it-was": [EXACT | {"cold tie": 0.468}],
        "tie-of-three": [EXACT | {"cold tie": 0.333}],
        "ratio-turned-round": [EXACT | {"ratio": 0.135}],
        "ratio-of-a-quarter": [EXACT | {"ratio": 54.598}],
    },
    "1.3": {
        "complete": [
            ([0.25, 0.25, 0.5], (3, 3), ...),
            ([0.5, 0.5], (3, 3), (1, 1)),
            ([0.25, 0.25, 0.5], (3, 3)),
            ((3, 3), [0.25, 0.25, 0.5], (1, 1)),
            "(3, 3)",
        ],
        "not-negative": [([-0.25, 0.5, 0.75], (3, 3), (1, 1))],
        "sum-to-one": [([0.5, 0.25, 0.5], (3, 3), (1, 1))],
        "reaches-the-target": [([0.25, 0.5, 0.25], (3, 3), (1, 1))],
        "outside": [([0.25, 0.25, 0.5], (2, 1), (1, 1)), ([0.25, 0.25, 0.5], (2, 2), (1, 1))],
        "turned-round": [([0.25, 0.25, 0.5], (3, 3), (-1, -1)), ([0.25, 0.25, 0.5], (-1, 1), [1, 0])],
        "separates": [([0.25, 0.25, 0.5], (3, 3), (1, 0)), ([0.25, 0.25, 0.5], (3, 3), (0, 0))],
    },
    "1.4": {
        "two-texts": ["notebook and pen", (7, "laptop"), ("notebook and pen", ...), ("notebook and pen", 8)],
        "readable": [("for school", "laptop"), ("xyzzy", "laptop")],
        "swapped": [("headphones", "notebook and pen"), ("tablet", "notebook")],
        "known": [("notebook and pen", "flying carpet"), ("notebook and pen", "headphone")],
        "unwanted": [("notebook", "tablet"), ("notebook and pen", "laptop")],
        "close": [("pen", "wool hat")],
    },
    "1.5": {
        "no-two": [_nadaraya(lambda a, b, w: torch.exp(-(((a - b) / w) ** 2)))],
        "width-not-squared": [_nadaraya(lambda a, b, w: torch.exp(-0.5 * (a - b) ** 2 / w))],
        "distance-not-squared": [_nadaraya(lambda a, b, w: torch.exp(-0.5 * torch.abs(a - b) / w / w))],
        "sign": [_nadaraya(lambda a, b, w: torch.exp(0.5 * ((a - b) / w) ** 2))],
        "over-queries": [kernel_over_queries],
        "not-normalised": [kernel_not_normalised],
        "multiplied": [_nadaraya(lambda a, b, w: torch.exp(-0.5 * ((a - b) * w) ** 2))],
        "two-squared": [_nadaraya(lambda a, b, w: torch.exp(-(((a - b) / (2 * w)) ** 2)))],
        "no-width": [_nadaraya(lambda a, b, w: torch.exp(-((a - b) ** 2)))],
        "nearest-only": [kernel_nearest],
        "distance-over-width": [_nadaraya(lambda a, b, w: torch.exp(-torch.abs((a - b) / w)))],
        "width-to-the-fourth": [_nadaraya(lambda a, b, w: torch.exp(-0.5 * ((a - b) / w / w) ** 2))],
        "by-product": [_nadaraya(lambda a, b, w: torch.exp(0.5 * a * b / w / w))],
        "points-mixed": [kernel_of_points],
        "not-summed": [kernel_unsummed],
        "density": [kernel_as_density],
        "mean-of-products": [kernel_averaged],
        "mean-of-all": [lambda x, x_seen, y_seen, width: torch.full_like(x, float(y_seen.sum()) / len(y_seen))],
    },
    "1.6": {
        "ranks-from-zero": [reciprocal_from_zero],
        "ascending": [reciprocal_ascending],
        "argsort-is-not-rank": [reciprocal_argsort],
        "mean-of-ranks": [lambda scores, wanted: (_better(scores, wanted) + 1).mean()],
        "reciprocal-of-mean": [lambda scores, wanted: 1 / (_better(scores, wanted).mean() + 1)],
        "not-averaged": [lambda scores, wanted: (_better(scores, wanted) + 1).reciprocal()],
        "summed": [lambda scores, wanted: (_better(scores, wanted) + 1).reciprocal().sum()],
        "only-the-first": [lambda scores, wanted: (_better(scores, wanted) == 0).double().mean()],
        "counts-itself": [lambda scores, wanted: (_better(scores, wanted) + 2).reciprocal().mean()],
        "over-the-queries": [reciprocal_across],
        "discounted": [lambda scores, wanted: (math.log(2) / torch.log(_better(scores, wanted) + 2)).mean()],
        "best-query": [lambda scores, wanted: (_better(scores, wanted).min() + 1).reciprocal()],
        "first-query-only": [reciprocal_returned_early],
        "score-of-the-good": [lambda scores, wanted: scores[torch.arange(len(wanted)), wanted].sum() / len(wanted)],
    },
}
UNTOUCHED = {"1.2": [dict.fromkeys(TEMPERATURE, ...)]}
assert len(shop.GOODS) == 48  # the goods that 1.4 names were found in this catalogue
