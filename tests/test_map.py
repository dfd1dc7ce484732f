"""The map says what the lessons say: what each needs, three routes, and ten questions that lead to lessons."""

import itertools
import re

import course_map
import matplotlib.pyplot as plt
import pytest
from installation import ROOT
from minutes import stated

from course_utils.journey import Lesson, lessons
from course_utils.plots import lessons as drawing

PAGE = (ROOT / "reference/map.md").read_text("utf-8")
NUMBERS = [one.number for one in lessons()]


def manuscript(one):
    return (ROOT / "lessons" / f"{one.stem}.md").read_text("utf-8")


def part(name):
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", PAGE, re.DOTALL)[1]


def test_what_is_built_is_up_to_date():
    assert course_map.stale() == [], "run: python course.py build"


def test_every_column_of_its_tables_has_a_name():
    heads = [above for above, below in itertools.pairwise(PAGE.splitlines()) if below.startswith("|---")]
    assert len(heads) == 2 and not [head for head in heads if "" in map(str.strip, head.strip("|").split("|"))]


def test_every_lesson_is_there_as_its_manuscript_says():
    there = sorted(path.stem for path in (ROOT / "lessons").glob("[0-9][0-9]_*.md") if "exercises" not in path.stem)
    assert [one.stem for one in lessons()] == [stem for stem in there if (ROOT / f"notebooks/{stem}.ipynb").exists()]
    for one in lessons():
        said = stated(manuscript(one).replace("\n", " "))
        assert one.minutes == said.main, one.stem
        assert abs(sum(task.minutes for task in one.core) - said.exercises) <= 5, f"{one.stem}: the head rounds"
        assert manuscript(one).startswith(f"# {one.title}\n")


def test_what_a_lesson_needs_stands_in_its_table():
    for one in lessons():
        table = re.search(r"\| you need \|.*?\n\n", manuscript(one), re.DOTALL)[0]
        column = " ".join(row.split("|")[1] for row in table.strip().splitlines())
        named = set(re.findall(r"\b(\d\d)\b", re.sub(r"\]\([^)]*\)", "]", column)))
        assert set(one.needs) == named, one.stem
        assert all(number < one.number for number in one.needs)


# ---- routes ----


@pytest.mark.parametrize("name", course_map.ROUTES)
def test_a_route_leaves_out_nothing_that_it_needs(name):
    numbers = course_map.ROUTES[name][1] or NUMBERS
    for one in lessons():
        if one.number in numbers:
            assert set(one.needs) <= set(numbers), f"{name}: lesson {one.number}"


def test_the_minutes_of_the_routes_are_those_of_the_lessons():
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in part("routes").splitlines()[2:]]
    assert [row[0].strip("*") for row in rows] == list(course_map.ROUTES)
    spent = {}
    for name, _, links, *times in rows:
        heads = [stated(manuscript(one)) for one in lessons() if one.number in re.findall(r"\[(\d\d)\]", links)]
        spent[name.strip("*")] = [sum(head.main for head in heads), sum(head.exercises for head in heads)]
        read = [sum(int(n) * f for n, f in zip(re.findall(r"\d+", t)[::-1], (1, 60), strict=False)) for t in times]
        assert read == spent[name.strip("*")]
    assert sum(spent["Two hours"]) <= 120
    reading, practice = spent["A weekend"]
    assert 4 * 60 <= reading / 2 <= 5 * 60 and 6 * 60 <= (reading + practice) / 2 <= 8 * 60, "as the page says"
    assert spent["All"][0] == sum(one.minutes for one in lessons())


# ---- the questions at the door ----


def test_ten_questions_lead_to_the_right_lessons_in_order():
    door = PAGE.partition("## Ten questions at the door")[2].partition("\n## ")[0]
    found = re.split(r"^\d+\. ", door, flags=re.MULTILINE)[1:]
    sent = []
    for text in found:
        question, folded, answer = text.partition("<details><summary>Answer</summary>")
        assert "?" in question and folded and "lesson" not in question.lower()
        [(number, link)] = re.findall(r"If you did not know: \[lesson (\d\d)\]\(\.\./notebooks/(\w+)\.ipynb\)", answer)
        assert link.startswith(number) and answer.index("</details>") > answer.index(link)
        sent.append(number)
    assert len(found) == 10 and sent == sorted(set(sent)) and set(sent) <= set(NUMBERS)


# ---- the drawing ----


def made(needs):
    return [Lesson(f"{number}_name", "", 60, tuple(its), ()) for number, its in needs.items()]


def test_arrows_that_another_way_implies_are_left_out():
    assert drawing.upon(made({"00": [], "01": ["00"], "02": ["00", "01"], "03": ["00"]})) == {
        "00": set(), "01": {"00"}, "02": {"01"}, "03": {"00"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "course",
    [
        lessons(),
        [*lessons(), *made({"97": ["10", "11", "12", "13"], "98": ["01", "97"]})],
        made({"00": [], "01": [], "02": ["01"]}),
    ],
    ids=["today", "two more", "two beginnings"],
)
def test_every_lesson_stands_below_what_it_needs_and_no_two_touch(course):
    found = drawing.places(course)
    for one in course:
        assert all(found[before][1] < found[one.number][1] for before in one.needs)
    drawing.course_map(course=course)
    boxes = [text for text in plt.gcf().axes[0].texts if text.get_text()[:2] in found]
    assert len(boxes) == len(course)
    plt.close("all")
    spots = [(round(x / drawing.GAP, 3), row) for x, row in found.values()]
    for place, (x, row) in enumerate(spots):
        assert all(row != other or abs(x - y) >= 0.999 for y, other in spots[place + 1 :])


def test_the_drawing_says_what_is_done():
    first, second, third = lessons()[:3]
    states = {task.key: "passed" for task in first.core} | {
        second.tasks[0].key: "passed",
        second.tasks[1].key: "wrong",
    }
    drawing.course_map(states)
    said = [text.get_text() for text in plt.gcf().axes[0].texts]
    plt.close("all")
    assert said.count("✓ all done") == 1 and f"1 of {len(second.core)} done" in said
    assert f"0 of {len(third.core)} done" in said
