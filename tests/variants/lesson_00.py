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


# 0.7 alignment
READING = {
    "key that query 0 looks at most": 2,
    "query that looks at key 1 most": 2,
    "key that nobody looks at": 3,
    "sum of all weights": 3,
}

RIGHT = {
    "0.1": [softmax_matrix, softmax_loop, softmax_logsumexp],
    "0.2": [SHAPES, {label: list(shape) for label, shape in SHAPES.items()}],
    "0.3": [blend_matrix, blend_loop, blend_einsum],
    "0.4": [product_loops, product_einsum, product_broadcast],
    "0.5": [[-3, -3, 3, -3, -3], torch.tensor([-3.0, -2.995, 3.0, -3.0, -3.0])],
    "0.6": [five_lines, zeroed_at_the_end],
    "0.7": [READING, {label: float(number) for label, number in READING.items()}],
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
    },
    "0.3": {
        "over-queries": [still_over_queries],
        "over-batch": [over_the_batch],
        "softmax-after": [mixes_then_normalises],
        "no-softmax": [raw_scores],
        "rescaled": [shares_of_the_sum],
        "sum-repaired": [repairs_the_sum],
    },
    "0.4": {
        "first-item-only": [batch_index_stuck],
        "batch-dropped": [item_zero],
        "batch-summed": [adds_the_items],
        "batches-crossed": [every_item_with_every_other],
        "transposed": [swapped],
        "last-term": [sets_instead_of_adding],
        "elementwise": [star],
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
    },
}
UNTOUCHED = {}
