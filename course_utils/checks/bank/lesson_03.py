"""The exercises of lesson 03: self-attention, two faults, a shuffle, tokens that look away, and two hard choices."""

import math

import torch
import torch.nn.functional as F

from course_utils.checks import Exercise, Mistake, Property, Requirement, Witness


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


SELF_ATTENTION = Exercise(
    "3.1",
    "Write self-attention",
    oracle=_project_and_ask_pytorch,
    inputs=_sources,
    mistakes=[
        Mistake(
            "no-root",
            _attend_with(divisor=lambda x: 1.0),
            "Your scores are not divided by the root of the size, so the softmax is sharper than it should be.",
        ),
        Mistake(
            "root-of-the-input",
            _attend_with(divisor=lambda x: math.sqrt(x.shape[-1])),
            "You divided by the root of the size of x; the dot product runs over the size of query and key, which is "
            "another one here.",
        ),
        Mistake(
            "over-queries",
            _attend_with(dim=-2),
            "You normalised over the queries, so your columns sum to 1; each query shares out its weight over "
            "the keys.",
        ),
        Mistake(
            "value-is-x",
            _attend_with(source="x"),
            "You mixed the rows of x itself; the third projection decides what each element says, so mix x @ w_value.",
        ),
        Mistake(
            "roles-swapped",
            _attend_with(swap=True),
            "Your keys ask and your queries are found: the scores are transposed, check which projection makes "
            "the rows.",
        ),
        Mistake(
            "one-projection",
            _attend_with(one=True),
            "You used one projection for query and key; w_key never enters, and everybody asks for what they are.",
        ),
        Mistake(
            "over-axis-1",
            _attend_with(dim=1),
            "You normalised over axis 1, which holds the keys only where there is no batch: count from the end.",
        ),
        Mistake(
            "weights-too",
            _context_and_weights,
            "You return context and weights, as the lesson does; here the context alone is asked for.",
        ),
    ],
    properties=[Property("the result must stay finite", lambda arguments, result: bool(result.isfinite().all()))],
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


PACKED = Exercise(
    "3.2",
    "One matrix for three projections",
    oracle=_three_products,
    inputs=_packed,
    mistakes=[
        Mistake(
            "features-cut",
            _features_cut,
            "Your chunks still cut the features of each token in three: the axis of length 3 tells query, key "
            "and value "
            "apart, and the weights must run over the tokens.",
        ),
        Mistake(
            "interleaved",
            _interleaved,
            "You read the packed features as triples (query, key, value, query, …); they stand one block after "
            "another.",
        ),
        Mistake(
            "time-cut",
            _time_cut,
            "You cut the tokens in three groups; every token needs a query, a key and a value, so cut the last axis.",
        ),
        Mistake(
            "keys-first",
            _keys_first,
            "You unpacked the key before the query; the rows of the weight hold the query first, then key, then value.",
        ),
        Mistake(
            "root-of-the-packed-size",
            _root_of_three,
            "Your root is that of the packed size; query and key are compared in a third of it.",
        ),
        Mistake(
            "no-root",
            lambda x, weight: _attend(*F.linear(x, weight).chunk(3, dim=-1), root=1),
            "The three are apart now, but the division by the root of the size has got lost on the way.",
        ),
        Mistake(
            "values-as-keys",
            _values_as_keys,
            "You unpacked the value before the key; the rows of the weight hold the query first, then key, then value.",
        ),
    ],
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


OWN_SOFTMAX = Exercise(
    "3.3",
    "Scores times their own softmax",
    oracle=F.scaled_dot_product_attention,
    inputs=_queries_keys_values,
    mistakes=[
        Mistake(
            "unchanged",
            lambda query, key, value: (_dot(query, key) * _softmax(_dot(query, key))) @ value,
            "The scores are still multiplied by their own softmax: the softmax alone is the weights.",
        ),
        Mistake(
            "root-only",
            lambda query, key, value: (_scores(query, key) * _softmax(_scores(query, key))) @ value,
            "You brought in the root, but the product is still there, and your rows do not sum to 1.",
        ),
        Mistake(
            "no-root",
            lambda query, key, value: _softmax(_dot(query, key)) @ value,
            "A weighted mean at last; now divide the scores by the root of the size, before the softmax.",
        ),
        Mistake(
            "softmax-of-the-product",
            lambda query, key, value: _softmax(_scores(query, key) * _softmax(_scores(query, key))) @ value,
            "A second softmax repairs the sum of the rows, but it hides the product instead of removing it.",
        ),
        Mistake(
            "renormalised",
            _renormalised,
            "Dividing by the sum of the row repairs the sum, but weights can still be negative, or explode "
            "where that sum "
            "is near 0: remove the product.",
        ),
        Mistake(
            "root-too-late",
            lambda query, key, value: _softmax(_dot(query, key)) / math.sqrt(query.shape[-1]) @ value,
            "You divide the weights by the root, so that they no longer sum to 1; it is the scores that are scaled.",
        ),
        Mistake(
            "over-queries",
            lambda query, key, value: torch.softmax(_scores(query, key), dim=-2) @ value,
            "You normalised over the queries; each query shares out its weight over the keys, the last axis.",
        ),
    ],
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


SHUFFLE = Witness(
    "3.4",
    "Shuffle with a matrix",
    requirements=[
        Requirement(
            "a-permutation",
            lambda answer: _one_in_each(_matrix(answer)),
            "Your matrix does not shuffle four rows: it must be (4, 4), of zeros, with a single 1 in each row "
            "and column.",
        ),
        Requirement(
            "the-way-back",
            lambda answer: not torch.equal(_matrix(answer), P.T),
            "Your matrix undoes the shuffle instead of making it: row i of P has its 1 in the column from which "
            "the token "
            "at place i comes.",
        ),
        Requirement(
            "another-order",
            lambda answer: torch.equal(_matrix(answer), P),
            "Your matrix shuffles, but into another order; multiply it with the numbers 0, 1, 2, 3 as a column "
            "and look.",
        ),
        Requirement(
            "queries-only",
            lambda answer: not _is(answer, MAP[ORDER]),
            "You moved the queries, the rows, only; the keys of the shuffled list stand in the new order too.",
        ),
        Requirement(
            "keys-only",
            lambda answer: not _is(answer, MAP[:, ORDER]),
            "You moved the keys, the columns, only; the queries of the shuffled list stand in the new order too.",
        ),
        Requirement(
            "transposed-on-the-wrong-side",
            lambda answer: not _is(answer, P.T @ MAP @ P),
            "Your matrix is right, but in the weights its transpose stands on the wrong side.",
        ),
        Requirement(
            "weights",
            lambda answer: _is(answer, P @ MAP @ P.T),
            "The matrix is right; the weights are not yet: a weight belongs to a pair of words, and must move "
            "with both.",
        ),
    ],
)


# 3.5


def _tensor(answer):
    return torch.as_tensor(answer).detach().cpu().float()


def _looking_away(answer):
    tokens = _tensor(answer)
    return int((_softmax(_scores(tokens, tokens)).diagonal() < 0.2).sum())


LOOK_AWAY = Witness(
    "3.5",
    "Make them look away",
    requirements=[
        Requirement(
            "shape",
            lambda answer: _tensor(answer).shape == (6, 64) and bool(_tensor(answer).isfinite().all()),
            "Your answer is not six tokens of size 64: it must be a tensor of shape (6, 64) with finite numbers.",
        ),
        Requirement(
            "long-enough",
            lambda answer: bool((_tensor(answer).norm(dim=-1) >= 4).all()),
            "One of your tokens is shorter than 4; near zero all scores are alike and the weights uniform, "
            "which is too "
            "easy.",
        ),
        Requirement(
            "different",
            lambda answer: bool((torch.pdist(_tensor(answer)) >= 1).all()),
            "Two of your tokens are less than 1 apart; equal tokens share the weight without looking at anything.",
        ),
        Requirement(
            "somebody-looks-away",
            lambda answer: _looking_away(answer) > 0,
            "Each of your tokens still looks at itself: its own score, its squared length, is too large for the "
            "others to "
            "matter.",
        ),
        Requirement(
            "five-look-away",
            lambda answer: _looking_away(answer) >= 5,
            "Some of your tokens look away, but fewer than five; give all of them the same token to look at.",
        ),
    ],
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


REINFORCE = Exercise(
    "3.6",
    "Draw, and learn from the draw",
    oracle=_by_hand,
    inputs=_draws,
    call=_gradient,
    mistakes=[
        Mistake(
            "no-logarithm",
            _reinforce_with(log=False),
            "You multiplied by the chance, not by its logarithm; a draw already comes as often as its chance says.",
        ),
        Mistake(
            "nothing-drawn",
            _reinforce_with(noise_in_draw=False),
            "You took the key with the highest score every time; add the noise before the argmax, or nothing is drawn.",
        ),
        Mistake(
            "chance-of-noisy-scores",
            _reinforce_with(noise_in_chance=True),
            "Your chance is that of scores plus noise; the noise made the draw, but the chance of a draw is the "
            "softmax "
            "of the scores alone.",
        ),
        Mistake(
            "baseline-added",
            _reinforce_with(sign=1.0),
            "You added the baseline; subtract it, so that a cost that is usual moves nothing.",
        ),
        Mistake(
            "baseline-forgotten",
            _reinforce_with(sign=0.0),
            "Your baseline does nothing: without it the gradient is right on average, but not the one asked for.",
        ),
        Mistake(
            "sum-over-the-batch",
            _reinforce_with(total=True),
            "You added up over the batch; average, so that a larger batch does not mean a larger step.",
        ),
        Mistake(
            "rewards-for-costs",
            _reinforce_with(factor=-1.0),
            "Your sign is that of a reward; going down your loss would make dear draws more frequent.",
        ),
        Mistake(
            "nothing-but-counting",
            lambda scores, noise, costs, baseline: (_softmax(scores) * (costs - baseline)).sum(-1).mean(),
            "You average over the costs of all keys; only the cost of the key that was drawn may be used.",
        ),
    ],
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


STRAIGHT_THROUGH = Exercise(
    "3.7",
    "A choice that passes gradients",
    oracle=_choice_and_slope,
    inputs=_noisy_scores,
    call=_value_and_gradient,
    mistakes=[
        Mistake(
            "soft-in-front",
            _through(keep="soft"),
            "Your result is the softmax itself: the gradient is right, but nothing has been chosen on the way forward.",
        ),
        Mistake(
            "no-gradient",
            _through(keep="hard"),
            "Your choice is right, but no gradient reaches the scores: the softmax must stay in the sum, "
            "undetached once.",
        ),
        Mistake(
            "soft-without-noise",
            _through(in_soft=False),
            "Your gradient is that of a softmax without the noise; behind the choice stands the same draw as in front.",
        ),
        Mistake(
            "noise-forgotten",
            _through(in_hard=False, in_soft=False),
            "The noise does not enter at all: you always choose the highest score, so nothing is drawn.",
        ),
        Mistake(
            "multiplied-by-temperature",
            _through(scale=lambda noisy, temperature: noisy * temperature),
            "You multiplied by the temperature; divide by it, so that heat makes the softmax flatter.",
        ),
        Mistake(
            "no-temperature",
            _through(scale=lambda noisy, temperature: noisy),
            "The temperature changes nothing in your answer: it divides scores and noise inside the softmax.",
        ),
        Mistake(
            "soft-on-top",
            _through(keep="sum"),
            "Your gradient is right, but the softmax is added to the value too: take its value away again, detached.",
        ),
    ],
)

EXERCISES = [SELF_ATTENTION, PACKED, OWN_SOFTMAX, SHUFFLE, LOOK_AWAY, REINFORCE, STRAIGHT_THROUGH]
