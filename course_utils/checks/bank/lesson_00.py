"""Exercises of lesson 00: softmax, shapes, the wrong axis, matrix products, a training loop, reading an alignment."""

import torch
from torch import nn

from course_utils.checks.bank.parts import as_double, draw, rows_sum_to_one
from course_utils.checks.forms import edited, predict, prove, write

# 0.1 A softmax that survives large scores.


def _draw_scores(generator):
    """Axes of different sizes: rows far apart, plain rows, and rows with one score far above the rest."""
    apart, plain, outlier = draw(generator, (4, 5), (2, 3, 7), (2, 3, 6))
    # Too far even for float64; at 60 powers do not overflow, but their squares do.
    levels = torch.tensor([0.0, 800.0, -900.0, 60.0])[:, None]
    return [(apart + levels,), (3 * plain,), (outlier + torch.tensor([0.0, 300.0, 0.0, 0.0, 0.0, 0.0]),)]


def _softmax(scores):
    powers = torch.exp(scores - scores.max(-1, keepdim=True).values)
    return powers / powers.sum(-1, keepdim=True)


SOFTMAX = write(
    "0.1",
    oracle=lambda scores: torch.softmax(scores, dim=-1),
    inputs=_draw_scores,
    mistakes=edited(
        _softmax,
        {
            "no-maximum": ("scores - scores.max(-1, keepdim=True).values", "scores"),
            "one-maximum": ("max(-1, keepdim=True).values", "max()"),
            "not-the-maximum": ("max(-1, keepdim=True).values", "mean(-1, keepdim=True)"),
            "over-queries": [("max(-1", "max(-2"), ("sum(-1", "sum(-2")],
            "over-first": [("max(-1", "max(0"), ("sum(-1", "sum(0")],
            "over-everything": [("max(-1, keepdim=True).values", "max()"), ("sum(-1, keepdim=True)", "sum()")],
            "no-division": (" / powers.sum(-1, keepdim=True)", ""),
            "no-powers": ("torch.exp(scores - scores.max(-1, keepdim=True).values)", "scores"),
            "in-place": [("torch.exp(scores - scores", "torch.exp(scores.sub_(scores"), (".values", ".values)")],
            "lost-axis": ("sum(-1, keepdim=True)", "sum(-1)"),
            "no-values": (".values", ""),
            "maximum-over-queries": ("max(-1", "max(-2"),
            "sum-over-queries": ("sum(-1", "sum(-2"),
            "sum-of-everything": ("sum(-1, keepdim=True)", "sum()"),
            "over-axis-1": [("max(-1", "max(1"), ("sum(-1", "sum(1")],
            "added-the-maximum": ("scores - ", "scores + "),
            "divided-by-the-maximum": ("scores - ", "scores / "),
            "divided-by-the-power-of-the-maximum": (
                "torch.exp(scores - scores.max(-1, keepdim=True).values)",
                "torch.exp(scores) / torch.exp(scores.max(-1, keepdim=True).values)",
            ),
            "maximum-of-the-sizes": ("scores.max(-1", "scores.abs().max(-1"),
            "maximum-below-only": ("/ powers.sum", "/ torch.exp(scores).sum"),
            "maximum-after-the-powers": (
                "torch.exp(scores - scores.max(-1, keepdim=True).values)",
                "torch.exp(scores) - torch.exp(scores).max(-1, keepdim=True).values",
            ),
            "clamped": ("scores - scores.max(-1, keepdim=True).values", "scores.clamp(max=80)"),
            "epsilon": [
                ("scores - scores.max(-1, keepdim=True).values", "scores"),
                ("powers.sum(-1, keepdim=True)", "(powers.sum(-1, keepdim=True) + 1e-9)"),
            ],
            "in-float64": [
                ("scores - scores.max(-1, keepdim=True).values", "scores.double()"),
                (
                    "return powers / powers.sum(-1, keepdim=True)",
                    "return (powers / powers.sum(-1, keepdim=True)).float()",
                ),
            ],
            "powers-of-2": ("torch.exp(", "torch.exp2("),
            "twice": (
                "return powers / powers.sum(-1, keepdim=True)",
                "return torch.softmax(powers / powers.sum(-1, keepdim=True), -1)",
            ),
            "logarithm": ("return powers / powers.sum(-1, keepdim=True)", "return torch.log_softmax(scores, -1)"),
        },
    ),
    properties={
        "no-nan": lambda given, out: not bool(out.isnan().any()),
        "between-0-and-1": lambda given, out: bool(((out >= 0) & (out <= 1)).all()),
        "rows-sum-to-one": rows_sum_to_one,
    },
)


# 0.2 Which shapes?


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
        "sizes-multiplied": {"context joined to query": (2, 3, 24)},
        "stacked": {"context joined to query": (2, 2, 3, 6)},
        "sum-of-everything": {"sum of the weights over the keys": ()},
        "sum-of-one": {"sum of the weights over the keys": (1,)},
        "sum-removes-nothing": {"sum of the weights over the keys": (2, 3, 5)},
        "summed-over-the-batch": {"sum of the weights over the keys": (3, 5)},
    },
)


# 0.3 A blend dearer than the dearest good.


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
    inputs=lambda generator: [draw(generator, (2, 3, 5), (2, 5, 4)), draw(generator, (4, 2, 3), (4, 3, 6))],
    mistakes={
        "over-queries": lambda scores, value: torch.softmax(scores, dim=1) @ value,
        "over-batch": lambda scores, value: torch.softmax(scores, dim=0) @ value,
        "softmax-after": lambda scores, value: torch.softmax(scores @ value, dim=-1),
        "no-softmax": lambda scores, value: scores @ value,
        "rescaled": lambda scores, value: scores / scores.sum(-1, keepdim=True) @ value,
        "sum-repaired": lambda scores, value: (
            torch.softmax(scores, dim=1) / torch.softmax(scores, dim=1).sum(-1, keepdim=True) @ value
        ),
        "softmax-twice": lambda scores, value: torch.softmax(torch.softmax(scores, dim=1), dim=-1) @ value,
        "softmax-on-softmax": lambda scores, value: torch.softmax(torch.softmax(scores, dim=-1), dim=-1) @ value,
        "best-only": lambda scores, value: nn.functional.one_hot(scores.argmax(-1), scores.shape[-1]).float() @ value,
        "value-normalised": lambda scores, value: torch.softmax(scores, dim=-1) @ torch.softmax(value, dim=-1),
        "not-normalised": lambda scores, value: torch.exp(scores) @ value,
        "over-everything": lambda scores, value: torch.softmax(scores.flatten(1), dim=-1).view(scores.shape) @ value,
        "scaled": lambda scores, value: torch.softmax(scores / scores.shape[-1] ** 0.5, dim=-1) @ value,
    },
)


# 0.4 A product for every item of the batch.


MATRIX_PRODUCT = write(
    "0.4",
    oracle=torch.matmul,
    inputs=lambda generator: [draw(generator, (2, 3, 4), (2, 4, 5)), draw(generator, (3, 5, 2), (3, 2, 4))],
    mistakes={
        "first-item-only": lambda one, two: (one[:1] @ two[:1]).expand(len(one), -1, -1),
        "batch-dropped": lambda one, two: one[0] @ two[0],
        "batch-summed": lambda one, two: torch.einsum("bik,bkj->ij", one, two),
        "batches-crossed": lambda one, two: torch.einsum("bik,ckj->bcij", one, two),
        "transposed": lambda one, two: (one @ two).transpose(-2, -1),
        "last-term": lambda one, two: one[:, :, -1:] @ two[:, -1:, :],
        "elementwise": lambda one, two: one * two,
        "not-summed": lambda one, two: one[:, :, :, None] * two[:, None],
        "summed-over-the-columns": lambda one, two: (one[:, :, :, None] * two[:, None]).sum(-1),
        "summed-over-the-rows": lambda one, two: (one[:, :, :, None] * two[:, None]).sum(1),
        "first-term-missing": lambda one, two: one[:, :, 1:] @ two[:, 1:, :],
        "last-term-missing": lambda one, two: one[:, :, :-1] @ two[:, :-1, :],
        "whole-numbers": lambda one, two: (one @ two).long(),
        "mean": lambda one, two: one @ two / one.shape[-1],
        "summed-apart": lambda one, two: one.sum(-1, keepdim=True) * two.sum(1, keepdim=True),
    },
)


# 0.5 Nearly all on one good.

SHARP = prove(
    "0.5",
    requirements={
        "not-five": lambda answer: as_double(answer).shape == (5,),
        "out-of-range": lambda answer: bool((as_double(answer).abs() <= 3).all()),
        "wrong-good": lambda answer: int(as_double(answer).argmax()) == 2,
        "not-sharp": lambda answer: float(torch.softmax(as_double(answer), dim=0)[2]) > 0.99,
    },
)


# 0.6 Five lines that train.

RATE, MOMENTUM = 0.1, 0.5  # with momentum, one step along four gradients is not four steps along one


def _draw_training(generator):
    one, two = [(1, 3), (1,), (6, 3), (6, 1)], [(2, 2), (2,), (5, 2), (5, 2)]  # weight, bias, inputs, targets
    return [(*draw(generator, *one), 4), (*draw(generator, *two), 3)]


def _run_training(answer, weight, bias, inputs, targets, steps):
    """Builds the model that the answer is to train, and returns the parameters that it leaves behind."""
    model = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        model.weight.copy_(weight)
        model.bias.copy_(bias)
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    answer(model, torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM), inputs, targets, steps)
    if not calls:  # an answer that never asks the model has not been written yet
        raise NotImplementedError
    return model.weight.detach(), model.bias.detach()


def _descend(weight, bias, inputs, targets, steps):
    """The oracle: gradient descent with the derivatives written out, no autograd."""
    paces = torch.zeros_like(weight), torch.zeros_like(bias)
    for _ in range(steps):
        slope = 2 * (inputs @ weight.T + bias - targets) / targets.numel()  # (batch, output)
        paces = MOMENTUM * paces[0] + slope.T @ inputs, MOMENTUM * paces[1] + slope.sum(0)
        weight, bias = weight - RATE * paces[0], bias - RATE * paces[1]
    return weight, bias


def _train(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        loss = nn.functional.mse_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


TRAINING_LOOP = write(
    "0.6",
    oracle=_descend,
    inputs=_draw_training,
    call=_run_training,
    mistakes=edited(
        _train,
        {
            "never-zeroed": ("        optimizer.zero_grad()\n", ""),
            "nothing-moves": ("        optimizer.step()\n", ""),
            "one-step": ("range(steps)", "range(1)"),
            "one-too-many": ("range(steps)", "range(steps + 1)"),
            "one-too-few": ("range(steps)", "range(steps - 1)"),
            "summed": ("(model(inputs), targets)", "(model(inputs), targets, reduction='sum')"),
            "absolute": ("mse_loss", "l1_loss"),
            "uphill": ("loss.backward()", "(-loss).backward()"),
            "step-first": [
                ("        optimizer.step()\n", ""),
                ("        optimizer.zero_grad()", "        optimizer.step()\n        optimizer.zero_grad()"),
            ],
            "loss-outside": [
                ("    for _ in range(steps):\n        loss", "    loss"),
                ("        optimizer.zero_grad()", "    for _ in range(steps):\n        optimizer.zero_grad()"),
            ],
            "loss-outside-kept": [
                ("    for _ in range(steps):\n        loss", "    loss"),
                ("        optimizer.zero_grad()", "    for _ in range(steps):\n        optimizer.zero_grad()"),
                ("backward()", "backward(retain_graph=True)"),
            ],
            "step-outside": [
                ("        optimizer.zero_grad()\n", ""),
                ("    for _", "    optimizer.zero_grad()\n    for _"),
                ("        optimizer.step()", "    optimizer.step()"),
            ],
            "halved": ("loss.backward()", "(loss / 2).backward()"),
            "root": ("loss.backward()", "loss.sqrt().backward()"),
            "squared-mean": ("nn.functional.mse_loss(model(inputs), targets)", "(model(inputs) - targets).mean() ** 2"),
            "signed": ("nn.functional.mse_loss(model(inputs), targets)", "(model(inputs) - targets).mean()"),
            "summed-over-outputs": (
                "nn.functional.mse_loss(model(inputs), targets)",
                "((model(inputs) - targets) ** 2).sum(-1).mean()",
            ),
            "one-by-one": [
                (
                    "        loss = nn",
                    "      for inputs_one, targets_one in zip(inputs, targets, strict=True):\n        loss = nn",
                ),
                ("model(inputs), targets)", "model(inputs_one), targets_one)"),
            ],
        },
    ),
)

# 0.7 Read an alignment.

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
        "one-a-number": {"sum of all weights": 12},
        "no-key-4": {"key that nobody looks at": 4},
        "a-weight-and-no-key": {"key that query 0 looks at most": 0.7},
        "a-weight-and-no-query": {"query that looks at key 1 most": 0.7},
        "least-in-its-row": {"key that nobody looks at": 0},
    },
)

EXERCISES = [SOFTMAX, SHAPES, WRONG_AXIS, MATRIX_PRODUCT, SHARP, TRAINING_LOOP, READING]
