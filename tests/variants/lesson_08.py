"""Answers to lesson 08, written without the bank: right ones in two styles, and one for each known mistake."""

import itertools
import math
from collections import Counter

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


def local(**changes):
    return lambda *given: local_loop(*given, **changes)


# 8.3


def step_sorted(totals, logs, beams):
    every = (totals.unsqueeze(2) + logs).reshape(len(totals), -1).sort(dim=1, descending=True)
    places = every.indices[:, :beams]
    return (
        every.values[:, :beams],
        torch.div(places, logs.size(2), rounding_mode="floor"),
        places.remainder(logs.size(2)),
    )


def step_loop(totals, logs, beams, gain=lambda total, log: total + log, best_first=True, show=lambda k, w, v: (k, w)):
    found = []
    for b in range(len(totals)):
        grid = itertools.product(range(logs.shape[1]), range(logs.shape[2]))
        ranked = [(gain(totals[b, k].item(), logs[b, k, w].item()), k, w) for k, w in grid]
        found.append(sorted(ranked, key=lambda one: one[0], reverse=best_first)[:beams])
    best = torch.tensor([[one[0] for one in row] for row in found])
    pairs = [[show(k, w, logs.shape[2]) for _, k, w in row] for row in found]
    return best, torch.tensor(pairs)[..., 0], torch.tensor(pairs)[..., 1]


def step_two_stages(totals, logs, beams):
    few, words = logs.topk(beams, dim=2)  # more than `beams` of one beginning can never win
    best, places = (totals[:, :, None] + few).flatten(1).topk(beams)
    return best, places // beams, words.flatten(1).gather(1, places)


def step_one_child(totals, logs, beams):
    rows = []
    for total, log in zip(totals, logs, strict=True):
        children = [(total[k] + log[k].max(), k, int(log[k].argmax())) for k in range(len(total))]
        rows.append(sorted(children, key=lambda child: -child[0])[:beams])
    return tuple(
        torch.tensor([[float(child[n]) if n == 0 else child[n] for child in row] for row in rows]) for n in range(3)
    )


def step_first(totals, logs, beams):
    grown = (totals[:, :1] + logs[:, 0]).sort(dim=1, descending=True)
    return grown.values[:, :beams], torch.zeros(len(totals), beams).long(), grown.indices[:, :beams]


def by_wrong_count(totals, logs, beams):
    best, beginnings, tokens = step_sorted(totals, logs, beams)
    places = beginnings * logs.size(2) + tokens
    return best, places // totals.size(1), places % totals.size(1)


# 8.4


def copy_one_hot(words, weights, gate, numbers, total):
    copied = weights @ F.one_hot(numbers, total).float()
    return torch.cat([gate * words, words.new_zeros(*words.shape[:2], total - words.shape[2])], 2) + (1 - gate) * copied


def copy_loop(words, weights, gate, numbers, total, share=lambda g: (g, 1 - g), overwrite=False, skip=0, best=False):
    result = []
    for b in range(words.shape[0]):
        for t in range(words.shape[1]):
            first, second = share(gate[b, t, 0])
            copied = torch.zeros(total)
            for s, number in enumerate(numbers[b].tolist()):
                weight = weights[b, t, s]
                if best:
                    weight = float(s == weights[b, t].argmax())
                if number >= skip:
                    copied[number] = weight if overwrite else copied[number] + weight
            row = second * copied
            row[: words.shape[2]] += first * words[b, t]
            result.append(row)
    return torch.stack(result).view(*words.shape[:2], total)


def copied(**changes):
    return lambda *given: copy_loop(*given, **changes)


def copy_unknown_only(words, weights, gate, numbers, total):
    return copy_loop(words, weights, gate, numbers, total, skip=words.shape[2])


def copy_and_change(words, weights, gate, numbers, total):
    result = copy_one_hot(words, weights, gate, numbers, total)
    words.mul_(gate)
    return result


# 8.6


def mechanisms(**changes):
    truth = {
        "additive": ["global", "soft", 10], "window": ["local", "soft", 5], "predicted": ["local", "soft", 5],
        "sampled": ["global", "hard", 1], "own place": ["local", "hard", 1],
    }  # fmt: skip
    answers = {
        f"{name}: {axis}": row[n] for name, row in truth.items() for n, axis in enumerate(("where", "how", "keys"))
    }
    return answers | {label.replace("_", " ").replace("  ", ": "): one for label, one in changes.items()}


# 8.7


def choose(score):
    def answer(totals, lengths, alpha):
        rows = zip(totals.tolist(), lengths.tolist(), strict=True)
        return torch.tensor([max(range(len(t)), key=lambda i, t=t, n=n: score(t[i], n[i], alpha)) for t, n in rows])

    return answer


def choose_by_logs(totals, lengths, alpha):
    return (torch.log(-totals) - alpha * torch.log(lengths + 5.0)).min(dim=1).indices


def best_score(totals, lengths, alpha):
    return (totals * (6 / (5 + lengths)) ** alpha).max(dim=1).values


# 8.8


def clipped_pairs(hypothesis, references, size, join=max, own=lambda words: words, cut=1, count_all=None):
    def times(run, words):
        return sum(words[i : i + size] == run for i in range(len(words) - size + cut))

    starts = range(len(hypothesis) - size + cut)
    runs = own([tuple(hypothesis[i : i + size]) for i in starts])
    right = 0
    for run in set(runs):
        right += min(runs.count(run), join([times(list(run), known) for known in references]))
    return right, len(runs) if count_all is None else count_all


def clipped_counters(hypothesis, references, size):
    def count(words):
        return Counter(zip(*[words[n:] for n in range(size)], strict=False))

    own, known = count(hypothesis), [count(one) for one in references]
    return sum(min(times, max(one[run] for one in known)) for run, times in own.items()), sum(own.values())


RIGHT = {
    "8.1": [window_matrix, window_loop],
    "8.2": [local_loop, local_matrix],
    "8.3": [step_sorted, step_loop, step_two_stages],
    "8.4": [copy_one_hot, copy_loop],
    "8.5": [(2, 0.5625), (torch.tensor(2), torch.tensor(27 / 48))],
    "8.6": [mechanisms(), dict(reversed(mechanisms().items()))],
    "8.7": [choose(lambda t, n, a: t / ((5 + n) / 6) ** a), choose_by_logs],
    "8.8": [clipped_pairs, clipped_counters],
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
        "one-child-each": [step_one_child],
        "totals-forgotten": [lambda *given: step_loop(*given, gain=lambda total, log: log)],
        "multiplied": [lambda *given: step_loop(*given, gain=lambda total, log: total * log)],
        "not-taken-apart": [lambda *given: step_loop(*given, show=lambda k, w, v: (k, k * v + w))],
        "swapped": [lambda *given: step_loop(*given, show=lambda k, w, v: (w, k))],
        "divided-by-beginnings": [by_wrong_count],
        "worst": [lambda *given: step_loop(*given, best_first=False)],
        "first-beginning": [step_first],
    },
    "8.4": {
        "gate-swapped": [copied(share=lambda g: (1 - g, g))],
        "last-place-only": [copied(overwrite=True)],
        "no-gate": [copied(share=lambda g: (1, 1))],
        "vocabulary-only": [copied(share=lambda g: (g, 0))],
        "copy-only": [copied(share=lambda g: (0, 1 - g))],
        "hard-copy": [copied(best=True)],
        "known-not-copied": [copy_unknown_only],
        "changed-in-place": [copy_and_change],
    },
    "8.5": {
        "nothing-needed": [(7, 1.0)],
        "lost": [(1, 17 / 48), (5 / 6, 0.3)],
        "too-wide": [(3, 35 / 48)],
        "edges-forgotten": [(2, 0.625)],
        "last-query-counted": [(2, 31 / 56)],
        "a-count": [(2, 27)],
        "share": [(2, 0.5)],
    },
    "8.6": {
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
    "8.7": {
        "no-penalty": [choose(lambda t, n, a: t)],
        "multiplied": [choose(lambda t, n, a: t * ((5 + n) / 6) ** a)],
        "mean-per-token": [choose(lambda t, n, a: t / n)],
        "length-to-the-power": [choose(lambda t, n, a: t / n**a)],
        "alpha-as-a-factor": [choose(lambda t, n, a: t / ((5 + n) / 6 * a))],
        "the-worst": [choose(lambda t, n, a: -t / ((5 + n) / 6) ** a)],
        "score-not-place": [best_score],
    },
    "8.8": {
        "unclipped": [lambda h, r, n: clipped_pairs(h, r, n, join=lambda counts: 99 * max(counts))],
        "references-added": [lambda h, r, n: clipped_pairs(h, r, n, join=sum)],
        "smallest-count": [lambda h, r, n: clipped_pairs(h, r, n, join=min)],
        "first-reference": [lambda h, r, n: clipped_pairs(h, r[:1], n)],
        "each-run-once": [lambda h, r, n: clipped_pairs(h, r, n, own=lambda runs: sorted(set(runs)))],
        "last-run-lost": [lambda h, r, n: clipped_pairs(h, r, n, cut=0)],
        "all-of-the-reference": [lambda h, r, n: clipped_pairs(h, r, n, count_all=len(r[0]) - n + 1)],
    },
}
UNTOUCHED = {}
