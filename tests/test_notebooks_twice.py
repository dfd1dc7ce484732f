"""A learner runs a cell once more: nothing raises, and no assertion of a later cell breaks."""

from copy import deepcopy

import nbformat
import pytest
from build import execute
from editions import ROOT, stems
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook


def doubled(cells):
    """Every code cell twice in a row; the second has an id of its own."""
    for cell in cells:
        if cell.cell_type == "code":
            yield cell
            yield nbformat.from_dict({**deepcopy(cell), "id": f"{cell.id[:56]}-again"})


def test_a_cell_that_may_run_once_only_is_found():
    once = [new_code_cell("a = [1, 2]"), new_code_cell("a = a[1]; assert a")]
    execute(new_notebook(cells=deepcopy(once)), ROOT / "notebooks")
    with pytest.raises(CellExecutionError, match="TypeError"):
        execute(new_notebook(cells=list(doubled(once))), ROOT / "notebooks")


class Twice:
    """A lesson whose cells each run twice; a class for each lesson, so that the processes of a test run share them."""

    stem: str

    @pytest.mark.thorough
    def test_every_cell_may_run_twice_in_a_row(self):
        notebook = nbformat.read(ROOT / "notebooks" / f"{self.stem}.ipynb", as_version=4)
        notebook.cells = list(doubled(notebook.cells))
        execute(notebook, ROOT / "notebooks")


for _stem in stems():
    globals()[f"TestLesson{_stem[:2]}"] = type(f"TestLesson{_stem[:2]}", (Twice,), {"stem": _stem})
