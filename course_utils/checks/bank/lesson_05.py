"""Exercises of lesson 05: clocks, an odd size, a rotation, rotary, numbers to predict, a bias by hand, ALiBi."""

import math
import operator

import torch
from torch import Tensor

from course_utils.attention.positions import LearnedPositions, RelativeBias, alibi, shift_matrix, sinusoid
from course_utils.checks.bank.parts import as_double, draw
from course_utils.checks.forms import edited, predict, prove, write


def _lengths_and_bases(generator: torch.Generator, sizes: tuple[int, ...]) -> list[tuple[int, int, float]]:
    """A length and a base for each size: no length is a size, and no base is the usual one."""
    drawn = []
    for size in sizes:
        length = int(torch.randint(3, 8, (), generator=generator))
        drawn.append(
            (length + 6 if length == size else length, size, float(torch.randint(20, 200, (), generator=generator)))
        )
    return drawn


# 5.1 The clocks: the oracle fills in number by number.


def _clocks_oracle(length: int, size: int, base: float) -> Tensor:
    code = torch.zeros(length, size)
    for t in range(length):
        for j in range(size):
            angle = t / base ** (2 * (j // 2) / size)
            code[t, j] = math.cos(angle) if j % 2 else math.sin(angle)
    return code


def _clocks(length, size, base):
    angles = torch.arange(length)[:, None] * base ** (-2 * torch.arange(size // 2) / size)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)


CLOCKS = write(
    "5.1",
    oracle=_clocks_oracle,
    inputs=lambda generator: _lengths_and_bases(generator, (8, 6, 10)),
    mistakes=edited(
        _clocks,
        {
            "index-not-shared": [
                ("-2 * torch.arange(size // 2)", "-torch.arange(size)"),
                ("[angles.sin(), angles.cos()]", "[angles[:, 0::2].sin(), angles[:, 1::2].cos()]"),
            ],
            "base-upside-down": ("-2 *", "2 *"),
            "half-the-exponent": ("-2 *", "-1 *"),
            "size-outside-the-power": ("torch.arange(size // 2) / size)", "torch.arange(size // 2)) / size"),
            "twice-the-exponent": ("-2 *", "-4 *"),
            "base-fixed": ("base **", "10_000.0 **"),
            "degrees": ("/ size)", "/ size) * math.pi / 180"),
            "swapped": ("[angles.sin(), angles.cos()]", "[angles.cos(), angles.sin()]"),
            "halves": [("torch.stack(", "torch.cat("), (".flatten(-2)", "")],
            "from-one": ("torch.arange(length)", "torch.arange(1, length + 1)"),
            "pairs-from-one": ("torch.arange(size // 2)", "torch.arange(1, size // 2 + 1)"),
            "halves-swapped": [
                ("torch.stack([angles.sin(), angles.cos()]", "torch.cat([angles.cos(), angles.sin()]"),
                (".flatten(-2)", ""),
            ],
            "lengths-across": (".flatten(-2)", ".flatten(-2).T"),
        },
    ),
    properties={
        "on-the-circle": lambda arguments, code: torch.allclose(
            code.unflatten(-1, (-1, 2)).square().sum(-1), torch.tensor(1.0)
        ),
    },
)


# 5.2 An odd size


def _any_size(length, size, base):
    angles = torch.arange(length)[:, None] * base ** (-torch.arange(0, size, 2) / size)
    pairs = size // 2
    code = torch.zeros(length, size)
    code[:, 0::2] = angles.sin()
    code[:, 1::2] = angles[:, :pairs].cos()
    return code


ODD_SIZE = write(
    "5.2",
    oracle=_clocks_oracle,
    inputs=lambda generator: _lengths_and_bases(generator, (5, 4, 7)),
    mistakes=edited(
        _any_size,
        {
            "unrepaired": ("angles[:, :pairs].cos()", "angles.cos()"),
            "one-too-many": [
                ("zeros(length, size)", "zeros(length, size + size % 2)"),
                ("[:, :pairs].cos()", ".cos()"),
            ],
            "one-too-few": ("return code", "return code[:, : 2 * pairs]"),
            "last-stays-zero": ("code[:, 0::2] = angles", "code[:, 0 : 2 * pairs : 2] = angles[:, :pairs]"),
            "last-is-cosine": ("return code", "code[:, 2 * pairs :] = angles[:, pairs:].cos()\n    return code"),
            "size-rounded-up": ("/ size)", "/ (size + size % 2))"),
            "size-rounded-down": ("/ size)", "/ (size - size % 2))"),
            "even-broken": ("[:, :pairs]", "[:, :-1]"),
            "swapped": [("angles.sin()", "angles.cos()"), ("[:, :pairs].cos()", "[:, :pairs].sin()")],
            "first-goes": ("[:, :pairs]", "[:, -pairs:]"),
            "base-fixed": ("base **", "10_000.0 **"),
        },
    ),
)


# 5.3 Build the rotation: size 4, base 100, five places on.

_SHIFT, _RIGHT = 5, shift_matrix(5, 4, base=100.0)
_CODE = sinusoid(40, 4, base=100.0)


def _matrix(answer) -> Tensor:
    return as_double(answer).float()


def _near(one: Tensor, two: Tensor) -> bool:
    return torch.allclose(one, two, atol=1e-3)


def _blocks_alike(matrix: Tensor) -> bool:
    alike = _near(matrix[:2, :2], matrix[2:, 2:]) and _near(matrix[:2, 2:], torch.zeros(2, 2))
    return alike and not _near(matrix, torch.eye(4))  # nothing turned: the last requirement speaks


def _apart(matrix: Tensor) -> bool:
    """Whether the two pairs do not touch each other: zeros outside of the two blocks."""
    return _near(matrix[:2, 2:], torch.zeros(2, 2)) and _near(matrix[2:, :2], torch.zeros(2, 2))


def _one_backwards(matrix: Tensor) -> bool:
    first, second = matrix[:2, :2], matrix[2:, 2:]
    one, other = _RIGHT[:2, :2], _RIGHT[2:, 2:]
    return _apart(matrix) and (
        (_near(first, one.T) and _near(second, other)) or (_near(first, one) and _near(second, other.T))
    )


def _second_pair_only(matrix: Tensor) -> bool:
    """Whether the first pair is turned rightly and the second one is not."""
    return _apart(matrix) and _near(matrix[:2, :2], _RIGHT[:2, :2]) and not _near(matrix, _RIGHT)


def _in_degrees() -> Tensor:
    blocks = []
    for speed in (1.0, 0.1):
        sine, cosine = math.sin(math.radians(_SHIFT * speed)), math.cos(math.radians(_SHIFT * speed))
        blocks.append(torch.tensor([[cosine, sine], [-sine, cosine]]))
    return torch.block_diag(*blocks)


ROTATION = prove(
    "5.3",
    requirements={
        "shape": lambda answer: _matrix(answer).shape == (4, 4),
        "backwards": lambda answer: not _near(_matrix(answer), _RIGHT.T),
        "degrees": lambda answer: not _near(_matrix(answer), _in_degrees()),
        "one-speed": lambda answer: not _blocks_alike(_matrix(answer)),
        "one-backwards": lambda answer: not _one_backwards(_matrix(answer)),
        "second-pair": lambda answer: not _second_pair_only(_matrix(answer)),
        "one-place-only": lambda answer: (
            _near(_matrix(answer) @ _CODE[7], _CODE[12])
            or not any(_near(_matrix(answer) @ _CODE[t], _CODE[t + _SHIFT]) for t in range(4))
        ),
        "arrives": lambda answer: _near(_matrix(answer) @ _CODE[:35].T, _CODE[5:].T),
    },
)


# 5.4 Rotary: complex numbers as the oracle.


def _rows_to_turn(generator: torch.Generator) -> list[tuple[Tensor, float]]:
    """Rows of several sizes, with leading axes, with none, and a base for each."""
    shapes = [(2, 5, 8), (3, 2, 4, 6), (7, 4)]
    bases = torch.randint(20, 200, (len(shapes),), generator=generator).tolist()
    return [(*draw(generator, shape), float(base)) for shape, base in zip(shapes, bases, strict=True)]


def _rotary_oracle(inputs: Tensor, base: float) -> Tensor:
    length, size = inputs.shape[-2:]
    angles = torch.arange(length)[:, None] * base ** (-torch.arange(0, size, 2) / size)
    hands = torch.complex(inputs[..., 0::2].contiguous(), inputs[..., 1::2].contiguous())
    return torch.view_as_real(hands * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


def _rotary(inputs, base):
    length, size = inputs.shape[-2:]
    angles = torch.arange(length)[:, None] * base ** (-torch.arange(0, size, 2) / size)
    a, b = inputs[..., 0::2], inputs[..., 1::2]
    turned = [a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()]
    return torch.stack(turned, -1).flatten(-2)


ROTARY = write(
    "5.4",
    oracle=_rotary_oracle,
    inputs=_rows_to_turn,
    mistakes=edited(
        _rotary,
        {
            "halves": [
                ("inputs[..., 0::2], inputs[..., 1::2]", "inputs.chunk(2, -1)"),
                ("torch.stack(turned, -1).flatten(-2)", "torch.cat(turned, -1)"),
            ],
            "side-by-side": ("torch.stack(turned, -1).flatten(-2)", "torch.cat(turned, -1)"),
            "backwards": ("angles = ", "angles = -"),
            "no-rotation": ("- b", "+ b"),
            "one-angle": ("torch.arange(0, size, 2)", "torch.zeros(size // 2)"),
            "angles-repeated-as-a-block": [
                ("a, b = ", "repeated = torch.cat([angles, angles], -1)\n    a, b = "),
                ("a * angles.cos() - b * angles.sin()", "a * repeated.cos()[:, 0::2] - b * repeated.sin()[:, 0::2]"),
                ("a * angles.sin() + b * angles.cos()", "a * repeated.sin()[:, 1::2] + b * repeated.cos()[:, 1::2]"),
            ],
            "from-one": ("torch.arange(length)", "torch.arange(1, length + 1)"),
            "base-fixed": ("base **", "10_000.0 **"),
            "half-the-exponent": ("torch.arange(0, size, 2)", "torch.arange(size // 2)"),
            "base-upside-down": ("(-torch", "(torch"),
            "sine-for-cosine": [
                ("a * angles.cos() - b * angles.sin()", "a * angles.sin() - b * angles.cos()"),
                ("a * angles.sin() + b * angles.cos()", "a * angles.cos() + b * angles.sin()"),
            ],
            "overwritten": (
                "[a * angles.cos() - b * angles.sin(), ",
                "[a := a * angles.cos() - b * angles.sin(), ",
            ),
            "halves-backwards": [
                ("inputs[..., 0::2], inputs[..., 1::2]", "inputs.chunk(2, -1)"),
                ("torch.stack(turned, -1).flatten(-2)", "torch.cat(turned, -1)"),
                ("angles = ", "angles = -"),
            ],
        },
    )
    | {"added": lambda inputs, base: inputs + _clocks_oracle(*inputs.shape[-2:], base)},
    properties={
        "place-0-stays": lambda arguments, turned: torch.allclose(
            turned[..., 0, :], arguments[0][..., 0, :], atol=1e-5
        ),
        "lengths-stay": lambda arguments, turned: torch.allclose(
            turned.norm(dim=-1), arguments[0].norm(dim=-1), atol=1e-4
        ),
    },
)


# 5.5 Which numbers?


def _numbers() -> dict:
    code = sinusoid(20, 72)
    return {
        "norm of a code of size 72": code[3].norm().item(),
        "dot product of that code with itself": (code[3] @ code[3]).item(),
        "places 3 and 8 have the same dot product as 13 and 18": bool(
            (code[3] @ code[8] - code[13] @ code[18]).abs() < 1e-3
        ),
        "numbers in a learned table, 100 places, size 72": LearnedPositions(100, 72).table.numel(),
        "numbers in a relative bias, 4 heads, furthest 8": RelativeBias(4, 8).bias.numel(),
        "numbers that rotary learns, size 72": 0,
        "penalty of ALiBi, first of 4 heads, 3 steps away": alibi(4, 4)[0, 3, 0].item(),
    }


NUMBERS = predict(
    "5.5",
    truth=_numbers,
    mistakes={
        "root-of-the-size": {"norm of a code of size 72": math.sqrt(72)},
        "norm-without-root": {"norm of a code of size 72": 36},
        "one-for-each-feature": {"dot product of that code with itself": 72},
        "the-place-matters": {"places 3 and 8 have the same dot product as 13 and 18": False},
        "a-number-for-each-place": {"numbers in a learned table, 100 places, size 72": 100},
        "one-side": {"numbers in a relative bias, 4 heads, furthest 8": 32},
        "no-zero": {"numbers in a relative bias, 4 heads, furthest 8": 64},
        "one-head": {"numbers in a relative bias, 4 heads, furthest 8": 17},
        "rotary-learns": {"numbers that rotary learns, size 72": 36},
        "slope-one": {"penalty of ALiBi, first of 4 heads, 3 steps away": -3},
        "eight-heads": {"penalty of ALiBi, first of 4 heads, 3 steps away": -1.5},
        "a-reward": {"penalty of ALiBi, first of 4 heads, 3 steps away": 0.75},
    },
)


# 5.6 Three before, at any length


def _bias(answer) -> tuple[int, Tensor]:
    furthest, bias = answer
    return operator.index(furthest), as_double(bias)


def _weight_three_before(answer, length: int) -> float:
    """The smallest weight that any query gives to the place three before it."""
    furthest, bias = _bias(answer)
    places = torch.arange(length)
    scores = bias[(places - places[:, None]).clamp(-furthest, furthest) + furthest]
    return torch.softmax(scores, dim=-1).diagonal(-3).min().item()


def _peak(answer) -> int:
    furthest, bias = _bias(answer)
    return int(bias.argmax()) - furthest


BY_HAND = prove(
    "5.6",
    requirements={
        "count": lambda answer: _bias(answer)[1].shape == (2 * _bias(answer)[0] + 1,),
        "shared": lambda answer: _bias(answer)[0] > 3,
        "ahead": lambda answer: _peak(answer) != 3,
        "distance": lambda answer: _peak(answer) == -3,
        "timid": lambda answer: _weight_three_before(answer, 8) > 0.99,
        "thins-out": lambda answer: _weight_three_before(answer, 200) > 0.99,
    },
)


# 5.7 ALiBi: a loop as the oracle.


def _alibi_oracle(heads: int, length: int) -> Tensor:
    found = torch.zeros(heads, length, length)
    for h in range(heads):
        for i in range(length):
            for j in range(length):
                found[h, i, j] = -abs(i - j) / 2 ** (8 * (h + 1) / heads)
    return found


def _alibi(heads, length):
    places = torch.arange(length)
    slopes = 2.0 ** (-8 * torch.arange(1, heads + 1) / heads)
    return -slopes[:, None, None] * (places - places[:, None]).abs()


ALIBI = write(
    "5.7",
    oracle=_alibi_oracle,
    inputs=lambda generator: [(4, 5), (2, int(torch.randint(3, 7, (), generator=generator))), (3, 4), (16, 2)],
    mistakes=edited(
        _alibi,
        {
            "reward": ("return -slopes", "return slopes"),
            "signed": (".abs()", ""),
            "from-zero": ("arange(1, heads + 1)", "arange(heads)"),
            "slopes-of-eight": ("-8 * torch.arange(1, heads + 1) / heads", "-torch.arange(1, heads + 1)"),
            "one-slope": ("torch.arange(1, heads + 1)", "torch.ones(heads)"),
            "squared": (".abs()", ".square()"),
            "one-side": (".abs()", ".clamp(max=0).abs()"),
            "signed-reward": [("return -slopes", "return slopes"), (".abs()", "")],
            "rising-slopes": ("-8 *", "8 *"),
            "half-the-slope": ("2.0 **", "0.5 * 2.0 **"),
            "heads-last": [("return -slopes[:, None, None] * ", "return -slopes * "), (".abs()", ".abs()[..., None]")],
        },
    ),
)

EXERCISES = [CLOCKS, ODD_SIZE, ROTATION, ROTARY, NUMBERS, BY_HAND, ALIBI]
