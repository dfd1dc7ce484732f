"""Outputs that answer a Predict prompt begin hidden; every other output is in sight."""

import nbformat
import pytest
from editions import ROOT, slug, stems
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from predict import hide_answers, unanswered


def hidden(cell):
    return bool(cell.metadata.get("jupyter", {}).get("outputs_hidden"))


def test_what_follows_a_prompt_begins_hidden_up_to_the_next_words():
    cells = [
        new_code_cell("before"),
        new_markdown_cell("**Predict.** Which one?"),
        new_code_cell("one"),
        new_code_cell("two"),
        new_markdown_cell("It is this one."),
        new_code_cell("after"),
        new_code_cell("later", metadata={"tags": ["answer"]}),
    ]
    hide_answers(cells)
    assert [cell.source for cell in cells if hidden(cell)] == ["one", "two", "later"]
    for cell in cells:
        assert ("hide-output" in cell.metadata.get("tags", [])) == hidden(cell) == bool(cell.metadata.get("collapsed"))


def test_an_answer_in_sight_and_a_prompt_without_an_answer_are_found():
    shown = new_code_cell("shown", outputs=[new_output("stream", text="1")])
    apart = [new_markdown_cell("**Predict.** A?"), new_code_cell("x = 1"), new_markdown_cell("Look:"), shown]
    apart[0].id = "prompt"
    hide_answers(apart)
    assert unanswered(apart) == ["prompt"]
    assert unanswered(apart[:2]) == ["prompt"]
    apart[3].metadata["tags"] = ["answer"]
    hide_answers(apart)
    assert not unanswered(apart)


@pytest.mark.parametrize("stem", stems())
def test_no_prompt_of_a_lesson_has_its_answer_in_sight(stem):
    cells = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4).cells
    assert not unanswered(cells), 'tag the cell that answers: tags=["answer"]'


def test_headings_in_another_script_have_lasting_ids_of_their_own():
    one, other = slug("注意力"), slug("翻译")
    assert one != other and one == slug("注意力")
    assert nbformat.validate(nbformat.v4.new_notebook(cells=[new_markdown_cell("x", id=one)])) is None
