"""Answers to lesson 08, written without the bank: right ones in two styles, and one for each known mistake."""

import math

import torch
import torch.nn.functional as F

# 8.1


def window_matrix(centres, length, reach, mask):
    places = torch.arange(length)[None, None]
    low, high = centres.unsqueeze(-1) - reach, centres.unsqueeze(-1) + reach
    return (places >= low).logical_and(places <= high).logical_and(mask)


def window_loop(centres, length, reach, mask, near=None, padding=True, moved=lambda b, t, p: p):
    near = near or (lambda s, p: abs(s - p) <= reach)
    rows = []
    for b, row in enumerate(centres.tolist()):
        rows.append(
            [
                [near(s, moved(b, t, p)) and (not padding or mask[b, 0, s].item()) for s in range(length)]
                for t, p in enumerate(row)
            ]
        )
    return torch.tensor(rows)


# 8.2


def local_loop(
    query, states, mask, w, v, reach, *, whole=False, hidden=math.tanh, deviation=0.5, bell=True, window=True,
    padding=False, again=False, on_scores=False, late=False,
):  # fmt: skip
    contexts, rows = [], []
    for b in range(query.shape[0]):
        real = states.shape[1] if whole else mask[b].sum().item()
        for h in query[b]:
            inner = sum(float(v[i]) * hidden(float(w[i] @ h)) for i in range(len(v)))
            p = real / (1 + math.exp(-inner))
            seen = [
                s for s in range(states.shape[1]) if (padding or mask[b, 0, s]) and (not window or abs(s - p) <= reach)
            ]
            keys = [s for s in range(states.shape[1]) if mask[b, 0, s]] if late else seen
            curve = {s: math.exp(-0.5 * ((s - p) / (deviation * reach)) ** 2) for s in range(states.shape[1])}
            scores = {s: float(h @ states[b, s]) * (curve[s] if on_scores else 1) for s in keys}
            total = sum(math.exp(score) for score in scores.values())
            row = torch.zeros(states.shape[1])
            for s in seen:
                if s in scores:
                    row[s] = math.exp(scores[s]) / total * (curve[s] if bell and not on_scores else 1)
            row = row / row.sum() if again else row
            rows.append(row)
            contexts.append(row @ states[b])
    shape = query.shape[:2]
    return torch.stack(contexts).unflatten(0, shape), torch.stack(rows).unflatten(0, shape)


def local_matrix(query, states, mask, w, v, reach):
    lengths = mask.squeeze(1).sum(1, keepdim=True).float()
    p = lengths * torch.einsum("bth,h->bt", torch.einsum("bts,hs->bth", query, w).tanh(), v).sigmoid()
    s = torch.arange(states.shape[1]).float().view(1, 1, -1)
    far = ((s - p.unsqueeze(2)).abs() > reach) | ~mask
    powers = torch.exp(torch.einsum("bts,bks->btk", query, states)).masked_fill(far, 0.0)
    weights = powers / powers.sum(2, keepdim=True) * torch.exp(-2 * ((s - p.unsqueeze(2)) / reach) ** 2)
    return torch.einsum("btk,bks->bts", weights, states), weights


def local_fused(query, states, mask, w, v, reach, scale=1.0, weight=None, squash=torch.sigmoid, half=2.0, plain=False):
    weight = w if weight is None else weight
    p = mask.sum(-1) * squash(torch.einsum("oi,bti->bto", weight, query).tanh() @ v)
    apart = torch.arange(states.shape[1]).sub(p[:, :, None])
    hidden = torch.zeros(apart.shape).masked_fill(~((apart.abs() <= reach) & mask), float("-inf"))
    identity = torch.eye(states.shape[1]).expand(len(query), -1, -1)
    weights = F.scaled_dot_product_attention(query, states, identity, attn_mask=hidden, scale=scale)
    belled = weights * torch.exp(-half * (apart / reach) ** 2)
    return (weights if plain else belled) @ states, belled


def local(**changes):
    return lambda *given: local_loop(*given, **changes)


def _from_centres(query, states, mask, p, reach, axis=2):
    apart = torch.arange(states.shape[1]) - p.unsqueeze(2)
    scores = torch.einsum("bqs,bks->bqk", query, states)
    scores = scores.where((apart.abs() <= reach) & mask, torch.tensor(-math.inf))
    weights = scores.softmax(axis)
    weights = weights.nan_to_num() if axis == 1 else weights
    weights = weights * (-0.5 * (apart / (0.5 * reach)).pow(2)).exp()
    return weights @ states, weights


def no_sigmoid(query, states, mask, w, v, reach):
    return _from_centres(query, states, mask, mask.sum(2) * ((query @ w.t()).tanh() @ v), reach)


def bell_inside(query, states, mask, w, v, reach):
    apart = torch.arange(states.shape[1]) - (mask.sum(2) * ((query @ w.t()).tanh() @ v).sigmoid()).unsqueeze(2)
    scores = query @ states.mT - 0.5 * (apart / (0.5 * reach)) ** 2
    weights = scores.masked_fill((apart.abs() > reach) | ~mask, -math.inf).softmax(2)
    return weights @ states, weights


def rounded_centre(query, states, mask, w, v, reach):
    p = mask.sum(2) * ((query @ w.t()).tanh() @ v).sigmoid()
    return _from_centres(query, states, mask, p.round(), reach)


def no_length(query, states, mask, w, v, reach):
    return _from_centres(query, states, mask, ((query @ w.t()).tanh() @ v).sigmoid(), reach)


def last_position(query, states, mask, w, v, reach):
    share = ((query @ w.t()).tanh() @ v).sigmoid()
    return _from_centres(query, states, mask, (mask.sum(2) - 1) * share, reach)


def own_position(query, states, mask, w, v, reach):
    return _from_centres(query, states, mask, torch.arange(query.shape[1]).repeat(len(query), 1), reach)


def over_the_queries(query, states, mask, w, v, reach):
    return _from_centres(query, states, mask, mask.sum(2) * ((query @ w.t()).tanh() @ v).sigmoid(), reach, axis=1)


# 8.4


def mechanisms(**changes):
    truth = {
        "additive": ["global", "soft", 10], "window": ["local", "soft", 5], "predicted": ["local", "soft", 5],
        "sampled": ["global", "hard", 1], "own place": ["local", "hard", 1],
    }  # fmt: skip
    answers = {
        f"{name}: {axis}": row[n] for name, row in truth.items() for n, axis in enumerate(("where", "how", "keys"))
    }
    return answers | {label.replace("_", " ").replace("  ", ": "): one for label, one in changes.items()}


RIGHT = {
    "8.1": [window_matrix, window_loop, lambda c, n, r, m: ((torch.arange(n) - c[..., None]) ** 2 <= r**2) * m],
    "8.2": [local_loop, local_matrix, local_fused],
    "8.3": [(2, 0.5625), (torch.tensor(2), torch.tensor(27 / 48)), [2.0, 9 / 16]],
    "8.4": [mechanisms(), dict(reversed(mechanisms().items())), mechanisms(additive__where="Global")],
}
WRONG = {
    "8.1": {
        "edge-lost": [lambda c, n, r, m: window_loop(c, n, r, m, near=lambda s, p: abs(s - p) < r)],
        "one-sided": [lambda c, n, r, m: window_loop(c, n, r, m, near=lambda s, p: s - p <= r)],
        "forward-only": [lambda c, n, r, m: window_loop(c, n, r, m, near=lambda s, p: p <= s <= p + r)],
        "padding-seen": [lambda c, n, r, m: window_loop(c, n, r, m, padding=False)],
        "centre-rounded": [lambda c, n, r, m: window_loop(c, n, r, m, moved=lambda b, t, p: round(p))],
        "own-place": [lambda c, n, r, m: window_loop(c, n, r, m, moved=lambda b, t, p: t)],
        "inverted": [lambda *given: window_matrix(*given).logical_not()],
        "edge-lost-and-padding-seen": [
            lambda c, n, r, m: window_loop(c, n, r, m, near=lambda s, p: abs(s - p) < r, padding=False)
        ],
        "one-sided-mirrored": [
            lambda c, n, r, m: window_loop(c, n, r, m, near=lambda s, p: p - s <= r),
            lambda c, n, r, m: ((c[:, :, None] - torch.arange(n)) <= r) * m,
        ],
        "backward-only": [lambda c, n, r, m: window_loop(c, n, r, m, near=lambda s, p: p - r <= s <= p)],
        "squared": [lambda c, n, r, m: ((torch.arange(n) - c.unsqueeze(2)) ** 2 <= r).logical_and(m)],
        "reach-is-the-width": [lambda c, n, r, m: window_loop(c, n, r, m, near=lambda s, p: 2 * abs(s - p) <= r)],
        "one-too-wide": [lambda c, n, r, m: window_matrix(c, n, r + 1, m)],
        "places-from-one": [lambda c, n, r, m: window_loop(c, n, r, m, moved=lambda b, t, p: p - 1)],
        "joined-by-or": [lambda c, n, r, m: window_loop(c, n, r, m, padding=False).logical_or(m)],
        "outside": [lambda c, n, r, m: window_loop(c, n, r, m, near=lambda s, p: abs(s - p) > r)],
        "padding-only": [lambda c, n, r, m: window_matrix(c, n, r, m.logical_not())],
        "centre-cut": [lambda c, n, r, m: window_loop(c, n, r, m, moved=lambda b, t, p: int(p))],
    },
    "8.2": {
        "renormalised": [local(again=True), bell_inside],
        "bell-on-scores": [local(on_scores=True)],
        "masked-after-softmax": [local(late=True)],
        "no-bell": [local(bell=False)],
        "no-window": [local(window=False)],
        "padding-seen": [local(padding=True)],
        "deviation-is-the-reach": [local(deviation=1.0)],
        "longest-source": [local(whole=True)],
        "no-tanh": [local(hidden=lambda x: x)],
        "w-transposed": [lambda q, k, m, w, v, r: local_fused(q, k, m, w, v, r, weight=w.T)],
        "no-sigmoid": [lambda *given: no_sigmoid(*given)],
        "no-sigmoid-without-nan": [lambda *given: tuple(one.nan_to_num(0.0) for one in no_sigmoid(*given))],
        "centre-rounded": [lambda *given: rounded_centre(*given)],
        "deviation-not-squared": [lambda q, k, m, w, v, r: local_fused(q, k, m, w, v, r, half=r)],
        "no-length": [lambda *given: no_length(*given)],
        "last-position": [lambda *given: last_position(*given)],
        "local-m": [lambda *given: own_position(*given)],
        "scaled": [lambda *given: local_fused(*given, scale=None)],
        "bell-without-two": [lambda *given: local_fused(*given, half=4.0)],
        "context-before-the-bell": [lambda *given: local_fused(*given, plain=True)],
        "over-the-queries": [lambda *given: over_the_queries(*given)],
    },
    "8.3": {
        "swapped": [(0.5625, 2)],
        "all-queries-below": [(2, 27 / 56)],
        "nothing-needed": [(7, 1.0)],
        "lost": [(1, 17 / 48), (5 / 6, 0.3)],
        "too-wide": [(3, 35 / 48)],
        "edges-forgotten": [(2, 0.625)],
        "last-query-counted": [(2, 31 / 56)],
        "a-count": [(2, 27)],
        "share": [(2, 0.5)],
    },
    "8.4": {
        "current-input-only": [mechanisms(window__keys=1)],
        "centre-forgotten": [mechanisms(window__keys=4)],
        "reach-is-the-width": [mechanisms(window__keys=2)],
        "one-side-only": [mechanisms(window__keys=3)],
        "drawn-is-soft": [mechanisms(sampled__how="soft")],
        "global-is-hard": [mechanisms(additive__how="hard")],
        "local-is-hard": [mechanisms(window__how="hard")],
        "bell-has-no-end": [mechanisms(predicted__keys=10)],
        "bell-chooses": [mechanisms(predicted__keys=1)],
        "one-key-is-local": [mechanisms(sampled__where="local")],
        "shares-before-drawing": [mechanisms(sampled__keys=10)],
        "nothing-to-share": [mechanisms() | {"own place: how": "soft"}],
    },
}
UNTOUCHED = {}
