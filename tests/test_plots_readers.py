"""The drawings of lessons 00 and 01, and signs in tables and dates: what they show is what they were given."""

from datetime import date

import matplotlib.pyplot as plt
import pytest
import torch

from course_utils.data import shop
from course_utils.data.dates import patterns, write_date
from course_utils.plots.dates import coloured_dates
from course_utils.plots.readers import SOURCE, digits_by_length, two_readers
from course_utils.plots.shop import one_search, word_tables


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


def said() -> list[str]:
    return [text.get_text() for text in plt.gcf().axes[0].texts]


def test_both_readers_have_a_state_for_each_character_and_only_one_has_a_context():
    two_readers()
    words = said()
    assert all(words.count(character) == 2 * SOURCE.count(character) for character in SOURCE if character != " ")
    assert words.count("(batch, 64)") == words.count("context") == 1
    assert words.count("decoder's states") == words.count("(batch, target, 64)") - 1 == 2


def test_a_search_names_its_four_steps_and_every_shape():
    one_search()
    words = said()
    for step in ("1 encode", "2 score", "3 softmax", "4 mix"):
        assert step in words
    for shape in ("(1, attribute)", "(good, attribute)", "(1, good)", "(good, fact)", "(1, fact)"):
        assert shape in words


def test_what_a_word_counts_against_has_another_colour_than_what_it_asks_for():
    table = torch.zeros(len(shop.WORDS), len(shop.ATTRIBUTES))
    table[0, 0], table[0, 1] = 4.0, -2.0
    word_tables({"one": table}, list(shop.WORDS))
    (image,) = plt.gcf().axes[0].images
    assert image.get_array()[0, :3].tolist() == [1.0, -0.5, 0.0] and image.get_clim() == (-1, 1)
    more, less, none = image.to_rgba(image.get_array())[0, :3]
    assert more[2] > more[0] and less[0] > less[2] and min(none[:3]) > 0.95


def test_only_a_date_that_is_read_from_right_to_left_says_so():
    languages = ["Arabic", "French"]
    pairs = [write_date(date(2026, 11, 21), language, patterns(language)[0]) for language in languages]
    coloured_dates([pair.source for pair in pairs], [pair.fields for pair in pairs], languages)
    assert [label.get_text() for label in plt.gca().get_yticklabels()] == ["Arabic, from right to left", "French"]


def test_the_band_of_a_contestant_reaches_from_its_worst_seed_to_its_best():
    runs = {"one": [[90, 50], [100, 70], [95, 60]], "two": [[80, 20], [80, 20], [80, 20]]}
    digits_by_length([2, 20], runs, "A title")
    first, second = plt.gca().lines[:2]
    assert first.get_ydata().tolist() == [95, 60] and second.get_ydata().tolist() == [80, 20]
    band = plt.gca().collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 50 and band[:, 1].max() == 100
    assert "A title" in (plt.gca().get_title(), plt.gca().get_title(loc="left"))
