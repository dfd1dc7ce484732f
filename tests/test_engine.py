"""The shop's engine and its sessions, held against plain loops, scikit-learn and the contract."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from course_utils.contract import audit
from course_utils.data import shop
from course_utils.data.sessions import (
    asking,
    descriptions,
    interest,
    session_chances,
    simulate_sessions,
    tokens,
    with_other_history,
)
from course_utils.models.engine import RULES, Engine, EngineAttention, encode
from course_utils.train.engine import (
    fit_engine,
    fit_search,
    on_page,
    page_auc,
    score_queries,
    score_sessions,
)

QUERIES = ["notebook for school", "bag", "tent for night"]


def visits(count=60, seed=0):
    return simulate_sessions(QUERIES, count, torch.Generator().manual_seed(seed))


def small(seed=0, **settings):
    torch.manual_seed(seed)
    return Engine(descriptions(), len(shop.WORDS), size=8, **settings)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**16))
@settings(max_examples=25, deadline=None)
def test_encode_equals_a_loop_and_padding_is_silent(batch, length, seed):
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(6, 3, generator=generator)
    words = torch.randint(6, (batch, length), generator=generator)
    mask = torch.rand(batch, length, generator=generator) < 0.6
    by_hand = torch.zeros(batch, 3)
    for row in range(batch):
        for place in range(length):
            if mask[row, place]:
                by_hand[row] += table[words[row, place]]
    torch.testing.assert_close(encode(words, mask, table), by_hand)


def test_sessions_say_what_they_promise():
    some = visits(400)
    assert not some.sold_out.gather(1, some.page).any()
    assert all(len(set(row)) == 8 for row in some.page.tolist())
    chances = session_chances(QUERIES, some)
    torch.testing.assert_close(chances.sum(-1), torch.ones(400))
    assert (chances[some.sold_out] == 0).all() and (chances[~some.sold_out] > 0).all()
    assert 0.1 < (some.seen.sum(1) == 0).float().mean() < 0.3


def test_who_has_no_click_clicks_as_in_lesson_01():
    some = visits(50)
    some = some._replace(seen=torch.zeros_like(some.seen), sold_out=torch.zeros_like(some.sold_out))
    chances = session_chances(QUERIES, some)
    for row in range(50):
        expected = shop.click_chances(QUERIES[some.query[row]], torch.arange(len(shop.GOODS)))
        torch.testing.assert_close(chances[row], expected)


def test_asking_hears_real_clicks_only():
    some = visits(100)
    weights = asking(some.history, some.seen)
    assert (weights.masked_select(~some.seen[:, None].expand_as(weights)) == 0).all()
    sums = weights.sum(-1)
    torch.testing.assert_close(sums, some.seen.any(1).float()[:, None].expand_as(sums))
    changed = torch.where(some.seen, some.history, 5)
    torch.testing.assert_close(interest(changed, some.seen), interest(some.history, some.seen))


def test_another_history_moves_nothing_else():
    some = visits(80)
    other = with_other_history(some, torch.Generator().manual_seed(1))
    for name in ("query", "sold_out", "page", "place"):
        assert torch.equal(getattr(other, name), getattr(some, name))
    assert not torch.equal(other.history, some.history)
    paired = [
        sorted(tuple(h) + tuple(s) for h, s in zip(x.history.tolist(), x.seen.tolist(), strict=True))
        for x in (some, other)
    ]
    assert paired[0] == paired[1]


def test_an_empty_list_of_queries_is_refused():
    with pytest.raises(ValueError, match="queries: got none"):
        simulate_sessions([], 3, torch.Generator())


@pytest.mark.parametrize("rule", RULES)
def test_the_attention_keeps_the_contract(rule):
    torch.manual_seed(0)
    report = audit(EngineAttention(12, 2, rule), size=12, heads=2, projects=True, show=False)
    assert not report.failed and len(report.passed) > 20


def test_another_rule_is_refused():
    with pytest.raises(ValueError, match="rule: got 'cosine'"):
        EngineAttention(8, 2, "cosine")


def test_what_is_sold_out_is_never_shown_and_only_that():
    some = visits()
    scores = score_sessions(small(), QUERIES, some)
    assert torch.equal(scores == -torch.inf, some.sold_out)
    answer = small().look(*tokens(QUERIES), some.history[:3], some.seen[:3], ~some.sold_out[:3])
    torch.testing.assert_close(answer.maps.sum(-1), torch.ones(3, 2))


def test_without_history_nobody_s_clicks_count_and_with_it_they_do():
    some = visits()
    other = with_other_history(some, torch.Generator().manual_seed(1))
    for history in (False, True):
        engine = small(history=history)
        same = torch.equal(score_sessions(engine, QUERIES, some), score_sessions(engine, QUERIES, other))
        assert same != history


def test_who_is_new_is_scored_by_the_query_alone():
    some = visits()
    nobody = some._replace(seen=torch.zeros_like(some.seen), sold_out=torch.zeros_like(some.sold_out))
    engine = small()
    by_query = score_queries(engine, QUERIES)
    torch.testing.assert_close(score_sessions(engine, QUERIES, nobody), by_query[some.query])


@given(st.integers(0, 2**16))
@settings(max_examples=20, deadline=None)
def test_auc_on_a_page_is_that_of_scikit_learn(seed):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(5, (9, 20), generator=generator).float()  # few values, so that many are level
    page = torch.rand(9, 20, generator=generator).argsort(-1)[:, :6]
    place = torch.randint(6, (9,), generator=generator)
    by_page = [
        roc_auc_score([int(at == clicked) for at in range(6)], scores[row, page[row]].numpy())
        for row, clicked in enumerate(place.tolist())
    ]
    assert page_auc(scores, page, place) == pytest.approx(sum(by_page) / 9)


def test_training_learns_and_changes_no_visit():
    some = visits(300)
    before = [part.clone() for part in some]
    engine = small()
    losses = fit_engine(engine, QUERIES, some, steps=60, batch=64)
    assert sum(losses[-10:]) < sum(losses[:10]) and not engine.training
    assert all(torch.equal(one, other) for one, other in zip(before, some, strict=True))
    assert (on_page(some).sum(-1) == 8).all()


def test_the_learned_search_beats_the_clerk_on_what_it_has_not_seen():
    learn_from, held_out = shop.split_queries(torch.Generator().manual_seed(0))
    clicks = shop.simulate_clicks(learn_from, 5000, torch.Generator().manual_seed(0))
    truth = torch.stack([shop.click_chances(text, torch.arange(len(shop.GOODS))) for text in held_out])
    words = shop.counts(held_out)
    found = fit_search(learn_from, clicks)(words, shop.keys()).detach()
    clerk = words @ shop.word_table() @ shop.keys().T
    assert shop.ndcg(found, truth).mean() > shop.ndcg(clerk, truth).mean() + 0.05
