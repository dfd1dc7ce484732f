"""Exercises of lesson 08: window, local-p, a step of beam search, copy gate, reach, two axes, penalty, clipping."""

import math
from collections import Counter

import torch
from torch import Tensor

from course_utils.attention.masks import padding_mask
from course_utils.checks import Exercise, Mistake, Prediction, Property, Requirement, Witness

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


WINDOW = Exercise(
    "8.1", "A window around a centre",
    oracle=_window_oracle, inputs=_draw_windows,
    mistakes=[
        Mistake(
            "edge-lost", _window(lambda distance, reach: distance.abs() < reach),
            "Your window loses its edges: a key that is just `reach` away still belongs to it.",
        ),
        Mistake(
            "one-sided", _window(lambda distance, reach: distance <= reach),
            "Your window is open to the left: a key far before the centre has a negative distance, so take away "
            "its sign.",
        ),
        Mistake(
            "forward-only", _window(lambda distance, reach: (distance >= 0) & (distance <= reach)),
            "Your window looks forward only; it reaches equally far to both sides of the centre.",
        ),
        Mistake(
            "padding-seen", _window(masked=False),
            "Your window is right, but it lets padding in: join it with the mask that you were given.",
        ),
        Mistake(
            "centre-rounded", _window(moved=torch.round),
            "You rounded the centres; measure the distance from the centre as it is, between two places if need be.",
        ),
        Mistake(
            "own-place", _window(moved=_own_place),
            "You put every window at the query's own place, as local-m does; here the centres are given.",
        ),
        Mistake(
            "inverted", lambda *given: ~_window_oracle(*given),
            "True and False are the wrong way round: True means that the query may look there.",
        ),
    ],
)  # fmt: skip


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


LOCAL_P = Exercise(
    "8.2", "Local-p",
    oracle=_local_p_oracle, inputs=_draw_local_p,
    mistakes=[
        Mistake(
            "renormalised", _local_p(renormalise=True),
            "You divided by the sum again after the bell; in the paper nothing follows it, and the rows sum to less "
            "than 1.",
        ),
        Mistake(
            "bell-on-scores", _local_p(order="bell first"),
            "You multiplied the scores by the bell; it belongs after the softmax, on the weights.",
        ),
        Mistake(
            "masked-after-softmax", _local_p(order="mask last"),
            "Your softmax shares the weight among all keys, and you cut the window out afterwards; hide what is "
            "outside before the softmax.",
        ),
        Mistake(
            "no-bell", _local_p(bell=False),
            "The bell is missing: without it no gradient would reach W and v.",
        ),
        Mistake(
            "no-window", _local_p(inside=lambda near, mask: mask.expand(near.shape)),
            "You use the bell alone; the softmax should run over the keys at most `reach` from the centre only.",
        ),
        Mistake(
            "padding-seen", _local_p(inside=lambda near, mask: near),
            "A window at the end of a shorter source lets padding in: join it with the mask.",
        ),
        Mistake(
            "deviation-is-the-reach", _local_p(deviation=lambda reach: reach),
            "Your bell is too wide: its standard deviation is half the reach.",
        ),
        Mistake(
            "longest-source", _local_p(length=lambda mask: torch.full((len(mask), 1), mask.shape[-1])),
            "You multiply by the longest source of the batch; S is the number of real tokens of each row, which the "
            "mask knows.",
        ),
        Mistake(
            "no-tanh", _local_p(squash=lambda hidden: hidden),
            "The tanh between W and v is missing in your centre.",
        ),
    ],
    properties=[
        Property("padding must get no weight", lambda given, result: not (result[1] * ~given[2]).any()),
        Property("no row may sum to more than 1", lambda given, result: bool((result[1].sum(-1) < 1 + 1e-4).all())),
    ],
)  # fmt: skip


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


BEAM_STEP = Exercise(
    "8.3", "One step of a beam search",
    oracle=_beam_step_oracle, inputs=_draw_beam_step,
    mistakes=[
        Mistake(
            "one-child-each", _one_child_each,
            "You keep the best token of each beginning only; let all continuations of all beginnings compete, so that "
            "a good beginning may have several.",
        ),
        Mistake(
            "totals-forgotten", _beam_step(lambda totals, logs: logs),
            "You compare the next tokens alone; a continuation's total is that of its beginning plus the token's "
            "log-probability.",
        ),
        Mistake(
            "multiplied", _beam_step(lambda totals, logs: totals[..., None] * logs),
            "You multiplied log-probabilities; probabilities are multiplied, their logarithms are added.",
        ),
        Mistake(
            "not-taken-apart", _beam_step(apart=lambda places, logs: (places // logs.shape[-1], places)),
            "Your tokens are still places in the flattened axis; the remainder after division by the vocabulary's size "
            "is the token.",
        ),
        Mistake(
            "swapped", _beam_step(apart=lambda places, logs: (places % logs.shape[-1], places // logs.shape[-1])),
            "You return tokens and beginnings in the wrong order: first the beginning that is continued, then its "
            "token.",
        ),
        Mistake(
            "divided-by-beginnings",
            _beam_step(apart=lambda places, logs: (places // logs.shape[1], places % logs.shape[1])),
            "You divide by the number of beginnings; each beginning fills as many places of the flattened axis as the "
            "vocabulary has tokens.",
        ),
        Mistake(
            "worst", _beam_step(largest=False),
            "You keep the least likely: log-probabilities are negative, and the best is the one nearest to 0.",
        ),
        Mistake(
            "first-beginning", _first_beginning,
            "You continue the first beginning only; the others may lead further.",
        ),
    ],
)  # fmt: skip


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


COPY_GATE = Exercise(
    "8.4", "The copy gate",
    oracle=_copy_oracle, inputs=_draw_copies,
    mistakes=[
        Mistake(
            "gate-swapped", lambda w, a, g, n, total: (1 - g) * _spread(w, total) + g * _copies(a, n, total),
            "Your gate is the wrong way round: it is the share of the vocabulary, and 1 minus the gate is copied.",
        ),
        Mistake(
            "last-place-only",
            lambda w, a, g, n, total: g * _spread(w, total) + (1 - g) * _copies(a, n, total, add=False),
            "A word that stands in the source twice has lost weight: each place overwrites the one before, where the "
            "weights should be added up.",
        ),
        Mistake(
            "no-gate", lambda w, a, g, n, total: _spread(w, total) + _copies(a, n, total),
            "You added both parts in full, and your rows sum to 2; the gate shares the probability between them.",
        ),
        Mistake(
            "vocabulary-only", lambda w, a, g, n, total: g * _spread(w, total),
            "The copied part is missing: the weights go to the numbers of the source's words.",
        ),
        Mistake(
            "copy-only", lambda w, a, g, n, total: (1 - g) * _copies(a, n, total),
            "The vocabulary's part is missing: gate · words stands at the front.",
        ),
        Mistake(
            "hard-copy", _hard_copy,
            "You copy the word with the greatest weight only; every place of the source gives its share.",
        ),
        Mistake(
            "known-not-copied", _known_not_copied,
            "You copy only words that the vocabulary lacks; a word that it has, and that stands in the source, gets "
            "something from both sides.",
        ),
        Mistake(
            "changed-in-place", _in_place,
            "The result is right, but you changed `words` in place; work on a new tensor, for the caller may still "
            "need the old one.",
        ),
    ],
    properties=[
        Property("every row must sum to 1", lambda given, result: bool((result.sum(-1) - 1).abs().max() < 1e-4)),
    ],
)  # fmt: skip


# 8.5 How far must it reach? Six distances, the greatest is 2; 27 of 48 keys lie inside.

_REACH, _SHARE = 2, 27 / 48

HOW_FAR = Witness(
    "8.5", "How far must it reach?",
    requirements=[
        Requirement(
            "nothing-needed", lambda answer: int(answer[0]) != 7,
            "You counted the last query, which needs no key: its -1 is not a place.",
        ),
        Requirement(
            "lost", lambda answer: float(answer[0]) >= _REACH,
            "With your reach a needed key is lost: look for the greatest distance, not for a usual one, and mind that "
            "a key may lie on either side.",
        ),
        Requirement(
            "too-wide", lambda answer: float(answer[0]) == _REACH,
            "No key is lost, but a smaller reach would do as well.",
        ),
        Requirement(
            "edges-forgotten", lambda answer: abs(float(answer[1]) - 5 / 8) > 1e-3,
            "The reach is right; your share is that of a whole window, but at the edges of the sentence windows are "
            "cut.",
        ),
        Requirement(
            "last-query-counted", lambda answer: abs(float(answer[1]) - 31 / 56) > 1e-3,
            "The reach is right; in the share you counted the window of the last query too, which needs no key.",
        ),
        Requirement(
            "a-count", lambda answer: float(answer[1]) <= 1,
            "The reach is right; the second number should be a share, so divide the keys inside by all keys of the "
            "queries that need one.",
        ),
        Requirement(
            "share", lambda answer: abs(float(answer[1]) - _SHARE) < 1e-3,
            "The reach is right; count again how many of the 8 keys lie in each of the six windows.",
        ),
    ],
)  # fmt: skip


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


WHICH_IS_WHICH = Prediction(
    "8.6", "Which is which?", truth=_which_is_which,
    mistakes=[
        Mistake(
            "current-input-only", {"window: keys": 1},
            "Local attention does not look at one input only: it looks at a window around the centre.",
        ),
        Mistake(
            "centre-forgotten", {"window: keys": 4},
            "You counted both sides of the window, and forgot the centre itself.",
        ),
        Mistake(
            "global-is-hard", {"additive: how": "hard"},
            "Global says where it may look, not how it chooses: a softmax over the whole source shares its weight.",
        ),
        Mistake(
            "local-is-hard", {"window: how": "hard"},
            "A window limits where it may look; inside, the softmax shares the weight among several keys.",
        ),
        Mistake(
            "bell-has-no-end", {"predicted: keys": 10},
            "A bell alone never ends, but local-p has a window too: outside it there is no weight at all.",
        ),
        Mistake(
            "bell-chooses", {"predicted: keys": 1},
            "The bell is greatest at the centre, but it makes no other weight of the window zero.",
        ),
        Mistake(
            "one-key-is-local", {"sampled: where": "local"},
            "Only one key is taken in the end, but any key may be: where it may look is one question, how many get a "
            "weight is another.",
        ),
        Mistake(
            "shares-before-drawing", {"sampled: keys": 10},
            "All keys have a chance of being drawn, but the one that is drawn gets all the weight.",
        ),
        Mistake(
            "nothing-to-share", {"own place: how": "soft"},
            "With a single key there is nothing to share: all the weight is on it, whatever the score.",
        ),
    ],
)  # fmt: skip


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


CHOICE = Exercise(
    "8.7", "A search that is too short",
    oracle=_choice_oracle, inputs=_draw_choices,
    mistakes=[
        Mistake(
            "no-penalty", lambda totals, lengths, alpha: totals.argmax(-1),
            "You still compare the totals themselves; divide each by the penalty of its length first.",
        ),
        Mistake(
            "multiplied", lambda totals, lengths, alpha: (totals * ((5 + lengths) / 6) ** alpha).argmax(-1),
            "You multiplied by the penalty, which favours short sentences even more; divide by it.",
        ),
        Mistake(
            "mean-per-token", lambda totals, lengths, alpha: (totals / lengths).argmax(-1),
            "You divided by the length itself; the penalty is weaker: ((5 + length) / 6) to the power of alpha.",
        ),
        Mistake(
            "length-to-the-power", lambda totals, lengths, alpha: (totals / lengths**alpha).argmax(-1),
            "You took the power of the length alone; 5 is added to it first, which spares very short sentences.",
        ),
        Mistake(
            "alpha-as-a-factor", lambda totals, lengths, alpha: (totals / (alpha * (5 + lengths) / 6)).argmax(-1),
            "You multiplied by alpha; it is an exponent.",
        ),
        Mistake(
            "the-worst", lambda totals, lengths, alpha: _penalised(totals, lengths, alpha).argmin(-1),
            "You chose the smallest score: log-probabilities are negative, and the best is the one nearest to 0.",
        ),
        Mistake(
            "score-not-place", lambda totals, lengths, alpha: _penalised(totals, lengths, alpha).amax(-1),
            "You return the best score; asked for is the place where it stands.",
        ),
    ],
)  # fmt: skip


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


CLIPPED = Exercise(
    "8.8", "Clipped counts",
    oracle=_clipped_oracle, inputs=_draw_runs,
    mistakes=[
        Mistake(
            "unclipped", _unclipped,
            "You count a run as often as it is written; it counts at most as often as a reference has it.",
        ),
        Mistake(
            "references-added", _clipped(most=lambda counters: sum(counters, Counter())),
            "You added the counts of the references up; take the greatest count that any one of them has.",
        ),
        Mistake(
            "smallest-count", _clipped(most=lambda counters: counters[0] & counters[1]),
            "You let a run count only as often as in every reference; it is enough that one of them has it so often.",
        ),
        Mistake(
            "first-reference", _clipped(most=lambda counters: counters[0]),
            "You look at the first reference only; a run may stand in any of them.",
        ),
        Mistake(
            "each-run-once", _clipped(own=lambda runs: Counter(set(runs))),
            "You count each different run once; a run that is rightly written twice counts twice.",
        ),
        Mistake(
            "last-run-lost", _clipped(runs=lambda words, size: _runs(words, size)[:-1]),
            "You stop one run too early: a sequence of n words has n − size + 1 runs.",
        ),
        Mistake(
            "all-of-the-reference", _clipped(total=lambda references, size: len(_runs(references[0], size))),
            "Your second number counts the runs of a reference; precision divides by the runs of the hypothesis.",
        ),
    ],
)  # fmt: skip

EXERCISES = [WINDOW, LOCAL_P, BEAM_STEP, COPY_GATE, HOW_FAR, WHICH_IS_WHICH, CHOICE, CLIPPED]
