"""Exercises of lesson 09: a step of beam search, copy gate, penalty, clipping."""

from collections import Counter

import torch
from torch import Tensor

from course_utils.checks.forms import write

# 9.1 One step of a beam search: sorting all candidates of a row as the oracle.


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
    "9.1",
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


# 9.2 The copy gate: one word at a time as the oracle.


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
    "9.2",
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


# 9.3 The length penalty.


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
    "9.3",
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


# 9.4 Clipped counts: each run looked up in plain lists.


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
    "9.4",
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

EXERCISES = [BEAM_STEP, COPY_GATE, CHOICE, CLIPPED]
