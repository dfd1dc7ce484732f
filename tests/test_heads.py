"""heads: equal to nn.MultiheadAttention in outputs, weights and gradients, and to one attention after another."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from course_utils.attention import attend
from course_utils.heads import (
    MultiHeadAttention,
    copy_from_torch,
    copy_to_torch,
    for_heads,
    fused_attend,
    merge_heads,
    split_heads,
    torch_masks,
)
from course_utils.masks import causal_mask, padding_mask


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_split_gives_each_head_its_slice_and_merge_undoes_it(batch, length, heads, head_size):
    inputs = torch.randn(batch, length, heads * head_size)
    parts = split_heads(inputs, heads)
    for head in range(heads):
        assert torch.equal(parts[:, head], inputs[..., head * head_size : (head + 1) * head_size])
    assert torch.equal(merge_heads(parts), inputs)


@settings(max_examples=40)
@given(
    batch=st.integers(1, 3),
    queries=st.integers(1, 5),
    keys=st.integers(1, 6),
    heads=st.integers(1, 4),
    head_size=st.integers(1, 4),
    masked=st.booleans(),
    biases=st.booleans(),
    other_sizes=st.booleans(),
    need_weights=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_equals_pytorchs_module_forward_and_gradient(
    batch, queries, keys, heads, head_size, masked, biases, other_sizes, need_weights, seed
):
    torch.manual_seed(seed)
    size = heads * head_size
    key_size, value_size = (size + 1, size + 2) if other_sizes else (size, size)
    theirs = nn.MultiheadAttention(size, heads, bias=biases, kdim=key_size, vdim=value_size, batch_first=True).double()
    for parameter in theirs.parameters():  # biases start at 0, where a swapped one would not be seen
        nn.init.normal_(parameter)
    ours = MultiHeadAttention(size, heads, key_size, value_size, biases).double()
    copy_from_torch(theirs, ours)
    query = torch.randn(batch, queries, size).double()
    key = torch.randn(batch, keys, key_size).double()
    value = torch.randn(batch, keys, value_size).double()
    mask = None
    if masked:
        mask = torch.rand(batch, queries, keys) < 0.5
        mask[..., 0] = True
    inputs = [tensor.clone().requires_grad_() for tensor in (query, key, value)]
    twins = [tensor.clone().requires_grad_() for tensor in (query, key, value)]
    output, weights = ours(*inputs, mask, need_weights=need_weights)
    expected, their_weights = theirs(
        *twins, attn_mask=None if mask is None else torch_masks(mask, heads), average_attn_weights=False
    )
    torch.testing.assert_close(output, expected)
    if need_weights:
        torch.testing.assert_close(weights, their_weights)
    else:
        assert weights is None
    output.square().sum().backward()
    expected.square().sum().backward()
    for one, two in zip(inputs, twins, strict=True):
        torch.testing.assert_close(one.grad, two.grad)
    torch.testing.assert_close(ours.project_output.weight.grad, theirs.out_proj.weight.grad)
    if not other_sizes:
        mine = [ours.project_query, ours.project_key, ours.project_value]
        torch.testing.assert_close(torch.cat([m.weight.grad for m in mine]), theirs.in_proj_weight.grad)


def test_parameters_travel_both_ways():
    ours, theirs = MultiHeadAttention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)
    copy_to_torch(ours, theirs)
    back = MultiHeadAttention(8, 2)
    copy_from_torch(theirs, back)
    for one, two in zip(ours.parameters(), back.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (nn.MultiheadAttention(8, 4), "heads: got 4 and 2"),
        (nn.MultiheadAttention(8, 2, bias=False), "biases: got"),
        (nn.MultiheadAttention(12, 2), "size: got (12, 12) and (8, 8)"),
    ],
)
def test_a_copy_that_does_not_fit_is_refused(theirs, words):
    with pytest.raises(ValueError) as caught:
        copy_from_torch(theirs, MultiHeadAttention(8, 2))
    assert words in str(caught.value)


@pytest.mark.parametrize("need_weights", [False, True])
def test_an_empty_row_and_a_bias_in_both_paths(need_weights):
    torch.manual_seed(0)
    ours = MultiHeadAttention(8, 2)
    query, key = torch.randn(3, 4, 8, requires_grad=True), torch.randn(3, 5, 8)
    mask = padding_mask(torch.tensor([2, 0, 5])) & causal_mask(4, 5)
    bias = torch.randn(2, 4, 5)
    output, _ = ours(query, key, key, mask, bias, need_weights)
    torch.testing.assert_close(output[1], ours.project_output.bias.expand(4, 8))  # context 0, then the projection
    output.sum().backward()
    assert query.grad.isfinite().all() and query.grad[1].eq(0).all()
    other, _ = ours(query, key, key, mask, bias, not need_weights)
    torch.testing.assert_close(output, other)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_fused_context_equals_the_readable_one(dtype):
    torch.manual_seed(1)
    query, key, value = (torch.randn(2, 3, n, 8, dtype=dtype) for n in (4, 6, 6))
    mask = torch.rand(2, 1, 4, 6) < 0.5
    expected, _ = attend(query, key, value, mask)
    torch.testing.assert_close(fused_attend(query, key, value, mask), expected, atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("heads", [0, 3, 16, 2.0])
def test_heads_that_do_not_divide_the_size_are_named(heads):
    with pytest.raises(ValueError, match="^heads: got"):
        MultiHeadAttention(8, heads)


def test_a_mask_of_the_wrong_shape_is_named():
    assert for_heads(torch.ones(2, 1, 5), 4).shape == (2, 1, 1, 5)
    with pytest.raises(ValueError, match="^mask: got shape"):
        for_heads(torch.ones(1, 1, 2, 3, 4), 4)
