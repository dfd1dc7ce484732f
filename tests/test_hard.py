"""hard attention: choices are choices, draws have the right chances, and each gradient is what it claims to be."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from course_utils.attention import attend
from course_utils.attention.hard import (
    draw,
    expected_cost,
    gumbel,
    hard_attend,
    hardest,
    reinforce_loss,
    straight_through,
)

SHAPES = st.tuples(st.lists(st.integers(1, 4), max_size=2), st.integers(1, 5), st.integers(1, 6))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(max_examples=50, deadline=None)
@given(SHAPES, st.integers(0, 10**6))
def test_a_choice_is_a_single_one_in_each_row(shape, seed):
    leading, queries, keys = shape
    scores = 3 * torch.randn(*leading, queries, keys, generator=seeded(seed))
    for choice in hardest(scores), draw(scores, seeded(seed)), straight_through(scores, 0.5, seeded(seed)).round():
        assert choice.shape == scores.shape
        assert torch.equal(choice.sum(-1), torch.ones(*leading, queries)) and choice.max() == 1
    assert torch.equal(hardest(scores).argmax(-1), scores.argmax(-1))


def test_the_first_of_equals_is_chosen():
    assert hardest(torch.tensor([1.0, 2.0, 2.0])).tolist() == [0, 1, 0]


def test_hidden_keys_are_never_chosen_and_an_empty_row_gives_zeros():
    scores = torch.tensor([[5.0, -math.inf, -9.0], [-math.inf] * 3])
    for choose in hardest, lambda s: draw(s, seeded()), lambda s: straight_through(s, 1.0, seeded()):
        choice = choose(scores.expand(500, 2, 3))
        assert (choice[:, 0, 1] == 0).all() and (choice[:, 1] == 0).all() and choice.isfinite().all()


def test_draws_have_the_chances_of_the_softmax():
    scores = torch.tensor([1.0, -0.5, 0.3, 2.0])
    share = draw(scores.expand(100_000, 4), seeded(3)).mean(0)
    assert (share - torch.softmax(scores, -1)).abs().max() < 0.01  # six standard errors


def test_gumbel_noise_has_its_mean_and_variance_and_is_finite():
    noise = gumbel((200_000,), seeded(4))
    assert noise.isfinite().all()
    assert noise.mean().item() == pytest.approx(0.5772, abs=0.02)
    assert noise.var().item() == pytest.approx(math.pi**2 / 6, abs=0.05)


def test_draws_leave_the_global_random_state_alone_when_a_generator_is_given():
    before = torch.get_rng_state()
    draw(torch.randn(3, 4, generator=seeded()), seeded())
    assert torch.equal(torch.get_rng_state(), before)


def test_hard_attention_takes_one_value_and_softmax_makes_it_soft():
    query, key, value = (torch.randn(shape, generator=seeded(5)) for shape in [(2, 3, 4), (2, 5, 4), (2, 5, 6)])
    context, choice = hard_attend(query, key, value)
    for batch in range(2):
        for i in range(3):
            best = max(range(5), key=lambda j: float(query[batch, i] @ key[batch, j]))
            assert torch.equal(context[batch, i], value[batch, best]) and choice[batch, i, best] == 1
    soft = hard_attend(query, key, value, choose=lambda scores: torch.softmax(scores, -1))
    torch.testing.assert_close(soft, attend(query, key, value))


def test_a_mask_hides_keys_from_a_choice():
    query, key, value = (torch.randn(shape, generator=seeded(6)) for shape in [(3, 4), (5, 4), (5, 2)])
    mask = torch.tensor([[True, False, False, False, False], [False] * 5, [False, True, True, False, False]])
    context, choice = hard_attend(query, key, value, mask)
    assert torch.equal(context[0], value[0]) and torch.equal(context[1], torch.zeros(2)) and (choice[~mask] == 0).all()


def test_a_choice_has_no_gradient():
    scores = torch.randn(3, 4, generator=seeded()).requires_grad_()
    assert not hardest(scores).requires_grad and not draw(scores, seeded()).requires_grad


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.floats(-5, 5), st.integers(0, 10**6))
def test_reinforce_is_unbiased_whatever_the_baseline(keys, baseline, seed):
    scores, costs = torch.randn(2, keys, generator=seeded(seed), dtype=torch.float64)
    scores.requires_grad_()
    (exact,) = torch.autograd.grad(expected_cost(scores, costs), scores)
    every = torch.eye(keys, dtype=torch.float64)
    losses = [reinforce_loss(scores, choice, cost, baseline) for choice, cost in zip(every, costs, strict=True)]
    gradients = torch.stack([torch.autograd.grad(loss, scores, retain_graph=True)[0] for loss in losses])
    torch.testing.assert_close(torch.softmax(scores, -1).detach() @ gradients, exact)


def test_reinforce_uses_neither_the_gradient_of_the_cost_nor_hidden_keys():
    scores = torch.tensor([[1.0, -math.inf, 0.5]], requires_grad=True)
    cost = torch.tensor([2.0], requires_grad=True)
    reinforce_loss(scores, torch.tensor([[0.0, 0.0, 1.0]]), cost).sum().backward()
    assert cost.grad is None and scores.grad.isfinite().all() and scores.grad[0, 1] == 0


def test_expected_cost_is_the_mean_over_draws():
    scores, costs = torch.randn(2, 5, generator=seeded(7))
    drawn = draw(scores.expand(100_000, 5), seeded(8)) @ costs
    assert expected_cost(scores, costs).item() == pytest.approx(drawn.mean().item(), abs=0.03)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_straight_through_is_hard_in_front_and_soft_behind(temperature):
    scores = torch.randn(4, 6, generator=seeded(9), dtype=torch.float64, requires_grad=True)
    price = torch.randn(6, generator=seeded(10), dtype=torch.float64)
    choice = straight_through(scores, temperature, seeded(11))
    noisy = scores + gumbel((4, 6), seeded(11)).double()
    torch.testing.assert_close(choice, hardest(noisy))
    (found,) = torch.autograd.grad((choice @ price).sum(), scores)
    (expected,) = torch.autograd.grad((torch.softmax(noisy / temperature, -1) @ price).sum(), scores)
    torch.testing.assert_close(found, expected)


def test_nothing_changes_its_arguments():
    scores = torch.randn(3, 4, generator=seeded())
    before = scores.clone()
    choice = draw(scores, seeded())
    reinforce_loss(scores, choice, torch.ones(3), 0.5)
    straight_through(scores, 0.5, seeded())
    expected_cost(scores, scores)
    assert torch.equal(scores, before)


def test_half_precision_stays_half():
    scores = torch.randn(3, 4, generator=seeded()).half()
    assert hardest(scores).dtype == draw(scores, seeded()).dtype == straight_through(scores).dtype == torch.float16


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: straight_through(torch.zeros(2, 3), 0.0), "temperature"),
        (lambda: reinforce_loss(torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(2)), "choice"),
        (lambda: reinforce_loss(torch.zeros(2, 3), torch.full((2, 3), 1 / 3), torch.zeros(2)), "choice"),
        (lambda: expected_cost(torch.zeros(2, 3), torch.zeros(2, 4)), "costs"),
        (lambda: hard_attend(torch.zeros(2, 3), torch.zeros(4, 3), torch.zeros(5, 3)), "value"),
        (lambda: hard_attend(torch.zeros(2, 3), torch.zeros(4, 3), torch.zeros(4, 3), torch.zeros(2, 4)), "mask"),
    ],
)
def test_bad_input_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name}: got .*, expected "):
        call()
