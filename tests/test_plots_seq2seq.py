"""The pictures of lessons 06 and 07: what stands on the drawings, in the curves and over the alignments."""

import matplotlib.pyplot as plt
import pytest
import torch

from course_utils.plots.heads import split_and_merge
from course_utils.plots.seq2seq import parting_curves, two_orders, word_alignments


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def words_of(ax):
    return [text.get_text() for text in ax.texts]


def test_in_two_orders_only_bahdanaus_context_goes_into_the_cell_as_well():
    two_orders()
    said = words_of(plt.gca())
    assert said.count("context") == 3  # into the join twice, and once into the cell
    assert said.count("query") == said.count("keys, values") == said.count("GRU cell") == 2


def test_split_and_merge_cuts_columns_and_never_words():
    split_and_merge()
    said = words_of(plt.gca())
    assert [f"head {head} (3, 2)" for head in (1, 2, 3)] == [one for one in said if one.startswith("head")]
    assert {"x (3, 6)", "split", "attend", "merge", "Wo"} <= set(said)


def test_a_curve_of_several_seeds_is_their_mean_in_a_band_from_least_to_greatest():
    parting_curves([4, 5], {"one": [[1.0, 4.0], [3.0, 8.0]], "two": [2.0, 2.0]}, "wrong", counts=[7, 9])
    ax = plt.gca()
    one, two = ax.lines
    assert list(one.get_ydata()) == [2.0, 6.0] and list(two.get_ydata()) == [2.0, 2.0]
    assert {"7", "9"} <= set(words_of(ax))
    corners = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert corners.min() == 1.0 and corners.max() == 8.0
    assert len({line.get_color() for line in ax.lines}) == 2


def test_a_curve_needs_a_number_for_each_length():
    with pytest.raises(ValueError, match="curves: got 3 numbers for 'one', expected 2"):
        parting_curves([4, 5], {"one": [1.0, 2.0, 3.0]}, "wrong")


def test_over_a_map_stand_what_was_written_and_whether_it_is_right():
    maps = [torch.rand(3, 4)] * 3
    word_alignments(maps, ["fox", "ox", "ax"], [("F", "AA", "K")] * 3, [("F", "AA", "K"), ("AA", "K"), None])
    titles = [ax.get_title() or ax.get_title(loc="left") for ax in plt.gcf().axes[:3]]
    assert titles == ["fox → F AA K\nright", "ox → F AA K\ntrue: AA K", "ax → F AA K"]
    with pytest.raises(ValueError, match="1 words"):
        word_alignments(maps, ["fox"], [("F",)] * 3)


def test_a_figure_is_as_large_whatever_a_model_wrote():
    sizes = set()
    for written in (("F",), ("F", "AA", "K"), ("F",) * 20):
        word_alignments([torch.rand(20, 4)] * 3, ["fox", "ox", "axiom"], [written, ("AA", "K"), written])
        sizes.add(tuple(plt.gcf().get_size_inches()))
    assert len(sizes) == 1
