"""masks: against plain loops, PyTorch's conventions, and what a mask must hide."""

import math

import hypothesis.strategies as st
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from torch import nn

from course_utils.attention import attend, masked_softmax
from course_utils.attention.masks import as_bias, causal_mask, hidden, padding_mask, top_k_mask, window_mask
from course_utils.plots import use_style
from course_utils.plots.masks import detector, gallery, where_the_mask_enters

COUNTS = st.integers(1, 7)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.integers(0, 3))
def test_padding_mask_equals_a_plain_loop(lengths, more):
    longest = max(lengths) + more
    mask = padding_mask(torch.tensor(lengths), longest)
    assert mask.shape == (len(lengths), 1, longest)
    assert mask[:, 0].tolist() == [[place < length for place in range(longest)] for length in lengths]


@pytest.mark.parametrize(
    ("lengths", "longest"),
    [(torch.tensor([2, 5]), 4), (torch.tensor([-1]), 4), (torch.tensor([[1]]), None), (torch.tensor([1.0]), None)],
)
def test_padding_mask_names_bad_lengths(lengths, longest):
    with pytest.raises(ValueError, match="^lengths: got"):
        padding_mask(lengths, longest)


@given(COUNTS, st.integers(0, 4))
def test_causal_mask_equals_a_plain_loop(queries, more):
    keys = queries + more
    expected = [[key <= query + more for key in range(keys)] for query in range(queries)]
    assert causal_mask(queries, keys).tolist() == expected


def test_causal_mask_of_fewer_queries_than_keys_is_the_end_of_the_square_one():
    assert torch.equal(causal_mask(2, 6), causal_mask(6)[-2:])


def test_pytorchs_is_causal_aligns_at_the_top_left():
    query, key, value = torch.randn(1, 2, 4), torch.randn(1, 5, 4), torch.randn(1, 5, 3)
    theirs = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    torch.testing.assert_close(theirs, attend(query, key, value, torch.ones(2, 5, dtype=torch.bool).tril())[0])
    assert not torch.allclose(theirs, attend(query, key, value, causal_mask(2, 5))[0])


@given(COUNTS, COUNTS, st.integers(0, 8))
def test_window_mask_equals_a_plain_loop(queries, keys, reach):
    expected = [[abs(key - query) <= reach for key in range(keys)] for query in range(queries)]
    assert window_mask(queries, keys, reach).tolist() == expected


@given(COUNTS, COUNTS, st.integers(1, 8), st.integers(0, 10**6))
def test_top_k_keeps_the_best_allowed_keys(queries, keys, k, seed):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(2, queries, keys, generator=generator).round()  # rounded, so that scores are often equal
    mask = torch.rand(2, queries, keys, generator=generator) < 0.6
    chosen = top_k_mask(scores, k, mask)
    assert not (chosen & ~mask).any()
    assert torch.equal(chosen.sum(-1), mask.sum(-1).clamp(max=k))
    worst = scores.masked_fill(~chosen, math.inf).amin(-1, keepdim=True)
    assert not ((scores > worst) & mask & ~chosen & chosen.any(-1, keepdim=True)).any()


def test_the_two_conventions_of_pytorch_are_opposite():
    query, key = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    mask = padding_mask(torch.tensor([3, 5]))
    module = nn.MultiheadAttention(4, 1, batch_first=True).eval()
    _, theirs = module(query, key, key, key_padding_mask=hidden(mask)[:, 0])
    assert theirs[0, :, 3:].eq(0).all() and theirs[0, :, :3].gt(0).all()
    scores = torch.randn(2, 3, 5)
    torch.testing.assert_close(torch.softmax(scores + as_bias(mask), -1), masked_softmax(scores, mask))
    assert torch.equal(hidden(hidden(mask)), mask)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: causal_mask(3, 2), "keys: got 2, expected at least as many"),
        (lambda: causal_mask(-1), "queries: got -1"),
        (lambda: window_mask(2, 2, -1), "reach: got -1"),
        (lambda: top_k_mask(torch.zeros(1, 2), 0), "k: got 0"),
        (lambda: hidden(torch.zeros(2)), "mask: got torch.float32"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as caught:
        call()
    assert words in str(caught.value)


def test_the_pictures_name_every_leak_and_every_bad_shape():
    import matplotlib

    matplotlib.use("Agg", force=True)
    use_style()  # titles stand on the left
    names, mask = ["one", "two", "three"], causal_mask(3)
    gallery({"causal": (masked_softmax(torch.randn(3, 3), mask), mask)}, names)
    detector({"clean": (mask.float(), mask), "open": (torch.ones(3, 3), mask)}, names)
    titles = [ax.get_title(loc="left") for ax in matplotlib.pyplot.gcf().axes]
    where_the_mask_enters()
    written = [text.get_text() for text in matplotlib.pyplot.gcf().axes[0].texts]
    shares = [float(text) for text in written if text.startswith("0.")]
    assert "−∞" in written and shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1)
    assert "clean: no leaks" in titles and "open: 3 leaks" in titles
    with pytest.raises(ValueError, match="^moved: got shape"):
        detector({"": (torch.ones(3, 2), mask)}, names)
    with pytest.raises(ValueError, match="^mask: got shape"):
        gallery({"": (torch.ones(3, 3), mask[:2])}, names)
    matplotlib.pyplot.close("all")
