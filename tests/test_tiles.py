"""Attention in tiles equals the readable form, in values and gradients, whatever the tile and whatever is hidden."""

import functools
import math
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.attention import attend
from course_utils.attention.masks import causal_mask
from course_utils.attention.tiles import Running, add_tile, tiled_attend
from course_utils.contract.testing import contract

TIGHT = {"atol": 1e-10, "rtol": 1e-10}
test_tiles_keep_the_contract = contract(functools.partial(tiled_attend, tile=3), returns="context")
test_causal_tiles_keep_the_contract = contract(
    functools.partial(tiled_attend, tile=2, causal=True), returns="context", causal=True
)


def draw(seed, queries=7, keys=11, leading=(2, 3)):
    generator = torch.Generator().manual_seed(seed)
    shapes = (*leading, queries, 4), (*leading, keys, 4), (*leading, keys, 5)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def both(given, mask=None, tile=3, causal=False):
    """Context and gradients of the tiled form and of the readable one."""
    seen = causal_mask(given[0].shape[-2], given[1].shape[-2]) if causal else True
    full = (mask & seen if mask is not None else seen) if causal else mask
    found = []
    for form in (lambda *g: tiled_attend(*g, mask, tile, causal), lambda *g: attend(*g, full)[0]):
        leaves = [one.clone().requires_grad_() for one in given]
        context = form(*leaves)
        direction = torch.randn(context.shape, generator=torch.Generator().manual_seed(1), dtype=context.dtype)
        found.append((context, *torch.autograd.grad((context * direction).sum(), leaves)))
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 12), st.booleans(), st.sampled_from([None, 0.5, 0.9]))
def test_values_and_gradients_are_those_of_attend(seed, tile, causal, hidden):
    mask = None
    if hidden is not None:  # with so much hidden whole tiles and whole rows are
        mask = torch.rand(2, 1, 7, 11, generator=torch.Generator().manual_seed(seed)) > hidden
    for one, two in zip(*both(draw(seed), mask, tile, causal), strict=True):
        torch.testing.assert_close(one, two, **TIGHT)


def test_a_fully_hidden_first_tile_adds_nothing():
    mask = torch.ones(7, 11, dtype=torch.bool)
    mask[:, :6] = False
    mask[2] = False
    context, *gradients = both(draw(0), mask)[0]
    assert context.isfinite().all() and (context[..., 2, :] == 0).all()
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert (gradients[1][..., :6, :] == 0).all() and (gradients[0][..., 2, :] == 0).all()


def test_a_pass_over_tiles_knows_its_sum_in_any_order():
    scores, value = torch.tensor([[3.0, -1.0, 900.0, 2.0]]), torch.eye(4)
    for order in ([0, 1, 2, 3], [2, 3, 0, 1]):
        running = Running(torch.full((1, 1), -math.inf), torch.zeros(1, 1), torch.zeros(1, 4))
        for pair in (order[:2], order[2:]):
            running = add_tile(running, scores[:, pair], value[pair])
        torch.testing.assert_close(running.context / running.total, torch.softmax(scores, -1))


@pytest.mark.parametrize("shape", [(), (7, 1), (1, 11), (11,), (2, 1, 1, 11)])
def test_masks_of_every_broadcastable_shape(shape):
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(3)) > 0.4
    for one, two in zip(*both(draw(1), mask), strict=True):
        torch.testing.assert_close(one, two, **TIGHT)


def test_heads_that_share_keys_and_nothing_in_front():
    query, key, value = draw(2)
    for parts in ([query, key[:, :1], value[:1, :1]], [query[0, 0], key[0, 0], value[0, 0]]):
        for one, two in zip(*both(parts), strict=True):
            torch.testing.assert_close(one, two, **TIGHT)


def test_gradcheck_and_half_precision():
    assert torch.autograd.gradcheck(lambda *g: tiled_attend(*g, None, 4, True), [x.requires_grad_() for x in draw(5)])
    half = [one.detach().bfloat16() for one in draw(6, 300, 300)]
    exact = attend(*(one.float() for one in half))[0]
    assert tiled_attend(*half).dtype == torch.bfloat16
    torch.testing.assert_close(tiled_attend(*half).float(), exact, atol=4e-3, rtol=1e-2)


def test_the_kernel_of_pytorch_agrees():
    given = [one.float() for one in draw(7, 11, 11)]
    torch.testing.assert_close(
        tiled_attend(*given, causal=True), F.scaled_dot_product_attention(*given, is_causal=True)
    )


def test_memory_at_4096_is_less_than_a_tenth():
    """Each in a fresh process."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
    import cheaper

    naive, tiles = (cheaper.in_fresh_process(name, 4096) for name in ("naive", "tiles"))
    if math.isnan(naive):
        pytest.skip("this system does not say how much memory a process has held")
    assert naive > cheaper.HEADS * 4096**2 * 4 / 2**20 and tiles < naive / 10


def test_what_does_not_fit_is_refused_by_name():
    query, key, value = draw(0)
    for arguments, name in (
        ((query, key[..., :3], value), "key"),
        ((query, key, value[..., :5, :]), "value"),
        ((query, key, value, torch.ones(7, 11)), "mask"),
        ((query, key, value, torch.ones(3, 11, dtype=torch.bool)), "mask"),
        ((query, key, value, None, 0), "tile"),
        ((key, query, value[..., :7, :], None, 3, True), "key"),
    ):
        with pytest.raises(ValueError, match=f"^{name}: got"):
            tiled_attend(*arguments)
