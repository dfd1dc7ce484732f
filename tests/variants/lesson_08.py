"""Answers to lesson 08, written without the bank: right ones in two styles, and one for each known mistake."""

import math

import torch

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


def local(**changes):
    return lambda *given: local_loop(*given, **changes)


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
    "8.1": [window_matrix, window_loop],
    "8.2": [local_loop, local_matrix],
    "8.3": [(2, 0.5625), (torch.tensor(2), torch.tensor(27 / 48))],
    "8.4": [mechanisms(), dict(reversed(mechanisms().items()))],
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
    },
    "8.2": {
        "renormalised": [local(again=True)],
        "bell-on-scores": [local(on_scores=True)],
        "masked-after-softmax": [local(late=True)],
        "no-bell": [local(bell=False)],
        "no-window": [local(window=False)],
        "padding-seen": [local(padding=True)],
        "deviation-is-the-reach": [local(deviation=1.0)],
        "longest-source": [local(whole=True)],
        "no-tanh": [local(hidden=lambda x: x)],
    },
    "8.3": {
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
