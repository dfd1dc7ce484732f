"""positions: against the formulas as plain loops, and the properties that make each of them a position."""

import math

import hypothesis.strategies as st
import matplotlib.pyplot as plt
import pytest
import torch
from hypothesis import given

from course_utils.attention.masks import causal_mask
from course_utils.attention.positions import (
    LearnedPositions,
    RelativeBias,
    alibi,
    distances,
    rotary,
    shift_matrix,
    sinusoid,
)
from course_utils.models.tiny import WAYS, Tiny, with_hands_held
from course_utils.plots.positions import (
    along_training,
    clocks,
    code_map,
    extrapolation,
    product_against_distance,
    weight_against_distance,
    where_places_enter,
)

BASE = 10_000.0
EVEN = st.integers(1, 8).map(lambda half: 2 * half)


@given(st.integers(1, 12), st.integers(1, 9))
def test_sinusoid_equals_the_formula(length, size):
    found = sinusoid(length, size)
    assert found.shape == (length, size)
    for t in range(length):
        for j in range(size):
            angle = t / BASE ** (2 * (j // 2) / size)
            assert found[t, j].item() == pytest.approx(math.cos(angle) if j % 2 else math.sin(angle), abs=1e-6)


@given(st.integers(1, 12))
def test_places_may_be_counted_from_the_middle_and_then_a_reversal_only_turns_the_sines(length):
    table = sinusoid(length, 6, start=(1 - length) / 2)
    torch.testing.assert_close(table.flip(0), table * torch.tensor([-1.0, 1.0] * 3), atol=1e-6, rtol=0)
    torch.testing.assert_close(sinusoid(length + 5, 6)[5:], sinusoid(length, 6, start=5))


@given(EVEN, st.integers(-20, 20), st.integers(20, 60))
def test_a_shift_is_a_rotation(size, shift, position):
    matrix, table = shift_matrix(shift, size).double(), sinusoid(100, size).double()
    torch.testing.assert_close(matrix @ table[position], table[position + shift], atol=1e-5, rtol=0)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(size, dtype=torch.float64), atol=1e-6, rtol=0)
    assert torch.linalg.det(matrix).item() == pytest.approx(1, abs=1e-5)


def test_the_norm_is_constant_and_the_dot_product_depends_on_the_distance_only():
    table = sinusoid(64, 32)
    torch.testing.assert_close(table.norm(dim=-1), torch.full((64,), 4.0))  # the root of half the size
    products = table @ table.T
    for distance in range(20):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), atol=1e-4, rtol=0)
    assert products.argmax(-1).tolist() == list(range(64))


@given(EVEN, st.integers(0, 9), st.integers(0, 10**6))
def test_rotary_products_depend_on_the_distance_only(size, shift, seed):
    query, key = torch.randn(2, 1, size, generator=torch.Generator().manual_seed(seed))

    def product(i, j):
        return (rotary(query, start=i) * rotary(key, start=j)).sum().item()

    assert product(3, 7) == pytest.approx(product(3 + shift, 7 + shift), abs=1e-3)
    torch.testing.assert_close(rotary(query, start=0), query)


def test_rotary_turns_complex_numbers_and_keeps_leading_axes_and_norms():
    inputs = torch.randn(2, 3, 5, 8)
    turned = rotary(inputs)
    angles = torch.arange(5)[:, None] * BASE ** (-torch.arange(0, 8, 2) / 8)
    expected = torch.view_as_complex(inputs.unflatten(-1, (4, 2))) * torch.polar(torch.ones_like(angles), angles)
    torch.testing.assert_close(turned, torch.view_as_real(expected).flatten(-2))
    torch.testing.assert_close(turned.norm(dim=-1), inputs.norm(dim=-1))


def test_alibi_equals_a_plain_loop():
    found = alibi(8, 3, 5)
    slopes = [1 / 2**h for h in range(1, 9)]  # the paper's example: 1/2, 1/4, … 1/256
    for h, slope in enumerate(slopes):
        for i in range(3):
            for j in range(5):
                assert found[h, i, j].item() == pytest.approx(-slope * abs(i + 2 - j))


def test_relative_bias_depends_on_the_clipped_distance():
    module = RelativeBias(2, 3)
    with torch.no_grad():
        module.bias.copy_(torch.randn(2, 7))
    found = module(6)
    assert found.shape == (2, 6, 6)
    for i in range(6):
        for j in range(6):
            assert torch.equal(found[:, i, j], module.bias[:, max(-3, min(3, j - i)) + 3])
    assert torch.equal(module(2, 6), found[:, -2:])


def test_distances_are_signed_and_end_together():
    assert distances(3).tolist() == [[0, 1, 2], [-1, 0, 1], [-2, -1, 0]]
    assert distances(1, 3).tolist() == [[-2, -1, 0]]


@pytest.mark.parametrize("way", WAYS)
def test_the_tiny_models_are_as_many_separate_models(way):
    torch.manual_seed(0)
    model, digits = Tiny(way, longest=9, seeds=2), torch.randint(10, (2, 3, 5))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    found = model(digits)
    assert found.shape == (2, 3, 5, 10)
    assert model(digits[..., :1]).isfinite().all() and model(torch.randint(10, (2, 1, 9))).isfinite().all()
    other = digits.clone()
    other[1] = (other[1] + 1) % 10
    torch.testing.assert_close(model(other)[0], found[0])
    order = torch.tensor([2, 0, 4, 1, 3])
    follows = torch.allclose(model(digits[..., order]), found[..., order, :], atol=1e-4)
    assert follows == (way == "none")
    found.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_held_hand_counts_only_beyond_the_distance_where_it_is_held():
    torch.manual_seed(0)
    model, mask = Tiny("rotary", seeds=2), causal_mask(12)
    digits = torch.randint(10, (2, 3, 12))
    own, weights = model.look(digits, mask)
    assert weights.shape == (2, 3, 4, 12, 12)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 4, 12))
    torch.testing.assert_close(with_hands_held(model, digits, mask, [], 3), own.detach(), atol=1e-4, rtol=1e-4)
    held = with_hands_held(model, digits, mask, [0, 1], furthest=5)
    torch.testing.assert_close(held[..., :6, :], own[..., :6, :].detach(), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(held[..., 6:, :], own[..., 6:, :], atol=1e-3)
    everything_at_once = with_hands_held(model, digits, mask, range(4), furthest=0)  # no hand turns: no positions
    torch.testing.assert_close(
        everything_at_once[..., -1, :],
        with_hands_held(model, digits.flip(-1), None, range(4), furthest=0)[..., 0, :],
        atol=1e-4,
        rtol=1e-4,
    )
    with pytest.raises(ValueError, match="^model: got the way 'none', expected 'rotary'"):
        with_hands_held(Tiny("none"), digits, mask, [], 3)


def test_a_tiny_model_refuses_a_way_that_it_does_not_know():
    with pytest.raises(ValueError, match="^way: got 'roman'"):
        Tiny("roman")


def test_learned_positions_end_where_they_end():
    module = LearnedPositions(4, 6)
    inputs = torch.zeros(2, 3, 6)
    torch.testing.assert_close(module(inputs), module.table[:3].expand(2, 3, 6))
    with pytest.raises(ValueError, match="^inputs: got length 5, expected at most longest = 4"):
        module(torch.zeros(1, 5, 6))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sinusoid(0, 4), "length: got 0"),
        (lambda: shift_matrix(1, 3), "size: got 3, expected an even number"),
        (lambda: rotary(torch.zeros(2, 5)), "size: got 5, expected an even number"),
        (lambda: alibi(0, 3), "heads: got 0"),
        (lambda: RelativeBias(2, 0), "furthest: got 0"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError) as caught:
        call()
    assert words in str(caught.value)


def test_the_pictures_show_every_place_and_every_way():
    plt.switch_backend("Agg")
    clocks(sinusoid(5, 6), [6.0, 60.0, 600.0])
    ax = plt.gcf().axes[0]
    assert len(ax.patches) == 5 * 3 and len(ax.get_yticklabels()) == 5
    with pytest.raises(ValueError, match="^periods: got 2"):
        clocks(sinusoid(5, 6), [6.0, 60.0])
    code_map(sinusoid(5, 6), "a title")
    product_against_distance(torch.arange(9), {"size 4": torch.rand(9)}, torch.ones(9))
    numbers = ([6, 12, 24], [99.0, 98.0, 50.0], [1.0, 1.0, 2.0])
    extrapolation({"one": {"a": numbers, "by hand": numbers[:2]}, "two": {"a": numbers, "b": numbers}}, trained=12)
    assert [text.get_text() for text in plt.gcf().legends[0].get_texts()] == ["a", "by hand", "b"]
    weight_against_distance({"a": [0.1] * 60, "b": [0.2] * 60}, trained=11)
    assert [line.get_label() for line in plt.gcf().axes[0].lines] == ["a", "b"]
    along_training({"one": {"a": numbers, "b": numbers}, "two": {"a": numbers}}, "a title")
    assert [ax.get_title(loc="left") or ax.get_title() for ax in plt.gcf().axes] == ["one", "two"]
    where_places_enter()
    written = " ".join(text.get_text() for text in plt.gcf().axes[0].texts)
    assert all(way.split()[0] in written for way in WAYS if way != "none")
    plt.close("all")
