"""Where errors are: tokens missed are found in their places, whatever was inserted before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.train.forgetting import missed, missed_by_place

WORDS = st.lists(st.sampled_from("abc"), max_size=8)


@pytest.mark.parametrize(
    ("written", "true", "expected"),
    [
        ("abcd", "abcd", [False] * 4),
        ("xabd", "abcd", [False, False, True, False]),
        ("", "ab", [True, True]),
        ("bcd", "abcd", [True, False, False, False]),
    ],
)
def test_missed_tokens_are_found_in_their_places(written, true, expected):
    assert missed(list(written), list(true)) == expected


@given(WORDS, WORDS)
def test_what_is_found_is_no_more_than_what_was_written(written, true):
    absent = missed(written, true)
    assert len(absent) == len(true)
    assert len(true) - sum(absent) <= len(written)
    assert missed(true, true) == [False] * len(true)


def test_parts_are_shares_from_beginning_to_end():
    assert missed_by_place(["abxd", "abcd"], ["abcd", "abcd"], parts=4) == [0, 0, 50, 0]
    assert missed_by_place(["axxd"], ["abcd"], parts=2) == [50, 50]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="written: got 1 words"):
        missed_by_place(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="parts: got 0"):
        missed_by_place(["a"], ["a"], parts=0)
    with pytest.raises(ValueError, match="true: got no token in part 2"):
        missed_by_place(["a"], ["a"], parts=2)
