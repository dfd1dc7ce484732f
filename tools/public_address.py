"""The public address of the course: read from a person or from git, written to its one place in pyproject.toml."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from installation import ROOT, Stop

OWNER = r"([A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?)"
NAME = r"([A-Za-z0-9_.-]{1,100}?)(?:\.git)?/?"
BY_HAND = r"https://github\.com/"
BY_GIT = r"(?:https://(?:[^@/\s]+@)?github\.com/|(?:ssh://)?git@github\.com[:/])"  # a token before @ is dropped


def address(root: Path = ROOT) -> str:
    """The repository's public address from pyproject.toml, or "" while it is not known."""
    import tomllib  # here: an older Python must come as far as the line that says which one it needs

    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return project.get("urls", {}).get("Repository", "").rstrip("/")


def github_address(text: str, remote: bool = False) -> str | None:
    """`https://github.com/owner/name`, or None where the text is no such address; a git remote may have other forms."""
    found = re.fullmatch((BY_GIT if remote else BY_HAND) + OWNER + "/" + NAME, text.strip())
    if not found or set(found[2]) == {"."}:
        return None
    return f"https://github.com/{found[1]}/{found[2]}"


def origin_address(folder: Path = ROOT) -> str:
    """The address of the git remote `origin`, where that is on GitHub."""
    try:
        asked = subprocess.run(["git", "remote", "get-url", "origin"], cwd=folder, capture_output=True)
        found = github_address(asked.stdout.decode("utf-8", "replace"), remote=True)  # whatever the locale
    except OSError:  # no git
        found = None
    if not found:
        raise Stop(
            "The git remote `origin` is not on GitHub: run `python course.py address https://github.com/owner/name`."
        )
    return found


def write_address(address: str, path: Path = ROOT / "pyproject.toml") -> None:
    """Writes the address to [project.urls] of pyproject.toml, in place of the one that stands there."""
    before, heading, after = path.read_text("utf-8").partition("\n[project.urls]\n")
    if not heading:
        raise Stop("pyproject.toml has lost its line [project.urls]: put it back, then try again.")
    after = re.sub(r'\ARepository = ".*"\n', "", after)
    path.write_text(f'{before}{heading}Repository = "{address}"\n{after}', "utf-8", newline="\n")
