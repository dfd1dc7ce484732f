"""The style of the code is settled by a tool, so that nobody argues about it."""

import subprocess
import sys

import pytest
from installation import ROOT


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(command):
    said = subprocess.run([sys.executable, "-m", "ruff", *command, "--quiet"], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, f"run: ruff check --fix; ruff format\n{said.stdout}{said.stderr}"
