"""Which page comes from which file: the whole site on one page. Everything is found on disk."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import nbformat
from installation import ROOT

from website import address, api
from website.claims import FILE as COURT
from website.claims import court, scoreboard
from website.home import explorer, home
from website.lessons import lesson, page, stems, tasks
from website.links import relinked
from website.markdown import sections, without_comments
from website.results import results

# Sections of the README by page; the first page shows what is under "" and HOME.
README = {
    "start.md": ("Start: at home, in Colab, in a container", ["Start", "Other ways in"]),
    "contract.md": ("Put any attention to the test", ["Put any attention to the test"]),
    "train.md": ("Train beyond a notebook", ["Train beyond a notebook"]),
    "teach.md": ("Teach with it", ["Teach with it"]),
    "licences.md": ("Data, licences, how to cite", ["Data and licences", "Cite"]),
}
HOME = ("After the course you can", "Lessons", "On the web")
CARD = "figures/alignment.png"  # what others show when they link to the site
LOOK_UP = ("map", "sheet", "glossary", "help")  # in this order; other files of the room follow


def known_pages(chosen: Sequence[str], root: Path = ROOT) -> dict[str, str]:
    """Files of the repository, and the sources of the pages that they become."""
    found = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
    found |= {"benchmarks/RESULTS.md": "results.md", "lessons/claims.toml": "claims.md", "exercises": "exercises.md"}
    for name, (title, headings) in README.items():
        for heading in headings:
            anchor = heading.lower().replace(" ", "-")
            found[f"README.md#{anchor}"] = name if heading == title else f"{name}#{anchor}"
    for stem in chosen:
        found[f"notebooks/{stem}.ipynb"] = found[f"lessons/{stem}.md"] = f"notebooks/{stem}.ipynb"
        if (root / "exercises" / f"{stem}.ipynb").exists():
            file = f"exercises/{stem}.ipynb"
            found[file] = found[f"lessons/{stem}_exercises.md"] = file
    for path in sorted((root / "reference").glob("*.md")):
        found[f"reference/{path.name}"] = f"reference/{path.name}"
    for path in sorted((root / "figures").glob("*.png")):
        found[f"figures/{path.name}"] = f"figures/{path.name}"
    for name in api.rooms(root):
        found[f"course_utils/{name}/__init__.py"] = found[f"course_utils/{name}.py"] = f"api/{name}.md"
    return found


def write_sources(folder: Path, chosen: Sequence[str] = (), root: Path = ROOT) -> dict[str, str]:
    """Writes the sources of all pages, or of those of the chosen lessons; returns which file became which."""
    chosen = list(chosen) or stems(root=root)
    known = known_pages(chosen, root)
    shutil.rmtree(folder, ignore_errors=True)
    for stem in chosen:
        for edition in ("notebooks", "exercises"):
            if (file := f"{edition}/{stem}.ipynb") in known:
                _write(folder / file, nbformat.writes(page(edition, stem, known, root)))
                _copy(root / file, folder / "extra/download" / file)
    if address.pages():
        _copy(root / CARD, folder / "extra" / CARD)
    _write(folder / "index.md", relinked(home(known, root), "README.md", "index.md", known) + contents(known))
    _write(folder / "explorer.html", explorer(root).shown)
    _write(folder / "exercises.md", exercises(known, root))
    _write(folder / "claims.md", scoreboard(known))
    _write(folder / COURT, court(known))
    _write(folder / "results.md", results(known, folder / "pictures", root))
    parts = sections((root / "README.md").read_text("utf-8"))
    for name, (title, headings) in README.items():
        text = "".join(_part(heading, parts[heading], title) for heading in headings)
        _write(folder / name, f"# {title}\n{relinked(text, 'README.md', name, known)}")
    for file, name in known.items():
        if file.startswith("figures/"):
            _copy(root / file, folder / name)
        elif file in ("CONTRIBUTING.md", "CHANGELOG.md") or file.startswith("reference/"):
            text = without_comments((root / file).read_text("utf-8"))
            _write(folder / name, relinked(text, file, name, known))
    _write(folder / "api/index.md", api.front(root))
    for name in api.rooms(root):
        _write(folder / f"api/{name}.md", api.room(name, root))
    return known


def source_of(page: str) -> str:
    """The file that an author changes to change a page, or "" for pages that Sphinx makes."""
    room, _, stem = page.rpartition("/")
    if room in ("notebooks", "exercises"):
        return f"lessons/{stem}{'_exercises' if room == 'exercises' else ''}.md"
    if room == "api":
        return "course_utils/__init__.py" if stem == "index" else f"course_utils/{stem}"
    made = {name.removesuffix(".md"): "README.md" for name in ("index.md", "exercises.md", *README)}
    made |= {"claims": "lessons/claims.toml", "results": "benchmarks/RESULTS.md"}
    made |= {"contributing": "CONTRIBUTING.md", "changelog": "CHANGELOG.md"}
    return f"{page}.md" if room == "reference" else made.get(page, "")


def _part(heading: str, text: str, title: str) -> str:
    return text if heading == title else f"\n## {heading}\n{text}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def contents(known: dict[str, str]) -> str:
    """The lists at the side, in the order of reading."""
    lessons = [name for file, name in known.items() if file.startswith("notebooks/")]
    room = [Path(name).stem for file, name in known.items() if file.startswith("reference/")]
    room.sort(key=lambda name: (LOOK_UP.index(name) if name in LOOK_UP else len(LOOK_UP), name))
    groups = {
        "Lessons": [f"{lesson(Path(name).stem).name} <{name.removesuffix('.ipynb')}>" for name in lessons],
        "Practise and look up": ["exercises", *(f"reference/{name}" for name in room), "claims"],
        "Use it": ["start", "contract", "train", "teach"],
        "Behind it": ["results", "api/index", "contributing", "changelog", "licences"],
    }
    return "".join(
        f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(pages) + "\n```\n"
        for caption, pages in groups.items()
    )


def exercises(known: dict[str, str], root: Path = ROOT) -> str:
    """The page that lists all exercises with what they cost."""
    made = [
        "# Exercises\n",
        "Each exercise ends with a check, which compares your answer with an independent one on fresh random inputs.",
        "When you make a mistake that it knows, it tells you which one. ●○○ is easy, ●●● is hard.\n",
    ]
    pages = [name.removesuffix(".ipynb") for file, name in known.items() if file.startswith("exercises/")]
    for name in pages:
        stem = Path(name).stem
        rows = "\n".join(f"| {title} | {hard} | {kind} | {price} |" for title, hard, kind, price in tasks(stem, root))
        made.append(f"## [{lesson(stem, root).name}]({name}.ipynb)\n")
        made.append(f"| exercise | difficulty | kind | minutes |\n|---|---|---|---|\n{rows}\n")
    made.append(
        "```{toctree}\n:hidden:\n\n" + "\n".join(f"{lesson(Path(p).stem).name} <{p}>" for p in pages) + "\n```\n"
    )
    return "\n".join(made)
