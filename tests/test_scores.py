"""The scores with parameters: against plain loops and PyTorch's own, in every shape, and blind where they must be."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from course_utils.attention import attend
from course_utils.attention.scores import Additive, Bilinear, ConcatLinear, ConcatTanhSum, ConcatToSlots, PairLinear

QUERY_SIZE, KEY_SIZE, HIDDEN, KEYS = 4, 3, 6, 5
MAKERS = {
    "Additive": lambda: Additive(QUERY_SIZE, KEY_SIZE, HIDDEN),
    "Bilinear": lambda: Bilinear(QUERY_SIZE, KEY_SIZE),
    "ConcatLinear": lambda: ConcatLinear(QUERY_SIZE, KEY_SIZE),
    "ConcatTanhSum": lambda: ConcatTanhSum(QUERY_SIZE, KEY_SIZE, HIDDEN),
    "ConcatToSlots": lambda: ConcatToSlots(QUERY_SIZE, KEY_SIZE, KEYS),
}
COMPARING = ["Additive", "Bilinear", "ConcatTanhSum"]
every_score = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
comparing = pytest.mark.parametrize("make", [MAKERS[name] for name in COMPARING], ids=COMPARING)


def draw(*leading, queries=2, keys=KEYS, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(*leading, queries, QUERY_SIZE, generator=generator, dtype=torch.float64)
    key = torch.randn(*leading, keys, KEY_SIZE, generator=generator, dtype=torch.float64)
    return query.to(dtype), key.to(dtype)


def by_loops(score, query, key):
    """The literal rule, one pair at a time, on query (query, size) and key (key, size)."""
    rows = []
    for one in query:
        if isinstance(score, ConcatToSlots):
            rows.append(score.linear.weight @ torch.cat([one, key[0]]) + score.linear.bias)
            continue
        row = []
        for other in key:
            if isinstance(score, Bilinear):
                row.append(
                    sum(one[m] * score.weight[m, n] * other[n] for m in range(len(one)) for n in range(len(other)))
                )
                continue
            hidden = score.linear.weight @ torch.cat([one, other]) + score.linear.bias
            if isinstance(score, ConcatLinear):
                row.append(hidden[0])
            else:
                v = score.v.weight[0] if isinstance(score, Additive) else torch.ones(HIDDEN).double()
                row.append(sum(v[h] * torch.tanh(hidden[h]) for h in range(HIDDEN)))
        rows.append(torch.stack(row))
    return torch.stack(rows)


@every_score
def test_equals_plain_loops(make):
    score, (query, key) = make().double(), draw()
    torch.testing.assert_close(score(query, key), by_loops(score, query, key))


def test_the_split_weight_equals_the_literal_concatenation():
    layer, (query, key) = PairLinear(QUERY_SIZE, KEY_SIZE, HIDDEN).double(), draw(3, 2)
    shape = (3, 2, 2, KEYS)
    pairs = torch.cat([query[..., :, None, :].expand(*shape, -1), key[..., None, :, :].expand(*shape, -1)], dim=-1)
    literal = nn.functional.linear(pairs, layer.weight, layer.bias)
    torch.testing.assert_close(layer(query, key), literal)


def test_the_split_weight_never_builds_the_pairs():
    layer, (query, key) = PairLinear(QUERY_SIZE, KEY_SIZE, HIDDEN), draw(queries=50, keys=70, dtype=torch.float32)
    with torch.no_grad(), FlopCounterMode(display=False) as operations:
        layer(query, key)
    assert operations.get_total_flops() == 2 * HIDDEN * (50 * QUERY_SIZE + 70 * KEY_SIZE)


def test_bilinear_equals_pytorchs():
    score, (query, key) = Bilinear(QUERY_SIZE, KEY_SIZE).double(), draw(3)
    layer = nn.Bilinear(QUERY_SIZE, KEY_SIZE, 1, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(score.weight[None])
    pairs = query[:, :, None].expand(3, 2, KEYS, -1).contiguous(), key[:, None].expand(3, 2, KEYS, -1).contiguous()
    torch.testing.assert_close(score(query, key), layer(*pairs).squeeze(-1))


def test_bilinear_starts_with_scores_of_variance_1():
    torch.manual_seed(0)
    query, key = torch.randn(300, 256), torch.randn(300, 64)
    assert Bilinear(256, 64)(query, key).var().item() == pytest.approx(1, abs=0.1)


def test_rule_2_is_additive_with_v_fixed_to_ones():
    rule, additive = ConcatTanhSum(QUERY_SIZE, KEY_SIZE, HIDDEN), Additive(QUERY_SIZE, KEY_SIZE, HIDDEN)
    additive.linear = rule.linear
    nn.init.ones_(additive.v.weight)
    query, key = draw(2, dtype=torch.float32)
    torch.testing.assert_close(rule(query, key), additive(query, key))
    assert rule(100 * query, 100 * key).abs().max() <= HIDDEN + 1e-5


@every_score
def test_gradients_are_right(make):
    score, (query, key) = make().double(), draw(2)
    parameters = tuple(score.parameters())
    inputs = (query.requires_grad_(), key.requires_grad_(), *parameters)
    assert torch.autograd.gradcheck(lambda query, key, *_: score(query, key), inputs)


@every_score
@settings(deadline=None, max_examples=25)
@given(leading=st.lists(st.integers(1, 3), max_size=3), queries=st.integers(1, 4))
def test_any_leading_axes_give_the_rows_of_each(make, leading, queries):
    score, (query, key) = make().double(), draw(*leading, queries=queries)
    before = query.clone(), key.clone()
    found = score(query, key)
    assert found.shape == (*leading, queries, KEYS)
    flat = zip(query.reshape(-1, queries, QUERY_SIZE), key.reshape(-1, KEYS, KEY_SIZE), strict=True)
    torch.testing.assert_close(found.reshape(-1, queries, KEYS), torch.stack([score(q, k) for q, k in flat]))
    assert torch.equal(query, before[0]) and torch.equal(key, before[1])


@every_score
def test_leading_axes_broadcast(make):
    score, (query, _), (_, key) = make().double(), draw(3, 1), draw(2)
    assert score(query, key).shape == (3, 2, 2, KEYS)


@pytest.mark.parametrize("make", [make for name, make in MAKERS.items() if name != "ConcatToSlots"])
@settings(deadline=None, max_examples=15)
@given(keys=st.integers(1, 9), queries=st.integers(1, 4))
def test_any_number_of_keys_and_weights_follow_their_keys(make, keys, queries):
    score, (query, key) = make().double(), draw(2, queries=queries, keys=keys)
    order = torch.randperm(keys, generator=torch.Generator().manual_seed(keys))
    torch.testing.assert_close(score(query, key)[..., order], score(query, key[:, order]))


@comparing
def test_rules_that_compare_move_with_query_and_keys(make):
    score, (query, key) = make().double(), draw()
    weights = torch.softmax(score(query, key), dim=-1)
    assert not torch.allclose(weights, torch.softmax(score(query.flip(0), key), dim=-1), atol=1e-4)
    moved = key.clone()
    moved[2] += 1
    assert not torch.allclose(weights, torch.softmax(score(query, moved), dim=-1), atol=1e-4)


def test_rule_1_per_key_is_blind_to_the_query():
    score, (query, key) = MAKERS["ConcatLinear"]().double(), draw(2)
    weights = torch.softmax(score(query, key), dim=-1)
    torch.testing.assert_close(weights, torch.softmax(score(query * 7 - 3, key), dim=-1))
    assert not torch.allclose(score(query, key), score(query * 7 - 3, key))


def test_rule_1_to_slots_is_blind_to_the_other_keys():
    score, (query, key) = MAKERS["ConcatToSlots"]().double(), draw(2)
    moved = key.clone()
    moved[:, 1:] = 100
    assert torch.equal(score(query, key), score(query, moved))
    assert torch.equal(score(query, key), score(query, key[:, [0, 3, 4, 2, 1]]))
    with pytest.raises(ValueError, match="key: got shape .* expected 5 keys"):
        score(query, key[:, :4])


@every_score
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_finite(make, dtype):
    score, (query, key) = make().to(dtype), draw(2, dtype=dtype)
    scores = score(100 * query, 100 * key)
    assert scores.dtype == dtype and torch.isfinite(scores).all()
    assert torch.isfinite(attend(100 * query, 100 * key, key, score=score)[0]).all()


@every_score
def test_wrong_sizes_are_named(make):
    score, (query, key) = make().double(), draw(2)
    with pytest.raises(ValueError, match=r"query: got shape \(2, 2, 3\), expected \(…, query, 4\)"):
        score(query[..., :3], key)
    with pytest.raises(ValueError, match=r"key: got shape \(2, 5, 2\), expected \(…, key, 3\)"):
        score(query, key[..., :2])
    with pytest.raises(ValueError, match="query: got shape"):
        score(query[0, 0], key)
    swapped = torch.randn(2, 2, KEY_SIZE).double(), torch.randn(2, KEYS, QUERY_SIZE).double()
    with pytest.raises(ValueError, match="query: got shape"):  # the sum of the sizes is right, each of them is wrong
        score(*swapped)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: Additive(0, 3, 4), "query_size"),
        (lambda: Additive(2, 3, 0), "hidden"),
        (lambda: Bilinear(2, -1), "key_size"),
        (lambda: ConcatLinear(2, 1.5), "key_size"),
        (lambda: ConcatTanhSum(2, 3, True), "hidden"),
        (lambda: ConcatToSlots(2, 3, 0), "slots"),
    ],
)
def test_bad_constructions_are_named(build, name):
    with pytest.raises(ValueError, match=f"^{name}: got .*, expected a whole number of at least 1"):
        build()
