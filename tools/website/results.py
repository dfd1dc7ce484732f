"""Pictures of stored runs, found in the lessons, and what was measured."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from pathlib import Path

from installation import ROOT

from website.lessons import lesson, read, stems, texts_of_figures
from website.links import relinked

STORED = ("experiment(", "measured(", "stored(", "report[")  # a cell that draws a stored report says one of these


def stored_pictures(root: Path = ROOT) -> list[tuple[str, str, str, bytes]]:
    """Each picture that a lesson draws from a stored report: lesson, cell, what to see, PNG."""
    found = []
    for stem in stems(root=root):
        cells = read("notebooks", stem, root).cells
        seen = texts_of_figures(cells)
        for cell in cells:
            if cell.cell_type != "code" or "quote" in cell.metadata.get("tags", []):
                continue
            drawn = any(words in cell.source for words in STORED)
            for output in cell.outputs if drawn else []:
                if picture := output.get("data", {}).get("image/png"):
                    found.append((stem, cell.id, seen[cell.id], base64.b64decode(picture)))
    return found


def results(known: Mapping[str, str], folder: Path, root: Path = ROOT) -> str:
    """The text of the page; its pictures are written into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (root / "benchmarks/RESULTS.md").read_text("utf-8")
    _, _, body = relinked(text, "benchmarks/RESULTS.md", "results.md", known).partition("\n")
    made = ["# What was measured\n", body.strip() + "\n", "## Pictures of stored runs\n"]
    made.append("What takes minutes or hours was run once, and its report is stored; lessons draw these reports.\n")
    for stem, cell, seen, picture in stored_pictures(root):
        page = f"notebooks/{stem}.ipynb"
        if page not in known:
            continue
        name = f"{stem}-{cell}.png"
        (folder / name).write_bytes(picture)
        made.append(f"![{seen.replace('[', '(').replace(']', ')')}]({folder.name}/{name})\n")
        there = f'<a href="notebooks/{stem}.html#cell-{cell}">{html.escape(lesson(stem, root).title)}</a>'
        made.append(f'{seen} <span class="where">{there}</span>\n')
    return "\n".join(made)
