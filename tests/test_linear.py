"""Linear attention: all at once, step by step and chunk by chunk are one thing; its state never grows."""

import functools

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.attention.linear import chunked_attend, empty_state, features, linear_attend, linear_step
from course_utils.attention.masks import causal_mask
from course_utils.contract.testing import contract

test_linear_attention_keeps_the_contract = contract(linear_attend, rule=None)
test_chunks_keep_the_contract = contract(
    functools.partial(chunked_attend, chunk=2), returns="first", mask=None, causal=True, rule=None, equal_lengths=True
)


def draw(seed, length=7):
    generator = torch.Generator().manual_seed(seed)
    shapes = (2, 3, length, 4), (2, 3, length, 4), (2, 3, length, 5)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def plain(query, key, value):
    """One query and one key at a time."""
    context = torch.zeros_like(value)
    for where in torch.cartesian_prod(*(torch.arange(n) for n in query.shape[:3])).tolist():
        b, h, i = where
        weights = [((F.elu(query[b, h, i]) + 1) * (F.elu(key[b, h, j]) + 1)).sum() for j in range(i + 1)]
        context[b, h, i] = sum(w * value[b, h, j] for j, w in enumerate(weights)) / sum(weights)
    return context


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.integers(1, 9))
def test_three_forms_of_one_thing(seed, chunk):
    query, key, value = draw(seed)
    expected = plain(query, key, value)
    torch.testing.assert_close(linear_attend(query, key, value, causal_mask(7))[0], expected)
    found, last = chunked_attend(query, key, value, chunk)
    torch.testing.assert_close(found, expected)
    state = empty_state(key, value)
    for t in range(7):
        step, state = linear_step(query[..., t, :], key[..., t, :], value[..., t, :], state)
        torch.testing.assert_close(step, expected[..., t, :])
        assert state.memory.shape == (2, 3, 4, 5) and state.total.shape == (2, 3, 4)
    for one, two in zip(state, last, strict=True):
        torch.testing.assert_close(one, two)


def test_a_text_may_be_read_in_parts():
    given = draw(1, 9)
    whole, _ = chunked_attend(*given, 3)
    first, state = chunked_attend(*(one[..., :5, :] for one in given), 3)
    rest, _ = chunked_attend(*(one[..., 5:, :] for one in given), 3, state)
    torch.testing.assert_close(torch.cat([first, rest], -2), whole)


def test_gradients_are_those_of_the_square_form():
    found = []
    for form in (lambda *g: chunked_attend(*g, 3)[0], lambda *g: linear_attend(*g, causal_mask(7))[0]):
        leaves = [one.requires_grad_() for one in draw(2)]
        found.append(torch.autograd.grad(form(*leaves).square().sum(), leaves))
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two)


def test_features_are_elu_and_one_and_stay_positive_in_half_precision():
    x = torch.linspace(-9, 9, 50, requires_grad=True)
    torch.testing.assert_close(features(x), F.elu(x) + 1)
    assert torch.autograd.grad(features(torch.full((3,), 200.0, requires_grad=True)).sum(), x, allow_unused=True)
    low = torch.full((1,), -8.0, dtype=torch.bfloat16)
    assert features(low) > 0 and F.elu(low) + 1 == 0
    high = torch.full((1,), 200.0, requires_grad=True)
    features(high).backward()
    assert high.grad == 1  # exp never sees a large number


def test_what_does_not_fit_is_refused_by_name():
    query, key, value = draw(0)
    for call, name in (
        (lambda: linear_attend(query[..., :3], key, value), "key"),
        (lambda: linear_attend(query, key, value[..., :3, :]), "value"),
        (lambda: chunked_attend(query[..., :3, :], key, value), "key"),
        (lambda: chunked_attend(query, key, value, 0), "chunk"),
    ):
        with pytest.raises(ValueError, match=f"^{name}: got"):
            call()
