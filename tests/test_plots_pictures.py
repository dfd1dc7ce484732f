"""The pictures of lesson 12 draw what they are given, return nothing, and refuse what does not fit."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg", force=True)
from matplotlib import pyplot as plt

from course_utils.plots import pictures, recommender


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def shown(ax, place=0):
    return torch.as_tensor(ax.images[place].get_array().copy()).float()


def test_pictures_in_a_row_are_shown_as_they_are_with_black_at_0():
    both = [torch.rand(3, 4), torch.rand(5, 5)]
    assert pictures.in_a_row(both, ["a", "b"], note="n") is None
    axes = plt.gcf().axes
    assert [ax.get_title() for ax in axes] == ["a", "b"] or [ax.get_title("left") for ax in axes] == ["a", "b"]
    for ax, picture in zip(axes, both, strict=True):
        torch.testing.assert_close(shown(ax), picture)
        assert ax.images[0].get_clim() == (0, 1)
    with pytest.raises(ValueError, match="titles: got 1"):
        pictures.in_a_row(both, ["a"])


def test_the_frame_is_round_the_asking_pixel_and_the_colour_is_its_weights():
    weights = torch.rand(30, 30).softmax(-1)
    assert pictures.who_is_asked(torch.rand(5, 6), weights, {"sky": (2, 4)}, reach=1) is None
    [ax] = plt.gcf().axes
    frame = ax.patches[0]
    assert (frame.get_x(), frame.get_y(), frame.get_width()) == (2.5, 0.5, 3)
    one = weights[2 * 6 + 4].reshape(5, 6)
    torch.testing.assert_close(shown(ax, 1)[..., 3], (one / one.max()).sqrt())
    count = int(ax.get_xlabel().removeprefix("sky: ").split()[0])
    ordered = one.flatten().sort(descending=True).values
    assert ordered[: count - 1].sum() < 0.5 <= ordered[:count].sum() + 1e-6 and "of 29 pixels" in ax.get_xlabel()


def test_bars_say_what_is_gained_also_where_it_is_lost():
    assert pictures.gains({"a": torch.rand(3, 3), "b": torch.rand(3, 3)}, [6.0, -0.5], [3.0, 2.0]) is None
    bars = [[bar.get_height() for bar in ax.patches] for ax in plt.gcf().axes[2:]]
    assert bars == [[6.0, 3.0], [-0.5, 2.0]] and plt.gcf().axes[2].get_ylim()[0] < -0.5


def test_squares_and_strips_are_both_shown_whole():
    digit = torch.rand(4, 4)
    assert pictures.squares_and_strips(digit, torch.rand(4, 4), digit.reshape(4, 4)) is None
    shapes = [tuple(ax.images[0].get_array().shape) for ax in plt.gcf().axes]
    assert shapes == [(4, 4)] + [(2, 2)] * 4 + [(1, 4)] * 4


def test_maps_stand_under_their_digits():
    digits, maps = torch.rand(2, 4, 4), torch.rand(2, 2, 2)
    assert pictures.digit_maps(digits, {"last": maps, "all": maps}, ["a 1", "a 2"]) is None
    axes = plt.gcf().axes
    assert [ax.get_ylabel() for ax in axes[::2]] == ["digit", "last", "all"]
    torch.testing.assert_close(shown(axes[3]), maps[1])


def test_the_best_stands_on_top_with_a_line_at_its_mean():
    assert recommender.points({"good": [3.0, 5.0], "bad": [1.0]}, "x", "title", "note") is None
    ax = plt.gca()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bad", "good"]
    assert [list(line.get_xdata()) for line in ax.lines] == [[1.0], [1.0, 1.0], [3.0, 5.0], [4.0, 4.0]]


def test_a_history_shows_weight_and_truth_for_each_click():
    assert recommender.history(["a", "b"], torch.tensor([0.5, 0.1]), torch.tensor([0.4, 0.0]), "t") is None
    widths = [round(bar.get_width(), 3) for bar in plt.gca().patches]
    assert widths == [0.5, 0.1, 0.4, 0.0] and plt.gca().yaxis_inverted()


def test_reasons_stand_with_the_strongest_on_top():
    assert recommender.because({"film": {"most": 0.4, "less": 0.1}}) is None
    assert [label.get_text() for label in plt.gca().get_yticklabels()] == ["less", "most"]
    assert "film" in plt.gca().get_title("left") + plt.gca().get_title()


@pytest.mark.parametrize("draw", [pictures.pixel_asks, recommender.candidate_asks])
def test_drawings_stay_on_their_card(draw):
    assert draw() is None
    plt.gcf().canvas.draw()
    card = plt.gcf().bbox
    for text in plt.gca().texts:
        box = text.get_window_extent()
        assert card.x0 <= box.x0 and box.x1 <= card.x1 and card.y0 <= box.y0 and box.y1 <= card.y1, text.get_text()
