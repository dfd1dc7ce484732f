"""From a manuscript in Markdown to the notebooks of a lesson, in memory, without running anything.

lessons/NN_name.md            → notebooks/NN_name.ipynb
lessons/NN_name_exercises.md  → solutions/NN_name.ipynb    with the answers
                              → exercises/NN_name.ipynb    with the answers taken out
"""

import hashlib
import re
import unicodedata
from pathlib import Path

import jupytext
import nbformat
from exports import LANGUAGE, mark_slides
from nbformat.v4 import new_code_cell, new_markdown_cell
from predict import hide_answers
from public_address import address
from quote import QuoteError, quoted

ROOT = Path(__file__).resolve().parent.parent
EXECUTED = ("notebooks", "solutions")
SUFFIX = "_exercises"
STUB = "...  # your answer"
ANSWER = re.compile(r"^([ \t]*)# BEGIN SOLUTION\n.*?^[ \t]*# END SOLUTION[ \t]*$", re.DOTALL | re.MULTILINE)
PREDICTED = re.compile(r'^(\s*\w+\["[^"]+"\]) = ')
TWICE = re.compile(r"(?<== )\.\.\.\n(\.\.\.  # your answer)")  # `scores = ...` is a stub already
REMARK = re.compile(r"<!-- BEGIN SOLUTION -->.*?<!-- END SOLUTION -->\n*", re.DOTALL)
COLAB = """\
# @title Set-up for Colab (elsewhere this cell does nothing)
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("course_utils") is None:
    source = os.environ.get("ATTENTION_COURSE_PIP", "{source}")
    if source:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", source])
    importlib.invalidate_caches()
    if importlib.util.find_spec("course_utils") is None:
        raise ModuleNotFoundError(
            f"The package of the course is missing, and could not be installed from {{source!r}}. Upload its wheel, "
            "set os.environ['ATTENTION_COURSE_PIP'] to the path of that file, and run this cell again."
        )
    from course_utils.colab import install_missing

    install_missing()
    print("Ready. To keep what you write here: File → Save a copy in Drive.")
"""


class ManuscriptError(ValueError):
    """A manuscript that cannot be turned into a notebook; the message names the file and the cell."""


def stems(root: Path = ROOT) -> list[str]:
    """The lessons, in order: ["00_start", …]."""
    return sorted(path.stem for path in (root / "lessons").glob("[0-9][0-9]_*.md") if not path.stem.endswith(SUFFIX))


def editions(stem: str, root: Path = ROOT) -> dict[str, nbformat.NotebookNode]:
    """The notebooks of a lesson by folder: notebooks, and where there are exercises, solutions and exercises."""
    made = {"notebooks": _notebook(stem, "notebooks", root / "lessons" / f"{stem}.md", root)}
    manuscript = root / "lessons" / f"{stem}{SUFFIX}.md"
    if manuscript.exists():
        made["solutions"] = _notebook(stem, "solutions", manuscript, root)
        made["exercises"] = without_answers(_notebook(stem, "exercises", manuscript, root))
    return made


def without_answers(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy in which each answer is a stub, and remarks are gone."""
    bare = nbformat.from_dict(notebook)
    kept = []
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.source = TWICE.sub(r"\1", ANSWER.sub(_stub, cell.source))
            kept.append(cell)
        else:
            cell.source = REMARK.sub("", cell.source).strip()
            if cell.source:
                kept.append(cell)
    bare.cells = kept
    return bare


def _stub(answer: re.Match) -> str:
    """What stands in place of an answer; predictions keep their labels, so that only the values are to be filled in."""
    lines = answer.group(0).split("\n")[1:-1]
    labels = [PREDICTED.match(line) for line in lines]
    if all(labels):
        return "\n".join(f"{label.group(1)} = {STUB}" for label in labels)
    return answer.group(1) + STUB


def _notebook(stem: str, folder: str, manuscript: Path, root: Path) -> nbformat.NotebookNode:
    text = manuscript.read_text(encoding="utf-8")
    read = jupytext.reads(text, fmt={"extension": ".md", "split_at_heading": True})
    cells = []
    for place, cell in enumerate(_split_remarks(read.cells)):
        if cell.cell_type == "code":
            try:
                cells.append(_code(cell))
            except QuoteError as error:
                raise ManuscriptError(f"{manuscript.name}, cell {place}: {error}") from error
        else:
            cells.append(new_markdown_cell(cell.source))
    first_code = next((place for place, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    cells.insert(first_code, _colab_cell(root))
    if address(root):
        cells[0].source = f"{badge(stem, folder, root)}\n\n{cells[0].source}"
    hide_answers(cells)
    mark_slides(cells)
    _name(cells, manuscript.name)
    for cell in cells:
        _mark_for_nbgrader(cell, folder)
    return nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": LANGUAGE,
        },
    )


def badge(stem: str, folder: str, root: Path = ROOT) -> str:
    """The Colab badge of a notebook as Markdown, or "" while the address is not known."""
    if not address(root):
        return ""
    place = address(root).removeprefix("https://github.com/")
    link = f"https://colab.research.google.com/github/{place}/blob/main/{folder}/{stem}.ipynb"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({link})"


def _code(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    tags = cell.metadata.get("tags", [])
    source = quoted(cell.source) if "quote" in tags else cell.source
    made = new_code_cell(source, metadata={"tags": list(tags)} if tags else {})
    made.metadata["name"] = cell.metadata.get("name", "")
    return made


def _colab_cell(root: Path) -> nbformat.NotebookNode:
    source = f"git+{address(root)}" if address(root) else ""
    hidden = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["set-up"], "name": "colab"}
    return new_code_cell(COLAB.format(source=source).rstrip(), metadata=hidden)


def _split_remarks(cells: list) -> list:
    """A remark becomes a cell of its own, so that it can be taken out whole."""
    apart = []
    for cell in cells:
        if cell.cell_type == "code":
            apart.append(cell)
            continue
        for piece in re.split(r"(<!-- BEGIN SOLUTION -->.*?<!-- END SOLUTION -->)", cell.source, flags=re.DOTALL):
            if piece.strip():
                apart.append(new_markdown_cell(piece.strip()))
    return apart


def _name(cells: list, manuscript: str) -> None:
    """Gives each cell a readable, lasting id: its own name, or one from the heading or the cell before."""
    taken: set[str] = set()
    exercise, before = "", "start"
    for cell in cells:
        heading = re.match(r"(?:\[!.*\n\n)?#+ (.+)", cell.source) if cell.cell_type == "markdown" else None
        given = cell.metadata.pop("name", "")
        if heading:
            number = re.match(r"(\d+\.\d+) ", heading.group(1))
            exercise = number.group(1).replace(".", "-") if number else ""
            wanted = slug(heading.group(1))
        elif given:
            if given in taken:
                raise ManuscriptError(f"{manuscript}: two cells are named {given!r}")
            wanted = given
        elif cell.cell_type == "code" and exercise and cell.source.startswith("check("):
            wanted = f"check-{exercise}"
        elif cell.cell_type == "code" and exercise and "# BEGIN SOLUTION" in cell.source:
            wanted = f"answer-{exercise}"
        elif "<!-- BEGIN SOLUTION -->" in cell.source:
            wanted = f"remark-{exercise}"
        else:
            wanted = before.removesuffix("-code").removesuffix("-read")
            wanted += "-code" if cell.cell_type == "code" else "-read"
        cell.id = _free(wanted, taken)
        before = wanted if given != "colab" else before  # the set-up stands between a cell and its neighbour
        taken.add(cell.id)


def slug(title: str) -> str:
    """A heading as an id: lower-case letters, digits and hyphens, at most 50 of them.

    A heading in another script gives a number made from it, which stays the same wherever the heading stands.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    other = f"section-{hashlib.sha256(title.encode()).hexdigest()[:8]}"
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or other


def _free(wanted: str, taken: set[str]) -> str:
    number, free = 1, wanted
    while free in taken:
        number += 1
        free = f"{wanted}-{number}"
    return free


def _mark_for_nbgrader(cell: nbformat.NotebookNode, folder: str) -> None:
    """Marks answers and checks, so that solutions/ is a source folder of nbgrader as it is."""
    if folder == "notebooks":
        return
    answer = "BEGIN SOLUTION" in cell.source
    check = cell.cell_type == "code" and cell.source.startswith("check(")
    written = answer and cell.cell_type == "markdown"  # nbgrader wants a written answer to be graded, so: no points
    if answer or check:
        cell.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": cell.id,
            "solution": answer,
            "grade": check or written,
            "locked": check,
            "task": False,
            **({"points": int(check)} if check or written else {}),
        }
