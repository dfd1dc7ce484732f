"""Answers to lesson 09, written without the bank: right ones in two styles, and one for each known mistake."""

import itertools
import math
from collections import Counter

import torch
import torch.nn.functional as F

# 9.1


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


def gain_only(totals, logs, beams):
    _, beginnings, tokens = step_sorted(totals, logs, beams)
    rows = torch.arange(len(logs))[:, None]
    return logs[rows, beginnings, tokens], beginnings, tokens


def by_beams(totals, logs, beams):
    _, beginnings, tokens = step_sorted(totals, logs, beams)
    places = beginnings * logs.size(2) + tokens
    return step_sorted(totals, logs, beams)[0], torch.div(places, beams, rounding_mode="floor"), places.remainder(beams)


# 9.2


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


def copy_overwriting(words, weights, gate, numbers, total):
    rows = torch.cat([gate * words, torch.zeros(*words.shape[:2], total - words.shape[2])], dim=2)
    for b in range(len(words)):
        for s, number in enumerate(numbers[b].tolist()):
            rows[b, :, number] = (1 - gate[b, :, 0]) * weights[b, :, s]
    return rows


def copy_index_add(words, weights, gate, numbers, total):
    rows = []
    for b in range(len(words)):
        row = torch.zeros(words.shape[1], total)
        row[:, : words.shape[2]] = gate[b] * words[b]
        rows.append(row.index_add(1, numbers[b], weights[b] * (1 - gate[b])))
    return torch.stack(rows)


# 9.3


def choose(score):
    def answer(totals, lengths, alpha):
        rows = zip(totals.tolist(), lengths.tolist(), strict=True)
        return torch.tensor([max(range(len(t)), key=lambda i, t=t, n=n: score(t[i], n[i], alpha)) for t, n in rows])

    return answer


def choose_by_logs(totals, lengths, alpha):
    return (torch.log(-totals) - alpha * torch.log(lengths + 5.0)).min(dim=1).indices


def best_score(totals, lengths, alpha):
    return (totals * (6 / (5 + lengths)) ** alpha).max(dim=1).values


# 9.4


def clipped_pairs(hypothesis, references, size, join=max, own=lambda words: words, cut=1, count_all=None):
    def times(run, words):
        return sum(words[i : i + size] == run for i in range(len(words) - size + cut))

    starts = range(len(hypothesis) - size + cut)
    runs = own([tuple(hypothesis[i : i + size]) for i in starts])
    right = 0
    for run in set(runs):
        right += min(runs.count(run), join([times(list(run), known) for known in references]))
    return right, len(runs) if count_all is None else count_all


def clipped_by_removal(hypothesis, references, size):
    right = starts = 0
    left = [[tuple(one[i : i + size]) for i in range(max(0, len(one) - size + 1))] for one in references]
    for i in range(max(0, len(hypothesis) - size + 1)):
        run, starts = tuple(hypothesis[i : i + size]), starts + 1
        holding = [one for one in left if run in one]
        right += bool(holding)
        for one in holding:
            one.remove(run)
    return right, starts


def clipped_as_text(hypothesis, references, size):
    seen, total = Counter(), 0
    for i in range(len(hypothesis) - size + 1):
        seen[" ".join(hypothesis[i : i + size])] += 1
        total += 1
    joined = [" ".join(one) for one in references]
    return sum(min(n, max(one.count(run) for one in joined)) for run, n in seen.items()), total


def different_below(hypothesis, references, size):
    different = {tuple(hypothesis[i : i + size]) for i in range(len(hypothesis) - size + 1)}
    return clipped_pairs(hypothesis, references, size, count_all=len(different))


def one_reference_each(hypothesis, references, size):
    return max(clipped_pairs(hypothesis, [one], size) for one in references)


def clipped_counters(hypothesis, references, size):
    def count(words):
        return Counter(zip(*[words[n:] for n in range(size)], strict=False))

    own, known = count(hypothesis), [count(one) for one in references]
    return sum(min(times, max(one[run] for one in known)) for run, times in own.items()), sum(own.values())


def step_loop_of_each(totals, logs, beams):
    grown = [
        (total + row, k) for k, (total, row) in enumerate(zip(totals.T[..., None], logs.mT.mT.unbind(1), strict=True))
    ]
    best = torch.stack([one.amax(-1) for one, _ in grown[:beams]], 1)
    tokens = torch.stack([one.argmax(-1) for one, _ in grown[:beams]], 1)
    return best, torch.tensor([k for _, k in grown[:beams]]).repeat(len(totals), 1), tokens


def with_runs(runs):
    def clipped(hypothesis, references, size):
        own = Counter(runs(hypothesis, size))
        most = Counter()
        for reference in references:
            most |= Counter(runs(reference, size))
        return sum((own & most).values()), sum(own.values())

    return clipped


RIGHT = {
    "9.1": [step_sorted, step_loop, step_two_stages],
    "9.2": [copy_one_hot, copy_loop, copy_index_add],
    "9.3": [choose(lambda t, n, a: t / ((5 + n) / 6) ** a), choose_by_logs, choose(lambda t, n, a: t / (5 + n) ** a)],
    "9.4": [clipped_pairs, clipped_counters, clipped_by_removal],
}
WRONG = {
    "9.1": {
        "one-child-each": [step_one_child],
        "totals-forgotten": [lambda *given: step_loop(*given, gain=lambda total, log: log)],
        "multiplied": [lambda *given: step_loop(*given, gain=lambda total, log: total * log)],
        "not-taken-apart": [lambda *given: step_loop(*given, show=lambda k, w, v: (k, k * v + w))],
        "swapped": [lambda *given: step_loop(*given, show=lambda k, w, v: (w, k))],
        "divided-by-beginnings": [by_wrong_count],
        "worst": [lambda *given: step_loop(*given, best_first=False)],
        "worst-first": [lambda *given: tuple(one.flip(1) for one in step_sorted(*given))],
        "not-whole": [lambda t, g, k: (lambda best, b, w: (best, b + w / g.size(2), w))(*step_sorted(t, g, k))],
        "gain-only": [gain_only],
        "divided-by-beams": [by_beams],
        "best-of-each": [lambda t, g, k: step_loop_of_each(t, g, k)],
        "all-rows-together": [
            lambda t, g, k: (lambda top: (top[0], top[1] // g.size(2), top[1] % g.size(2)))(
                (t.unsqueeze(2) + g).reshape(-1).topk(k)
            )
        ],
        "probabilities": [lambda *given: (step_loop(*given)[0].exp(), *step_loop(*given)[1:])],
        "first-beginning": [step_first],
    },
    "9.2": {
        "gate-swapped": [copied(share=lambda g: (1 - g, g))],
        "last-place-only": [copied(overwrite=True)],
        "overwritten": [copy_overwriting],
        "gate-on-words-only": [copied(share=lambda g: (g, 1))],
        "no-gate": [copied(share=lambda g: (1, 1))],
        "vocabulary-only": [copied(share=lambda g: (g, 0))],
        "copy-only": [copied(share=lambda g: (0, 1 - g))],
        "side-by-side": [lambda words, weights, gate, *_: torch.dstack([words * gate, weights * (1 - gate)])],
        "hard-copy": [copied(best=True)],
        "known-not-copied": [copy_unknown_only],
        "changed-in-place": [copy_and_change],
    },
    "9.3": {
        "no-penalty": [choose(lambda t, n, a: t)],
        "multiplied": [choose(lambda t, n, a: t * ((5 + n) / 6) ** a)],
        "mean-per-token": [choose(lambda t, n, a: t / n)],
        "length-to-the-power": [choose(lambda t, n, a: t / n**a)],
        "five-and-a-sixth": [choose(lambda t, n, a: t * (n / 6 + 5) ** -a)],
        "alpha-is-no-exponent": [choose(lambda t, n, a: t / ((5 + n) / 6 * a)), choose(lambda t, n, a: t / (5 + n))],
        "subtracted": [choose(lambda t, n, a: t - ((5 + n) / 6) ** a)],
        "added": [choose(lambda t, n, a: t + ((5 + n) / 6) ** a)],
        "across-rows": [lambda t, n, a: torch.max(t * (6 / (n + 5.0)) ** a, dim=0).indices],
        "probabilities-divided": [choose(lambda t, n, a: math.e**t / ((5 + n) / 6) ** a)],
        "the-worst": [choose(lambda t, n, a: -t / ((5 + n) / 6) ** a)],
        "score-not-place": [best_score],
    },
    "9.4": {
        "unclipped": [lambda h, r, n: clipped_pairs(h, r, n, join=lambda counts: 99 * max(counts))],
        "references-added": [lambda h, r, n: clipped_pairs(h, r, n, join=sum)],
        "smallest-count": [lambda h, r, n: clipped_pairs(h, r, n, join=min)],
        "first-reference": [lambda h, r, n: clipped_pairs(h, r[:1], n)],
        "each-run-once": [lambda h, r, n: clipped_pairs(h, r, n, own=lambda runs: sorted(set(runs)))],
        "last-run-lost": [lambda h, r, n: clipped_pairs(h, r, n, cut=0)],
        "all-of-the-reference": [lambda h, r, n: clipped_pairs(h, r, n, count_all=max(0, len(r[0]) - n + 1))],
        "different-runs-below": [lambda h, r, n: different_below(h, r, n)],
        "last-reference": [lambda h, r, n: clipped_pairs(h, r[-1:], n)],
        "as-text": [clipped_as_text],
        "best-reference": [one_reference_each],
        "shorter-runs-too": [with_runs(lambda words, n: [tuple(words[i : i + n]) for i, _ in enumerate(words)])],
        "any-order": [
            with_runs(
                lambda words, n: ["".join(sorted(run)) for run in zip(*(words[i:] for i in range(n)), strict=False)]
            )
        ],
        "below-none": [lambda h, r, n: (clipped_pairs(h, r, n)[0], len(h) - n + 1)],
    },
}
UNTOUCHED = {}
