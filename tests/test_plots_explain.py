"""The pictures of the explanation lab draw what they are given, return nothing, and refuse what does not fit."""

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg", force=True)
from matplotlib import pyplot as plt

from course_utils.plots.explain import by_system, side_by_side, two_maps


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_each_explanation_is_a_row_whose_largest_is_darkest():
    found = {"weights": torch.tensor([0.2, 0.8, 0.0, 0.5]), "left out": torch.tensor([3.0, 1.0, 0.0, 9.0])}
    assert side_by_side(found, ["2", " ", "N"], "title") is None
    ax = plt.gca()
    shades = np.asarray(ax.collections[0].get_array()).reshape(2, 3)
    assert shades == pytest.approx(np.array([[0.25, 1, 0], [1, 1 / 3, 0]]))
    assert [text.get_text() for text in ax.get_yticklabels()] == list(found)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2", "␣", "N"]
    with pytest.raises(ValueError, match="explanations: got 4 values for weights, expected 5"):
        side_by_side(found, list("abcde"))


def test_every_seed_is_a_point_and_the_line_stands_at_the_mean():
    found = {"words": {"a": [0.1, 0.3], "b": [0.5, 0.5]}, "dates": {"b": [0.2, 0.4]}}
    assert by_system(found, "label", "title", "note") is None
    lines = plt.gca().get_lines()
    points, means = lines[::2], lines[1::2]
    assert [list(line.get_xdata()) for line in points] == [[0.1, 0.3], [0.5, 0.5], [0.2, 0.4]]
    assert [line.get_xdata()[0] for line in means] == pytest.approx([0.2, 0.5, 0.3])
    assert points[1].get_color() == points[2].get_color() != points[0].get_color()
    assert [text.get_text() for text in plt.gca().get_legend().get_texts()] == ["a", "b"]
    assert plt.gca().get_ylim()[0] > plt.gca().get_ylim()[1]  # the first stands on top


def test_two_maps_point_up_and_down():
    one, other = torch.tensor([0.7, 0.3, 0.0]), torch.tensor([0.1, 0.9, 0.0])
    assert two_maps(one, other, ["who", "?"], ["own", "found"]) is None
    heights = [bar.get_height() for bar in plt.gca().patches]
    assert heights == pytest.approx([0.7, 0.3, -0.1, -0.9])
    with pytest.raises(ValueError, match=r"one, other: got \[3, 3\] weights, expected 4"):
        two_maps(one, other, list("abcd"), ["own", "found"])
