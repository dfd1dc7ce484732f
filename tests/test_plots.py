"""plots: what is drawn is what was given, labelled, and bad input is named."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from course_utils import plots


@pytest.fixture(autouse=True)
def close():
    plt.switch_backend("Agg")
    plots.use_style()
    yield
    plt.close("all")


def test_a_heatmap_shows_queries_down_and_keys_across():
    weights = torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], requires_grad=True)
    plots.heatmap(weights, ["a", "b"], ["x", "y", "z"], title="t")
    ax = plt.gcf().axes[0]
    np.testing.assert_allclose(ax.collections[0].get_array().reshape(2, 3), weights.detach().numpy())
    assert [label.get_text() for label in ax.get_xticklabels()] == ["x", "y", "z"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title(loc="left")) == ("keys", "queries", "t")
    assert ax.collections[0].get_clim() == (0, 1)
    assert ax.yaxis_inverted()


@pytest.mark.parametrize(
    ("weights", "names", "words"),
    [
        (torch.ones(3), {}, "weights: got shape (3,)"),
        (torch.ones(2, 3), {"queries": ["a"]}, "queries: got 1 names, expected 2"),
        (torch.ones(2, 3), {"keys": list("ab")}, "keys: got 2 names, expected 3"),
    ],
)
def test_a_heatmap_names_bad_input(weights, names, words):
    with pytest.raises(ValueError) as caught:
        plots.heatmap(weights, **names)
    assert words in str(caught.value)


def test_curves_are_told_apart_by_more_than_colour():
    plots.curves({str(i): ([1, 2, 4], [i, i, i], [0.1] * 3) for i in range(4)}, "size", "loss", "t", logx=True)
    ax = plt.gcf().axes[0]
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in ax.lines}
    assert len(looks) == 4 and len({look[1] for look in looks}) == 4
    assert len(ax.collections) == 4 and ax.get_xscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("size", "loss")


def test_bars_carry_their_numbers_and_spread():
    plots.bars({"with": (0.9, 0.05), "without": 0.4}, "accuracy", "t")
    ax = plt.gcf().axes[0]
    assert [bar.get_width() for bar in ax.patches] == [0.9, 0.4]
    assert [note.get_text() for note in ax.texts] == ["0.9", "0.4"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["with", "without"]


def test_the_numbers_of_bars_have_as_many_decimals_as_the_longest_can_show():
    plots.bars({"one": 18.0, "two": 0.0, "three": 7.211, "four": 22.25}, "lost", "t")
    assert [note.get_text() for note in plt.gcf().axes[0].texts] == ["18.0", "0.0", "7.2", "22.2"]


def test_a_row_of_axes():
    assert len(plots.row(3)) == 3
    with pytest.raises(ValueError, match="^count: got 0"):
        plots.row(0)


def test_the_colours_can_be_told_apart_by_lightness_too():
    def lightness(colour):
        red, green, blue = plt.matplotlib.colors.to_rgb(colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    first = [lightness(colour) for colour in list(plots.COLOURS.values())[:2]]
    assert abs(first[0] - first[1]) > 0.2
    ramp = [lightness(plt.get_cmap(plots.SEQUENTIAL)(x)) for x in np.linspace(0, 1, 9)]
    assert all(a > b for a, b in zip(ramp, ramp[1:], strict=False))


def test_coloured_dates_write_every_character_in_the_colour_of_its_field():
    from course_utils.data.dates import make_dates
    from course_utils.plots.dates import coloured_dates

    pairs = make_dates(6, ["French", "Chinese", "Thai"], seed=0)
    coloured_dates([pair.source for pair in pairs], [pair.fields for pair in pairs], [pair.language for pair in pairs])
    written = "".join(text.get_text() for text in plt.gcf().axes[0].texts)
    for pair in pairs:
        for character in pair.source.replace(" ", ""):
            assert character in written
    with pytest.raises(ValueError):
        coloured_dates(["a date"], [("year",)], ["English"])
