"""The pictures of lesson 02: what they show is what they were given."""

import matplotlib.pyplot as plt
import pytest
import torch

from course_utils.plots.scores import (
    shares_of_softmax,
    stripes_and_diagonals,
    three_rules,
    what_each_rule_sees,
    what_fades,
    where_the_root_helps,
)

WAYS = ["plain", "with the root"]


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


def test_each_rule_has_its_own_stations_between_the_pair_and_the_score():
    three_rules()
    (axes,) = plt.gcf().axes
    said = [text.get_text() for text in axes.texts]
    assert [said.count(part) for part in ("query", "key", "score")] == [3, 3, 3]
    assert said.count("linear") == said.count("[query; key]") == 2
    assert said.count("tanh, then sum") == said.count("query · key") == said.count("divided by √size") == 1


def test_mean_and_median_of_the_gradients_are_told_apart():
    sizes, found = [4, 16], torch.tensor([[1.0, 1.0, 7.0], [2.0, 2.0, 20.0]])
    what_fades(sizes, {name: [0.3, 0.1] for name in WAYS}, dict.fromkeys(WAYS, found))
    left, right = plt.gcf().axes
    drawn = {line.get_label(): line.get_ydata().tolist() for line in right.lines}
    assert drawn["plain: mean"] == [3, 8] and drawn["plain: median"] == [1, 2] and len(drawn) == 4
    assert right.get_yscale() == "log" and left.get_ylim()[0] == 0


def test_every_rate_has_its_mean_and_the_range_of_its_seeds():
    reached = {name: {"by rate": {"0.01": [1.0, 3.0], "0.1": [2.0, 6.0]}} for name in WAYS}
    where_the_root_helps(reached, reached)
    for axes in plt.gcf().axes:
        assert [line.get_label() for line in axes.lines] == WAYS
        assert axes.lines[0].get_ydata().tolist() == [2, 4] and axes.lines[0].get_xdata().tolist() == [0.01, 0.1]
        assert axes.collections[0].get_paths()[0].vertices[:, 1].max() == 6
    assert plt.gcf().axes[0].get_yscale() == "log"


def test_weights_are_softmax_of_the_scores_and_wrong_shapes_are_named():
    goods, scores = torch.linspace(-1, 1, 3), torch.tensor([[0.0, 1.0, 2.0]])
    what_each_rule_sees(goods, {"a rule": scores}, ["somebody"], "price", ["a note"])
    above, below = plt.gcf().axes
    assert above.lines[0].get_ydata().tolist() == [0, 1, 2]
    assert torch.allclose(torch.tensor(below.lines[0].get_ydata()), torch.softmax(scores[0], -1))
    with pytest.raises(ValueError, match=r"scores\['a rule'\]: got shape \(1, 3\), expected"):
        what_each_rule_sees(goods, {"a rule": scores}, ["one", "two"], "price")


def test_shares_are_stacked_to_the_whole_weight():
    shares_of_softmax([4, 16], {"a": torch.tensor([[0.75, 0.25], [0.5, 0.5]])})
    bars = plt.gcf().axes[0].patches
    assert [bar.get_x() + bar.get_width() for bar in bars] == [0.75, 0.5, 1.0, 1.0]


def test_a_map_for_each_rule():
    stripes_and_diagonals({"one": torch.eye(2), "two": torch.eye(2)}, ["a", "b"], ["c", "d"])
    assert [axes.get_title(loc="left") or axes.get_title() for axes in plt.gcf().axes[:2]] == ["one", "two"]
