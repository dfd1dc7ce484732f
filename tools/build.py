"""Builds the notebooks from the manuscripts, runs them, and says what is out of date.

python tools/build.py              rebuilds what is out of date
python tools/build.py 01 02        rebuilds these lessons, whether out of date or not
python tools/build.py --check      says what is out of date, without running anything
"""

import argparse
import base64
import os
import re
import sys
import time
from pathlib import Path

import course_map
import court_cases
import nbformat
from editions import EXECUTED, ROOT, badge, editions, stems
from minutes import stated
from public_address import address
from website.address import pages

from course_utils.terminal import print_anyway

README_FIGURES = (  # file, lesson, cell whose picture it is
    ("figures/alignment.png", "00_start", "the-alignment"),
    ("figures/cross_attention.png", "11_transformer", "a-translation-and-its-attention"),
)
README_WEB = re.compile(r"(<!-- web -->\n).*?(<!-- /web -->)", re.DOTALL)
README_TABLE = re.compile(r"(<!-- lessons -->\n).*?(<!-- /lessons -->)", re.DOTALL)
KERNEL = {  # one thread and the CPU: what is stored does not depend on the author's machine more than it must
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "ATTENTION_COURSE_DEVICE": "cpu",
    "ATTENTION_COURSE_PROGRESS": "0",
    "ATTENTION_COURSE_PROGRESS_FILE": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


def main() -> int:
    print_anyway()
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("lessons", nargs="*", help="numbers or names: 01 02_scores")
    ask.add_argument("--check", action="store_true")
    said = ask.parse_args()
    if said.check:
        problems = check()
        print("\n".join(problems) or "everything is up to date")
        return 1 if problems else 0
    chosen = [stem for stem in stems() if any(stem.startswith(name) for name in said.lessons)]
    if said.lessons and not chosen:
        ask.error(f"no such lesson: {' '.join(said.lessons)}; there are {' '.join(stems())}")
    for stem in chosen or stems():
        build(stem, every=bool(said.lessons))
    build_readme()
    if court_cases.stale():
        court_cases.write()
        print(court_cases.FILE)
    for stem in court_cases.stale_pages():  # a lesson that shows the court shows it as it is now
        build(stem, every=True)
    for name in course_map.write():
        print(name)
    return 0


def build(stem: str, every: bool = False) -> None:
    """Builds the editions of one lesson that are out of date (or every one), and runs those that store outputs."""
    for folder, notebook in editions(stem).items():
        path = ROOT / folder / f"{stem}.ipynb"
        if not every and not drift(path, notebook) and not faults(path):
            continue
        started = time.perf_counter()
        if folder in EXECUTED:
            execute(notebook, path.parent)
        path.parent.mkdir(exist_ok=True)
        text = nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{path.relative_to(ROOT).as_posix()}  {time.perf_counter() - started:.1f} s")


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Runs a notebook in its own folder; what differs between runs or machines is taken out again."""
    from nbclient import NotebookClient

    os.environ.update(KERNEL)
    constant = dict(notebook.metadata)
    NotebookClient(
        notebook, timeout=600, startup_timeout=600, kernel_name="python3", coalesce_streams=True, record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    ).execute()  # fmt: skip
    notebook.metadata = nbformat.from_dict(constant)  # without the version of Python, and without widgets


def drift(path: Path, expected: nbformat.NotebookNode) -> str:
    """How a committed notebook differs from what its manuscript gives now, or ""."""
    name = f"{path.parent.name}/{path.name}"
    if not path.exists():
        return f"{name} has not been built"
    stored = nbformat.read(path, as_version=4)
    if stored.metadata != expected.metadata:
        return f"{name}: its metadata differ ({', '.join(sorted(stored.metadata.keys() ^ expected.metadata.keys()))})"
    for one, two in zip(stored.cells, expected.cells, strict=False):
        if (one.id, one.cell_type, one.source, one.metadata) != (two.id, two.cell_type, two.source, two.metadata):
            return f"{name}: the cell {one.id!r} is not what the manuscript gives for {two.id!r}"
    if len(stored.cells) != len(expected.cells):
        return f"{name} has {len(stored.cells)} cells, the manuscript gives {len(expected.cells)}"
    return ""


def faults(path: Path) -> list[str]:
    """What must not stand in a committed notebook: cells that were not run, errors, widgets, answers in exercises."""
    name = f"{path.parent.name}/{path.name}"
    found = []
    notebook = nbformat.read(path, as_version=4)
    if "widgets" in notebook.metadata:
        found.append(f"{name} stores widgets, which other front ends show as an error")
    for cell in notebook.cells:
        if path.parent.name == "exercises" and "BEGIN SOLUTION" in cell.source:
            found.append(f"{name}: an answer is left in the cell {cell.id!r}")
        if cell.cell_type != "code":
            continue
        if path.parent.name in EXECUTED and cell.execution_count is None:
            found.append(f"{name}: the cell {cell.id!r} has not been run, so that nothing is compared")
        if path.parent.name == "exercises" and (cell.outputs or cell.execution_count is not None):
            found.append(f"{name}: the cell {cell.id!r} stores an output; exercises are given out empty")
        if any(output.output_type == "error" for output in cell.outputs):
            found.append(f"{name}: the cell {cell.id!r} stores an error")
    return found


def check() -> list[str]:
    """Everything that is out of date, each line with the command that mends it."""
    found = []
    expected = {(folder, stem): nb for stem in stems() for folder, nb in editions(stem).items()}
    for (folder, stem), notebook in expected.items():
        path = ROOT / folder / f"{stem}.ipynb"
        lines = [line for line in [drift(path, notebook)] if line] or faults(path)
        found += [f"{line}; run: python course.py build {stem}" for line in lines]
    for folder in ("notebooks", "exercises", "solutions"):
        for path in sorted((ROOT / folder).glob("*.ipynb")):
            if (folder, path.stem) not in expected:
                found.append(f"{folder}/{path.name} has no manuscript: remove it, or write lessons/{path.stem}.md")
    web = README_WEB.search(readme())
    if web and web.group() != f"<!-- web -->\n{readme_web()}<!-- /web -->":
        found.append("README.md does not lead to the website; run: python course.py build")
    figures = [(figure(stem, name), _bytes(ROOT / file)) for file, stem, name in README_FIGURES]
    if readme_table() not in readme() or any(made not in (None, stored) for made, stored in figures):
        found.append("README.md's table of lessons or a figure of it is out of date; run: python course.py build")
    if court_cases.stale():
        found.append(f"{court_cases.FILE} is not what claims and notebooks say; run: python course.py build")
    for stem in court_cases.stale_pages():
        found.append(f"notebooks/{stem}.ipynb shows an older court; run: python course.py build {stem}")
    found += [f"{name} is not what the lessons say; run: python course.py build" for name in course_map.stale()]
    return found


def build_readme() -> None:
    """Writes the table of lessons and the figures of the README from the lessons, and the way to the website."""
    text = README_TABLE.sub(lambda match: match.group(1) + readme_table() + match.group(2), readme())
    text = README_WEB.sub(lambda match: match.group(1) + readme_web() + match.group(2), text)
    (ROOT / "README.md").write_text(text, encoding="utf-8", newline="\n")
    for file, stem, name in README_FIGURES:
        if picture := figure(stem, name):
            (ROOT / file).parent.mkdir(exist_ok=True)
            (ROOT / file).write_bytes(picture)


def readme() -> str:
    path = ROOT / "README.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def readme_table() -> str:
    """A row for each lesson: number, title, minutes, and where it opens."""
    rows = ["| | Lesson | Minutes | Exercises | Open |", "|---|---|---|---|---|"]
    for stem in stems():
        text = (ROOT / "lessons" / f"{stem}.md").read_text(encoding="utf-8")
        title, price = text.split("\n", 1)[0].removeprefix("# "), stated(text)
        exercises = f"[{price.exercises:.0f} minutes](exercises/{stem}.ipynb)" if price.exercises else ""
        where = badge(stem, "notebooks") or f"[notebook](notebooks/{stem}.ipynb)"
        rows.append(f"| {stem[:2]} | [{title}](lessons/{stem}.md) | {price.main:.0f} | {exercises} | {where} |")
    return "\n".join(rows) + "\n"


def readme_web() -> str:
    """The line that leads to the website, once its address is known."""
    if not pages():
        return ""
    codespace = f"https://codespaces.new/{address().removeprefix('https://github.com/')}"
    return f"- **On the web**: [the website]({pages()}), or at once [in a container]({codespace}).\n"


def figure(stem: str, name: str) -> bytes | None:
    """A picture that stands in the README, taken from the cell of a notebook that made it."""
    path = ROOT / "notebooks" / f"{stem}.ipynb"
    if not path.exists():
        return None
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.id == name:
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    return None


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
