"""A window in blocks equals attention under its mask; the batched form and the k best equal plain loops."""

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.attention import attend
from course_utils.attention.windows import batched_window_attend, last_mask, seen_through, top_k_attend, window_attend
from course_utils.contract.testing import contract

test_a_window_keeps_the_contract = contract(
    functools.partial(window_attend, window=3, block=2), returns="context", mask=None, causal=True, window=2
)
test_a_batched_window_keeps_the_contract = contract(
    functools.partial(batched_window_attend, window=3), returns="context", mask=None, causal=True, window=2,
    equal_lengths=True,
)  # fmt: skip
# Of two keys that score alike, exactly one may be the last of the k: which one depends on their order.
test_top_k_keeps_the_contract = contract(
    functools.partial(top_k_attend, k=3), returns="context", rule=None, known={"order-of-keys"}
)


def draw(seed, queries, keys):
    generator = torch.Generator().manual_seed(seed)
    shapes = (2, queries, 4), (2, keys, 4), (2, keys, 5)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


@pytest.mark.parametrize(
    ("queries", "keys", "window", "sinks"), [(6, 6, 3, 0), (2, 6, 3, 1), (5, 5, 9, 2), (4, 7, 1, 0)]
)
def test_the_mask_is_the_plain_rule(queries, keys, window, sinks):
    mask = last_mask(queries, keys, window, sinks)
    for i in range(queries):
        own = i + keys - queries
        seen = [j for j in range(keys) if j <= own and (own - j < window or j < sinks)]
        assert mask[i].nonzero().flatten().tolist() == seen


@settings(max_examples=60, deadline=None)
@given(*(st.integers(*ends) for ends in ((0, 99), (1, 20), (0, 9), (1, 9), (0, 4), (1, 9))))
def test_blocks_are_attention_under_the_mask(seed, queries, more, window, sinks, block):
    given = draw(seed, queries, queries + more)
    expected, _ = attend(*given, last_mask(queries, queries + more, window, sinks))
    torch.testing.assert_close(window_attend(*given, window, sinks, block), expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.integers(1, 20), st.integers(1, 9))
def test_the_batched_form_is_the_same(seed, length, window):
    given = draw(seed, length, length)
    torch.testing.assert_close(batched_window_attend(*given, window), window_attend(*given, window))


def test_gradients_are_those_of_attend():
    found = []
    for form in (lambda *g: window_attend(*g, 3, 1, 4), lambda *g: attend(*g, last_mask(9, 9, 3, 1))[0]):
        leaves = [one.requires_grad_() for one in draw(3, 9, 9)]
        found.append(torch.autograd.grad(form(*leaves).square().sum(), leaves))
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two)


def test_top_k_mixes_the_best_keys_only():
    query, key, value = draw(4, 5, 8)
    found = top_k_attend(query, key, value, 3)
    for b in range(2):
        for i in range(5):
            scores = key[b] @ query[b, i] / 2
            best = scores.argsort(descending=True)[:3]
            expected = torch.softmax(scores[best], 0) @ value[b, best]
            torch.testing.assert_close(found[b, i], expected)
    torch.testing.assert_close(top_k_attend(query, key, value, 8), attend(query, key, value)[0])


def test_news_travels_as_far_as_is_said():
    window, layers, length = 4, 3, 16
    start = torch.zeros(length, 1, dtype=torch.float64)
    start[0] = 1.0
    for _ in range(layers):
        start = window_attend(torch.zeros(length, 2), torch.zeros(length, 2), start.float(), window)
    assert start.nonzero()[:, 0].max() == seen_through(window, layers) == 9


def test_what_does_not_fit_is_refused_by_name():
    query, key, value = draw(0, 5, 8)
    for call, name in (
        (lambda: window_attend(query, key, value, 0), "window"),
        (lambda: window_attend(query, key, value, 2, -1), "sinks"),
        (lambda: window_attend(query, key, value, 2, 0, 0), "block"),
        (lambda: window_attend(key, query, value[:, :5], 2), "key"),
        (lambda: batched_window_attend(query, key, value, 2), "key"),
        (lambda: top_k_attend(query, key, value, 0), "k"),
        (lambda: top_k_attend(query, key, value, 1, torch.ones(5, 8)), "mask"),
        (lambda: seen_through(4, 0), "layers"),
    ):
        with pytest.raises(ValueError, match=f"^{name}: got"):
            call()
