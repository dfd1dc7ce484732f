"""A copy of the course as a stranger would clone it, which knows a pretended public address."""

import shutil
import subprocess

import pytest
from installation import ROOT
from public_address import write_address

ADDRESS = "https://github.com/owner/name"


def clean_copy(folder):
    """Copies what git keeps or would keep, writes the address into it, and makes it a repository of its own."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this folder is not a git checkout")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    write_address(ADDRESS, folder / "pyproject.toml")
    who = ["-c", "user.name=A stranger", "-c", "user.email=stranger@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "A clean copy"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder
