"""Answers to lesson 05, written without the bank: right ones in two styles, and one for each known mistake."""

import cmath
import math

import torch

# 5.1 and 5.2


def waves(length, size, base):
    """Sines and cosines of every place, (length, pairs) each; an odd size gets a pair for its last feature."""
    speeds = torch.tensor([base ** (-2 * i / size) for i in range(math.ceil(size / 2))])
    angles = torch.outer(torch.arange(length).float(), speeds)
    return torch.sin(angles), torch.cos(angles)


def filled(length, size, base):
    sine, cosine = waves(length, size, base)
    code = torch.empty(length, size)
    code[:, 0::2] = sine
    code[:, 1::2] = cosine[:, : size // 2]
    return code


def by_phase(length, size, base):
    """A cosine is a sine a quarter of a turn ahead."""
    feature = torch.arange(size)
    angle = torch.arange(length).unsqueeze(1) / base ** ((feature - feature % 2) / size)
    return torch.sin(angle + math.pi / 2 * (feature % 2))


def by_rows(length, size, base):
    rows = []
    for t in range(length):
        row = []
        for i in range((size + 1) // 2):
            angle = t / base ** (2 * i / size)
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row[:size])
    return torch.tensor(rows)


def unshared(length, size, base):
    rows = [[(math.cos if j % 2 else math.sin)(t / base ** (j / size)) for j in range(size)] for t in range(length)]
    return torch.tensor(rows)


def upside_down(length, size, base):
    return filled(length, size, 1 / base)


def slower_by_half(length, size, base):
    return filled(length, size, math.sqrt(base))


def in_degrees(length, size, base):
    rows = []
    for t in range(length):
        angles = [math.radians(t / base ** (2 * i / size)) for i in range(size // 2)]
        rows.append([number for angle in angles for number in (math.sin(angle), math.cos(angle))])
    return torch.tensor(rows)


def swapped(length, size, base):
    return filled(length, size, base).view(length, -1, 2).flip(-1).reshape(length, size)


def halves(length, size, base):
    code = filled(length, size, base)
    return torch.hstack([code[:, ::2], code[:, 1::2]])


def from_one(length, size, base):
    return filled(length + 1, size, base)[1:]


def unrepaired(length, size, base):
    sine, cosine = waves(length, size, base)
    code = torch.empty(length, size)
    code[:, 0::2], code[:, 1::2] = sine, cosine
    return code


def one_too_many(length, size, base):
    sine, cosine = waves(length, size, base)
    return torch.stack([sine, cosine], dim=2).reshape(length, -1)


def one_too_few(length, size, base):
    return by_phase(length, size, base)[:, : size - size % 2]


def zero_at_the_end(length, size, base):
    code = torch.zeros(length, size)
    even = size - size % 2
    code[:, :even] = by_phase(length, size, base)[:, :even]
    return code


def cosine_at_the_end(length, size, base):
    code, (_, cosine) = filled(length, size, base), waves(length, size, base)
    if size % 2:
        code[:, -1] = cosine[:, -1]
    return code


def rounded_up(length, size, base):
    return filled(length, size + size % 2, base)[:, :size]


# 5.3


def turns(*angles):
    """A matrix that turns each pair of sine and cosine by its angle."""
    matrix = [[0.0] * 2 * len(angles) for _ in range(2 * len(angles))]
    for i, angle in enumerate(angles):
        matrix[2 * i][2 * i] = matrix[2 * i + 1][2 * i + 1] = math.cos(angle)
        matrix[2 * i][2 * i + 1], matrix[2 * i + 1][2 * i] = math.sin(angle), -math.sin(angle)
    return matrix


def from_examples():
    """The matrix that fits all examples: least squares."""
    code = by_phase(60, 4, 100.0).double()
    return torch.linalg.lstsq(code[:-5], code[5:]).solution.T


def from_place_zero():
    code = by_phase(6, 4, 100.0)
    return torch.outer(code[5], code[0]) / 2


# 5.4


def by_matrix(inputs, base):
    size = inputs.shape[-1]
    rows = []
    for t, row in enumerate(inputs.unbind(-2)):
        matrix = torch.tensor(turns(*(-t * base ** (-2 * i / size) for i in range(size // 2))))
        rows.append(row @ matrix.T)
    return torch.stack(rows, -2)


def hands(inputs, base, start=0, sign=1):
    """The turned numbers, written out pair by pair with complex numbers."""
    size, turned = inputs.shape[-1], inputs.clone()
    for t in range(inputs.shape[-2]):
        for i in range(size // 2):
            hand = cmath.exp(1j * sign * (t + start) / base ** (2 * i / size))
            a, b = inputs[..., t, 2 * i], inputs[..., t, 2 * i + 1]
            turned[..., t, 2 * i] = a * hand.real - b * hand.imag
            turned[..., t, 2 * i + 1] = a * hand.imag + b * hand.real
    return turned


def rotate_half(inputs, base):
    size = inputs.shape[-1]
    speeds = base ** (-torch.arange(0, size, 2) / size)
    angles = torch.outer(torch.arange(inputs.shape[-2]), speeds).repeat(1, 2)
    turned = torch.cat([-inputs[..., size // 2 :], inputs[..., : size // 2]], -1)
    return inputs * angles.cos() + turned * angles.sin()


def set_side_by_side(inputs, base):
    turned = hands(inputs, base)
    return torch.cat([turned[..., ::2], turned[..., 1::2]], dim=-1)


def plus_and_plus(inputs, base):
    sine, cosine = waves(inputs.shape[-2], inputs.shape[-1], base)
    swapped_pairs = inputs.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
    return inputs * cosine.repeat_interleave(2, -1) + swapped_pairs * sine.repeat_interleave(2, -1)


def one_angle(inputs, base):
    return hands(inputs, 1.0)


# 5.5

TRUTH = {
    "norm of a code of size 72": 6,
    "dot product of that code with itself": 36,
    "places 3 and 8 have the same dot product as 13 and 18": True,
    "numbers in a learned table, 100 places, size 72": 7200,
    "numbers in a relative bias, 4 heads, furthest 8": 68,
    "numbers that rotary learns, size 72": 0,
    "penalty of ALiBi, first of 4 heads, 3 steps away": -0.75,
}


def but(label, value):
    assert label in TRUTH
    return [{**TRUTH, label: value}]


# 5.6


def peak(furthest, distance, height):
    return furthest, [height if place == distance else 0.0 for place in range(-furthest, furthest + 1)]


# 5.7


def penalties(heads, length, slopes=None, first=1):
    slopes = slopes or [2 ** (-8 * (h + first) / heads) for h in range(heads)]
    table = [[[-slope * abs(j - i) for j in range(length)] for i in range(length)] for slope in slopes]
    return torch.tensor(table)


def by_cdist(heads, length):
    places = torch.arange(length).float()[:, None]
    slopes = torch.logspace(-8 / heads, -8, heads, base=2)
    return -torch.einsum("h,ij->hij", slopes, torch.cdist(places, places, p=1))


def signed(heads, length):
    ahead = torch.ones(length, length).triu().bool()
    return torch.where(ahead, penalties(heads, length), -penalties(heads, length))


def squared(heads, length):
    steps = torch.arange(length).sub(torch.arange(length)[:, None]).abs()
    return penalties(heads, length) * steps


RIGHT = {
    "5.1": [filled, by_phase, by_rows],
    "5.2": [filled, by_phase, by_rows],
    "5.3": [turns(5.0, 0.5), from_examples()],
    "5.4": [by_matrix, hands],
    "5.5": [TRUTH, {**TRUTH, "norm of a code of size 72": 6.0}],
    "5.6": [peak(4, -3, 20.0), (6, torch.tensor([0.0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0]))],
    "5.7": [penalties, by_cdist],
}

WRONG = {
    "5.1": {
        "index-not-shared": [unshared],
        "base-upside-down": [upside_down],
        "half-the-exponent": [slower_by_half],
        "degrees": [in_degrees],
        "swapped": [swapped],
        "halves": [halves],
        "from-one": [from_one],
    },
    "5.2": {
        "unrepaired": [unrepaired],
        "one-too-many": [one_too_many],
        "one-too-few": [one_too_few],
        "last-stays-zero": [zero_at_the_end],
        "last-is-cosine": [cosine_at_the_end],
        "size-rounded-up": [rounded_up],
    },
    "5.3": {
        "shape": [turns(5.0), turns(5.0, 0.5, 0.05)],
        "backwards": [turns(-5.0, -0.5), torch.tensor(turns(5.0, 0.5)).T],
        "degrees": [turns(math.radians(5), math.radians(0.5))],
        "one-speed": [turns(5.0, 5.0), turns(0.5, 0.5)],
        "one-place-only": [from_place_zero()],
        "arrives": [torch.eye(4), torch.eye(4) * 2 - torch.tensor(turns(5.0, 0.5)), turns(5.0, 0.05), turns(1.0, 0.1)],
    },
    "5.4": {
        "halves": [rotate_half],
        "side-by-side": [set_side_by_side],
        "backwards": [lambda inputs, base: hands(inputs, base, sign=-1)],
        "no-rotation": [plus_and_plus],
        "one-angle": [one_angle],
        "from-one": [lambda inputs, base: hands(inputs, base, start=1)],
        "added": [lambda inputs, base: inputs + by_phase(*inputs.shape[-2:], base)],
    },
    "5.5": {
        "root-of-the-size": but("norm of a code of size 72", 8.485),
        "norm-without-root": but("norm of a code of size 72", 36.0),
        "one-for-each-feature": but("dot product of that code with itself", 72.0),
        "the-place-matters": but("places 3 and 8 have the same dot product as 13 and 18", False),
        "a-number-for-each-place": but("numbers in a learned table, 100 places, size 72", 100),
        "one-side": but("numbers in a relative bias, 4 heads, furthest 8", 32),
        "no-zero": but("numbers in a relative bias, 4 heads, furthest 8", 64),
        "one-head": but("numbers in a relative bias, 4 heads, furthest 8", 17),
        "rotary-learns": but("numbers that rotary learns, size 72", 36),
        "slope-one": but("penalty of ALiBi, first of 4 heads, 3 steps away", -3),
        "eight-heads": but("penalty of ALiBi, first of 4 heads, 3 steps away", -3 / 2),
        "a-reward": but("penalty of ALiBi, first of 4 heads, 3 steps away", 3 / 4),
    },
    "5.6": {
        "count": [(4, [0.0, 20.0]), (4, [0.0] * 8)],
        "shared": [peak(3, -3, 20.0), (2, [20.0, 0, 0, 0, 0])],
        "ahead": [peak(4, 3, 20.0)],
        "distance": [peak(5, -2, 20.0), peak(4, -4, 20.0)],
        "timid": [peak(4, -3, 3.0)],
        "thins-out": [peak(4, -3, 8.0), peak(7, -3, 9.0)],
    },
    "5.7": {
        "reward": [lambda heads, length: penalties(heads, length).abs()],
        "signed": [signed],
        "from-zero": [lambda heads, length: penalties(heads, length, first=0)],
        "slopes-of-eight": [lambda heads, length: penalties(heads, length, [0.5**h for h in range(1, heads + 1)])],
        "one-slope": [lambda heads, length: penalties(heads, length, [2 ** (-8 / heads)] * heads)],
        "squared": [squared],
    },
}

UNTOUCHED = {}
