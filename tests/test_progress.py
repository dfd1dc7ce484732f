"""How far somebody has come, and exercises begun anew: in the terminal, in folders of any name, and nothing is lost."""

import json
import os
import shutil
import subprocess
import sys

import matplotlib.pyplot as plt
import pytest
from fresh import reset
from installation import ROOT
from merge_notebook import read
from progress import progress
from supported import Stop
from working_copy import EDITION, FOLDERS, refresh

from course_utils import checks
from course_utils.checks.bank import bank
from course_utils.checks.bank import lessons as banks
from course_utils.checks.record import Record
from course_utils.journey import lessons, minutes_left, overview
from course_utils.journey.overview import hours

DAY = "2026-12-01"
FIRST, SECOND = lessons()[:2]


@pytest.fixture
def course(tmp_path):
    """Two exercise notebooks of the course, in a folder whose name has a space and a Chinese letter."""
    root = tmp_path / "the course 课"
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
    for name in (FIRST.stem, SECOND.stem):
        shutil.copy(ROOT / f"exercises/{name}.ipynb", root / "exercises")
    return root


@pytest.fixture
def copy(course):
    refresh(course, course / "my_course", DAY)
    return course / "my_course"


# ---- progress ----


def test_the_lessons_have_the_exercises_of_the_bank():
    for one in lessons():
        known = bank(one.number) if one.number in banks() else {}
        assert sorted(known) == sorted(task.key for task in one.tasks), one.number


def test_the_overview_counts_exercises_and_minutes():
    done = [task.key for task in FIRST.core]
    states = dict.fromkeys(done, "passed") | {
        SECOND.core[0].key: "wrong",
        SECOND.core[1].key: "not yet",
        "99.1": "passed",
    }
    assert minutes_left(FIRST, states) == 0
    assert minutes_left(SECOND, states) == sum(task.minutes for task in SECOND.core), "read, since one was checked"
    assert minutes_left(SECOND, {}) == SECOND.minutes + sum(task.minutes for task in SECOND.core)
    said = overview(states, [FIRST, SECOND]).splitlines()
    assert said[0].startswith(f"The course: {len(done)} of {len(done) + len(SECOND.core)} exercises done, ")
    assert said[1].split()[:4] == ["00", "✓" * len(done), "+", "○"] and said[1].endswith(
        f"done             {FIRST.title}"
    )
    assert said[2].split()[:2] == ["01", "✗" + "○" * (len(SECOND.core) - 1)]
    assert len(overview({}).splitlines()) == len(lessons()) + 2


def test_further_exercises_are_counted_apart_and_cost_nothing():
    [further] = [task for task in FIRST.tasks if task.further]
    said = overview({further.key: "passed"}, [FIRST]).splitlines()
    assert ", and 1 of 1 further ones, " in said[0] and said[1].split()[1:4] == ["○" * len(FIRST.core), "+", "✓"]
    assert minutes_left(FIRST, {further.key: "wrong"}) == sum(task.minutes for task in FIRST.core)


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "0 minutes"), (59, "59 minutes"), (60, "1 hour"), (90, "1½ hours"), (1735, "29 hours")]
)
def test_minutes_in_words(minutes, words):
    assert hours(minutes) == words


def test_the_terminal_reads_what_the_checks_keep(copy, monkeypatch):
    monkeypatch.delenv("ATTENTION_COURSE_PROGRESS_FILE")
    assert progress(copy).startswith("No exercise has been checked yet.\nThe course: 0 of ")
    monkeypatch.chdir(copy / "exercises")
    record = Record()
    record.note(FIRST.tasks[0].key, "passed")
    record.note(FIRST.tasks[1].key, "wrong")
    before = (copy / "attention_progress.json").read_bytes()
    assert "\n  00 ✓✗○" in progress(copy)
    (copy / "attention_progress.json").write_text("{", "utf-8")
    with pytest.raises(Stop, match="is damaged"):
        progress(copy)
    assert (copy / "attention_progress.json").read_text("utf-8") == "{", "the terminal only reads"
    (copy / "elsewhere.json").write_bytes(before)
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS_FILE", str(copy / "elsewhere.json"))
    assert "\n  00 ✓✗○" in progress(copy)
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS_FILE", "0")
    with pytest.raises(Stop, match="is 0"):
        progress(copy)


def test_without_a_copy_one_sentence_says_what_to_do(course, monkeypatch):
    monkeypatch.delenv("ATTENTION_COURSE_PROGRESS_FILE")
    with pytest.raises(Stop, match=r"There is no folder my_course yet, and so no progress: .* course\.py lab"):
        progress(course / "my_course")
    with pytest.raises(Stop, match=r"There is no folder my_course yet, .* python course\.py lab"):
        reset("00", course, course / "my_course", DAY)
    assert not (course / "my_course").exists()


def test_in_a_notebook_all_prints_the_course_and_draws_its_map(capsys, monkeypatch):
    monkeypatch.setattr(checks, "_record", Record())
    checks._record.states = {task.key: "passed" for task in FIRST.tasks if not task.further}
    checks.progress("all")
    assert capsys.readouterr().out.strip() == overview(checks._record.states)
    assert "✓ all done" in [text.get_text() for text in plt.gcf().axes[0].texts]
    plt.close("all")


def test_the_commands_work_from_a_folder_of_any_name(course):
    for name in ("course.py", "tools", "course_utils", "pyproject.toml"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, course / name)
    told = {**os.environ, "PYTHONUTF8": "1"}
    told.pop("ATTENTION_COURSE_PROGRESS_FILE")

    def call(*words):
        command = [sys.executable, "course.py", *words]
        return subprocess.run(command, cwd=course, env=told, capture_output=True, encoding="utf-8")

    assert call("progress").returncode == 1 and "There is no folder my_course yet" in call("progress").stderr
    assert call("copy").returncode == 0
    assert "The course: 0 of " in call("progress").stdout
    mine = course / f"my_course/exercises/{FIRST.stem}.ipynb"
    mine.write_text(mine.read_text("utf-8").replace("...  # your answer", "pass", 1), "utf-8")
    done = call("reset", "00")
    assert done.returncode == 0 and "is fresh. Your old one: my_course/exercises/" in done.stdout
    assert call("reset", "77").returncode == 1


# ---- reset ----


def answered(path, words="my own answer"):
    book = json.loads(path.read_text("utf-8"))
    book["cells"][-1]["source"] = [words]
    path.write_text(json.dumps(book), "utf-8")
    return path.read_bytes()


def test_a_fresh_notebook_stands_there_and_the_old_one_beside_it(course, copy):
    mine = copy / f"exercises/{FIRST.stem}.ipynb"
    fresh = mine.read_bytes()
    once = answered(mine, "first")
    [said, hint] = reset("00", course, copy, DAY)
    kept = copy / f"exercises/{FIRST.stem}.before-{DAY}.ipynb"
    assert mine.read_bytes() == fresh and kept.read_bytes() == once
    assert said == f"my_course/exercises/{FIRST.stem}.ipynb is fresh. Your old one: my_course/exercises/{kept.name}"
    assert "close it there and open it again" in hint
    twice = answered(mine, "second")
    reset(FIRST.stem, course, copy, DAY)
    assert kept.read_bytes() == once and kept.with_stem(f"{kept.stem}-2").read_bytes() == twice, (
        "nothing is overwritten"
    )
    assert refresh(course, copy, DAY) == [], "the next start finds nothing to do"


def test_what_was_not_touched_or_is_damaged_or_missing(course, copy):
    mine = copy / f"exercises/{FIRST.stem}.ipynb"
    assert "nothing to begin anew" in reset("00", course, copy, DAY)[0] and len(list(mine.parent.glob("*before*"))) == 0
    mine.write_text("half a fi", "utf-8")
    reset("00", course, copy, DAY)
    assert (
        read(mine.read_bytes())["cells"]
        and (mine.parent / f"{FIRST.stem}.before-{DAY}.ipynb").read_text() == "half a fi"
    )
    mine.unlink()
    assert "it is now, as it is given out" in reset("00", course, copy, DAY)[-1] and mine.exists()


def test_after_an_update_the_fresh_one_is_todays_edition(course, copy):
    mine, theirs = copy / f"exercises/{FIRST.stem}.ipynb", course / f"exercises/{FIRST.stem}.ipynb"
    old = answered(mine)
    book = json.loads(theirs.read_text("utf-8"))
    book["cells"][0]["source"] = ["# A new edition"]
    theirs.write_text(json.dumps(book), "utf-8")
    reset("00", course, copy, DAY)
    assert mine.read_bytes() == theirs.read_bytes() == (copy / EDITION / f"exercises/{FIRST.stem}.ipynb").read_bytes()
    assert (mine.parent / f"{FIRST.stem}.before-{DAY}.ipynb").read_bytes() == old


def test_a_course_that_was_written_into_gives_out_nothing(course, copy):
    mine, theirs = copy / f"exercises/{FIRST.stem}.ipynb", course / f"exercises/{FIRST.stem}.ipynb"
    old = answered(mine)
    book = json.loads(theirs.read_text("utf-8"))
    next(cell for cell in book["cells"] if cell["cell_type"] == "code")["execution_count"] = 3
    theirs.write_text(json.dumps(book), "utf-8")
    with pytest.raises(Stop, match="was changed"):
        reset("00", course, copy, DAY)
    with pytest.raises(Stop, match="No lesson 77 has exercises: there are 00, 01"):
        reset("77", course, copy, DAY)
    assert mine.read_bytes() == old
