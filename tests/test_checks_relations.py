"""What no bank knows: how a wrong result is related to the right one, and where it is right."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.checks import Exercise
from course_utils.checks.relations import relation


def batches(generator):
    def case(batch, length, size, mask):
        x = torch.randn(batch, length, size, generator=generator)
        return x, (torch.rand(batch, length, 1, generator=generator) < 0.5 if mask else None)

    return [case(2, 3, 4, True), case(3, 5, 6, False), case(2, 4, 4, True), case(4, 3, 7, False)]


def weights(x, mask):
    scores = x if mask is None else x.masked_fill(mask, 0.0)
    return scores.softmax(-1)


EXERCISE = Exercise("9.1", "weights", oracle=weights, inputs=batches, mistakes=[])


def only_first(x, mask):
    result = torch.zeros_like(x)
    result[0] = weights(x, mask)[0]
    return result


def only_square(x, mask):
    return weights(x, mask) * (1 if x.shape[-1] == x.shape[-2] else 3)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, mask: weights(x, mask).mT, "the axes -2 and -1 in each other's place"),
        (lambda x, mask: weights(x, mask).permute(2, 0, 1), "its axes in another order"),
        (lambda x, mask: weights(x, mask).flatten(1), "only the shape differs"),
        (lambda x, mask: weights(x, mask)[:, 0], "only the first slice of the right one along the axis -2"),
        (lambda x, mask: weights(x, mask)[:, 1:], "first of the right slices along the axis -2 are missing"),
        (lambda x, mask: weights(x, mask).mean(0), "the mean of the right one along the axis -3"),
        (lambda x, mask: -weights(x, mask), "sign turned round"),
        (lambda x, mask: 1 - weights(x, mask), "1 minus the right one"),
        (lambda x, mask: 3 * weights(x, mask), "3 times the right one"),
        (lambda x, mask: weights(x, mask) - 0.5, "the right one -0.5 everywhere"),
        (lambda x, mask: weights(x, mask) * x.shape[-1], "times the size of `x` along its axis -1"),
        (
            lambda x, mask: weights(x, mask) / x.shape[0] ** 0.5,
            "divided by the root of the size of `x` along its axis",
        ),
        (lambda x, mask: weights(x, mask).roll(1, -1), "one place later than it should, and what falls off"),
        (lambda x, mask: weights(x, mask).flip(-1), "axis -1 the right entries stand in reverse order"),
        (lambda x, mask: (x if mask is None else x.masked_fill(mask, 0.0)).exp(), "divided by their sum"),
        (lambda x, mask: x if mask is None else x.masked_fill(mask, 0.0), "softmax along the axis -1 would make"),
        (lambda x, mask: weights(x, mask).softmax(-1), "the softmax, along the axis -1, of the right one"),
        (lambda x, mask: weights(x, mask).sqrt(), "`sqrt` of the right one"),
        (lambda x, mask: weights(x, mask) + 1e-3 * x.sin(), "nearly right"),
        (only_first, "only the first entries along the axis -3 are right"),
        (lambda x, mask: weights(x, None), "right where `mask` is None, and wrong where `mask` is given"),
        (only_square, "right where the last two axes of `x` are equally long"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_relation_is_found(answer, words, seed):
    verdict = EXERCISE.examine(answer, torch.Generator().manual_seed(seed))
    assert verdict.state == "wrong" and words.lower() in verdict.message.lower(), verdict.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda query, key: query.exp() @ torch.ones_like(key).mT, "does not depend on `key`"),
        (lambda query, key: key.exp() @ query.mT, "right with `query` and `key` in each other's place"),
        (lambda query, key: query.exp() @ key, "right if the last two axes of `key` changed places"),
        (lambda query, key: (-query).exp() @ key.mT, "right if the sign of `query` were turned round"),
    ],
)
def test_what_an_answer_does_with_its_arguments_is_said(answer, words):
    exercise = Exercise(
        "9.2",
        "scores",
        oracle=lambda query, key: query.exp() @ key.mT,
        inputs=lambda generator: [tuple(torch.randn(2, 4, 4, generator=generator)) for _ in range(2)],
        mistakes=[],
    )
    said = exercise.examine(answer, torch.Generator().manual_seed(1)).message
    assert words in said, said


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, mask: torch.where(torch.arange(x.shape[-1]) > 2, 9.0, weights(x, mask)), "above the diagonal"),
        (lambda x, mask: torch.zeros_like(x), "`relu`"),
    ],
)
def test_no_relation_is_said_that_holds_by_chance(answer, words):
    exercise = Exercise(
        "9.1",
        "weights",
        oracle=lambda x, mask: weights(x, mask) if words != "`relu`" else -weights(x, mask),
        inputs=lambda generator: [(torch.randn(2, 2, size, generator=generator), None) for size in (5, 6)],
        mistakes=[],
    )
    said = exercise.examine(answer, torch.Generator().manual_seed(1)).message
    assert words not in said and "largest difference" in said, said


def test_what_is_unrelated_is_told_by_its_largest_difference():
    verdict = EXERCISE.examine(lambda x, mask: torch.sin(3 * x), torch.Generator().manual_seed(1))
    assert verdict.kind == "difference" and "the largest difference is at index" in verdict.message


@given(st.integers(0, 2**31), st.floats(1.5, 9), st.floats(1.5, 9))
def test_no_relation_is_said_that_holds_in_one_case_only(seed, one, two):
    generator = torch.Generator().manual_seed(seed)
    right = [torch.randn(3, 4, generator=generator) for _ in range(2)]
    found = relation([(one * right[0], right[0]), (two * right[1], right[1])], [{}, {}], 1e-4)
    same = abs(one - two) < 1e-2
    assert same or "another one for each input" in found


@pytest.mark.parametrize(
    ("found", "expected", "words"),
    [
        (["b", "a"], ["a", "b"], "backwards"),
        ([1, 2], [1, 2, 3], "lacks its last item"),
        ([2, 3], [1, 2, 3], "lacks its first item"),
        ([1, 2, 3, 4], [1, 2, 3], "one item too many at its end"),
        ([0, 1, 2, 3], [1, 2, 3], "one item too many at its beginning"),
        ([2, 3, 1], [1, 2, 3], "in another order"),
        ([7, 8, 9], [1, 2, 3], ""),
        (torch.tensor([True, False]), torch.tensor([False, True]), "True and False stand in each other's place"),
        (torch.tensor([True, False, False]), torch.tensor([True, True, True]), "some are missing"),
        (torch.tensor([True, True, True]), torch.tensor([True, False, True]), "too many True"),
    ],
)
def test_sequences_and_masks(found, expected, words):
    said = relation([(found, expected)], [{}], 1e-4)
    assert words in said and bool(words) == bool(said)


def test_a_forgiving_exercise_calls_no_large_difference_nearly_right():
    right, found = torch.tensor([0.2, 1.5, -0.7]), torch.tensor([1.0, 0.9, -0.1])
    assert not relation([(found, right)], [{}], 2e-2)
    assert "nearly right" in relation([(right + torch.tensor([0.03, -0.04, 0.05]), right)], [{}], 2e-2)
    assert "nearly right" in relation([(right + torch.tensor([0.003, -0.004, 0.0]), right)], [{}], 1e-4)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(0.3, 0.5), (0.9, 0.4)], ""),  # any number is another one times a factor
        ([(0.0, 0.45), (0.0, 0.3)], ""),  # 0 is no rounded 0.45
        ([([0.0, 2.0], [-math.inf, 2.0])] * 2, ""),
        ([([0.0, 2.0, 0.0], [-3.0, 2.0, -1.0])] * 2, "`relu` of the right one"),
        ([([1.0, 3.0], [1.2, 2.7])] * 2, "`round` of the right one"),
    ],
)
def test_what_holds_of_every_wrong_number_is_not_said(pairs, words):
    said = relation([(torch.tensor(one), torch.tensor(two)) for one, two in pairs], [{}, {}], 1e-4)
    assert words in said and bool(words) == bool(said)
