"""The pictures of lesson 13 draw what they are given and return nothing."""

import matplotlib
import pytest

matplotlib.use("Agg", force=True)
from matplotlib import pyplot as plt

from course_utils.plots.cheaper import costs, memories_card, needles, prices, smooth, tiles_card, tokens

SECONDS = {"1024": {"naive": [1.0, 3.0, 2.0], "window": [1.0, 1.0, 1.0]}, "2048": {"naive": [8.0], "window": [2.0]}}
MEGABYTES = {"1024": {"naive": 5.0, "window": 1.0}, "2048": {"naive": 20.0, "window": 2.0}}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_cards_name_what_is_carried_and_what_is_kept():
    assert tiles_card() is None
    said = [text.get_text() for text in plt.gca().texts]
    assert sum("greatest" in text for text in said) == 3 and said.count("rescale") == 2
    assert memories_card() is None
    said = " ".join(text.get_text() for text in plt.gca().texts)
    assert all(name in said for name in ("cache", "window", "state", "nothing is lost"))


def test_costs_are_medians_on_axes_of_powers():
    assert costs({"seconds": SECONDS, "megabytes": MEGABYTES}, "note") is None
    left, right = plt.gcf().axes
    naive = next(line for line in left.lines if line.get_label() == "naive")
    assert list(naive.get_xdata()) == [1024, 2048] and list(naive.get_ydata()) == [2.0, 8.0]
    assert left.get_xscale() == left.get_yscale() == right.get_yscale() == "log"


def test_prices_have_a_mean_a_band_and_the_size_of_a_state():
    right = {"4": [100.0, 90.0, 80.0], "8": [50.0, 50.0, 50.0]}
    assert prices({"contestants": {"full": {"right": right}, "linear, 16": {"right": right}}}, "note") is None
    full, _, size = plt.gca().lines
    assert list(full.get_ydata()) == [90.0, 50.0] and list(size.get_xdata()) == [16, 16]


@pytest.mark.parametrize("first", [False, True])
def test_needles_draw_the_mean_over_seeds_from_distance_one(first):
    rows = [[100.0] * 9, [0.0] * 9]
    report = {"contestants": {"window": {"right": rows, "right, first": [[100.0] * 9] * 2}}}
    assert needles(report, first) is None
    [line] = plt.gca().lines
    assert line.get_xdata()[0] == 1 and line.get_xdata()[-1] == 8
    assert set(line.get_ydata()) == {100.0 if first else 50.0}


def test_one_interrupted_token_is_no_peak():
    assert smooth([1, 1, 9, 1, 1], 1) == [1, 1, 1, 1, 1]
    assert tokens({"milliseconds": {"with": [1.0, 1.0], "without": [1.0, 2.0]}}, "note") is None
    assert len(plt.gca().lines) == 2
