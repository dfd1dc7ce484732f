"""Vocabulary, padding, batches, and digits to reverse."""

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data.digits import make_reversals
from course_utils.data.text import END, PAD, START, UNKNOWN, Pair, Vocabulary, batches, collate, pad

PAIRS = make_reversals(333, 1, 15, seed=5)
DIGITS = Vocabulary(["0123456789"])


def stream(size=32, seed=0, epochs=1, pairs=PAIRS):
    return batches(pairs, size, DIGITS, DIGITS, torch.Generator().manual_seed(seed), epochs)


@given(st.lists(st.text(), max_size=5))
def test_vocabulary_round_trip(texts):
    vocabulary = Vocabulary(texts)
    assert len(vocabulary) == 4 + len(set("".join(texts)))
    for text in texts:
        numbers = vocabulary.encode(text)
        assert len(numbers) == len(text)
        assert all(4 <= number < len(vocabulary) for number in numbers)
        assert vocabulary.decode(numbers) == text
        assert vocabulary.decode(torch.tensor([START, *numbers, END, PAD, PAD], dtype=torch.long)) == text


@given(st.lists(st.text(), max_size=5))
def test_the_same_characters_get_the_same_numbers(texts):
    assert Vocabulary(texts).characters == Vocabulary(reversed(texts)).characters == Vocabulary(iter(texts)).characters


def test_the_first_four_numbers():
    assert (PAD, START, END, UNKNOWN) == (0, 1, 2, 3)
    assert Vocabulary(["ba"]).encode("ab") == [4, 5]


def test_unknown_characters():
    vocabulary = Vocabulary(["abc"])
    assert vocabulary.encode("axc") == [4, UNKNOWN, 6]
    assert vocabulary.decode([4, UNKNOWN, 6]) == "a\N{REPLACEMENT CHARACTER}c"
    assert "a" in vocabulary and "x" not in vocabulary


TOKENS = st.lists(st.lists(st.text("abc", min_size=1, max_size=3), max_size=6).map(tuple), max_size=6)


@given(TOKENS)
def test_words_or_sounds_as_tokens(texts):
    vocabulary = Vocabulary(texts)
    assert vocabulary.entries == sorted(set(itertools.chain.from_iterable(texts)))
    for text in texts:
        numbers = vocabulary.encode(text)
        assert tuple(vocabulary.tokens(numbers)) == text
        assert vocabulary.tokens(torch.tensor([START, *numbers, END, 4], dtype=torch.long)) == list(text)
        assert vocabulary.decode(numbers) == " ".join(text)
    assert vocabulary.tokens([UNKNOWN]) == ["\N{REPLACEMENT CHARACTER}"]


@given(TOKENS, st.integers(1, 4))
def test_rare_tokens_get_no_number(texts, at_least):
    times = Counter(itertools.chain.from_iterable(texts))
    vocabulary = Vocabulary(texts, at_least)
    assert set(vocabulary.entries) == {token for token, number in times.items() if number >= at_least}
    for token in times:
        assert (vocabulary.encode((token,)) == [UNKNOWN]) == (times[token] < at_least)


def test_what_a_vocabulary_says_of_itself():
    assert repr(Vocabulary(["ab"])) == "Vocabulary of 6: 4 signs and 2 characters"
    assert repr(Vocabulary([("AH", "B")])) == "Vocabulary of 6: 4 signs and 2 tokens"
    assert Vocabulary([("AH", "B")]).characters == ["AH", "B"]


def test_pairs_of_letters_and_sounds_become_a_batch():
    pair = Pair("cat", ("K", "AE", "T"))
    letters, sounds = Vocabulary(["cat"]), Vocabulary([pair.target])
    batch = collate([pair], letters, sounds)
    assert letters.decode(batch.source[0]) == "cat"
    assert sounds.tokens(batch.target_in[0]) == sounds.tokens(batch.target_out[0]) == ["K", "AE", "T"]


def test_decode_stops_at_the_end():
    assert Vocabulary(["abc"]).decode([4, END, 5, 6]) == "a"


@given(st.lists(st.lists(st.integers(4, 50), max_size=8), min_size=1, max_size=6))
def test_pad_is_the_plain_loop(sequences):
    ids, lengths = pad(sequences)
    longest = max(map(len, sequences))
    assert ids.tolist() == [row + [PAD] * (longest - len(row)) for row in sequences]
    assert lengths.tolist() == [len(row) for row in sequences]
    assert ids.dtype == lengths.dtype == torch.int64


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 400), seed=st.integers(0, 100), count=st.integers(1, 333))
def test_an_epoch_holds_every_pair_once(size, seed, count):
    parts = list(stream(size, seed, pairs=PAIRS[:count]))
    assert Counter(pair for batch in parts for pair in batch.pairs) == Counter(PAIRS[:count])
    assert all(1 <= len(batch) <= size for batch in parts)
    assert sum(len(batch) < size for batch in parts) <= 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100))
def test_tensors_hold_the_texts_of_their_pairs(seed):
    for batch in stream(50, seed):
        longest = max(len(pair.source) for pair in batch.pairs)
        assert batch.source.shape == (len(batch), longest)
        assert batch.source_mask.shape == (len(batch), 1, longest)
        assert batch.source_mask.dtype == torch.bool
        assert torch.equal(batch.source_mask[:, 0], batch.source != PAD)
        assert batch.source_lengths.tolist() == [len(pair.source) for pair in batch.pairs]
        assert batch.target_in.shape == batch.target_out.shape
        assert (batch.target_in[:, 0] == START).all()
        for row, pair in enumerate(batch.pairs):
            assert DIGITS.decode(batch.source[row]) == pair.source
            assert DIGITS.decode(batch.target_in[row]) == DIGITS.decode(batch.target_out[row]) == pair.target
            assert batch.target_out[row, len(pair.target)] == END
            assert not (batch.target_in[row] == END).any()


def numbers_of(parts):
    return [batch.source.tolist() for batch in parts]


def test_seeds_order_and_epochs():
    assert numbers_of(stream(seed=1)) == numbers_of(stream(seed=1))
    assert numbers_of(stream(seed=1)) != numbers_of(stream(seed=2))
    plain = [pair for batch in batches(PAIRS, 32, DIGITS, DIGITS) for pair in batch.pairs]
    assert plain == PAIRS
    both = [pair for batch in stream(epochs=2) for pair in batch.pairs]
    first, second = both[: len(PAIRS)], both[len(PAIRS) :]
    assert Counter(first) == Counter(second) == Counter(PAIRS)
    assert first != second
    assert list(stream(epochs=0)) == []
    assert len(list(itertools.islice(stream(epochs=None), 40))) == 40


def test_buckets_save_padding():
    def padding(parts):
        return sum(int((~batch.source_mask).sum()) for batch in parts)

    assert padding(stream()) < 0.2 * padding(batches(PAIRS, 32, DIGITS, DIGITS))


def test_nothing_else_is_touched():
    state, pairs = torch.get_rng_state(), list(PAIRS)
    list(stream())
    assert torch.equal(state, torch.get_rng_state())
    assert pairs == PAIRS


def test_batch_moves_to_a_device():
    batch = next(stream())
    moved = batch.to("meta")
    for name in ("source", "source_mask", "source_lengths", "target_in", "target_out"):
        assert getattr(moved, name).device.type == "meta"
        assert getattr(batch, name).device.type == "cpu"
    assert moved.pairs == batch.pairs


def test_plain_tuples_will_do():
    assert torch.equal(collate([("12", "21")], DIGITS, DIGITS).source, torch.tensor([DIGITS.encode("12")]))


@given(count=st.integers(0, 50), shortest=st.integers(1, 8), more=st.integers(0, 8), seed=st.integers(0, 100))
def test_reversals(count, shortest, more, seed):
    pairs = make_reversals(count, shortest, shortest + more, seed)
    assert len(pairs) == count
    assert all(isinstance(pair, Pair) and pair.target == "".join(reversed(pair.source)) for pair in pairs)
    assert all(shortest <= len(pair.source) <= shortest + more and pair.source.isdecimal() for pair in pairs)
    assert pairs == make_reversals(count, shortest, shortest + more, seed)


def test_every_length_and_digit_occurs():
    pairs = make_reversals(2000, 2, 12, seed=0)
    assert {len(pair.source) for pair in pairs} == set(range(2, 13))
    assert set("".join(pair.source for pair in pairs)) == set("0123456789")
    assert pairs != make_reversals(2000, 2, 12, seed=1)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: Vocabulary("abc"), "texts"),
        (lambda: Vocabulary(["abc", ("a", "b")]), "texts: given 1 strings among 2"),
        (lambda: Vocabulary([[1, 2]]), "texts: given the token 1"),
        (lambda: Vocabulary(["abc"], at_least=0), "at_least: given 0"),
        (lambda: Vocabulary([("the", "cat")]).encode("the cat"), "text: given the string 'the cat'"),
        (lambda: DIGITS.decode([99]), "numbers: given 99"),
        (lambda: DIGITS.decode([-1]), "numbers: given -1"),
        (lambda: pad([]), "sequences"),
        (lambda: batches([], 4, DIGITS, DIGITS), "pairs"),
        (lambda: batches(PAIRS, 0, DIGITS, DIGITS), "size: given 0"),
        (lambda: batches(PAIRS, 4, DIGITS, DIGITS, epochs=-1), "epochs"),
        (lambda: collate([], DIGITS, DIGITS), "pairs"),
        (lambda: make_reversals(-1, 1, 2), "count"),
        (lambda: make_reversals(5, 0, 2), "shortest, longest"),
        (lambda: make_reversals(5, 4, 2), "shortest, longest"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named) as caught:
        call()
    assert "expected" in str(caught.value)
