"""What is said of the shape of a result: an axis missing, one too many, one that is as long as another."""

import pytest
import torch

from course_utils.checks.shapes import about_shapes

SIZES = [{"queries": 3, "keys": 5}, {"queries": 4, "keys": 7}]


def pairs(found, expected):
    """Two pairs of results, whose shapes are given as names of sizes."""
    return [tuple(torch.zeros([own[name] for name in names]) for names in (found, expected)) for own in SIZES]


@pytest.mark.parametrize(
    ("found", "expected", "said"),
    [
        (["queries"], ["queries", "keys"], "the right shape has an axis more: its axis -1."),
        (["keys"], ["queries", "keys"], "the right shape has an axis more: its axis -2."),
        (["queries", "keys", "keys"], ["queries", "keys"], "without your axis -1 the shape would be right."),
        (["queries", "queries"], ["queries", "keys"],
         "along the axis -1 yours is as long as queries, and the right one as long as keys."),
        (["queries", "keys"], ["queries", "keys"], ""),
    ],
)  # fmt: skip
def test_what_is_said_of_shapes(found, expected, said):
    assert about_shapes(pairs(found, expected), SIZES) == said


def test_nothing_is_said_that_one_case_contradicts():
    two = [pairs(["queries"], ["queries", "keys"])[0], pairs(["keys"], ["queries", "keys"])[1]]
    assert about_shapes(two, SIZES) == ""
    assert about_shapes([(torch.zeros(2), 1.0)], SIZES[:1]) == ""
    assert about_shapes([], []) == ""


def test_a_size_that_never_changes_may_be_luck_and_is_not_named():
    same = [{"queries": 3, "keys": 5}, {"queries": 3, "keys": 5}]
    found = [(torch.zeros(3, 3), torch.zeros(3, 5)), (torch.zeros(3, 3), torch.zeros(3, 5))]
    assert about_shapes(found, same) == ""
