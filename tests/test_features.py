"""Features of words: their numbers, what is unknown, and padding."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from course_utils.data.features import FEATURES, FIRST, UNKNOWN, WordFeatures, shape
from course_utils.data.text import PAD


@pytest.mark.parametrize(
    ("word", "shown"),
    [("Popeye", "Xx"), ("1980", "9"), ("e-mail", "x-x"), ("NASA", "X"), ("B-52s", "X-9x"), ("?", "?"), ("iPod", "xXx")],
)
def test_shapes(word, shown):
    assert shape(word) == shown


WORDS = st.sampled_from(["Who", "who", "was", "WAS", "1980", "1981", "x"])


@given(st.lists(st.lists(WORDS, min_size=1, max_size=5), min_size=1))
def test_equal_numbers_are_equal_features_and_padding_is_nothing_else(texts):
    features = WordFeatures(texts, at_least=1)
    numbers = features.encode(texts)
    assert numbers.shape == (len(texts), max(map(len, texts)), len(FEATURES))
    for row, words in zip(numbers, texts, strict=True):
        assert (row[: len(words)] >= FIRST).all() and (row[len(words) :] == PAD).all()
    flat = [
        (words[place], row[place]) for row, words in zip(numbers, texts, strict=True) for place in range(len(words))
    ]
    for one, ours in flat:
        for other, theirs in flat:
            for place, feature in enumerate(FEATURES.values()):
                assert (ours[place] == theirs[place]) == (feature(one) == feature(other))


def test_what_comes_once_is_unknown_but_may_keep_its_ending():
    features = WordFeatures([["running", "jumping", "Xerxes"]], names=("word", "ending"))
    numbers = features.encode([["running", "swimming", "Xerxes"]])[0]
    assert (numbers[:, 0] == UNKNOWN).all()  # each word came once at most
    assert numbers[0, 1] == numbers[1, 1] == FIRST and numbers[2, 1] == UNKNOWN
    assert features.sizes == [FIRST, FIRST + 1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: WordFeatures([["a"]], names=("colour",)), "names: got 'colour'"),
        (lambda: WordFeatures([["a"]], names=()), "names: got none"),
        (lambda: WordFeatures([["a"]], at_least=0), "at_least: got 0"),
        (lambda: WordFeatures([["a"]]).encode([]), "texts: got none"),
        (lambda: WordFeatures([["a"]]).encode([["a"], []]), "texts: got one without a word"),
    ],
)
def test_what_cannot_be_encoded_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()


def test_numbers_are_whole():
    assert WordFeatures([["a", "a"]]).encode([["a"]]).dtype == torch.long
