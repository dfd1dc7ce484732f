"""The sheet, the glossary and the help page say what is true."""

import importlib
import re

import pytest
from installation import ROOT

from course_utils.attention.scores import Additive, Bilinear

ROOM = ROOT / "reference"
ENTRY = re.compile(r"- \*\*(.+?)\*\*: (.+) \[Lesson (\d\d)\]\(\.\./notebooks/((\d\d)_\w+)\.ipynb\)")


def text(name):
    return (ROOM / f"{name}.md").read_text("utf-8")


def entries():
    """Term, words, number and stem of the lesson."""
    return [ENTRY.fullmatch(line).groups()[:4] for line in text("glossary").splitlines() if line.startswith("- ")]


def prose(stem):
    manuscript = (ROOT / "lessons" / f"{stem}.md").read_text("utf-8")
    return re.sub(r"```.*?```", "", manuscript, flags=re.DOTALL)


# ---- the sheet ----


def test_the_code_of_the_sheet_runs_and_its_assertions_hold():
    blocks = re.findall(r"^```python\n(.*?)^```", text("sheet"), re.DOTALL | re.MULTILINE)
    names = {}
    for block in blocks:
        exec(compile(block, "sheet.md", "exec"), names)
    assert sum(block.count("assert ") for block in blocks) >= 4


def test_what_the_sheet_names_is_in_the_package():
    named = re.findall(r"`course_utils\.([\w.]+)`", text("sheet"))
    assert len(named) >= 6
    for name in named:
        module, _, thing = f"course_utils.{name}".rpartition(".")
        assert hasattr(importlib.import_module(module), thing), name


def test_the_sheet_counts_parameters_right():
    def count(layer):
        return sum(parameter.numel() for parameter in layer.parameters())

    assert "| hidden × (size + size) + 2 hidden |" in text("sheet") and count(Additive(5, 3, 7)) == 7 * (5 + 3) + 2 * 7
    assert "| size × size |" in text("sheet") and count(Bilinear(5, 3)) == 5 * 3


# ---- the glossary ----


def test_the_glossary_is_in_order_under_its_letters():
    terms = [term.lower() for term, *_ in entries()]
    assert terms == sorted(terms) and len(set(terms)) == len(terms) >= 60
    letter = ""
    for line in text("glossary").splitlines():
        if line.startswith("## "):
            letter = line[3:]
        if found := ENTRY.fullmatch(line):
            assert found[1][0].upper() == letter


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry[0])
def test_a_term_is_introduced_where_the_glossary_says(entry):
    """It stands in the lesson's prose, and no lesson before prints it in bold, as one does with a new word."""
    term, words, number, stem = entry
    assert number == stem[:2] and words.endswith((".", '"'))
    assert re.search(rf"(?<!\w){re.escape(term)}", prose(stem), re.IGNORECASE), f"lesson {number} does not say it"
    for path in sorted((ROOT / "lessons").glob("[0-9][0-9]_*.md")):
        if path.stem < stem and not path.stem.endswith("_exercises"):
            assert not re.search(rf"\*\*{re.escape(term)}\*\*", prose(path.stem), re.IGNORECASE), path.name


# ---- help ----


def test_every_message_that_the_help_quotes_is_one_of_ours():
    ours = [
        *(ROOT / "course_utils").rglob("*.py"),
        *(ROOT / "course_utils").rglob("*.toml"),
        *(ROOT / "tools").glob("*.py"),
    ]
    said = re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text("utf-8") for path in ours))
    bold = re.findall(r"^\*\*(.+?)\*\*", text("help"), re.MULTILINE)
    quoted = [
        message
        for words in bold
        for message in re.findall(r"`([A-Zn][^`]+ [^`]+)`", words)
        if ": No module" not in message
    ]
    assert len(quoted) >= 12
    for message in quoted:
        assert message.rstrip(": ") in said, f"nobody says {message!r}"
