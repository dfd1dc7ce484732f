"""What was done is kept from one sitting to the next, in the learner's own folder, and never lost."""

import json

import pytest

from course_utils import checks
from course_utils.checks import record
from course_utils.checks.record import NAME, Record


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The learner's exercises, in a copy of the course."""
    (tmp_path / "my_course" / ".course").mkdir(parents=True)
    exercises = tmp_path / "my_course" / "exercises"
    exercises.mkdir()
    monkeypatch.delenv("ATTENTION_COURSE_PROGRESS_FILE", raising=False)
    monkeypatch.delenv("ATTENTION_COURSE_STRICT", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.chdir(exercises)
    return tmp_path / "my_course"


def sitting(monkeypatch):
    monkeypatch.setattr(checks, "_record", Record())


def test_the_next_sitting_knows_what_was_done(folder, monkeypatch, capsys):
    sitting(monkeypatch)
    checks.check("4.2", lambda queries, keys: __import__("torch").ones(queries, keys).tril(keys - queries).bool())
    checks.check("3.1", ...)
    sitting(monkeypatch)
    capsys.readouterr()
    checks.progress()
    assert capsys.readouterr().out.startswith("Lesson 03: 0 of")
    checks.progress("04")
    assert "  ✓ 4.2 " in capsys.readouterr().out
    content = json.loads((folder / NAME).read_text(encoding="utf-8"))
    assert content["exercises"] == {"3.1": "not yet", "4.2": "passed"} and content["last"] == "3.1"


def test_progress_is_that_of_the_check_run_last(folder, monkeypatch, capsys):
    sitting(monkeypatch)
    for key in ("2.1", "3.1", "2.1"):
        checks.check(key, ...)
    capsys.readouterr()
    checks.progress()
    assert capsys.readouterr().out.startswith("Lesson 02:")


def test_what_was_right_once_stays_done_in_two_notebooks_at_once(folder):
    one, two = Record(), Record()
    one.note("2.1", "passed")
    two.note("2.2", "passed")
    one.note("2.1", "wrong")
    two.note("2.1", "not yet")
    third = Record()
    third.read()
    assert third.states == {"2.1": "passed", "2.2": "passed"}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"format": 2}', '{"format": 1, "exercises": {"2.1": "great"}}', "\0"]
)
def test_a_damaged_file_is_kept_beside(folder, capsys, content):
    (folder / NAME).write_text(content, encoding="utf-8")
    for number in (1, 2):
        Record().note("2.1", "passed")
        Record().note("2.2", "passed")
        said = capsys.readouterr().out
        assert said.count("could not be read") == 1 and f"attention_progress.damaged-{number}.json" in said
        assert (folder / f"attention_progress.damaged-{number}.json").read_text(encoding="utf-8") == content
        assert set(json.loads((folder / NAME).read_text(encoding="utf-8"))["exercises"]) == {"2.1", "2.2"}
        (folder / NAME).write_text(content, encoding="utf-8")


def test_a_file_that_disappears_is_written_again(folder):
    mine = Record()
    mine.note("2.1", "passed")
    (folder / NAME).unlink()
    mine.note("2.2", "wrong")
    assert json.loads((folder / NAME).read_text(encoding="utf-8"))["exercises"] == {"2.1": "passed", "2.2": "wrong"}


def test_where_nobody_may_write_a_line_says_so_once(folder, capsys):
    (folder / NAME).mkdir()  # a folder of that name: nothing can be written there
    mine = Record()
    mine.note("2.1", "passed")
    mine.note("2.2", "passed")
    assert capsys.readouterr().out.count("could not be written") == 1
    assert mine.states == {"2.1": "passed", "2.2": "passed"}


def test_the_place_is_the_learners(folder, tmp_path, monkeypatch):
    assert record.place() == folder / NAME
    monkeypatch.chdir(tmp_path)  # an editor that starts in the course's own folder
    assert record.place() == folder / NAME
    (elsewhere := tmp_path.parent / f"{tmp_path.name}-elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    assert record.place() == elsewhere / NAME
    (folder / "solutions").mkdir()
    monkeypatch.chdir(folder / "solutions")
    assert record.place() is None
    monkeypatch.chdir(folder)
    for name, value in {
        "ATTENTION_COURSE_PROGRESS_FILE": "0",
        "ATTENTION_COURSE_STRICT": "1",
        "NBGRADER_EXECUTION": "autograde",
    }.items():
        with monkeypatch.context() as inner:
            inner.setenv(name, value)
            assert record.place() is None
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS_FILE", str(tmp_path / "mine.json"))
    assert record.place() == tmp_path / "mine.json"


def test_a_graded_run_is_closed(monkeypatch):
    own = checks.find("3.1").oracle
    monkeypatch.setenv("ATTENTION_COURSE_STRICT", "1")
    with pytest.raises(AssertionError, match="the check's own"):
        checks.check("3.1", own)
    with pytest.raises(PermissionError, match="^find: got a graded run"):
        checks.find("3.1")
