"""The map of the course, built from its notebooks: the lessons as the package carries them, a drawing, and tables.

course_utils/journey/lessons.json    every lesson: minutes, what it builds upon, its exercises
figures/map.png                      the drawing; what it was drawn from is written into the file
reference/map.md                     its routes and its table, between marks
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from editions import ROOT
from website.lessons import PRICE, Lesson, lesson, read, stems

LESSONS, FIGURE, PAGE = "course_utils/journey/lessons.json", "figures/map.png", "reference/map.md"
ROUTES = {  # name: what it gives, and numbers of lessons, or None for all that there are; tests/test_map.py holds them
    "Two hours": ("why attention came, and a first look at it, with the exercises", ["00"]),
    "A weekend": (
        "attention itself: search, scores, soft and hard, masks, places, heads",
        ["00", "01", "02", "03", "04", "05", "06"],
    ),
    "All": ("everything, in the order of the numbers", None),
}


def lessons_text(root: Path = ROOT) -> str:
    """The text of lessons.json."""
    told = []
    for stem in stems(root=root):
        one = lesson(stem, root)
        some = tasks(stem, root) if (root / "exercises" / f"{stem}.ipynb").exists() else []
        told.append({"stem": stem, "title": one.title, "minutes": one.minutes, "needs": one.needs, "tasks": some})
    return "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in told) + "\n]\n"


def tasks(stem: str, root: Path = ROOT) -> list[tuple[str, str, int, bool]]:
    """The exercises of a lesson: key, title, minutes, and whether it stands under the heading Further."""
    found, further = [], False
    for cell in read("exercises", stem, root).cells:
        if cell.cell_type != "markdown":
            continue
        further |= cell.source.startswith("## Further")
        heading, price = re.search(r"^##+ (\d+\.\d+) (.+)", cell.source, re.M), PRICE.search(cell.source)
        if heading and price:
            found.append((heading[1], heading[2], int(price[3]), further))
    return found


def minutes_of(numbers: list[str] | None, root: Path = ROOT) -> tuple[int, int]:
    """The minutes of some lessons, or of all: to read, and for their exercises. Raises KeyError for one not there."""
    there = {stem[:2]: lesson(stem, root) for stem in stems(root=root)}
    some = list(there.values()) if numbers is None else [there[number] for number in numbers]
    return sum(one.minutes for one in some), sum(one.exercises for one in some)


def routes(root: Path = ROOT) -> str:
    """The table of the routes."""
    by_number = {stem[:2]: lesson(stem, root) for stem in stems(root=root)}
    rows = ["| route | what you get | lessons | to read | exercises |", "|---|---|---|---|---|"]
    for name, (what, numbers) in ROUTES.items():
        reading, practice = (_time(minutes) for minutes in minutes_of(numbers, root))
        links = ", ".join(_link(by_number[number]) for number in numbers or sorted(by_number))
        rows.append(f"| **{name}** | {what} | {links} | {reading} | {practice} |")
    return "\n".join(rows) + "\n"


def needs(root: Path = ROOT) -> str:
    """The table of what each lesson needs, and of what needs it."""
    there = {stem[:2]: lesson(stem, root) for stem in stems(root=root)}
    rows = ["| no. | lesson | minutes | it needs | needed by |", "|---|---|---|---|---|"]
    for number, one in there.items():
        after = [other for other, its in there.items() if number in its.needs]
        before, after = (", ".join(_link(there[n]) for n in some if n in there) or "—" for some in (one.needs, after))
        title = f"[{one.title}](../notebooks/{one.stem}.ipynb)"
        rows.append(f"| {number} | {title} | {one.minutes} + {one.exercises} | {before} | {after} |")
    return "\n".join(rows) + "\n"


def page(root: Path = ROOT) -> str:
    """The text of reference/map.md, with its routes and its table filled in."""
    text = (root / PAGE).read_text("utf-8")
    for mark, made in (("routes", routes(root)), ("needs", needs(root))):
        text = re.sub(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", lambda m, t=made: m[1] + t + m[2], text, flags=re.S)
    return text


def drawn_from(root: Path = ROOT) -> str:
    """A short name of what the drawing shows: it changes with lessons, minutes, needs, and code."""
    told = [(one["stem"], one["minutes"], one["needs"]) for one in json.loads(lessons_text(root))]
    code = [(root / "course_utils/plots" / name).read_text("utf-8") for name in ("lessons.py", "card.py")]
    return hashlib.sha256(json.dumps([told, code]).encode()).hexdigest()[:16]


def stale(root: Path = ROOT) -> list[str]:
    """What of the map is not what the notebooks give now."""
    figure = (root / FIGURE).read_bytes() if (root / FIGURE).exists() else b""
    same = {LESSONS: _text(root / LESSONS) == lessons_text(root), FIGURE: drawn_from(root).encode() in figure}
    same[PAGE] = _text(root / PAGE) == page(root)
    return [name for name, holds in same.items() if not holds]


def write(root: Path = ROOT) -> list[str]:
    """Brings up to date what is stale, and says what that was."""
    old = stale(root)
    for name, made in ((LESSONS, lessons_text), (PAGE, page)):
        if name in old:
            (root / name).write_text(made(root), encoding="utf-8", newline="\n")
    if FIGURE in old:
        _draw(root / FIGURE, drawn_from(root))
    return old


def _draw(path: Path, source: str) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    from course_utils.journey import lessons
    from course_utils.plots import use_style
    from course_utils.plots.lessons import course_map

    use_style()
    lessons.cache_clear()
    course_map()
    plt.savefig(path, dpi=110, metadata={"Source": source, "Software": None})
    plt.close("all")


def _link(one: Lesson) -> str:
    return f"[{one.stem[:2]}](../notebooks/{one.stem}.ipynb)"


def _time(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02} min" if hours else f"{rest} min"


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
