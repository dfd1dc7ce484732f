"""The exercises of lesson 10: pooling by a learned query, five faults, a mean, values, order, and how much data."""

import math
import operator

import torch
import torch.nn.functional as F

from course_utils.checks.forms import edited, predict, write

# 10.1 Pooling by one learned query.


def _questions(generator):
    drawn = []
    for batch, length, size in [(3, 5, 4), (2, 7, 6)]:
        mask = _real_words(batch, length)
        x = torch.randn(batch, length, size, generator=generator) + 0.5
        drawn.append((x, torch.randn(size, generator=generator), mask))
    return drawn


def _real_words(batch, length):
    """One question of full length, the others shorter, none without a word."""
    lengths = torch.tensor([length, *(length - 2 - place for place in range(batch - 1))])
    return torch.arange(length) < lengths[:, None]


def _one_by_one(x, query, mask):
    contexts, weights = [], torch.zeros(mask.shape)
    for row, seen, out in zip(x, mask, weights, strict=True):
        words = row[seen]
        out[seen] = torch.softmax((words * query).sum(-1), 0)
        contexts.append((out[seen][:, None] * words).sum(0))
    return torch.stack(contexts), weights


def _pooled(x, query, mask):
    scores = (x @ query).masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    return (weights.unsqueeze(-1) * x).sum(dim=1), weights


def _after_softmax(x, query, mask):
    weights = torch.softmax(x @ query, dim=-1) * mask
    return torch.einsum("bl,bls->bs", weights, x), weights


def _swapped(x, query, mask):
    context, weights = _pooled(x, query, mask)
    return weights, context


POOLING = write(
    "10.1",
    oracle=_one_by_one,
    inputs=_questions,
    results=("context", "weights"),
    mistakes=edited(
        _pooled,
        {
            "no-mask": (".masked_fill(~mask, -math.inf)", ""),
            "inverted": ("~mask", "mask"),
            "inverted-large": ("~mask, -math.inf", "mask, -1e9"),
            "scores-times-mask": ("(x @ query).masked_fill(~mask, -math.inf)", "(x @ query) * mask"),
            "over-questions": ("dim=-1", "dim=0"),
            "root": ("(x @ query)", "(x @ query / math.sqrt(len(query)))"),
            "mean": (".sum(dim=1)", ".mean(dim=1)"),
            "sum-of-words": ("(weights.unsqueeze(-1) * x)", "(mask.unsqueeze(-1) * x)"),
            "size-1": ("torch.softmax(scores, dim=-1)", "mask.float()"),
            "size-1-with-nan": (
                "torch.softmax(scores, dim=-1)",
                "torch.softmax(scores.unsqueeze(-1), dim=-1).squeeze(-1)",
            ),
            "zero-times-infinity": (".masked_fill(~mask, -math.inf)", " + ~mask * -math.inf"),
            "size-1-unmasked": ("torch.softmax(scores, dim=-1)", "torch.ones_like(scores)"),
            "sigmoid": ("torch.softmax(scores, dim=-1)", "torch.sigmoid(scores)"),
            "root-unmasked": [
                ("(x @ query)", "(x @ query / math.sqrt(len(query)))"),
                (".masked_fill(~mask, -math.inf)", ""),
            ],
            "mean-unmasked": [(".sum(dim=1)", ".mean(dim=1)"), (".masked_fill(~mask, -math.inf)", "")],
            "over-numbers": ("(weights.unsqueeze(-1) * x).sum(dim=1)", "(weights.unsqueeze(-1) * x).sum(dim=2)"),
            "not-joined": ("(weights.unsqueeze(-1) * x).sum(dim=1)", "weights.unsqueeze(-1) * x"),
            "scores": (".sum(dim=1), weights", ".sum(dim=1), scores"),
        },
    )
    | {
        "after-softmax": _after_softmax,
        "after-softmax-root": lambda x, query, mask: _after_softmax(x, query / math.sqrt(len(query)), mask),
        "swapped": _swapped,
        "swapped-unmasked": lambda x, query, mask: _swapped(x, query, torch.ones_like(mask)),
    },
    properties={
        "weights-sum-to-1": lambda arguments, result: bool((result[1].sum(-1) - 1).abs().max() < 1e-4),
        "padding-weighs-nothing": lambda arguments, result: not bool(result[1][~arguments[2]].any()),
    },
)


# 10.2 Five faults in a row.


def _batches(generator):
    drawn = []
    for batch, length, size, classes in [(3, 5, 4, 6), (2, 7, 6, 3)]:
        x = torch.randn(batch, length, size, generator=generator) + 0.5
        kinds = torch.randint(classes, (batch,), generator=generator)
        score, output = torch.randn(size, generator=generator), torch.randn(classes, size, generator=generator)
        drawn.append((x, _real_words(batch, length), kinds, score, output))
    return drawn


def _step_by_step(x, mask, kinds, score, output):
    context, weights = _one_by_one(x, score, mask)
    logits = torch.stack([(output * one).sum(-1) for one in context])
    chances = logits.exp() / logits.exp().sum(-1, keepdim=True)
    losses = [-math.log(row[kind]) for row, kind in zip(chances.tolist(), kinds.tolist(), strict=True)]
    return weights, logits, torch.tensor(sum(losses) / len(losses))


def _classifier(x, mask, kinds, score, output):
    scores = (x @ score).masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    joined = (weights.unsqueeze(-1) * x).sum(dim=1)
    logits = joined @ output.T
    return weights, logits, F.cross_entropy(logits, kinds)


DOUBLED, SIZE_1 = ("(x @ score)", "(2 * x @ score)"), ("torch.softmax(scores, dim=-1)", "torch.ones_like(scores)")
UNMASKED, ONES_MASKED = (".masked_fill(~mask, -math.inf)", ""), ("torch.softmax(scores, dim=-1)", "mask.float()")
ROOT, MEAN_OF_WORDS = ("(x @ score)", "(x @ score / math.sqrt(len(score)))"), (".sum(dim=1)", ".mean(dim=1)")
SUMMED = ("(logits, kinds)", '(logits, kinds, reduction="sum")')
SOFTMAX_TWICE = ("cross_entropy(logits,", "cross_entropy(logits.softmax(-1),")
FAULTS = write(
    "10.2",
    oracle=_step_by_step,
    inputs=_batches,
    results=("weights", "logits", "loss"),
    mistakes=edited(
        _classifier,
        {
            "padding": UNMASKED,
            "size-1": SIZE_1,
            "size-1-masked": ONES_MASKED,
            "doubled": DOUBLED,
            "doubled-and-padding": [DOUBLED, UNMASKED],
            "root": ROOT,
            "root-and-padding": [ROOT, UNMASKED],
            "scores-times-mask": (".masked_fill(~mask, -math.inf)", " * mask"),
            "doubled-times-mask": [DOUBLED, (".masked_fill(~mask, -math.inf)", " * mask")],
            "doubled-and-averaged": [DOUBLED, MEAN_OF_WORDS],
            "padding-and-averaged": [UNMASKED, MEAN_OF_WORDS],
            "padding-and-softmax-twice": [UNMASKED, SOFTMAX_TWICE],
            "doubled-and-softmax-twice": [DOUBLED, SOFTMAX_TWICE],
            "size-1-and-softmax-twice": [SIZE_1, SOFTMAX_TWICE],
            "padding-and-summed": [UNMASKED, SUMMED],
            "doubled-and-summed": [DOUBLED, SUMMED],
            "inverted": ("~mask", "mask"),
            "inverted-large": ("~mask, -math.inf", "mask, -1e9"),
            "late-mask": [UNMASKED, ("torch.softmax(scores, dim=-1)", "torch.softmax(scores, dim=-1) * mask")],
            "late-mask-doubled": [
                DOUBLED,
                UNMASKED,
                ("torch.softmax(scores, dim=-1)", "torch.softmax(scores, dim=-1) * mask"),
            ],
            "over-questions": ("dim=-1", "dim=0"),
            "mean-of-words": MEAN_OF_WORDS,
            "loss-summed": SUMMED,
            "softmax-twice": SOFTMAX_TWICE,
            "loss-of-each": ("(logits, kinds)", '(logits, kinds, reduction="none")'),
            "probabilities": ("weights, logits, F.cross", "weights, logits.softmax(-1), F.cross"),
            "one-hot": ("(logits, kinds)", "(logits, F.one_hot(kinds, len(output)))"),
            "wrong-axis": (".sum(dim=1)", ".sum(dim=-1)"),
        },
    ),
    properties={
        "weights-sum-to-1": lambda arguments, result: bool((result[0].sum(-1) - 1).abs().max() < 1e-4),
        "padding-weighs-nothing": lambda arguments, result: not bool(result[0][~arguments[1]].any()),
    },
)


# 10.3 A mean that counts no padding.


def _words_and_masks(generator):
    drawn = []
    for batch, length, size, padding in [(3, 5, 4, 50.0), (2, 7, 6, 50.0), (4, 6, 3, 0.0)]:
        mask = _real_words(batch, length)
        if batch == 2:  # padding may stand anywhere
            mask = mask.flip(1)
        if batch == 4:  # and a batch may be longer than its longest question
            mask[:, -1] = False
        x = torch.randn(batch, length, size, generator=generator) + 1
        if padding == 0:
            x[0, 0] = 0.0  # a real word may hold zeros, as padding may
        drawn.append((x.masked_fill(~mask.unsqueeze(-1), padding), mask))
    return drawn


def _mean_one_by_one(x, mask):
    return torch.stack([row[seen].mean(0) for row, seen in zip(x, mask, strict=True)])


def _mean(x, mask):
    total = x.masked_fill(~mask.unsqueeze(-1), 0.0).sum(dim=1)
    return total / mask.sum(dim=1, keepdim=True)


MEAN = write(
    "10.3",
    oracle=_mean_one_by_one,
    inputs=_words_and_masks,
    mistakes=edited(
        _mean,
        {
            "all": [(".masked_fill(~mask.unsqueeze(-1), 0.0)", ""), ("mask.sum(dim=1, keepdim=True)", "x.shape[1]")],
            "below": ("mask.sum(dim=1, keepdim=True)", "x.shape[1]"),
            "above": (".masked_fill(~mask.unsqueeze(-1), 0.0)", ""),
            "inverted": ("~mask", "mask"),
            "inverted-in-both": [("~mask", "mask"), ("mask.sum(", "(~mask).sum(")],
            "no-division": (" / mask.sum(dim=1, keepdim=True)", ""),
            "one-divisor": ("mask.sum(dim=1, keepdim=True)", "mask.sum()"),
            "longest": ("mask.sum(dim=1, keepdim=True)", "mask.sum(dim=1).max()"),
            "zeros-for-padding": [
                (".masked_fill(~mask.unsqueeze(-1), 0.0)", ""),
                ("mask.sum(dim=1, keepdim=True)", "(x != 0).sum(dim=1)"),
            ],
            "in-place": ("masked_fill(", "masked_fill_("),
        },
    ),
)


# 10.4 Predict.

VALUES = predict(
    "10.4",
    truth=lambda: {
        "first loss": math.log(6),
        "two kinds": math.log(2),
        "half sure": -math.log(0.5),
        "states": (8, 12, 64),
        "weights": (8, 12),
        "logits": (8, 6),
        "parameters": sum(weight.numel() for weight in torch.nn.Linear(64, 1).parameters()),
    },
    mistakes={
        "other-logarithm": {"first loss": math.log2(6)},
        "logarithm-of-ten": {"first loss": math.log10(6)},
        "probability": {"first loss": 1 / 6},
        "perfect": {"first loss": 0.0},
        "sign": {"first loss": -math.log(6)},
        "inverse": {"first loss": 6.0},
        "share-wrong": {"first loss": 5 / 6},
        "two-in-bits": {"two kinds": 1.0},
        "two-of-ten": {"two kinds": math.log10(2)},
        "two-as-probability": {"two kinds": 0.5},
        "two-as-six": {"two kinds": math.log(6)},
        "two-signed": {"two kinds": -math.log(2)},
        "half": {"half sure": 0.5},
        "half-in-bits": {"half sure": 1.0},
        "half-of-ten": {"half sure": math.log10(2)},
        "half-of-the-first": {"half sure": math.log(6) / 2},
        "half-as-six": {"half sure": math.log(6)},
        "half-signed": {"half sure": -math.log(2)},
        "joined-early": {"states": (8, 64)},
        "features": {"states": (8, 12, 4)},
        "states-of-words": {"states": (8, 12)},
        "one-question": {"states": (12, 64)},
        "axis-of-1": {"weights": (8, 12, 1)},
        "matrix": {"weights": (8, 12, 12)},
        "a-row-of-1": {"weights": (8, 1, 12)},
        "a-weight-for-each-number": {"weights": (8, 12, 64)},
        "weights-of-sizes": {"weights": (8, 64)},
        "weights-of-one": {"weights": (12,)},
        "a-kind-for-each-word": {"logits": (8, 12, 6)},
        "decided": {"logits": (8,)},
        "one-for-all": {"logits": (6,)},
        "not-predicted": {"logits": (8, 64)},
        "no-bias": {"parameters": 64},
        "one-number": {"parameters": 1},
        "square": {"parameters": 64 * 64},
        "square-and-bias": {"parameters": 64 * 64 + 64},
        "a-bias-for-each": {"parameters": 128},
        "for-each-word": {"parameters": 12 * 64},
        "for-each-word-and-bias": {"parameters": 12 * 65},
    },
    tolerance=6e-3,
)


# 10.5 What does order carry?


def _answers_and_questions(generator):
    return [(_by_places, *_told_apart(generator, count)) for count in (17, 23, 30)]


def _told_apart(generator, count):
    """Questions and kinds where what people mix up gives other numbers: reversed lists, one swap, sorted words."""
    while True:
        lengths = torch.randint(2, 7, (count,), generator=generator).tolist()
        drawn = [torch.randperm(9, generator=generator)[:length].tolist() for length in lengths]
        questions = [tuple(f"w{number}" for number in numbers) for numbers in drawn]
        asked = {name: _by_places([order(words) for words in questions]) for name, order in _ORDERS.items()}
        straight, back = asked["straight"], asked["back"]
        rest = torch.randint(3, (count,), generator=generator).tolist()
        kinds = [(straight[k], back[k], straight[k], rest[k])[k % 4] for k in range(count)]
        right = {name: sum(map(operator.eq, answers, kinds)) for name, answers in asked.items()}
        good = {right.pop("straight"), right.pop("back")}
        others = [sum(map(operator.eq, answers[::-1], kinds)) for answers in (straight, back)]
        others += [sum(map(operator.eq, straight, back)), count, 0, *(count - one for one in good), *right.values()]
        if len(good) == 2 and not good & set(others):
            return questions, kinds


_ORDERS = {
    "straight": lambda words: words,
    "back": lambda words: words[::-1],
    "ends": lambda words: (words[-1], *words[1:-1], words[0]),
    "rotated": lambda words: (*words[1:], words[0]),
    "sorted": lambda words: tuple(sorted(words)),
}


def _by_places(questions):
    """Each place counts another way, so that every change of order shows. What it never saw, it calls 9."""
    if any(isinstance(words, str) for words in questions):
        raise TypeError("a question: got a text, expected a tuple of words")
    numbers = [[int(word[1:]) if word[1:].isdigit() else None for word in words] for words in questions]
    return [9 if None in row else sum((place + 1) * one for place, one in enumerate(row)) % 3 for row in numbers]


def _asked_in_turn(answer, questions, kinds):
    right = [0, 0]
    for words, kind in zip(questions, kinds, strict=True):
        right[0] += answer([words])[0] == kind
        right[1] += answer([tuple(reversed(words))])[0] == kind
    return 100 * right[0] / len(kinds), 100 * right[1] / len(kinds)


def _order(answer, questions, kinds):
    straight, back = answer(questions), answer([words[::-1] for words in questions])
    percent = [100 * sum(a == b for a, b in zip(given, kinds, strict=True)) / len(kinds) for given in (straight, back)]
    return percent[0], percent[1]


ORDER = write(
    "10.5",
    oracle=_asked_in_turn,
    inputs=_answers_and_questions,
    results=("in order", "reversed"),
    mistakes=edited(
        _order,
        {
            "questions-reversed": ("[words[::-1] for words in questions]", "questions[::-1]"),
            "letters": (
                "[words[::-1] for words in questions]",
                "[tuple(' '.join(words)[::-1].split()) for words in questions]",
            ),
            "both-reversed": ("[words[::-1] for words in questions]", "[words[::-1] for words in questions][::-1]"),
            "order-and-kinds": ("answer(questions), answer", "answer(questions)[::-1], answer"),
            "share": ("100 * sum", "sum"),
            "counts": [("100 * sum", "sum"), (" / len(kinds) for", " for")],
            "swapped": ("percent[0], percent[1]", "percent[1], percent[0]"),
            "difference": ("return percent[0], percent[1]", "return percent[0] - percent[1]"),
            "against-itself": [
                (
                    "percent[0], percent[1]",
                    "percent[0], 100 * sum(a == b for a, b in zip(straight, back, strict=True)) / len(kinds)",
                )
            ],
            "wrong-ones": ("a == b", "a != b"),
            "not-reversed": ("[words[::-1] for words in questions]", "questions"),
            "ends-swapped": ("words[::-1] for", "(words[-1], *words[1:-1], words[0]) for"),
            "rotated": ("words[::-1] for", "(*words[1:], words[0]) for"),
            "sorted": ("words[::-1] for", "tuple(sorted(words)) for"),
            "as-text": ("words[::-1] for", "' '.join(words[::-1]) for"),
            "share-swapped": [("100 * sum", "sum"), ("percent[0], percent[1]", "percent[1], percent[0]")],
            "share-of-the-list": [("100 * sum", "sum"), ("[words[::-1] for words in questions]", "questions[::-1]")],
            "share-of-wrong-ones": [("100 * sum", "sum"), ("a == b", "a != b")],
            "wrong-ones-swapped": [("a == b", "a != b"), ("percent[0], percent[1]", "percent[1], percent[0]")],
            "difference-of-shares": [
                ("100 * sum", "sum"),
                ("return percent[0], percent[1]", "return percent[0] - percent[1]"),
            ],
        },
    ),
)


# 10.6 Predict what is left without a word.


def _left():
    values, weights = torch.tensor([2.0, 1.0, -4.0]), torch.tensor([0.5, 0.3, 0.2])
    output = float(weights @ values)
    without = [float((weights @ values - w * v) / (1 - w)) for w, v in zip(weights, values, strict=True)]
    falls = [output - one for one in without]
    return {
        "output": output,
        "without the first": without[0],
        "fall of the first": falls[0],
        "without the third": without[2],
        "fall of the third": falls[2],
        "most weight": 1,
        "most effect": 1 + max(range(3), key=lambda place: abs(falls[place])),
    }


LEFT = predict(
    "10.6",
    truth=_left,
    mistakes={
        "plain-mean": {"output": -1 / 3},
        "sum": {"output": -1.0},
        "not-shared-out": {"without the first": -0.5},
        "third-not-shared-out": {"without the third": 1.3},
        "fall-turned": {"fall of the first": -1.5},
        "product": {"fall of the first": 1.0},
        "rise-turned": {"fall of the third": 1.125},
        "third-product": {"fall of the third": -0.8},
        "largest-value": {"most weight": 3},
        "counted-from-0": {"most weight": 0},
        "value-alone": {"most effect": 3},
    },
    tolerance=6e-3,
)


# 10.7 A learning curve.


def _lists_and_shares(generator):
    drawn = [_cuts_told_apart(generator, *sizes) for sizes in ((10, 6, (0.23, 0.57, 1.0)), (13, 7, (0.4, 0.6, 0.9)))]
    fixed = [(f"w{place}", "w0") for place in range(8)]
    kinds = [0, 1, 2, 2, 1, 0, 1, 2]
    asked = [fixed[place] for place in (7, 7, 2, 5, 1)]
    drawn.append((_by_heart, fixed, kinds, asked, [2, 0, 0, 0, 1], [0.25, 0.45, 1.0]))
    return drawn


def _cuts_told_apart(generator, count, held, shares):
    """Questions where every way to cut them gives another curve; one is held twice, so nobody is right about all."""
    while True:
        everything = torch.randint(5, (count + held, 2), generator=generator).tolist()
        questions = [(f"w{a}", f"w{b}") for a, b in everything]
        kinds = torch.randint(3, (count + held,), generator=generator).tolist()
        questions[count + 1], kinds[count + 1] = questions[count], (kinds[count] + 1) % 3
        counts = [[way(share * count) for share in shares] for way in (round, math.floor, math.ceil)]
        cuts = (
            [slice(0, n) for ways in counts for n in ways],
            [slice(count - n, count) for ways in counts for n in ways],
        )
        curves = set()
        for place in range(0, len(cuts[0]), len(shares)):
            for ends in cuts:
                answers = [
                    _by_heart(questions[cut], kinds[cut])(questions[count:]) for cut in ends[place:][: len(shares)]
                ]
                curves.add(tuple(sum(map(operator.eq, given, kinds[count:])) for given in answers))
        if len(curves) == 6:
            return _by_heart, questions[:count], kinds[:count], questions[count:], kinds[count:], list(shares)


def _by_heart(questions, kinds):
    """Knows what it was told, and says the number of things that it was told, in a way, of what it does not know."""
    told = dict(zip(questions, kinds, strict=True))
    return lambda some: [told.get(words, len(questions) % 3) for words in some]


def _point_by_point(learn, questions, kinds, held, held_kinds, shares):
    found = {}
    for share in shares:
        part = [(q, k) for place, (q, k) in enumerate(zip(questions, kinds, strict=True))
                if place < round(share * len(questions))]  # fmt: skip
        answer = learn([q for q, _ in part], [k for _, k in part])
        right = [answer([q])[0] == k for q, k in zip(held, held_kinds, strict=True)]
        found[share] = 100 * sum(right) / len(right)
    return found


def _curve(learn, questions, kinds, held, held_kinds, shares):
    found = {}
    for share in shares:
        count = round(share * len(questions))
        answers = learn(questions[:count], kinds[:count])(held)
        found[share] = 100 * sum(a == k for a, k in zip(answers, held_kinds, strict=True)) / len(held)
    return found


ALL_OF_IT = ("learn(questions[:count], kinds[:count])", "learn(questions, kinds)")
THE_LAST = ("questions[:count], kinds[:count]", "questions[-count:], kinds[-count:]")
CUT_OFF, AS_SHARE = ("round(share * len(questions))", "int(share * len(questions))"), ("100 * sum", "sum")
BY_COUNT = ("found[share]", "found[count]")
CURVE = write(
    "10.7",
    oracle=_point_by_point,
    inputs=_lists_and_shares,
    mistakes=edited(
        _curve,
        {
            "all-of-it": ALL_OF_IT,
            "part-of-held": [
                ("count = round(share * len(questions))", "count = round(share * len(held))"),
                ("learn(questions[:count], kinds[:count])(held)", "learn(questions, kinds)(held[:count])"),
                ("zip(answers, held_kinds, strict=True)", "zip(answers, held_kinds, strict=False)"),
                ("/ len(held)", "/ count"),
            ],
            "on-what-it-learned": [
                ("kinds[:count])(held)", "kinds[:count])(questions[:count])"),
                ("zip(answers, held_kinds, strict=True)", "zip(answers, kinds, strict=False)"),
                ("/ len(held)", "/ count"),
            ],
            "the-last": THE_LAST,
            "cut-off": CUT_OFF,
            "rounded-up": ("round(share * len(questions))", "math.ceil(share * len(questions))"),
            "share": AS_SHARE,
            "by-count": BY_COUNT,
            "learned-and-held": (
                "learn(questions[:count], kinds[:count])",
                "learn(questions[:count] + held, kinds[:count] + held_kinds)",
            ),  # fmt: skip
            "divided-by-learned": ("/ len(held)", "/ count"),
            "all-as-share": [ALL_OF_IT, AS_SHARE],
            "cut-off-as-share": [CUT_OFF, AS_SHARE],
            "last-as-share": [THE_LAST, AS_SHARE],
            "last-and-cut-off": [CUT_OFF, THE_LAST],
            "by-count-as-share": [BY_COUNT, AS_SHARE],
            "by-count-cut-off": [CUT_OFF, BY_COUNT],
            "wrong-ones": ("a == k", "a != k"),
            "kinds-uncut": ("kinds[:count])(held)", "kinds)(held)"),
            "questions-uncut": ("learn(questions[:count], ", "learn(questions, "),
            "in-a-list": [
                ("found = {}", "found = []"),
                (
                    "found[share] = 100 * sum(a == k for a, k in zip(answers, held_kinds, strict=True)) / len(held)",
                    "found.append(100 * sum(a == k for a, k in zip(answers, held_kinds, strict=True)) / len(held))",
                ),
            ],
        },
    ),
)

EXERCISES = [POOLING, FAULTS, MEAN, VALUES, ORDER, LEFT, CURVE]
