"""Attention whose context is joined to the query: against plain PyTorch, indexed by the query, safe on empty rows."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.attention import dot
from course_utils.attention.modules import JoinedAttention
from course_utils.attention.scores import Additive

SIZE, VALUE_SIZE, OUTPUT_SIZE, KEYS = 4, 3, 6, 5


def draw(*leading, queries=2):
    generator = torch.Generator().manual_seed(0)
    shapes = [(queries, SIZE), (KEYS, SIZE), (KEYS, VALUE_SIZE)]
    return [torch.randn(*leading, *shape, generator=generator, dtype=torch.float64) for shape in shapes]


def module(**options):
    return JoinedAttention(SIZE, VALUE_SIZE, OUTPUT_SIZE, **options).double()


@pytest.mark.parametrize("tanh", [False, True])
def test_equals_plain_pytorch(tanh):
    joined, (query, key, value) = module(tanh=tanh), draw(3)
    mask = torch.tensor([True, True, False, True, False])
    output, weights = joined(query, key, value, mask)
    context = F.scaled_dot_product_attention(query, key, value, mask.expand(3, 2, KEYS))
    expected = joined.projection(torch.cat([context, query], dim=-1))
    torch.testing.assert_close(output, torch.tanh(expected) if tanh else expected)
    torch.testing.assert_close(weights @ value, context)


@settings(deadline=None, max_examples=25)
@given(leading=st.lists(st.integers(1, 3), max_size=3), queries=st.integers(1, 4))
def test_one_output_for_each_query_under_any_leading_axes(leading, queries):
    output, weights = module()(*draw(*leading, queries=queries))
    assert output.shape == (*leading, queries, OUTPUT_SIZE)
    assert weights.shape == (*leading, queries, KEYS)
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights.sum(-1)))


def test_keys_may_bring_leading_axes_of_their_own():
    (query, _, _), (_, key, value) = draw(), draw(3)
    output, _ = module()(query, key, value)
    assert output.shape == (3, 2, OUTPUT_SIZE)


def test_the_query_is_not_lost():
    joined, (query, key, value) = module(), draw()
    same = key[:1].expand_as(key)  # equal keys: every query gets the same weights and the same context
    output, weights = joined(query, same, value)
    torch.testing.assert_close(weights[0], weights[1])
    assert not torch.allclose(output[0], output[1], atol=1e-3)


def test_a_score_with_parameters_is_part_of_the_module():
    joined = module(score=Additive(SIZE, SIZE, 7))
    output, _ = joined(*draw(2))
    output.sum().backward()
    assert all(parameter.grad is not None for parameter in joined.parameters())
    assert any(name.startswith("score.") for name, _ in joined.named_parameters())


def test_a_fully_masked_query_still_speaks_for_itself():
    joined, (query, key, value) = module(score=dot), draw()
    mask = torch.tensor([[True] * KEYS, [False] * KEYS])
    output, weights = joined(query, key, value, mask)
    assert torch.equal(weights[1], torch.zeros(KEYS).double())
    torch.testing.assert_close(output[1], joined.projection(torch.cat([torch.zeros(VALUE_SIZE).double(), query[1]])))


def test_gradients_are_right():
    joined = module(tanh=True)
    inputs = [part.requires_grad_() for part in draw(2)]
    assert torch.autograd.gradcheck(lambda *parts: joined(*parts)[0], inputs)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_finite(dtype):
    joined = module().to(dtype)
    output, weights = joined(*(100 * part.to(dtype) for part in draw(2)))
    assert torch.isfinite(output).all() and torch.isfinite(weights).all()


def test_arguments_are_not_changed():
    parts = draw(2)
    before = [part.clone() for part in parts]
    module()(*parts)
    assert all(torch.equal(*pair) for pair in zip(parts, before, strict=True))


def test_wrong_sizes_are_named():
    query, key, value = draw(2)
    with pytest.raises(ValueError, match="query: got shape"):
        module()(query[..., :3], key, value)
    with pytest.raises(ValueError, match="value: got shape"):
        module()(query, key, value[..., :2])
    with pytest.raises(ValueError, match="value: got 4 values"):
        module()(query, key, value[..., :4, :])
    for sizes, name in [((0, 3, 6), "query_size"), ((4, 0, 6), "value_size"), ((4, 3, 0.5), "output_size")]:
        with pytest.raises(ValueError, match=f"^{name}: got"):
            JoinedAttention(*sizes)
