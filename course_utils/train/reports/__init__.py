"""What came out of a run, as JSON: settings, machine, losses, metrics, examples with their alignments.

In this folder stand the reports that came with the course: what ten minutes reach, for lessons of one.
"""

import json
import os
import platform
import re
from pathlib import Path

import torch

from course_utils.files import written_whole

NAME = "report.json"
STORED = Path(__file__).parent
NEEDED = {"settings", "command", "machine", "history", "metrics", "by_length", "examples"}


def machine(device: torch.device, processes: int) -> dict:
    """Says what a run was computed on: processor or accelerator, cores, threads, and the version of PyTorch."""
    return {
        "processor": _processor(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "processes": processes,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
    }


def write_report(report: dict, folder: Path) -> Path:
    """Writes a report into a folder, as a whole or not at all, and returns its path."""
    path = folder / NAME
    with written_whole(path) as file:
        file.write((readable(report) + "\n").encode("utf-8"))
    return path


def load_report(path: str | Path) -> dict:
    """Reads the report of a finished run, from its file or the run's folder.

    Raises FileNotFoundError where there is none, ValueError for a file that is no report.
    """
    path = Path(path)
    path = path / NAME if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(
            f"path: got {path}, where no report is, expected one: python -m course_utils.train makes it"
        )
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise ValueError(
            f"path: got {path}, which is not JSON ({problem}), expected a report of course_utils.train"
        ) from None
    missing = NEEDED - set(report if isinstance(report, dict) else ())
    if missing:
        got = f"{path}, which lacks {', '.join(sorted(missing))}"
        raise ValueError(f"path: got {got}, expected a report of course_utils.train")
    return report


def names() -> list[str]:
    """Lists the reports that came with the course, such as g2p-additive-0: task, attention, seed."""
    return sorted(path.stem for path in STORED.glob("*.json"))


def stored(name: str) -> dict:
    """Gives a report that came with the course, as `load_report` does.

    Raises ValueError for a name that is not among `names()`.
    """
    if name not in names():
        raise ValueError(f"name: got {name!r}, expected one of {', '.join(names())}")
    return load_report(STORED / f"{name}.json")


def origin(report: dict) -> str:
    """One line that says where a report's numbers come from, for a caption: command, seed, machine."""
    at = report["machine"]
    where = at["processor"] if at["device"] == "cpu" else at["device"]
    cores = f"{at['threads']} thread{'s' if at['threads'] > 1 else ''}" if at["device"] == "cpu" else "GPU"
    return f"measured {report['date']}: {report['command']} (seed {report['settings']['seed']}; {where}, {cores})"


def table(report: dict) -> str:
    """The metrics of a report as lines of text."""
    lines = []
    for test, ways in report["metrics"].items():
        for way, found in ways.items():
            numbers = ", ".join(f"{name} {value:.2f}" for name, value in found.items() if isinstance(value, float))
            lines.append(f"{test}, {way}: {numbers}")
    return "\n".join(lines)


def readable(report: dict) -> str:
    """JSON with one entry a line, but lists of numbers in one line each."""
    text = json.dumps(report, ensure_ascii=False, indent=1)
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s*\n\s*", " ", found[0]), text)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
