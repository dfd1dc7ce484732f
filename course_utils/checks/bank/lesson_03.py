"""Exercises of lesson 03: self-attention, two faults, a shuffle, tokens that look away, and two hard choices."""

import math

import torch
import torch.nn.functional as F

from course_utils.checks.bank.parts import as_double, draw
from course_utils.checks.forms import edited, prove, write

# 3.1 Write self-attention.


def _sources(generator):
    one, two = [(2, 5, 6), (6, 4), (6, 4), (6, 3)], [(7, 5), (5, 3), (5, 3), (5, 4)]  # x and three matrices
    return [draw(generator, *one), draw(generator, *two)]


def _self_attention(x, w_query, w_key, w_value):
    query, key, value = x @ w_query, x @ w_key, x @ w_value
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = torch.softmax(scores, dim=-1)
    return weights @ value


def _project_and_ask_pytorch(x, w_query, w_key, w_value):
    return F.scaled_dot_product_attention(x @ w_query, x @ w_key, x @ w_value)


SELF_ATTENTION = write(
    "3.1",
    oracle=_project_and_ask_pytorch,
    inputs=_sources,
    mistakes=edited(
        _self_attention,
        {
            "no-root": (" / math.sqrt(query.shape[-1])", ""),
            "root-of-the-input": ("query.shape[-1]", "x.shape[-1]"),
            "over-queries": ("dim=-1", "dim=-2"),
            "value-is-x": ("weights @ value", "weights @ x"),
            "roles-swapped": ("query, key, value =", "key, query, value ="),
            "one-projection": ("x @ w_key", "x @ w_query"),
            "over-axis-1": ("dim=-1", "dim=1"),
            "weights-too": ("return weights @ value", "return weights @ value, weights"),
            "all-axes-turned": ("key.transpose(-2, -1)", "key.permute(*reversed(range(key.dim())))"),
            "divided-by-the-size": ("math.sqrt(query.shape[-1])", "query.shape[-1]"),
            "size-and-two": ("math.sqrt(query.shape[-1])", "query.shape[-1] / 2"),
            "root-too-late": [
                (" / math.sqrt(query.shape[-1])", ""),
                ("dim=-1)", "dim=-1) / math.sqrt(query.shape[-1])"),
            ],
            "reshaped": ("key.transpose(-2, -1)", "key.reshape(*key.shape[:-2], key.shape[-1], key.shape[-2])"),
            "softmax-of-the-mix": (
                "torch.softmax(scores, dim=-1)\n    return weights @ value",
                "scores\n    return torch.softmax(weights @ value, dim=-1)",
            ),
            "no-root-over-queries": [(" / math.sqrt(query.shape[-1])", ""), ("dim=-1", "dim=-2")],
            "no-root-value-is-x": [(" / math.sqrt(query.shape[-1])", ""), ("weights @ value", "weights @ x")],
            "no-softmax": ("torch.softmax(scores, dim=-1)", "scores"),
            "nobody-projects": (
                "query, key, value = x @ w_query, x @ w_key, x @ w_value",
                "query, key, value = x, x, x @ w_value",
            ),
        },
    ),
    properties={
        "finite": lambda arguments, result: bool(result.isfinite().all()),
    },
)


# 3.2 One matrix for three projections.


def _packed(generator):
    one, two = draw(generator, (2, 6, 9), (27, 9)), draw(generator, (4, 3, 6), (18, 6))
    return [(x, 0.5 * weight) for x, weight in (one, two)]  # three divides sizes and lengths, so that the faults run


def _three_products(x, weight):
    size = x.shape[-1]
    parts = [weight[:size], weight[size : 2 * size], weight[2 * size :]]
    return F.scaled_dot_product_attention(*(x @ part.T for part in parts))


def _attend_packed(x, weight):
    query, key, value = F.linear(x, weight).chunk(3, dim=-1)
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return torch.softmax(scores, dim=-1) @ value


PACKED = write(
    "3.2",
    oracle=_three_products,
    inputs=_packed,
    mistakes=edited(
        _attend_packed,
        {
            "features-cut": [
                (".chunk(3, dim=-1)", ".view(*x.shape[:2], 3, -1).chunk(3, dim=-1)"),
                ("torch.softmax(scores, dim=-1) @ value", "(torch.softmax(scores, dim=-1) @ value).reshape(x.shape)"),
            ],
            "interleaved": (".chunk(3, dim=-1)", ".view(*x.shape, 3).unbind(-1)"),
            "time-cut": ("chunk(3, dim=-1)", "chunk(3, dim=1)"),
            "keys-first": ("query, key, value =", "key, query, value ="),
            "root-of-the-packed-size": ("query.shape[-1]", "3 * x.shape[-1]"),
            "no-root": (" / math.sqrt(query.shape[-1])", ""),
            "values-as-keys": ("query, key, value =", "query, value, key ="),
            "last-first": ("query, key, value =", "value, key, query ="),
            "three-in-front": (".chunk(3, dim=-1)", ".view(3, *x.shape)"),
            "size-and-two": ("math.sqrt(query.shape[-1])", "query.shape[-1] / 2"),
            "no-softmax": ("torch.softmax(scores, dim=-1)", "scores"),
            "view-then-tokens-cut": [
                (".chunk(3, dim=-1)", ".view(*x.shape[:2], 3, -1).chunk(3, dim=2)"),
                ("torch.softmax(scores, dim=-1) @ value", "(torch.softmax(scores, dim=-1) @ value).reshape(x.shape)"),
            ],
            "cut-without-squeezing": (".chunk(3, dim=-1)", ".view(*x.shape[:2], 3, -1).chunk(3, dim=2)"),
            "keys-first-no-root": [
                ("query, key, value =", "key, query, value ="),
                (" / math.sqrt(query.shape[-1])", ""),
            ],
            "over-queries": ("dim=-1) @ value", "dim=-2) @ value"),
            "divided-by-the-size": ("math.sqrt(query.shape[-1])", "query.shape[-1]"),
        },
    ),
)


# 3.3 Scores times their own softmax.


def _queries_keys_values(generator):
    one, two = [(2, 3, 5), (2, 4, 5), (2, 4, 6)], [(6, 3), (2, 3), (2, 5)]
    return [draw(generator, *one), draw(generator, *two)]


def _attend(query, key, value):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = torch.softmax(scores, dim=-1)
    return weights @ value


_TIMES_SOFTMAX = ("torch.softmax(scores, dim=-1)", "scores * torch.softmax(scores, dim=-1)")
OWN_SOFTMAX = write(
    "3.3",
    oracle=F.scaled_dot_product_attention,
    inputs=_queries_keys_values,
    mistakes=edited(
        _attend,
        {
            "unchanged": [_TIMES_SOFTMAX, (" / math.sqrt(query.shape[-1])", "")],
            "root-only": _TIMES_SOFTMAX,
            "no-root": (" / math.sqrt(query.shape[-1])", ""),
            "softmax-of-the-product": [_TIMES_SOFTMAX, ("return weights", "return torch.softmax(weights, dim=-1)")],
            "renormalised": [_TIMES_SOFTMAX, ("return weights", "return weights / weights.sum(-1, keepdim=True)")],
            "root-too-late": [
                (" / math.sqrt(query.shape[-1])", ""),
                ("dim=-1)", "dim=-1) / math.sqrt(query.shape[-1])"),
            ],
            "over-queries": ("dim=-1", "dim=-2"),
            "divided-by-the-size": ("math.sqrt(query.shape[-1])", "query.shape[-1]"),
            "no-softmax": ("torch.softmax(scores, dim=-1)", "scores"),
            "no-root-over-queries": [(" / math.sqrt(query.shape[-1])", ""), ("dim=-1", "dim=-2")],
            "root-of-the-keys": ("query.shape[-1]", "key.shape[-2]"),
            "size-and-two": ("math.sqrt(query.shape[-1])", "query.shape[-1] / 2"),
            "softmax-of-the-weights": ("return weights", "return torch.softmax(weights, dim=-1)"),
            "all-axes-turned": ("key.transpose(-2, -1)", "key.permute(*reversed(range(key.dim())))"),
        },
    ),
)


# 3.4 Shuffle with a matrix.

ORDER = [2, 0, 3, 1]  # charger, pen, notebook, book
MAP = torch.tensor([[0.1, 0.6, 0.1, 0.2], [0.5, 0.2, 0.0, 0.3], [0.05, 0.05, 0.2, 0.7], [0.15, 0.4, 0.35, 0.1]])
P = torch.eye(4)[ORDER]


def _matrix(answer):
    if answer[0] is None or answer[0] is ...:  # only the weights have been given so far
        return torch.zeros(0)
    return as_double(answer[0]).float()


def _is(answer, other):
    if answer[1] is None or answer[1] is ...:  # only the matrix has been given so far
        return False
    found = as_double(answer[1]).float()
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


# 3.5 Make them look away.


def _tokens(answer):
    return as_double(answer).float()


def _looking_away(answer):
    scores = _tokens(answer) @ _tokens(answer).T / math.sqrt(64)
    return int((torch.softmax(scores, dim=-1).diagonal() < 0.2).sum())


LOOK_AWAY = prove(
    "3.5",
    requirements={
        "shape": lambda answer: _tokens(answer).shape == (6, 64) and bool(_tokens(answer).isfinite().all()),
        "long-enough": lambda answer: bool((_tokens(answer).norm(dim=-1) >= 4).all()),
        "different": lambda answer: bool((torch.pdist(_tokens(answer)) >= 1).all()),
        "somebody-looks-away": lambda answer: _looking_away(answer) > 0,
        "five-look-away": lambda answer: _looking_away(answer) >= 5,
    },
)


# 3.6 Draw, and learn from the draw.


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
    return over * (choice - torch.softmax(scores, dim=-1)) / len(scores)


def _reinforce(scores, noise, costs, baseline):
    choice = (scores + noise).argmax(-1, keepdim=True)
    chance = torch.softmax(scores, dim=-1).gather(-1, choice)
    return ((costs.gather(-1, choice) - baseline) * chance.log()).mean()


REINFORCE = write(
    "3.6",
    oracle=_by_hand,
    inputs=_draws,
    call=_gradient,
    mistakes=edited(
        _reinforce,
        {
            "no-logarithm": (".log()", ""),
            "nothing-drawn": ("(scores + noise)", "scores"),
            "chance-of-noisy-scores": ("softmax(scores", "softmax(scores + noise"),
            "baseline-added": ("- baseline", "+ baseline"),
            "baseline-forgotten": (" - baseline", ""),
            "sum-over-the-batch": (".mean()", ".sum()"),
            "rewards-for-costs": ("return ", "return -"),
            "cheapest-drawn": ("(scores + noise).argmax", "(scores + noise).argmin"),
            "noise-taken-away": ("(scores + noise)", "(scores - noise)"),
            "rewards-and-sum": [("return ", "return -"), (".mean()", ".sum()")],
            "baseline-forgotten-and-sum": [(" - baseline", ""), (".mean()", ".sum()")],
            "noisy-chance-no-baseline": [("softmax(scores", "softmax(scores + noise"), (" - baseline", "")],
            "score-for-chance": ("chance.log()", "scores.gather(-1, choice)"),
            "every-cost-with-every-chance": ("chance.log()", "chance.log().squeeze(-1)"),
            "nothing-but-counting": (
                "(costs.gather(-1, choice) - baseline) * chance.log()",
                "(torch.softmax(scores, -1) * (costs - baseline)).sum(-1)",
            ),
        },
    ),
)


# 3.7 A choice that passes gradients.


def _noisy_scores(generator):
    drawn = [
        (torch.randn(shape, generator=generator), 2 * torch.randn(shape, generator=generator), temperature)
        for shape, temperature in [((3, 5), 0.5), ((2, 4, 6), 2.5)]
    ]
    drawn[0][1][:, -1] -= 20.0  # nobody chooses the last key: the choices alone do not tell how many keys there are
    return drawn


def _prices(scores):
    """Different in every entry, so that a softmax along any axis has a gradient."""
    return (1.0 + torch.arange(scores.numel()) * 7 % 11).view(scores.shape)


def _value_and_gradient(answer, scores, noise, temperature):
    """The choice, and the gradient of the choice weighed with prices; none at all counts as 0."""
    followed = scores.clone().requires_grad_()
    choice = answer(followed, noise, temperature)
    if choice is None:
        return None
    if not isinstance(choice, torch.Tensor) or choice.shape != scores.shape:
        return choice, torch.zeros_like(scores)
    cost = (choice * _prices(scores)).sum()
    return choice, torch.autograd.grad(cost, followed)[0] if cost.requires_grad else torch.zeros_like(scores)


def _choice_and_slope(scores, noise, temperature):
    noisy = scores + noise
    soft, price = torch.softmax(noisy / temperature, dim=-1), _prices(scores)
    slope = soft * (price - (soft * price).sum(-1, keepdim=True)) / temperature
    return (noisy == noisy.max(-1, keepdim=True).values).float(), slope


def _straight_through(scores, noise, temperature):
    soft = torch.softmax((scores + noise) / temperature, dim=-1)
    hard = F.one_hot((scores + noise).argmax(-1), scores.shape[-1]).to(scores.dtype)
    return hard + soft - soft.detach()


STRAIGHT_THROUGH = write(
    "3.7",
    oracle=_choice_and_slope,
    inputs=_noisy_scores,
    call=_value_and_gradient,
    mistakes=edited(
        _straight_through,
        {
            "soft-in-front": ("hard + soft - soft.detach()", "soft"),
            "no-gradient": ("hard + soft - soft.detach()", "hard"),
            "soft-without-noise": ("softmax((scores + noise)", "softmax(scores"),
            "noise-forgotten": [
                ("softmax((scores + noise)", "softmax(scores"),
                ("one_hot((scores + noise)", "one_hot(scores"),
            ],
            "multiplied-by-temperature": ("/ temperature", "* temperature"),
            "no-temperature": (" / temperature", ""),
            "soft-on-top": (" - soft.detach()", ""),
            "gradient-turned-round": ("hard + soft - soft.detach()", "hard - soft + soft.detach()"),
            "clean-in-front": ("one_hot((scores + noise)", "one_hot(scores"),
            "no-noise-no-temperature": [("softmax((scores + noise)", "softmax(scores"), (" / temperature", "")],
            "classes-not-counted": (".argmax(-1), scores.shape[-1])", ".argmax(-1))"),
            "over-axis-0": ("dim=-1", "dim=0"),
            "noise-outside-the-temperature": ("(scores + noise) / temperature", "scores / temperature + noise"),
        },
    ),
)

EXERCISES = [SELF_ATTENTION, PACKED, OWN_SOFTMAX, SHUFFLE, LOOK_AWAY, REINFORCE, STRAIGHT_THROUGH]
