"""Experiments with several seeds, run once by a script of benchmarks/; the lessons draw them as measured earlier."""

import json
from pathlib import Path

from course_utils.files import written_whole
from course_utils.train.reports import readable

STORED = Path(__file__).parent
NEEDED = {"command", "date", "seeds", "machine"}


def experiments() -> list[str]:
    """Lists the experiments that came with the course."""
    return sorted(path.stem for path in STORED.glob("*.json"))


def experiment(name: str) -> dict:
    """Gives an experiment that came with the course: what was found, and command, seeds, date and machine.

    Raises ValueError for a name that is not among `experiments()`.
    """
    if name not in experiments():
        raise ValueError(f"name: got {name!r}, expected one of {', '.join(experiments())}")
    return json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))


def measured(report: dict) -> str:
    """One line that says where an experiment's numbers come from: date, command, seeds, machine."""
    at = report["machine"]
    seeds = ("seed " if len(report["seeds"]) == 1 else "seeds ") + ", ".join(map(str, report["seeds"]))
    where = f"{at['processor']}, {at['threads']} thread{'s' if at['threads'] > 1 else ''}"
    return f"measured {report['date']}: {report['command']} ({seeds}; {where})"


def write_experiment(report: dict, name: str, folder: Path = STORED) -> Path:
    """Writes an experiment as JSON, as a whole or not at all, and returns its path.

    Raises ValueError for a report that does not say how it was made.
    """
    if missing := NEEDED - set(report):
        raise ValueError(f"report: got none of {', '.join(sorted(missing))}, expected all of them")
    path = folder / f"{name}.json"
    with written_whole(path) as file:
        file.write((readable(report) + "\n").encode("utf-8"))
    return path
