"""Other formats: a script that is Python, slides that are several, and a round trip that keeps the code."""

import ast
import re

import jupytext
import pytest
from editions import EXECUTED, editions, stems
from nbconvert import ScriptExporter, SlidesExporter


@pytest.fixture(scope="module")
def made():
    return editions(stems()[0])


@pytest.mark.parametrize("folder", [*EXECUTED, "exercises"])
def test_a_script_is_python(made, folder):
    text, resources = ScriptExporter().from_notebook_node(made[folder])
    assert resources["output_extension"] == ".py"
    assert len(ast.parse(text).body) > 10 and "get_ipython" not in text


def test_a_section_is_a_slide(made):
    page, _ = SlidesExporter().from_notebook_node(made["notebooks"])
    sections = sum(re.match(r"#{1,2} ", cell.source) is not None for cell in made["notebooks"].cells)
    assert len(re.findall(r"<section[ >]", page)) > 2 * sections > 10
    assert "Set-up for Colab" not in page and 'class="fragment"' in page


def test_jupytext_keeps_the_code_of_every_cell(made):
    """Also of the first: a line of IPython's own would come back as a remark, and leave its `if` empty."""
    text = jupytext.writes(made["notebooks"], fmt="py:percent")
    ast.parse(text)
    code = [cell.source for cell in made["notebooks"].cells if cell.cell_type == "code"]
    assert [cell.source for cell in jupytext.reads(text, fmt="py:percent").cells if cell.cell_type == "code"] == code
