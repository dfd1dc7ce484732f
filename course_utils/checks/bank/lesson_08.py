"""Exercises of lesson 08: window, local-p, a step of beam search, copy gate, reach, two axes, penalty, clipping."""

import math
from collections import Counter

import torch
from torch import Tensor

from course_utils.attention.masks import padding_mask
from course_utils.checks.forms import predict, prove, write

# 8.1 A window around a centre: one key at a time as the oracle.


def _window_oracle(centres: Tensor, length: int, reach: int, mask: Tensor) -> Tensor:
    inside = torch.zeros(*centres.shape, length, dtype=torch.bool)
    for b, row in enumerate(centres.tolist()):
        for t, centre in enumerate(row):
            for s in range(length):
                inside[b, t, s] = centre - reach <= s <= centre + reach and bool(mask[b, 0, s])
    return inside


def _window(near=lambda distance, reach: distance.abs() <= reach, moved=lambda centres: centres, masked=True):
    def answer(centres, length, reach, mask):
        inside = near(torch.arange(length) - moved(centres)[..., None], reach)
        return inside & mask if masked else inside

    return answer


def _draw_windows(generator: torch.Generator) -> list[tuple]:
    whole = torch.randint(1, 6, (3, 4), generator=generator) + 0.0
    whole[0, 1] = 4.0  # a window that lies inside, and is not at the query's own place
    between = torch.randint(1, 5, (2, 5), generator=generator) + 0.3
    return [
        (whole, 7, 2, padding_mask(torch.tensor([7, 3, 5]))),
        (between, 6, 1, padding_mask(torch.tensor([4, 6]))),
    ]


def _own_place(centres: Tensor) -> Tensor:
    return torch.arange(centres.shape[1]).expand(centres.shape)


WINDOW = write(
    "8.1",
    oracle=_window_oracle,
    inputs=_draw_windows,
    mistakes={
        "edge-lost": _window(lambda distance, reach: distance.abs() < reach),
        "one-sided": _window(lambda distance, reach: distance <= reach),
        "forward-only": _window(lambda distance, reach: (distance >= 0) & (distance <= reach)),
        "padding-seen": _window(masked=False),
        "centre-rounded": _window(moved=torch.round),
        "own-place": _window(moved=_own_place),
        "inverted": lambda *given: ~_window_oracle(*given),
    },
)


# 8.2 Local-p: one query at a time as the oracle.


def _local_p_oracle(query, states, mask, w, v, reach):
    context, weights = torch.zeros_like(query), torch.zeros(*query.shape[:2], states.shape[1])
    for b in range(len(query)):
        length = int(mask[b].sum())
        for t, h in enumerate(query[b]):
            p = length / (1 + math.exp(-float(v @ torch.tanh(w @ h))))
            seen = [s for s in range(length) if abs(s - p) <= reach]
            shares = torch.softmax(states[b, seen] @ h, dim=0)
            for s, share in zip(seen, shares, strict=True):
                weights[b, t, s] = share * math.exp(-((s - p) ** 2) / (2 * (reach / 2) ** 2))
            context[b, t] = weights[b, t] @ states[b]
    return context, weights


def _local_p(
    length=lambda mask: mask.sum(-1), squash=torch.tanh, inside=lambda near, mask: near & mask,
    deviation=lambda reach: reach / 2, bell=True, order="softmax first", renormalise=False,
):  # fmt: skip
    def answer(query, states, mask, w, v, reach):
        centres = length(mask) * torch.sigmoid(squash(query @ w.T) @ v)
        distance = torch.arange(states.shape[1]) - centres[..., None]
        allowed = inside(distance.abs() <= reach, mask)
        curve = torch.exp(-distance.square() / (2 * deviation(reach) ** 2))
        scores = query @ states.transpose(-2, -1)
        if order == "bell first":
            weights = torch.softmax((scores * curve).masked_fill(~allowed, -math.inf), -1)
        elif order == "mask last":
            weights = torch.softmax(scores.masked_fill(~mask, -math.inf), -1) * allowed * curve
        else:
            weights = torch.softmax(scores.masked_fill(~allowed, -math.inf), -1)
            weights = weights * curve if bell else weights
        weights = weights / weights.sum(-1, keepdim=True) if renormalise else weights
        return weights @ states, weights

    return answer


def _draw_local_p(generator: torch.Generator) -> list[tuple]:
    def case(batch: int, queries: int, size: int, lengths: list[int], reach: int) -> tuple:
        shapes = [(batch, queries, size), (batch, max(lengths), size), (size, size), (size,)]
        query, states, w, v = (torch.randn(*shape, generator=generator) for shape in shapes)
        # 2 v: centres from the first place to the last. Lengths are close: no window ever lies in the padding alone.
        return query, states, padding_mask(torch.tensor(lengths)), w, 2 * v, reach

    return [case(2, 9, 4, [9, 8], 2), case(3, 8, 5, [8, 10, 9], 3)]


LOCAL_P = write(
    "8.2",
    oracle=_local_p_oracle,
    inputs=_draw_local_p,
    mistakes={
        "renormalised": _local_p(renormalise=True),
        "bell-on-scores": _local_p(order="bell first"),
        "masked-after-softmax": _local_p(order="mask last"),
        "no-bell": _local_p(bell=False),
        "no-window": _local_p(inside=lambda near, mask: mask.expand(near.shape)),
        "padding-seen": _local_p(inside=lambda near, mask: near),
        "deviation-is-the-reach": _local_p(deviation=lambda reach: reach),
        "longest-source": _local_p(length=lambda mask: torch.full((len(mask), 1), mask.shape[-1])),
        "no-tanh": _local_p(squash=lambda hidden: hidden),
    },
    properties={
        "padding-get-no-weight": lambda given, result: not (result[1] * ~given[2]).any(),
        "no-row-may-sum": lambda given, result: bool((result[1].sum(-1) < 1 + 1e-4).all()),
    },
)


# 8.3 One step of a beam search: sorting all candidates of a row as the oracle.


def _beam_step_oracle(totals: Tensor, logs: Tensor, beams: int) -> tuple[Tensor, Tensor, Tensor]:
    rows = []
    for row, ahead in zip(totals.tolist(), logs.tolist(), strict=True):
        grown = [
            (t + log, k, w) for k, (t, words) in enumerate(zip(row, ahead, strict=True)) for w, log in enumerate(words)
        ]
        rows.append(sorted(grown, reverse=True)[:beams])
    best, beginnings, tokens = (torch.tensor([[one[n] for one in row] for row in rows]) for n in range(3))
    return best, beginnings, tokens


def _beam_step(candidates=lambda totals, logs: totals[..., None] + logs, apart=None, largest=True):
    def answer(totals, logs, beams):
        best, places = candidates(totals, logs).flatten(1).topk(beams, dim=-1, largest=largest)
        apart_by = apart or (lambda places, logs: (places // logs.shape[-1], places % logs.shape[-1]))
        return best, *apart_by(places, logs)

    return answer


def _one_child_each(totals, logs, beams):
    best, tokens = (totals[..., None] + logs).max(dim=-1)
    best, beginnings = best.topk(beams, dim=-1)
    return best, beginnings, tokens.gather(1, beginnings)


def _first_beginning(totals, logs, beams):
    best, tokens = (totals[..., None] + logs)[:, 0].topk(beams, dim=-1)
    return best, torch.zeros_like(tokens), tokens


def _draw_beam_step(generator: torch.Generator) -> list[tuple]:
    def case(batch: int, beginnings: int, vocabulary: int, beams: int) -> tuple:
        order = torch.stack([torch.randperm(beginnings, generator=generator) for _ in range(batch)])
        order[0] = order[0].sort(descending=True).values  # in the first row the first beginning is the worst
        order[1] = order[1].sort().values
        totals = -1.5 * order.roll(1, 0) - 1 + 0.1 * torch.rand(batch, beginnings, generator=generator)
        logs = torch.log_softmax(2 * torch.randn(batch, beginnings, vocabulary, generator=generator), dim=-1)
        best = order.roll(1, 0).argmin(-1)  # the best beginning has two good children in every row
        logs[torch.arange(batch), best, :2] = torch.tensor([-0.3, -0.4])
        return totals, logs, beams

    return [case(3, 4, 7, 3), case(2, 3, 6, 2)]


BEAM_STEP = write(
    "8.3",
    oracle=_beam_step_oracle,
    inputs=_draw_beam_step,
    mistakes={
        "one-child-each": _one_child_each,
        "totals-forgotten": _beam_step(lambda totals, logs: logs),
        "multiplied": _beam_step(lambda totals, logs: totals[..., None] * logs),
        "not-taken-apart": _beam_step(apart=lambda places, logs: (places // logs.shape[-1], places)),
        "swapped": _beam_step(apart=lambda places, logs: (places % logs.shape[-1], places // logs.shape[-1])),
        "divided-by-beginnings": _beam_step(
            apart=lambda places, logs: (places // logs.shape[1], places % logs.shape[1])
        ),
        "worst": _beam_step(largest=False),
        "first-beginning": _first_beginning,
    },
)


# 8.4 The copy gate: one word at a time as the oracle.


def _copy_oracle(words, weights, gate, numbers, total):
    mixed = torch.zeros(*words.shape[:2], total)
    for b in range(words.shape[0]):
        for t in range(words.shape[1]):
            g = float(gate[b, t, 0])
            for w in range(words.shape[2]):
                mixed[b, t, w] += g * words[b, t, w]
            for s in range(weights.shape[2]):
                mixed[b, t, int(numbers[b, s])] += (1 - g) * weights[b, t, s]
    return mixed


def _spread(words: Tensor, total: int) -> Tensor:
    return torch.nn.functional.pad(words, (0, total - words.shape[-1]))


def _copies(weights: Tensor, numbers: Tensor, total: int, add: bool = True) -> Tensor:
    empty, index = torch.zeros(*weights.shape[:2], total), numbers[:, None].expand_as(weights)
    return empty.scatter_add(-1, index, weights) if add else empty.scatter(-1, index, weights)


def _hard_copy(words, weights, gate, numbers, total):
    first = torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(weights)
    return gate * _spread(words, total) + (1 - gate) * _copies(first, numbers, total)


def _known_not_copied(words, weights, gate, numbers, total):
    copied = _copies(weights, numbers, total)
    copied[..., : words.shape[-1]] = 0
    return gate * _spread(words, total) + (1 - gate) * copied


def _in_place(words, weights, gate, numbers, total):
    words *= gate
    return _spread(words, total) + (1 - gate) * _copies(weights, numbers, total)


def _draw_copies(generator: torch.Generator) -> list[tuple]:
    def case(batch: int, target: int, vocabulary: int, numbers: list[list[int]], total: int) -> tuple:
        words = torch.softmax(torch.randn(batch, target, vocabulary, generator=generator), -1)
        weights = torch.softmax(2 * torch.randn(batch, target, len(numbers[0]), generator=generator), -1)
        gate = 0.1 + 0.35 * torch.rand(batch, target, 1, generator=generator)
        return words, weights, gate, torch.tensor(numbers), total

    return [
        case(2, 3, 5, [[1, 6, 6, 5], [5, 2, 7, 5]], 9),
        case(3, 2, 4, [[4, 0, 4, 5, 2, 4], [4, 5, 6, 4, 3, 1], [2, 4, 4, 2, 5, 6]], 8),
    ]


COPY_GATE = write(
    "8.4",
    oracle=_copy_oracle,
    inputs=_draw_copies,
    mistakes={
        "gate-swapped": lambda w, a, g, n, total: (1 - g) * _spread(w, total) + g * _copies(a, n, total),
        "last-place-only": lambda w, a, g, n, total: g * _spread(w, total) + (1 - g) * _copies(a, n, total, add=False),
        "no-gate": lambda w, a, g, n, total: _spread(w, total) + _copies(a, n, total),
        "vocabulary-only": lambda w, a, g, n, total: g * _spread(w, total),
        "copy-only": lambda w, a, g, n, total: (1 - g) * _copies(a, n, total),
        "hard-copy": _hard_copy,
        "known-not-copied": _known_not_copied,
        "changed-in-place": _in_place,
    },
    properties={
        "row-sum-1": lambda given, result: bool((result.sum(-1) - 1).abs().max() < 1e-4),
    },
)


# 8.5 How far must it reach? Six distances, the greatest is 2; 27 of 48 keys lie inside.

_REACH, _SHARE = 2, 27 / 48

HOW_FAR = prove(
    "8.5",
    requirements={
        "nothing-needed": lambda answer: int(answer[0]) != 7,
        "lost": lambda answer: float(answer[0]) >= _REACH,
        "too-wide": lambda answer: float(answer[0]) == _REACH,
        "edges-forgotten": lambda answer: abs(float(answer[1]) - 5 / 8) > 1e-3,
        "last-query-counted": lambda answer: abs(float(answer[1]) - 31 / 56) > 1e-3,
        "a-count": lambda answer: float(answer[1]) <= 1,
        "share": lambda answer: abs(float(answer[1]) - _SHARE) < 1e-3,
    },
)


# 8.6 Which is which? The numbers of keys are counted on a small case.


def _which_is_which() -> dict:
    scores, centre = torch.zeros(10), 3
    near = (torch.arange(10) - centre).abs()
    soft = int((torch.softmax(scores, 0) > 0).sum())
    window = int((torch.softmax(scores.masked_fill(near > 2, -math.inf), 0) > 0).sum())
    bell = torch.softmax(scores.masked_fill(near > 2, -math.inf), 0) * torch.exp(-near.square() / 2)
    truth = {
        "additive": ("global", "soft", soft),
        "window": ("local", "soft", window),
        "predicted": ("local", "soft", int((bell > 0).sum())),
        "sampled": ("global", "hard", 1),
        "own place": ("local", "hard", int((near == 0).sum())),
    }
    axes = ("where", "how", "keys")
    return {f"{name}: {axis}": one for name, row in truth.items() for axis, one in zip(axes, row, strict=True)}


WHICH_IS_WHICH = predict(
    "8.6",
    truth=_which_is_which,
    mistakes={
        "current-input-only": {"window: keys": 1},
        "centre-forgotten": {"window: keys": 4},
        "global-is-hard": {"additive: how": "hard"},
        "local-is-hard": {"window: how": "hard"},
        "bell-has-no-end": {"predicted: keys": 10},
        "bell-chooses": {"predicted: keys": 1},
        "one-key-is-local": {"sampled: where": "local"},
        "shares-before-drawing": {"sampled: keys": 10},
        "nothing-to-share": {"own place: how": "soft"},
    },
)


# 8.7 The length penalty.


def _choice_oracle(totals: Tensor, lengths: Tensor, alpha: float) -> Tensor:
    places = []
    for row, counts in zip(totals.tolist(), lengths.tolist(), strict=True):
        scores = [total / ((5 + count) ** alpha / 6**alpha) for total, count in zip(row, counts, strict=True)]
        places.append(scores.index(max(scores)))
    return torch.tensor(places)


def _penalised(totals: Tensor, lengths: Tensor, alpha: float) -> Tensor:
    return totals / ((5 + lengths) / 6) ** alpha


def _draw_choices(generator: torch.Generator) -> list[tuple]:
    def case(rows: int, sentences: int, alpha: float) -> tuple:
        lengths = torch.randint(1, 15, (rows, sentences), generator=generator)
        each = 0.5 + 0.2 * torch.rand(rows, sentences, generator=generator)
        return -each * (3 + lengths) ** 0.7, lengths, alpha

    return [case(60, 4, 0.6), case(50, 6, 0.4)]


CHOICE = write(
    "8.7",
    oracle=_choice_oracle,
    inputs=_draw_choices,
    mistakes={
        "no-penalty": lambda totals, lengths, alpha: totals.argmax(-1),
        "multiplied": lambda totals, lengths, alpha: (totals * ((5 + lengths) / 6) ** alpha).argmax(-1),
        "mean-per-token": lambda totals, lengths, alpha: (totals / lengths).argmax(-1),
        "length-to-the-power": lambda totals, lengths, alpha: (totals / lengths**alpha).argmax(-1),
        "alpha-as-a-factor": lambda totals, lengths, alpha: (totals / (alpha * (5 + lengths) / 6)).argmax(-1),
        "the-worst": lambda totals, lengths, alpha: _penalised(totals, lengths, alpha).argmin(-1),
        "score-not-place": lambda totals, lengths, alpha: _penalised(totals, lengths, alpha).amax(-1),
    },
)


# 8.8 Clipped counts: each run looked up in plain lists.


def _runs(words: list, size: int) -> list[tuple]:
    return [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]


def _clipped_oracle(hypothesis: list, references: list, size: int) -> tuple[int, int]:
    own = _runs(hypothesis, size)
    right = sum(min(own.count(run), max(_runs(known, size).count(run) for known in references)) for run in set(own))
    return right, len(own)


def _clipped(most=None, own=lambda runs: Counter(runs), runs=_runs, total=None):
    most = most or (lambda counters: _union(counters))

    def answer(hypothesis, references, size):
        mine = own(runs(hypothesis, size))
        true = most([Counter(runs(known, size)) for known in references])
        return (mine & true).total(), mine.total() if total is None else total(references, size)

    return answer


def _union(counters: list[Counter]) -> Counter:
    united = Counter()
    for counter in counters:
        united |= counter
    return united


def _unclipped(hypothesis, references, size):
    true = {run for known in references for run in _runs(known, size)}
    return sum(run in true for run in _runs(hypothesis, size)), len(_runs(hypothesis, size))


def _draw_runs(generator: torch.Generator) -> list[tuple]:
    names = ["mug", "pen", "hat", "tent", "book", "lamp"]
    a, b, c, d, x, y = (names[place] for place in torch.randperm(6, generator=generator).tolist())
    hypothesis, references = [a, a, a, a, a, b, c, d, b, c], [[a, a, b, c, x], [y, a, b, c, d]]
    return [(hypothesis, references, 1), (hypothesis, references, 2)]


CLIPPED = write(
    "8.8",
    oracle=_clipped_oracle,
    inputs=_draw_runs,
    mistakes={
        "unclipped": _unclipped,
        "references-added": _clipped(most=lambda counters: sum(counters, Counter())),
        "smallest-count": _clipped(most=lambda counters: counters[0] & counters[1]),
        "first-reference": _clipped(most=lambda counters: counters[0]),
        "each-run-once": _clipped(own=lambda runs: Counter(set(runs))),
        "last-run-lost": _clipped(runs=lambda words, size: _runs(words, size)[:-1]),
        "all-of-the-reference": _clipped(total=lambda references, size: len(_runs(references[0], size))),
    },
)

EXERCISES = [WINDOW, LOCAL_P, BEAM_STEP, COPY_GATE, HOW_FAR, WHICH_IS_WHICH, CHOICE, CLIPPED]
