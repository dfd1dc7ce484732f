"""The minutes at the head of a lesson are those that its words and lines take."""

import nbformat
import pytest
from editions import ROOT, stems
from minutes import counted, stated, words
from nbformat.v4 import new_code_cell, new_markdown_cell

MOST = 75  # minutes of a lesson's main path
MARGIN = 0.10


@pytest.mark.parametrize("stem", stems())
def test_stated_minutes_are_the_counted_ones(stem):
    said = stated((ROOT / "lessons" / f"{stem}.md").read_text(encoding="utf-8"))
    found = counted(nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4).cells)
    assert said.main <= MOST
    for name, one, other in (("main", said.main, found.main), ("Further", said.further, found.further)):
        assert abs(one - other) <= max(2.0, MARGIN * other), f"{name}: {one:.0f} minutes stated, {other:.0f} counted"


def test_prose_code_and_cells_are_counted_each_in_its_part():
    cells = [
        new_markdown_cell("# " + "word " * 180),
        new_code_cell("a = 1\n\nb = 2\nc = 3", metadata={"tags": []}),
        new_code_cell("hidden = True", metadata={"tags": ["set-up"]}),
        new_markdown_cell("## Further: more\n\n" + "word " * 178),
        new_markdown_cell("### Inside it"),
        new_code_cell("d = 4"),
        new_markdown_cell("## What to remember"),
    ]
    main, further, _ = counted(cells)
    assert main == pytest.approx(1 + 1 + 3 / 180)
    assert further == pytest.approx(180 / 180 + 2 / 180 + 40 / 60)


def test_formulas_links_and_comments_count_as_what_a_reader_reads():
    assert words("see [lesson one](../notebooks/01_search.ipynb) <!-- not this --> where $a = b + c$") == 5


@pytest.mark.parametrize(
    ("line", "minutes"),
    [
        ("**Time:** 60 minutes, and 45 for the exercises.", (60, 0, 45)),
        ("**Time:** 60 minutes, and 20 for *Further*, and 45 for the exercises.", (60, 20, 45)),
        ("**Time:** 60 minutes.", (60, 0, 0)),
    ],
)
def test_the_line_of_a_manuscript_is_read(line, minutes):
    assert stated(line) == minutes


def test_a_line_of_another_form_is_refused():
    with pytest.raises(ValueError, match="Time"):
        stated("**Time:** about an hour")
