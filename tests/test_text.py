"""Vocabulary, padding, a batch, and digits to reverse."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.attention.masks import padding_mask
from course_utils.data.digits import make_reversals
from course_utils.data.text import END, PAD, START, UNKNOWN, Batch, Pair, Vocabulary, collate, pad, shifted

PAIRS = make_reversals(333, 1, 15, seed=5)
DIGITS = Vocabulary(["0123456789"])


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


@given(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=40))
def test_tensors_hold_the_texts_of_their_pairs(pairs):
    batch = collate(pairs, DIGITS, DIGITS)
    longest = max(len(pair.source) for pair in pairs)
    assert list(batch.pairs) == pairs and len(batch) == len(pairs)
    assert batch.source.shape == (len(batch), longest)
    assert batch.source_mask.shape == (len(batch), 1, longest)
    assert batch.source_mask.dtype == torch.bool
    assert torch.equal(batch.source_mask[:, 0], batch.source != PAD)
    assert batch.source_lengths.tolist() == [len(pair.source) for pair in pairs]
    assert batch.target_in.shape == batch.target_out.shape
    assert (batch.target_in[:, 0] == START).all()
    for row, pair in enumerate(pairs):
        assert DIGITS.decode(batch.source[row]) == pair.source
        assert DIGITS.decode(batch.target_in[row]) == DIGITS.decode(batch.target_out[row]) == pair.target
        assert batch.target_out[row, len(pair.target)] == END
        assert not (batch.target_in[row] == END).any()
    tokens = [number for pair in pairs for number in (*DIGITS.encode(pair.target), END)]
    assert batch.target_out.flatten()[batch.real].tolist() == tokens


@given(st.lists(st.lists(st.integers(4, 50), max_size=8), min_size=1, max_size=6))
def test_a_decoder_reads_what_it_writes_one_step_later(targets):
    target_in, target_out, lengths = shifted(targets)
    assert lengths.tolist() == [len(target) + 1 for target in targets]
    for read, written, target in zip(target_in.tolist(), target_out.tolist(), targets, strict=True):
        padding = [PAD] * (target_in.shape[1] - len(target) - 1)
        assert read == [START, *target, *padding] and written == [*target, END, *padding]


def test_nothing_else_is_touched():
    state, pairs = torch.get_rng_state(), list(PAIRS)
    collate(pairs, DIGITS, DIGITS)
    assert torch.equal(state, torch.get_rng_state())
    assert pairs == PAIRS


def test_a_batch_moves_to_a_device_and_its_lengths_stay():
    batch = collate(PAIRS[:9], DIGITS, DIGITS)
    moved = batch.to("meta")
    for name in ("source", "source_mask", "target_in", "target_out", "real"):
        assert getattr(moved, name).device.type == "meta"
        assert getattr(moved, name).shape == getattr(batch, name).shape
        assert getattr(batch, name).device.type == "cpu"
    assert torch.equal(moved.source_lengths, batch.source_lengths)
    assert moved.pairs == batch.pairs and len(moved) == 9


@pytest.mark.parametrize("chosen", [slice(1, 2), slice(0, None, 3), slice(2, None, 4)])
def test_rows_of_a_batch_are_a_batch(chosen):
    batch = collate(PAIRS[:9], DIGITS, DIGITS)
    part = batch.rows(chosen)
    assert part.pairs == tuple(PAIRS[:9][chosen])
    for name in ("source", "source_mask", "source_lengths", "target_in", "target_out"):
        assert torch.equal(getattr(part, name), getattr(batch, name)[chosen]), name
    assert torch.equal(part.real, (part.target_out != PAD).flatten().nonzero().squeeze(1))
    whole = replace(batch, target_out=batch.target_out.roll(1, 0))  # what is derived is never stale
    assert torch.equal(whole.real, (whole.target_out != PAD).flatten().nonzero().squeeze(1))


def test_a_batch_whose_mask_and_lengths_differ_is_refused():
    good = collate(PAIRS[:4], DIGITS, DIGITS)
    parts = (good.target_in, good.target_out, good.pairs)
    with pytest.raises(ValueError, match="^source_mask: got .*, expected"):
        Batch(good.source, torch.ones_like(good.source_mask), good.source_lengths - 1, *parts)
    with pytest.raises(ValueError, match="^source_lengths: got a tensor on meta, expected"):
        Batch(good.source, good.source_mask, good.source_lengths.to("meta"), *parts)
    wider = padding_mask(good.source_lengths, good.source.shape[1] + 1)
    with pytest.raises(ValueError, match="^source_mask: got .*, expected"):
        Batch(good.source, wider, good.source_lengths, *parts)


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
        (lambda: Vocabulary(["abc", ("a", "b")]), "texts: got 1 strings among 2"),
        (lambda: Vocabulary([[1, 2]]), "texts: got the token 1"),
        (lambda: Vocabulary(["abc"], at_least=0), "at_least: got 0"),
        (lambda: Vocabulary([("the", "cat")]).encode("the cat"), "text: got the string 'the cat'"),
        (lambda: DIGITS.decode([99]), "numbers: got 99"),
        (lambda: DIGITS.decode([-1]), "numbers: got -1"),
        (lambda: pad([]), "sequences"),
        (lambda: collate([], DIGITS, DIGITS), "pairs"),
        (lambda: make_reversals(-1, 1, 2), "count: got -1"),
        (lambda: make_reversals(5, 0, 2), "shortest: got 0"),
        (lambda: make_reversals(5, 4, 2), "longest: got 2"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named) as caught:
        call()
    assert "expected" in str(caught.value)
