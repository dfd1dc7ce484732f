"""Clicks and films: padding changes nothing, nobody sees the future, ranks are counted right, models learn."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from scipy.stats import spearmanr
from sklearn.metrics import ndcg_score, roc_auc_score

from course_utils.data.clicks import Visits, relevance, simulate_visits
from course_utils.data.films import Asked, newest
from course_utils.data.shop import NAMES
from course_utils.models.clicks import WEIGHINGS, ClickModel, TargetAttention
from course_utils.models.recommender import MeanOfHistory, SelfAttentive, TargetOverHistory
from course_utils.train.clicks import fit_clicks
from course_utils.train.ranking import (
    auc,
    fit_next,
    hit_rate,
    ndcg,
    popularity,
    rank_correlation,
    ranks,
    sampled,
    scores_of,
    seen,
    windows,
)

MODELS = [
    lambda films: MeanOfHistory(films, 8),
    lambda films: TargetOverHistory(films, 8),
    lambda films: SelfAttentive(films, 8, 2, 2, 20, 0.1),
]
NAMES_OF = ["mean", "target", "self"]


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def made(make, films=9):
    torch.manual_seed(0)
    model = make(films).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    with torch.no_grad():
        model.table.weight[0] = 0
    return model


# Clicks.


@pytest.mark.parametrize("weighing", WEIGHINGS)
def test_target_attention_is_what_a_loop_gives(weighing):
    torch.manual_seed(0)
    ask = TargetAttention(4, weighing)
    candidate, history = drawn(3, 4), drawn(3, 5, 4)
    mask = torch.arange(5) < torch.tensor([5, 2, 0])[:, None]
    context, weights = ask(candidate, history, mask)
    for row in range(3):
        score = [ask.net(torch.cat([candidate[row], h, candidate[row] * h])) for h in history[row][mask[row]]]
        total = sum(s.exp() for s in score) if score else None
        by_hand = {
            "mean": [1 / len(score) for _ in score],
            "sum": [1.0 for _ in score],
            "sigmoid": [1 / (1 + (-s).exp()) for s in score],
            "softmax": [s.exp() / total for s in score],
        }[weighing]
        expected = sum((w * h for w, h in zip(by_hand, history[row], strict=False)), torch.zeros(4))
        torch.testing.assert_close(context[row], expected)
        assert not weights[row][~mask[row]].any()


@pytest.mark.parametrize("weighing", WEIGHINGS)
def test_what_stands_in_padding_changes_nothing(weighing):
    torch.manual_seed(0)
    model = ClickModel(len(NAMES), weighing).eval()
    visits = simulate_visits(30, torch.Generator().manual_seed(0))
    other = visits._replace(history=torch.where(visits.mask, visits.history, 5))
    torch.testing.assert_close(model(visits), model(other))


def test_softmax_cannot_count_and_sigmoid_can():
    """The same fitting click once or four times: weights that sum to 1 give the same context."""
    torch.manual_seed(0)
    once, often = torch.tensor([[7, 0, 0, 0]]), torch.tensor([[7, 7, 7, 7]])
    masks = torch.tensor([[True, False, False, False]]), torch.ones(1, 4, dtype=torch.bool)
    for weighing, same in (("softmax", True), ("sigmoid", False)):
        model = ClickModel(len(NAMES), weighing).eval()
        found = [
            model(Visits(history, mask, torch.tensor([3]), torch.zeros(1), torch.zeros(1)))[0]
            for history, mask in zip((once, often), masks, strict=True)
        ]
        assert torch.allclose(*found, atol=1e-6) == same


@pytest.mark.parametrize("counts", ["sum", "mean"])
def test_clicks_happen_as_often_as_their_chances_say(counts):
    visits = simulate_visits(20000, torch.Generator().manual_seed(0), counts)
    for low in (0.0, 0.25, 0.5, 0.75):
        rows = (visits.chance >= low) & (visits.chance < low + 0.25)
        assert abs(visits.clicked[rows].mean() - visits.chance[rows].mean()) < 0.04
    assert visits.mask.sum(1).min() == 2 and visits.mask[:, 0].all()


def test_relevance_is_what_the_chance_is_made_of():
    visits, relevant = simulate_visits(50, torch.Generator().manual_seed(0)), relevance()
    for row in range(50):
        fits = sum(float(relevant[g, visits.candidate[row]]) for g in visits.history[row][visits.mask[row]])
        assert visits.chance[row].item() == pytest.approx(1 / (1 + math.exp(2 - 1.2 * fits)), abs=1e-4)
    assert torch.allclose(relevant.diagonal(), torch.ones(len(NAMES)), atol=1e-5) and relevant.min() >= 0


def test_a_model_of_clicks_learns():
    visits = simulate_visits(4000, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    model = ClickModel(len(NAMES))
    losses = fit_clicks(model, visits, 150)
    assert abs(losses[0] - math.log(2)) < 0.1 and not model.training
    assert auc(model(visits)[0].detach(), visits.clicked) > 0.75


# Films.


@pytest.mark.parametrize("make", MODELS, ids=NAMES_OF)
def test_no_place_sees_what_comes_after_it_nor_padding(make):
    model = made(make)
    history = torch.tensor([[3, 1, 7, 2, 5], [4, 4, 6, 1, 9]])
    scores = model(history)
    changed = history.clone()
    changed[:, 3:] = torch.tensor([8, 3])
    torch.testing.assert_close(model(changed)[:, :3], scores[:, :3])
    assert not torch.allclose(model(changed)[:, 3:], scores[:, 3:], atol=1e-3)
    padded = torch.nn.functional.pad(history, (3, 0))
    torch.testing.assert_close(model(padded)[:, 3:], scores, rtol=1e-4, atol=1e-5)


def test_the_mean_is_a_mean_and_target_attention_is_attention():
    history = torch.tensor([[0, 3, 1, 7]])
    mean, target = made(MODELS[0]), made(MODELS[1])
    vectors = mean.table.weight[torch.tensor([3, 1, 7])]
    torch.testing.assert_close(mean(history)[0, -1], mean.table.weight @ vectors.mean(0) + mean.bias)
    vectors, ago = target.table.weight[torch.tensor([3, 1, 7])], torch.tensor([-2.0, -1.0, 0.0])
    for film in (1, 5):
        query = target.query(target.table.weight[film]) / math.sqrt(8)
        weights = (target.key(vectors) @ query + target.fading * ago).softmax(0)
        expected = weights @ vectors @ target.table.weight[film] + target.bias[film]
        torch.testing.assert_close(target(history)[0, -1, film], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(target.weights(history, torch.tensor([film]))[0, 1:], weights)


@pytest.mark.parametrize("make", MODELS, ids=NAMES_OF)
def test_models_of_films_begin_near_a_guess_and_learn_what_follows(make):
    """Films come in a circle of nine: what follows is certain, for who looks at the newest."""
    histories = [torch.arange(start, start + 12) % 9 + 1 for start in range(9)] * 4
    torch.manual_seed(0)
    model = make(9)
    losses = fit_next(model, histories, 40, 0.03, length=10, batch=12)
    assert abs(losses[0] - math.log(10)) < 0.9 and losses[-1] < losses[0] and not model.training
    if isinstance(model, SelfAttentive):
        asked = Asked([row[:4] for row in histories[:9]], torch.stack([row[4] for row in histories[:9]]))
        unseen = seen(asked.histories, 9)
        assert hit_rate(ranks(scores_of(model, asked.histories, 10), asked.target, unseen), 1) == 1


def test_windows_predict_every_film_but_the_first_once():
    histories = [torch.arange(1, 24), torch.arange(30, 33)]
    pieces = windows(histories, 10)
    assert sorted(film for row in pieces for film in row[1:][row[:-1] != 0].tolist()) == [*range(2, 24), 31, 32]
    assert pieces.shape == (4, 11) and pieces[0].tolist() == list(range(13, 24))


def test_scores_of_leaves_the_model_as_it_was():
    model = made(MODELS[2]).train()
    histories = [torch.tensor([1, 2]), torch.tensor([3])]
    alone = torch.cat([scores_of(model, [row], 20) for row in histories])
    torch.testing.assert_close(scores_of(model, histories, 20), alone)
    assert model.training and newest(histories, 3)[1].tolist() == [0, 0, 3]


# Ranks and what is read off them.


@given(st.lists(st.integers(0, 6), min_size=2, max_size=12), st.data())
def test_a_rank_is_the_mean_place_over_all_ways_to_break_ties(scores, data):
    target = data.draw(st.integers(0, len(scores) - 1))
    better = sum(one > scores[target] for one in scores)
    equal = sum(one == scores[target] for one in scores)
    found = ranks(torch.tensor([scores]).float(), torch.tensor([target]))
    assert found.item() == pytest.approx(sum(better + place for place in range(1, equal + 1)) / equal)


def test_what_was_seen_is_not_ranked():
    scores = torch.tensor([[9.0, 8.0, 7.0, 6.0, 5.0]])
    left_out = seen([torch.tensor([1, 2])], 4)
    assert left_out.tolist() == [[True, True, True, False, False]]
    assert ranks(scores, torch.tensor([4]), left_out).item() == 2
    with pytest.raises(ValueError, match="left_out: got a target"):
        ranks(scores, torch.tensor([2]), left_out)


def test_ndcg_and_auc_and_rank_correlation_are_those_of_libraries():
    scores, target = drawn(20, 30), torch.arange(20)
    found = ranks(scores, target)
    gains = torch.nn.functional.one_hot(target, 30)
    assert ndcg(found, 10) == pytest.approx(ndcg_score(gains.numpy(), scores.numpy(), k=10), abs=1e-6)
    assert hit_rate(found, 10) == (scores.argsort(1, descending=True)[:, :10] == target[:, None]).any(1).float().mean()
    clicked = (drawn(200, seed=1) > 0).float()
    rough = (3 * (drawn(200, seed=2) + clicked)).round()  # with many ties
    assert auc(rough, clicked) == pytest.approx(roc_auc_score(clicked, rough))
    assert rank_correlation(rough, clicked + drawn(200, seed=3)) == pytest.approx(
        spearmanr(rough, clicked + drawn(200, seed=3)).statistic
    )


def test_ranking_among_a_few_flatters_by_about_their_share():
    """A model that knows nothing: its target stands anywhere, so among 100 others one in ten is a hit."""
    scores, target = drawn(4000, 1000), torch.zeros(4000, dtype=torch.long)
    nothing = torch.zeros(4000, 1000, dtype=torch.bool)
    few = sampled(scores, target, nothing, 100, torch.Generator().manual_seed(0))
    assert abs(hit_rate(few) - 10 / 101) < 0.02 and abs(hit_rate(ranks(scores, target)) - 0.01) < 0.01
    assert few.max() <= 101


def test_popularity_counts():
    assert popularity([torch.tensor([1, 3]), torch.tensor([3])], 4).tolist() == [0, 1, 0, 2, 0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: simulate_visits(5, torch.Generator(), "max"), "counts: got 'max'"),
        (lambda: simulate_visits(0, torch.Generator()), "count: got 0"),
        (lambda: TargetAttention(4, "max"), "weighing: got 'max'"),
        (lambda: TargetAttention(4)(drawn(2, 4), drawn(2, 3, 4), torch.ones(2, 3)), "mask: got torch.float32"),
        (lambda: ClickModel(0), "goods: got 0"),
        (lambda: MeanOfHistory(0, 8), "films: got 0"),
        (lambda: SelfAttentive(5, 8, length=3)(torch.ones(1, 4, dtype=torch.long)), "history: got 4 places"),
        (lambda: auc(torch.ones(3), torch.ones(3)), "clicked: got 3 clicks and 0 without"),
        (lambda: rank_correlation(torch.ones(3), torch.rand(3)), "one, other: got values that are all equal"),
        (lambda: hit_rate(torch.ones(3), 0), "at: got 0"),
        (lambda: newest([torch.tensor([1])], 0), "length: got 0"),
    ],
)
def test_what_cannot_be_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()
