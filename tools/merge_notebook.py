"""Three notebooks become one: what the course gave, what the learner made of it, and what the course gives now.

Cell by cell: the new edition, in its order, with every line of the learner's. An answer stays the learner's; a cell
that only the learner changed stays too; what both changed stands twice, the second time as a text below the first.
Cells of the learner's own keep their place, and so does an answer to an exercise that is no longer there.
Standard library only, on notebooks as JSON gives them: nothing that is given is changed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

Cell = dict[str, Any]
Notebook = dict[str, Any]
NAMES = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)
TITLE = re.compile(r"^#+\s+(?:\d+\.\d+\s+)?(.+)$", re.MULTILINE)


def read(content: bytes) -> Notebook:
    """A notebook from the bytes of its file. Raises ValueError when they are none that Jupyter would open."""
    made = json.loads(content.decode("utf-8-sig"))
    cells = made.get("cells") if isinstance(made, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) and _is_whole(cell) for cell in cells):
        raise ValueError("content: got no list of cells, expected a notebook")
    return made


def written(notebook: Notebook) -> bytes:
    """The bytes of a notebook's file, as Jupyter writes them."""
    return (json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8")


def merged(base: Notebook | None, mine: Notebook, course: Notebook, date: str) -> Notebook:
    """The learner's notebook brought to the edition of `course`.

    `base` is the edition that `mine` began as, where it is known; `date` stands in the notes on what both changed.
    """
    now, before, own = course["cells"], base["cells"] if base else [], mine["cells"]
    origin = _by_id(own, before) if base else {}
    onward = pair(before, now) if base else {}
    target = {i: onward[j] for i, j in origin.items() if j in onward}
    unknown = [i for i in range(len(own)) if i not in origin]
    for i, k in _by_id([own[i] for i in unknown], now).items():  # a refresh that was cut short, or an unknown base
        if k not in target.values() and (not base or source(own[unknown[i]]) == source(now[k])):
            target[unknown[i]] = k
    rows: list[list[Cell]] = [[] for _ in range(len(now) + 1)]  # the first: what stands before everything
    came_from = {k: j for j, k in onward.items()}
    for k, cell in enumerate(now):
        j = came_from.get(k)
        if k not in target.values() and (j is None or source(before[j]) != source(cell)):
            rows[k + 1].append(cell)  # new; a cell that the learner has deleted stays deleted
    place, ids = 0, {cell.get("id") for cell in now}
    for i, cell in enumerate(own):
        if i in target:
            place = target[i] + 1
            j = origin.get(i)
            rows[place][:0] = _settled(cell, before[j] if j is not None else None, now[target[i]], date, bool(base))
        elif i not in origin or source(cell) != source(before[origin[i]]):
            kept = {name: value for name, value in cell.get("metadata", {}).items() if name != "nbgrader"}
            free = f"{cell['id'][:58]}-mine" if cell.get("id") in ids else cell.get("id")
            rows[place].append({**cell, "id": free, "metadata": kept})
    cells = _with_own_ids([cell for row in rows for cell in row])
    return {**course, "cells": cells, "metadata": {**mine.get("metadata", {}), **course["metadata"]}}


def changed(base: Notebook | None, mine: Notebook) -> bool:
    """Whether the learner wrote, added or deleted anything: outputs do not count."""
    if base is None:
        return True
    return [(cell.get("id"), source(cell)) for cell in mine["cells"]] != [
        (cell.get("id"), source(cell)) for cell in base["cells"]
    ]


def pair(old: list[Cell], new: list[Cell]) -> dict[int, int]:
    """Which cell of an edition became which of the next, by position: exercises move, and their numbers change."""
    titles = {id(cell): title for cells in (old, new) for cell, title in zip(cells, _titles(cells), strict=True)}
    found: dict[int, int] = {}

    def match(key: Callable[[Cell], Hashable]) -> None:
        """Pairs what is left where a key is given by one cell on either side."""
        left = {i: key(cell) for i, cell in enumerate(old) if i not in found}
        right = {k: key(cell) for k, cell in enumerate(new) if k not in set(found.values())}
        once = {value for side in (left, right) for value, many in Counter(side.values()).items() if many > 1}
        where = {value: k for k, value in right.items() if value is not None and value not in once}
        found.update({i: where[value] for i, value in left.items() if value in where})

    match(lambda cell: (titles[id(cell)], cell["cell_type"], source(cell)))
    match(lambda cell: (titles[id(cell)], "answer") if is_answer(cell) else None)
    match(lambda cell: (cell["cell_type"], source(cell)))
    match(lambda cell: (tuple(NAMES.findall(source(cell))) or None) if is_answer(cell) else None)
    match(lambda cell: None if is_answer(cell) else (cell["cell_type"], cell.get("id")))
    return found


def source(cell: Cell) -> str:
    """What stands in a cell, with the line ends of Unix and nothing after the last line."""
    text = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    return text.replace("\r\n", "\n").rstrip()


def is_answer(cell: Cell) -> bool:
    """Whether the course has marked this cell for an answer in code."""
    return cell["cell_type"] == "code" and bool(cell.get("metadata", {}).get("nbgrader", {}).get("solution"))


def _is_whole(cell: Cell) -> bool:
    text = cell.get("source")
    strings = isinstance(text, str) or (isinstance(text, list) and all(isinstance(line, str) for line in text))
    return strings and cell.get("cell_type") in ("code", "markdown", "raw") and isinstance(cell.get("metadata"), dict)


def _titles(cells: list[Cell]) -> list[str]:
    """The heading, without its number, under which each cell stands."""
    titles, title = [], ""
    for cell in cells:
        if cell["cell_type"] == "markdown" and (heading := TITLE.search(source(cell))):
            title = heading[1]
        titles.append(title)
    return titles


def _by_id(own: list[Cell], others: list[Cell]) -> dict[int, int]:
    """The learner's cells by their ids, which Colab keeps among the metadata; without ids, by what stands in them."""
    where = {cell.get("id"): j for j, cell in enumerate(others) if cell.get("id")}
    given = [cell.get("id") or cell.get("metadata", {}).get("id") for cell in own]
    if not any(one in where for one in given):
        return pair(own, others)
    found: dict[int, int] = {}
    for i, one in enumerate(given):
        if one in where and where[one] not in found.values():
            found[i] = where[one]
    return found


def _settled(mine: Cell, base: Cell | None, now: Cell, date: str, known: bool) -> list[Cell]:
    """What stands for a cell of the new edition, and below it what else must not be lost."""
    ours = base is not None and source(mine) == source(base)
    if source(mine) != source(now):
        if ours:
            return [now]  # the course changed it, the learner did not
        if base is None or source(base) != source(now):  # both did
            if not is_answer(now):
                note = [_note("Your version, before the course changed this cell", mine, date)] if known else []
                return [now, *note]
            note = [_note("The course changed this exercise; its cell now begins as", now, date)] if known else []
            return [_in_place_of(now, mine, base), *note]
    run = ("outputs", "execution_count")
    if ours and base is not None and all(mine.get(name) == base.get(name) for name in run):
        return [now]  # not even run
    return [_in_place_of(now, mine, base)]


def _in_place_of(now: Cell, mine: Cell, base: Cell | None) -> Cell:
    """The learner's cell under the id and the marks of the new edition."""
    theirs, marks = mine.get("metadata", {}), now["metadata"]
    if base is None or base.get("metadata") != marks:
        theirs = {**theirs, **marks}
    return {**mine, **({"id": now["id"]} if "id" in now else {}), "metadata": theirs}


def _note(words: str, cell: Cell, date: str) -> Cell:
    """A text that keeps what stands in another cell."""
    text = source(cell)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    shown = f"{fence}python\n{text}\n{fence}" if cell["cell_type"] == "code" else text
    extra = {"attachments": cell["attachments"]} if "attachments" in cell else {}
    note_id = f"{cell.get('id', 'cell')[:40]}-before-{date}"
    return {
        "cell_type": "markdown",
        "id": note_id,
        "metadata": {},
        "source": f"*{words} ({date}):*\n\n{shown}",
        **extra,
    }


def _with_own_ids(cells: list[Cell]) -> list[Cell]:
    """Every cell with an id that no other has."""
    taken: set[str] = set()
    made = []
    for number, cell in enumerate(cells):
        wanted = free = cell.get("id") or f"mine-{number}"
        again = 1
        while free in taken:
            again += 1
            free = f"{wanted[:58]}-{again}"
        taken.add(free)
        made.append({**cell, "id": free})
    return made
