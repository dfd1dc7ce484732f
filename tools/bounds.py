"""Writes constraints.txt anew, for the runs of continuous integration that leave the tested set. It needs uv.

python tools/bounds.py lowest-direct    each direct dependency at the lowest version that pyproject.toml allows
python tools/bounds.py highest          each at its newest version
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def plain(requirement: str) -> str:
    """The name in a requirement, in the form in which all spellings of it agree."""
    return re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", requirement).group()).lower()


def direct() -> list[str]:
    """The names of the direct dependencies, those of the extras dev, audit and site too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    return sorted(map(plain, [*project["dependencies"], *extras["dev"], *extras["audit"], *extras["site"]]))


def pins(resolved: str, names: list[str]) -> str:
    """The lines of constraints.txt: what was resolved, without what others need in turn. Raises KeyError for a gap."""
    found = dict(re.findall(r"^([A-Za-z0-9._-]+)==([0-9][0-9a-z.]*)", resolved, re.MULTILINE))
    versions = {plain(name): version for name, version in found.items()}
    return "".join(f"{name}=={versions[name]}\n" for name in names)


if __name__ == "__main__":
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--no-annotate",
        "--no-header",
        "--extra",
        "dev",
        "--extra",
        "audit",
        "--extra",
        "site",
    ]
    command += ["--resolution", sys.argv[1], "--python-version", python, "pyproject.toml"]
    resolved = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    text = pins(resolved, direct())
    (ROOT / "constraints.txt").write_text(text, "utf-8")
    print(text, end="")
