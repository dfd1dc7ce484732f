"""Local attention equals a plain loop over queries and keys; its two forms equal each other; its ends are known."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.attention import attend, dot, scaled_dot
from course_utils.attention.local import LocalM, LocalP, bell, gathered_attend, local_attend
from course_utils.attention.masks import padding_mask, window_mask, windows
from course_utils.attention.scores import Additive, Bilinear
from course_utils.data.text import PAD
from course_utils.models.seq2seq import Seq2Seq

LENGTHS = torch.tensor([7, 3, 5])
MASK = padding_mask(LENGTHS)


def draw(seed=0, queries=6, size=4, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(3, queries, size, generator=generator, dtype=dtype)
    states = torch.randn(3, 7, size, generator=generator, dtype=dtype)
    return query, states, 9 * torch.rand(3, queries, generator=generator, dtype=dtype) - 1


def plain(query, states, centres, reach, gaussian):
    """One query and one key at a time, with real keys only."""
    context, weights = torch.zeros_like(query), torch.zeros(3, query.shape[1], 7, dtype=query.dtype)
    for b, length in enumerate(LENGTHS.tolist()):
        for t in range(query.shape[1]):
            p = centres[b, t].item()
            seen = [s for s in range(length) if p - reach <= s <= p + reach]
            powers = [math.exp(sum(x * y for x, y in zip(query[b, t], states[b, s], strict=True))) for s in seen]
            for s, power in zip(seen, powers, strict=True):
                weight = power / sum(powers)
                if gaussian:
                    weight *= math.exp(-((s - p) ** 2) / (2 * (reach / 2) ** 2))
                weights[b, t, s] = weight
                context[b, t] += weight * states[b, s]
    return context, weights


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 8), st.booleans(), st.booleans())
def test_it_is_the_plain_loop(seed, reach, gaussian, whole):
    query, states, centres = draw(seed)
    centres = centres.round() if whole else centres
    expected = plain(query, states, centres, reach, gaussian)
    found = local_attend(query, states, MASK, centres, reach, dot, gaussian)
    assert all(torch.allclose(one, two) for one, two in zip(found, expected, strict=True))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 9), st.booleans(), st.sampled_from(["dot", "additive", "general"]))
def test_the_gathered_form_gives_the_same(seed, reach, gaussian, name):
    torch.manual_seed(seed)
    query, states, centres = draw(seed)
    score = {"dot": scaled_dot, "additive": Additive(4, 4, 5).double(), "general": Bilinear(4, 4).double()}[name]
    gaussian = gaussian and reach > 0
    context, weights = local_attend(query, states, MASK, centres, reach, score, gaussian)
    gathered, few, places = gathered_attend(query, states, MASK, centres, reach, score, gaussian)
    assert few.shape == places.shape == (3, 6, 2 * reach + 1)
    assert torch.allclose(gathered, context)
    assert torch.allclose(torch.zeros_like(weights).scatter_add(-1, places, few), weights)


def test_both_forms_have_the_same_gradients():
    grads = []
    for form in (local_attend, gathered_attend):
        query, states, centres = (one.requires_grad_() for one in draw())
        form(query, states, MASK, centres, 2, scaled_dot, True)[0].square().sum().backward()
        grads.append((query.grad, states.grad, centres.grad))
    assert all(torch.allclose(one, two) for one, two in zip(*grads, strict=True))


def test_gradcheck():
    query, states, _ = draw(queries=3)
    centres = torch.tensor([[0.3, 2.2, 4.7]] * 3, dtype=torch.float64, requires_grad=True)  # away from any edge
    for form in (local_attend, lambda *given: gathered_attend(*given)[:2]):
        assert torch.autograd.gradcheck(
            lambda q, s, p, form=form: form(q, s, MASK, p, 2, scaled_dot, True),
            (query.requires_grad_(), states.requires_grad_(), centres),
        )


def test_windows_at_every_place_are_the_window_mask():
    centres = torch.arange(7)
    assert torch.equal(windows(centres, 7, 2), window_mask(7, 7, 2))
    masked = windows(centres.expand(3, 7), 7, 2, MASK)
    assert torch.equal(masked, window_mask(7, 7, 2) & MASK)
    assert windows(torch.tensor([2.5]), 6, 1).tolist() == [[False, False, True, True, False, False]]


def test_the_bell_is_one_at_the_centre_and_known_at_the_edge():
    found = bell(torch.tensor([3.0]), torch.arange(7), reach=2)
    assert found[0, 3] == 1 and torch.allclose(found[0, [1, 5]], torch.tensor(math.exp(-2.0)))


def test_a_reach_as_long_as_the_source_is_global_attention():
    query, states, _ = draw()
    context, weights = LocalM(scaled_dot, 7)(query, states, MASK)
    expected = attend(query, states, states, MASK)
    assert torch.allclose(context, expected[0]) and torch.allclose(weights, expected[1])


def test_a_reach_of_zero_sees_its_own_place_alone():
    query, states, _ = draw()
    _, weights = LocalM(scaled_dot, 0)(query, states, MASK)
    assert torch.equal(weights, (torch.eye(6, 7, dtype=torch.float64) * MASK))


def test_beyond_the_source_there_is_nothing_to_see():
    query, states, _ = draw()
    context, weights = LocalM(scaled_dot, 1)(query, states, MASK, first=4)
    assert (weights[1] == 0).all() and (context[1] == 0).all()  # length 3: places 4 and more see nothing
    assert torch.allclose(weights[0].sum(-1), torch.tensor([1.0, 1, 1, 1, 0, 0], dtype=torch.float64))


@pytest.mark.parametrize("make", [lambda: LocalM(scaled_dot, 2), lambda: LocalP(scaled_dot, 4, 2).double()])
def test_one_query_at_a_time_sees_what_all_at_once_see(make):
    attention, (query, states, _) = make(), draw()
    context, weights = attention(query, states, MASK)
    for t in range(6):
        one = attention(query[:, t : t + 1], states, MASK, first=t)
        assert torch.allclose(one[0], context[:, t : t + 1]) and torch.allclose(one[1], weights[:, t : t + 1])


def test_predicted_centres_stay_in_their_own_source_and_learn_through_the_bell_alone():
    query, states, _ = draw()
    attention = LocalP(scaled_dot, 4, 2).double()
    centres = attention.centres(query, MASK)
    assert ((centres > 0) & (centres < LENGTHS[:, None])).all()
    expected = LENGTHS[:, None] * torch.sigmoid(torch.tanh(query @ attention.hidden.weight.T) @ attention.v.weight[0])
    assert torch.allclose(centres, expected)
    attention(query, states, MASK)[0].sum().backward()
    assert attention.v.weight.grad.abs().sum() > 0
    attention.zero_grad()
    context, _ = local_attend(query, states, MASK, attention.centres(query, MASK), 2, scaled_dot, gaussian=False)
    assert not context.requires_grad  # nothing to learn from: a window's edge has no gradient


@pytest.mark.parametrize("make", [lambda: LocalM(scaled_dot, 2), lambda: LocalP(Additive(8, 8, 6), 8, 2)])
def test_it_serves_a_seq2seq_model_in_training_and_step_by_step(make):
    torch.manual_seed(0)
    model = Seq2Seq(9, 7, size=8, attention=make())
    source = torch.randint(4, 9, (3, 7)).masked_fill(~MASK[:, 0], PAD)
    ids, weights = model.greedy(source, MASK, 5)
    before = torch.cat([torch.ones(3, 1, dtype=torch.long), ids[:, :-1]], dim=1)
    _, again = model(source, MASK, before)
    assert torch.allclose(weights, again, atol=1e-6)
    model(source, MASK, before)[0].sum().backward()
    assert all(parameter.grad is not None for parameter in model.attention.parameters())


def test_wrong_settings_are_refused_by_name():
    for make in (lambda: LocalM(dot, -1), lambda: LocalP(dot, 4, 0), lambda: windows(torch.zeros(2), 3, -1)):
        with pytest.raises(ValueError, match="reach: got"):
            make()
