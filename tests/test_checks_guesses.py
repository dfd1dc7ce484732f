"""Predictions: the form is forgiven, the content is not."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.checks import Prediction
from course_utils.checks.guesses import means


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (True, True), (1, True), ("yes", True), ("Yes ", True), ("TRUE", True), (np.bool_(True), True), (1.0, True),
        (torch.tensor(True), True), (0, False), ("no", False), ("False", False), (np.bool_(False), False),
        ("Global", "global"), ("i ", "i"), (" The  CAT.", "the cat"), ("'key'", "key"),
        ("1/3", 1 / 3), (Fraction(1, 3), 1 / 3), (0.33, 1 / 3), ("0,33", 1 / 3), (".333", 1 / 3),
        (Decimal("0.333"), 1 / 3),
        ("25 %", 0.25), ("4,096", 4096), ("4096", 4096), (4096.0, 4096), (np.float32(0.5), 0.5), (torch.tensor(7), 7),
        (torch.tensor([7]), 7), ("−1", -1), ("inf", float("inf")), (float("nan"), float("nan")),
        ([2, 3], (2, 3)), ("(2, 3)", (2, 3)), ("2 x 3", (2, 3)), (torch.Size([2, 3]), (2, 3)),
        (np.array([2, 3]), (2, 3)),
        (5, (5,)), (("yes", "1/2"), (True, 0.5)), ([1, 2], {2, 1}),
    ],
)  # fmt: skip
def test_a_form_is_forgiven(given, expected):
    assert means(given, expected, 1e-3)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (False, True), (2, True), ("maybe", True), (None, True), (0, True), ("local", "global"), (1, "1"), ("", "i"),
        (0.3, 1 / 3), (0.34, 1 / 3), ("1/0", 1.0), ("a third", 1 / 3), (1, 0.999 - 0.004), (0.0, 0.004), (0.02, 0.0183),
        (True, 1.0), ((2,), (2, 3)), ((3, 2), (2, 3)), ("2", (2, 3)), (float("nan"), 1.0), (float("inf"), 1.0),
        (4, 4096), (object(), 1.0), ("x", {1}), (1.0, float("nan")),
    ],
)  # fmt: skip
def test_the_content_is_not(given, expected):
    assert not means(given, expected, 1e-3)


@given(st.floats(-1e3, 1e3), st.floats(0.011, 10))
def test_a_number_is_told_from_its_neighbours(value, gap):
    assert means(value, value, 1e-3) and means(str(value), value, 1e-3)
    assert not means(value + gap, value, 1e-3)


def test_what_is_half_filled_in_is_not_yet():
    exercise = Prediction("9.1", "t", truth=lambda: {"shape": (2, 3), "Sum": 1.0}, mistakes=[])
    assert exercise.examine({"shape": (2, ...), "Sum": 1}).message == "Still to predict: shape."
    assert exercise.examine({"Shape ": "(2, 3)", "sum": "1"}).state == "passed"
    assert exercise.examine({"shape": (2, 3), "Sum": 2}).state == "wrong"


@pytest.mark.parametrize(
    ("given", "expected", "said"),
    [
        (-1.79, 1.79, "the sign is the other way round"), (25, 0.25, "that is in percent"), (0.42, 42.0, "a share"),
        (0.2, 5.0, "1 divided by the right number"), (0.3, 0.7, "1 minus the right number"), (11, 12, "one off"),
        (0.674, 2 / 3, "nearly, but not exactly"), ((2, 4, 3), (2, 3, 4), "in another order"),
        ("2 x 4", (2, 3, 4), "Not right yet"), ((2, 4), (2, 3, 4), "an axis is missing: -2"),
        ([2, 3, 1, 4], (2, 3, 4), "an axis too many: -2"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_how_it_is_related(given, expected, said):
    found = Prediction("0.0", "Values", lambda: {"value": expected}, []).examine({"value": given})
    assert found.state == "wrong" and said in found.message


@pytest.mark.parametrize(
    ("given", "expected"), [(3, 7), (0.5, 0.9), (0, 5), ("local", "global"), (False, True), ((5,), (2, 3))]
)
def test_nothing_is_said_where_nothing_holds(given, expected):
    found = Prediction("0.0", "Values", lambda: {"value": expected}, []).examine({"value": given})
    assert found.kind == "difference" and found.message.count(".") == 2


@given(st.floats(0.01, 50), st.floats(-100, 100))
def test_what_is_said_of_a_number_is_true(expected, value):
    found = Prediction("0.0", "Values", lambda: {"value": expected}, []).examine({"value": value})
    told = found.message
    if "the sign is" in told:
        assert abs(value + expected) <= 0.01 * expected
    if "in percent" in told:
        assert abs(value - 100 * expected) <= expected
    if "1 divided by" in told:
        assert abs(value * expected - 1) <= 0.01
    if "1 minus" in told:
        assert abs(value - (1 - expected)) <= 0.01 * abs(1 - expected)
