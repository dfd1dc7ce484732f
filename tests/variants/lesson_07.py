"""Answers to the exercises of lesson 07, written independently of the bank."""

import torch
import torch.nn.functional as F

START, END, PAD = 1, 2, 0

# 7.1


def by_padding(targets):
    pad = torch.nn.utils.rnn.pad_sequence
    reads = pad([torch.tensor([START] + t) for t in targets], batch_first=True, padding_value=PAD)
    return reads, pad([torch.tensor(t + [END]) for t in targets], batch_first=True, padding_value=PAD)


def by_filling(targets, back=0):
    width = max(len(t) for t in targets) + 1
    reads = torch.zeros(len(targets), width, dtype=torch.long)
    writes = torch.zeros(len(targets), width, dtype=torch.long)
    for row, t in enumerate(targets):
        reads[row, : len(t) + 1] = torch.tensor([START, *t])
        writes[row, : len(t) + 1] = torch.tensor([*t, END])
    return reads, writes


def by_cutting(targets):
    full = by_filling([t + [END] for t in targets])[0]  # with both signs
    return full[:, :-1].masked_fill(full[:, :-1] == END, PAD), full[:, 1:]


def end_last(targets):
    reads, writes = by_filling(targets)
    writes[writes == END] = PAD
    writes[:, -1] = END
    return reads, writes


def both_signs(targets):
    reads, _ = by_filling([t + [END] for t in targets])
    return reads, reads.clone()


def end_read(targets):
    reads, _ = by_filling([t + [END] for t in targets])
    _, writes = by_filling(targets)
    return reads, F.pad(writes, (0, 1))


def no_end(targets):
    reads, writes = by_filling(targets)
    shorter = reads[:, :-1].clone()
    for row, t in enumerate(targets):
        shorter[row, len(t) :] = PAD
    return shorter, writes.masked_fill(writes == END, PAD)[:, :-1]


def left(targets):
    flipped = [one.flip(1) for one in by_filling([t[::-1] for t in targets])]
    reads, writes = flipped  # start stands last, end stands first: put each in its place
    for row, t in enumerate(targets):
        gap = reads.shape[1] - len(t) - 1
        reads[row, gap:] = torch.tensor([START, *t])
        writes[row, gap:] = torch.tensor([*t, END])
    return reads, writes


def ended(targets):
    reads, writes = by_filling(targets)
    return reads.masked_fill(reads == PAD, END), writes.masked_fill(writes == PAD, END)


# 7.2


def step_by_product(sound, before, states, mask, w_query, w_key, v, cell, query=None):
    query = before if query is None else query
    hidden = torch.tanh(F.linear(query, w_query).unsqueeze(1) + F.linear(states, w_key))
    weights = F.softmax(torch.where(mask, hidden @ v, -torch.inf), dim=1)
    context = torch.bmm(weights.unsqueeze(1), states)[:, 0]
    return cell(torch.cat((sound, context), 1), before), context, weights


def step_by_word(sound, before, states, mask, w_query, w_key, v, cell):
    contexts, weights = [], torch.zeros(mask.shape)
    for row in range(len(states)):
        real = states[row][mask[row]]
        scores = torch.tanh(before[row] @ w_query.T + real @ w_key.T) @ v
        weights[row, mask[row]] = scores.softmax(0)
        contexts.append((scores.softmax(0)[:, None] * real).sum(0))
    context = torch.stack(contexts)
    return cell(torch.hstack([sound, context]), before), context, weights


def scored(make, reveal=None):
    def answer(sound, before, states, mask, w_query, w_key, v, cell):
        one, other = F.linear(before, w_query).unsqueeze(1), F.linear(states, w_key)
        scores = make(one, other, v)
        weights = reveal(scores, mask) if reveal else torch.where(mask, scores, -torch.inf).softmax(1)
        context = (weights.unsqueeze(2) * states).sum(1)
        return cell(torch.hstack([sound, context]), before), context, weights

    return answer


def additive(one, other, v):
    return (torch.tanh(one + other) * v).sum(-1)


def looks_again(*given):
    after, _, _ = step_by_product(*given)
    _, context, weights = step_by_product(*given, query=after)
    return after, context, weights


def swapped_input(sound, before, states, mask, w_query, w_key, v, cell):
    _, context, weights = step_by_product(sound, before, states, mask, w_query, w_key, v, cell)
    return cell(torch.hstack([context, sound]), before), context, weights


def goes_on_from_context(sound, before, states, mask, w_query, w_key, v, cell):
    _, context, weights = step_by_product(sound, before, states, mask, w_query, w_key, v, cell)
    return cell(torch.hstack([sound, context]), context), context, weights


def over_words(scores, mask):
    powers = torch.exp(scores) * mask
    return powers / powers.sum(0, keepdim=True)


def step_by_kernel(sound, before, states, mask, w_query, w_key, v, cell, bias=None):
    """The additive scores go to the fused kernel as its bias, with queries of zeros."""
    scores = (torch.tanh(F.linear(before, w_query)[:, None] + F.linear(states, w_key)) * v).sum(-1)
    bias = scores.masked_fill(~mask, -1e9) if bias is None else bias(scores, mask)
    places = torch.eye(states.shape[1]).expand(len(states), -1, -1)
    weights, context = (
        F.scaled_dot_product_attention(0 * before[:, None], 0 * states, value, attn_mask=bias[:, None])[:, 0]
        for value in (places, states)
    )
    return cell(torch.cat((sound, context), 1), before), context, weights


def cell_first(sound, before, states, mask, w_query, w_key, v, cell):
    after = cell(F.pad(sound, (0, sound.shape[1])), before)
    _, context, weights = step_by_product(sound, before, states, mask, w_query, w_key, v, cell, query=after)
    return after, context, weights


def unmasked_and_swapped(sound, before, states, mask, w_query, w_key, v, cell):
    return swapped_input(sound, before, states, torch.ones_like(mask), w_query, w_key, v, cell)


# 7.3


def luong_by_kernel(after, states, mask, w, w_join, visible=None, turned=False):
    visible = mask if visible is None else visible(mask)
    places = torch.eye(states.shape[1]).expand(len(states), -1, -1)
    options = {"attn_mask": visible[:, None].expand(-1, after.shape[1], -1), "scale": 1.0}
    query = torch.einsum("btd,de->bte", after, w)
    weights, context = (F.scaled_dot_product_attention(query, states, value, **options) for value in (places, states))
    parts = (after, context) if turned else (context, after)
    return torch.tanh(torch.cat(parts, -1) @ w_join.mT), weights


def luong_einsum(after, states, mask, w, w_join):
    scores = torch.einsum("btd,de,bse->bts", after, w, states)
    weights = torch.where(mask.unsqueeze(1), scores, -torch.inf).softmax(-1)
    context = torch.einsum("bts,bsd->btd", weights, states)
    for_context, for_state = w_join.chunk(2, dim=1)
    return torch.tanh(context @ for_context.T + after @ for_state.T), weights


def luong_loop(after, states, mask, w, w_join, scale=1.0):
    joined, looks = [], []
    for query in after.unbind(1):  # one step of all words
        scores = scale * torch.bmm(states, (query @ w).unsqueeze(2)).squeeze(2)
        looks.append(scores.masked_fill(~mask, -torch.inf).softmax(-1))
        context = torch.bmm(looks[-1].unsqueeze(1), states).squeeze(1)
        joined.append(torch.tanh(F.linear(torch.hstack([context, query]), w_join)))
    return torch.stack(joined, 1), torch.stack(looks, 1)


def rejoined(make):
    def answer(after, states, mask, w, w_join):
        _, weights = luong_einsum(after, states, mask, w, w_join)
        return make(torch.bmm(weights, states), after, w_join), weights

    return answer


def reweighed(make):
    def answer(after, states, mask, w, w_join):
        weights = make(torch.einsum("btd,de,bse->bts", after, w, states), mask.unsqueeze(1))
        return torch.tanh(F.linear(torch.cat((weights @ states, after), -1), w_join)), weights

    return answer


def late(context, after, w_join):
    moved = F.pad(context, (0, 0, 1, 0))[:, :-1]
    return torch.tanh(F.linear(torch.cat((moved, after), -1), w_join))


def normalised(powers, dim):
    return powers / powers.sum(dim, keepdim=True)


# 7.4


def context_by_kernel(query, states, lengths):
    mask = torch.arange(states.shape[1])[None, None] < lengths[:, None, None]
    return F.scaled_dot_product_attention(query, states, states, attn_mask=mask, scale=1.0)


def context_by_word(query, states, lengths, more=0):
    out = []
    for q, s, n in zip(query, states, lengths.tolist(), strict=True):
        n = max(1, n + more)
        out.append(F.softmax(q @ s[:n].T, -1) @ s[:n])
    return torch.stack(out)


def weighed(make):
    def answer(query, states, lengths):
        scores = torch.einsum("btd,bsd->bts", query, states)
        real = torch.stack([torch.arange(states.shape[1]) < n for n in lengths])[:, None]
        return torch.einsum("bts,bsd->btd", make(scores, real), states)

    return answer


def nothing_hidden(q, s):
    scores = torch.einsum("btd,bsd->bts", q, s)
    return F.softmax(torch.where(scores == 0, -torch.inf, scores), 2) @ s


def blanked(query, states, lengths):
    states = states.clone()
    for row, length in enumerate(lengths):
        states[row, length:] = 0
    return F.scaled_dot_product_attention(query, states, states, scale=1.0)


# 7.5, 7.6

READ = {
    "the letter that AY looks at most": "i",
    "the sum of each row": 1,
    "each column sums to 1": False,
    "all the weight that g gets": 0.3,
    "letters with less than 0.3 in all": 2,
    "the shape for 5 words of 7 letters and 4 sounds": (5, 4, 7),
    "the sum of all weights in that batch": 20,
}
WHICH_STEP, WHICH_PLACE = [2, 0, 4, 1, 3], [1, 3, 0, 4, 2]


def matrix(pairs, size=9.0):
    made = torch.zeros(5, 5)
    for step, place in pairs:
        made[WHICH_STEP[step], WHICH_PLACE[place]] = size
    return made


AHEAD = matrix([(t, t) for t in range(5)])
BACK = matrix([(t, 4 - t) for t in range(5)])
SAME = matrix([(t, 3) for t in range(5)])

# 7.7


def writes(step, state, target_in):
    ids = target_in.clone()
    token = torch.full((len(ids),), START)
    for place in range(ids.shape[1]):
        logits, state = step(token, state)
        token = logits.max(1).indices
        ids[:, place] = token
    return ids


def writes_recursively(step, state, target_in):
    def rest(token, state, left):
        if left == 0:
            return []
        logits, state = step(token, state)
        token = logits.topk(1).indices[:, 0]
        return [token, *rest(token, state, left - 1)]

    return torch.stack(rest(target_in[:, 0], state, target_in.shape[1]), 1)


def with_reading(read, keep=False, give_read=False):
    def answer(step, state, target_in):
        token, seen, ids = read(None, target_in, 0), [], []
        for place in range(target_in.shape[1]):
            seen.append(token)
            logits, moved = step(token, state)
            state = state if keep else moved
            ids.append(logits.max(1).indices)
            if place + 1 < target_in.shape[1]:
                token = read(ids[-1], target_in, place + 1)
        return torch.stack(seen if give_read else ids, 1)

    return answer


def own(token, target_in, place, first=START):
    return torch.full((len(target_in),), first) if place == 0 else token


def until_ended(ids):
    first = [row.index(END) if END in row else len(row) - 1 for row in ids.tolist()]
    return ids[:, : max(first) + 1]


def blank_behind(ids):
    behind = F.pad((ids == END).cumsum(1), (1, 0))[:, :-1] > 0
    return ids * ~behind


def constant(number):
    return lambda token, target_in, place: torch.full((len(target_in),), START if place == 0 else number)


# 7.8

MOVES = {
    "Bahdanau: the third query moves": True,
    "Luong: the third query moves": False,
    "one vector: the third state moves": False,
    "Luong: the third query moves with the sound": True,
    "Bahdanau: the first query is the encoder's last state": True,
    "Luong: greedy writing needs no loop": False,
}

RIGHT = {
    "7.1": [by_padding, by_filling, by_cutting],
    "7.2": [step_by_product, step_by_word, step_by_kernel],
    "7.3": [luong_einsum, luong_loop, luong_by_kernel],
    "7.4": [context_by_kernel, context_by_word, weighed(lambda s, m: s.masked_fill(~m, -1e9).softmax(2))],
    "7.5": [
        READ,
        {**READ, "the sum of each row": 1.0},
        {
            **READ,
            "the letter that AY looks at most": " I",
            "each column sums to 1": "no",
            "all the weight that g gets": "0.30",
        },
    ],
    "7.6": [
        (AHEAD, BACK, SAME),
        (20 * AHEAD, (BACK - 5).tolist(), matrix([(t, 0) for t in range(5)], 12.0)),
        [(AHEAD * 3).requires_grad_(), 2 * BACK.double(), SAME * 1.5],
    ],
    "7.7": [writes, writes_recursively, with_reading(own)],
    "7.8": [MOVES, dict(reversed(MOVES.items())), {asked: "yes" if moves else "no" for asked, moves in MOVES.items()}],
    "7.9": [(0.6, 1.6, 0.994), [0.5, torch.tensor(1.9), 0.5 ** (1 / 100) + 1e-5], torch.tensor([0.55, 2.0, 0.9945])],
}

WRONG = {
    "7.1": {
        "not-shifted": [lambda targets: (by_padding(targets)[1],) * 2],
        "swapped": [lambda targets: by_padding(targets)[::-1]],
        "end-never-written": [no_end],
        "end-missing": [
            lambda targets: (
                by_filling(targets)[0],
                by_filling(targets)[1].masked_fill(by_filling(targets)[1] == END, PAD),
            )
        ],
        "end-in-the-shorter": [
            lambda targets: (by_filling([t + [END] for t in targets])[0][:, :-1], by_padding(targets)[1])
        ],
        "floats": [lambda targets: [one.double() for one in by_padding(targets)]],
        "end-is-read": [end_read],
        "start-is-written": [both_signs],
        "end-behind-the-padding": [end_last],
        "padded-on-the-left": [left],
        "filled-with-end": [ended],
    },
    "7.2": {
        "state-after-asks": [looks_again],
        "sound-asks": [lambda *given: step_by_product(*given, query=given[0])],
        "tanh-after-the-sum": [scored(lambda one, other, v: torch.tanh(((one + other) * v).sum(-1)))],
        "no-tanh": [scored(lambda one, other, v: (other * v).sum(-1)), scored(lambda one, other, v: (one + other) @ v)],
        "divided-by-the-root": [scored(lambda one, other, v: additive(one, other, v) / v.numel() ** 0.5)],
        "v-forgotten": [scored(lambda one, other, v: additive(one, other, torch.ones_like(v)))],
        "no-query": [scored(lambda one, other, v: additive(0 * one, other, v))],
        "matrices-swapped": [lambda a, b, s, m, q, k, v, c: step_by_word(a, b, s, m, k, q, v, c)],
        "cell-moves-first": [cell_first],
        "filled-with-zero": [scored(additive, lambda s, m: (s * m).softmax(1))],
        "no-mask-and-context-first": [unmasked_and_swapped],
        "mask-after-softmax": [scored(additive, lambda s, m: s.softmax(1).masked_fill(~m, 0))],
        "mask-inverted": [
            scored(additive, lambda s, m: s.masked_fill(m, -torch.inf).softmax(1)),
            scored(additive, lambda s, m: (s - 1e9 * m).softmax(1)),
            lambda *given: step_by_kernel(*given, bias=lambda s, m: s.masked_fill(m, -torch.inf)),
        ],
        "no-mask": [scored(additive, lambda s, m: s.softmax(1))],
        "over-the-batch": [scored(additive, over_words)],
        "context-first": [swapped_input],
        "from-the-context": [goes_on_from_context],
    },
    "7.3": {
        "over-the-steps": [reweighed(lambda s, m: normalised(torch.exp(s) * m, 1))],
        "joined-along-the-steps": [rejoined(lambda c, a, w: F.linear(torch.hstack([c, a]), w).tanh())],
        "state-first": [rejoined(lambda c, a, w: F.linear(torch.cat((a, c), 2), w).tanh())],
        "context-alone": [rejoined(lambda c, a, w: F.linear(c, w.chunk(2, 1)[0]).tanh())],
        "added": [rejoined(lambda c, a, w: F.linear(a + c, w.chunk(2, 1)[0]).tanh())],
        "no-tanh": [rejoined(lambda c, a, w: F.linear(torch.cat((c, a), 2), w))],
        "context-of-the-step-before": [rejoined(late)],
        "matrix-transposed": [lambda a, s, m, w, j: luong_loop(a, s, m, w.T, j)],
        "divided-by-the-root": [lambda *given: luong_loop(*given, scale=given[0].shape[-1] ** -0.5)],
        "mask-after-softmax": [reweighed(lambda s, m: s.softmax(2).masked_fill(~m, 0))],
        "mask-inverted": [
            reweighed(lambda s, m: s.masked_fill(m, -torch.inf).softmax(2)),
            reweighed(lambda s, m: s.masked_fill(m, -1e9).softmax(2)),
            lambda *given: luong_by_kernel(*given, visible=torch.logical_not),
        ],
        "filled-with-zero": [reweighed(lambda s, m: (s * m).softmax(2))],
        "no-mask-and-state-first": [lambda *given: luong_by_kernel(*given, visible=torch.ones_like, turned=True)],
        "no-mask": [
            reweighed(lambda s, m: s.softmax(2)),
            lambda *given: luong_by_kernel(*given, visible=torch.ones_like),
        ],
    },
    "7.4": {
        "unrepaired": [lambda q, s, n: F.scaled_dot_product_attention(q, s, s, scale=1.0)],
        "mask-after-softmax": [weighed(lambda s, m: s.softmax(2).masked_fill(~m, 0))],
        "filled-with-zero": [weighed(lambda s, m: (s * m).softmax(2))],
        "renormalised-late": [weighed(lambda s, m: normalised(s.softmax(2) * m, 2))],
        "scaled": [
            lambda q, s, n: F.scaled_dot_product_attention(q, s, s, (torch.arange(s.shape[1]) < n[:, None])[:, None])
        ],
        "states-zeroed": [blanked],
        "zero-hidden": [lambda q, s, n: nothing_hidden(q, s * (torch.arange(s.shape[1]) < n[:, None])[..., None])],
        "scores-for-lengths": [lambda q, s, n: nothing_hidden(q, s)],
        "mask-inverted": [
            weighed(lambda s, m: s.masked_fill(m, -torch.inf).softmax(2)),
            weighed(lambda s, m: (s - 1e9 * m).softmax(2)),
        ],
        "longest-for-all": [lambda q, s, n: context_by_word(q, s, torch.full_like(n, n.max()))],
        "first-for-all": [lambda q, s, n: context_by_word(q, s, torch.full_like(n, n[0]))],
        "mask-lacks-an-axis": [weighed(lambda s, m: s.masked_fill(~m[:, 0], float("-inf")).softmax(2))],
        "one-too-many": [lambda q, s, n: context_by_word(q, s, n, more=1)],
        "one-too-few": [lambda q, s, n: context_by_word(q, s, n, more=-1)],
        "shortest-for-all": [lambda q, s, n: context_by_word(q, s, torch.full_like(n, n.min()))],
    },
    "7.5": {
        "columns-sum-to-one": [{**READ, "each column sums to 1": True}],
        "letters-by-sounds": [{**READ, "the shape for 5 words of 7 letters and 4 sounds": (5, 7, 4)}],
        "batch-forgotten": [{**READ, "the shape for 5 words of 7 letters and 4 sounds": (4, 7)}],
        "sum-is-words": [{**READ, "the sum of all weights in that batch": 5.0}],
        "sum-is-letters": [{**READ, "the sum of all weights in that batch": 5 * 7}],
        "row-by-position": [{**READ, "the letter that AY looks at most": "n"}],
        "largest-of-the-column": [{**READ, "all the weight that g gets": 0.2}],
        "below-in-every-row": [{**READ, "letters with less than 0.3 in all": 3}],
    },
    "7.6": {
        "not-three-matrices": [(AHEAD, BACK), (AHEAD[:4], BACK, SAME)],
        "not-forwards": [(torch.eye(5) * 9, BACK, SAME), (BACK, AHEAD, SAME)],
        "forwards-too-flat": [(AHEAD / 9, BACK, SAME)],
        "not-backwards": [(AHEAD, AHEAD, SAME)],
        "backwards-too-flat": [(AHEAD, BACK / 9, SAME)],
        "steps-differ": [(AHEAD, BACK, AHEAD)],
        "the-same-but-flat": [(AHEAD, BACK, torch.zeros(5, 5))],
    },
    "7.7": {
        "unrepaired": [with_reading(lambda token, target_in, place: target_in[:, place])],
        "start-missing": [with_reading(lambda *given: own(*given, first=PAD))],
        "starts-with-the-end": [with_reading(lambda *given: own(*given, first=END))],
        "state-forgotten": [with_reading(own, keep=True)],
        "always-the-start": [with_reading(constant(START))],
        "what-it-read": [with_reading(own, give_read=True)],
        "one-late": [with_reading(constant(END))],
        "stops-early": [lambda *given: until_ended(writes(*given))],
        "pads-behind-the-end": [lambda *given: blank_behind(writes(*given))],
    },
    "7.8": {
        "context-stays-outside": [{**MOVES, "Bahdanau: the third query moves": False}],
        "context-in-the-cell": [{**MOVES, "Luong: the third query moves": True}],
        "one-vector-sees-letters": [{**MOVES, "one vector: the third state moves": True}],
        "queries-ignore-sounds": [{**MOVES, "Luong: the third query moves with the sound": False}],
        "first-query-from-the-sound": [{**MOVES, "Bahdanau: the first query is the encoder's last state": False}],
        "greedy-at-once": [{**MOVES, "Luong: greedy writing needs no loop": True}],
    },
    "7.9": {
        "not-three": [(0.6, 1.6), (0.6, 1.6, float("nan"))],
        "not-above-zero": [(-0.6, 1.6, 0.994), (0.6, -1.6, 0.994)],
        "does-not-fade": [(0.9, 1.6, 0.994)],
        "fades-at-once": [(0.1, 1.6, 0.994)],
        "does-not-explode": [(0.6, 1.2, 0.994)],
        "explodes-at-once": [(0.6, 10, 0.994)],
        "forgets": [(0.6, 1.6, 0.9)],
        "does-not-forget-at-all": [(0.6, 1.6, 1)],
    },
}

UNTOUCHED = {}
