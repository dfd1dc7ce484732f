"""The pictures of lesson 11 draw what they are given, return nothing, and refuse what does not fit."""

import matplotlib
import pytest
import torch

matplotlib.use("Agg", force=True)
from matplotlib import pyplot as plt

from course_utils.plots.transformer import encoder_decoder, next_letters, sequence_mask, two_blocks


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def places(word):
    """Where a word stands in the drawing in hand: one (x, y) for each time."""
    return [text.get_position() for text in plt.gca().texts if text.get_text() == word]


def test_norms_stand_on_the_stream_when_last_and_beside_it_when_first():
    assert two_blocks() is None
    left, right = sorted({x for x, _ in places("+")})  # the two streams
    norms = [x for x, _ in places("norm")]
    assert norms.count(left) == 2 and right not in norms and len(norms) == 4
    for name in ("attention", "feed-forward"):
        assert len(places(name)) == 2


def test_attention_is_added_before_the_feed_forward():
    two_blocks()
    assert max(y for _, y in places("attention")) < min(y for _, y in places("feed-forward"))


def test_the_decoder_looks_at_itself_then_at_the_memory_then_thinks():
    assert encoder_decoder() is None
    [own], [cross] = places("causal self-attention"), places("cross-attention")
    writer = max(places("feed-forward"))
    assert own[1] < cross[1] < writer[1] and own[0] == cross[0] == writer[0]


def test_nothing_overlaps_in_the_drawings():
    for draw in (two_blocks, encoder_decoder):
        draw()
        figure = plt.gcf()
        figure.canvas.draw()
        boxes = [text.get_window_extent() for text in plt.gca().texts]
        pairs = [(a, b) for place, a in enumerate(boxes) for b in boxes[:place]]
        assert not [1 for a, b in pairs if a.overlaps(b)]
        frame = figure.bbox
        assert all(frame.x0 < box.x0 and box.x1 < frame.x1 and box.y1 < frame.y1 for box in boxes)


def test_a_mask_is_drawn_in_four_quarters():
    mask = torch.ones(5, 5, dtype=torch.bool).tril()
    assert sequence_mask(mask, ["a", "b"], ["<start>", "c", "d"]) is None
    ax = plt.gca()
    drawn = ax.collections[0].get_array().reshape(5, 5)
    assert torch.equal(torch.as_tensor(drawn.astype(bool)), mask)
    assert [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1] == [2]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "<start>", "c", "d"]


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"mask: got shape \(4, 4\), expected \(3, 3\)"):
        sequence_mask(torch.ones(4, 4), ["a"], ["b", "c"])


def test_next_letters_have_bars_of_their_probabilities():
    assert next_letters({"as it is": torch.tensor([0.7, 0.3]), "the first": [1.0, 0.0]}, ["a", "b"]) is None
    left, right = plt.gcf().axes
    assert [bar.get_width() for bar in left.patches] == pytest.approx([0.7, 0.3])
    assert [text.get_text() for text in right.texts] == ["1.00"]
    assert [label.get_text() for label in left.get_yticklabels()] == ["a", "b"]


def test_a_letter_without_a_number_is_refused():
    with pytest.raises(ValueError, match="chances: got 1 numbers for 'x', expected 2"):
        next_letters({"x": [1.0]}, ["a", "b"])
