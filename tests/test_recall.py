"""Readers that must remember: the tasks are what they say, and each kind sees what it says."""

import sys
from pathlib import Path

import pytest
import torch

from course_utils.attention.windows import seen_through
from course_utils.models.recall import (
    KINDS,
    PRICES,
    WORDS,
    PriceList,
    Reader,
    needle_loss,
    needles,
    needles_found,
    price_lists,
    price_loss,
    prices_right,
)
from course_utils.train.reports.experiments import experiment

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import cheaper
import recall


def generator():
    return torch.Generator().manual_seed(0)


def test_each_good_stands_once_in_a_list():
    goods, prices = price_lists(5, 20, generator())
    assert goods.shape == prices.shape == (5, 20)
    assert all(len(set(row)) == 20 for row in goods.tolist()) and prices.max() < PRICES


def test_a_text_holds_one_price_where_it_says():
    tokens, prices, places = needles(6, 30, generator())
    for row, price, place in zip(tokens, prices, places, strict=True):
        assert (row >= WORDS).nonzero().flatten().tolist() == [place] and row[place] == WORDS + price
    assert needles(6, 30, generator(), 4)[2].tolist() == [4] * 6


@pytest.mark.parametrize("kind", ["full", "linear", "window"])
def test_who_keeps_what(kind):
    model = PriceList(kind, size=8, value_size=4, window=3)
    kept = {"full": (24, 120), "window": (24, 36), "linear": (40, 40)}[kind]
    assert (model.kept(2), model.kept(10)) == (kept[0], kept[1])
    assert model(*price_lists(2, 5, generator())).shape == (2, 5, PRICES)
    assert price_loss(model, 5, generator()).isfinite() and 0 <= prices_right(model, 5) <= 100


def test_a_window_of_pairs_never_hears_of_the_first():
    model = PriceList("window", window=3)
    goods, prices = price_lists(1, 6, generator())
    before = model(goods, prices)
    prices[0, 0] = (prices[0, 0] + 1) % PRICES
    torch.testing.assert_close(model(goods, prices), before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_never_sees_the_future_and_a_window_not_the_far_past(kind):
    torch.manual_seed(0)
    model = Reader(kind, window=4, sinks=1).eval()
    tokens = needles(2, 20, generator())[0]
    changed = tokens.clone()
    changed[:, 5] = (changed[:, 5] + 1) % WORDS
    moved = (model(tokens) - model(changed)).abs().amax((0, 2)) > 1e-6
    assert not moved[:5].any() and moved[5]
    reach = 5 + seen_through(4, 2)
    if kind.startswith("window"):
        assert moved[reach] and not moved[reach + 1 :].any()
    if kind in ("full", "linear"):
        assert moved[6:].all()


def test_sinks_keep_the_first_token():
    torch.manual_seed(0)
    model = Reader("window and sinks", window=4, sinks=1).eval()
    tokens = needles(2, 20, generator())[0]
    changed = tokens.clone()
    changed[:, 0] = (changed[:, 0] + 1) % WORDS
    assert ((model(tokens) - model(changed)).abs().amax((0, 2)) > 1e-6).all()


def test_top_k_sees_everything_where_k_is_the_length_and_no_more_than_k_else():
    torch.manual_seed(0)
    whole, few = Reader("full").eval(), Reader("top-k", window=3, layers=1).eval()
    best = Reader("top-k", window=20).eval()
    best.load_state_dict(whole.state_dict())
    tokens = needles(2, 20, generator())[0]
    torch.testing.assert_close(best(tokens), whole(tokens))
    moved = set()
    for place in range(19):  # which tokens does the last one feel? Each is exchanged for all words in turn
        for word in range(WORDS):
            changed = tokens[:1].clone()
            changed[:, place] = word
            if (few(tokens[:1]) - few(changed))[0, -1].abs().max() > 1e-6:
                moved.add((place, word))
    assert moved and len(moved) < 19 * (WORDS - 1) / 2


def test_losses_and_scores():
    model = Reader("full")
    assert abs(needle_loss(model, 20, generator()).item() - torch.tensor(PRICES).log().item()) < 1
    assert needles_found(model, 20, place=3).shape == (17,)


def test_unknown_kinds_are_refused():
    for make in (PriceList, Reader):
        with pytest.raises(ValueError, match="^kind: got 'magic'"):
            make("magic")


def test_the_scripts_run_and_store_nothing_of_a_trial(monkeypatch, capsys):
    monkeypatch.setattr(recall, "RATES", (0.01,))
    for task, only in (("list", "full"), ("needle", "window")):
        monkeypatch.setattr(sys, "argv", ["recall.py", task, "--steps", "1", "--only", only])
        recall.main()
    monkeypatch.setattr(cheaper, "write_experiment", lambda *given: pytest.fail("a trial was written"))
    monkeypatch.setattr(cheaper, "in_fresh_process", lambda *given: 1.0)
    monkeypatch.setattr(cheaper, "PRODUCT", 8)
    for argv in (["length", "--rounds", "1", "--lengths", "64", "128"], ["writing", "--rounds", "1"]):
        monkeypatch.setattr(sys, "argv", ["cheaper.py", *argv])
        cheaper.main()
    said = capsys.readouterr().out
    assert "written" not in said and "training at 128" in said and "with caches" in said


def test_all_exact_contestants_compute_the_same():
    given = cheaper.draw(70)
    expected = cheaper.CONTESTANTS["naive"](*given)
    for name in ("fused", "tiles"):
        torch.testing.assert_close(cheaper.CONTESTANTS[name](*given), expected, atol=1e-5, rtol=1e-4)
    causal = cheaper.CONTESTANTS["fused, causal"](*given)
    torch.testing.assert_close(cheaper.CONTESTANTS["tiles, causal"](*given), causal, atol=1e-5, rtol=1e-4)
    banded = cheaper.CONTESTANTS["window"](*given)
    torch.testing.assert_close(cheaper.CONTESTANTS["window, batched"](*given), banded, atol=1e-5, rtol=1e-4)


def test_a_slope_is_the_power():
    assert cheaper.slope([1, 2, 4], [3, 12, 48]) == pytest.approx(2.0)
    found = {"512": {"a": [9.0]}, "1024": {"a": [1.0]}, "2048": {"a": [2.0]}}
    assert cheaper.slopes(found, "a") == [1.0]  # below 1024 nothing counts


@pytest.mark.parametrize("name", ["recall", "needle"])
def test_each_contestant_has_the_best_of_the_rates_tried(name):
    for contestant, row in experiment(name)["contestants"].items():
        best = row["dev by rate"][f"{row['rate']:g}"]
        assert best == max(row["dev by rate"].values()), contestant
