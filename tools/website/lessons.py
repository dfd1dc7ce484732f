"""A committed notebook as a page: facts at its head, answers to fold, a text of what to see for each figure."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import nbformat
from installation import ROOT
from minutes import STATED
from nbformat import NotebookNode

from website import address
from website.links import relinked, relinked_output, towards
from website.markdown import first_sentences, title_of, without_comments

BADGE = re.compile(r"\A\[!\[Open in Colab\][^\n]*\n+")  # a page brings its own, which nobody else has to send
ROW = re.compile(r"^\|(.*)\|(.*)\|$", re.MULTILINE)
PRICE = re.compile(r"^([●○]{3}) · (.+?) · (\d+) minutes?\b", re.MULTILINE)


class Lesson(NamedTuple):
    """What the head of a lesson says."""

    stem: str
    title: str
    promise: str
    minutes: int
    further: int
    exercises: int  # minutes
    needs: list[str]  # the numbers of lessons that it builds upon
    skills: list[str]

    @property
    def name(self) -> str:
        """A short name for the list at the side: "03 Soft hard self"."""
        return f"{self.stem[:2]} {self.stem[3:].replace('_', ' ').capitalize()}"


def stems(folder: str = "notebooks", root: Path = ROOT) -> list[str]:
    """The lessons whose notebooks are there, in order."""
    return sorted(path.stem for path in (root / folder).glob("[0-9][0-9]_*.ipynb"))


def read(folder: str, stem: str, root: Path = ROOT) -> NotebookNode:
    """A committed notebook."""
    return nbformat.read(root / folder / f"{stem}.ipynb", as_version=4)


def lesson(stem: str, root: Path = ROOT) -> Lesson:
    """Reads the head of a lesson."""
    first = BADGE.sub("", read("notebooks", stem, root).cells[0].source)
    stated = STATED.search(first.replace("\n", " "))
    minutes = [int(number or 0) for number in stated.groups()] if stated else [0, 0, 0]
    rows = [(left.strip(), right.strip()) for left, right in ROW.findall(first)][2:]
    needs = re.findall(r"(?:[Ll]essons? |\[)(\d\d)\b", " ".join(left for left, _ in rows))
    return Lesson(
        stem,
        title_of(first),
        first.split("\n\n")[1].replace("\n", " "),
        *minutes,
        sorted(set(needs) - {stem[:2]}),
        [right for _, right in rows if right],
    )


def tasks(stem: str, root: Path = ROOT) -> list[tuple[str, str, str, int]]:
    """The exercises of a lesson: title, difficulty, kind, minutes."""
    found = []
    for cell in read("exercises", stem, root).cells:
        price = PRICE.search(cell.source) if cell.cell_type == "markdown" else None
        heading = re.match(r"## (.+)", cell.source)
        if price and heading:
            found.append((heading.group(1), price[1], price[2], int(price[3])))
    return found


def page(folder: str, stem: str, known: Mapping[str, str], root: Path = ROOT) -> NotebookNode:
    """The notebook that becomes the page of a lesson or of its exercises."""
    notebook = read(folder, stem, root)
    file = f"{folder}/{stem}.ipynb"
    notebook.cells = [cell for cell in notebook.cells if "set-up" not in cell.metadata.get("tags", [])]
    seen = texts_of_figures(notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = relinked(without_comments(BADGE.sub("", cell.source)), file, known[file], known)
            cell.metadata = {}
        else:
            _prepare(cell, seen.get(cell.id, ""))
            for output in cell.outputs:
                if shown := output.get("data", {}).get("text/html"):
                    output.data["text/html"] = relinked_output(shown, file, known[file], known)
    head, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = f"{head}\n\n{_ways(folder, stem, known, root)}\n{rest}"
    return notebook


def _prepare(cell: NotebookNode, seen: str) -> None:
    """Leaves what the page needs to know about a cell of code: its name, and whether its output answers a prompt."""
    answer = "hide-output" in cell.metadata.get("tags", []) and cell.outputs
    made: dict = {"anchor": f"cell-{cell.id}", "tags": ["folded"] if answer else []}
    if seen:
        made["mystnb"] = {"image": {"alt": seen}}
    cell.metadata = nbformat.from_dict(made)
    cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]


def is_figure(cell: NotebookNode) -> bool:
    """Whether a cell shows a picture, still or alive."""
    shown = [output.get("data", {}) for output in cell.get("outputs", [])]
    return any("image/png" in data or "image/svg+xml" in data or "text/html" in data for data in shown)


def texts_of_figures(cells: list[NotebookNode]) -> dict[str, str]:
    """For each cell that shows a picture, by its id, the words of what to see in it.

    A lesson says what is coming, shows it, and reads it: the words are the paragraph after the picture in its section,
    or, where there is none, the last one before it.
    """
    found, pictures = {}, []
    before = ""
    for cell in cells:
        if cell.cell_type == "code":
            if is_figure(cell):
                pictures.append((cell.id, before))
            continue
        parts = [part for part in without_comments(BADGE.sub("", cell.source)).split("\n\n") if part.strip()]
        opens = parts and parts[0].startswith("#")
        spoken = [part for part in parts if not part.lstrip().startswith(("#", "|", "<", "$$", "**Predict"))]
        for name, earlier in pictures:
            words = earlier if opens or not spoken else spoken[0]
            found[name] = first_sentences(words)
        pictures = []
        before = spoken[-1] if spoken else "" if opens else before
    found |= {name: first_sentences(earlier) for name, earlier in pictures}
    return found


def _ways(folder: str, stem: str, known: Mapping[str, str], root: Path) -> str:
    """The line under the title: what it costs, and the ways to open it."""
    here, file = known[f"{folder}/{stem}.ipynb"], f"{folder}/{stem}.ipynb"
    facts, links = [], []
    head = lesson(stem, root)
    other = "exercises" if folder == "notebooks" else "notebooks"
    if folder == "notebooks":
        facts.append(f"{head.minutes} minutes")
        facts += [f"{head.further} more for <em>Further</em>"] if head.further else []
    else:
        asked = tasks(stem, root)
        facts.append(f"{head.exercises or sum(task[3] for task in asked)} minutes")
        facts.append(f"{len(asked)} exercises")
    if address.colab(file):
        links.append((address.colab(file), "Open in Colab"))
    links.append((towards(f"download/{file}", here), "Download the notebook"))
    links.append((towards("start.html", here), "Run it at home"))
    if f"{other}/{stem}.ipynb" in known:
        there = towards(known[f"{other}/{stem}.ipynb"], here).removesuffix(".ipynb") + ".html"
        links.append((there, "The exercises" if other == "exercises" else "The lesson"))
    items = "".join(f"<li>{fact}</li>" for fact in facts)
    items += "".join(f'<li><a href="{html.escape(link)}">{words}</a></li>' for link, words in links)
    return f'<ul class="facts" aria-label="About this page">{items}</ul>\n'
