"""A cache gives what recomputing gives; shared heads give what repeated ones give."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.attention.cache import Cache, places
from course_utils.attention.grouped import GroupedAttention, grouped_attend, repeated
from course_utils.attention.heads import MultiHeadAttention
from course_utils.attention.masks import causal_mask, padding_mask
from course_utils.contract.testing import contract
from course_utils.models.language import LanguageModel, generate

torch.manual_seed(0)
test_grouped_attention_keeps_the_contract = contract(
    GroupedAttention(24, 6, 2), size=24, heads=6, projects=True, returns="context"
)


def rows(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_what_was_appended_is_there_in_its_order(parts):
    key, value = rows(2, 3, sum(parts), 4), rows(2, 3, sum(parts), 5, seed=1)
    cache, start = Cache(), 0
    for part in parts:
        found = cache.append(key[..., start : start + part, :], value[..., start : start + part, :])
        start += part
        assert torch.equal(found[0], key[..., :start, :]) and torch.equal(found[1], value[..., :start, :])
        assert len(cache) == start and cache.numbers == 2 * 3 * start * (4 + 5)


def test_rows_and_forget():
    cache = Cache()
    key, value = rows(3, 4, 2), rows(3, 4, 2, seed=1)
    cache.append(key, value)
    cache.rows(torch.tensor([2, 0]))
    found, _ = cache.append(key[[2, 0], :1], value[[2, 0], :1])
    assert torch.equal(found, torch.cat([key[[2, 0]], key[[2, 0], :1]], 1))
    cache.forget(2)
    assert torch.equal(cache.append(key[[2, 0], 2:3], value[[2, 0], 2:3])[0], key[[2, 0], :3])


def test_no_gradient_flows_into_what_is_kept():
    cache = Cache()
    new = rows(1, 2, 3).requires_grad_()
    assert not cache.append(new, new)[0].requires_grad


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.sampled_from([1, 2, 3, 6]))
def test_several_new_queries_on_a_cached_prefix_are_the_whole_text(parts, groups):
    torch.manual_seed(1)
    attention, x = GroupedAttention(12, 6, groups).eval(), rows(2, sum(parts), 12)
    whole = attention(x, x, x, causal_mask(sum(parts)))
    cache, start, found = Cache(), 0, []
    for part in parts:
        new = x[:, start : start + part]
        start += part
        found.append(attention(new, new, new, causal_mask(part, start), cache))
    torch.testing.assert_close(torch.cat(found, 1), whole)
    assert cache.numbers == 2 * 2 * groups * 2 * sum(parts)  # batch · (key, value) · groups · head size · length


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("masked", [None, "keys", "heads"])
def test_groups_are_repeated_heads(groups, masked):
    query, key, value = rows(2, 6, 5, 4), rows(2, groups, 7, 4, seed=1), rows(2, groups, 7, 3, seed=2)
    mask = None
    if masked == "keys":
        mask = padding_mask(torch.tensor([7, 4]))[:, None]
    if masked == "heads":
        mask = torch.rand(2, 6, 5, 7, generator=torch.Generator().manual_seed(3)) > 0.3
    found = grouped_attend(query, key, value, mask)
    expected = F.scaled_dot_product_attention(query, repeated(key, 6), repeated(value, 6), mask)
    torch.testing.assert_close(found, expected)
    kernel = F.scaled_dot_product_attention(query, key, value, mask, enable_gqa=True)
    torch.testing.assert_close(found, kernel)


def test_as_many_groups_as_heads_are_multi_head_attention():
    torch.manual_seed(2)
    ours, theirs = GroupedAttention(12, 3, 3), MultiHeadAttention(12, 3)
    theirs.load_state_dict(ours.state_dict())
    x, mask = rows(2, 5, 12), padding_mask(torch.tensor([5, 2]))
    torch.testing.assert_close(ours(x, x, x, mask), theirs(x, x, x, mask)[0])


def test_tiles_are_no_repeated_heads():
    key = rows(2, 7, 4)
    assert torch.equal(repeated(key, 6)[2], key[0]) and not torch.equal(key.repeat(3, 1, 1)[1], key[0])


def test_places_count_real_tokens_only():
    mask = torch.tensor([[False, False, True, True], [True, True, True, True]])
    assert places(mask).tolist() == [[0, 0, 0, 1], [0, 1, 2, 3]]


def test_what_does_not_fit_is_refused_by_name():
    cache = Cache()
    cache.append(rows(1, 2, 4), rows(1, 2, 4))
    for call, name in (
        (lambda: cache.append(rows(1, 2, 4), rows(1, 3, 4)), "value"),
        (lambda: cache.append(rows(2, 1, 4), rows(2, 1, 4)), "key"),
        (lambda: cache.forget(3), "length"),
        (lambda: places(torch.ones(2, 2)), "mask"),
        (lambda: GroupedAttention(12, 6, 4), "groups"),
        (lambda: GroupedAttention(12, 5, 1), "heads"),
        (lambda: grouped_attend(rows(6, 1, 2), rows(4, 1, 2), rows(4, 1, 2)), "key"),
        (lambda: grouped_attend(rows(6, 1, 2), rows(2, 3, 2), rows(2, 2, 2)), "value"),
        (lambda: repeated(rows(4, 2, 2), 6), "heads"),
    ):
        with pytest.raises(ValueError, match=f"^{name}: got"):
            call()


@pytest.mark.parametrize("positions", ["sine", "learned", "rotary", "alibi", "relative", "none"])
def test_a_language_model_with_caches_says_what_it_says_without(positions):
    torch.manual_seed(3)
    model = LanguageModel(20, 16, 2, 32, 2, positions=positions).eval()
    tokens, caches, start, found = torch.randint(4, 20, (2, 9)), model.caches(), 0, []
    for stop in (3, 4, 7, 8, 9):  # several new tokens at once, and one
        found.append(model(tokens[:, start:stop], caches))
        start = stop
    torch.testing.assert_close(torch.cat(found, 1), model(tokens))


def test_it_writes_the_same_text():
    torch.manual_seed(4)
    model = LanguageModel(20, 16, 2, 32, 2).eval()
    prefix = torch.randint(4, 20, (3, 4))
    both = [
        generate(model, prefix, 12, generator=torch.Generator().manual_seed(0), cached=one) for one in (True, False)
    ]
    assert torch.equal(*both)
