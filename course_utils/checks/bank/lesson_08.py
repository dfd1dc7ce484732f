"""Exercises of lesson 08: window, local-p, reach, two axes."""

import math

import torch
from torch import Tensor

from course_utils.attention.masks import padding_mask
from course_utils.checks.bank.parts import draw
from course_utils.checks.forms import edited, predict, prove, write

# 8.1 A window around a centre: one key at a time as the oracle.


def _window_oracle(centres: Tensor, length: int, reach: int, mask: Tensor) -> Tensor:
    inside = torch.zeros(*centres.shape, length, dtype=torch.bool)
    for b, row in enumerate(centres.tolist()):
        for t, centre in enumerate(row):
            for s in range(length):
                inside[b, t, s] = centre - reach <= s <= centre + reach and bool(mask[b, 0, s])
    return inside


def _window(centres, length, reach, mask):
    distance = torch.arange(length) - centres[..., None]
    return (distance.abs() <= reach) & mask


def _draw_windows(generator: torch.Generator) -> list[tuple]:
    whole = torch.randint(1, 6, (3, 4), generator=generator) + 0.0
    whole[0, 1] = 4.0  # a window that lies inside, and is not at the query's own place
    between = torch.randint(1, 5, (2, 5), generator=generator) + 0.3
    anywhere = 9 * torch.rand(2, 6, generator=generator)
    return [
        (whole, 7, 2, padding_mask(torch.tensor([7, 3, 5]))),
        (between, 6, 1, padding_mask(torch.tensor([4, 6]))),
        (anywhere, 10, 3, padding_mask(torch.tensor([10, 7]))),  # a reach whose square is another
    ]


WINDOW = write(
    "8.1",
    oracle=_window_oracle,
    inputs=_draw_windows,
    mistakes=edited(
        _window,
        {
            "edge-lost": ("<=", "<"),
            "edge-lost-and-padding-seen": [("<=", "<"), (" & mask", "")],
            "one-sided": (".abs()", ""),
            "one-sided-mirrored": ("distance.abs()", "-distance"),
            "forward-only": ("(distance.abs() <= reach)", "(distance >= 0) & (distance <= reach)"),
            "backward-only": ("(distance.abs() <= reach)", "(distance <= 0) & (distance >= -reach)"),
            "squared": (".abs()", ".square()"),
            "reach-is-the-width": ("<= reach", "<= reach / 2"),
            "one-too-wide": ("<= reach", "<= reach + 1"),
            "places-from-one": ("torch.arange(length)", "torch.arange(1, length + 1)"),
            "padding-seen": (" & mask", ""),
            "joined-by-or": ("& mask", "| mask"),
            "outside": ("<=", ">"),
            "padding-only": ("& mask", "& ~mask"),
            "centre-rounded": ("centres[..., None]", "centres.round()[..., None]"),
            "centre-cut": ("centres[..., None]", "centres.floor()[..., None]"),
            "own-place": ("centres[..., None]", "torch.arange(centres.shape[1])[:, None].expand(*centres.shape, 1)"),
            "inverted": ("return (distance.abs() <= reach) & mask", "return ~((distance.abs() <= reach) & mask)"),
        },
    ),
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


def _local_p(query, states, mask, w, v, reach):
    length = mask.sum(-1)
    distance = torch.arange(states.shape[1]) - (length * torch.sigmoid(torch.tanh(query @ w.T) @ v))[..., None]
    window, bell = distance.abs() <= reach, torch.exp(-distance.square() / (2 * (reach / 2) ** 2))
    scores = query @ states.transpose(-2, -1)
    weights = torch.softmax(scores.masked_fill(~(window & mask), -math.inf), dim=-1) * bell
    return weights @ states, weights


def _draw_local_p(generator: torch.Generator) -> list[tuple]:
    def case(batch: int, queries: int, size: int, lengths: list[int], reach: int) -> tuple:
        shapes = [(batch, queries, size), (batch, max(lengths), size), (size, size), (size,)]
        query, states, w, v = draw(generator, *shapes)
        # 2 v: centres from the first place to the last. Lengths are close: no window ever lies in the padding alone.
        return query, states, padding_mask(torch.tensor(lengths)), w, 2 * v, reach

    return [case(2, 9, 4, [9, 8], 2), case(3, 8, 5, [8, 10, 9], 3)]


LOCAL_P = write(
    "8.2",
    oracle=_local_p_oracle,
    inputs=_draw_local_p,
    mistakes=edited(
        _local_p,
        {
            "renormalised": ("    return", "    weights = weights / weights.sum(-1, keepdim=True)\n    return"),
            "bell-on-scores": [("scores.masked_fill", "(scores * bell).masked_fill"), ("dim=-1) * bell", "dim=-1)")],
            "masked-after-softmax": [("window & mask", "mask"), ("* bell", "* window * bell")],
            "no-bell": (" * bell", ""),
            "no-window": ("window & mask", "mask"),
            "padding-seen": ("window & mask", "window"),
            "deviation-is-the-reach": ("(reach / 2)", "reach"),
            "longest-source": ("mask.sum(-1)", "mask.shape[-1]"),
            "no-tanh": ("torch.tanh(query @ w.T)", "(query @ w.T)"),
            "w-transposed": ("w.T", "w"),
            "no-sigmoid": ("torch.sigmoid(torch.tanh(query @ w.T) @ v)", "(torch.tanh(query @ w.T) @ v)"),
            "no-sigmoid-without-nan": [
                ("torch.sigmoid(torch.tanh(query @ w.T) @ v)", "(torch.tanh(query @ w.T) @ v)"),
                ("dim=-1) * bell", "dim=-1).nan_to_num(0.0) * bell"),
            ],
            "centre-rounded": (
                "(length * torch.sigmoid(torch.tanh(query @ w.T) @ v))",
                "(length * torch.sigmoid(torch.tanh(query @ w.T) @ v)).round()",
            ),
            "deviation-not-squared": ("(2 * (reach / 2) ** 2)", "(2 * (reach / 2))"),
            "no-length": ("length * ", ""),
            "last-position": ("length * ", "(length - 1) * "),
            "local-m": (
                "(length * torch.sigmoid(torch.tanh(query @ w.T) @ v))",
                "torch.arange(query.shape[1]).expand(query.shape[:2])",
            ),
            "scaled": ("    weights =", "    scores = scores / math.sqrt(query.shape[-1])\n    weights ="),
            "bell-without-two": ("(2 * (reach / 2) ** 2)", "(reach / 2) ** 2"),
            "context-before-the-bell": [
                ("dim=-1) * bell", "dim=-1)"),
                ("return weights @ states, weights", "return weights @ states, weights * bell"),
            ],
            "over-the-queries": ("dim=-1) * bell", "dim=-2).nan_to_num(0.0) * bell"),
        },
    ),
    properties={
        "padding-weighs-nothing": lambda given, result: not (result[1] * ~given[2]).any(),
        "at-most-one": lambda given, result: bool((result[1].sum(-1) < 1 + 1e-4).all()),
    },
    results=("context", "weights"),
)


# 8.3 How far must it reach? Six distances, the greatest is 2; 27 of 48 keys lie inside.

_REACH, _SHARE = 2, 27 / 48

HOW_FAR = prove(
    "8.3",
    requirements={
        "swapped": lambda answer: not (abs(float(answer[0]) - _SHARE) < 1e-3 and float(answer[1]) == _REACH),
        "nothing-needed": lambda answer: float(answer[0]) != 7,
        "lost": lambda answer: float(answer[0]) >= _REACH,
        "too-wide": lambda answer: float(answer[0]) == _REACH,
        "edges-forgotten": lambda answer: abs(float(answer[1]) - 5 / 8) > 1e-3,
        "last-query-counted": lambda answer: abs(float(answer[1]) - 31 / 56) > 1e-3,
        "all-queries-below": lambda answer: abs(float(answer[1]) - 27 / 56) > 1e-3,
        "a-count": lambda answer: float(answer[1]) <= 1,
        "share": lambda answer: abs(float(answer[1]) - _SHARE) < 1e-3,
    },
)


# 8.4 Which is which? The numbers of keys are counted on a small case.


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
    "8.4",
    truth=_which_is_which,
    mistakes={
        "current-input-only": {"window: keys": 1},
        "centre-forgotten": {"window: keys": 4},
        "reach-is-the-width": {"window: keys": 2},
        "one-side-only": {"window: keys": 3},
        "global-is-hard": {"additive: how": "hard"},
        "local-is-hard": {"window: how": "hard"},
        "bell-has-no-end": {"predicted: keys": 10},
        "bell-chooses": {"predicted: keys": 1},
        "one-key-is-local": {"sampled: where": "local"},
        "shares-before-drawing": {"sampled: keys": 10},
        "drawn-is-soft": {"sampled: how": "soft"},
        "nothing-to-share": {"own place: how": "soft"},
    },
)

EXERCISES = [WINDOW, LOCAL_P, HOW_FAR, WHICH_IS_WHICH]
