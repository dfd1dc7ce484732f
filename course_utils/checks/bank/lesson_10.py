"""The exercises of lesson 10: pooling by a learned query, five faults, a mean, values, order, and how much data."""

import math

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
        },
    )
    | {"after-softmax": _after_softmax, "swapped": _swapped},
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
            "inverted": ("~mask", "mask"),
            "inverted-large": ("~mask, -math.inf", "mask, -1e9"),
            "late-mask": [UNMASKED, ("torch.softmax(scores, dim=-1)", "torch.softmax(scores, dim=-1) * mask")],
            "late-mask-doubled": [
                DOUBLED,
                UNMASKED,
                ("torch.softmax(scores, dim=-1)", "torch.softmax(scores, dim=-1) * mask"),
            ],
            "over-questions": ("dim=-1", "dim=0"),
            "mean-of-words": (".sum(dim=1)", ".mean(dim=1)"),
            "loss-summed": ("(logits, kinds)", '(logits, kinds, reduction="sum")'),
            "softmax-twice": ("cross_entropy(logits,", "cross_entropy(logits.softmax(-1),"),
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
    for batch, length, size in [(3, 5, 4), (2, 7, 6), (4, 6, 3)]:
        mask = _real_words(batch, length)
        if batch == 2:  # padding may stand anywhere
            mask = mask.flip(1)
        if batch == 4:  # and a batch may be longer than its longest question
            mask[:, -1] = False
        x = torch.randn(batch, length, size, generator=generator) + 1
        drawn.append((x.masked_fill(~mask.unsqueeze(-1), 50.0), mask))
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
        "two-in-bits": {"two kinds": 1.0},
        "half": {"half sure": 0.5},
        "half-in-bits": {"half sure": 1.0},
        "joined-early": {"states": (8, 64)},
        "axis-of-1": {"weights": (8, 12, 1)},
        "matrix": {"weights": (8, 12, 12)},
        "a-kind-for-each-word": {"logits": (8, 12, 6)},
        "decided": {"logits": (8,)},
        "no-bias": {"parameters": 64},
    },
    tolerance=6e-3,
)


# 10.5 What does order carry?


def _answers_and_questions(generator):
    words = [f"w{place}" for place in range(9)]
    drawn = []
    for count in (7, 10):
        questions = []
        for _ in range(count):
            chosen = torch.randint(9, (int(torch.randint(2, 6, (), generator=generator)),), generator=generator)
            questions.append(tuple(words[place] for place in chosen.tolist()))
        first = [int(question[0][1:]) % 3 for question in questions]
        kinds = [kind if place % 4 else (kind + 1) % 3 for place, kind in enumerate(first)]
        drawn.append((_by_first_word, questions, kinds))
    questions = [("w1", "w2"), ("w4", "w4", "w5"), ("w7",), ("w2", "w0", "w0", "w1"), ("w3", "w8")]
    drawn.append((_by_first_word, questions, [1, 1, 0, 2, 0]))
    return drawn


def _by_first_word(questions):
    """What it never saw, it calls 9."""
    return [int(words[0][1:]) % 3 if words[0][1:].isdigit() else 9 for words in questions]


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
    drawn = []
    for count, held, shares in ((10, 6, (0.2, 0.5, 1.0)), (13, 7, (0.4, 0.6, 0.9))):
        everything = torch.randint(5, (count + held, 2), generator=generator).tolist()
        questions = [(f"w{a}", f"w{b}") for a, b in everything]
        kinds = torch.randint(3, (count + held,), generator=generator).tolist()
        drawn.append((_by_heart, questions[:count], kinds[:count], questions[count:], kinds[count:], list(shares)))
    fixed = [(f"w{place}", "w0") for place in range(8)]
    kinds = [0, 1, 2, 2, 1, 0, 1, 2]
    asked = [fixed[place] for place in (7, 0, 2, 5, 1)]
    drawn.append((_by_heart, fixed, kinds, asked, [2, 0, 0, 0, 1], [0.25, 0.45, 1.0]))
    return drawn


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


CURVE = write(
    "10.7",
    oracle=_point_by_point,
    inputs=_lists_and_shares,
    mistakes=edited(
        _curve,
        {
            "all-of-it": ("learn(questions[:count], kinds[:count])", "learn(questions, kinds)"),
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
            "the-last": [("questions[:count], kinds[:count]", "questions[-count:], kinds[-count:]")],
            "cut-off": ("round(share * len(questions))", "int(share * len(questions))"),
            "share": ("100 * sum", "sum"),
            "by-count": ("found[share]", "found[count]"),
            "learned-and-held": (
                "learn(questions[:count], kinds[:count])",
                "learn(questions[:count] + held, kinds[:count] + held_kinds)",
            ),  # fmt: skip
            "divided-by-learned": ("/ len(held)", "/ count"),
        },
    ),
)

EXERCISES = [POOLING, FAULTS, MEAN, VALUES, ORDER, LEFT, CURVE]
