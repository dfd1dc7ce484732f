"""The card of drawings: what is on it, and what it refuses."""

import io

import matplotlib.pyplot as plt
import pytest

from course_utils.plots import use_style
from course_utils.plots.card import ROLES, Card


@pytest.fixture
def card():
    yield Card(8, 3, "A title")
    plt.close("all")


def test_a_drawing_holds_its_boxes_words_and_arrows(card):
    card.box("query", 1.5, 1.5, "(1, size)", "query")
    card.cells("weights", 4, 1.5, [0.2, 0.8], "weights", "weights")
    card.arrow("query", "weights", "asks")
    said = {text.get_text() for text in card.axes.texts}
    assert said == {"A title", "query", "(1, size)", "weights", "asks"}
    assert card.boxes["query"].get_x() + card.boxes["query"].get_width() < card.boxes["weights"].get_x()


def test_saving_and_drawing_again_warns_of_nothing(card, recwarn):
    use_style()
    drawn = Card(4, 2)
    drawn.box("x", 2, 1)
    for _ in range(2):
        drawn.axes.figure.savefig(io.BytesIO())
        drawn.axes.figure.canvas.draw()
    assert not recwarn.list


def test_the_card_is_opaque_so_that_dark_pages_show_it(card):
    assert card.axes.figure.get_facecolor() == (1, 1, 1, 1)


@pytest.mark.parametrize("role", ROLES)
def test_words_in_every_role_can_be_read_on_white(role):
    """Contrast of at least 3 to 1, for large text and lines (WCAG 2.1, 1.4.11)."""
    from matplotlib.colors import to_rgb

    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(ROLES[role])]
    luminance = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    assert 1.05 / (luminance + 0.05) >= 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda card: card.box("far", 7.9, 1), "far: got the place"),
        (lambda card: card.box("x", 1, 1, role="quarry"), "role: got 'quarry'"),
        (lambda card: card.arrow("here", "there"), "arrow: got 'here'"),
        (lambda card: (card.box("x", 1, 1), card.box("x", 3, 1)), "name: got 'x' again"),
    ],
)
def test_what_cannot_be_drawn_is_refused(card, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(card)
