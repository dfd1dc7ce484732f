"""Buckets: every pair once an epoch, sources of one length together, and an order that can be taken up again."""

from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data.buckets import Buckets
from course_utils.data.text import PAD, Pair, Vocabulary, collate

texts = st.text("abc", min_size=1, max_size=9)
many = st.lists(st.builds(Pair, texts, st.text("xyz", max_size=7)), min_size=1, max_size=40)
SOURCES, TARGETS = Vocabulary(["abc"]), Vocabulary(["xyz"])


@settings(deadline=None, max_examples=40)
@given(pairs=many, tokens=st.integers(1, 50), seed=st.integers(0, 5), number=st.integers(0, 3))
def test_an_epoch_is_every_pair_once_in_batches_of_one_length(pairs, tokens, seed, number):
    buckets = Buckets(pairs, SOURCES, TARGETS, tokens=tokens, seed=seed)
    found = list(buckets.epoch(number))
    assert len(found) == len(buckets)
    assert sorted(pair for batch in found for pair in batch.pairs) == sorted(pairs)
    for batch in found:
        assert len({len(pair.source) for pair in batch.pairs}) == 1 and batch.source_mask.all()
        assert batch.source.numel() <= max(tokens, batch.source.shape[1])
        plain = collate(batch.pairs, SOURCES, TARGETS)  # the slow way to the same tensors
        for name in ("source", "source_mask", "source_lengths", "target_in", "target_out", "real"):
            assert torch.equal(getattr(batch, name), getattr(plain, name)), name
    assert sum(int((batch.target_out != PAD).sum()) for batch in found) == buckets.target_tokens


@settings(deadline=None, max_examples=20)
@given(pairs=many, first=st.integers(0, 50))
def test_the_order_depends_on_seed_and_epoch_only(pairs, first):
    one, two = (Buckets(pairs, SOURCES, TARGETS, tokens=12, seed=3) for _ in range(2))
    list(two.epoch(0))  # what was drawn before does not matter
    whole = [batch.pairs for batch in one.epoch(5)]
    assert [batch.pairs for batch in two.epoch(5, first=first)] == whole[first:]


@settings(deadline=None, max_examples=20)
@given(pairs=many, number=st.integers(0, 3))
def test_a_stream_is_one_epoch_after_another(pairs, number):
    buckets = Buckets(pairs, SOURCES, TARGETS, tokens=12)
    three = [batch.pairs for later in range(3) for batch in buckets.epoch(number + later)]
    found = [batch.pairs for batch in islice(buckets.stream(number), len(three))]
    assert found == three
    next(buckets.stream())  # a stream has no end, and two of one bucket do not touch each other
    assert [batch.pairs for batch in islice(buckets.stream(number), len(three))] == three


def test_nothing_else_is_touched():
    state, pairs = torch.get_rng_state(), [Pair("abc"[: 1 + k % 3], "x" * k) for k in range(20)]
    given = list(pairs)
    list(islice(Buckets(pairs, SOURCES, TARGETS).stream(), 9))
    assert torch.equal(state, torch.get_rng_state()) and pairs == given


def test_epochs_and_seeds_differ():
    pairs = [Pair("abc"[k % 3] * (1 + k % 4), "x" * (k % 5)) for k in range(200)]
    orders = {
        (seed, number): [batch.pairs for batch in Buckets(pairs, SOURCES, TARGETS, tokens=20, seed=seed).epoch(number)]
        for seed in (0, 1)
        for number in (0, 1)
    }
    assert len({str(order) for order in orders.values()}) == 4


def test_targets_of_similar_length_come_together():
    pairs = [Pair("ab", "x" * (1 + k % 20)) for k in range(400)]
    padding = sum(int((batch.target_out == PAD).sum()) for batch in Buckets(pairs, SOURCES, TARGETS, 40).epoch(0))
    assert padding <= 0.1 * sum(len(pair.target) for pair in pairs)


def test_words_may_be_tokens():
    pairs = [Pair(("la", "voiture"), ("the", "car")), Pair(("oui",), ("yes",))]
    sources, targets = Vocabulary([pair.source for pair in pairs]), Vocabulary([pair.target for pair in pairs])
    shapes = {batch.source.shape for batch in Buckets(pairs, sources, targets).epoch(0)}
    assert shapes == {(1, 2), (1, 1)}


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="pairs: got none"):
        Buckets([], SOURCES, TARGETS)
    with pytest.raises(ValueError, match="pairs: got an empty source"):
        Buckets([Pair("", "x")], SOURCES, TARGETS)
    with pytest.raises(ValueError, match="tokens: got 0"):
        Buckets([Pair("a", "x")], SOURCES, TARGETS, tokens=0)
