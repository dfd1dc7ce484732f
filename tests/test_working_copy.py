"""What a learner writes is never lost: the working copy, and how it follows a course that changes."""

import json
import re
import shutil

import hypothesis.strategies as st
import merge_notebook
import nbformat
import pytest
import working_copy
from browser import jupyterlab, patient
from hypothesis import given
from installation import ROOT
from merge_notebook import changed, merged, read, source, written
from supported import Stop
from working_copy import EDITION, FOLDERS, refresh

from course import FIRST_LESSON

DAY = "2026-12-01"
STUB = "...  # your answer"


def cell(kind, ident, text, **more):
    made = {"cell_type": kind, "id": ident, "metadata": {}, "source": text, **more}
    return {**made, "outputs": [], "execution_count": None} if kind == "code" else made


def answer(number, text):
    ident = f"answer-{number.replace('.', '-')}"
    marks = {"nbgrader": {"grade_id": ident, "solution": True, "grade": False, "locked": False}}
    return {**cell("code", ident, text), "metadata": marks}


def exercise(number, title, stub=None):
    slug = re.sub(r"\W+", "-", f"{number} {title}".lower())
    name = title.lower().replace(" ", "_")
    return [
        cell("markdown", slug, f"## {number} {title}\n\nWrite it."),
        answer(number, stub or f"def {name}(x):\n    {STUB}"),
        cell("code", f"check-{number.replace('.', '-')}", f'check("{number}", {name})'),
    ]


def notebook(*parts):
    cells = [cell("markdown", "exercises", "# Exercises"), cell("code", "tools", "import torch")]
    made = {"cells": cells + [one for part in parts for one in part], "nbformat": 4, "nbformat_minor": 5}
    return json.loads(json.dumps({**made, "metadata": {"kernelspec": {"name": "python3", "display_name": "x"}}}))


def solved(book, **answers):
    """The notebook with answers: `answer_2_1="…"`."""
    made = json.loads(json.dumps(book))
    for one in made["cells"]:
        if one["id"].replace("-", "_") in answers:
            one["source"] = answers[one["id"].replace("-", "_")]
    return made


def sources(book):
    return [source(one) for one in book["cells"]]


# ---- one notebook, three ways ----


OLD = notebook(exercise("2.1", "Weights"), exercise("2.2", "Blend"), exercise("2.3", "Mask"))


def test_an_exercise_that_is_added_moves_the_answers_along():
    mine = solved(OLD, answer_2_1="def weights(x):\n    return x.softmax(-1)", answer_2_2="def blend(x):\n    return 2")
    new = notebook(
        exercise("2.1", "Search"), exercise("2.2", "Weights"), exercise("2.3", "Blend"), exercise("2.4", "Mask")
    )
    after = {one["id"]: source(one) for one in merged(OLD, mine, new, DAY)["cells"]}
    assert list(after) == [one["id"] for one in new["cells"]]
    assert after["answer-2-1"] == f"def search(x):\n    {STUB}"
    assert after["answer-2-2"].endswith("return x.softmax(-1)") and after["answer-2-3"].endswith("return 2")
    assert after["answer-2-4"].endswith(STUB) and after["check-2-2"] == 'check("2.2", weights)'


def test_an_answer_to_an_exercise_that_is_gone_keeps_its_place():
    mine = solved(OLD, answer_2_2="def blend(x):\n    return 2")
    after = sources(merged(OLD, mine, notebook(exercise("2.1", "Weights"), exercise("2.2", "Mask")), DAY))
    assert after.index("def blend(x):\n    return 2") == after.index('check("2.1", weights)') + 1
    assert 'check("2.2", blend)' not in after, "the rest of it goes"


@pytest.mark.parametrize("stub", [f"def blend(x, mask):\n    {STUB}", f"def mix(x):\n    {STUB}"])
def test_an_answer_stays_when_its_exercise_changed_and_the_new_beginning_stands_below(stub):
    mine = solved(OLD, answer_2_2="def blend(x):\n    return 2")
    new = notebook(exercise("2.1", "Weights"), exercise("2.2", "Blend", stub), exercise("2.3", "Mask"))
    after = merged(OLD, mine, new, DAY)["cells"]
    place = [one["id"] for one in after].index("answer-2-2")
    assert source(after[place]) == "def blend(x):\n    return 2"
    assert (
        after[place + 1]["cell_type"] == "markdown"
        and stub in source(after[place + 1])
        and DAY in source(after[place + 1])
    )


def test_an_exercise_with_a_new_title_keeps_its_answer():
    mine = solved(OLD, answer_2_2="def blend(x):\n    return 2")
    new = notebook(exercise("2.1", "Weights"), exercise("2.3", "Mask"), exercise("2.9", "Blend"))
    new["cells"][-3]["source"] = "## 2.9 The context\n\nOther words."
    after = {one["id"]: source(one) for one in merged(OLD, mine, new, DAY)["cells"]}
    assert after["answer-2-9"] == "def blend(x):\n    return 2"


def test_what_the_learner_added_stays_where_it_is_and_what_was_deleted_stays_away():
    mine = json.loads(json.dumps(OLD))
    mine["cells"].insert(0, cell("markdown", "aa", "My notes"))
    mine["cells"].insert(5, cell("code", "bb", "print(weights(x))"))
    mine["cells"] = [one for one in mine["cells"] if one["id"] != "check-2-3"]
    new = solved(OLD, tools="import torch, math")
    after = sources(merged(OLD, mine, new, DAY))
    assert after[0] == "My notes" and after[2] == "import torch, math"
    assert after[after.index("print(weights(x))") - 1] == f"def weights(x):\n    {STUB}"
    assert 'check("2.3", mask)' not in after


def test_a_text_that_both_changed_stands_in_both_forms():
    mine, new = solved(OLD, tools="import torch\nmine = 1"), solved(OLD, tools="import torch, math")
    after = sources(merged(OLD, mine, new, DAY))
    assert after[1] == "import torch, math" and "mine = 1" in after[2]
    assert sources(merged(OLD, mine, OLD, DAY))[1] == "import torch\nmine = 1", "only the learner changed it"


def test_outputs_stay_with_the_code_that_made_them():
    shown = [{"output_type": "stream", "name": "stdout", "text": "✓ 2.1"}]
    mine = json.loads(json.dumps(OLD))
    for one in mine["cells"]:
        if one["cell_type"] == "code":
            one.update(outputs=shown, execution_count=1)
    new = solved(OLD, check_2_2='check("2.2", blend, 2)')
    after = {one["id"]: one for one in merged(OLD, mine, new, DAY)["cells"]}
    assert after["check-2-1"]["outputs"] == shown and after["check-2-2"]["outputs"] == []
    assert not changed(OLD, mine) and changed(OLD, new)


def test_a_file_from_colab_has_its_ids_among_the_metadata():
    mine = solved(OLD, answer_2_1="def weights(x):\n    return 1")
    for one in mine["cells"]:
        one["metadata"]["id"] = one.pop("id")
    mine["nbformat_minor"] = 0
    after = merged(OLD, mine, solved(OLD, tools="import math"), DAY)
    nbformat.validate(nbformat.from_dict(after))
    assert sources(after)[1] == "import math" and "def weights(x):\n    return 1" in sources(after)


def test_without_ids_and_without_an_edition_answers_are_found_by_their_headings():
    mine = solved(OLD, answer_2_3="def mask(x):\n    return 3")
    for one in mine["cells"]:
        del one["id"]
    after = {one["id"]: source(one) for one in merged(None, mine, OLD, DAY)["cells"]}
    assert after["answer-2-3"] == "def mask(x):\n    return 3" and len(after) == len(OLD["cells"])


@given(st.data())
def test_nothing_is_lost_whatever_both_do(data):
    titles = ["Weights", "Blend", "Mask", "Search", "Heads"]
    before = data.draw(st.lists(st.sampled_from(titles), unique=True, min_size=1))
    base = notebook(*(exercise(f"2.{place}", title) for place, title in enumerate(before, 1)))
    mine, written_by_me = json.loads(json.dumps(base)), []
    for one in list(mine["cells"]):
        what = data.draw(st.sampled_from(["leave", "leave", "edit", "delete", "add"]))
        if what == "delete":
            mine["cells"].remove(one)
        elif what != "leave":
            written_by_me.append(f"mine {len(written_by_me)} ```")
            if what == "edit":
                one["source"] = written_by_me[-1]
            else:
                own = cell(
                    data.draw(st.sampled_from(["code", "markdown"])), f"own{len(written_by_me)}", written_by_me[-1]
                )
                mine["cells"].insert(mine["cells"].index(one), own)
    now = data.draw(st.lists(st.sampled_from(titles), unique=True))
    stubs = [data.draw(st.sampled_from([None, f"def other(x):\n    {STUB}"])) for _ in now]
    course = notebook(*(exercise(f"2.{place}", *one) for place, one in enumerate(zip(now, stubs, strict=True), 1)))
    kept = json.dumps([base, mine, course])
    after = merged(base, mine, course, DAY)
    assert json.dumps([base, mine, course]) == kept, "nothing that is given is changed"
    nbformat.validate(nbformat.from_dict(after))
    assert len({one["id"] for one in after["cells"]}) == len(after["cells"])
    everything = "\n".join(sources(after))
    assert all(line in everything for line in written_by_me)
    if not changed(base, mine):
        assert after["cells"] == course["cells"]
    again = "\n".join(sources(merged(base, after, course, DAY)))
    assert all(line in again for line in written_by_me), "not even with the wrong edition"
    assert sources(merged(course, after, course, DAY)) == sources(after)


# ---- the folder ----


@pytest.fixture
def course(tmp_path):
    """A small course with one lesson, and a function that gives it a new edition of its exercises."""
    for folder in FOLDERS:
        (tmp_path / "course" / folder).mkdir(parents=True)
        (tmp_path / "course" / folder / "02_x.ipynb").write_bytes(written(OLD))
    return tmp_path / "course"


def put(path, book):
    path.write_bytes(written(book))


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


NEW = notebook(exercise("2.1", "Search"), exercise("2.2", "Weights"), exercise("2.3", "Blend"), exercise("2.4", "Mask"))
DONE = solved(OLD, answer_2_1="def weights(x):\n    return 1")


def test_the_copy_is_made_byte_by_byte_and_a_second_refresh_changes_nothing(course, tmp_path):
    copy = tmp_path / "copy"
    assert len(refresh(course, copy, DAY)) == 1
    for folder in FOLDERS:
        assert (copy / folder / "02_x.ipynb").read_bytes() == written(OLD)
    before = files(tmp_path)
    assert refresh(course, copy, DAY) == [] and files(tmp_path) == before


def test_half_solved_exercises_follow_the_course(course, tmp_path):
    copy = tmp_path / "copy"
    refresh(course, copy, DAY)
    put(copy / "exercises/02_x.ipynb", DONE)
    for folder in FOLDERS:
        put(course / folder / "02_x.ipynb", NEW)
    [line] = refresh(course, copy, DAY)
    assert line.startswith("exercises/02_x.ipynb has a new edition") and f"02_x.before-{DAY}.ipynb" in line
    assert (copy / f"exercises/02_x.before-{DAY}.ipynb").read_bytes() == written(DONE)
    after = {one["id"]: source(one) for one in read((copy / "exercises/02_x.ipynb").read_bytes())["cells"]}
    assert after["answer-2-2"] == "def weights(x):\n    return 1" and after["answer-2-1"].endswith(STUB)
    assert (copy / "notebooks/02_x.ipynb").read_bytes() == written(NEW), "untouched: the new edition as it is"
    before = files(tmp_path)
    assert refresh(course, copy, DAY) == [] and files(tmp_path) == before
    put(course / "exercises/02_x.ipynb", OLD)  # and a third edition, on the same day
    refresh(course, copy, DAY)
    assert "def weights(x):\n    return 1" in sources(read((copy / "exercises/02_x.ipynb").read_bytes()))
    assert len(list((copy / "exercises").glob("02_x.before-*"))) == 2


def test_windows_line_ends_are_no_change(course, tmp_path):
    copy = tmp_path / "copy"
    refresh(course, copy, DAY)
    path = copy / "exercises/02_x.ipynb"
    mine = json.loads(path.read_bytes())
    for one in mine["cells"]:
        one["source"] = one["source"].replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + written(mine).replace(b"\n", b"\r\n"))
    put(course / "exercises/02_x.ipynb", NEW)
    assert refresh(course, copy, DAY) == []
    assert sources(read(path.read_bytes())) == sources(NEW) and not list((copy / "exercises").glob("*before*"))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"cells": [1]}', b'{"worksheets": []}', b"\xff\xfe", b"<<<<<<< HEAD\n"]
)
def test_a_damaged_file_is_left_alone_and_named(course, tmp_path, content):
    copy = tmp_path / "copy"
    refresh(course, copy, DAY)
    path = copy / "exercises/02_x.ipynb"
    path.write_bytes(content)
    put(course / "exercises/02_x.ipynb", NEW)
    [line] = refresh(course, copy, DAY)
    assert "exercises/02_x.ipynb is damaged and is left as it is" in line
    assert path.read_bytes() == content
    path.unlink()
    assert refresh(course, copy, DAY) == [] and path.read_bytes() == written(NEW), "as the line says"


@pytest.mark.parametrize("name", [f"{EDITION}/exercises/02_x.ipynb", "course"])
def test_a_damaged_edition_or_course_loses_nothing(course, tmp_path, name):
    copy = tmp_path / "copy"
    refresh(course, copy, DAY)
    put(copy / "exercises/02_x.ipynb", DONE)
    put(course / "exercises/02_x.ipynb", NEW)
    path = course / "exercises/02_x.ipynb" if name == "course" else copy / name
    path.write_bytes(b"<<<<<<< HEAD\n")
    refresh(course, copy, DAY)
    assert "def weights(x):\n    return 1" in sources(read((copy / "exercises/02_x.ipynb").read_bytes()))


@pytest.mark.parametrize("solution", [OLD, DONE], ids=["untouched", "half solved"])
@pytest.mark.parametrize("at", ["mine", "edition"])
def test_a_start_that_is_cut_off_is_finished_by_the_next(course, tmp_path, monkeypatch, solution, at):
    for folder in ("notebooks", "solutions"):
        (course / folder / "02_x.ipynb").unlink()
    whole, copy = tmp_path / "whole", tmp_path / "copy"
    for folder in (whole, copy):
        refresh(course, folder, DAY)
        put(folder / "exercises/02_x.ipynb", solution)
    put(course / "exercises/02_x.ipynb", NEW)
    refresh(course, whole, DAY)
    write = working_copy.write

    def cut(path, content):
        if path == (copy if at == "mine" else copy / EDITION) / "exercises/02_x.ipynb":
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(working_copy, "write", cut)
    with pytest.raises(KeyboardInterrupt):
        refresh(course, copy, DAY)
    monkeypatch.setattr(working_copy, "write", write)
    refresh(course, copy, DAY)
    after, expected = files(copy), files(whole)
    assert {name: after[name] for name in expected} == expected
    assert all("before" in name for name in after.keys() - expected.keys())


def test_a_file_that_cannot_be_replaced_is_named_and_the_rest_goes_on(course, tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    refresh(course, copy, DAY)
    for folder in FOLDERS:
        put(course / folder / "02_x.ipynb", NEW)
    write = working_copy.write

    def refuse(path, content):
        if path == copy / "exercises/02_x.ipynb":
            raise PermissionError("in use")
        write(path, content)

    monkeypatch.setattr(working_copy, "write", refuse)
    [line] = refresh(course, copy, DAY)
    assert "exercises/02_x.ipynb could not be brought up to date: close it" in line
    assert (copy / "solutions/02_x.ipynb").read_bytes() == written(NEW)


def test_a_place_where_nobody_may_write_is_named(course, tmp_path):
    (tmp_path / "copy").write_text("a file where the folder should be", "utf-8")
    with pytest.raises(Stop, match="cannot be made .*move the course to where you may write"):
        refresh(course, tmp_path / "copy", DAY)


def test_work_in_the_courses_own_exercises_is_taken_along(course, tmp_path):
    copy = tmp_path / "copy"
    put(course / "exercises/02_x.ipynb", DONE)  # before there was a copy, or by another editor
    assert any("holds work of yours" in line for line in refresh(course, copy, DAY))
    assert refresh(course, copy, DAY) == []
    put(course / "exercises/02_x.ipynb", NEW)  # the learner puts the course's file back, and updates
    refresh(course, copy, DAY)
    after = {one["id"]: source(one) for one in read((copy / "exercises/02_x.ipynb").read_bytes())["cells"]}
    assert "def weights(x):\n    return 1" in after.values() and STUB in after["answer-2-3"]
    put(course / "exercises/02_x.ipynb", solved(NEW, answer_2_3="def blend(x):\n    return 9"))
    before = files(copy)
    assert any("was written into" in line for line in refresh(course, copy, DAY)) and files(copy) == before


def test_a_lesson_with_another_number_takes_the_file_along_and_one_that_is_gone_leaves_what_was_written(
    course, tmp_path
):
    copy = tmp_path / "copy"
    refresh(course, copy, DAY)
    put(copy / "exercises/02_x.ipynb", DONE)
    for folder in FOLDERS:
        (course / folder / "02_x.ipynb").rename(course / folder / "03_x.ipynb")
    assert refresh(course, copy, DAY) == []
    assert (copy / "exercises/03_x.ipynb").read_bytes() == written(DONE)
    assert not (copy / "exercises/02_x.ipynb").exists()
    for folder in FOLDERS:
        (course / folder / "03_x.ipynb").unlink()
    [line] = refresh(course, copy, DAY)
    assert "exercises/03_x.ipynb is no longer part of the course: your file stays." in line
    assert (copy / "exercises/03_x.ipynb").read_bytes() == written(DONE)
    assert not (copy / "notebooks/03_x.ipynb").exists() and refresh(course, copy, DAY) == []


# ---- the course as it is ----


def test_the_courses_own_exercises_are_given_out_empty():
    for path in sorted((ROOT / "exercises").glob("*.ipynb")):
        assert not working_copy.worked_in(read(path.read_bytes())), path.name


def test_links_between_notebooks_lead_somewhere_in_the_copy():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("*.ipynb")):
            for one in read(path.read_bytes())["cells"]:
                for link in re.findall(r"\]\((\.\.?/[^)#\s]+)", source(one)) if one["cell_type"] == "markdown" else []:
                    there = re.fullmatch(r"\.\./(notebooks|exercises|solutions)/[\w.]+\.ipynb", link)
                    assert there, f"{folder}/{path.name} links to {link}, which a working copy does not have"


def test_git_and_the_tests_leave_the_copy_alone():
    assert f"{working_copy.COPY.name}/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert shutil.which("git") is None or working_copy.COPY.parent == ROOT
    assert merge_notebook.read(written(OLD)) == OLD


@pytest.mark.browser
@pytest.mark.thorough
def test_the_link_of_a_lesson_leads_to_the_learners_own_exercises(browser, tmp_path):
    (tmp_path / "course").mkdir()
    for folder in FOLDERS:
        (tmp_path / "course" / folder).mkdir()
        shutil.copy(ROOT / folder / "00_start.ipynb", tmp_path / "course" / folder)
    refresh(tmp_path / "course", tmp_path / "copy", DAY)
    path = tmp_path / "copy/exercises/00_start.ipynb"
    mine = read(path.read_bytes())
    mine["cells"].insert(0, cell("markdown", "mine", "# My own notes"))
    put(path, mine)
    with jupyterlab(tmp_path / "copy") as lab:
        page = patient(browser.new_page())
        page.goto(lab.address(FIRST_LESSON))
        link = page.locator(
            '.jp-NotebookPanel a[data-commandlinker-args*="exercises"], .jp-NotebookPanel a[href*="exercises"]'
        )
        link.last.wait_for(state="attached")
        link.last.scroll_into_view_if_needed()
        link.last.click()
        page.get_by_role("heading", name="My own notes").wait_for()
        page.close()
