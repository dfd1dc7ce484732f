"""The metrics equal the libraries' (rapidfuzz, sacrebleu) and their own definitions."""

import random

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from course_utils.train.metrics import bleu, edit_distance, ngrams, phoneme_error_rate, sacre_bleu, word_error_rate

WORDS = st.lists(st.sampled_from("abc"), max_size=8)
SENTENCES = st.lists(st.sampled_from(["the", "red", "mug", "a", "pen"]), min_size=1, max_size=9)
CORPORA = st.lists(st.tuples(SENTENCES, st.lists(SENTENCES, min_size=1, max_size=3)), min_size=1, max_size=6)


@given(WORDS, WORDS)
def test_edit_distance_is_rapidfuzz(a, b):
    assert edit_distance(a, b) == Levenshtein.distance(a, b) == edit_distance("".join(a), "".join(b))


@given(WORDS, WORDS, WORDS)
def test_edit_distance_is_a_distance(a, b, c):
    assert edit_distance(a, b) == edit_distance(b, a)
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


def test_a_distance_to_count_by_hand():
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance("", "abc") == edit_distance("abc", "") == 3
    assert edit_distance(("N", "AY", "T"), ("N", "IH", "T", "S")) == 2


def test_error_rates_take_the_best_reference():
    hypotheses = [("T", "AH"), ("R", "EH", "D"), ("X",)]
    references = [[("T", "UW"), ("T", "AH")], [("R", "IY", "D")], [("K", "S", "S"), ("Y", "Z", "W", "V")]]
    assert word_error_rate(hypotheses, references) == pytest.approx(200 / 3)
    assert phoneme_error_rate(hypotheses, references) == pytest.approx(100 * (0 + 1 + 3) / (2 + 3 + 3))


def test_lists_and_tuples_are_the_same_word():
    assert word_error_rate([["T", "AH"]], [[("T", "AH")]]) == 0
    assert phoneme_error_rate([["T", "AH"]], [[("T", "AH")]]) == 0


def test_a_thousand_words_have_the_edits_that_rapidfuzz_counts():
    draw = random.Random(0)
    hypotheses = [draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 12)) for _ in range(1000)]
    references = [[draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 12))] for _ in range(1000)]
    edits = sum(Levenshtein.distance(one, two) for one, (two,) in zip(hypotheses, references, strict=True))
    expected = 100 * edits / sum(len(two) for (two,) in references)
    assert phoneme_error_rate(hypotheses, references) == pytest.approx(expected)


@given(CORPORA)
def test_bleu_is_sacrebleu(corpus):
    hypotheses, references = zip(*corpus, strict=True)
    most = max(map(len, references))
    streams = [[" ".join(known[n]) if n < len(known) else None for known in references] for n in range(most)]
    theirs = sacrebleu.metrics.BLEU(tokenize="none", smooth_method="none", force=True)
    expected = theirs.corpus_score([" ".join(hypothesis) for hypothesis in hypotheses], streams).score
    assert bleu(hypotheses, references) == pytest.approx(expected, abs=1e-9)


def test_a_bleu_to_compute_by_hand():
    hypothesis = ["the", "the", "the", "red", "mug", "on", "a", "table"]
    reference = ["the", "red", "mug", "stands", "on", "a", "table"]
    # runs of one: the (once of three), red, mug, on, a, table; of two: the red, red mug, on a, a table; …
    assert ngrams(hypothesis, 2)["the", "the"] == 2
    assert bleu([hypothesis], [[reference]]) == 0.0  # no run of four is shared
    longer = ["the", "red", "mug", "stands", "on", "a"]
    penalty = 2.718281828459045 ** (1 - 7 / 6)
    assert bleu([longer], [[reference]]) == pytest.approx(100 * penalty)
    assert bleu([reference], [[longer, reference]]) == pytest.approx(100)


def test_the_wrapper_takes_texts_and_tokens_and_signs():
    tokens = [["a", "red", "mug", "stands", "here", "."]]
    known = [[["a", "red", "mug", "stands", "here", "."], ["here", "is", "a", "mug"]]]
    by_tokens = sacre_bleu(tokens, known)
    assert by_tokens.score == pytest.approx(bleu(tokens, known)) == pytest.approx(100)
    assert "tok:none" in by_tokens.signature and "version:" in by_tokens.signature
    by_text = sacre_bleu(["A red mug stands here."], [["A red mug stands here."]])
    assert by_text.score == pytest.approx(100) and "tok:13a" in by_text.signature


@pytest.mark.parametrize("metric", [phoneme_error_rate, word_error_rate, bleu, sacre_bleu])
def test_wrong_input_is_refused_by_name(metric):
    with pytest.raises(ValueError, match="hypotheses: got none"):
        metric([], [])
    with pytest.raises(ValueError, match="references: got 2"):
        metric([["a"]], [[["a"]], [["b"]]])
    with pytest.raises(ValueError, match="references: got"):
        metric([["a"]], [[]])
    with pytest.raises(ValueError, match="references: got 'a'"):
        metric([["a"]], ["a"])
