"""The shop: its catalogue and words, the shoppers who click, the ranking measure, and that clicks teach something."""

import itertools
import math

import matplotlib
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import ndcg_score
from torch import nn

from course_utils.data import catalogue, shop
from course_utils.plots import shop as pictures
from course_utils.train.fit import fit

EVERY = torch.arange(len(shop.GOODS))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def weights(queries, temperature=0.2):
    return torch.softmax(shop.counts(queries) @ shop.word_table() @ shop.keys().T / temperature, -1)


def share(row, names):
    return sum(row[shop.NAMES.index(name)].item() for name in names)


def test_catalogue_is_large_unique_and_in_range():
    assert len(shop.GOODS) >= 40 and len(shop.GOODS) % catalogue.SHELF == 0
    assert len(set(shop.NAMES)) == len({good.chinese for good in shop.GOODS}) == len(shop.GOODS)
    assert shop.keys().shape == (len(shop.GOODS), len(shop.ATTRIBUTES))
    assert shop.keys().min() == 0 and shop.keys().max() == 1
    assert (shop.keys().sum(0) > 0).all() and (shop.keys().sum(1) > 0).all()
    assert len(shop.keys().unique(dim=0)) == len(shop.GOODS), "two goods could not be told apart"
    assert shop.values().shape == (len(shop.GOODS), len(shop.FACTS)) != shop.keys().shape
    assert (shop.values() > 0).all() and (shop.values()[:, 2] <= 5).all()


def test_words_have_rows_unless_they_are_purposes():
    rows = dict(zip(shop.WORDS, shop.word_table(), strict=True))
    assert {word for word, row in rows.items() if row.sum() == 0} == set(shop.PURPOSES)
    assert set(shop.MEANINGS) == set(shop.WORDS) and {"school", "gift", "camping"} <= set(shop.PURPOSES)


def test_notebook_is_really_ambiguous_and_a_word_decides():
    laptops, paper = ["laptop", "gaming laptop", "ultrabook"], ["lined notebook", "spiral notebook", "leather journal"]
    alone, pen, charger = weights(["notebook", "notebook and pen", "notebook with charger"])
    assert share(alone, laptops) > 0.25 and share(alone, paper) > 0.25
    assert share(pen, paper) > 3 * share(pen, laptops)
    assert share(charger, laptops) > 0.9 and share(charger, paper) < 0.01


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("Notebook, for SCHOOL!", ["notebook", "school"]),
        ("笔记本", ["notebook"]),  # and not 笔, a pen
        ("笔记本电脑", ["notebook", "computer"]),
        ("学校的笔", ["pen", "school"]),
        ("charger bag", ["bag", "charger"]),
    ],
)
def test_queries_are_read_in_both_languages(query, words):
    assert shop.read(query) == words


def test_meanings_multiply_and_those_that_agree_are_likelier():
    wishes, chances = shop.meanings("notebook for school")
    assert wishes.shape == (4, len(shop.ATTRIBUTES))
    assert chances.sum() == pytest.approx(1) and chances.argmax() == 2 and chances[2] > 0.5  # paper, to write
    wishes, chances = shop.meanings("notebook")
    assert torch.allclose(chances, torch.tensor([0.5, 0.5]))


def test_click_chances_are_the_mixture_of_choices_by_hand():
    page = torch.tensor([0, 12, 25])
    wishes, chances = shop.meanings("notebook for school")
    expected = torch.zeros(3)
    for wish, chance in zip(wishes, chances, strict=True):
        suits = [float(shop.keys()[g] @ wish) + float(shop.values()[g, 2]) - 4.5 for g in page.tolist()]
        powers = [math.exp(s / shop.TEMPERATURE) for s in suits]
        expected += chance * torch.tensor(powers) / sum(powers)
    assert torch.allclose(shop.click_chances("notebook for school", page), expected, atol=1e-5)
    batch = shop.click_chances("notebook for school", page.expand(2, 5, 3))
    assert batch.shape == (2, 5, 3) and torch.allclose(batch[1, 4], expected, atol=1e-5)


def test_chances_do_not_depend_on_the_place_on_the_page():
    page = torch.tensor([3, 40, 17, 8])
    turned = torch.tensor([2, 0, 3, 1])
    chances = shop.click_chances("gift", page)
    assert torch.allclose(shop.click_chances("gift", page[turned]), chances[turned])


def test_simulated_clicks_follow_the_chances():
    clicks = shop.simulate_clicks(["lamp", "gift for travel"], 40_000, seeded(1))
    assert clicks.query.shape == clicks.place.shape == (40_000,) and clicks.page.shape == (40_000, 8)
    assert (clicks.page.sort(-1).values.diff(dim=-1) > 0).all(), "a good stands twice on a page"
    for number, query in enumerate(["lamp", "gift for travel"]):
        mine = clicks.query == number
        chances = shop.click_chances(query, clicks.page[mine])  # (click, place)
        goods = clicks.page[mine].gather(1, clicks.place[mine][:, None])[:, 0]
        expected = torch.zeros(len(EVERY)).index_add(0, clicks.page[mine].flatten(), chances.flatten())
        found = goods.bincount(minlength=len(EVERY)).float()
        spread = expected.clamp(min=1).sqrt()  # at most: the chances of a page are not independent
        assert ((found - expected).abs() < 5 * spread).all()


def test_clicks_repeat_with_the_seed_and_leave_the_global_state_alone():
    state = torch.get_rng_state()
    one, two = (shop.simulate_clicks(["lamp"], 50, seeded(3)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert torch.equal(torch.get_rng_state(), state)


def test_popularity_counts_clicks_per_showing():
    clicks = shop.Clicks(torch.tensor([0, 0, 0]), torch.tensor([[1, 2], [1, 3], [2, 1]]), torch.tensor([0, 1, 1]))
    rates = shop.popularity(clicks)
    assert rates[1] == pytest.approx(2 / 3) and rates[2] == 0 and rates[3] == 1 and rates[4] == 0
    assert rates.shape == (len(shop.GOODS),)


def test_held_out_queries_hold_known_words_in_new_pairs():
    train, apart = shop.split_queries(seeded())
    assert len(apart) == 40 and "notebook for school" in apart and not set(apart) & set(train)
    assert len(train) + len(apart) == len(shop.WORDS) + len(shop.NOUNS) * len(shop.PURPOSES)
    assert {word for query in apart for word in shop.read(query)} <= set(train)
    assert shop.split_queries(seeded()) == (train, apart) != shop.split_queries(seeded(1))


@pytest.mark.parametrize("at", [1, 5, 10, 48, 100])
def test_ndcg_agrees_with_scikit_learn(at):
    scores, gains = torch.randn(12, 48, generator=seeded()), torch.rand(12, 48, generator=seeded(1)) ** 3
    theirs = ndcg_score(gains.numpy(), scores.numpy(), k=at, ignore_ties=True)
    assert shop.ndcg(scores, gains, at=at).mean().item() == pytest.approx(theirs, abs=1e-5)


def test_ndcg_is_one_for_the_best_ranking_and_keeps_leading_axes():
    gains = torch.rand(2, 3, 20, generator=seeded())
    assert torch.allclose(shop.ndcg(gains * 7 - 1, gains), torch.ones(2, 3))
    assert (shop.ndcg(-gains, gains) < 1).all()


def test_rank_keeps_the_order_of_the_catalogue_where_scores_are_equal():
    assert shop.rank(torch.tensor([1.0, 3.0, 1.0 + 1e-7, 3.0, 2.0])).tolist() == [1, 3, 4, 0, 2]


def learned_quality(train, apart, clicks, seed=0):
    generator, words, key = seeded(seed), shop.counts(train), shop.keys()
    torch.manual_seed(seed)
    model = nn.ModuleList([nn.Linear(len(shop.WORDS), 16, bias=False), nn.Linear(key.shape[1], 16, bias=False)])

    def loss(step):
        batch = torch.randint(len(clicks.query), (512,), generator=generator)
        scores = (model[0](words) @ model[1](key).T / 4)[clicks.query[batch]].gather(-1, clicks.page[batch])
        return F.cross_entropy(scores, clicks.place[batch])

    fit(model, loss, steps=300, learning_rate=3e-2)
    truth = torch.stack([shop.click_chances(query, EVERY) for query in apart])
    scores = (model[0](shop.counts(apart)) @ model[1](key).T).detach()
    clerk = shop.counts(apart) @ shop.word_table() @ key.T
    return tuple(shop.ndcg(s, truth).mean().item() for s in (scores, clerk, shop.popularity(clicks).expand_as(truth)))


@pytest.mark.parametrize("seed", range(3))
def test_learning_from_clicks_improves_the_ranking_of_held_out_queries(seed, monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", "0")
    train, apart = shop.split_queries(seeded(seed))
    learned, clerk, popular = learned_quality(train, apart, shop.simulate_clicks(train, 20_000, seeded(seed)), seed)
    assert learned > 0.88 and learned > clerk + 0.1 and clerk > popular + 0.2


def test_what_is_missing_after_learning_comes_from_ratings_and_double_meanings(monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", "0")
    train, apart = shop.split_queries(seeded())
    both, _, _ = learned_quality(train, apart, shop.simulate_clicks(train, 50_000, seeded()))
    monkeypatch.setattr(shop, "MEANINGS", {word: wishes[:1] for word, wishes in shop.MEANINGS.items()})
    one_meaning, _, _ = learned_quality(train, apart, shop.simulate_clicks(train, 50_000, seeded()))
    value = shop.values()
    value[:, 2] = 4.5
    monkeypatch.setattr(shop, "values", lambda: value)
    neither, _, _ = learned_quality(train, apart, shop.simulate_clicks(train, 50_000, seeded()))
    assert both + 0.01 < one_meaning < neither - 0.01 and neither > 0.98


def test_no_argument_is_changed():
    page, scores, gains = torch.tensor([5, 6]), torch.randn(4, 6), torch.rand(4, 6)
    before = [page.clone(), scores.clone(), gains.clone()]
    shop.click_chances("lamp", page), shop.rank(scores), shop.ndcg(scores, gains)
    assert all(torch.equal(a, b) for a, b in zip(before, [page, scores, gains], strict=True))


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: shop.read("zebra"), "query: got 'zebra', expected at least one of"),
        (lambda: shop.read(""), "query: got ''"),
        (lambda: shop.counts("lamp"), "queries: got the text 'lamp', expected a list"),
        (
            lambda: shop.click_chances("lamp", torch.tensor([48])),
            "page: got 48 to 48, expected rows from 0 to 47",
        ),
        (lambda: shop.click_chances("lamp", torch.tensor([-1, 3])), "page: got -1 to 3"),
        (lambda: shop.simulate_clicks([], 10, seeded()), "queries, count: got 0 and 10"),
        (lambda: shop.simulate_clicks(["lamp"], 0, seeded()), "queries, count: got 1 and 0"),
        (lambda: shop.simulate_clicks(["lamp"], 5, seeded(), page_size=49), "page_size: got 49, expected a number"),
        (lambda: shop.split_queries(seeded(), held_out=0), "held_out: got 0, expected a number from 1 to 119"),
        (lambda: shop.ndcg(torch.rand(3), torch.rand(4)), r"gains: got shape \(4,\), expected that of scores, \(3,\)"),
        (lambda: pictures.shelf(torch.rand(2, 48), ["lamp"]), r"weights: got shape \(2, 48\), expected \(1, 48\)"),
    ],
)
def test_bad_input_names_the_argument_what_was_given_and_what_was_expected(call, names):
    with pytest.raises(ValueError, match=names):
        call()


def test_pictures_are_drawn_and_return_nothing():
    matplotlib.use("Agg", force=True)
    row, value, x = weights(["notebook"]), shop.values(), torch.linspace(0, 1, 9)
    fits, near = {"one": x, "two": x}, {"one": torch.eye(9), "two": torch.eye(9)}
    drawn = [
        pictures.shelf(row, ["notebook"]),
        pictures.blend_against_rank(row[0], value, row[0] @ value, "notebook"),
        pictures.cooling(x + 0.1, {"a": x, "b": x}, x * 48),
        pictures.word_tables({"a": shop.word_table(), "b": -shop.word_table()}, list(shop.WORDS)),
        pictures.kernel_fits(x, x, near, 4, x, fits, x),
    ]
    assert drawn == [None] * 5
    assert [len(matplotlib.pyplot.figure(number).axes) for number in matplotlib.pyplot.get_fignums()] == [2, 2, 2, 3, 2]
    matplotlib.pyplot.close("all")


def test_every_pair_of_words_can_be_searched():
    queries = [" ".join(pair) for pair in itertools.combinations(shop.WORDS, 2)]
    assert (shop.counts(queries).sum(-1) == 2).all()
    chances = torch.stack([shop.click_chances(query, EVERY) for query in queries])
    assert torch.allclose(chances.sum(-1), torch.ones(len(queries))) and (chances > 0).all()
