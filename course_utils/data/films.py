"""Films that people have rated, one after another: MovieLens 100k, fetched once by pip, never passed on.

The data may be used for research, not be redistributed, and not be used to earn money without permission (its README,
GroupLens, University of Minnesota). So only this code comes with the course, and not a line of the data.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.attention.guards import require_positive
from course_utils.data.sources import FROM_RECBOLE
from course_utils.data.wheels import read

NOTHING = 0  # the number that stands where a history is shorter than its batch: films count from 1


class Films(NamedTuple):
    """Titles, and what each person has seen, in the order of time.

    Shapes: titles (1 + film) of texts, the first of them empty: it is no film; histories (person) of (film), numbers
    that count in titles.
    """

    titles: tuple[str, ...]
    histories: list[Tensor]


class Asked(NamedTuple):
    """What somebody had seen, and what came next. Shapes: histories (person) of (film), target (person)."""

    histories: list[Tensor]
    target: Tensor


class Parts(NamedTuple):
    """Histories to learn from, and two questions about each person: one to choose settings by, one to be measured on.

    Shapes: train (person) of (film).
    """

    train: list[Tensor]
    dev: Asked
    test: Asked


def load_films(path: str | Path | None = None) -> Films:
    """Reads who rated which film when: 943 people, 1 682 films, 100 000 ratings; the rating itself is not looked at.

    Films that one person rated in the same second stay in the order of the file, which is that of a shuffle. `path` is
    a file of your own in UTF-8, with tabs, and a header with `user_id`, `item_id` and `timestamp` (a type may follow
    after a colon); titles come from a file of the same name that ends in .item, with `item_id` and `movie_title`, or
    are the ids. Raises FileNotFoundError for no file, ValueError with the line's number for a line that is no rating,
    RuntimeError with the remedy when nothing can be fetched.
    Source: Harper and Konstan 2015, The MovieLens Datasets: History and Context.
    """
    if path is None:
        rows, names = (read(file, also=FROM_RECBOLE).decode("utf-8") for file in FROM_RECBOLE)
    else:
        rows = _own_text(Path(path))
        beside = Path(path).with_suffix(".item")
        names = _own_text(beside) if beside.is_file() else ""
    ratings = _ratings(rows)
    found = {item: _straight(title) for item, title in _columns(names, ("item_id", "movie_title"))} if names else {}
    order = list(found) + sorted({item for _, item, _ in ratings} - set(found))
    number = {item: place for place, item in enumerate(order, start=1)}
    seen: dict[str, list[tuple[float, int]]] = {}
    for user, item, when in ratings:
        seen.setdefault(user, []).append((when, number[item]))
    histories = [torch.tensor([film for _, film in sorted(row, key=lambda pair: pair[0])]) for row in seen.values()]
    return Films(("", *(found.get(item, item) for item in order)), histories)


def leave_last_out(histories: Sequence[Tensor]) -> Parts:
    """Sets the last film of each person apart for the test, and the one before it to choose settings by.

    Shapes: histories (person) of (film) → Parts; who has seen fewer than three films is left out.
    """
    kept = [history for history in histories if len(history) >= 3]
    if not kept:
        raise ValueError("histories: got none of three films or more, expected at least one")
    asked = [Asked([row[:-out] for row in kept], torch.stack([row[-out] for row in kept])) for out in (2, 1)]
    return Parts([row[:-2] for row in kept], *asked)


def newest(histories: Sequence[Tensor], length: int) -> Tensor:
    """Puts the newest films of each history into one table, on the right; what is missing on the left is 0.

    Shapes: histories (person) of (film) → (person, length). So a place says how long ago, whoever it is.
    """
    require_positive(length=length)
    table = torch.full((len(histories), length), NOTHING)
    for row, history in zip(table, histories, strict=True):
        if len(history):
            row[-len(history[-length:]) :] = history[-length:]
    return table


def _own_text(path: Path) -> str:
    if not path.is_file():
        raise FileNotFoundError(
            f"path: got {path}, where no file is, expected a table with user_id, item_id, timestamp"
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ValueError(f"path: got {path}, which is not in UTF-8 ({problem}), expected text that is") from problem


def _ratings(text: str) -> list[tuple[str, str, float]]:
    found = []
    for line, (user, item, when) in enumerate(_columns(text, ("user_id", "item_id", "timestamp")), start=2):
        try:
            found.append((user, item, float(when)))
        except ValueError:
            raise ValueError(f"line {line}: got the time {when!r}, expected a number") from None
    if not found:
        raise ValueError("path: got a table without a rating, expected at least one")
    return found


def _columns(text: str, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The named columns of a table with tabs."""
    table = csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = [name.partition(":")[0] for name in next(table, [])]
    if not set(names) <= set(header):
        raise ValueError(f"path: got the columns {', '.join(header) or 'none'}, expected {', '.join(names)}")
    places, rows = [header.index(name) for name in names], []
    for line in table:
        cells = [line[place].strip() if place < len(line) else "" for place in places]
        if not all(cells):
            raise ValueError(f"line {table.line_num}: got {len(line)} cells, expected {', '.join(names)} in each line")
        rows.append(tuple(cells))
    return rows


def _straight(title: str) -> str:
    """A title as it is said: "The Graduate" for "Graduate, The"."""
    head, comma, article = title.rpartition(", ")
    return f"{article} {head}" if comma and article in ("The", "A", "An") else title
