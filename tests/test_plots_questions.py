"""The pictures of lesson 10 draw what they are given, return nothing, and refuse what does not fit."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg", force=True)
from matplotlib import pyplot as plt

from course_utils.plots.base import SEQUENTIAL
from course_utils.plots.questions import five_steps, highlighted, layers, race

WORDS = ["Who", "wrote", "it", "?"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def shades():
    """The words of the picture in hand, each with the colour of its paper."""
    texts = [text for text in plt.gca().texts if text.get_bbox_patch()]
    return [(text.get_text(), text.get_bbox_patch().get_facecolor()) for text in texts]


def test_five_steps_stand_in_their_order():
    assert five_steps() is None
    places = {text.get_text(): text.get_position()[0] for text in plt.gca().texts}
    steps = ["words", "1 embed", "2 read", "3 weigh", "4 join", "5 predict"]
    assert [places[step] for step in steps] == sorted(places[step] for step in steps)


def test_each_word_has_the_shade_of_its_weight():
    weights = torch.tensor([0.9, 0.1, 0.0, 0.0, 0.0])  # one more than words: padding
    assert highlighted([WORDS], [weights], ["human"], "title") is None
    scheme = plt.get_cmap(SEQUENTIAL)
    expected = [(word, scheme(float(weight))) for word, weight in zip(WORDS, weights, strict=False)]
    assert [word for word, _ in shades()] == WORDS
    for (_, seen), (_, wanted) in zip(shades(), expected, strict=True):
        assert seen == pytest.approx(wanted)


def test_words_stand_side_by_side_and_do_not_touch():
    highlighted([WORDS], [torch.zeros(4)])
    figure = plt.gcf()
    figure.canvas.draw()
    boxes = [t.get_bbox_patch().get_window_extent() for t in plt.gca().texts if t.get_bbox_patch()]
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:], strict=False))


def test_a_question_without_a_shade_for_each_word_is_refused():
    with pytest.raises(ValueError, match="shades: got 3 for 4 words"):
        highlighted([WORDS], [torch.zeros(3)])


def test_a_race_sorts_by_the_mean_and_marks_it():
    assert race({"slow": [1.0, 3.0], "fast": [5.0]}, "note", {"fast": [4.0]}) is None
    ax = plt.gca()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["slow", "fast"]
    drawn = [sorted(set(map(float, line.get_xdata()))) for line in ax.lines]
    assert drawn == [[1.0, 3.0], [2.0], [5.0], [5.0], [4.0], [4.0]]


def test_layers_are_drawn_twice_in_powers():
    assert layers([16, 32], {"a": [1, 2]}, {"a": [3, 4]}) is None
    left, right = plt.gcf().axes
    assert list(left.lines[0].get_ydata()) == [1, 2] and list(right.lines[0].get_ydata()) == [3, 4]
    assert left.get_xscale() == right.get_yscale() == "log"
