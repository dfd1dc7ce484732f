"""Exercises of lesson 05: clocks, an odd size, a rotation, rotary, numbers to predict, a bias by hand, ALiBi."""

import math

import torch
from torch import Tensor

from course_utils.attention.positions import LearnedPositions, RelativeBias, alibi, shift_matrix, sinusoid
from course_utils.checks import Exercise, Mistake, Prediction, Property, Requirement, Witness

# 5.1 The clocks: the oracle fills in number by number.


def _clocks_oracle(length: int, size: int, base: float) -> Tensor:
    code = torch.zeros(length, size)
    for t in range(length):
        for j in range(size):
            angle = t / base ** (2 * (j // 2) / size)
            code[t, j] = math.cos(angle) if j % 2 else math.sin(angle)
    return code


def _clocks(exponent=lambda i, size: -2 * i / size, places=lambda length: torch.arange(length), turn=1.0, join=None):
    """The code with one wrong part; `join` puts sines and cosines (length, pairs) together."""
    join = join or (lambda sine, cosine: torch.stack([sine, cosine], -1).flatten(-2))

    def answer(length, size, base):
        angles = places(length)[:, None] * base ** exponent(torch.arange(size // 2), size) * turn
        return join(angles.sin(), angles.cos())

    return answer


def _index_not_shared(length, size, base):
    angles = torch.arange(length)[:, None] * base ** (-torch.arange(size) / size)
    code = angles.sin()
    code[:, 1::2] = angles[:, 1::2].cos()
    return code


CLOCKS = Exercise(
    "5.1", "The clocks",
    oracle=_clocks_oracle, inputs=lambda generator: [(5, 8, 100.0), (4, 6, 50.0)],
    mistakes=[
        Mistake(
            "index-not-shared", _index_not_shared,
            "Each of your features has an angle of its own; sine and cosine of a pair share one, so i counts pairs, "
            "not features.",
        ),
        Mistake(
            "base-upside-down", _clocks(exponent=lambda i, size: 2 * i / size),
            "Your clocks get faster from pair to pair; they should get slower: the place is divided by the power of "
            "the base.",
        ),
        Mistake(
            "half-the-exponent", _clocks(exponent=lambda i, size: -i / size),
            "Your clocks slow down by half as much as they should: the exponent holds 2i, the index of the pair's "
            "first feature.",
        ),
        Mistake(
            "degrees", _clocks(turn=math.pi / 180),
            "You took the angle for degrees; sin and cos of PyTorch and of math take radians, and so does the formula.",
        ),
        Mistake(
            "swapped", _clocks(join=lambda sine, cosine: torch.stack([cosine, sine], -1).flatten(-2)),
            "Sine and cosine have changed places: even features hold the sine.",
        ),
        Mistake(
            "halves", _clocks(join=lambda sine, cosine: torch.cat([sine, cosine], -1)),
            "You put all sines first and all cosines after them; the two of a pair stand next to each other.",
        ),
        Mistake(
            "from-one", _clocks(places=lambda length: torch.arange(1, length + 1)),
            "Your first place is 1; places are counted from 0, where every sine is 0 and every cosine 1.",
        ),
    ],
    properties=[
        Property(
            "sine² + cosine² of every pair must be 1",
            lambda arguments, code: torch.allclose(code.unflatten(-1, (-1, 2)).square().sum(-1), torch.tensor(1.0)),
        ),
    ],
)  # fmt: skip


# 5.2 An odd size


def _broken_code(length, size, base):
    angles = torch.arange(length)[:, None] * base ** (-torch.arange(0, size, 2) / size)
    code = torch.zeros(length, size)
    code[:, 0::2] = angles.sin()
    code[:, 1::2] = angles.cos()
    return code


def _odd(change):
    """The right code, changed where the size is odd."""

    def answer(length, size, base):
        code = _clocks_oracle(length, size, base)
        return change(code, length, size, base) if size % 2 else code

    return answer


def _last(feature):
    def change(code, length, size, base):
        angle = torch.arange(length) * base ** (-(size - 1) / size)
        return torch.cat([code[:, :-1], feature(angle)[:, None]], -1)

    return change


ODD_SIZE = Exercise(
    "5.2", "An odd size",
    oracle=_clocks_oracle, inputs=lambda generator: [(4, 5, 50.0), (6, 4, 100.0), (3, 7, 20.0)],
    mistakes=[
        Mistake(
            "unrepaired", _broken_code,
            "An odd size still raises: there is one more sine than there is room for cosines, so a cosine must go.",
        ),
        Mistake(
            "one-too-many", _odd(lambda code, length, size, base: torch.cat(
                [code, torch.cos(torch.arange(length) * base ** (-(size - 1) / size))[:, None]], -1)),
            "Your code has one feature too many: the last cosine finds no room and must be cut off.",
        ),
        Mistake(
            "one-too-few", _odd(lambda code, length, size, base: code[:, :-1]),
            "Your code lost its last feature: the sine of the last pair stays, only its cosine goes.",
        ),
        Mistake(
            "last-stays-zero", _odd(_last(torch.zeros_like)),
            "Your last feature is 0 at every place and tells nothing: it should hold the sine of the last pair.",
        ),
        Mistake(
            "last-is-cosine", _odd(_last(torch.cos)),
            "Your last feature is a cosine: of the last pair the sine stays, as it has the even index.",
        ),
        Mistake(
            "size-rounded-up", _odd(lambda code, length, size, base: _clocks_oracle(length, size + 1, base)[:, :size]),
            "You cut a code of the next even size, and its clocks run at other speeds: the exponent divides by the "
            "size that was asked for.",
        ),
    ],
)  # fmt: skip


# 5.3 Build the rotation: size 4, base 100, five places on.

_SHIFT, _RIGHT = 5, shift_matrix(5, 4, base=100.0)
_CODE = sinusoid(40, 4, base=100.0)


def _matrix(answer) -> Tensor:
    return torch.as_tensor(answer, dtype=torch.float32)


def _near(one: Tensor, two: Tensor) -> bool:
    return torch.allclose(one, two, atol=1e-3)


def _blocks_alike(matrix: Tensor) -> bool:
    alike = _near(matrix[:2, :2], matrix[2:, 2:]) and _near(matrix[:2, 2:], torch.zeros(2, 2))
    return alike and not _near(matrix, torch.eye(4))  # nothing turned: the last requirement speaks


def _in_degrees() -> Tensor:
    blocks = []
    for speed in (1.0, 0.1):
        sine, cosine = math.sin(math.radians(_SHIFT * speed)), math.cos(math.radians(_SHIFT * speed))
        blocks.append(torch.tensor([[cosine, sine], [-sine, cosine]]))
    return torch.block_diag(*blocks)


ROTATION = Witness(
    "5.3", "Five places on",
    requirements=[
        Requirement(
            "shape", lambda answer: _matrix(answer).shape == (4, 4),
            "The matrix should have four rows and four columns, one for each feature of the code.",
        ),
        Requirement(
            "backwards", lambda answer: not _near(_matrix(answer), _RIGHT.T),
            "Your matrix goes five places back: the signs of the two sines should change places. (The sine stands "
            "before the cosine in each pair.)",
        ),
        Requirement(
            "degrees", lambda answer: not _near(_matrix(answer), _in_degrees()),
            "You turned by degrees; the angles are radians.",
        ),
        Requirement(
            "one-speed", lambda answer: not _blocks_alike(_matrix(answer)),
            "You turned both pairs by the same angle; the second clock runs more slowly than the first.",
        ),
        Requirement(
            "one-place-only",
            lambda answer: _near(_matrix(answer) @ _CODE[7], _CODE[12]) or not any(
                _near(_matrix(answer) @ _CODE[t], _CODE[t + _SHIFT]) for t in range(4)),
            "Your matrix is right for one place and wrong for others: its entries may depend on the step of 5 only, "
            "not on the place where it starts.",
        ),
        Requirement(
            "arrives", lambda answer: _near(_matrix(answer) @ _CODE[:35].T, _CODE[5:].T),
            "Your matrix, applied to the code of place t, does not give that of place t + 5: write the two identities "
            "for sin(ω(t + 5)) and cos(ω(t + 5)), and read the four entries off.",
        ),
    ],
)  # fmt: skip


# 5.4 Rotary: complex numbers as the oracle.


def _rotary_oracle(inputs: Tensor, base: float) -> Tensor:
    length, size = inputs.shape[-2:]
    angles = torch.arange(length)[:, None] * base ** (-torch.arange(0, size, 2) / size)
    hands = torch.complex(inputs[..., 0::2].contiguous(), inputs[..., 1::2].contiguous())
    return torch.view_as_real(hands * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


def _turned(sign=1.0, second_sign=-1.0, first=0, one_angle=False, halves=False, side_by_side=False):
    """Rotary positions with one wrong part."""

    def answer(inputs, base):
        length, size = inputs.shape[-2:]
        pairs = torch.zeros(size // 2) if one_angle else torch.arange(size // 2)
        angles = sign * torch.arange(first, first + length)[:, None] * base ** (-2 * pairs / size)
        sine, cosine = angles.sin(), angles.cos()
        a, b = inputs.chunk(2, -1) if halves else (inputs[..., 0::2], inputs[..., 1::2])
        new = [a * cosine + second_sign * b * sine, a * sine + b * cosine]
        return torch.cat(new, -1) if halves or side_by_side else torch.stack(new, -1).flatten(-2)

    return answer


ROTARY = Exercise(
    "5.4", "Turn queries and keys",
    oracle=_rotary_oracle,
    inputs=lambda generator: [
        (torch.randn(2, 5, 8, generator=generator), 50.0),
        (torch.randn(3, 2, 4, 6, generator=generator), 20.0),
    ],
    mistakes=[
        Mistake(
            "halves", _turned(halves=True),
            "You paired the first half of the features with the second, as some libraries do; here a pair is two "
            "neighbours, 2i and 2i + 1.",
        ),
        Mistake(
            "side-by-side", _turned(side_by_side=True),
            "You turned the right pairs, and then put all first features before all second ones; each pair must go "
            "back to where it stood.",
        ),
        Mistake(
            "backwards", _turned(sign=-1.0),
            "You turned the other way round: the new first feature is first · cosine − second · sine.",
        ),
        Mistake(
            "no-rotation", _turned(second_sign=1.0),
            "Both of your sines have a plus, and that is no rotation: lengths change. One of them needs a minus.",
        ),
        Mistake(
            "one-angle", _turned(one_angle=True),
            "You turned all pairs by the same angle; each pair has its own speed.",
        ),
        Mistake(
            "from-one", _turned(first=1),
            "Your first place is turned already; at place 0 nothing turns.",
        ),
        Mistake(
            "added", lambda inputs, base: inputs + _clocks_oracle(*inputs.shape[-2:], base),
            "You added the code to the inputs, as sine and cosine positions do; rotary positions turn the inputs and "
            "add nothing.",
        ),
    ],
    properties=[
        Property(
            "the row at place 0 must stay as it is",
            lambda arguments, turned: torch.allclose(turned[..., 0, :], arguments[0][..., 0, :], atol=1e-5),
        ),
        Property(
            "the length of every row must stay as it is",
            lambda arguments, turned: torch.allclose(turned.norm(dim=-1), arguments[0].norm(dim=-1), atol=1e-4),
        ),
    ],
)  # fmt: skip


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


NUMBERS = Prediction(
    "5.5", "Which numbers?", truth=_numbers,
    mistakes=[
        Mistake(
            "root-of-the-size", {"norm of a code of size 72": math.sqrt(72)},
            "The norm is not the root of the size: sine² + cosine² is 1 for each pair, not for each feature.",
        ),
        Mistake(
            "norm-without-root", {"norm of a code of size 72": 36},
            "You gave the square of the norm: the norm is the root of the sum of squares.",
        ),
        Mistake(
            "one-for-each-feature", {"dot product of that code with itself": 72},
            "A feature does not add 1 to the product: a pair does, and there are half as many.",
        ),
        Mistake(
            "the-place-matters", {"places 3 and 8 have the same dot product as 13 and 18": False},
            "In the dot product of two codes only the distance is left: look at the distances of the two pairs.",
        ),
        Mistake(
            "a-number-for-each-place", {"numbers in a learned table, 100 places, size 72": 100},
            "A learned table holds a whole vector for each place, not one number.",
        ),
        Mistake(
            "one-side", {"numbers in a relative bias, 4 heads, furthest 8": 32},
            "A distance has a side: a key 3 to the left has another number than one 3 to the right, and distance 0 "
            "needs one too.",
        ),
        Mistake(
            "no-zero", {"numbers in a relative bias, 4 heads, furthest 8": 64},
            "You counted both sides and forgot the distance 0.",
        ),
        Mistake(
            "one-head", {"numbers in a relative bias, 4 heads, furthest 8": 17},
            "That is one head; each head has numbers of its own.",
        ),
        Mistake(
            "rotary-learns", {"numbers that rotary learns, size 72": 36},
            "The angles of rotary are fixed by the formula: one for each pair, and none is learned.",
        ),
        Mistake(
            "slope-one", {"penalty of ALiBi, first of 4 heads, 3 steps away": -3},
            "A step does not cost 1: each head has its slope, and the first of h heads has 2^(−8/h).",
        ),
        Mistake(
            "eight-heads", {"penalty of ALiBi, first of 4 heads, 3 steps away": -1.5},
            "A slope of 1/2 is the first of eight heads; with four heads the slopes fall in larger steps.",
        ),
        Mistake(
            "a-reward", {"penalty of ALiBi, first of 4 heads, 3 steps away": 0.75},
            "That would draw the query to what is far away: a penalty lowers the score.",
        ),
    ],
)  # fmt: skip


# 5.6 Three before, at any length


def _bias(answer) -> tuple[int, Tensor]:
    furthest, bias = answer
    return furthest, torch.as_tensor(bias, dtype=torch.float64)


def _weight_three_before(answer, length: int) -> float:
    """The smallest weight that any query gives to the place three before it."""
    furthest, bias = _bias(answer)
    places = torch.arange(length)
    scores = bias[(places - places[:, None]).clamp(-furthest, furthest) + furthest]
    return torch.softmax(scores, dim=-1).diagonal(-3).min().item()


def _peak(answer) -> int:
    furthest, bias = _bias(answer)
    return int(bias.argmax()) - furthest


BY_HAND = Witness(
    "5.6", "Three before, at any length",
    requirements=[
        Requirement(
            "count", lambda answer: isinstance(answer[0], int) and _bias(answer)[1].shape == (2 * answer[0] + 1,),
            "Give a whole number `furthest` and 2 · furthest + 1 numbers: the distances −furthest to furthest, with 0 "
            "in the middle.",
        ),
        Requirement(
            "shared", lambda answer: answer[0] > 3,
            "All distances beyond `furthest` share its number, so everything further than three before is drawn in "
            "as well: the distance −3 needs a number of its own.",
        ),
        Requirement(
            "ahead", lambda answer: _peak(answer) != 3,
            "Your bias looks three places ahead; a key to the left has a negative distance.",
        ),
        Requirement(
            "distance", lambda answer: _peak(answer) == -3,
            "The largest of your numbers does not stand at the distance −3; the number for a distance stands at index "
            "distance + furthest.",
        ),
        Requirement(
            "timid", lambda answer: _weight_three_before(answer, 8) > 0.99,
            "At length 8 the place three before gets less than 0.99 already: the difference to the other numbers must "
            "be larger, since softmax compares powers of e.",
        ),
        Requirement(
            "thins-out", lambda answer: _weight_three_before(answer, 200) > 0.99,
            "Right at length 8, but at length 200 the many others together take more than a hundredth: each gets "
            "little, and there are 199 of them.",
        ),
    ],
)  # fmt: skip


# 5.7 ALiBi: a loop as the oracle.


def _alibi_oracle(heads: int, length: int) -> Tensor:
    found = torch.zeros(heads, length, length)
    for h in range(heads):
        for i in range(length):
            for j in range(length):
                found[h, i, j] = -abs(i - j) / 2 ** (8 * (h + 1) / heads)
    return found


def _alibi(slope=lambda h, heads: 2.0 ** (-8 * h / heads), first=1, distance=torch.abs, sign=-1):
    def answer(heads, length):
        places = torch.arange(length)
        slopes = slope(torch.arange(first, first + heads), heads)
        return sign * slopes[:, None, None] * distance(places - places[:, None])

    return answer


ALIBI = Exercise(
    "5.7", "A penalty for each step",
    oracle=_alibi_oracle, inputs=lambda generator: [(4, 5), (2, 3)],
    mistakes=[
        Mistake(
            "reward", _alibi(sign=1),
            "Your numbers are positive and draw each query to what is far away; a penalty is negative.",
        ),
        Mistake(
            "signed", _alibi(distance=lambda steps: steps),
            "Your penalty has another sign on the other side: it should count steps, whichever way they go.",
        ),
        Mistake(
            "from-zero", _alibi(first=0),
            "Your first slope is 1: the heads are counted from 1 here, so the first slope is 2^(−8/heads).",
        ),
        Mistake(
            "slopes-of-eight", _alibi(slope=lambda h, heads: 2.0**-h),
            "Your slopes are those of eight heads, 1/2, 1/4, …; with fewer heads they fall faster.",
        ),
        Mistake(
            "one-slope", _alibi(slope=lambda h, heads: torch.full((heads,), 2.0 ** (-8 / heads))),
            "All of your heads have the first head's slope; each has its own, so that some see near and some far.",
        ),
        Mistake(
            "squared", _alibi(distance=torch.square),
            "Your penalty grows with the square of the distance; it is a straight line, as much for each step.",
        ),
    ],
)  # fmt: skip

EXERCISES = [CLOCKS, ODD_SIZE, ROTATION, ROTARY, NUMBERS, BY_HAND, ALIBI]
