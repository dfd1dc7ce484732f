"""French and English: tokens and back, the splits, and a file of one's own."""

import hashlib
import itertools
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from installation import ROOT
from plain_locale import PLAINLY

from course_utils.data import translation
from course_utils.data.sentences import FRENCH, bare, cut, plain
from course_utils.data.text import Vocabulary
from course_utils.data.translation import (
    FILE,
    Sentence,
    Splits,
    detokenize,
    load_translation,
    tokenize_english,
    tokenize_french,
)
from course_utils.data.wheels import cache_folder, read

TEXTS = st.text(st.sampled_from("abeilstyéàœçAÉ 12'’\"«»-.,!?:;%$()…\u202f\n"), max_size=30)


@pytest.fixture(scope="module")
def whole() -> Splits:
    """The real data: set-up has fetched it."""
    if not (cache_folder() / FILE.name).exists():
        pytest.fail("the sentences are not fetched, which set-up does: run `python course.py data`")
    return load_translation()


# ---- sentences into tokens ----


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("J’ai faim !", "j' ai faim !"),
        ("L'eau d'aujourd'hui, qu'il boit.", "l' eau d' aujourd'hui , qu' il boit ."),
        ("Y a-t-il quelqu'un ?", "y a -t-il quelqu'un ?"),
        ("Est-ce que c'est celui-ci ?", "est -ce que c' est celui -ci ?"),
        ("Donne-le-moi, va-t'en !", "donne -le -moi , va -t'en !"),
        ("« Non », ça veut dire « non ».", '" non " , ça veut dire " non " .'),
        ("Peut-être cet après-midi, grand-mère.", "peut-être cet après-midi , grand-mère ."),
        ("Jusqu'à 10:30, lorsqu'elle aura 3,5 %.", "jusqu' à 10:30 , lorsqu' elle aura 3,5 % ."),
        ("« Qui a dit ‘est-il là’ ? »", "\" qui a dit ' est -il là ' ? \""),
        ("‘Est-il’, dit-il.", "' est -il ' , dit -il ."),
        ("C'est-à-dire moi-même.", "c'est-à-dire moi -même ."),
        ("cafe\u0301", "café"),
    ],
)
def test_french_tokens(text, tokens):
    assert tokenize_french(text) == tuple(tokens.split())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I don't know, do you?", "i don't know , do you ?"),
        ("It’s 10:30 p.m., Tom's late.", "it's 10:30 p.m. , tom's late ."),
        ("He paid $3,000 (50%).", "he paid $ 3,000 ( 50 % ) ."),
        ("A well-known writer said: “No!”", 'a well-known writer said : " no ! "'),
        ("My students' 1st o'clock", "my students ' 1st o'clock"),
        ("", ""),
    ],
)
def test_english_tokens(text, tokens):
    assert tokenize_english(text) == tuple(tokens.split())


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.sampled_from([tokenize_english, tokenize_french]))
def test_tokens_hold_every_letter_and_no_space(text, tokenize):
    tokens = tokenize(text)
    assert "".join(tokens) == re.sub(r"\s", "", plain(text))
    assert all(tokens)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.sampled_from([tokenize_english, tokenize_french]))
def test_tokens_written_and_read_again_are_the_same(text, tokenize):
    tokens = tokenize(text)
    assert tokenize(detokenize(tokens)) == tokens


def test_detokenize_writes_english_as_people_do():
    for text in ('he said: "no means no."', "it's 10:30 p.m., isn't it?", "he paid $3,000 (50%)."):
        assert detokenize(tokenize_english(text)) == text
    assert detokenize(tokenize_french("Qu’est-ce que j’ai ?")) == "qu'est-ce que j'ai?"
    assert detokenize([]) == ""


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_plain_is_plain_already(text):
    assert plain(plain(text)) == plain(text)


def test_bare_is_what_near_duplicates_share():
    assert bare("Ça  va ?") == bare("ca va") == bare("« ÇA » va !!") == "ca va"
    assert bare("L'œuf") == bare("l oeuf") == "l oeuf"
    assert bare("你好。") == "你好"
    assert bare("a.\tb!\nc") == "a \tb \nc"


# ---- a small file of one's own ----


def own(tmp_path, lines, **more):
    path = tmp_path / "own.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return load_translation(path, **more)


def numbered(count):
    """Sentences, all different, of 3 to 22 tokens."""
    words = ["un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"]
    for number in range(count):
        digits = [words[int(digit)] for digit in f"{number:04d}"]
        extra = ["très"] * (number % 17)
        yield f"number {number} {' '.join(extra)}.\t{' '.join([*digits, *extra])}."


def keys(part):
    return {bare(" ".join(item.source)) for item in part}


def meanings(part):
    return {bare(" ".join(t)) for item in part for t in (item.targets if isinstance(item, Sentence) else [item.target])}


def check_apart(splits):
    for one, other in itertools.combinations(map(keys, splits), 2):
        assert not one & other, "near-duplicates stand on one side"
    learned = meanings(splits.train)
    for part in (splits.dev, splits.test, splits.long):
        assert not learned & meanings(part), "train knows no translation of the other parts"


def test_a_file_of_ones_own(tmp_path):
    splits = own(tmp_path, [*numbered(600), "", "One more.\tUn de plus.\tsource 17"])
    check_apart(splits)
    assert (len(splits.test), len(splits.dev)) == (60, 60)
    assert all(18 <= len(sentence.source) <= 20 for sentence in splits.long) and splits.long
    assert all(max(map(len, pair)) <= 15 for pair in splits.train + splits.dev)
    found = {pair.source for pair in splits.train + splits.dev} | {s.source for s in splits.test + splits.long}
    assert ("un", "de", "plus", ".") in found


def test_near_duplicates_and_translations_in_common(tmp_path):
    lines = list(numbered(300))
    lines += [f"You are mad {n}!\tTu es folle, {n}\u202f!" for n in range(200)]
    lines += [f"You are mad {n}.\tvous êtes folle {n}." for n in range(200)]
    lines += [f"Crazy are you {n}.\tTu es folle {n} !" for n in range(200)]
    splits = own(tmp_path, lines)
    check_apart(splits)
    several = [sentence for sentence in splits.test if sentence.source[:2] == ("tu", "es")]
    assert several and all(len(sentence.targets) == 1 for sentence in several), "a comma less is another source"
    splits = own(tmp_path, [*lines, *(f"You're mad {n}.\ttu es folle , {n} !" for n in range(200))])
    several = [sentence for sentence in splits.test if sentence.source[:4] == ("tu", "es", "folle", ",")]
    assert several and all(len(sentence.targets) == 2 for sentence in several)


@settings(max_examples=15, deadline=None)
@given(st.randoms(), st.integers(1, 25), st.integers(1, 25))
def test_order_and_longest_change_no_test(tmp_path_factory, random, one, other):
    folder, lines = tmp_path_factory.mktemp("own"), list(numbered(200))
    first = own(folder, lines, longest=one)
    random.shuffle(lines)
    second = own(folder, lines, longest=other)
    assert (first.test, first.long) == (second.test, second.long)
    small, large = sorted((first, second), key=lambda splits: len(splits.train))
    assert set(small.train) <= set(large.train) and set(small.dev) <= set(large.dev)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Only English", "without a tabulator"),
        ("\tSeulement.", "expected an English sentence, a tabulator, a French one"),
        ("English.\t", "expected an English sentence"),
        ("English.\t \tattribution", "expected an English sentence"),
    ],
)
def test_a_broken_line_is_named_by_its_number(tmp_path, line, said):
    with pytest.raises(ValueError, match=said) as caught:
        own(tmp_path, ["Go.\tVa !", "", "Run.\tCours !", line, "Go on.\tContinue."])
    assert "line 4" in str(caught.value)


@pytest.mark.parametrize("lines", [[], ["", " "]])
def test_an_empty_file_is_refused(tmp_path, lines):
    with pytest.raises(ValueError, match="path: got a file without a pair, expected"):
        own(tmp_path, lines)


def test_lines_of_other_systems(tmp_path):
    path = tmp_path / "own.txt"
    path.write_bytes("\ufeffGo.\tVa !\r\nRun.\tCours !\r\n".encode())
    assert {pair.source for pair in load_translation(path).train} == {("va", "!"), ("cours", "!")}
    path.write_bytes("Go.\tÇa va !\n".encode("latin-1"))
    with pytest.raises(ValueError, match="not in UTF-8"):
        load_translation(path)


def test_bad_arguments_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: got .*nowhere\.txt, where no file is, expected"):
        load_translation(tmp_path / "nowhere.txt")
    with pytest.raises(ValueError, match="longest: got 0, expected"):
        load_translation(longest=0)


def test_without_a_path_the_fetched_file_is_read(monkeypatch):
    content = "".join(f"{line}\n" for line in numbered(50)).encode()
    monkeypatch.setattr(translation, "read", lambda file, also=(): content)
    assert len(load_translation().test) == 5


# ---- the real data ----


def test_sizes(whole):
    assert (len(whole.train), len(whole.dev)) == (126_118, 1_039)
    assert (len(whole.test), len(whole.long)) == (1_500, 1_249)
    assert sum(len(sentence.targets) for sentence in whole.test) == 1_574
    assert len(set(whole.train)) == len(whole.train)
    assert all(1 <= len(sentence.source) <= 15 and sentence.targets for sentence in whole.test)
    assert all(18 <= len(sentence.source) <= 20 and sentence.targets for sentence in whole.long)


def test_nothing_of_the_test_is_in_train(whole):
    check_apart(whole)


def test_references_are_all_that_the_file_has(whole):
    """By a plain loop over the file."""
    wanted, found = {sentence.source for sentence in whole.test[:300]}, {}
    for line in read(FILE).decode("utf-8").splitlines():
        english, french = line.split("\t")
        source = tokenize_french(french)
        if source in wanted:
            found.setdefault(source, set()).add(tokenize_english(english))
    assert all(found[sentence.source] == set(sentence.targets) for sentence in whole.test[:300])


def test_any_slice_is_a_fair_sample(whole):
    for part in (whole.train, whole.test):
        lengths = [len(item.source) for item in part]
        assert abs(sum(lengths[:1000]) / 1000 - sum(lengths) / len(lengths)) < 0.3


def test_vocabularies(whole):
    french = Vocabulary((pair.source for pair in whole.train), at_least=2)
    english = Vocabulary((pair.target for pair in whole.train), at_least=2)
    assert 12_000 < len(french) < 15_000 and 8_000 < len(english) < 10_000
    unknown = sum(word not in french for sentence in whole.test for word in sentence.source)
    assert unknown / sum(len(sentence.source) for sentence in whole.test) < 0.02
    pair = whole.train[0]
    assert tuple(english.tokens(english.encode(pair.target))) == pair.target


def test_the_whole_file_and_one_sentence_are_read_alike(whole):
    """Loading works on the whole file at once, for speed: `plain`, `bare` and the tokens must not notice."""
    text = "\n".join(read(FILE).decode("utf-8").split("\n")[::53])
    sentences = [line.split("\t") for line in text.split("\n") if line]
    assert [line.split("\t") for line in plain(text).split("\n") if line] == [
        list(map(plain, line)) for line in sentences
    ]
    together = [[part.strip() for part in line.split("\t")] for line in bare(text + "\n|").split("\n") if line.strip()]
    assert together == [list(map(bare, line)) for line in sentences]


def test_the_split_is_the_same_in_every_process(whole):
    code = (
        "from course_utils.data.translation import load_translation as load; import hashlib;"
        "parts = [(len(part), part[:3000]) for part in load()];"
        "print(hashlib.sha256(repr(parts).encode()).hexdigest())"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,  # found from here, the package needs no path in a locale that cannot write it
        env={**os.environ, **PLAINLY, "ATTENTION_COURSE_DATA": str(cache_folder())},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    parts = [(len(part), part[:3000]) for part in whole]
    assert said.strip() == hashlib.sha256(repr(parts).encode()).hexdigest()


def test_equal_tokens_are_one_string():
    first, second = cut("va va", FRENCH)
    assert first is second
