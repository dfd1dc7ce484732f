"""Words and banks fit each other: no sentence is missing, none is left over, and a language may be incomplete."""

import re
import string
import tomllib
from pathlib import Path

import pytest

from course_utils import checks
from course_utils.checks import Exercise, Witness, words
from course_utils.checks.bank import bank, lessons
from course_utils.checks.forms import prove, write

CODE = Path(checks.__file__).parent


def tables(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def names(exercise):
    """The names of the sentences that an exercise can say."""
    listed = exercise.requirements if isinstance(exercise, Witness) else exercise.mistakes
    properties = exercise.properties if isinstance(exercise, Exercise) else []
    return ["title", *(one.name for one in [*listed, *properties])]


def faults(folder):
    """What is wrong with the translations in a folder: sentences that English has not, other names in braces."""
    found = []
    for path in sorted(folder.glob("*/*.toml")):
        english = folder / "en" / path.name
        known = tables(english) if english.exists() else {}
        for table, said in tables(path).items():
            for name, text in said.items():
                place = f"{path.parent.name}/{path.name} {table} {name}"
                if name not in known.get(table, {}):
                    found.append(f"{place}: English has no such sentence")
                elif path.name == "common.toml" and not fields(text) <= fields(known[table][name]):
                    found.append(f"{place}: fills in {sorted(fields(text) - fields(known[table][name]))}")
    return found


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_each_lesson_has_its_file_of_words():
    assert {path.stem for path in (words.FOLDER / "en").glob("*.toml")} == {*lessons(), "common"}


@pytest.mark.parametrize("lesson", lessons())
def test_every_sentence_of_a_lesson_is_said_by_its_exercises(lesson):
    written = {key: list(said) for key, said in tables(words.FOLDER / "en" / f"{lesson}.toml").items()}
    said = {key: names(exercise) for key, exercise in bank(lesson).items()}
    assert {key: sorted(one) for key, one in written.items()} == {key: sorted(one) for key, one in said.items()}


def test_every_common_sentence_is_said_by_the_checks():
    common = tables(words.FOLDER / "en" / "common.toml")
    code = "\n".join(path.read_text(encoding="utf-8") for path in CODE.glob("*.py"))
    said = {tuple(name.split(".")) for name in re.findall(r'"([a-z]+\.[a-z-]+)"', code)}
    assert {(table, name) for table, found in common.items() for name in found} == {
        (table, name) for table, name in said if table in common
    }


def test_languages_say_nothing_that_english_does_not():
    assert "en" in words.languages() and words.lacking("en") == []
    assert faults(words.FOLDER) == []
    for spoken in words.languages():
        for gap in words.lacking(spoken):
            print(f"{spoken} still says in English: {gap}")  # shown by pytest -rP; a gap is no fault


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A language called xx that has one sentence of an exercise and two of the checks, and two faults."""
    for path, text in {
        "en/02.toml": '["2.1"]\ntitle = "Scores"\nnegative = "One is negative."\nsum = "They do not sum to 1."\n',
        "en/common.toml": (words.FOLDER / "en" / "common.toml").read_text(encoding="utf-8"),
        "xx/02.toml": '["2.1"]\nsum = "Xum 1 xet."\nold = "Xold."\n',
        "xx/common.toml": '[witness]\npassed = "xall {count} xet."\nunreadable = "{oops}"\n',
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.setattr(words, "FOLDER", tmp_path)
    monkeypatch.setenv("ATTENTION_COURSE_LANGUAGE", "xx")
    return tmp_path


def weights():
    requirements = {"negative": lambda answer: min(answer) >= 0, "sum": lambda answer: sum(answer) == 1}
    return prove("2.1", requirements=requirements)


def test_a_language_falls_back_to_english_sentence_by_sentence(made_up):
    assert weights().title == "Scores"
    assert weights().examine([-1, 2]).message == "One is negative."
    assert weights().examine([2, 2]).message == "Xum 1 xet."
    assert weights().examine([0, 1]).message == "xall 2 xet."
    assert weights().examine(...).message.startswith("not yet. Write your answer")


def test_without_a_language_the_checks_speak_english(made_up, monkeypatch):
    for spoken in ("", " ", "en", "absent"):
        monkeypatch.setenv("ATTENTION_COURSE_LANGUAGE", spoken)
        assert weights().examine([2, 2]).message == "They do not sum to 1."
    monkeypatch.delenv("ATTENTION_COURSE_LANGUAGE")
    assert weights().examine([0, 1]).message == "all 2 requirements are met."


def test_a_sentence_that_no_language_has_is_named_with_its_place(made_up):
    with pytest.raises(KeyError, match=r"'no-root', expected one in words/en/02\.toml, under \[2\.1\]"):
        write("2.1", oracle=min, inputs=list, mistakes={"no-root": max})
    with pytest.raises(KeyError, match=r"words/en/07\.toml, under \[7\.3\]"):
        prove("7.3", requirements={})


def test_gaps_and_faults_of_a_language_are_listed(made_up):
    assert words.languages() == ["en", "xx"]
    gaps = words.lacking("xx")
    assert gaps[:2] == ["02.toml 2.1 title", "02.toml 2.1 negative"]
    assert "common.toml verdict not-yet" in gaps and "common.toml witness passed" not in gaps
    assert faults(made_up) == [
        "xx/02.toml 2.1 old: English has no such sentence",
        "xx/common.toml witness unreadable: fills in ['oops']",
    ]
