"""The cases of the court, as the package carries them: lessons/claims.toml with the cell that settles each claim.

course_utils/court/cases.json is built from the claims and from the committed notebooks, so that the court works where
only the package is, as in Colab. Nothing in it is edited by hand.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import nbformat
from editions import ROOT, stems

from course_utils.court.cases import read
from course_utils.court.page import page

FILE = "course_utils/court/cases.json"


def cases(root: Path = ROOT) -> str:
    """The text of the file: titles of lessons, and claims in the order of the lessons, each with its cell.

    A lesson whose notebook is not built yet, or lacks the cell, gives its claims without a quotation.
    """
    claims = tomllib.loads((root / "lessons/claims.toml").read_text("utf-8"))["claim"]
    claims.sort(key=lambda claim: claim["lesson"])  # a stable sort: within a lesson they keep their order
    told = {"lessons": {stem: _title(stem, root) for stem in sorted({claim["lesson"] for claim in claims})}}
    told["claims"] = [_case(claim, root) for claim in claims]
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def stale(root: Path = ROOT) -> bool:
    """Whether the committed file is not what claims and notebooks give now."""
    path = root / FILE
    return not path.exists() or path.read_text("utf-8") != cases(root)


def write(root: Path = ROOT) -> None:
    """Writes the file."""
    (root / FILE).write_text(cases(root), encoding="utf-8", newline="\n")


def stale_pages(root: Path = ROOT) -> list[str]:
    """The lessons whose notebooks store a court that is not what `court()` gives now."""
    now, found = page(read(cases(root))), []
    for stem in stems(root=root):
        path = root / "notebooks" / f"{stem}.ipynb"
        if path.exists():
            outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", [])]
            pages = [output.get("data", {}).get("text/html", "") for output in outputs]
            if any("attention-court" in one and one != now for one in pages):
                found.append(stem)
    return found


def _case(claim: dict, root: Path) -> dict:
    given = claim.get("number", [])
    made = {"name": claim["name"], "numbers": [given] if isinstance(given, str) else given}
    made |= {key: claim[key] for key in ("words", "verdict", "instead", "lesson")}
    if "source" in claim:
        return made | {"source": claim["source"]}
    code, shown = _quoted(root / "notebooks" / f"{claim['lesson']}.ipynb", claim["cell"])
    return made | {"cell": claim["cell"], "code": code, "shown": shown}


def _quoted(path: Path, name: str) -> tuple[str, str]:
    """The code of a cell and the text that it printed; pictures stay in the lesson."""
    if not path.exists():
        return "", ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.id == name:
            texts = [out.get("text", "") or out.get("data", {}).get("text/plain", "") for out in cell.outputs]
            return cell.source, "".join(text for text in texts if not text.startswith("<Figure")).rstrip("\n")
    return "", ""


def _title(stem: str, root: Path) -> str:
    path = root / "lessons" / f"{stem}.md"
    return path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
