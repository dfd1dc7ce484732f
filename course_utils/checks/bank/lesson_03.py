"""The exercises of lesson 03: self-attention, two faults, a shuffle, tokens that look away, and two hard choices."""

import math

import torch
import torch.nn.functional as F

from course_utils.checks.forms import prove, write


def _softmax(scores):
    return torch.softmax(scores, dim=-1)


def _dot(query, key):
    return query @ key.transpose(-2, -1)


# 3.1


def _sources(generator):
    drawn = []
    for shape, size, value_size in [((2, 5, 6), 4, 3), ((7, 5), 3, 4)]:
        drawn.append([torch.randn(shape, generator=generator)])
        drawn[-1] += [torch.randn(shape[-1], to, generator=generator) for to in (size, size, value_size)]
    return [tuple(case) for case in drawn]


def _attend_with(divisor=None, source=None, swap=False, dim=-1, one=False):
    def answer(x, w_query, w_key, w_value):
        query, key, value = x @ w_query, x @ (w_query if one else w_key), x @ w_value
        if swap:
            query, key = key, query
        root = math.sqrt(query.shape[-1]) if divisor is None else divisor(x)
        return torch.softmax(_dot(query, key) / root, dim=dim) @ (value if source is None else x)

    return answer


def _context_and_weights(x, w_query, w_key, w_value):
    weights = _softmax(_scores(x @ w_query, x @ w_key))
    return weights @ (x @ w_value), weights


def _project_and_ask_pytorch(x, w_query, w_key, w_value):
    return F.scaled_dot_product_attention(x @ w_query, x @ w_key, x @ w_value)


SELF_ATTENTION = write(
    "3.1",
    oracle=_project_and_ask_pytorch,
    inputs=_sources,
    mistakes={
        "no-root": _attend_with(divisor=lambda x: 1.0),
        "root-of-the-input": _attend_with(divisor=lambda x: math.sqrt(x.shape[-1])),
        "over-queries": _attend_with(dim=-2),
        "value-is-x": _attend_with(source="x"),
        "roles-swapped": _attend_with(swap=True),
        "one-projection": _attend_with(one=True),
        "over-axis-1": _attend_with(dim=1),
        "weights-too": _context_and_weights,
    },
    properties={
        "finite": lambda arguments, result: bool(result.isfinite().all()),
    },
)


# 3.2


def _packed(generator):
    shapes = [(2, 6, 9), (4, 3, 6)]  # sizes and lengths that three divides, so that the faults run
    return [
        (torch.randn(shape, generator=generator), 0.5 * torch.randn(3 * shape[-1], shape[-1], generator=generator))
        for shape in shapes
    ]


def _three_products(x, weight):
    size = x.shape[-1]
    parts = [weight[:size], weight[size : 2 * size], weight[2 * size :]]
    return F.scaled_dot_product_attention(*(x @ part.T for part in parts))


def _attend(query, key, value, root=None):
    return _softmax(_dot(query, key) / math.sqrt(root or query.shape[-1])) @ value


def _features_cut(x, weight):
    batch, length, size = x.shape
    parts = F.linear(x, weight).view(batch, length, 3, size).chunk(3, dim=-1)
    return _attend(*parts).reshape(batch, length, size)


def _interleaved(x, weight):
    return _attend(*F.linear(x, weight).view(*x.shape, 3).unbind(-1))


def _time_cut(x, weight):
    return _attend(*F.linear(x, weight).chunk(3, dim=1))


def _keys_first(x, weight):
    key, query, value = F.linear(x, weight).chunk(3, dim=-1)
    return _attend(query, key, value)


def _values_as_keys(x, weight):
    query, value, key = F.linear(x, weight).chunk(3, dim=-1)
    return _attend(query, key, value)


def _root_of_three(x, weight):
    return _attend(*F.linear(x, weight).chunk(3, dim=-1), root=3 * x.shape[-1])


PACKED = write(
    "3.2",
    oracle=_three_products,
    inputs=_packed,
    mistakes={
        "features-cut": _features_cut,
        "interleaved": _interleaved,
        "time-cut": _time_cut,
        "keys-first": _keys_first,
        "root-of-the-packed-size": _root_of_three,
        "no-root": lambda x, weight: _attend(*F.linear(x, weight).chunk(3, dim=-1), root=1),
        "values-as-keys": _values_as_keys,
    },
)


# 3.3


def _queries_keys_values(generator):
    shapes = [((2, 3, 5), (2, 4, 5), (2, 4, 6)), ((6, 3), (2, 3), (2, 5))]
    return [tuple(torch.randn(shape, generator=generator) for shape in three) for three in shapes]


def _scores(query, key):
    return _dot(query, key) / math.sqrt(query.shape[-1])


def _renormalised(query, key, value):
    product = _scores(query, key) * _softmax(_scores(query, key))
    return product / product.sum(-1, keepdim=True) @ value


OWN_SOFTMAX = write(
    "3.3",
    oracle=F.scaled_dot_product_attention,
    inputs=_queries_keys_values,
    mistakes={
        "unchanged": lambda query, key, value: (_dot(query, key) * _softmax(_dot(query, key))) @ value,
        "root-only": lambda query, key, value: (_scores(query, key) * _softmax(_scores(query, key))) @ value,
        "no-root": lambda query, key, value: _softmax(_dot(query, key)) @ value,
        "softmax-of-the-product": lambda query, key, value: (
            _softmax(_scores(query, key) * _softmax(_scores(query, key))) @ value
        ),
        "renormalised": _renormalised,
        "root-too-late": lambda query, key, value: _softmax(_dot(query, key)) / math.sqrt(query.shape[-1]) @ value,
        "over-queries": lambda query, key, value: torch.softmax(_scores(query, key), dim=-2) @ value,
    },
)


# 3.4

ORDER = [2, 0, 3, 1]  # charger, pen, notebook, book
MAP = torch.tensor([[0.1, 0.6, 0.1, 0.2], [0.5, 0.2, 0.0, 0.3], [0.05, 0.05, 0.2, 0.7], [0.15, 0.4, 0.35, 0.1]])
P = torch.eye(4)[ORDER]


def _matrix(answer):
    if answer[0] is None or answer[0] is ...:  # only the weights have been given so far
        return torch.zeros(0)
    return torch.as_tensor(answer[0]).detach().cpu().float()


def _is(answer, other):
    if answer[1] is None or answer[1] is ...:  # only the matrix has been given so far
        return False
    found = torch.as_tensor(answer[1]).detach().cpu().float()
    return found.shape == other.shape and torch.allclose(found, other, atol=1e-4)


def _one_in_each(matrix):
    ones = torch.ones(4)
    return (
        matrix.shape == (4, 4)
        and bool(((matrix == 0) | (matrix == 1)).all())
        and torch.equal(matrix.sum(0), ones)
        and torch.equal(matrix.sum(1), ones)
    )


SHUFFLE = prove(
    "3.4",
    requirements={
        "a-permutation": lambda answer: _one_in_each(_matrix(answer)),
        "the-way-back": lambda answer: not torch.equal(_matrix(answer), P.T),
        "another-order": lambda answer: torch.equal(_matrix(answer), P),
        "queries-only": lambda answer: not _is(answer, MAP[ORDER]),
        "keys-only": lambda answer: not _is(answer, MAP[:, ORDER]),
        "transposed-on-the-wrong-side": lambda answer: not _is(answer, P.T @ MAP @ P),
        "weights": lambda answer: _is(answer, P @ MAP @ P.T),
    },
)


# 3.5


def _tensor(answer):
    return torch.as_tensor(answer).detach().cpu().float()


def _looking_away(answer):
    tokens = _tensor(answer)
    return int((_softmax(_scores(tokens, tokens)).diagonal() < 0.2).sum())


LOOK_AWAY = prove(
    "3.5",
    requirements={
        "shape": lambda answer: _tensor(answer).shape == (6, 64) and bool(_tensor(answer).isfinite().all()),
        "long-enough": lambda answer: bool((_tensor(answer).norm(dim=-1) >= 4).all()),
        "different": lambda answer: bool((torch.pdist(_tensor(answer)) >= 1).all()),
        "somebody-looks-away": lambda answer: _looking_away(answer) > 0,
        "five-look-away": lambda answer: _looking_away(answer) >= 5,
    },
)


# 3.6


def _draws(generator):
    drawn = []
    for batch, keys, baseline in [(7, 5, 1.5), (40, 3, -0.7)]:
        scores = 2 * torch.randn(batch, keys, generator=generator)
        noise = -torch.log(-torch.log(torch.rand(batch, keys, generator=generator).clamp(1e-6, 1 - 1e-6)))
        drawn.append((scores, noise, 3 * torch.rand(batch, keys, generator=generator) + 1, baseline))
    return drawn


def _gradient(answer, scores, noise, costs, baseline):
    """Only the gradient counts: many losses have it."""
    followed = scores.clone().requires_grad_()
    loss = answer(followed, noise, costs, baseline)
    if loss is None:
        return None
    if not isinstance(loss, torch.Tensor):
        raise ValueError(f"your result is a {type(loss).__name__}; give a tensor, so that a gradient can flow back")
    if not loss.requires_grad:
        raise ValueError("your result has no gradient; the logarithm of the chance must stay tied to the scores")
    if loss.dim() > 0:
        raise ValueError(f"your result has the shape {tuple(loss.shape)}; give one number, the mean over the batch")
    return torch.autograd.grad(loss, followed)[0]


def _by_hand(scores, noise, costs, baseline):
    choice = torch.zeros_like(scores)
    for row in range(len(scores)):
        choice[row, int((scores[row] + noise[row]).argmax())] = 1.0
    over = (costs * choice).sum(-1, keepdim=True) - baseline
    return over * (choice - _softmax(scores)) / len(scores)


def _reinforce_with(noise_in_draw=True, noise_in_chance=False, log=True, sign=-1.0, factor=1.0, total=False):
    def answer(scores, noise, costs, baseline):
        choice = (scores + noise if noise_in_draw else scores).argmax(-1, keepdim=True)
        chance = _softmax(scores + noise if noise_in_chance else scores).gather(-1, choice)
        over = costs.gather(-1, choice) + sign * baseline
        loss = factor * over * (chance.log() if log else chance)
        return loss.sum() if total else loss.mean()

    return answer


REINFORCE = write(
    "3.6",
    oracle=_by_hand,
    inputs=_draws,
    call=_gradient,
    mistakes={
        "no-logarithm": _reinforce_with(log=False),
        "nothing-drawn": _reinforce_with(noise_in_draw=False),
        "chance-of-noisy-scores": _reinforce_with(noise_in_chance=True),
        "baseline-added": _reinforce_with(sign=1.0),
        "baseline-forgotten": _reinforce_with(sign=0.0),
        "sum-over-the-batch": _reinforce_with(total=True),
        "rewards-for-costs": _reinforce_with(factor=-1.0),
        "nothing-but-counting": lambda scores, noise, costs, baseline: (
            (_softmax(scores) * (costs - baseline)).sum(-1).mean()
        ),
    },
)


# 3.7


def _noisy_scores(generator):
    return [
        (torch.randn(shape, generator=generator), 2 * torch.randn(shape, generator=generator), temperature)
        for shape, temperature in [((3, 5), 0.5), ((2, 4, 6), 2.5)]
    ]


def _value_and_gradient(answer, scores, noise, temperature):
    """The choice, and the gradient of the choice weighed with 1, 2, 3, …; none at all counts as 0."""
    followed = scores.clone().requires_grad_()
    choice = answer(followed, noise, temperature)
    if choice is None:
        return None
    if not isinstance(choice, torch.Tensor) or choice.shape != scores.shape:
        return choice, torch.zeros_like(scores)
    cost = (choice * torch.arange(1.0, scores.shape[-1] + 1)).sum()
    return choice, torch.autograd.grad(cost, followed)[0] if cost.requires_grad else torch.zeros_like(scores)


def _choice_and_slope(scores, noise, temperature):
    noisy = scores + noise
    soft, price = _softmax(noisy / temperature), torch.arange(1.0, scores.shape[-1] + 1)
    slope = soft * (price - (soft * price).sum(-1, keepdim=True)) / temperature
    return (noisy == noisy.max(-1, keepdim=True).values).float(), slope


def _through(in_hard=True, in_soft=True, scale=lambda noisy, temperature: noisy / temperature, keep="both"):
    def answer(scores, noise, temperature):
        soft = _softmax(scale(scores + noise if in_soft else scores, temperature))
        best = (scores + noise if in_hard else scores).argmax(-1)
        hard = F.one_hot(best, scores.shape[-1]).to(scores.dtype)
        return {"both": hard + soft - soft.detach(), "soft": soft, "hard": hard, "sum": hard + soft}[keep]

    return answer


STRAIGHT_THROUGH = write(
    "3.7",
    oracle=_choice_and_slope,
    inputs=_noisy_scores,
    call=_value_and_gradient,
    mistakes={
        "soft-in-front": _through(keep="soft"),
        "no-gradient": _through(keep="hard"),
        "soft-without-noise": _through(in_soft=False),
        "noise-forgotten": _through(in_hard=False, in_soft=False),
        "multiplied-by-temperature": _through(scale=lambda noisy, temperature: noisy * temperature),
        "no-temperature": _through(scale=lambda noisy, temperature: noisy),
        "soft-on-top": _through(keep="sum"),
    },
)

EXERCISES = [SELF_ATTENTION, PACKED, OWN_SOFTMAX, SHUFFLE, LOOK_AWAY, REINFORCE, STRAIGHT_THROUGH]
