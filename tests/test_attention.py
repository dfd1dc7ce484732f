"""attention: against PyTorch's own attention, plain loops, and what must hold for any attention."""

import math

import hypothesis.strategies as st
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings

from course_utils.attention import attend, cosine, dot, masked_softmax, scaled_dot

SIZES = st.integers(1, 6)


def draw(seed, *shapes, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


@settings(max_examples=60)
@given(
    st.lists(SIZES, max_size=3), SIZES, SIZES, SIZES, SIZES, st.sampled_from([None, 0.3, 0.7]), st.integers(0, 10**6)
)
def test_attend_equals_pytorch_forward_and_gradient(leading, queries, keys, size, value_size, share, seed):
    ours = draw(
        seed, (*leading, queries, size), (*leading, keys, size), (*leading, keys, value_size), dtype=torch.float64
    )
    theirs = [tensor.clone() for tensor in ours]
    mask = None
    if share is not None:
        mask = torch.rand(*leading, queries, keys, generator=torch.Generator().manual_seed(seed)) < share
        mask[..., 0] = True  # PyTorch's answer for a row with nothing to look at differs between versions
    for tensor in ours + theirs:
        tensor.requires_grad_()
    context, weights = attend(*ours, mask)
    expected = F.scaled_dot_product_attention(*theirs, attn_mask=mask)
    torch.testing.assert_close(context, expected)
    torch.testing.assert_close(weights.sum(-1), torch.ones(*leading, queries, dtype=torch.float64))
    context.square().sum().backward()
    expected.square().sum().backward()
    for one, two in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, two.grad)


@pytest.mark.parametrize("score", [dot, scaled_dot, cosine])
def test_scores_equal_a_plain_loop(score):
    query, key = draw(1, (2, 3, 5), (2, 4, 5))
    found = score(query, key)
    for batch in range(2):
        for i in range(3):
            for j in range(4):
                q, k = query[batch, i].tolist(), key[batch, j].tolist()
                product = sum(a * b for a, b in zip(q, k, strict=True))
                divisor = {dot: 1, scaled_dot: math.sqrt(5), cosine: math.dist(q, [0] * 5) * math.dist(k, [0] * 5)}[
                    score
                ]
                assert found[batch, i, j].item() == pytest.approx(product / divisor, abs=1e-5)


def test_cosine_of_a_zero_vector_is_zero():
    assert cosine(torch.zeros(1, 4), torch.ones(2, 4)).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_row_with_nothing_to_look_at_gets_weight_and_context_zero(dtype):
    query, key, value = draw(2, (3, 4), (5, 4), (5, 6), dtype=dtype)
    mask = torch.tensor([[True] * 5, [False] * 5, [True, False, False, True, False]])
    context, weights = attend(query, key, value, mask)
    assert weights.dtype == dtype
    assert weights[1].eq(0).all() and context[1].eq(0).all()
    assert weights[2, [1, 2, 4]].eq(0).all() and weights.isfinite().all()
    torch.testing.assert_close(weights[[0, 2]].sum(-1).float(), torch.ones(2), atol=5e-3, rtol=0)


def test_no_gradient_is_nan_where_a_row_has_nothing_to_look_at():
    query, key, value = draw(3, (3, 4), (5, 4), (5, 6))
    query.requires_grad_()
    mask = torch.ones(3, 5, dtype=torch.bool)
    mask[1] = False
    attend(query, key, value, mask)[0].sum().backward()
    assert query.grad.isfinite().all() and query.grad[1].eq(0).all() and query.grad[0].ne(0).any()


def test_scores_far_apart_stay_finite_in_half_precision():
    scores = torch.tensor([[60000.0, -60000.0, 0.0]], dtype=torch.float16)
    assert masked_softmax(scores, torch.tensor([[False, True, True]])).tolist() == [[0.0, 0.0, 1.0]]


def test_softmax_over_another_axis():
    (scores,) = draw(4, (3, 5))
    torch.testing.assert_close(masked_softmax(scores, dim=0), torch.softmax(scores, 0))


def test_arguments_stay_as_they_were():
    tensors = draw(5, (2, 3), (4, 3), (4, 2))
    mask = torch.tensor([[True, False, True, True], [False] * 4])
    before = [tensor.clone() for tensor in [*tensors, mask]]
    attend(*tensors, mask)
    for one, two in zip([*tensors, mask], before, strict=True):
        assert torch.equal(one, two)


def test_permuting_keys_and_values_together_changes_nothing_and_contexts_are_convex_mixes():
    query, key, value = draw(6, (2, 3), (7, 3), (7, 2))
    order = torch.randperm(7, generator=torch.Generator().manual_seed(0))
    context, weights = attend(query, key, value)
    permuted, moved = attend(query, key[order], value[order])
    torch.testing.assert_close(permuted, context)
    torch.testing.assert_close(moved, weights[:, order])
    assert (context <= value.max(0).values).all() and (context >= value.min(0).values).all()


@pytest.mark.parametrize(
    ("shapes", "mask", "words"),
    [
        (((2, 3), (4, 5), (4, 2)), None, "key: got size 5, expected the query's size 3"),
        (((2, 3), (4, 3), (5, 2)), None, "value: got 5 values, expected as many as there are keys: 4"),
        (((3,), (4, 3), (4, 2)), None, "query: got shape (3,)"),
        (((2, 3), (4, 3), (4, 2)), torch.ones(2, 4), "mask: got torch.float32, expected torch.bool"),
        (((2, 3), (4, 3), (4, 2)), torch.ones(3, 4, dtype=torch.bool), "mask: got shape (3, 4)"),
        (((2, 3), (4, 3), (4, 2)), torch.ones(5, 2, 4, dtype=torch.bool), "mask: got shape (5, 2, 4)"),
    ],
)
def test_bad_input_is_named(shapes, mask, words):
    with pytest.raises(ValueError) as caught:
        attend(*draw(7, *shapes), mask)
    assert words in str(caught.value)
