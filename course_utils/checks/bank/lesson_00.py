"""The bank of lesson 00: softmax, shapes, the wrong axis, matrix products, a training loop, reading an alignment."""

import torch
from torch import nn

from course_utils.checks.forms import predict, prove, write


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


SOFTMAX = write(
    "0.1",
    oracle=lambda scores: torch.softmax(scores, dim=-1),
    inputs=_draw_scores,
    mistakes={
        "no-maximum": _no_maximum,
        "one-maximum": _one_maximum,
        "not-the-maximum": _mean_instead,
        "over-queries": _over_queries,
        "over-first": _over_first,
        "over-everything": _over_everything,
        "no-division": _no_division,
        "no-powers": _no_powers,
        "in-place": _in_place,
        "lost-axis": _lost_axis,
    },
    properties={
        "weight-number-but-some": lambda given, out: not bool(out.isnan().any()),
        "weight-lie-between-0": lambda given, out: bool(((out >= 0) & (out <= 1)).all()),
        "row-sum-1": lambda given, out: torch.allclose(out.sum(-1), torch.ones(out.shape[:-1])),
    },
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


SHAPES = predict(
    "0.2",
    truth=_true_shapes,
    mistakes={
        "keys-down": {"scores": (2, 5, 3)},
        "features-kept": {"scores": (2, 3, 4)},
        "batch-lost": {"scores": (3, 5)},
        "size-of-the-key": {"context": (2, 3, 4)},
        "context-per-key": {"context": (2, 5, 6)},
        "axis-kept": {"sum of the weights over the keys": (2, 3, 1)},
        "summed-over-queries": {"sum of the weights over the keys": (2, 5)},
        "joined-below": {"context joined to query": (2, 6, 6)},
    },
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


WRONG_AXIS = write(
    "0.3",
    oracle=_plain_blend,
    inputs=_draw_scores_and_values,
    mistakes={
        "over-queries": lambda scores, value: torch.softmax(scores, dim=1) @ value,
        "over-batch": lambda scores, value: torch.softmax(scores, dim=0) @ value,
        "softmax-after": lambda scores, value: torch.softmax(scores @ value, dim=-1),
        "no-softmax": lambda scores, value: scores @ value,
        "rescaled": lambda scores, value: scores / scores.sum(-1, keepdim=True) @ value,
        "sum-repaired": lambda scores, value: (
            torch.softmax(scores, dim=1) / torch.softmax(scores, dim=1).sum(-1, keepdim=True) @ value
        ),
    },
)


def _draw_matrices(generator):
    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    return [(draw(2, 3, 4), draw(2, 4, 5)), (draw(3, 5, 2), draw(3, 2, 4))]


def _last_term(one, two):
    return one[:, :, -1:] @ two[:, -1:, :]


MATRIX_PRODUCT = write(
    "0.4",
    oracle=lambda one, two: torch.matmul(one, two),
    inputs=_draw_matrices,
    mistakes={
        "first-item-only": lambda one, two: (one[:1] @ two[:1]).expand(len(one), -1, -1),
        "batch-dropped": lambda one, two: one[0] @ two[0],
        "batch-summed": lambda one, two: torch.einsum("bik,bkj->ij", one, two),
        "batches-crossed": lambda one, two: torch.einsum("bik,ckj->bcij", one, two),
        "transposed": lambda one, two: (one @ two).transpose(-2, -1),
        "last-term": _last_term,
        "elementwise": lambda one, two: one * two,
    },
)


def _five(answer):
    return torch.as_tensor(answer, dtype=torch.float64).detach()


SHARP = prove(
    "0.5",
    requirements={
        "not-five": lambda answer: _five(answer).shape == (5,),
        "out-of-range": lambda answer: bool((_five(answer).abs() <= 3).all()),
        "wrong-good": lambda answer: int(_five(answer).argmax()) == 2,
        "not-sharp": lambda answer: float(torch.softmax(_five(answer), dim=0)[2]) > 0.99,
    },
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


TRAINING_LOOP = write(
    "0.6",
    oracle=_descend,
    inputs=_draw_training,
    call=_run_training,
    mistakes={
        "never-zeroed": _loop(zero=False),
        "nothing-moves": lambda model, optimizer, inputs, targets, steps: nn.functional.mse_loss(
            model(inputs), targets
        ).backward(),
        "one-step": _loop(once=True),
        "one-too-many": _loop(steps_more=1),
        "one-too-few": _loop(steps_more=-1),
        "summed": _loop(error=lambda made, wanted: ((made - wanted) ** 2).sum()),
        "absolute": _loop(error=nn.functional.l1_loss),
        "uphill": _loop(sign=-1),
    },
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


READING = predict(
    "0.7",
    truth=_read_alignment,
    mistakes={
        "columns-as-queries": {"key that query 0 looks at most": 1, "query that looks at key 1 most": 0},
        "counted-from-one": {"key that query 0 looks at most": 3},
        "in-the-row-of-the-key": {"query that looks at key 1 most": 1},
        "all-sum-to-one": {"sum of all weights": 1},
        "a-weight-per-key": {"sum of all weights": 4},
    },
)

EXERCISES = [SOFTMAX, SHAPES, WRONG_AXIS, MATRIX_PRODUCT, SHARP, TRAINING_LOOP, READING]
