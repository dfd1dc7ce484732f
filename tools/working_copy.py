"""The learner's own copy of lessons, exercises and solutions: the folder my_course, which git ignores.

The course's files stay the course's, and what is written into the copy stays the learner's. Each `course.py lab`
makes what is not there yet, and brings the rest to the course's edition of today without losing a line
(merge_notebook.py). The edition that a copy began as lies in my_course/.course. Folders have the names that they have
in the course, so that a link from a lesson to its exercises leads to the learner's own.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import shutil
from pathlib import Path

from merge_notebook import Notebook, changed, is_answer, merged, read, source, written
from supported import Stop

from course_utils.files import written_whole

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "my_course"
EDITION = ".course"
FOLDERS = ("notebooks", "exercises", "solutions")


def refresh(course: Path = ROOT, copy: Path = COPY, date: str | None = None) -> list[str]:
    """Makes the copy, or brings it to the edition of today. Returns a line for each thing that should be known."""
    date = date or datetime.date.today().isoformat()
    said = [] if copy.exists() else [f"Your own copy of the course is the folder {copy.name}: work there."]
    try:
        copy.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise Stop(
            f"The folder {copy} for your own work cannot be made ({problem.strerror}): "
            "move the course to where you may write, and start again."
        ) from None
    for folder in FOLDERS:
        names = sorted(path.name for path in (course / folder).glob("*.ipynb"))
        _follow_renamed(copy, folder, names)
        for name in names:
            try:
                said += _refresh_one(course, copy, f"{folder}/{name}", date)
            except OSError as problem:  # Windows lets nobody replace a file that is open elsewhere
                said.append(f"{folder}/{name} could not be brought up to date: close it, and start again ({problem}).")
        said += _no_longer_there(copy, folder, names)
    return said


def _refresh_one(course: Path, copy: Path, name: str, date: str) -> list[str]:
    """Brings one notebook up to date, and returns what should be known about it."""
    theirs, mine, edition = course / name, copy / name, copy / EDITION / name
    today = theirs.read_bytes()
    try:
        now = read(today)
    except ValueError:
        return [f"The course's own {name} is damaged: your copy is left as it is."]
    answered = name.startswith("exercises/") and worked_in(now)
    if not mine.exists():
        write(mine, today)
        if not answered:
            write(edition, today)
            return []
        edition.unlink(missing_ok=True)
        return [f"{name} of the course holds work of yours: it now stands in {copy.name}/{name} too. Go on there."]
    _finish(mine, edition)
    before = edition.read_bytes() if edition.exists() else None
    if before == today:
        return []
    if answered:
        return [f"{name} of the course was written into; your copy in {copy.name} is left as it is."] if before else []
    if mine.read_bytes() in (before, today):  # as it was given out, yesterday or by a start that was cut off
        write(mine, today)
        write(edition, today)
        return []
    try:
        ours = read(mine.read_bytes())
    except ValueError:
        again = "rename or delete it, and start again for a new one"
        return [f"{copy.name}/{name} is damaged and is left as it is: {again}."]
    base = _read_or_none(before)
    result, lines = merged(base, ours, now, date), []
    if written(result) != written(ours):
        if changed(base, ours):
            kept = keep_before(mine, date)
            lines = [f"{name} has a new edition: your answers are in it. The file as it was: {kept.name}"]
        write(_pending(edition, written(result)), today)  # should we be cut off, the next start knows where
        write(mine, written(result))
    write(edition, today)
    _finish(mine, edition)
    return lines


def _pending(edition: Path, result: bytes) -> Path:
    """Where an edition waits until the learner's file has become `result`."""
    return edition.with_name(f"{edition.name}.{hashlib.sha256(result).hexdigest()[:16]}.next")


def _finish(mine: Path, edition: Path) -> None:
    """Ends what a start that was cut off had begun: its edition counts if the learner's file was written."""
    for pending in edition.parent.glob(f"{edition.name}.*.next"):
        if pending == _pending(edition, mine.read_bytes()):
            pending.replace(edition)
        else:
            pending.unlink()


def worked_in(exercises: Notebook) -> bool:
    """Whether a file of the course's own exercises, which are given out empty, has been run or answered."""
    code = [cell for cell in exercises["cells"] if cell["cell_type"] == "code"]
    return any(cell.get("outputs") or cell.get("execution_count") for cell in code) or any(
        "..." not in source(cell) for cell in code if is_answer(cell)
    )


def keep_before(path: Path, date: str) -> Path:
    """Copies a file beside itself, under a name that is free."""
    number, kept = 1, path.with_name(f"{path.stem}.before-{date}{path.suffix}")
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.stem}.before-{date}-{number}{path.suffix}")
    write(kept, path.read_bytes())
    shutil.copystat(path, kept)
    return kept


def _follow_renamed(copy: Path, folder: str, names: list[str]) -> None:
    """A lesson that got another number takes the learner's file along: 09_map.ipynb becomes 10_map.ipynb."""
    numbered = re.compile(r"\d\d_(.+)")
    now = {match[1]: name for name in names if (match := numbered.fullmatch(name))}
    for edition in sorted((copy / EDITION / folder).glob("*.ipynb"), reverse=True):  # upwards: the last moves first
        match = numbered.fullmatch(edition.name)
        name = now.get(match[1]) if match and edition.name not in names else None
        mine, new = copy / folder / edition.name, copy / folder / name if name else None
        if name and new and mine.exists() and not new.exists():
            mine.replace(new)
            edition.replace(edition.with_name(name))


def _no_longer_there(copy: Path, folder: str, names: list[str]) -> list[str]:
    """Takes away what the course no longer has, where the learner left it as it was given out."""
    lines = []
    for edition in sorted((copy / EDITION / folder).glob("*.ipynb")):
        if edition.name in names:
            continue
        mine = copy / folder / edition.name
        if mine.exists() and mine.read_bytes() == edition.read_bytes():
            mine.unlink()
        elif mine.exists():
            lines.append(f"{folder}/{edition.name} is no longer part of the course: your file stays.")
        edition.unlink()
    return lines


def _read_or_none(content: bytes | None) -> Notebook | None:
    try:
        return None if content is None else read(content)
    except ValueError:
        return None


def write(path: Path, content: bytes) -> None:
    """Writes a file as a whole, and its folder where that is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        file.write(content)
