"""The script of the race of lesson 10 counts right, mixes words only, and gives a baseline only what it may see."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import classify as race

from course_utils.data.questions import Question

QUESTIONS = [
    Question(("Who", "wrote", "the", "book", "?"), 3),
    Question(("Where", "is", "the", "shop", "?"), 5),
    Question(("Who", "sells", "the", "pen", "?"), 3),
    Question(("Where", "was", "the", "tent", "?"), 5),
]


def test_marks_and_percent():
    signs = race.marks([3, 3, 3, 5], QUESTIONS)
    assert signs == "1011" and race.percent(signs) == 75.0


def test_shuffled_questions_keep_their_words_and_kinds():
    long = [Question(tuple(map(str, range(30))), 2)]
    for mixed, asked in zip(race.shuffled([*QUESTIONS, *long], 0), [*QUESTIONS, *long], strict=True):
        assert sorted(mixed.words) == sorted(asked.words) and mixed.kind == asked.kind
    assert race.shuffled(long, 0) != long and race.shuffled(long, 0) == race.shuffled(long, 0)


def test_the_first_two_words_are_all_that_their_baseline_sees():
    answers = race.linear("first two words", QUESTIONS)
    cut = [Question((*question.words[:2], "other", "end"), question.kind) for question in QUESTIONS]
    assert answers(QUESTIONS) == answers(cut) == [3, 5, 3, 5]


def test_words_do_not_know_order_and_pairs_do():
    pairs = [
        Question(("a", "b"), 0),
        Question(("b", "a"), 1),
        Question(("a", "b", "c"), 0),
        Question(("b", "a", "c"), 1),
    ]
    turned = [Question(question.words[1::-1] + question.words[2:], question.kind) for question in pairs]
    words, both = race.linear("words", pairs), race.linear("words and pairs", pairs)
    assert words(pairs) == words(turned) and both(pairs) == [0, 1, 0, 1] and both(turned) == [1, 0, 1, 0]


def test_a_network_learns_in_the_script():
    answers, found = race.network("plain + mean", QUESTIONS * 8, 0, (0.02, 0.0, 8), epochs=20, batch=8)
    assert answers(QUESTIONS) == [3, 5, 3, 5] and found["losses"][-1] < found["losses"][0]
