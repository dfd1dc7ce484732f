"""Answers to the exercises of lesson 10, written apart from the bank: right ones, and one for each known mistake."""

import torch
import torch.nn.functional as F

INF = float("inf")


# 10.1


def pool_with_einsum(x, query, mask):
    weights = F.softmax(torch.where(mask, torch.einsum("bls,s->bl", x, query), -1e9), -1)
    return torch.einsum("bl,bls->bs", weights, x), weights


def pool_in_a_loop(x, query, mask):
    contexts, rows = [], []
    for question, seen in zip(x, mask, strict=True):
        powers = [
            torch.exp(word @ query) if real else torch.tensor(0.0) for word, real in zip(question, seen, strict=True)
        ]
        weights = torch.stack(powers) / sum(powers)
        rows.append(weights)
        contexts.append(sum(w * word for w, word in zip(weights, question, strict=True)))
    return torch.stack(contexts), torch.stack(rows)


def pool_fused(x, query, mask):
    unit = torch.eye(x.shape[1]).expand(len(x), -1, -1)
    asked = query.expand(len(x), 1, -1)
    weights = F.scaled_dot_product_attention(asked, x, unit, attn_mask=mask[:, None], scale=1.0)
    return (weights @ x)[:, 0], weights[:, 0]


def both_of(weights, x):
    return torch.bmm(weights[:, None], x)[:, 0], weights


def pool_unmasked(x, query, mask):
    return both_of(torch.einsum("bls,s->bl", x, query).softmax(1), x)


def pool_padding(x, query, mask):
    return both_of(torch.where(mask, -1e9, x @ query).softmax(1), x)


def pool_padding_inf(x, query, mask):
    return both_of((x @ query).masked_fill(mask, -INF).softmax(1), x)


def pool_zeros(x, query, mask):
    return both_of(torch.where(mask, x @ query, 0.0).softmax(1), x)


def pool_over_batch(x, query, mask):
    weights = torch.where(mask, x @ query, -INF)
    return both_of(torch.exp(weights) / torch.exp(weights).sum(0, keepdim=True), x)


def pool_scaled(x, query, mask):
    weights = F.scaled_dot_product_attention(
        query.expand(len(x), 1, -1), x, torch.eye(x.shape[1]).expand(len(x), -1, -1), mask[:, None]
    )
    return (weights @ x)[:, 0], weights[:, 0]


def pool_averaged(x, query, mask):
    weights = torch.where(mask, x @ query, -INF).softmax(1)
    return torch.einsum("bl,bls->bs", weights, x) / x.shape[1], weights


def pool_unweighted(x, query, mask):
    return torch.einsum("bl,bls->bs", mask.float(), x), torch.where(mask, x @ query, -1e9).softmax(1)


def pool_ones(x, query, mask):
    scores = (x @ query).unsqueeze(-1)
    return both_of(torch.softmax(scores, -1).squeeze(-1).masked_fill(~mask, 0), x)


def pool_late(x, query, mask):
    return both_of(torch.where(mask, (x @ query).softmax(1), 0.0), x)


def pool_swapped(x, query, mask):
    return pool_with_einsum(x, query, mask)[::-1]


def pool_ones_everywhere(x, query, mask):
    return both_of(torch.ones(mask.shape), x)


def pool_sigmoid(x, query, mask):
    return both_of(torch.where(mask, 1 / (1 + torch.exp(-(x @ query))), 0.0), x)


def pool_scaled_unmasked(x, query, mask):
    return pool_unmasked(x, query * query.shape[0] ** -0.5, mask)


def pool_averaged_unmasked(x, query, mask):
    weights = pool_unmasked(x, query, mask)[1]
    return (weights[..., None] * x).mean(1), weights


def pool_over_numbers(x, query, mask):
    weights = pool_with_einsum(x, query, mask)[1]
    return torch.einsum("bl,bls->bl", weights, x), weights


def pool_not_joined(x, query, mask):
    weights = pool_with_einsum(x, query, mask)[1]
    return torch.einsum("bl,bls->bls", weights, x), weights


def pool_scores(x, query, mask):
    return pool_with_einsum(x, query, mask)[0], torch.where(mask, x @ query, -INF)


def pool_late_scaled(x, query, mask):
    return both_of(torch.where(mask, (x @ query / query.numel() ** 0.5).softmax(1), 0.0), x)


def pool_swapped_unmasked(x, query, mask):
    return pool_unmasked(x, query, mask)[::-1]


def pool_hidden_by_adding(x, query, mask):
    hidden = torch.zeros(mask.shape).masked_fill(mask.logical_not(), -1e9)
    weights = torch.softmax((x * query).sum(2) + hidden, 1)
    return (x.transpose(1, 2) @ weights.unsqueeze(2)).squeeze(2), weights


# 10.2


def rest(weights, x, kinds, output):
    logits = F.linear(torch.einsum("bl,bls->bs", weights, x), output)
    return weights, logits, F.cross_entropy(logits, kinds)


def scored(x, score):
    return torch.einsum("bls,s->bl", x, score)


def mended_with_einsum(x, mask, kinds, score, output):
    return rest(F.softmax(scored(x, score) + torch.zeros(mask.shape).masked_fill(~mask, -INF), 1), x, kinds, output)


def mended_by_hand(x, mask, kinds, score, output):
    weights = pool_in_a_loop(x, score, mask)[1]
    logits = torch.stack([output @ (w @ question) for w, question in zip(weights, x, strict=True)])
    loss = -logits.log_softmax(1)[torch.arange(len(x)), kinds].mean()
    return weights, logits, loss


def mended_with_chances(x, mask, kinds, score, output):
    weights = torch.where(mask, x @ score, -1e9).softmax(1)
    logits = (weights[:, None] @ x).squeeze(1) @ output.t()
    return weights, logits, F.cross_entropy(logits, F.one_hot(kinds, len(output)).float())


def padding_votes(x, mask, kinds, score, output):
    return rest(scored(x, score).softmax(-1), x, kinds, output)


def all_ones(x, mask, kinds, score, output):
    return rest(scored(x, score)[..., None].softmax(-1)[..., 0], x, kinds, output)


def ones_for_the_real(x, mask, kinds, score, output):
    return rest(scored(x, score)[..., None].softmax(-1)[..., 0] * mask, x, kinds, output)


def twice_scored(x, score):
    return torch.cat([x, x], -1) @ torch.cat([score, score])


def joined_to_itself(x, mask, kinds, score, output):
    return rest(torch.where(mask, twice_scored(x, score), -INF).softmax(-1), x, kinds, output)


def joined_to_itself_unmasked(x, mask, kinds, score, output):
    return rest(twice_scored(x, score).softmax(-1), x, kinds, output)


def other_way_round(x, mask, kinds, score, output):
    return rest(torch.where(mask, -INF, scored(x, score)).softmax(-1).nan_to_num(float("nan")), x, kinds, output)


def other_way_round_large(x, mask, kinds, score, output):
    return rest(torch.where(mask, -1e9, scored(x, score)).softmax(-1), x, kinds, output)


def masked_late(x, mask, kinds, score, output):
    return rest(torch.where(mask, scored(x, score).softmax(-1), 0.0), x, kinds, output)


def masked_late_and_twice(x, mask, kinds, score, output):
    return rest(torch.where(mask, twice_scored(x, score).softmax(-1), 0.0), x, kinds, output)


def among_questions(x, mask, kinds, score, output):
    return rest(torch.where(mask, scored(x, score), -INF).softmax(0), x, kinds, output)


def averaged(x, mask, kinds, score, output):
    weights = torch.where(mask, scored(x, score), -INF).softmax(-1)
    logits = F.linear((weights[..., None] * x).mean(1), output)
    return weights, logits, F.cross_entropy(logits, kinds)


def summed(x, mask, kinds, score, output):
    weights, logits, loss = mended_with_einsum(x, mask, kinds, score, output)
    return weights, logits, loss * len(x)


def softened_twice(x, mask, kinds, score, output):
    weights, logits, _ = mended_with_einsum(x, mask, kinds, score, output)
    return weights, logits, F.cross_entropy(F.softmax(logits, 1), kinds)


def gives_chances(x, mask, kinds, score, output):
    weights, logits, loss = mended_with_einsum(x, mask, kinds, score, output)
    return weights, F.softmax(logits, 1), loss


def still_one_hot(x, mask, kinds, score, output):
    weights, logits, _ = mended_with_einsum(x, mask, kinds, score, output)
    return weights, logits, nn_loss(logits, F.one_hot(kinds, output.shape[0]))


def nn_loss(logits, wanted):
    return torch.nn.CrossEntropyLoss()(logits, wanted)


def still_wrong_axis(x, mask, kinds, score, output):
    weights = torch.where(mask, scored(x, score), -INF).softmax(-1)
    logits = (weights[..., None] * x).sum(2) @ output.T
    return weights, logits, F.cross_entropy(logits, kinds)


def root_scored(x, score):
    return scored(x, score) * score.numel() ** -0.5


def softened(weights, x, kinds, output):
    """The loss as softmax twice makes it."""
    weights, logits, _ = rest(weights, x, kinds, output)
    return weights, logits, F.nll_loss(F.log_softmax(F.softmax(logits, 1), 1), kinds)


def totalled(weights, x, kinds, output):
    weights, logits, loss = rest(weights, x, kinds, output)
    return weights, logits, loss * kinds.numel()


def meaned(weights, x, kinds, output):
    logits = F.linear(torch.einsum("bl,bls->bs", weights, x) / x.shape[1], output)
    return weights, logits, F.cross_entropy(logits, kinds)


def faulty(score_of, masked, finish=rest):
    """A classifier with a score of its own, a way to mask it, and an end."""

    def classifier(x, mask, kinds, score, output):
        return finish(masked(score_of(x, score), mask), x, kinds, output)

    return classifier


def hide(scores, mask):
    return torch.where(mask, scores, -INF).softmax(-1)


def show(scores, mask):
    return scores.exp() / scores.exp().sum(-1, keepdim=True)


def zero(scores, mask):
    return scores.masked_fill(~mask, 0.0).softmax(-1)


def ones(scores, mask):
    return scores[..., None].softmax(-1)[..., 0]


def a_loss_each(x, mask, kinds, score, output):
    weights, logits, _ = mended_with_einsum(x, mask, kinds, score, output)
    return weights, logits, -torch.stack([row.log_softmax(0)[kind] for row, kind in zip(logits, kinds, strict=True)])


# 10.3


def mean_with_where(x, mask):
    return torch.where(mask[..., None], x, 0.0).sum(1) / mask.sum(1)[:, None]


def mean_with_einsum(x, mask):
    return torch.einsum("bls,bl->bs", x, mask / mask.sum(1, keepdim=True))


def mean_in_a_loop(x, mask):
    out = torch.zeros(x.shape[0], x.shape[2])
    for i in range(len(x)):
        words = [x[i, j] for j in range(x.shape[1]) if mask[i, j]]
        out[i] = sum(words) / len(words)
    return out


def real_sum(x, mask):
    return torch.einsum("bls,bl->bs", x, mask.float())


def writes_zeros(x, mask):
    x[~mask] = 0
    return x.sum(1) / mask.sum(1, keepdim=True)


# 10.4

VALUES = {
    "first loss": 1.79, "two kinds": 0.69, "half sure": 0.69, "states": (8, 12, 64), "weights": (8, 12),
    "logits": (8, 6), "parameters": 65,
}  # fmt: skip


# 10.5


def share_right(answers, kinds):
    return sum(a == b for a, b in zip(answers, kinds, strict=True)) / len(kinds)


def turned(questions):
    return [tuple(reversed(words)) for words in questions]


def order_with_tensors(answer, questions, kinds):
    wanted = torch.tensor(kinds)
    return tuple(
        100 * (torch.tensor(answer(asked)) == wanted).double().mean().item() for asked in (questions, turned(questions))
    )


def order_in_a_loop(answer, questions, kinds):
    straight = back = 0
    for words, kind in zip(questions, kinds, strict=True):
        straight += answer([words]) == [kind]
        back += answer([words[::-1]]) == [kind]
    return straight / len(kinds) * 100, back / len(kinds) * 100


def order_with_lists(answer, questions, kinds):
    found = []
    for asked in questions, turned(questions):
        right = [a for a, kind in zip(answer(asked), kinds, strict=True) if a == kind]
        found.append(len(right) / len(kinds) * 100)
    return found


def order_of(first, second):
    """An answer that asks `first(questions)`, then `second(questions)`."""

    def order_counts(answer, questions, kinds):
        return tuple(100 * share_right(answer(asked(questions)), kinds) for asked in (first, second))

    return order_counts


def letters_too(questions):
    return [tuple(word[::-1] for word in reversed(words)) for words in questions]


def kinds_turned(answer, questions, kinds):
    return 100 * share_right(answer(questions), kinds[::-1]), 100 * share_right(answer(turned(questions)), kinds)


def only_shares(answer, questions, kinds):
    return share_right(answer(questions), kinds), share_right(answer(turned(questions)), kinds)


def only_counts(answer, questions, kinds):
    return tuple(part * len(kinds) for part in only_shares(answer, questions, kinds))


def other_way(answer, questions, kinds):
    return order_in_a_loop(answer, questions, kinds)[::-1]


def how_much_less(answer, questions, kinds):
    straight, back = order_in_a_loop(answer, questions, kinds)
    return straight - back


def how_many_stay(answer, questions, kinds):
    return 100 * share_right(answer(questions), kinds), 100 * share_right(answer(turned(questions)), answer(questions))


def how_many_wrong(answer, questions, kinds):
    return tuple(100 - one for one in order_in_a_loop(answer, questions, kinds))


def same(questions):
    return questions


def ends_swapped(words):
    words[0], words[-1] = words[-1], words[0]
    return tuple(words)


# 10.6

LEFT = {
    "output": 0.5, "without the first": -1, "fall of the first": 1.5, "without the third": 1.625,
    "fall of the third": -1.125, "most weight": 1, "most effect": 1,
}  # fmt: skip


# 10.7


def curve_with(part, asked=lambda q, k, h, hk, n: (h, hk), scale=100.0, key=lambda share, count: share, whole=None):
    """A learning curve: `part` cuts what is learned from, `asked` gives what is asked and its kinds."""

    def learning_curve(learn, questions, kinds, held, held_kinds, shares):
        found = {}
        for share in shares:
            count = part["count"](share, questions, held)
            told, told_kinds = part["cut"](questions, kinds, held, held_kinds, count)
            some, right = asked(questions, kinds, held, held_kinds, count)
            hits = sum(a == k for a, k in zip(learn(told, told_kinds)(some), right, strict=False))
            found[key(share, count)] = scale * hits / (whole(count) if whole else len(some))
        return found

    return learning_curve


def rounded(share, questions, held):
    return int(share * len(questions) + 0.5)


def first_ones(questions, kinds, held, held_kinds, count):
    return questions[:count], kinds[:count]


def last_ones(questions, kinds, held, held_kinds, count):
    return questions[len(questions) - count :], kinds[len(kinds) - count :]


def cut_off(share, questions, held):
    return int(len(questions) * share)


def curve_of_wrong_ones(*given):
    return {share: 100 - percent for share, percent in curve_in_one_line(*given).items()}


def everything(questions, kinds, held, held_kinds, count):
    return questions, kinds


PLAIN = {"count": rounded, "cut": first_ones}


def curve_in_one_line(learn, questions, kinds, held, held_kinds, shares):
    cuts = {share: round(share * len(questions)) for share in shares}
    return {share: 100 * share_right(learn(questions[:n], kinds[:n])(held), held_kinds) for share, n in cuts.items()}


def curve_one_at_a_time(learn, questions, kinds, held, held_kinds, shares):
    found = {}
    for share in shares:
        n = round(share * len(questions))
        answer, right = learn(list(questions[:n]), list(kinds[:n])), 0
        for question, kind in zip(held, held_kinds, strict=True):
            if answer([question])[0] == kind:
                right += 1
        found[share] = right / len(held) * 100
    return found


def pool_over_size_one(x, query, mask):
    scores = torch.where(mask[..., None], x @ query[:, None], float("-inf"))  # (batch, length, 1)
    weights = scores.softmax(2)
    return (weights * x).sum(1), weights[..., 0]


def pool_by_multiplying(x, query, mask):
    weights = (torch.einsum("bls,s->bl", x, query) - float("inf") * (1 - mask.float())).softmax(1)
    return torch.einsum("bl,bls->bs", weights, x), weights


RIGHT = {
    "10.1": [pool_with_einsum, pool_in_a_loop, pool_fused, pool_hidden_by_adding],
    "10.2": [mended_with_einsum, mended_by_hand, mended_with_chances],
    "10.3": [mean_with_where, mean_with_einsum, mean_in_a_loop],
    "10.4": [
        VALUES,
        {**VALUES, "first loss": 1.7918, "two kinds": 0.6931, "states": torch.Size([8, 12, 64])},
        {**VALUES, "half sure": "0,69", "weights": [8, 12], "logits": "8, 6", "parameters": "65"},
    ],
    "10.5": [order_with_tensors, order_in_a_loop, order_with_lists],
    "10.6": [
        LEFT,
        {**LEFT, "without the third": 1.3 / 0.8, "without the first": -1.0},
        {name: torch.tensor(float(value)) for name, value in LEFT.items()},
    ],
    "10.7": [curve_in_one_line, curve_one_at_a_time, curve_with(PLAIN)],
}

WRONG = {
    "10.1": {
        "no-mask": [pool_unmasked],
        "inverted": [pool_padding_inf],
        "inverted-large": [pool_padding],
        "scores-times-mask": [pool_zeros, lambda x, query, mask: both_of(((x @ query) * mask).softmax(1), x)],
        "over-questions": [pool_over_batch],
        "root": [pool_scaled],
        "mean": [pool_averaged],
        "sum-of-words": [pool_unweighted],
        "size-1": [pool_ones],
        "size-1-with-nan": [pool_over_size_one],
        "zero-times-infinity": [pool_by_multiplying],
        "size-1-unmasked": [pool_ones_everywhere],
        "sigmoid": [pool_sigmoid],
        "root-unmasked": [pool_scaled_unmasked],
        "mean-unmasked": [pool_averaged_unmasked],
        "over-numbers": [pool_over_numbers],
        "not-joined": [pool_not_joined],
        "scores": [pool_scores],
        "after-softmax-root": [pool_late_scaled],
        "swapped-unmasked": [pool_swapped_unmasked],
        "after-softmax": [pool_late],
        "swapped": [pool_swapped],
    },
    "10.2": {
        "padding": [padding_votes],
        "size-1": [all_ones],
        "size-1-masked": [ones_for_the_real],
        "doubled": [joined_to_itself],
        "doubled-and-padding": [joined_to_itself_unmasked],
        "root": [faulty(root_scored, hide)],
        "root-and-padding": [faulty(root_scored, show)],
        "scores-times-mask": [faulty(scored, zero), faulty(scored, lambda scores, mask: (scores * mask).softmax(-1))],
        "doubled-times-mask": [faulty(twice_scored, zero)],
        "doubled-and-averaged": [faulty(twice_scored, hide, meaned)],
        "padding-and-averaged": [faulty(scored, show, meaned)],
        "padding-and-softmax-twice": [faulty(scored, show, softened)],
        "doubled-and-softmax-twice": [faulty(twice_scored, hide, softened)],
        "size-1-and-softmax-twice": [faulty(scored, ones, softened)],
        "padding-and-summed": [faulty(scored, show, totalled)],
        "doubled-and-summed": [faulty(twice_scored, hide, totalled)],
        "loss-of-each": [a_loss_each],
        "inverted": [other_way_round],
        "inverted-large": [other_way_round_large],
        "late-mask": [masked_late],
        "late-mask-doubled": [masked_late_and_twice],
        "over-questions": [among_questions],
        "mean-of-words": [averaged],
        "loss-summed": [summed],
        "softmax-twice": [softened_twice],
        "probabilities": [gives_chances],
        "one-hot": [still_one_hot],
        "wrong-axis": [still_wrong_axis],
    },
    "10.3": {
        "all": [lambda x, mask: x.mean(1)],
        "below": [lambda x, mask: (x * mask[..., None]).mean(1)],
        "above": [lambda x, mask: x.sum(1) / mask.sum(1)[:, None]],
        "inverted": [lambda x, mask: real_sum(x, ~mask) / mask.sum(1)[:, None]],
        "inverted-in-both": [lambda x, mask: mean_with_where(x, ~mask)],
        "no-division": [real_sum],
        "one-divisor": [lambda x, mask: real_sum(x, mask) / mask.sum()],
        "longest": [lambda x, mask: real_sum(x, mask) / mask.sum(1).amax()],
        "zeros-for-padding": [
            lambda x, mask: x.sum(1) / (x != 0).sum(1),
            lambda x, mask: torch.where(x == 0, 0.0, x).sum(1) / x.any(-1).sum(1)[:, None],
        ],
        "in-place": [writes_zeros],
    },
    "10.4": {
        "other-logarithm": [{**VALUES, "first loss": 2.585}],
        "logarithm-of-ten": [{**VALUES, "first loss": 0.778}],
        "probability": [{**VALUES, "first loss": 0.167}],
        "two-in-bits": [{**VALUES, "two kinds": 1}],
        "half": [{**VALUES, "half sure": 0.5}],
        "half-in-bits": [{**VALUES, "half sure": 1}],
        "joined-early": [{**VALUES, "states": (8, 64)}],
        "axis-of-1": [{**VALUES, "weights": (8, 12, 1)}],
        "matrix": [{**VALUES, "weights": [8, 12, 12]}],
        "a-kind-for-each-word": [{**VALUES, "logits": (8, 12, 6)}],
        "decided": [{**VALUES, "logits": (8,)}],
        "no-bias": [{**VALUES, "parameters": 64}],
        "perfect": [{**VALUES, "first loss": 0}],
        "sign": [{**VALUES, "first loss": -1.79}],
        "inverse": [{**VALUES, "first loss": 6}],
        "share-wrong": [{**VALUES, "first loss": 0.83}],
        "two-of-ten": [{**VALUES, "two kinds": 0.30}],
        "two-as-probability": [{**VALUES, "two kinds": "1/2"}],
        "two-as-six": [{**VALUES, "two kinds": 1.79}],
        "two-signed": [{**VALUES, "two kinds": -0.69}],
        "half-of-ten": [{**VALUES, "half sure": 0.301}],
        "half-of-the-first": [{**VALUES, "half sure": 0.9}],
        "half-as-six": [{**VALUES, "half sure": 1.79}],
        "half-signed": [{**VALUES, "half sure": -0.693}],
        "features": [{**VALUES, "states": [8, 12, 4]}],
        "states-of-words": [{**VALUES, "states": (8, 12)}],
        "one-question": [{**VALUES, "states": (12, 64)}],
        "a-row-of-1": [{**VALUES, "weights": (8, 1, 12)}],
        "a-weight-for-each-number": [{**VALUES, "weights": (8, 12, 64)}],
        "weights-of-sizes": [{**VALUES, "weights": (8, 64)}],
        "weights-of-one": [{**VALUES, "weights": (12,)}],
        "one-for-all": [{**VALUES, "logits": (6,)}],
        "not-predicted": [{**VALUES, "logits": (8, 64)}],
        "one-number": [{**VALUES, "parameters": 1}],
        "square": [{**VALUES, "parameters": 4096}],
        "square-and-bias": [{**VALUES, "parameters": "4,160"}],
        "a-bias-for-each": [{**VALUES, "parameters": 128}],
        "for-each-word": [{**VALUES, "parameters": 768}],
        "for-each-word-and-bias": [{**VALUES, "parameters": 780}],
    },
    "10.5": {
        "questions-reversed": [order_of(same, lambda questions: list(reversed(questions)))],
        "letters": [order_of(same, letters_too)],
        "both-reversed": [order_of(same, lambda questions: turned(questions)[::-1])],
        "order-and-kinds": [kinds_turned],
        "share": [only_shares],
        "counts": [only_counts],
        "swapped": [other_way],
        "difference": [how_much_less],
        "against-itself": [how_many_stay],
        "wrong-ones": [how_many_wrong],
        "not-reversed": [order_of(same, same)],
        "ends-swapped": [order_of(same, lambda questions: [ends_swapped(list(words)) for words in questions])],
        "rotated": [order_of(same, lambda questions: [tuple([*words, words[0]][1:]) for words in questions])],
        "sorted": [order_of(same, lambda questions: list(map(sorted, questions)))],
        "as-text": [
            order_of(same, lambda questions: [" ".join(reversed(words)) for words in questions]),
            order_of(same, lambda questions: [" ".join(words)[::-1] for words in questions]),
        ],
        "share-swapped": [lambda answer, questions, kinds: only_shares(answer, questions, kinds)[::-1]],
        "share-of-the-list": [
            lambda answer, questions, kinds: (
                share_right(answer(questions), kinds),
                share_right(answer(list(reversed(questions))), kinds),
            )
        ],
        "share-of-wrong-ones": [
            lambda answer, questions, kinds: [1 - one for one in only_shares(answer, questions, kinds)]
        ],
        "wrong-ones-swapped": [lambda answer, questions, kinds: how_many_wrong(answer, questions, kinds)[::-1]],
        "difference-of-shares": [lambda answer, questions, kinds: how_much_less(answer, questions, kinds) / 100],
    },
    "10.6": {
        "plain-mean": [{**LEFT, "output": -0.333}],
        "sum": [{**LEFT, "output": -1}],
        "not-shared-out": [{**LEFT, "without the first": -0.5}],
        "third-not-shared-out": [{**LEFT, "without the third": 1.3}],
        "fall-turned": [{**LEFT, "fall of the first": -1.5}],
        "product": [{**LEFT, "fall of the first": 1.0}],
        "rise-turned": [{**LEFT, "fall of the third": 1.125}],
        "third-product": [{**LEFT, "fall of the third": -0.8}],
        "largest-value": [{**LEFT, "most weight": 3}],
        "counted-from-0": [{**LEFT, "most weight": 0}],
        "value-alone": [{**LEFT, "most effect": 3}],
    },
    "10.7": {
        "all-of-it": [curve_with({"count": rounded, "cut": everything})],
        "part-of-held": [
            curve_with(
                {"count": lambda share, q, h: round(share * len(h)), "cut": everything},
                lambda q, k, h, hk, n: (h[:n], hk[:n]),
            )
        ],
        "on-what-it-learned": [curve_with(PLAIN, lambda q, k, h, hk, n: (q[:n], k[:n]))],
        "the-last": [curve_with({"count": rounded, "cut": last_ones})],
        "cut-off": [curve_with({"count": cut_off, "cut": first_ones})],
        "share": [curve_with(PLAIN, scale=1.0)],
        "by-count": [curve_with(PLAIN, key=lambda share, count: count)],
        "learned-and-held": [
            curve_with({"count": rounded, "cut": lambda q, k, h, hk, n: ([*q[:n], *h], [*k[:n], *hk])})
        ],
        "divided-by-learned": [curve_with(PLAIN, whole=lambda count: count)],
        "rounded-up": [curve_with({"count": lambda share, q, h: -int(-share * len(q) // 1), "cut": first_ones})],
        "all-as-share": [curve_with({"count": rounded, "cut": everything}, scale=1.0)],
        "cut-off-as-share": [curve_with({"count": cut_off, "cut": first_ones}, scale=1.0)],
        "last-as-share": [curve_with({"count": rounded, "cut": last_ones}, scale=1.0)],
        "last-and-cut-off": [curve_with({"count": cut_off, "cut": last_ones})],
        "by-count-as-share": [curve_with(PLAIN, key=lambda share, count: count, scale=1.0)],
        "by-count-cut-off": [curve_with({"count": cut_off, "cut": first_ones}, key=lambda share, count: count)],
        "wrong-ones": [curve_of_wrong_ones],
        "kinds-uncut": [lambda learn, *given: curve_one_at_a_time(lambda q, k: learn(q, given[1]), *given)],
        "questions-uncut": [lambda learn, *given: curve_one_at_a_time(lambda q, k: learn(given[0], k), *given)],
        "in-a-list": [lambda *given: list(curve_in_one_line(*given).values())],
    },
}

UNTOUCHED = {}
