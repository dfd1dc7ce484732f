"""self-attention: equal to PyTorch's two implementations, follows a shuffle, and is what the pictures draw."""

import hypothesis.strategies as st
import matplotlib.pyplot as plt
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch import nn

from course_utils.attention.modules import SelfAttention
from course_utils.plots.hard import bias_and_variance, histograms, one_source, side_by_side, two_axes

SIZES = st.integers(1, 6)


def drawn(seed, *shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@settings(max_examples=50, deadline=None)
@given(st.lists(SIZES, max_size=2), SIZES, SIZES, SIZES, SIZES, st.booleans(), st.integers(0, 10**6))
def test_equals_pytorch_over_three_projections(leading, length, input_size, size, value_size, bias, seed):
    layer = SelfAttention(input_size, size, value_size, bias).double()
    x = drawn(seed, *leading, length, input_size).requires_grad_()
    context, weights = layer(x)
    expected = F.scaled_dot_product_attention(layer.query(x), layer.key(x), layer.value(x))
    torch.testing.assert_close(context, expected)
    assert weights.shape == (*leading, length, length)
    one, two = (torch.autograd.grad(result.square().sum(), x, retain_graph=True)[0] for result in (context, expected))
    torch.testing.assert_close(one, two)


def test_equals_multihead_attention_with_one_head_and_gradients():
    layer = SelfAttention(6).double()
    multi = nn.MultiheadAttention(6, num_heads=1, batch_first=True).double()
    with torch.no_grad():
        multi.in_proj_weight.copy_(torch.cat([layer.query.weight, layer.key.weight, layer.value.weight]))
        multi.in_proj_bias.copy_(torch.cat([layer.query.bias, layer.key.bias, layer.value.bias]))
        multi.out_proj.weight.copy_(torch.eye(6))
        multi.out_proj.bias.zero_()
    x = drawn(1, 2, 5, 6)
    (ours, our_weights), (theirs, their_weights) = layer(x), multi(x, x, x)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(our_weights, their_weights)
    ours.square().sum().backward()
    theirs.square().sum().backward()
    stacked = torch.cat([layer.query.weight.grad, layer.key.weight.grad, layer.value.weight.grad])
    torch.testing.assert_close(stacked, multi.in_proj_weight.grad)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)), st.integers(0, 10**6))
def test_follows_a_shuffle(order, seed):
    layer, x = SelfAttention(4).double(), drawn(seed, 2, 6, 4)
    context, weights = layer(x)
    shuffled_context, shuffled_weights = layer(x[:, order])
    torch.testing.assert_close(shuffled_context, context[:, order])
    torch.testing.assert_close(shuffled_weights, weights[:, order][:, :, order])


def test_a_mask_hides():
    layer, x = SelfAttention(4).double(), drawn(2, 5, 4)
    _, weights = layer(x, torch.ones(5, 5, dtype=torch.bool).tril())
    assert torch.equal(weights, weights.tril()) and torch.allclose(weights.sum(-1), torch.ones(5).double())


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: SelfAttention(0), "input_size"),
        (lambda: SelfAttention(4, 0), "size"),
        (lambda: SelfAttention(4, 4, -1), "value_size"),
        (lambda: SelfAttention(4)(torch.zeros(2, 3)), "x"),
        (lambda: SelfAttention(4)(torch.zeros(4)), "x"),
    ],
)
def test_bad_input_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name}: got .*, expected "):
        call()


def test_the_pictures_of_the_lesson_draw_and_return_none():
    weights, names = torch.full((2, 2), 0.5), ["one", "two"]
    eight = {way: torch.rand(8) for way in ("REINFORCE", 0.5, 1.0)}
    assert side_by_side({"a": (weights, names), "b": (weights, names[::-1])}, mark=("one", "two")) is None
    assert [len(ax.patches) for ax in plt.gcf().axes[:2]] == [1, 1]  # the frames
    assert two_axes({("soft", "self"): weights, ("hard", "self"): weights}, names, {"self": names}) is None
    assert histograms({"a": torch.rand(50), "b": torch.rand(50)}, "weight", "A title") is None
    assert bias_and_variance(eight, eight) is None
    assert plt.gcf().axes[1].get_yscale() == "log"
    plt.close("all")


def test_one_source_has_three_projections_and_one_context():
    one_source()
    said = [text.get_text() for text in plt.gcf().axes[0].texts]
    assert [said.count(part) for part in ("source x", "query", "key", "value", "context")] == [1] * 5
    assert [said.count(f"W {part}") for part in ("query", "key", "value")] == [1] * 3
    plt.close("all")


def test_a_marked_pair_must_exist():
    with pytest.raises(ValueError, match="mark: got nobody, expected"):
        side_by_side({"a": (torch.ones(1, 1), ["one"])}, mark=("one", "nobody"))
    plt.close("all")
