"""The exercises of lesson 04: two masks to write, two to mend, one to translate, values, and a late mask to break."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks import Exercise, Mistake, Prediction, Property, Requirement, Witness


def _softmax(scores, dim=-1):
    return torch.softmax(scores, dim=dim)


# 4.1


def _scores_and_masks(generator):
    drawn = []
    for shape, mask_shape in [((3, 5), (3, 5)), ((2, 4, 6), (2, 1, 6)), ((2, 3, 4, 7), (4, 7))]:
        mask = torch.rand(mask_shape, generator=generator) < 0.5
        mask[..., 0], mask[..., -1] = True, False
        drawn.append([2 * torch.randn(shape, generator=generator), mask])
    drawn[0][1][1] = False  # a row with nothing to see
    drawn[1][0][..., -1] = 250.0  # a hidden score that swamps the others
    return [tuple(pair) for pair in drawn]


def _by_rows(scores, mask):
    weights, keys = torch.zeros_like(scores), scores.shape[-1]
    seen = mask.expand(scores.shape).reshape(-1, keys)
    for row, visible, out in zip(scores.view(-1, keys), seen, weights.view(-1, keys), strict=True):
        if visible.any():
            out[visible] = _softmax(row[visible])
    return weights


def _fill(scores, mask, value=-math.inf):
    return scores.masked_fill(~mask, value)


def _renormalised(scores, mask):
    weights = _softmax(scores) * mask
    return weights / weights.sum(-1, keepdim=True)


def _in_place(scores, mask):
    return _softmax(scores.masked_fill_(~mask, -math.inf)).masked_fill(~mask, 0.0)


MASKED_SOFTMAX = Exercise(
    "4.1",
    "Softmax over what may be seen",
    oracle=_by_rows,
    inputs=_scores_and_masks,
    mistakes=[
        Mistake(
            "nan",
            lambda scores, mask: _softmax(_fill(scores, mask)),
            "Right, except for the row with nothing to see: softmax divides 0 by 0 there, and that row should be 0.",
        ),
        Mistake(
            "uniform",
            lambda scores, mask: _softmax(_fill(scores, mask, -1e9)),
            "Your row with nothing to see looks at every hidden key alike: equal scores, however small, make "
            "uniform weights.",
        ),
        Mistake(
            "inverted",
            lambda scores, mask: _softmax(_fill(scores, ~mask)).masked_fill(mask, 0.0),
            "You look only at what is hidden: True means may attend here, so fill where the mask is False.",
        ),
        Mistake(
            "after-softmax",
            lambda scores, mask: _softmax(scores) * mask,
            "You masked after the softmax: the hidden keys were in the sum, so the rows sum to less than 1.",
        ),
        Mistake(
            "renormalised",
            _renormalised,
            "You masked after the softmax and divided by the sum: on paper that is right, but a large hidden score "
            "rounds all the others to 0, and 0/0 is nan.",
        ),
        Mistake(
            "scores-times-mask",
            lambda scores, mask: _softmax(scores * mask),
            "You multiplied the scores by the mask: a score of 0 still has an exponential of 1, so the hidden keys "
            "keep weight.",
        ),
        Mistake(
            "over-queries",
            lambda scores, mask: _softmax(_fill(scores, mask), dim=-2).nan_to_num(0.0),
            "You normalised over the queries, so your columns sum to 1; each query shares out its weight over the "
            "keys.",
        ),
        Mistake(
            "in-place",
            _in_place,
            "The weights are right, but you wrote −∞ into the caller's scores; use the method without the "
            "underscore at its end.",
        ),
    ],
    properties=[
        Property("the weights must be finite", lambda arguments, result: bool(result.isfinite().all())),
        Property(
            "what is hidden must weigh 0",
            lambda arguments, result: bool((result.masked_fill(arguments[1], 0.0) == 0).all()),
        ),
    ],
)


# 4.2


def _lengths(generator):
    queries = int(torch.randint(2, 5, (), generator=generator))
    return [(4, 4), (queries, queries + 3), (1, 6)]


def _by_places(queries, keys):
    return torch.tensor([[key <= query + keys - queries for key in range(keys)] for query in range(queries)])


def _ones(queries, keys):
    return torch.ones(queries, keys, dtype=torch.bool)


CAUSAL = Exercise(
    "4.2",
    "Hide the future, with and without a cache",
    oracle=_by_places,
    inputs=_lengths,
    mistakes=[
        Mistake(
            "top-left",
            lambda queries, keys: _ones(queries, keys).tril(),
            "Your triangle starts at the top left: with fewer queries than keys, the first query is not the first "
            "of the sequence.",
        ),
        Mistake(
            "not-itself",
            lambda queries, keys: _ones(queries, keys).tril(keys - queries - 1),
            "Your queries do not see their own place, and in a square the first sees nothing; the diagonal belongs "
            "to the mask.",
        ),
        Mistake(
            "one-ahead",
            lambda queries, keys: _ones(queries, keys).tril(keys - queries + 1),
            "Your queries see one place too far, the very element that a model has to predict.",
        ),
        Mistake(
            "inverted",
            lambda queries, keys: _ones(queries, keys).triu(keys - queries + 1),
            "Your mask is True for the future: that is the convention True = hidden, the opposite of ours.",
        ),
        Mistake(
            "looks-ahead",
            lambda queries, keys: _ones(queries, keys).triu(keys - queries),
            "Your triangle points the wrong way: each query sees itself and what follows, instead of what came before.",
        ),
        Mistake(
            "numbers",
            lambda queries, keys: torch.ones(queries, keys).tril(keys - queries),
            "The triangle is right, but it holds numbers: a mask of floats is added to the scores, so make it boolean.",
        ),
    ],
)


# 4.3


def _modules_and_baskets(generator):
    drawn = []
    for lengths, longest, size, heads in [([3, 6], 6, 4, 2), ([2, 4, 3], 5, 6, 3)]:
        module = nn.MultiheadAttention(size, heads, batch_first=True)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator))
        drawn.append((module, torch.randn(len(lengths), longest, size, generator=generator), torch.tensor(lengths)))
    return drawn


def _basket_by_basket(module, x, lengths):
    outputs = []
    for basket, length in zip(x, lengths.tolist(), strict=True):
        goods = basket[None, :length]
        outputs.append(module(basket[None], goods, goods)[0])
    return torch.cat(outputs)


def _with_padding_mask(hides, prepare=lambda x, lengths: x):
    def answer(module, x, lengths):
        places = torch.arange(x.shape[1])
        prepared = prepare(x, lengths)
        return module(prepared, prepared, prepared, key_padding_mask=hides(places, lengths[:, None]))[0]

    return answer


def _without_padding(x, lengths):
    return x * (torch.arange(x.shape[1]) < lengths[:, None])[..., None]


INVERTED = Exercise(
    "4.3",
    "The padding answers, the goods are silent",
    oracle=_basket_by_basket,
    inputs=_modules_and_baskets,
    mistakes=[
        Mistake(
            "unchanged",
            _with_padding_mask(lambda places, lengths: places < lengths),
            "The mask is still the other way round: this module hides what is True, and you say True for the real "
            "goods.",
        ),
        Mistake(
            "one-too-few",
            _with_padding_mask(lambda places, lengths: places > lengths),
            "The convention is right, but the first padded place is still seen: places count from 0, so a basket of "
            "three ends at place 2.",
        ),
        Mistake(
            "one-too-many",
            _with_padding_mask(lambda places, lengths: places >= lengths - 1),
            "The convention is right, but you hide the last real good as well; places count from 0.",
        ),
        Mistake(
            "no-mask",
            lambda module, x, lengths: module(x, x, x)[0],
            "Without a mask nothing is inverted, but nothing is hidden either: the padding takes part.",
        ),
        Mistake(
            "zeros-instead",
            lambda module, x, lengths: module(*3 * [_without_padding(x, lengths)])[0],
            "You set the padding to zero instead of hiding it: a key of zeros still has a score, and the bias gives "
            "it a value.",
        ),
        Mistake(
            "zeros-inside",
            lambda module, x, lengths: _without_padding(
                _with_padding_mask(lambda places, lengths: places >= lengths)(module, x, lengths), lengths
            ),
            "The real goods are right; the output was to be given for all places, so leave the padded ones as the "
            "module makes them.",
        ),
    ],
)


# 4.4


class _Reader(nn.Module):
    """The layer with a mask that a subclass chooses: where scores become −∞."""

    def __init__(self, size):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(size, size) for _ in range(3))

    def hides(self, future):
        return future

    def weights(self, scores, hidden):
        return _softmax(scores.masked_fill(hidden, -math.inf))

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(-2, -1) / math.sqrt(x.shape[-1])
        future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        return self.weights(scores, self.hides(future)) @ self.value(x)


class _OnlyInTraining(_Reader):
    def hides(self, future):
        return future & self.training


class _OnlyInEvaluation(_Reader):
    def hides(self, future):
        return future & (not self.training)


class _Never(_Reader):
    def hides(self, future):
        return future & False


class _NotItself(_Reader):
    def hides(self, future):
        return ~future.T


class _Past(_Reader):
    def hides(self, future):
        return ~future


class _After(_Reader):
    def weights(self, scores, hidden):
        return _softmax(scores) * ~hidden


def _layers_and_inputs(generator):
    drawn = []
    for shape in [(2, 5, 3), (3, 4, 6)]:
        size = shape[-1]
        state = [torch.randn(dims, generator=generator) for _ in range(3) for dims in ((size, size), (size,))]
        drawn.append((torch.randn(shape, generator=generator), state))
    return drawn


def _in_both_modes(answer, x, state):
    """What the layer gives in training and in evaluation, with the same parameters."""
    layer = answer(x.shape[-1])
    with torch.no_grad():
        for place, name in enumerate(("query", "key", "value")):
            getattr(layer, name).weight.copy_(state[2 * place])
            getattr(layer, name).bias.copy_(state[2 * place + 1])
        return {mode: copy.deepcopy(layer).train(mode == "training")(x) for mode in ("training", "evaluation")}


def _by_prefixes(x, state):
    query, key, value = (F.linear(x, *state[place : place + 2]) for place in (0, 2, 4))
    steps = range(1, x.shape[1] + 1)
    context = torch.cat(
        [F.scaled_dot_product_attention(query[:, n - 1 : n], key[:, :n], value[:, :n]) for n in steps], dim=1
    )
    return {"training": context, "evaluation": context}


ONLY_IN_TRAINING = Exercise(
    "4.4",
    "Causal in training only",
    oracle=_by_prefixes,
    inputs=_layers_and_inputs,
    call=_in_both_modes,
    mistakes=[
        Mistake(
            "unchanged",
            _OnlyInTraining,
            "In evaluation your layer still looks ahead: the mask must not depend on the mode.",
        ),
        Mistake(
            "only-in-evaluation",
            _OnlyInEvaluation,
            "Now it is the other way round: causal in evaluation, and in training it sees what it has to predict.",
        ),
        Mistake(
            "never",
            _Never,
            "The two modes agree, but because the mask is gone in both; it should be there in both.",
        ),
        Mistake(
            "not-itself",
            _NotItself,
            "You hide each element from itself as well, so that the first has nothing to see and becomes nan.",
        ),
        Mistake(
            "inverted",
            _Past,
            "You fill where the mask is False: your layer sees the future only, and the last element sees nothing.",
        ),
        Mistake(
            "after-softmax",
            _After,
            "You hide after the softmax: the future was in the sum, so the rows sum to less than 1 and still move "
            "with it.",
        ),
    ],
)


# 4.5


def _values():
    real = torch.arange(6) < torch.tensor([6, 4])[:, None]
    causal = torch.ones(6, 6, dtype=torch.bool).tril()
    both = real[:, None] & causal
    equal, unit = torch.zeros(6), torch.eye(6)[None]
    first = F.scaled_dot_product_attention(torch.ones(1, 1, 6), torch.ones(1, 6, 6), unit, is_causal=True)
    return {
        "shape": tuple(both.shape),
        "causal pairs": int(causal.sum()),
        "joined pairs": int(both[1].sum()),
        "hidden before": float(_softmax(equal.masked_fill(~real[1], -math.inf))[0]),
        "hidden after": float((_softmax(equal) * real[1]).sum()),
        "filled with −1e9": float(_softmax(equal.masked_fill(torch.ones(6, dtype=torch.bool), -1e9))[0]),
        "is_causal": int((first > 0).sum()),
    }


VALUES = Prediction(
    "4.5",
    "Predict",
    truth=_values,
    mistakes=[
        Mistake(
            "batch-lost",
            {"shape": (6, 6)},
            "The joined mask keeps the batch: each basket has its own padding, and the causal mask is repeated for "
            "each.",
        ),
        Mistake(
            "axis-of-1-kept",
            {"shape": (2, 1, 6)},
            "The axis of size 1 does not survive: it meets the query axis of the causal mask, and is stretched to 6.",
        ),
        Mistake(
            "diagonal-forgotten",
            {"causal pairs": 15},
            "You counted the pairs below the diagonal; each element also sees itself.",
        ),
        Mistake(
            "padded-rows-hidden",
            {"joined pairs": 10},
            "You left out the padded rows: a padding mask hides keys, not queries, so these rows see four goods each.",
        ),
        Mistake(
            "padding-still-in-the-sum",
            {"hidden before": 1 / 6},
            "With −∞ before the softmax the padding is not in the sum: four goods share the whole weight.",
        ),
        Mistake(
            "after-is-before",
            {"hidden after": 1.0},
            "After the softmax it is too late: the two padded keys have taken their sixths, and do not give them back.",
        ),
        Mistake(
            "hidden-means-zero",
            {"filled with −1e9": 0.0},
            "A weight of 0 is what you want, but softmax compares: six equal scores share alike, however small they "
            "are.",
        ),
        Mistake(
            "bottom-right",
            {"is_causal": 6},
            "That is what you want with a cache; PyTorch starts its triangle at the top left, at the first key.",
        ),
    ],
)


# 4.6


def _masks_and_heads(generator):
    drawn = []
    for shape, heads in [((2, 3, 5), 4), ((3, 4, 6), 2)]:
        mask = torch.rand(shape, generator=generator) < 0.5
        mask[0, 0, 0], mask[1, 0, 0] = True, False  # so that two baskets always differ
        drawn.append((mask, heads))
    return drawn


def _head_by_head(mask, heads):
    return torch.stack([~basket for basket in mask for _ in range(heads)])


TRANSLATE = Exercise(
    "4.6",
    "Translate for several heads",
    oracle=_head_by_head,
    inputs=_masks_and_heads,
    mistakes=[
        Mistake(
            "not-turned",
            lambda mask, heads: mask.repeat_interleave(heads, dim=0),
            "The heads are in place, but the meaning is still ours: this module hides what is True.",
        ),
        Mistake(
            "heads-apart",
            lambda mask, heads: (~mask).repeat(heads, 1, 1),
            "You repeated the whole batch: the heads of one basket must stand next to each other, or a basket is "
            "read through another's mask.",
        ),
        Mistake(
            "both",
            lambda mask, heads: mask.repeat(heads, 1, 1),
            "Two things at once: the meaning is not turned round, and the heads of one basket do not stand next to "
            "each other.",
        ),
        Mistake(
            "heads-forgotten",
            lambda mask, heads: ~mask,
            "The meaning is right, but there is one mask for each basket: the module wants one for each head of it.",
        ),
        Mistake(
            "own-axis",
            lambda mask, heads: (~mask)[:, None].expand(-1, heads, -1, -1),
            "Each head has its mask, on an axis of its own; the module wants batch and heads as one axis.",
        ),
    ],
)


# 4.7


def _late(answer):
    return _renormalised(*answer)


def _is_scores(scores):
    return isinstance(scores, torch.Tensor) and scores.shape == (4,) and scores.dtype == torch.float32


LATE_MASK = Witness(
    "4.7",
    "Break the late mask",
    requirements=[
        Requirement(
            "scores",
            lambda answer: _is_scores(answer[0]),
            "Your scores must be a float32 tensor of shape (4): write 1.0 instead of 1.",
        ),
        Requirement(
            "small-enough",
            lambda answer: bool((answer[0].abs() <= 300).all()),
            "One of your scores is not finite, or larger than 300 in size; ordinary numbers are enough.",
        ),
        Requirement(
            "mask",
            lambda answer: (
                isinstance(answer[1], torch.Tensor) and answer[1].dtype == torch.bool and answer[1].shape == (4,)
            ),
            "Your mask must be a boolean tensor of shape (4), True = may attend.",
        ),
        Requirement(
            "two-visible",
            lambda answer: int(answer[1].sum()) >= 2,
            "Fewer than two keys are visible in your mask; an empty row is nan in any way, which shows nothing.",
        ),
        Requirement(
            "something-hidden",
            lambda answer: not bool(answer[1].all()),
            "Your mask hides nothing, so that both ways are the plain softmax.",
        ),
        Requirement(
            "visible-is-largest",
            lambda answer: bool(answer[0][~answer[1]].max() > answer[0][answer[1]].max()),
            "Your largest score is a visible one, which never rounds to 0; it is a hidden one that must be large.",
        ),
        Requirement(
            "nan",
            lambda answer: bool(_late(answer).isnan().any()),
            "The late way still gives numbers: the gap between the hidden score and the visible ones is too small "
            "for float32 to lose them.",
        ),
    ],
)

EXERCISES = [MASKED_SOFTMAX, CAUSAL, INVERTED, ONLY_IN_TRAINING, VALUES, TRANSLATE, LATE_MASK]
