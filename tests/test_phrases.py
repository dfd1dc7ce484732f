"""The lesson's part of the sentence pairs: crossings are found, names are known, nothing is invented."""

import pytest

from course_utils.data.phrases import crossing, is_name, lesson_pairs, noun_phrases, without_names
from course_utils.data.text import Pair


def pair(french, english):
    return Pair(tuple(french.split()), tuple(english.split()))


def test_a_crossing_is_found_where_noun_and_adjective_change_places():
    assert crossing(pair("elle veut une robe rouge .", "she wants a red dress .")) == (3, 3)
    assert crossing(pair("la robe est rouge .", "the dress is red .")) is None
    assert crossing(pair("il fait froid .", "it is cold outside .")) is None


@pytest.mark.parametrize(
    ("french", "english"),
    [
        ("j' ai pris froid hier .", "i caught a cold yesterday ."),
        ("il fait horriblement froid aujourd'hui .", "it's awfully cold today ."),
        ("tu n' es pas encore morte .", "you're not dead yet ."),
        ("elle est assez jeune pour être ta fille .", "she's young enough to be your daughter ."),
        ("j' ai un œil au beurre noir .", "i have a black eye ."),
        ("quel est ton parfum de glace préféré ?", "what's your favorite flavor of ice cream ?"),
    ],
)
def test_an_adjective_without_its_own_noun_crosses_nothing(french, english):
    assert crossing(pair(french, english)) is None


def test_names_and_numbers_are_told():
    assert [word for word in ("tom", "4711", "10:30", "mug") if is_name(word)] == ["tom", "4711", "10:30"]
    assert without_names(("tom", "has", "3", "mugs")) == ["has", "mugs"]


def test_the_lessons_pairs_are_common_short_or_crossing():
    short = [pair("je vois tom .", "i see tom .")] * 3 + [pair("je vois un narval .", "i see a narwhal .")]
    crossed = [pair("elle veut une robe rouge .", "she wants a red dress .")]
    found = lesson_pairs(short + crossed, common=3, repeat=2)
    assert found == short[:3] + 2 * crossed


def test_every_made_up_phrase_crosses_and_agrees():
    phrases = noun_phrases()
    assert len(phrases) == len(set(phrases)) == 200
    assert all(crossing(phrase)[1] == phrase.adjective for phrase in phrases)
    assert (*pair("j' ai un chien noir .", "i have a black dog ."), 3) in phrases
    assert (*pair("la maison verte est ici .", "the green house is here ."), 1) in phrases


def test_adjectives_that_stand_before_their_noun_in_both_languages_do_not_cross():
    phrases = noun_phrases(before=True)
    assert len(set(phrases)) == 200 and not any(crossing(phrase) for phrase in phrases)
    assert (*pair("elle veut une petite robe .", "she wants a small dress ."), 3) in phrases
