"""Exercises of lesson 09: a step of beam search, copy gate, penalty, clipping."""

import functools
import operator
from collections import Counter

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checks.bank.parts import rows_sum_to_one
from course_utils.checks.forms import edited, write

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


def _beam_step(totals, logs, beams):
    candidates = totals[..., None] + logs
    best, places = candidates.flatten(1).topk(beams, dim=-1)
    beginnings, tokens = places // logs.shape[-1], places % logs.shape[-1]
    return best, beginnings, tokens


def _one_child_each(totals, logs, beams):
    best, tokens = (totals[..., None] + logs).max(dim=-1)
    best, beginnings = best.topk(beams, dim=-1)
    return best, beginnings, tokens.gather(1, beginnings)


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
        **edited(
            _beam_step,
            {
                "totals-forgotten": ("totals[..., None] + logs", "logs"),
                "multiplied": ("+ logs", "* logs"),
                "not-taken-apart": ("places % logs.shape[-1]", "places"),
                "swapped": ("return best, beginnings, tokens", "return best, tokens, beginnings"),
                "divided-by-beginnings": [
                    ("// logs.shape[-1]", "// logs.shape[1]"),
                    ("% logs.shape[-1]", "% logs.shape[1]"),
                ],
                "not-whole": ("places // logs", "places / logs"),
                "gain-only": (
                    "    return best, beginnings",
                    "    best = logs.flatten(1).gather(1, places)\n    return best, beginnings",
                ),
                "divided-by-beams": [
                    ("// logs.shape[-1]", "// beams"),
                    ("% logs.shape[-1]", "% beams"),
                ],
                "worst": ("dim=-1", "dim=-1, largest=False"),
                "worst-first": (
                    "    return best, beginnings, tokens",
                    "    return best.flip(-1), beginnings.flip(-1), tokens.flip(-1)",
                ),
                "probabilities": ("return best,", "return best.exp(),"),
                "best-of-each": [
                    ("candidates.flatten(1).topk(beams, dim=-1)", "candidates[:, :beams].max(dim=-1)"),
                    ("places // logs.shape[-1]", "torch.arange(beams).expand_as(places)"),
                ],
                "all-rows-together": ("candidates.flatten(1)", "candidates.flatten()"),
                "first-beginning": ("candidates.flatten(1)", "candidates[:, 0]"),
            },
        ),
    },
    results=("totals", "beginnings", "tokens"),
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


def _mixed(words, weights, gate, numbers, total):
    written = F.pad(words, (0, total - words.shape[-1]))
    index = numbers[:, None].expand_as(weights)
    copied = torch.zeros(*weights.shape[:2], total).scatter_add(-1, index, weights)
    return gate * written + (1 - gate) * copied


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
    mistakes=edited(
        _mixed,
        {
            "gate-swapped": ("gate * written + (1 - gate) * copied", "(1 - gate) * written + gate * copied"),
            "last-place-only": ("scatter_add", "scatter"),
            "overwritten": (
                "return gate * written + (1 - gate) * copied",
                "return (gate * written).scatter(-1, index, (1 - gate) * weights)",
            ),
            "gate-on-words-only": ("(1 - gate) * copied", "copied"),
            "no-gate": ("gate * written + (1 - gate) * copied", "written + copied"),
            "vocabulary-only": (" + (1 - gate) * copied", ""),
            "copy-only": ("gate * written + ", ""),
            "side-by-side": (
                "return gate * written + (1 - gate) * copied",
                "return torch.cat([gate * words, (1 - gate) * weights], -1)",
            ),
            "hard-copy": ("index, weights)", "index, (weights == weights.amax(-1, keepdim=True)).float())"),
            "known-not-copied": ("    return", "    copied[..., : words.shape[-1]] = 0\n    return"),
            "changed-in-place": [("pad(words,", "pad(words.mul_(gate),"), ("gate * written", "written")],
        },
    ),
    properties={"rows-sum-to-one": rows_sum_to_one},
)


# 9.3 The length penalty.


def _choice_oracle(totals: Tensor, lengths: Tensor, alpha: float) -> Tensor:
    places = []
    for row, counts in zip(totals.tolist(), lengths.tolist(), strict=True):
        scores = [total / ((5 + count) ** alpha / 6**alpha) for total, count in zip(row, counts, strict=True)]
        places.append(scores.index(max(scores)))
    return torch.tensor(places)


def _choose(totals: Tensor, lengths: Tensor, alpha: float) -> Tensor:
    return (totals / ((5 + lengths) / 6) ** alpha).argmax(-1)


def _draw_choices(generator: torch.Generator) -> list[tuple]:
    def case(rows: int, sentences: int, alpha: float) -> tuple:
        lengths = torch.randint(1, 15, (rows, sentences), generator=generator)
        each = 0.5 + 0.2 * torch.rand(rows, sentences, generator=generator)
        return -each * (3 + lengths) ** 0.7, lengths, alpha

    def any_length(rows: int, sentences: int, alpha: float) -> tuple:
        """Totals that have nothing to do with the length: a long sentence may well be the likeliest."""
        lengths = torch.randint(1, 15, (rows, sentences), generator=generator)
        return -0.1 - 3 * torch.rand(rows, sentences, generator=generator), lengths, alpha

    return [case(60, 4, 0.6), case(50, 6, 0.4), any_length(60, 5, 1.0)]


CHOICE = write(
    "9.3",
    oracle=_choice_oracle,
    inputs=_draw_choices,
    mistakes=edited(
        _choose,
        {
            "no-penalty": (" / ((5 + lengths) / 6) ** alpha", ""),
            "multiplied": ("totals /", "totals *"),
            "mean-per-token": ("((5 + lengths) / 6) ** alpha", "lengths"),
            "length-to-the-power": ("((5 + lengths) / 6)", "lengths"),
            "five-and-a-sixth": ("(5 + lengths) / 6", "5 + lengths / 6"),
            "alpha-is-no-exponent": ("((5 + lengths) / 6) ** alpha", "((5 + lengths) / 6)"),
            "subtracted": ("totals /", "totals -"),
            "added": ("totals /", "totals +"),
            "across-rows": ("argmax(-1)", "argmax(0)"),
            "probabilities-divided": ("totals /", "totals.exp() /"),
            "the-worst": ("argmax", "argmin"),
            "score-not-place": ("argmax", "amax"),
        },
    ),
)


# 9.4 Clipped counts: each run looked up in plain lists.


def _runs(words: list, size: int) -> list[tuple]:
    return [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]


def _clipped_oracle(hypothesis: list, references: list, size: int) -> tuple[int, int]:
    own = _runs(hypothesis, size)
    right = sum(min(own.count(run), max(_runs(known, size).count(run) for known in references)) for run in set(own))
    return right, len(own)


def _clipped(hypothesis, references, size):
    own = Counter(_runs(hypothesis, size))
    known = [Counter(_runs(reference, size)) for reference in references]
    most = functools.reduce(operator.or_, known)
    return (own & most).total(), own.total()


def _unclipped(hypothesis, references, size):
    true = {run for known in references for run in _runs(known, size)}
    return sum(run in true for run in _runs(hypothesis, size)), len(_runs(hypothesis, size))


def _as_text(hypothesis, references, size):
    """Runs looked for in the text of a reference, where "pen" is found in "pencil" as well."""
    own, texts = Counter(_runs(hypothesis, size)), [" ".join(reference) for reference in references]
    return sum(min(n, max(text.count(" ".join(run)) for text in texts)) for run, n in own.items()), own.total()


def _shorter_runs_too(hypothesis, references, size):
    """Runs that begin at every word, so that the last ones are shorter."""
    own, *known = (
        Counter(tuple(words[start : start + size]) for start in range(len(words)))
        for words in (hypothesis, *references)
    )
    return (own & functools.reduce(operator.or_, known)).total(), own.total()


def _any_order(hypothesis, references, size):
    own, *known = (Counter(tuple(sorted(run)) for run in _runs(words, size)) for words in (hypothesis, *references))
    return (own & functools.reduce(operator.or_, known)).total(), own.total()


def _best_reference(hypothesis, references, size):
    own = Counter(_runs(hypothesis, size))
    return max((own & Counter(_runs(reference, size))).total() for reference in references), own.total()


def _below_none(hypothesis, references, size):
    return _clipped_oracle(hypothesis, references, size)[0], len(hypothesis) - size + 1


def _draw_runs(generator: torch.Generator) -> list[tuple]:
    names = ["mug", "pen", "hat", "tent", "book", "lamp"]

    def shuffled() -> list[str]:
        return [names[place] for place in torch.randperm(6, generator=generator).tolist()]

    def words(number: int) -> list[str]:
        return [names[place] for place in torch.randint(4, (number,), generator=generator).tolist()]

    a, b, c, d, x, y = shuffled()
    hypothesis, references = [a, a, a, a, a, b, c, d, b, c], [[a, a, b, c, x], [y, a, b, c, d]]
    better_second = ([a, b, c, d], [[x, y, a], [a, b, c, x, y]], 2)
    better_first = ([a, b, c, d], [[a, b, c, x, y], [d, c, x, y, a]], 2)  # and a run the other way round
    inside = (["pen", a, "pen", "pen"], [["pencil", x, "pen", y, "pencil"]], 1)
    lengths = torch.randint(5, 9, (5,), generator=generator).tolist()
    return [
        (hypothesis, references, 1),
        (hypothesis, references, 2),
        better_second,
        better_first,
        inside,
        (words(lengths[0]), [words(lengths[1])], 3),
        (words(lengths[2]), [words(lengths[3]), words(lengths[4]), words(6)], 2),
        ([a], [[a, b, c, d], [x, y, a, b]], 3),  # too short to hold a run
    ]


CLIPPED = write(
    "9.4",
    oracle=_clipped_oracle,
    inputs=_draw_runs,
    mistakes={
        "unclipped": _unclipped,
        "as-text": _as_text,
        "best-reference": _best_reference,
        "below-none": _below_none,
        "shorter-runs-too": lambda *given: _shorter_runs_too(*given),
        "any-order": lambda hypothesis, references, size: _any_order(hypothesis, references, size),
        **edited(
            _clipped,
            {
                "references-added": ("operator.or_", "operator.add"),
                "smallest-count": ("operator.or_", "operator.and_"),
                "first-reference": ("in references", "in references[:1]"),
                "last-reference": ("in references", "in references[-1:]"),
                "each-run-once": ("_runs(hypothesis, size)", "set(_runs(hypothesis, size))"),
                "last-run-lost": [
                    ("_runs(hypothesis, size)", "_runs(hypothesis, size)[:-1]"),
                    ("_runs(reference, size)", "_runs(reference, size)[:-1]"),
                ],
                "all-of-the-reference": ("own.total()", "len(_runs(references[0], size))"),
                "different-runs-below": ("own.total()", "len(own)"),
            },
        ),
    },
    results=("right", "all"),
)

EXERCISES = [BEAM_STEP, COPY_GATE, CHOICE, CLIPPED]
