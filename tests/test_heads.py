"""heads: equal to nn.MultiheadAttention in outputs, weights and gradients, and to one attention after another."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from course_utils.attention import attend
from course_utils.attention.heads import (
    MultiHeadAttention,
    attend_with_weights,
    for_heads,
    fused_attend,
    keep_heads,
    merge_heads,
    split_heads,
)
from course_utils.attention.masks import causal_mask, padding_mask
from course_utils.attention.positions import RelativeBias, alibi
from course_utils.attention.torch_heads import copy_from_torch, copy_to_torch, torch_masks


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
        (nn.MultiheadAttention(8, 2, add_bias_kv=True), "keys: got a module that adds its own"),
        (nn.MultiheadAttention(8, 2, add_zero_attn=True), "keys: got a module that adds its own"),
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


@pytest.mark.parametrize("heads", [0, 3, 16, 2.0, True, False, None])
@pytest.mark.parametrize(
    "make", [lambda heads: MultiHeadAttention(8, heads), lambda h: split_heads(torch.ones(2, 8), h)]
)
def test_heads_that_do_not_divide_the_size_are_named(make, heads):
    with pytest.raises(ValueError, match="^heads: got"):
        make(heads)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MultiHeadAttention(8, True, head_size=4),
        lambda: alibi(True, 3),
        lambda: RelativeBias(True, 3),
    ],
)
def test_true_is_no_number_of_heads(make):
    with pytest.raises(ValueError, match="^heads: got True, expected a whole number"):
        make()


def test_a_mask_of_the_wrong_shape_is_named():
    assert for_heads(torch.ones(2, 1, 5), 4).shape == (2, 1, 1, 5)
    with pytest.raises(ValueError, match="^mask: got shape"):
        for_heads(torch.ones(1, 1, 2, 3, 4), 4)


@settings(max_examples=30)
@given(
    queries=st.integers(1, 5),
    keys=st.integers(1, 6),
    masked=st.booleans(),
    biased=st.booleans(),
    dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16]),
    seed=st.integers(0, 10**6),
)
def test_without_gradients_the_weights_take_the_place_of_the_scores_and_nothing_else_changes(
    queries, keys, masked, biased, dtype, seed
):
    torch.manual_seed(seed)
    query, key, value = (torch.randn(2, 3, n, 4, dtype=dtype) for n in (queries, keys, keys))
    bias = torch.randn(3, queries, keys, dtype=dtype) if biased else None
    mask = torch.rand(2, 1, queries, keys) < 0.5 if masked else None  # some rows have nothing to look at
    given = [one.clone() for one in (query, key, value)]
    expected = attend_with_weights(query, key, value, mask, bias)  # the readable form, for there may be a gradient
    with torch.no_grad():
        found = attend_with_weights(query, key, value, mask, bias)
    for one, two in zip(found, expected, strict=True):
        torch.testing.assert_close(one, two, atol=1e-6, rtol=1e-5)
    assert all(torch.equal(one, two) for one, two in zip((query, key, value), given, strict=True))
    if masked:
        assert found[1].masked_select(~mask).eq(0).all() and found[0].isfinite().all()


BIASES = [
    ((3,), (2, 3)),
    ((), (2,)),
    ((1, 3), (2, 3)),
    ((2, 3), (5, 1, 3)),
    ((2, 3), (3,)),
    ((2, 3), ()),
    ((2, 1), (2, 3)),
]


@pytest.mark.parametrize(("leading", "of_bias"), BIASES)
@pytest.mark.parametrize("masked", [False, True])
def test_a_bias_may_have_axes_that_the_scores_lack_in_all_three_ways(leading, of_bias, masked):
    torch.manual_seed(3)
    query, key, value = (torch.randn(*leading, n, 8) for n in (4, 5, 5))
    bias = torch.randn(*of_bias, 4, 5)
    mask = torch.rand(4, 5) < 0.6 if masked else None
    copies = [one.clone() for one in (query, key, value, bias)]
    scores = query @ key.transpose(-2, -1) / 8**0.5 + bias  # the oracle: PyTorch's softmax over the sum
    weights = torch.softmax(scores if mask is None else scores.masked_fill(~mask, -torch.inf), -1).nan_to_num()
    for mode in (torch.enable_grad, torch.no_grad):
        with mode():
            found = attend_with_weights(query, key, value, mask, bias)
            torch.testing.assert_close(found, (weights @ value, weights))
            torch.testing.assert_close(fused_attend(query, key, value, mask, bias), weights @ value)
    assert all(torch.equal(one, two) for one, two in zip((query, key, value, bias), copies, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_bias_of_another_type_gives_the_same_type_with_and_without_gradients(dtype):
    query, key = torch.randn(2, 4, 8), torch.randn(2, 5, 8)
    expected = attend_with_weights(query, key, key.to(dtype), bias=torch.randn(4, 5, dtype=dtype))
    with torch.no_grad():
        found = attend_with_weights(query, key, key.to(dtype), bias=torch.randn(4, 5, dtype=dtype))
    assert [one.dtype for one in found] == [one.dtype for one in expected] == [dtype, dtype]


def test_values_that_are_no_partners_of_the_keys_are_named_with_and_without_gradients():
    for mode in (torch.no_grad, torch.enable_grad):
        with mode(), pytest.raises(ValueError, match="^value: got 6 values, expected"):
            attend_with_weights(torch.randn(2, 4, 8), torch.randn(2, 5, 8), torch.randn(2, 6, 8))


def test_a_softmax_may_be_written_over_its_own_input():
    """What attend_with_weights relies on, for rows short and long, of either layout."""
    for shape in [(3, 1), (2, 5), (4, 33), (2, 3, 1025), (1, 20_000)]:
        scores = torch.randn(shape)
        expected = torch.softmax(scores, -1)
        assert torch.equal(torch.softmax(scores, -1, out=scores), expected)


def test_a_wrong_mask_is_named_with_and_without_gradients():
    query, key = torch.randn(2, 4, 8), torch.randn(2, 5, 8)
    for mode in (torch.no_grad, torch.enable_grad):
        with mode(), pytest.raises(ValueError, match="^mask: got"):
            attend_with_weights(query, key, key, torch.ones(4, 6, dtype=torch.bool))


@pytest.mark.parametrize("mask", [torch.ones(4, 6, dtype=torch.bool), torch.ones(4, 5), torch.ones(4, 5).int()])
@pytest.mark.parametrize("need_weights", [False, True])
def test_a_wrong_mask_is_named_in_both_paths(mask, need_weights):
    query, key = torch.randn(2, 4, 8), torch.randn(2, 5, 8)
    with pytest.raises(ValueError, match="^mask: got"):
        MultiHeadAttention(8, 2)(query, key, key, mask, need_weights=need_weights)


@pytest.mark.parametrize("kept", [[0], [3, 1], [0, 1, 2, 3]])
@pytest.mark.parametrize("biases", [True, False])
def test_kept_heads_answer_as_if_the_others_wrote_nothing(kept, biases):
    torch.manual_seed(2)
    whole = MultiHeadAttention(12, 4, key_size=5, value_size=7, biases=biases).eval()
    query, key, value = torch.randn(2, 3, 12), torch.randn(2, 6, 5), torch.randn(2, 6, 7)
    before = [parameter.clone() for parameter in whole.parameters()]
    smaller = keep_heads(whole, kept)
    silent = MultiHeadAttention(12, 4, key_size=5, value_size=7, biases=biases)
    silent.load_state_dict(whole.state_dict())
    with torch.no_grad():
        for head in set(range(4)) - set(kept):
            silent.project_output.weight[:, 3 * head : 3 * head + 3] = 0
    output, weights = smaller(query, key, value, need_weights=True)
    expected, all_weights = silent(query, key, value, need_weights=True)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(weights, all_weights[:, kept])
    assert not smaller.training and smaller.project_output.in_features == 3 * len(kept)
    assert all(torch.equal(one, two) for one, two in zip(whole.parameters(), before, strict=True))


@pytest.mark.parametrize("kept", [[], [4], [-1], [1, 1], [True], [True, False]])
def test_heads_that_cannot_be_kept_are_named(kept):
    with pytest.raises(ValueError, match="^kept: got"):
        keep_heads(MultiHeadAttention(8, 4), kept)


def test_parameters_do_not_depend_on_the_heads_unless_each_has_a_size_of_its_own():
    def count(*sizes, **options):
        return sum(p.numel() for p in MultiHeadAttention(*sizes, biases=False, **options).parameters())

    assert {count(64, heads) for heads in (1, 2, 8, 64)} == {16_384}
    assert count(64, 8, head_size=64) == 131_072
    with pytest.raises(ValueError, match="^head_size: got 0"):
        count(8, 3, head_size=0)
    assert MultiHeadAttention(8, 3, head_size=5)(*[torch.randn(2, 4, 8)] * 3)[0].shape == (2, 4, 8)
