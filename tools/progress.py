"""How far the learner has come, in the terminal: from the file that the checks keep, which is only read."""

from __future__ import annotations

import os
from pathlib import Path

from supported import Stop
from working_copy import COPY

from course_utils.journey import overview, states_in

NAME = "attention_progress.json"  # course_utils/checks/record.py writes it


def progress(copy: Path = COPY) -> str:
    """Says what is done and what is left. Raises Stop where nothing is kept, and for a file that cannot be read."""
    asked = os.environ.get("ATTENTION_COURSE_PROGRESS_FILE", "").strip()
    if asked == "0":
        raise Stop("ATTENTION_COURSE_PROGRESS_FILE is 0, so no progress is kept.")
    path = Path(asked).expanduser() if asked else copy / NAME
    if not asked and not copy.exists():
        raise Stop(f"There is no folder {copy.name} yet, and so no progress: begin with python course.py lab.")
    if not path.exists():
        return f"No exercise has been checked yet.\n{overview({})}"
    try:
        states, _ = states_in(path.read_text("utf-8"))
    except OSError as problem:
        raise Stop(f"{path} could not be read ({problem.strerror}).") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Stop(f"{path} is damaged. The next check keeps it under another name, and begins a new one.") from None
    return overview(states)
