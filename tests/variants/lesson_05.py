"""Answers to lesson 05, written without the bank: right ones in two styles, and one for each known mistake."""

import cmath
import math

import numpy as np
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


def divides_too_late(length, size, base):
    angles = torch.outer(torch.arange(length).float(), base ** (-2.0 * torch.arange(size // 2)) / size)
    return torch.stack((angles.sin(), angles.cos()), dim=2).reshape(length, size)


def cosines_first(length, size, base):
    angles = torch.outer(torch.arange(length).float(), base ** (torch.arange(0, size, 2) / -size))
    return torch.stack([angles.cos(), angles.sin()], dim=-1).flatten(1)[:, :size]


def block_after_block(inputs, base):
    length, size = inputs.shape[-2:]
    angles = torch.outer(torch.arange(length).float(), base ** (torch.arange(0, size, 2) / -size)).repeat(1, 2)
    crossed = torch.stack([-inputs[..., 1::2], inputs[..., ::2]], dim=-1).reshape(inputs.shape)
    return inputs * angles.cos() + crossed * angles.sin()


def swapped(length, size, base):
    return filled(length, size, base).view(length, -1, 2).flip(-1).reshape(length, size)


def halves(length, size, base):
    code = filled(length, size, base)
    return torch.hstack([code[:, ::2], code[:, 1::2]])


def from_one(length, size, base):
    return filled(length + 1, size, base)[1:]


def with_numpy(length, size, base):
    """As a NumPy user writes it: two tables, laid into each other."""
    i = np.arange(0, size, 2)
    angle = np.arange(length)[:, None] / np.power(base, i / size)
    code = np.zeros((length, size), dtype=np.float32)
    code[:, ::2], code[:, 1::2] = np.sin(angle), np.cos(angle[:, : size // 2])
    return torch.from_numpy(code)


def by_exp_and_log(length, size, base):
    """As many programs write it, with the power as exp(−log)."""
    position = torch.arange(0, length, dtype=torch.float).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, size, 2).float() * (-math.log(base) / size))
    code = torch.zeros(length, size)
    code[:, 0::2] = torch.sin(position * div_term)
    code[:, 1::2] = torch.cos(position * div_term)[:, : size // 2]
    return code


def faster_slowing(length, size, base):
    return filled(length, size, base**2)


def usual_base(length, size, base):
    return by_rows(length, size, 10000)


def pairs_from_one(length, size, base):
    return filled(length, size + 2, base ** ((size + 2) / size))[:, 2:]


def cosines_then_sines(length, size, base):
    code = by_phase(length, size, base)
    return torch.cat([code[:, 1::2], code[:, 0::2]], dim=1)


def columns_for_places(length, size, base):
    return torch.stack(list(by_phase(length, size, base)), dim=1)


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


def rounded_down(length, size, base):
    even = size - size % 2
    return by_phase(length, size + 1, base ** ((size + 1) / even))[:, :size]


def minus_one(length, size, base):
    """The repair that fits odd sizes only."""
    sine, cosine = waves(length, size, base)
    code = torch.empty(length, size)
    code[:, 0::2], code[:, 1::2] = sine, cosine[:, :-1]
    return code


def without_the_first_cosine(length, size, base):
    sine, cosine = waves(length, size, base)
    code = torch.empty(length, size)
    code[:, 0::2], code[:, 1::2] = sine, cosine[:, size % 2 :]
    return code


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


def by_repeated_angles(inputs, base):
    """Each feature beside its partner, with the sign that the partner takes: as programs for large models write it."""
    size = inputs.shape[-1]
    theta = 1.0 / (base ** (torch.arange(0, size, 2).float() / size))
    angles = torch.outer(torch.arange(inputs.shape[-2]).float(), theta).repeat_interleave(2, dim=-1)
    partner = torch.stack((-inputs[..., 1::2], inputs[..., ::2]), dim=-1).reshape(inputs.shape)
    return inputs * torch.cos(angles) + partner * torch.sin(angles)


def by_complex_numbers(inputs, base):
    pairs = torch.view_as_complex(inputs.float().reshape(*inputs.shape[:-1], -1, 2))
    theta = base ** -(torch.arange(0, inputs.shape[-1], 2) / inputs.shape[-1])
    turn = torch.exp(1j * torch.outer(torch.arange(inputs.shape[-2]), theta))
    return torch.view_as_real(pairs * turn).flatten(-2).type_as(inputs)


def slowing_less(inputs, base):
    return hands(inputs, math.sqrt(base))


def speeding_up(inputs, base):
    return hands(inputs, 1 / base)


def wrong_way_on_the_circle(inputs, base):
    """(first, second) becomes (a sin − b cos, a cos + b sin)."""
    sine, cosine = (table[..., None] for table in waves(inputs.shape[-2], inputs.shape[-1], base))
    a, b = inputs.unflatten(-1, (-1, 2)).split(1, dim=-1)
    return torch.cat([a * sine - b * cosine, a * cosine + b * sine], dim=-1).flatten(-2)


def loses_the_old_value(inputs, base):
    sine, cosine = waves(inputs.shape[-2], inputs.shape[-1], base)
    out = torch.empty_like(inputs)
    out[..., ::2], out[..., 1::2] = inputs[..., ::2], inputs[..., 1::2]
    out[..., ::2] = out[..., ::2] * cosine - out[..., 1::2] * sine
    out[..., 1::2] = out[..., ::2] * sine + out[..., 1::2] * cosine
    return out


def halves_clockwise(inputs, base):
    half = inputs.shape[-1] // 2
    first, second = inputs[..., :half], inputs[..., half:]
    sine, cosine = waves(inputs.shape[-2], inputs.shape[-1], base)
    return torch.cat((first * cosine + second * sine, second * cosine - first * sine), -1)


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


def by_head(heads, length):
    """A list of slopes, a triangle made whole."""
    tables = []
    for h in range(1, heads + 1):
        steps = torch.stack(
            [torch.stack([torch.tensor(float(abs(i - j))) for j in range(length)]) for i in range(length)]
        )
        tables.append(steps * -(2 ** (-8 * h / heads)))
    return torch.stack(tables)


def ahead_only(heads, length):
    return penalties(heads, length).tril()


def wrong_sign_and_side(heads, length):
    return -signed(heads, length)


def squared(heads, length):
    steps = torch.arange(length).sub(torch.arange(length)[:, None]).abs()
    return penalties(heads, length) * steps


RIGHT = {
    "5.1": [filled, by_phase, by_rows, with_numpy, by_exp_and_log],
    "5.2": [filled, by_phase, by_rows, with_numpy, by_exp_and_log],
    "5.3": [turns(5.0, 0.5), from_examples(), np.array(turns(5.0, 0.5))],
    "5.4": [by_matrix, hands, by_repeated_angles, by_complex_numbers],
    "5.5": [
        TRUTH,
        {**TRUTH, "norm of a code of size 72": 6.0},
        {**TRUTH, "penalty of ALiBi, first of 4 heads, 3 steps away": "-3/4"},
    ],
    "5.6": [
        peak(4, -3, 20.0),
        (6, torch.tensor([0.0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        (np.int64(4), np.array([-math.inf, 0, *[-math.inf] * 7])),
        (torch.tensor(5), torch.full((11,), -12.0).index_fill(0, torch.tensor(2), 0.0).requires_grad_()),
    ],
    "5.7": [penalties, by_cdist, by_head],
}

WRONG = {
    "5.1": {
        "index-not-shared": [unshared],
        "base-upside-down": [upside_down],
        "half-the-exponent": [slower_by_half],
        "size-outside-the-power": [divides_too_late],
        "twice-the-exponent": [faster_slowing],
        "base-fixed": [usual_base, lambda length, size, base: by_exp_and_log(length, size, 10000.0)],
        "degrees": [in_degrees],
        "swapped": [swapped],
        "halves": [halves],
        "from-one": [from_one],
        "pairs-from-one": [pairs_from_one],
        "halves-swapped": [cosines_then_sines],
        "lengths-across": [columns_for_places],
    },
    "5.2": {
        "unrepaired": [unrepaired],
        "one-too-many": [one_too_many],
        "one-too-few": [one_too_few],
        "last-stays-zero": [zero_at_the_end],
        "last-is-cosine": [cosine_at_the_end],
        "size-rounded-up": [rounded_up],
        "size-rounded-down": [rounded_down],
        "even-broken": [minus_one],
        "first-goes": [without_the_first_cosine],
        "swapped": [lambda length, size, base: cosines_first(length, size, base)],
        "base-fixed": [usual_base, lambda length, size, base: with_numpy(length, size, 10000)],
    },
    "5.3": {
        "shape": [turns(5.0), turns(5.0, 0.5, 0.05)],
        "backwards": [turns(-5.0, -0.5), torch.tensor(turns(5.0, 0.5)).T],
        "degrees": [turns(math.radians(5), math.radians(0.5))],
        "one-speed": [turns(5.0, 5.0), turns(0.5, 0.5)],
        "one-backwards": [turns(5.0, -0.5), turns(-5.0, 0.5)],
        "second-pair": [turns(5.0, 0.05), turns(5.0, 1.0), torch.block_diag(torch.tensor(turns(5.0)), torch.eye(2))],
        "one-place-only": [from_place_zero()],
        "arrives": [torch.eye(4), torch.eye(4) * 2 - torch.tensor(turns(5.0, 0.5)), turns(1.0, 0.1)],
    },
    "5.4": {
        "halves": [rotate_half],
        "side-by-side": [set_side_by_side],
        "backwards": [lambda inputs, base: hands(inputs, base, sign=-1)],
        "no-rotation": [plus_and_plus],
        "angles-repeated-as-a-block": [block_after_block],
        "one-angle": [one_angle],
        "from-one": [lambda inputs, base: hands(inputs, base, start=1)],
        "base-fixed": [lambda inputs, base: hands(inputs, 10000), lambda inputs, base: by_complex_numbers(inputs, 1e4)],
        "half-the-exponent": [slowing_less],
        "base-upside-down": [speeding_up],
        "sine-for-cosine": [wrong_way_on_the_circle],
        "overwritten": [loses_the_old_value],
        "halves-backwards": [halves_clockwise],
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
        "one-side": [ahead_only],
        "signed-reward": [wrong_sign_and_side],
        "rising-slopes": [
            lambda heads, length: penalties(heads, length, [2 ** (8 * h / heads) for h in range(1, heads + 1)])
        ],
        "half-the-slope": [lambda heads, length: by_cdist(heads, length) / 2],
        "heads-last": [lambda heads, length: by_cdist(heads, length).movedim(0, -1)],
    },
}

UNTOUCHED = {}
