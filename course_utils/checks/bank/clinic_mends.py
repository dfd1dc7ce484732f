"""Lesson 14, how the patients are mended: the right attentions, what they are asked, and what else goes wrong.

Every attention is compared with PyTorch's own function. Its mistakes are its old fault, from the clinic's own code,
and small changes of a right answer: faults that come in while the first is taken out.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

from course_utils.checks.bank.clinic_others import EDITS as EDITS_OF_OTHERS
from course_utils.checks.bank.clinic_others import OTHERS, between_0_and_size
from course_utils.checks.bank.parts import draw
from course_utils.checks.forms import edited, write
from course_utils.checks.graded import Exercise
from course_utils.checks.words import sentences
from course_utils.clinic import PATIENTS


def _by_pytorch(query, key, value, mask=None):
    unit = torch.eye(key.shape[-2], dtype=query.dtype).expand(*key.shape[:-1], -1)
    context, weights = (F.scaled_dot_product_attention(query, key, x, attn_mask=mask) for x in (value, unit))
    return context, weights


def _by_pytorch_with_empty_rows(query, key, value, mask):
    empty = ~mask.any(-1, keepdim=True)
    return tuple(x.masked_fill(empty, 0.0) for x in _by_pytorch(query, key, value, mask | empty))


def _three(generator):
    # keys of another number than queries, but also 4 and 4 of size 4, for which one patient was made
    shapes = [(2, 3, 5, 4, 6), (3, 4, 4, 4, 5), (1, 5, 2, 6, 3)]
    return [draw(generator, (b, q, s), (b, k, s), (b, k, v)) for b, q, k, s, v in shapes]


def _masked(generator, empty=False, dtypes=(torch.float32,)):
    drawn = []
    for b, q, k, s, v in [(2, 3, 5, 4, 6), (3, 4, 6, 8, 2)]:
        for dtype in dtypes:
            mask = torch.rand(b, q, k, generator=generator) < 0.6
            mask[..., 0] |= ~mask.any(-1)
            mask[:, 0], mask[:, 0, 1] = True, False  # one key is hidden for certain
            mask[:, -1, 0], mask[:, -1, 2] = True, False
            mask[..., 1] &= ~mask.all(-1)  # an inverted mask leaves no row empty: it differs by more than nan
            if empty:
                mask[0, 1] = False
            mask[1, 1] = torch.arange(k) == 0
            query, key, value = draw(generator, (b, q, s), (b, k, s), (b, k, v))
            key[1, 0] = -query[1, 1] / query[1, 1].norm()  # the one key seen scores below 0: a power below 1
            drawn.append((*(x.to(dtype) for x in (query, key, value)), mask))
    return drawn


def _attend(query, key, value):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


def _attend_with_mask(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)
    weights = weights.nan_to_num(0.0)
    return weights @ value, weights


ROOT, OVER = " / math.sqrt(query.shape[-1])", "dim=-1"
HIDE = "    scores = scores.masked_fill(~mask, -math.inf)\n"
EDITS = {
    "no-root": (ROOT, ""),
    "size-for-root": (ROOT, " / query.shape[-1]"),
    "over-queries": (OVER, "dim=-2"),
    "swapped": ("weights @ value, weights", "weights, weights @ value"),
    "scores-returned": ("weights @ value, weights", "weights @ value, scores"),
}
EDITS_WITH_MASK = {
    **{name: EDITS[name] for name in ("no-root", "over-queries")},
    "unmasked": (HIDE, ""),
    "inverted": ("~mask", "mask"),
    "late": [(HIDE, ""), (".nan_to_num(0.0)", ".masked_fill(~mask, 0.0)")],
    "multiplied": (".masked_fill(~mask, -math.inf)", " * mask"),
    "nan-row": ("    weights = weights.nan_to_num(0.0)\n", ""),
    "uniform-row": ("-math.inf", "torch.finfo(scores.dtype).min"),
    "large-fill": ("-math.inf", "-1e9"),
}


def _mend(number: int, oracle: Callable, inputs: Callable, right: Callable, edits: dict, **more) -> Exercise:
    """The mending of one patient: its words say which of the changes are among its mistakes."""
    key = f"14.{number + 20}"
    names = [name for name in sentences(key) if name not in ("title", "still", *more.get("properties", ()))]
    old = between_0_and_size if number == 17 else PATIENTS[number - 1].attention
    mistakes = {"still": old} | edited(right, {name: edits[name] for name in names})
    return write(key, oracle=oracle, inputs=inputs, mistakes=mistakes, **more)


NAMES = ("context", "weights")
BOTH = torch.float32, torch.float16
PLAIN = [_mend(number, _by_pytorch, _three, _attend, EDITS, results=NAMES) for number in (1, 6, 8, 11)]
WITH_MASK = [
    _mend(number, _by_pytorch, _masked, _attend_with_mask, EDITS_WITH_MASK, results=NAMES)
    for number in (2, 4, 7, 9, 15, 16)
]
WITH_EMPTY_ROWS = [
    _mend(12, _by_pytorch_with_empty_rows, lambda generator: _masked(generator, empty=True), _attend_with_mask,
          EDITS_WITH_MASK, results=NAMES),
    _mend(14, _by_pytorch_with_empty_rows, lambda generator: _masked(generator, True, BOTH), _attend_with_mask,
          EDITS_WITH_MASK, results=NAMES, tolerance=2e-2),
]  # fmt: skip
REST = [
    _mend(number, oracle, inputs, right, EDITS_OF_OTHERS[number], **more)
    for number, (oracle, inputs, right, more) in OTHERS.items()
]
MENDS = sorted([*PLAIN, *WITH_MASK, *WITH_EMPTY_ROWS, *REST], key=lambda one: int(one.key.split(".")[1]))
