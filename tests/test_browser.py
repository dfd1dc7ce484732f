"""The first lesson in a real browser: JupyterLab opens it, Run All, no error, the figures are there."""

import json

import nbformat
import pytest
from browser import ARTEFACTS, jupyterlab, patient, wait
from installation import ROOT

import course

LESSON = ROOT / course.FIRST_LESSON


@pytest.fixture
def lab(browser, tmp_path):
    """JupyterLab on a copy of the first lesson without outputs."""
    (tmp_path / "notebooks").mkdir()
    notebook = nbformat.read(LESSON, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, tmp_path / "notebooks" / LESSON.name)
    with jupyterlab(tmp_path) as lab:
        yield lab


def pictures(notebook):
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.browser
@pytest.mark.thorough
def test_the_first_lesson_runs_in_a_real_browser(browser, lab):
    path = lab.folder / "notebooks" / LESSON.name
    page = patient(browser.new_page(viewport={"width": 1300, "height": 1500}))
    page.goto(lab.address(course.FIRST_LESSON))
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
    lab.run_all(page)

    ran = []  # the cells that had run when it was saved last

    def saved_when_done():
        page.keyboard.press("Control+s")
        try:
            notebook = nbformat.read(path, as_version=4)
        except nbformat.reader.NotJSONError:  # it is being written at this moment
            return False
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        failed = [cell for cell in cells if any(output.output_type == "error" for output in cell.outputs)]
        assert not failed, f"the cell {failed[0].id!r} fails: {failed[0].outputs}"
        ran[:] = [cell.id for cell in cells if cell.execution_count]
        return lab.is_idle() and len(ran) == len(cells) and notebook

    try:
        notebook = wait("not every cell has run", saved_when_done, progress=lambda: len(ran))
        figure = page.locator(".jp-OutputArea-output img").first
        figure.scroll_into_view_if_needed()
        assert figure.evaluate("image => image.naturalWidth") > 200
    finally:
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTEFACTS / f"browser-{LESSON.stem}.png")
        page.close()

    stored = nbformat.read(LESSON, as_version=4)
    assert pictures(notebook) >= pictures(stored) > 0
    text = json.dumps(notebook)
    assert "Glyph" not in text, "a figure lacks a glyph"
