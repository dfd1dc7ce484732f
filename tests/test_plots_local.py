"""The pictures of lessons 08 and 09 draw what they are given, return nothing, and refuse what does not fit."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg", force=True)
from matplotlib import pyplot as plt

from course_utils.plots.local import copy_matrix, search_tree, three_windows, word_alignment

SOURCE, TARGET = ["une", "robe", "rouge"], ["a", "red", "dress", "."]
WEIGHTS = torch.softmax(torch.arange(12.0).view(4, 3), dim=-1)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_an_alignment_names_its_words_and_draws_its_windows():
    assert word_alignment(WEIGHTS, SOURCE, TARGET, "title", None, torch.tensor([0.0, 2.0, 1.0, 9.0]), 1) is None
    ax = plt.gcf().axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == TARGET
    frames = [(frame.get_x(), frame.get_width()) for frame in ax.patches]
    assert len(frames) == 3  # the last window lies beyond the source
    assert frames[0] == pytest.approx((0.06, 1.88)) and frames[2] == pytest.approx((0.06, 2.88))


def test_rows_of_a_copy_matrix_sum_to_one():
    assert copy_matrix(WEIGHTS, torch.rand(4), SOURCE, TARGET) is None
    drawn = plt.gcf().axes[0].collections[0].get_array().reshape(4, 4)
    assert [float(total) for total in drawn.sum(1)] == pytest.approx([1, 1, 1, 1])


TABLE = {"<start>": {"red": 0.6, "blue": 0.4}, "red": {"pen": 0.7, "hat": 0.3}, "blue": {"tent": 0.9, "pen": 0.1}}


@pytest.mark.parametrize(
    ("beams", "kept", "answer"),
    [(1, ["0.60 · 0.70 = 0.42"], "0.42"), (2, ["0.60 · 0.70 = 0.42", "0.40 · 0.90 = 0.36"], "0.42")],
)
def test_a_tree_shows_every_pair_and_what_the_beam_keeps(beams, kept, answer):
    assert search_tree(TABLE, beams) is None
    shown = [text.get_text() for text in plt.gcf().axes[0].texts if "=" in text.get_text()]
    assert len(shown) == 4
    assert [text.split("   ")[0] for text in shown if "   kept" in text] == kept
    assert [text for text in shown if text.endswith("the answer")][0].split("   ")[0].endswith(answer)
    assert any("never seen" in text for text in shown) == (beams == 1)


def test_three_windows_hold_what_their_words_say():
    assert three_windows() is None
    axes = plt.gcf().axes[0]
    frames = [patch for patch in axes.patches if getattr(patch, "get_zorder", lambda: 0)() == 3]
    assert [round(frame.get_width() / 0.62) for frame in frames] == [3, 2]  # local-m; local-p between two positions
    assert any("3 weights" in text.get_text() for text in axes.texts)


@pytest.mark.parametrize("draw", [word_alignment, lambda w, s, t: copy_matrix(w, torch.rand(4), s, t)])
def test_too_few_weights_are_refused(draw):
    with pytest.raises(ValueError, match="weights: got shape"):
        draw(WEIGHTS[:2], SOURCE, TARGET)
