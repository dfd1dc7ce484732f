"""The bank of lesson 00: softmax, shapes, the wrong axis, matrix products, a training loop, reading an alignment."""

import torch
from torch import nn

from course_utils.checks import Exercise, Mistake, Prediction, Property, Requirement, Witness


def _draw_scores(generator):
    """Axes of different sizes: rows far apart, plain rows, and rows with one score far above the rest."""
    levels = torch.tensor([0.0, 400.0, -900.0])[:, None]
    outlier = torch.tensor([0.0, 300.0, 0.0, 0.0, 0.0, 0.0])
    return [
        (torch.randn(3, 5, generator=generator) + levels,),
        (torch.randn(2, 4, 7, generator=generator) * 3,),
        (torch.randn(2, 3, 6, generator=generator) + outlier,),
    ]


def _no_maximum(scores):
    powers = torch.exp(scores)
    return powers / powers.sum(-1, keepdim=True)


def _mean_instead(scores):
    powers = torch.exp(scores - scores.mean(-1, keepdim=True))
    return powers / powers.sum(-1, keepdim=True)


def _one_maximum(scores):
    powers = torch.exp(scores - scores.max())
    return powers / powers.sum(-1, keepdim=True)


def _over_queries(scores):
    return torch.softmax(scores, dim=-2)


def _over_first(scores):
    return torch.softmax(scores, dim=0)


def _over_everything(scores):
    return torch.softmax(scores.flatten(), dim=0).view_as(scores)


def _no_division(scores):
    return torch.exp(scores - scores.max(-1, keepdim=True).values)


def _no_powers(scores):
    return scores / scores.sum(-1, keepdim=True)


def _in_place(scores):
    scores -= scores.max(-1, keepdim=True).values
    return torch.softmax(scores, -1)


def _lost_axis(scores):
    powers = torch.exp(scores - scores.max(-1, keepdim=True).values)
    return powers / powers.sum(-1)


SOFTMAX = Exercise(
    "0.1",
    "A softmax that survives large scores",
    oracle=lambda scores: torch.softmax(scores, dim=-1),
    inputs=_draw_scores,
    mistakes=[
        Mistake(
            "no-maximum",
            _no_maximum,
            "Your formula is right, but the powers overflow for large scores and give nan: take something from every "
            "score first, such that the largest power is e⁰.",
        ),
        Mistake(
            "one-maximum",
            _one_maximum,
            "You subtract one maximum for the whole tensor; rows far below it become 0 / 0. Every row needs its own.",
        ),
        Mistake(
            "not-the-maximum",
            _mean_instead,
            "You subtract something from every row, but not its maximum: one score far above the rest still overflows.",
        ),
        Mistake(
            "over-queries",
            _over_queries,
            "You normalised over the second axis from the end, so that the columns sum to 1; each query shares its "
            "attention among the keys, which lie along the last axis.",
        ),
        Mistake(
            "over-first",
            _over_first,
            "You normalised over axis 0, whatever that is: with a batch in front it is the batch. Count from the end, "
            "where the keys are.",
        ),
        Mistake(
            "over-everything",
            _over_everything,
            "All your weights together sum to 1; each row has to do so by itself.",
        ),
        Mistake(
            "no-division",
            _no_division,
            "Your weights are powers of e, but nothing makes them sum to 1 yet: divide each row by its sum.",
        ),
        Mistake(
            "no-powers",
            _no_powers,
            "You divide the scores by their sum, which can be negative or zero; raise e to each score first.",
        ),
        Mistake(
            "in-place",
            _in_place,
            "The numbers are right, but you changed the scores that you were given (-= works in place): make a new "
            "tensor instead.",
        ),
        Mistake(
            "lost-axis",
            _lost_axis,
            "The shapes do not fit: has your maximum or your sum lost the last axis? Kept with size 1, it fits the "
            "rows again.",
        ),
    ],
    properties=[
        Property(
            "every weight must be a number, but some are nan: a power was too large, or a row was divided by 0",
            lambda given, out: not bool(out.isnan().any()),
        ),
        Property("every weight must lie between 0 and 1", lambda given, out: bool(((out >= 0) & (out <= 1)).all())),
        Property("every row must sum to 1", lambda given, out: torch.allclose(out.sum(-1), torch.ones(out.shape[:-1]))),
    ],
)


def _true_shapes():
    query, key, value = torch.zeros(2, 3, 4), torch.zeros(2, 5, 4), torch.zeros(2, 5, 6)
    scores = query @ key.transpose(-2, -1)
    weights = torch.softmax(scores, dim=-1)
    context = weights @ value
    joined = torch.cat([context, query], dim=-1)
    return {
        "scores": tuple(scores.shape),
        "sum of the weights over the keys": tuple(weights.sum(dim=-1).shape),
        "context": tuple(context.shape),
        "context joined to query": tuple(joined.shape),
    }


SHAPES = Prediction(
    "0.2",
    "Which shapes?",
    truth=_true_shapes,
    mistakes=[
        Mistake(
            "keys-down",
            {"scores": (2, 5, 3)},
            "Your scores have keys down and queries across; in this course queries go down, keys across.",
        ),
        Mistake(
            "features-kept",
            {"scores": (2, 3, 4)},
            "Your scores still have the features: a dot product multiplies them and adds them up, so that they vanish.",
        ),
        Mistake(
            "batch-lost",
            {"scores": (3, 5)},
            "You dropped the batch: a matrix product takes every item of the batch by itself and keeps the axis.",
        ),
        Mistake(
            "size-of-the-key",
            {"context": (2, 3, 4)},
            "Your context has the keys' size, but it is a mix of values, and a mix has the size of what is mixed.",
        ),
        Mistake(
            "context-per-key",
            {"context": (2, 5, 6)},
            "You have one context per key; but the weighted sum runs over the keys, and leaves one context per query.",
        ),
        Mistake(
            "axis-kept",
            {"sum of the weights over the keys": (2, 3, 1)},
            "A sum over an axis removes it, unless keepdim=True is asked for.",
        ),
        Mistake(
            "summed-over-queries",
            {"sum of the weights over the keys": (2, 5)},
            "You summed over the queries; the axis that is named is the one that goes.",
        ),
        Mistake(
            "joined-below",
            {"context joined to query": (2, 6, 6)},
            "You put the queries below the contexts; joining is done along the feature axis, side by side.",
        ),
    ],
)


def _draw_scores_and_values(generator):
    return [
        (torch.randn(2, 3, 5, generator=generator) * 2, torch.randn(2, 5, 4, generator=generator)),
        (torch.randn(4, 2, 3, generator=generator) * 2, torch.randn(4, 3, 6, generator=generator)),
    ]


def _plain_blend(scores, value):
    """The oracle: every number of the result by itself."""
    context = torch.zeros(*scores.shape[:2], value.shape[-1])
    for item in range(scores.shape[0]):
        for query in range(scores.shape[1]):
            powers = [torch.exp(score) for score in scores[item, query]]
            for place, power in enumerate(powers):
                context[item, query] += power / sum(powers) * value[item, place]
    return context


WRONG_AXIS = Exercise(
    "0.3",
    "A blend dearer than the dearest good",
    oracle=_plain_blend,
    inputs=_draw_scores_and_values,
    mistakes=[
        Mistake(
            "over-queries",
            lambda scores, value: torch.softmax(scores, dim=1) @ value,
            "The softmax still runs over the queries: a customer's weights need not sum to 1, so the blend leaves the "
            "range of the prices.",
        ),
        Mistake(
            "over-batch",
            lambda scores, value: torch.softmax(scores, dim=0) @ value,
            "Now the softmax runs over the batch: customers of one shop would take weight from those of another.",
        ),
        Mistake(
            "softmax-after",
            lambda scores, value: torch.softmax(scores @ value, dim=-1),
            "You mix with the raw scores and normalise the result; weights have to be made before anything is mixed.",
        ),
        Mistake(
            "no-softmax",
            lambda scores, value: scores @ value,
            "You took the softmax out and mix with the raw scores; they have to become weights that sum to 1.",
        ),
        Mistake(
            "rescaled",
            lambda scores, value: scores / scores.sum(-1, keepdim=True) @ value,
            "You divide the scores by their sum, so negative scores give negative weights; the softmax was right, "
            "only its axis was not.",
        ),
        Mistake(
            "sum-repaired",
            lambda scores, value: (
                torch.softmax(scores, dim=1) / torch.softmax(scores, dim=1).sum(-1, keepdim=True) @ value
            ),
            "Your rows sum to 1 now, but the softmax over the queries came first and has bent the weights; change its "
            "axis instead of repairing its result.",
        ),
    ],
)


def _draw_matrices(generator):
    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    return [(draw(2, 3, 4), draw(2, 4, 5)), (draw(3, 5, 2), draw(3, 2, 4))]


def _last_term(one, two):
    return one[:, :, -1:] @ two[:, -1:, :]


MATRIX_PRODUCT = Exercise(
    "0.4",
    "A product for every item of the batch",
    oracle=lambda one, two: torch.matmul(one, two),
    inputs=_draw_matrices,
    mistakes=[
        Mistake(
            "first-item-only",
            lambda one, two: (one[:1] @ two[:1]).expand(len(one), -1, -1),
            "Every item of your batch holds the product of item 0: the batch index does not move with the loop.",
        ),
        Mistake(
            "batch-dropped",
            lambda one, two: one[0] @ two[0],
            "You return the product of item 0 only; the result needs one matrix for each item of the batch.",
        ),
        Mistake(
            "batch-summed",
            lambda one, two: torch.einsum("bik,bkj->ij", one, two),
            "You added the products of all items together: the batch is an axis to keep, not one to sum over.",
        ),
        Mistake(
            "batches-crossed",
            lambda one, two: torch.einsum("bik,ckj->bcij", one, two),
            "You multiplied every item with every other; item 0 meets item 0 only, item 1 meets item 1.",
        ),
        Mistake(
            "transposed",
            lambda one, two: (one @ two).transpose(-2, -1),
            "Rows and columns are swapped: row i of the first and column j of the second give the number at [i, j].",
        ),
        Mistake(
            "last-term",
            _last_term,
            "Only the last product of each sum is left: you set the number in the loop where you should add to it.",
        ),
        Mistake(
            "elementwise",
            lambda one, two: one * two,
            "The shapes do not fit. If you used the star: it multiplies number by number; a matrix product multiplies "
            "a row with a column and adds up.",
        ),
    ],
)


def _five(answer):
    return torch.as_tensor(answer, dtype=torch.float64).detach()


SHARP = Witness(
    "0.5",
    "Nearly all on one good",
    requirements=[
        Requirement(
            "not-five",
            lambda answer: _five(answer).shape == (5,),
            "The shelf holds five goods, so give five numbers in a list.",
        ),
        Requirement(
            "out-of-range",
            lambda answer: bool((_five(answer).abs() <= 3).all()),
            "One of your scores lies outside −3 … 3: make the difference larger without leaving the range.",
        ),
        Requirement(
            "wrong-good",
            lambda answer: int(_five(answer).argmax()) == 2,
            "Your largest score belongs to another good: the third one, at index 2, should win.",
        ),
        Requirement(
            "not-sharp",
            lambda answer: float(torch.softmax(_five(answer), dim=0)[2]) > 0.99,
            "The third good gets 0.99 or less: only differences count, and the others have not made way as far as "
            "they can.",
        ),
    ],
)


def _draw_training(generator):
    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    return [(draw(1, 3), draw(1), draw(6, 3), draw(6, 1), 4), (draw(2, 2), draw(2), draw(5, 2), draw(5, 2), 3)]


RATE = 0.1


def _run_training(answer, weight, bias, inputs, targets, steps):
    """Builds the model that the answer is to train, and returns the parameters that it leaves behind."""
    model = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        model.weight.copy_(weight)
        model.bias.copy_(bias)
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    answer(model, torch.optim.SGD(model.parameters(), lr=RATE), inputs, targets, steps)
    if not calls:  # an answer that never asks the model has not been written yet
        raise NotImplementedError
    return model.weight.detach(), model.bias.detach()


def _descend(weight, bias, inputs, targets, steps):
    """The oracle: gradient descent with the derivatives written out, no autograd."""
    for _ in range(steps):
        slope = 2 * (inputs @ weight.T + bias - targets) / targets.numel()  # (batch, output)
        weight, bias = weight - RATE * slope.T @ inputs, bias - RATE * slope.sum(0)
    return weight, bias


def _loop(error=nn.functional.mse_loss, zero=True, steps_more=0, once=False, sign=1):
    def answer(model, optimizer, inputs, targets, steps):
        for _ in range(1 if once else steps + steps_more):
            loss = sign * error(model(inputs), targets)
            if zero:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return answer


TRAINING_LOOP = Exercise(
    "0.6",
    "Five lines that train",
    oracle=_descend,
    inputs=_draw_training,
    call=_run_training,
    mistakes=[
        Mistake(
            "never-zeroed",
            _loop(zero=False),
            "Your gradients pile up: backward adds to what is there, so forget the last step's before each new one.",
        ),
        Mistake(
            "nothing-moves",
            lambda model, optimizer, inputs, targets, steps: nn.functional.mse_loss(model(inputs), targets).backward(),
            "Your parameters have not moved: backward must fill the gradients, and the optimizer must step before they "
            "are zeroed again.",
        ),
        Mistake(
            "one-step",
            _loop(once=True),
            "You take one step only: is something that belongs after the loop, such as return, inside it?",
        ),
        Mistake(
            "one-too-many",
            _loop(steps_more=1),
            "You take one step too many: range(steps) counts from 0 and leaves steps itself out.",
        ),
        Mistake(
            "one-too-few",
            _loop(steps_more=-1),
            "You take one step too few: does your range start at 1, or end at steps - 1?",
        ),
        Mistake(
            "summed",
            _loop(error=lambda made, wanted: ((made - wanted) ** 2).sum()),
            "You sum the squared errors, so that the steps grow with the batch: take their mean.",
        ),
        Mistake(
            "absolute",
            _loop(error=nn.functional.l1_loss),
            "You take the mean of the absolute errors; the task asks for squares.",
        ),
        Mistake(
            "uphill",
            _loop(sign=-1),
            "Your loss grows with every step: a sign is the wrong way round, and the model walks uphill.",
        ),
    ],
)

ALIGNMENT = [[0.1, 0.2, 0.7, 0.0], [0.5, 0.3, 0.2, 0.0], [0.2, 0.7, 0.1, 0.0]]


def _read_alignment():
    weights = torch.tensor(ALIGNMENT)  # (query, key)
    return {
        "key that query 0 looks at most": int(weights[0].argmax()),
        "query that looks at key 1 most": int(weights[:, 1].argmax()),
        "key that nobody looks at": int((weights.sum(dim=0) == 0).nonzero()),
        "sum of all weights": float(weights.sum()),
    }


READING = Prediction(
    "0.7",
    "Read an alignment",
    truth=_read_alignment,
    mistakes=[
        Mistake(
            "columns-as-queries",
            {"key that query 0 looks at most": 1, "query that looks at key 1 most": 0},
            "You read the columns as queries: a query is a row, and its weights stand side by side.",
        ),
        Mistake(
            "counted-from-one",
            {"key that query 0 looks at most": 3},
            "You count from 1; indices in Python start at 0.",
        ),
        Mistake(
            "in-the-row-of-the-key",
            {"query that looks at key 1 most": 1},
            "To see who looks at a key go down its column and compare; row 1 belongs to query 1.",
        ),
        Mistake(
            "all-sum-to-one",
            {"sum of all weights": 1},
            "Every row sums to 1 by itself; there are three of them.",
        ),
        Mistake(
            "a-weight-per-key",
            {"sum of all weights": 4},
            "It is the rows that sum to 1, one for each query; the columns may sum to anything, even to 0.",
        ),
    ],
)

EXERCISES = [SOFTMAX, SHAPES, WRONG_AXIS, MATRIX_PRODUCT, SHARP, TRAINING_LOOP, READING]
