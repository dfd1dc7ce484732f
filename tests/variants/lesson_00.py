"""Right and wrong answers to the exercises of lesson 00, written independently of the bank."""

import math

import torch
import torch.nn.functional as F


# 0.1 softmax
def softmax_matrix(scores):
    powers = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def softmax_loop(scores):
    rows = []
    for row in scores.reshape(-1, scores.shape[-1]).tolist():
        top = max(row)
        powers = [math.exp(score - top) for score in row]
        rows.append([power / sum(powers) for power in powers])
    return torch.tensor(rows).reshape(scores.shape)


def softmax_logsumexp(scores):
    return torch.exp(scores - torch.logsumexp(scores, dim=-1, keepdim=True))


def powers_of_e_only(scores):
    return (math.e**scores) / (math.e**scores).sum(dim=-1)[..., None]


def middle_of_the_row(scores):
    moved = (scores - torch.quantile(scores, 0.5, dim=-1, keepdim=True)).exp()
    return moved / moved.sum(dim=-1)[..., None]


def lowest_of_the_row(scores):
    moved = (scores - scores.amin(dim=-1)[..., None]).exp()
    return moved / moved.sum(dim=-1)[..., None]


def global_top(scores):
    shifted = scores - float(scores.flatten().sort().values[-1])
    return shifted.exp() / shifted.exp().sum(dim=-1).unsqueeze(-1)


def shares_of_the_largest_power(scores):
    powers = scores.exp() / scores.amax(dim=-1, keepdim=True).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def columns(scores):
    turned = scores.transpose(-1, -2)
    powers = (turned - turned.amax(dim=-1, keepdim=True)).exp()
    return (powers / powers.sum(dim=-1, keepdim=True)).transpose(-1, -2)


def first_axis(scores):
    powers = (scores - scores.amax(dim=0)).exp()
    return powers / powers.sum(dim=0)


def all_at_once(scores):
    powers = (scores - scores.max()).exp()
    return powers / powers.sum()


def undivided(scores):
    return (scores - torch.max(scores, dim=-1, keepdim=True)[0]).exp()


def proportions(scores):
    return scores / torch.einsum("...k->...", scores).unsqueeze(-1)


def writes_into_the_argument(scores):
    scores.sub_(scores.amax(dim=-1, keepdim=True))
    return scores.exp() / scores.exp().sum(dim=-1, keepdim=True)


def forgets_keepdim(scores):
    return F.softmax(scores - scores.amax(dim=-1), dim=-1)


def pair_of_maximum(scores):
    shifted = torch.exp(scores - torch.max(scores, -1, keepdim=True))
    return shifted / shifted.sum(-1, keepdim=True)


def _shares(powers):
    return powers / torch.einsum("...k->...", powers)[..., None]


def shifted_by_columns(scores):
    return _shares(torch.exp(scores - scores.amax(-2)[..., None, :]))


def divided_by_columns(scores):
    powers = torch.exp(scores - scores.amax(-1)[..., None])
    return powers / torch.einsum("...qk->...k", powers)[..., None, :]


def divided_by_all(scores):
    powers = torch.exp(scores - scores.amax(-1, keepdim=True))
    return powers / powers.flatten().sum()


def second_axis(scores):
    return F.softmax(scores, 1)


def sum_of_score_and_top(scores):
    return _shares(torch.exp(scores + scores.amax(-1)[..., None]))


def ratio_to_the_top(scores):
    return _shares(torch.exp(scores / scores.amax(-1)[..., None]))


def furthest_from_zero(scores):
    return _shares(torch.exp(scores - torch.linalg.norm(scores, math.inf, -1, keepdim=True)))


def shifted_above_only(scores):
    return torch.exp(scores - scores.amax(-1)[..., None]) / torch.exp(scores).sum(-1)[..., None]


def shifted_too_late(scores):
    powers = scores.exp()
    return _shares(powers - powers.amax(-1)[..., None])


def cut_off(scores):
    return _shares(torch.exp(torch.minimum(scores, torch.tensor(80.0))))


def guarded_sum(scores):
    powers = scores.exp()
    return powers / (powers.sum(-1) + 1e-9)[..., None]


def with_more_digits(scores):
    powers = torch.exp(scores.to(torch.float64))
    return _shares(powers).to(torch.float32)


def doublings(scores):
    return _shares(2 ** (scores - scores.amax(-1)[..., None]))


def softmax_of_softmax(scores):
    return F.softmax(F.softmax(scores, -1), -1)


def logarithms(scores):
    return scores - torch.logsumexp(scores, -1, keepdim=True)


# 0.2 shapes
SHAPES = {
    "scores": (2, 3, 5),
    "sum of the weights over the keys": (2, 3),
    "context": (2, 3, 6),
    "context joined to query": (2, 3, 10),
}


# 0.3 blend
def blend_matrix(scores, value):
    return scores.softmax(dim=-1) @ value


def blend_loop(scores, value):
    rows = []
    for table, goods in zip(scores, value, strict=True):
        for row in table:
            weights = torch.softmax(row, dim=0)
            rows.append(sum(weight * good for weight, good in zip(weights, goods, strict=True)))
    return torch.stack(rows).view(*scores.shape[:2], -1)


def blend_einsum(scores, value):
    return torch.einsum("bqk,bks->bqs", F.softmax(scores, -1), value)


def still_over_queries(scores, value):
    return torch.stack([first_axis(table) @ goods for table, goods in zip(scores, value, strict=True)])


def over_the_batch(scores, value):
    return torch.einsum("bqk,bks->bqs", first_axis(scores), value)


def mixes_then_normalises(scores, value):
    return softmax_matrix(torch.einsum("bqk,bks->bqs", scores, value))


def raw_scores(scores, value):
    return torch.bmm(scores, value)


def shares_of_the_sum(scores, value):
    return torch.bmm(proportions(scores), value)


def repairs_the_sum(scores, value):
    weights = columns(scores)
    for table in weights:
        for row in table:
            row /= row.sum()
    return torch.bmm(weights, value)


def softmax_over_both_axes(scores, value):
    return torch.bmm(F.softmax(columns(scores), -1), value)


def weights_of_weights(scores, value):
    return torch.einsum("bqk,bks->bqs", softmax_of_softmax(scores), value)


def dearest_alone(scores, value):
    best = scores.argmax(-1)
    return torch.stack([value[b][best[b]] for b in range(len(value))])


def values_as_weights(scores, value):
    return torch.bmm(softmax_matrix(scores), softmax_matrix(value))


def undivided_blend(scores, value):
    return torch.einsum("bqk,bks->bqs", scores.exp(), value)


# 0.4 product
def product_loops(one, two):
    result = torch.zeros(one.shape[0], one.shape[1], two.shape[2])
    for b in range(one.shape[0]):
        for i in range(one.shape[1]):
            for j in range(two.shape[2]):
                for k in range(one.shape[2]):
                    result[b, i, j] += one[b, i, k] * two[b, k, j]
    return result


def product_einsum(one, two):
    return torch.einsum("bik,bkj->bij", one, two)


def product_broadcast(one, two):
    return (one[:, :, :, None] * two[:, None, :, :]).sum(dim=2)


def batch_index_stuck(one, two):
    result = torch.zeros(one.shape[0], one.shape[1], two.shape[2])
    for b in range(one.shape[0]):
        result[b] = torch.matmul(one[0], two[0])
    return result


def item_zero(one, two):
    return torch.einsum("ik,kj->ij", one[0], two[0])


def adds_the_items(one, two):
    return torch.bmm(one, two).sum(dim=0)


def every_item_with_every_other(one, two):
    return one[:, None] @ two[None]


def swapped(one, two):
    return torch.einsum("bik,bkj->bji", one, two)


def sets_instead_of_adding(one, two):
    result = torch.zeros(one.shape[0], one.shape[1], two.shape[2])
    for b in range(one.shape[0]):
        for i in range(one.shape[1]):
            for j in range(two.shape[2]):
                for k in range(one.shape[2]):
                    result[b, i, j] = one[b, i, k] * two[b, k, j]
    return result


def star(one, two):
    return torch.mul(one, two)


def all_products(one, two):
    return torch.einsum("bik,bkj->bikj", one, two)


def over_columns(one, two):
    return torch.einsum("bik,bkj->bik", one, two)


def over_rows(one, two):
    return torch.einsum("bik,bkj->bkj", one, two)


def _adds(terms):
    def product(one, two):
        result = torch.zeros(one.shape[0], one.shape[1], two.shape[2])
        for k in terms(one.shape[2]):
            result += one[:, :, k].unsqueeze(2) * two[:, k].unsqueeze(1)
        return result

    return product


def into_whole_numbers(one, two):
    result = torch.zeros(one.shape[0], one.shape[1], two.shape[2], dtype=torch.int64)
    for b in range(one.shape[0]):
        for i in range(one.shape[1]):
            for j in range(two.shape[2]):
                result[b, i, j] = torch.dot(one[b, i], two[b, :, j])
    return result


def average_of_products(one, two):
    return (one[:, :, :, None] * two[:, None, :, :]).mean(dim=2)


# 0.6 training loop
def five_lines(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        loss = F.mse_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def zeroed_at_the_end(model, optimizer, inputs, targets, steps):
    step = 0
    while step < steps:
        ((model(inputs) - targets) ** 2).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        step += 1


def piles_up(model, optimizer, inputs, targets, steps):
    while steps:
        (model(inputs) - targets).square().mean().backward()
        optimizer.step()
        steps -= 1


def zeroed_before_the_step(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        F.mse_loss(model(inputs), targets).backward()
        optimizer.zero_grad()
        optimizer.step()


def never_steps(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(model(inputs), targets).backward()


def returns_inside(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        loss = F.mse_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss


def counts_one_too_far(model, optimizer, inputs, targets, steps):
    for _ in range(0, steps + 1):
        optimizer.zero_grad()
        (model(inputs) - targets).pow(2).mean().backward()
        optimizer.step()


def starts_at_one(model, optimizer, inputs, targets, steps):
    for _ in range(1, steps):
        (model(inputs) - targets).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()


def sums(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(model(inputs), targets, reduction="sum").backward()
        optimizer.step()


def absolute_errors(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        (model(inputs) - targets).abs().mean().backward()
        optimizer.step()


def walks_uphill(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        (-(model(inputs) - targets).square()).mean().backward()
        optimizer.step()


def steps_before_backward(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        error = (model(inputs) - targets).square().mean()
        optimizer.step()
        model.zero_grad()
        error.backward()


def predicts_once(model, optimizer, inputs, targets, steps):
    predicted = model(inputs)
    for _ in range(steps):
        model.zero_grad()
        (predicted - targets).square().mean().backward()
        optimizer.step()


def keeps_one_graph(model, optimizer, inputs, targets, steps):
    loss = (model(inputs) - targets).square().mean()
    while steps > 0:
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        optimizer.step()
        steps -= 1


def steps_behind_the_loop(model, optimizer, inputs, targets, steps):
    model.zero_grad()
    while steps:
        (model(inputs) - targets).pow(2).mean().backward()
        steps -= 1
    optimizer.step()


def with_a_closure(model, optimizer, inputs, targets, steps):
    def closure():
        model.zero_grad()
        loss = (model(inputs) - targets).pow(2).mean()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)


def _trains(loss):
    def train(model, optimizer, inputs, targets, steps):
        for _ in range(steps):
            model.zero_grad()
            loss(model(inputs) - targets).backward()
            optimizer.step()

    return train


def item_after_item(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        for row in range(len(inputs)):
            optimizer.zero_grad()
            (model(inputs[row]) - targets[row]).square().mean().backward()
            optimizer.step()


# 0.7 alignment
READING = {
    "key that query 0 looks at most": 2,
    "query that looks at key 1 most": 2,
    "key that nobody looks at": 3,
    "sum of all weights": 3,
}

RIGHT = {
    "0.1": [softmax_matrix, softmax_loop, softmax_logsumexp, lambda scores: scores.softmax(-1)],
    "0.2": [
        SHAPES,
        {label: list(shape) for label, shape in SHAPES.items()},
        {label: " x ".join(map(str, shape)) for label, shape in SHAPES.items()},
    ],
    "0.3": [blend_matrix, blend_loop, blend_einsum],
    "0.4": [product_loops, product_einsum, product_broadcast, torch.bmm],
    "0.5": [[-3, -3, 3, -3, -3], torch.tensor([-3.0, -2.995, 3.0, -3.0, -3.0]), (-3, -2.99, 2.999, -3, -3.0)],
    "0.6": [five_lines, zeroed_at_the_end, with_a_closure, _trains(lambda error: error.square().mean())],
    "0.7": [
        READING,
        {label: float(number) for label, number in READING.items()},
        {label.title(): str(number) for label, number in READING.items()},
    ],
}
WRONG = {
    "0.1": {
        "no-maximum": [powers_of_e_only],
        "not-the-maximum": [middle_of_the_row, lowest_of_the_row],
        "one-maximum": [global_top],
        "over-queries": [columns],
        "over-first": [first_axis],
        "over-everything": [all_at_once],
        "no-division": [undivided],
        "no-powers": [proportions],
        "in-place": [writes_into_the_argument],
        "lost-axis": [forgets_keepdim],
        "no-values": [pair_of_maximum],
        "maximum-over-queries": [shifted_by_columns],
        "sum-over-queries": [divided_by_columns],
        "sum-of-everything": [divided_by_all],
        "over-axis-1": [second_axis],
        "added-the-maximum": [sum_of_score_and_top],
        "divided-by-the-maximum": [ratio_to_the_top],
        "divided-by-the-power-of-the-maximum": [shares_of_the_largest_power],
        "maximum-of-the-sizes": [furthest_from_zero],
        "maximum-below-only": [shifted_above_only],
        "maximum-after-the-powers": [shifted_too_late],
        "clamped": [cut_off],
        "epsilon": [guarded_sum],
        "in-float64": [with_more_digits],
        "powers-of-2": [doublings],
        "twice": [softmax_of_softmax],
        "logarithm": [logarithms],
    },
    "0.2": {
        "keys-down": [SHAPES | {"scores": (2, 5, 3), "context joined to query": (2, 3, 6)}],
        "features-kept": [SHAPES | {"scores": [2, 3, 4]}],
        "batch-lost": [SHAPES | {"scores": (3, 5)}],
        "size-of-the-key": [SHAPES | {"context": (2, 3, 4), "context joined to query": (2, 3, 8)}],
        "context-per-key": [SHAPES | {"context": (2, 5, 6)}],
        "axis-kept": [SHAPES | {"sum of the weights over the keys": (2, 3, 1)}],
        "summed-over-queries": [SHAPES | {"sum of the weights over the keys": (2, 5)}],
        "joined-below": [SHAPES | {"context joined to query": torch.Size([2, 6, 6])}],
        "sizes-multiplied": [SHAPES | {"context joined to query": [2, 3, 24]}],
        "stacked": [SHAPES | {"context joined to query": [2, 2, 3, 6]}],
        "sum-of-everything": [SHAPES | {"sum of the weights over the keys": torch.Size([])}],
        "sum-of-one": [SHAPES | {"sum of the weights over the keys": [1]}],
        "sum-removes-nothing": [SHAPES | {"sum of the weights over the keys": [2, 3, 5]}],
        "summed-over-the-batch": [SHAPES | {"sum of the weights over the keys": [3, 5]}],
    },
    "0.3": {
        "over-queries": [still_over_queries],
        "over-batch": [over_the_batch],
        "softmax-after": [mixes_then_normalises],
        "no-softmax": [raw_scores],
        "rescaled": [shares_of_the_sum],
        "sum-repaired": [repairs_the_sum],
        "softmax-twice": [softmax_over_both_axes],
        "softmax-on-softmax": [weights_of_weights],
        "best-only": [dearest_alone],
        "value-normalised": [values_as_weights],
        "not-normalised": [undivided_blend],
        "over-everything": [
            lambda scores, value: scores.exp() / scores.exp().sum((1, 2), keepdim=True) @ value,
        ],
        "scaled": [lambda s, v: F.scaled_dot_product_attention(s, torch.eye(s.shape[2]).expand(len(s), -1, -1), v)],
    },
    "0.4": {
        "first-item-only": [batch_index_stuck],
        "batch-dropped": [item_zero],
        "batch-summed": [adds_the_items],
        "batches-crossed": [every_item_with_every_other],
        "transposed": [swapped],
        "last-term": [sets_instead_of_adding],
        "elementwise": [star],
        "not-summed": [all_products],
        "summed-over-the-columns": [over_columns],
        "summed-over-the-rows": [over_rows],
        "first-term-missing": [_adds(lambda size: range(1, size))],
        "last-term-missing": [_adds(lambda size: range(size - 1))],
        "whole-numbers": [into_whole_numbers],
        "mean": [average_of_products],
        "summed-apart": [lambda one, two: torch.einsum("bnk,bjm->bnm", one, two)],
    },
    "0.5": {
        "not-five": [[3, -3], [[-3, -3, 3, -3, -3]]],
        "out-of-range": [[0, 0, 5, 0, 0], [-5, -5, 3, -5, -5]],
        "wrong-good": [[3, -3, -3, -3, -3], [-3.0, -3, -3, 3, -3]],
        "not-sharp": [[0, 0, 3, 0, 0], [-2, -2, 3, -2, -2]],
    },
    "0.6": {
        "never-zeroed": [piles_up],
        "nothing-moves": [zeroed_before_the_step, never_steps],
        "one-step": [returns_inside],
        "one-too-many": [counts_one_too_far],
        "one-too-few": [starts_at_one],
        "summed": [sums],
        "absolute": [absolute_errors],
        "uphill": [walks_uphill],
        "step-first": [steps_before_backward],
        "loss-outside": [predicts_once],
        "loss-outside-kept": [keeps_one_graph],
        "step-outside": [steps_behind_the_loop],
        "halved": [_trains(lambda error: error.square().mean() / 2)],
        "root": [_trains(lambda error: error.square().mean().sqrt())],
        "squared-mean": [_trains(lambda error: error.mean().square())],
        "signed": [_trains(lambda error: error.mean())],
        "summed-over-outputs": [_trains(lambda error: error.square().sum(dim=1).mean())],
        "one-by-one": [item_after_item],
    },
    "0.7": {
        "columns-as-queries": [
            READING | {"key that query 0 looks at most": 1, "query that looks at key 1 most": 0},
        ],
        "counted-from-one": [
            {
                "key that query 0 looks at most": 3,
                "query that looks at key 1 most": 3,
                "key that nobody looks at": 4,
                "sum of all weights": 3,
            }
        ],
        "in-the-row-of-the-key": [READING | {"query that looks at key 1 most": 1}],
        "all-sum-to-one": [READING | {"sum of all weights": 1.0}],
        "a-weight-per-key": [READING | {"sum of all weights": 4}],
        "one-a-number": [READING | {"sum of all weights": 12.0}],
        "no-key-4": [READING | {"key that nobody looks at": 4}],
        "a-weight-and-no-key": [READING | {"key that query 0 looks at most": 0.7}],
        "a-weight-and-no-query": [READING | {"query that looks at key 1 most": 0.7}],
        "least-in-its-row": [READING | {"key that nobody looks at": 0}],
    },
}
UNTOUCHED = {}
