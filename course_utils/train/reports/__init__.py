"""Reports of long runs, made by `python -m course_utils.train` and kept: what ten minutes reach, for lessons of one."""

from pathlib import Path

from course_utils.train.report import load_report

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Lists the reports that came with the course, such as g2p-additive-0: task, attention, seed."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def stored(name: str) -> dict:
    """Gives a report that came with the course, as `course_utils.train.report.load_report` does.

    Raises ValueError for a name that is not among `names()`.
    """
    if name not in names():
        raise ValueError(f"name: got {name!r}, expected one of {', '.join(names())}")
    return load_report(FOLDER / f"{name}.json")
