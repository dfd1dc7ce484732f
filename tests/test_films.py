"""The films: who saw what and when, what is set apart, a file of one's own, and what is refused."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from course_utils.data import wheels
from course_utils.data.films import NOTHING, Films, leave_last_out, load_films, newest
from course_utils.data.sources import FROM_RECBOLE, RATINGS, TITLES
from course_utils.data.wheels import cache_folder, read

HEADER = "user_id:token\titem_id:token\trating:float\ttimestamp:float"


@pytest.fixture(scope="module")
def whole():
    """The real data: set-up has fetched it."""
    if not (cache_folder() / RATINGS.name).exists():
        pytest.fail("the films are not fetched, which set-up does: run `python course.py data`")
    return load_films()


def table(tmp_path, lines, header=HEADER, name="own.inter"):
    path = tmp_path / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_sizes_are_those_of_the_data_s_description(whole):
    assert (len(whole.titles) - 1, len(whole.histories), sum(map(len, whole.histories))) == (1682, 943, 100_000)
    assert min(map(len, whole.histories)) == 20 and whole.titles[NOTHING] == ""
    assert all(whole.titles[1:]) and {film for row in whole.histories for film in row.tolist()} == set(range(1, 1683))


def test_nobody_sees_a_film_twice(whole):
    assert all(len(set(row.tolist())) == len(row) for row in whole.histories)


def test_histories_run_in_time_and_equal_times_stay_in_the_order_of_the_file(whole):
    """Held against a plain sort of the file's lines, person by person."""
    lines = [line.split("\t") for line in read(RATINGS).decode().splitlines()[1:]]
    people = list(dict.fromkeys(line[0] for line in lines))
    for place in range(0, 943, 97):
        rows = [(float(when), number, item) for number, (user, item, _, when) in enumerate(lines)
                if user == people[place]]  # fmt: skip
        assert whole.histories[place].tolist() == [int(item) for _, _, item in sorted(rows)]


def test_ties_at_the_last_time_are_as_many_as_is_said():
    lines = [line.split("\t") for line in read(RATINGS).decode().splitlines()[1:]]
    times = {}
    for user, _, _, when in lines:
        times.setdefault(user, []).append(when)
    assert sum(row.count(max(row)) > 1 for row in times.values()) == 415


def test_titles_are_said_as_people_say_them(tmp_path):
    path = table(tmp_path, ["a\t7\t3\t1", "a\t9\t3\t2", "b\t9\t3\t1"])
    table(tmp_path, ["9\tGraduate, The\t1967", "7\tFive, Six\t1999"], "item_id:token\tmovie_title:x\tyear", "own.item")
    films = load_films(path)
    assert films.titles == ("", "The Graduate", "Five, Six")
    assert [row.tolist() for row in films.histories] == [[2, 1], [1]]


def test_without_titles_the_ids_stand_for_them(tmp_path):
    assert load_films(table(tmp_path, ["a\tx\t3\t2", "a\tw\t3\t1"])).titles == ("", "w", "x")


@given(st.lists(st.integers(1, 30), min_size=1, max_size=9), st.integers(1, 12))
def test_the_newest_stand_on_the_right(history, length):
    row = newest([torch.tensor(history)], length)[0].tolist()
    assert row == ([NOTHING] * length + history)[-length:]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_the_last_two_are_set_apart_and_nothing_is_lost(lengths):
    histories = [torch.arange(1, length + 1) for length in lengths]
    kept = [row for row in histories if len(row) >= 3]
    if not kept:
        with pytest.raises(ValueError, match="histories: got none of three films or more"):
            leave_last_out(histories)
        return
    parts = leave_last_out(histories)
    for row, learnt, dev, one, test, other in zip(
        kept, parts.train, parts.dev.histories, parts.dev.target, parts.test.histories, parts.test.target, strict=True
    ):
        assert [*learnt.tolist(), int(one), int(other)] == row.tolist()
        assert dev.equal(learnt) and test.equal(row[:-1])


@pytest.mark.parametrize(
    ("lines", "header", "said"),
    [
        (["a\t1\t5"], HEADER, "line 2: got 3 cells"),
        (["a\t1\t5\t3", "a\t\t5\t3"], HEADER, "line 3: got 4 cells"),
        (["a\t1\t5\tsoon"], HEADER, "line 2: got the time 'soon'"),
        ([], HEADER, "a table without a rating"),
        (["a\t1"], "user\titem", "got the columns user, item"),
    ],
)
def test_what_is_no_rating_is_named(tmp_path, lines, header, said):
    with pytest.raises(ValueError, match=said):
        load_films(table(tmp_path, lines, header))


def test_a_missing_file_and_another_encoding_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="path: got .*absent"):
        load_films(tmp_path / "absent")
    path = tmp_path / "latin"
    path.write_bytes(HEADER.encode() + "\na\té\t1\t1\n".encode("latin-1"))
    with pytest.raises(ValueError, match="not in UTF-8"):
        load_films(path)


@pytest.mark.parametrize("damaged", [True, False], ids=["damaged", "missing"])
def test_without_a_network_the_error_says_what_to_do(offline, capsys, damaged):
    if damaged:
        (offline / RATINGS.name).write_bytes(b"half a fi")
    with pytest.raises(RuntimeError, match="python course.py data") as caught:
        load_films()
    assert all(part in str(caught.value) for part in ("path=", wheels.VARIABLE, RATINGS.name))
    assert ("is damaged (9 bytes" in capsys.readouterr().out) == damaged
    if damaged:  # nothing is lost before there is something better
        assert (offline / RATINGS.name).read_bytes() == b"half a fi"


def test_everything_is_read_offline_once_it_is_there(whole, tmp_path, monkeypatch):
    for file in FROM_RECBOLE:
        (tmp_path / file.name).write_bytes((cache_folder() / file.name).read_bytes())
    monkeypatch.setenv(wheels.VARIABLE, str(tmp_path))
    monkeypatch.setattr(wheels, "_download", lambda *given: pytest.fail("nothing may be fetched"))
    assert isinstance(load_films(), Films)


def test_both_files_come_with_one_download_and_no_other_wheel(tmp_path, monkeypatch):
    monkeypatch.setenv(wheels.VARIABLE, str(tmp_path))
    downloads = []
    monkeypatch.setattr(wheels, "_download", lambda file, folder: downloads.append(file.project) or folder)
    monkeypatch.setattr(wheels, "_member", lambda file, wheel: file.name.encode())
    read(RATINGS, also=FROM_RECBOLE)
    assert downloads == ["recbole"] and {path.name for path in tmp_path.iterdir()} == {RATINGS.name, TITLES.name}
