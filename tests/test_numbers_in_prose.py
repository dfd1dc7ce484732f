"""A number in the text of a lesson stands in an output, an assertion or the code of its section."""

import nbformat
import pytest
from editions import ROOT, stems
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from numbers_in_prose import unkept


@pytest.mark.parametrize("stem", stems())
def test_every_number_that_a_lesson_says_is_kept_by_a_cell_near_it(stem):
    found = list(unkept(nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4).cells))
    assert not found, (
        "print or assert it in the section, or say whence it is: <!-- numbers: 1082, from Unicode's CLDR -->"
    )


def cells(prose, code="x = 1", printed=""):
    cell = new_code_cell(code, outputs=[new_output("stream", text=printed)] if printed else [])
    return [new_markdown_cell("## A section"), cell, new_markdown_cell(prose)]


@pytest.mark.parametrize(
    ("prose", "code", "printed"),
    [
        ("It finds 61 %.", "x = 1", "≈ 61.2 %"),
        ("It finds 61.2 %.", "x = 1", "≈ 61.18 %"),
        ("The share is 0.61.", "x = 1", "61.2 %"),
        ("It has 126 052 words, and 1,024 keys.", "assert words == 126_052", "1024"),
        ("At 4096 it pays.", "for length in [2**exponent for exponent in (10, 12)]: pass", "2**12"),
        ("In 2017, in lesson 14, equation 13, with 3 goods.", "x = 1", ""),
        ("As `range(99)` or $x = 98$ or [this 97](x.md).", "x = 1", ""),
        ("In 1082 locales. <!-- numbers: 1082, from Unicode's CLDR -->", "x = 1", ""),
    ],
)
def test_what_is_kept(prose, code, printed):
    assert not list(unkept(cells(prose, code, printed)))


@pytest.mark.parametrize("prose", ["It finds 62 %.", "It finds 61.3 %.", "In 126 053 words.", "At 4097 it pays."])
def test_what_is_not(prose):
    code, printed = "assert words == 126_052; n = 4096", "≈ 61.2 %"
    assert len(list(unkept(cells(prose, code, printed)))) == 1


def test_another_section_keeps_nothing():
    far = [new_markdown_cell("## Before"), new_code_cell("x = 62"), *cells("It finds 62 %.")]
    assert [number for _, number in unkept(far)] == ["62"]
