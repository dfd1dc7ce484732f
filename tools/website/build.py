"""Makes the folder of sources, then calls Sphinx on it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from installation import ROOT
from testing import cores

SITE = ROOT / "_site" / "html"  # git ignores it


def build(folder: Path = SITE, chosen: Sequence[str] = (), quiet: bool = False) -> Path:
    """Builds the site into `folder`, with all lessons or the chosen ones, and returns its first page.

    Nothing is run and nothing is fetched. A warning is an error: a link that leads nowhere, a formula that cannot be
    read. Raises RuntimeError.
    """
    from sphinx.cmd.build import build_main

    from website.sources import write_sources

    started = time.perf_counter()
    sources = folder.with_name(f"{folder.name}-sources")
    write_sources(sources, chosen)
    shutil.rmtree(folder, ignore_errors=True)
    jobs = min(cores(), 8) if sys.platform.startswith("linux") else 1  # elsewhere Sphinx does not share its work safely
    options = ["-W", "--keep-going", "-j", str(jobs), "-d", str(sources / ".doctrees"), *(["-q"] if quiet else [])]
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    status = build_main(["-b", "html", "-c", str(Path(__file__).parent), *options, str(sources), str(folder)])
    if status:
        raise RuntimeError("The site could not be built: see the lines above.")
    shutil.copytree(sources / "extra", folder, dirs_exist_ok=True)
    pages = sum(1 for _ in folder.rglob("*.html"))
    if not quiet:
        print(f"{pages} pages in {time.perf_counter() - started:.0f} s: {folder / 'index.html'}")
    return folder / "index.html"
