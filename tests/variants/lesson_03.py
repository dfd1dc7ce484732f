"""Answers to the exercises of lesson 03, written apart from the bank: right ones, and one for each known mistake."""

import math

import torch
import torch.nn.functional as F

# 3.1


def by_einsum(x, w_query, w_key, w_value):
    q, k, v = (torch.einsum("...li,io->...lo", x, w) for w in (w_query, w_key, w_value))
    weights = torch.einsum("...qo,...ko->...qk", q, k).div(w_query.shape[1] ** 0.5).softmax(-1)
    return torch.einsum("...qk,...kv->...qv", weights, v)


def by_loops(x, w_query, w_key, w_value):
    if x.dim() > 2:
        return torch.stack([by_loops(one, w_query, w_key, w_value) for one in x])
    rows = []
    for asking in x:
        scores = torch.stack([(asking @ w_query).dot(found @ w_key) for found in x]) / math.sqrt(w_key.shape[1])
        shares = scores.exp() / scores.exp().sum()
        rows.append(sum(share * (said @ w_value) for share, said in zip(shares, x, strict=True)))
    return torch.stack(rows)


def of_projected(mix):
    def answer(x, w_query, w_key, w_value):
        return mix((x @ w_query) @ (x @ w_key).mT, x @ w_value, w_query.size(1))

    return answer


def keys_dealt_out(x, w_query, w_key, w_value):
    q, k = x @ w_query, x @ w_key
    scores = q @ k.contiguous().view(*k.shape[:-2], k.size(-1), k.size(-2)) / q.size(-1) ** 0.5
    return scores.softmax(-1) @ (x @ w_value)


def no_root(x, w_query, w_key, w_value):
    return torch.softmax((x @ w_query) @ (x @ w_key).mT, -1) @ (x @ w_value)


def root_of_x(x, w_query, w_key, w_value):
    return torch.softmax((x @ w_query) @ (x @ w_key).mT * x.size(-1) ** -0.5, -1) @ (x @ w_value)


def columns(x, w_query, w_key, w_value):
    e = torch.exp((x @ w_query) @ (x @ w_key).mT / math.sqrt(w_key.size(1)))
    return (e / e.sum(dim=-2, keepdim=True)) @ (x @ w_value)


def mixes_x(x, w_query, w_key, w_value):
    return F.scaled_dot_product_attention(x @ w_query, x @ w_key, x)


def keys_ask(x, w_query, w_key, w_value):
    return F.scaled_dot_product_attention(x @ w_key, x @ w_query, x @ w_value)


def asks_for_itself(x, w_query, w_key, w_value):
    asked = x @ w_query
    return F.scaled_dot_product_attention(asked, asked, x @ w_value)


def second_axis(x, w_query, w_key, w_value):
    e = torch.exp((x @ w_query) @ (x @ w_key).mT / math.sqrt(w_key.size(1)))
    return (e / e.sum(dim=1, keepdim=True)) @ (x @ w_value)


def like_the_lesson(x, w_query, w_key, w_value):
    weights = F.softmax((x @ w_query) @ (x @ w_key).mT * w_key.size(1) ** -0.5, dim=-1)
    return [weights @ x @ w_value, weights]


def by_fused(x, w_query, w_key, w_value):
    return F.scaled_dot_product_attention(x @ w_query, x @ w_key, x @ w_value)


def parts_of(x, w_query, w_key, w_value):
    return x.matmul(w_query), x.matmul(w_key), x.matmul(w_value)


def turned_round(x, *w):
    q, k, v = parts_of(x, *w)
    return q.matmul(k.permute(*range(k.dim() - 1, -1, -1))).div(k.size(-1) ** 0.5).softmax(-1).matmul(v)


def by_the_size(x, *w):
    q, k, v = parts_of(x, *w)
    return F.scaled_dot_product_attention(q, k, v, scale=1 / k.size(-1))


def root_twice(x, *w):
    q, k, v = parts_of(x, *w)
    return F.scaled_dot_product_attention(q * k.size(-1) ** -0.5, k, v)


def columns_without_root(x, *w):
    q, k, v = parts_of(x, *w)
    return torch.einsum("...qo,...ko->...qk", q, k).softmax(-2) @ v


def rows_of_x_without_root(x, *w):
    q, k, _ = parts_of(x, *w)
    return F.scaled_dot_product_attention(q, k, x, scale=1.0)


def scores_mix(x, *w):
    q, k, v = parts_of(x, *w)
    return torch.einsum("...qo,...ko,...kv->...qv", q, k, v) * k.size(-1) ** -0.5


def bare(x, w_query, w_key, w_value):
    return F.scaled_dot_product_attention(x, x, x @ w_value)


# 3.2


def sdpa(parts):
    return F.scaled_dot_product_attention(*parts)


def split_then_ask(x, weight):
    return sdpa((x @ weight.T).split(x.shape[-1], dim=-1))


def view_then_unbind(x, weight):
    return sdpa(F.linear(x, weight).unflatten(-1, (3, x.shape[-1])).unbind(dim=-2))


def token_by_token(x, weight):
    out = torch.zeros_like(x)
    for b, tokens in enumerate(x):
        packed = tokens @ weight.T
        size = x.shape[-1]
        for i in range(len(tokens)):
            scores = packed[i, :size] @ packed[:, size : 2 * size].T / size**0.5
            out[b, i] = torch.softmax(scores, 0) @ packed[:, 2 * size :]
    return out


def cuts_features(x, weight):
    n = x.shape[-1] // 3
    packed = (x @ weight.T).reshape(*x.shape[:2], 3, x.shape[-1])
    return sdpa([packed[..., :n], packed[..., n : 2 * n], packed[..., 2 * n :]]).flatten(-2)


def triples(x, weight):
    packed = x @ weight.T
    return sdpa([packed[..., start::3] for start in range(3)])


def groups_of_tokens(x, weight):
    packed = x @ weight.T
    n = x.shape[1] // 3
    return sdpa([packed[:, :n], packed[:, n : 2 * n], packed[:, 2 * n :]])


def key_before_query(x, weight):
    k, q, v = (x @ weight.T).split(x.shape[-1], dim=-1)
    return sdpa([q, k, v])


def root_of_the_stack(x, weight):
    q, k, v = (x @ weight.T).split(x.shape[-1], dim=-1)
    return F.scaled_dot_product_attention(q, k, v, scale=weight.shape[0] ** -0.5)


def mixed_without_a_softmax(x, weight):
    q, k, v = (x @ weight.T).split(x.shape[-1], dim=-1)
    return torch.einsum("bqd,bkd->bqk", q, k) / x.shape[-1] ** 0.5 @ v


def root_lost(x, weight):
    return F.scaled_dot_product_attention(*(x @ weight.T).split(x.shape[-1], dim=-1), scale=1.0)


def value_in_the_middle(x, weight):
    q, v, k = (x @ weight.T).unflatten(-1, (3, -1)).unbind(-2)
    return sdpa([q, k, v])


def axis_left(x, weight):
    packed = (x @ weight.T).unflatten(-1, (3, -1))
    return sdpa([packed[:, :, place : place + 1] for place in range(3)])


def key_first_root_lost(x, weight):
    k, q, v = (x @ weight.T).split(x.shape[-1], dim=-1)
    return F.scaled_dot_product_attention(q, k, v, scale=1.0)


def columns_of_packed(x, weight):
    q, k, v = (x @ weight.T).split(x.shape[-1], dim=-1)
    return (q @ k.mT * x.shape[-1] ** -0.5).softmax(1) @ v


def packed_by_the_size(x, weight):
    q, k, v = (x @ weight.T).split(x.shape[-1], dim=-1)
    return F.scaled_dot_product_attention(q, k, v, scale=1 / x.shape[-1])


# 3.3


def with_einsum(query, key, value):
    scores = torch.einsum("...qs,...ks->...qk", query, key) * query.shape[-1] ** -0.5
    return torch.einsum("...qk,...kv->...qv", F.softmax(scores, -1), value)


def with_exponentials(query, key, value):
    e = torch.exp(query @ key.mT / math.sqrt(key.size(-1)))
    return (e @ value) / e.sum(-1, keepdim=True)


def as_found(query, key, value):
    s = query @ key.mT
    return s.mul(s.softmax(-1)) @ value


def with_root_but_product(query, key, value):
    s = query @ key.mT * key.size(-1) ** -0.5
    return s.mul(s.softmax(-1)) @ value


def without_root(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, scale=1.0)


def softmax_twice(query, key, value):
    s = query @ key.mT * key.size(-1) ** -0.5
    return F.softmax(F.softmax(s, -1) * s, -1) @ value


def sums_repaired(query, key, value):
    s = query @ key.mT * key.size(-1) ** -0.5
    e = s * s.exp()  # the softmax's own sum cancels
    return (e @ value) / e.sum(-1, keepdim=True)


def mean_divided(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, scale=1.0) * query.size(-1) ** -0.5


def columns_of_the_scores(query, key, value):
    e = torch.exp(query @ key.mT * key.size(-1) ** -0.5)
    return (e / e.sum(-2)[..., None, :]) @ value


def fused(query, key, value):
    return F.scaled_dot_product_attention(query, key, value)


def size_for_root(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, scale=1 / key.size(-1))


def mixed_by_scores(query, key, value):
    return torch.einsum("...qs,...ks->...qk", query, key).mul(key.size(-1) ** -0.5) @ value


def bare_columns(query, key, value):
    return F.softmax(query @ key.mT, -2) @ value


def count_for_size(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, scale=key.size(-2) ** -0.5)


# 3.4

A = torch.tensor([[0.1, 0.6, 0.1, 0.2], [0.5, 0.2, 0.0, 0.3], [0.05, 0.05, 0.2, 0.7], [0.15, 0.4, 0.35, 0.1]])
FORTH = torch.tensor([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]])


def moved(rows, columns):
    return torch.stack([torch.stack([A[i, j] for j in columns]) for i in rows])


# 3.5


def one_leader():
    tokens = torch.zeros(6, 64)
    tokens[:, 0] = 5
    tokens[5, 0] = 50
    for i in range(5):
        tokens[i, i + 1] = 2
    return tokens


def growing():
    direction = torch.ones(64) / 8
    return [(direction * length).tolist() for length in (4.0, 5.5, 7.0, 8.5, 10.0, 60.0)]


def two_look_away():
    tokens = 8 * torch.eye(6, 64)
    tokens[0] = tokens[5] + torch.eye(64)[10]
    tokens[5] *= 4
    tokens[1] = tokens[5] / 4 + torch.eye(64)[11]
    return tokens


# 3.6


def row_by_row(scores, noise, costs, baseline):
    total = 0.0
    for s, n, c in zip(scores, noise, costs, strict=True):
        j = int(torch.argmax(s + n))
        total = total + (float(c[j]) - baseline) * (s[j] - torch.logsumexp(s, 0))
    return total / len(scores)


def with_one_hot(scores, noise, costs, baseline):
    choice = F.one_hot((scores + noise).argmax(1), scores.size(1))
    return ((choice * costs).sum(1) - baseline) @ (choice * F.log_softmax(scores, 1)).sum(1) / scores.size(0)


def with_cross_entropy(scores, noise, costs, baseline):
    picked = (scores + noise).argmax(1)
    over = costs[torch.arange(len(costs)), picked] - baseline
    return -(over * F.cross_entropy(scores, picked, reduction="none")).mean()


def from_picked(picked, scores, over):
    return -(over * F.cross_entropy(scores, picked, reduction="none")).mean()


def paid(costs, picked):
    return costs[torch.arange(len(costs)), picked]


def with_the_score(scores, noise, costs, baseline):
    picked = (scores + noise).argmax(1)
    return ((paid(costs, picked) - baseline) * scores[torch.arange(len(scores)), picked]).mean()


def in_a_square(scores, noise, costs, baseline):
    picked = (scores + noise).argmax(1)
    logs = scores.log_softmax(1)[torch.arange(len(scores)), picked]
    return ((paid(costs, picked) - baseline)[:, None] * logs).mean()


def with_the_chance(scores, noise, costs, baseline):
    picked = (scores + noise).argmax(1)
    return ((paid(costs, picked) - baseline) * scores.softmax(1)[torch.arange(len(scores)), picked]).mean()


def always_the_best(scores, noise, costs, baseline):
    return from_picked(scores.argmax(1), scores, paid(costs, scores.argmax(1)) - baseline)


def noisy_chance(scores, noise, costs, baseline):
    picked = (scores + noise).argmax(1)
    return from_picked(picked, scores + noise, paid(costs, picked) - baseline)


def plus_baseline(scores, noise, costs, baseline):
    picked = (scores + noise).argmax(1)
    return from_picked(picked, scores, baseline + paid(costs, picked))


def bare_cost(scores, noise, costs, baseline):
    picked = (scores + noise).argmax(1)
    return from_picked(picked, scores, paid(costs, picked))


def added_up(scores, noise, costs, baseline):
    return row_by_row(scores, noise, costs, baseline) * len(scores)


def as_a_reward(scores, noise, costs, baseline):
    picked = (scores + noise).argmax(1)
    return from_picked(picked, scores, baseline - paid(costs, picked))


def counted(scores, noise, costs, baseline):
    return torch.einsum("bk,bk->b", F.softmax(scores, 1), costs).sum() / scores.size(0) - baseline


def smallest(scores, noise, costs, baseline):
    picked = (scores + noise).argmin(1)
    return from_picked(picked, scores, paid(costs, picked) - baseline)


def less_noise(scores, noise, costs, baseline):
    picked = (scores - noise).argmax(1)
    return from_picked(picked, scores, paid(costs, picked) - baseline)


def rewards_added_up(scores, noise, costs, baseline):
    return -row_by_row(scores, noise, costs, baseline) * len(scores)


def bare_cost_added_up(scores, noise, costs, baseline):
    return row_by_row(scores, noise, costs, 0.0) * len(scores)


def noisy_chance_bare_cost(scores, noise, costs, baseline):
    picked = (scores + noise).argmax(1)
    return from_picked(picked, scores + noise, paid(costs, picked))


# 3.7


def one_at_the_best(scores):
    return torch.zeros_like(scores).scatter(-1, scores.argmax(-1, keepdim=True), 1.0)


def hard_plus_soft(scores, noise, temperature):
    return one_at_the_best(scores + noise).detach() + ((scores + noise) / temperature).softmax(-1)


def hard_minus_soft_detached(scores, noise, temperature):
    soft = F.softmax((scores + noise).div(temperature), -1)
    return soft + (one_at_the_best(scores + noise) - soft).detach()


class Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores, noise, temperature):
        ctx.save_for_backward(((scores + noise) / temperature).softmax(-1))
        ctx.temperature = temperature
        return one_at_the_best(scores + noise)

    @staticmethod
    def backward(ctx, gradient):
        (soft,) = ctx.saved_tensors
        inner = (gradient * soft).sum(-1, keepdim=True)
        return soft * (gradient - inner) / ctx.temperature, None, None


def returns_softmax(scores, noise, temperature):
    e = torch.exp((scores + noise) / temperature)
    return e / e.sum(-1, keepdim=True)


def all_detached(scores, noise, temperature):
    soft = F.softmax((scores + noise) / temperature, -1)
    return one_at_the_best(scores + noise) + soft.detach() - soft.detach()


def cancels(scores, noise, temperature):
    soft = F.softmax((scores + noise) / temperature, -1)
    return one_at_the_best(scores + noise) + soft - soft


def joined(hard_from, soft):
    return one_at_the_best(hard_from).detach() + soft - soft.detach()


def clean_softmax(scores, noise, temperature):
    return joined(scores + noise, F.softmax(scores / temperature, -1))


def no_noise(scores, noise, temperature):
    return joined(scores, F.softmax(scores / temperature, -1))


def hotter_is_sharper(scores, noise, temperature):
    return joined(scores + noise, F.softmax((scores + noise).mul(temperature), -1))


def as_many_as_chosen(scores, noise, temperature):
    soft = F.softmax((scores + noise) / temperature, -1)
    return F.one_hot(soft.argmax(-1)) - soft.detach() + soft


def temperature_unused(scores, noise, temperature):
    return joined(scores + noise, F.softmax(scores + noise, -1))


def minus_soft(scores, noise, temperature):
    soft = F.softmax((scores + noise).div(temperature), -1)
    return (one_at_the_best(scores + noise) + soft).detach() - soft


def best_without_noise(scores, noise, temperature):
    return joined(scores, F.softmax((scores + noise) / temperature, -1))


def softmax_of_scores(scores, noise, temperature):
    return joined(scores + noise, scores.softmax(-1))


def scores_cooled_alone(scores, noise, temperature):
    return joined(scores + noise, F.softmax(scores.div(temperature) + noise, -1))


def stop_then_go(scores, noise, temperature):
    noisy = scores + noise
    soft = F.softmax(noisy / temperature, -1)
    return torch.where(noisy == noisy.amax(-1, keepdim=True), 1 + soft - soft.detach(), soft - soft.detach())


RIGHT = {
    "3.1": [by_einsum, by_loops, by_fused],
    "3.2": [split_then_ask, view_then_unbind, token_by_token],
    "3.3": [with_einsum, with_exponentials, fused],
    "3.4": [
        (FORTH, moved([2, 0, 3, 1], [2, 0, 3, 1])),
        (FORTH.int().tolist(), (FORTH @ A @ FORTH.mT).tolist()),
        (FORTH.bool(), A[[2, 0, 3, 1]][:, [2, 0, 3, 1]].double()),
    ],
    "3.5": [one_leader(), growing(), one_leader().double().requires_grad_()],
    "3.6": [row_by_row, with_one_hot, with_cross_entropy],
    "3.7": [hard_minus_soft_detached, Through.apply, stop_then_go],
}

WRONG = {
    "3.1": {
        "no-root": [no_root],
        "root-of-the-input": [root_of_x],
        "over-queries": [columns],
        "value-is-x": [mixes_x],
        "roles-swapped": [keys_ask],
        "one-projection": [asks_for_itself],
        "over-axis-1": [second_axis],
        "weights-too": [like_the_lesson],
        "all-axes-turned": [turned_round],
        "divided-by-the-size": [by_the_size, root_twice],
        "no-root-over-queries": [columns_without_root],
        "no-root-value-is-x": [rows_of_x_without_root],
        "size-and-two": [of_projected(lambda s, v, size: (s / size**1 / 2).softmax(-1) @ v)],
        "root-too-late": [of_projected(lambda s, v, size: s.softmax(-1) @ v * size**-0.5)],
        "softmax-of-the-mix": [of_projected(lambda s, v, size: (s * size**-0.5 @ v).softmax(-1))],
        "reshaped": [keys_dealt_out],
        "no-softmax": [scores_mix],
        "nobody-projects": [bare],
    },
    "3.2": {
        "features-cut": [cuts_features],
        "interleaved": [triples],
        "time-cut": [groups_of_tokens],
        "keys-first": [key_before_query],
        "root-of-the-packed-size": [root_of_the_stack],
        "no-root": [root_lost],
        "values-as-keys": [value_in_the_middle],
        "last-first": [lambda x, weight: sdpa([x @ w.T for w in reversed(weight.chunk(3))])],
        "three-in-front": [lambda x, weight: sdpa(list((x @ weight.T).reshape(3, *x.shape)))],
        "size-and-two": [
            lambda x, weight: F.scaled_dot_product_attention(
                *(x @ weight.T).split(x.shape[-1], dim=-1), scale=0.5 / x.shape[-1]
            )
        ],
        "no-softmax": [mixed_without_a_softmax],
        "view-then-tokens-cut": [lambda x, weight: axis_left(x, weight).squeeze(2)],
        "cut-without-squeezing": [axis_left],
        "keys-first-no-root": [key_first_root_lost],
        "over-queries": [columns_of_packed],
        "divided-by-the-size": [packed_by_the_size],
    },
    "3.3": {
        "unchanged": [as_found],
        "root-only": [with_root_but_product],
        "no-root": [without_root],
        "softmax-of-the-product": [softmax_twice],
        "renormalised": [sums_repaired],
        "root-too-late": [mean_divided],
        "over-queries": [columns_of_the_scores],
        "divided-by-the-size": [size_for_root],
        "no-softmax": [mixed_by_scores],
        "no-root-over-queries": [bare_columns],
        "root-of-the-keys": [count_for_size],
        "size-and-two": [lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=0.5 / q.shape[-1])],
        "softmax-of-the-weights": [
            lambda q, k, v: F.softmax(F.softmax(q @ k.mT * q.shape[-1] ** -0.5, -1), -1) @ v,
        ],
        "all-axes-turned": [
            lambda q, k, v: (q @ k.permute(*range(k.dim() - 1, -1, -1)) / q.shape[-1] ** 0.5).softmax(-1) @ v
        ],
    },
    "3.4": {
        "a-permutation": [
            (torch.ones(4, 4) / 4, A),
            (torch.tensor([2.0, 0, 3, 1]), A),
        ],
        "the-way-back": [(FORTH.mT, FORTH @ A @ FORTH.mT)],
        "another-order": [(torch.eye(4), A)],
        "queries-only": [(FORTH, FORTH @ A)],
        "keys-only": [(FORTH, A @ FORTH.mT)],
        "transposed-on-the-wrong-side": [(FORTH, moved([1, 3, 0, 2], [1, 3, 0, 2]))],
        "weights": [(FORTH, A), (FORTH, FORTH @ A @ FORTH)],
    },
    "3.5": {
        "shape": [torch.ones(64, 6), torch.full((6, 64), math.nan)],
        "long-enough": [0.01 * one_leader()],
        "different": [torch.ones(6, 64)],
        "somebody-looks-away": [8 * torch.eye(6, 64)],
        "five-look-away": [two_look_away()],
    },
    "3.6": {
        "no-logarithm": [with_the_chance],
        "nothing-drawn": [always_the_best],
        "chance-of-noisy-scores": [noisy_chance],
        "baseline-added": [plus_baseline],
        "baseline-forgotten": [bare_cost],
        "sum-over-the-batch": [added_up],
        "rewards-for-costs": [as_a_reward],
        "cheapest-drawn": [smallest],
        "noise-taken-away": [less_noise],
        "rewards-and-sum": [rewards_added_up],
        "baseline-forgotten-and-sum": [bare_cost_added_up],
        "noisy-chance-no-baseline": [noisy_chance_bare_cost],
        "nothing-but-counting": [counted],
        "score-for-chance": [with_the_score],
        "every-cost-with-every-chance": [in_a_square],
    },
    "3.7": {
        "soft-in-front": [returns_softmax],
        "no-gradient": [all_detached, cancels],
        "soft-without-noise": [clean_softmax],
        "noise-forgotten": [no_noise],
        "multiplied-by-temperature": [hotter_is_sharper],
        "no-temperature": [temperature_unused],
        "soft-on-top": [hard_plus_soft],
        "gradient-turned-round": [minus_soft],
        "clean-in-front": [best_without_noise],
        "no-noise-no-temperature": [softmax_of_scores],
        "noise-outside-the-temperature": [scores_cooled_alone],
        "classes-not-counted": [as_many_as_chosen],
        "over-axis-0": [lambda s, n, t: joined(s + n, F.softmax((s + n) / t, 0))],
    },
}

UNTOUCHED = {}
