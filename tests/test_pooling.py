"""Pooling: one vector of a sequence, by a learned query, the mean or the greatest, held against plain loops."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from course_utils.attention.pooling import AttentionPooling, max_pooling, mean_pooling

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=4)


def batch(lengths, size=5):
    x = torch.randn(len(lengths), 6, size)
    return x, torch.arange(6) < torch.tensor(lengths)[:, None]


@given(LENGTHS)
def test_each_row_is_what_its_real_elements_alone_give(lengths):
    x, mask = batch(lengths)
    pool = AttentionPooling(5)
    context, weights = pool(x, mask)
    for row, length in enumerate(lengths):
        real = x[row, :length]
        scores = torch.stack([pool.query.weight[0].dot(element) for element in real])
        alone = scores.exp() / scores.exp().sum()
        torch.testing.assert_close(weights[row, :length], alone)
        torch.testing.assert_close(context[row], sum(w * element for w, element in zip(alone, real, strict=True)))
        torch.testing.assert_close(mean_pooling(x, mask)[row], real.mean(0))
        torch.testing.assert_close(max_pooling(x, mask)[row], real.max(0).values)
        assert (weights[row, length:] == 0).all()


@pytest.mark.parametrize("pool", [mean_pooling, max_pooling, lambda x, mask: AttentionPooling(5)(x, mask)[0]])
def test_padding_says_nothing_even_where_it_holds_nan_free_nonsense(pool):
    torch.manual_seed(0)
    x, mask = batch([2, 6])
    torch.manual_seed(1)
    first = pool(x, mask)
    x[0, 2:] = 1e6
    torch.manual_seed(1)
    torch.testing.assert_close(pool(x, mask), first)


def test_a_row_of_padding_alone_gives_zeros_and_finite_gradients():
    x, mask = torch.randn(2, 6, 5, requires_grad=True), torch.zeros(2, 6, dtype=torch.bool)
    mask[0, :3] = True
    pool = AttentionPooling(5)
    outputs = [pool(x, mask)[0], mean_pooling(x, mask), max_pooling(x, mask)]
    for output in outputs:
        assert (output[1] == 0).all()
    sum(output.sum() for output in outputs).backward()
    assert x.grad.isfinite().all() and all(weight.grad.isfinite().all() for weight in pool.parameters())


def test_zero_query_is_the_mean():
    x, mask = batch([3, 6])
    pool = AttentionPooling(5)
    torch.nn.init.zeros_(pool.query.weight)
    torch.testing.assert_close(pool(x, mask)[0], mean_pooling(x, mask))


def test_what_does_not_fit_is_named():
    x, mask = batch([3, 6])
    with pytest.raises(ValueError, match="x: got shape"):
        AttentionPooling(4)(x, mask)
    with pytest.raises(ValueError, match=r"mask: got shape \(2, 1, 6\), expected"):
        mean_pooling(x, mask[:, None])
    with pytest.raises(ValueError, match="mask: got torch.float32"):
        max_pooling(x, mask.float())
    with pytest.raises(ValueError, match="size: got 0"):
        AttentionPooling(0)
