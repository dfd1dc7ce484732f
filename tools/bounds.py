"""Writes constraints.txt anew, for the runs of continuous integration that leave the tested set.

python tools/bounds.py lowest       each direct dependency at the lowest version that pyproject.toml allows
python tools/bounds.py newest       each at the newest version that pip finds for this Python
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOUND = re.compile(r"([A-Za-z0-9._-]+) *>= *([0-9][0-9a-z.]*)")


def direct() -> list[str]:
    """The direct dependencies, those of the extra dev too, as pyproject.toml asks for them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


def lowest() -> dict[str, str]:
    """Name and lower bound of each. Raises ValueError where there is none."""
    found = {}
    for text in direct():
        bound = BOUND.match(text)
        if not bound:
            raise ValueError(f"pyproject.toml: got {text!r}, expected a lower bound")
        found[bound[1].lower()] = bound[2]
    return found


def newest() -> dict[str, str]:
    """Name and version of each, as pip would install them here today."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-"]
    report = json.loads(subprocess.run([*command, *direct()], stdout=subprocess.PIPE, check=True, text=True).stdout)
    versions = {}
    for one in report["install"]:
        data = one["metadata"]
        versions[re.sub(r"[-_.]+", "-", data["name"]).lower()] = data["version"].split("+")[0]
    return {name: versions[re.sub(r"[-_.]+", "-", name)] for name in lowest()}


if __name__ == "__main__":
    chosen = {"lowest": lowest, "newest": newest}[sys.argv[1]]()
    text = "".join(f"{name}=={version}\n" for name, version in sorted(chosen.items()))
    (ROOT / "constraints.txt").write_text(text, "utf-8")
    print(text, end="")
