"""What every test run needs, however it is started: one thread a process, no progress bars, the tools on the path."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two threads on a busy two-core machine are ten times slower than one
os.environ.setdefault("ATTENTION_COURSE_DEVICE", "cpu")  # the outputs that are compared were stored from the CPU
os.environ["ATTENTION_COURSE_PROGRESS"] = "0"
os.environ["ATTENTION_COURSE_PROGRESS_FILE"] = "0"  # tests write into no learner's record
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # the debugger's warning would stand in the outputs

pytest_plugins = ["notebook_runs"]

settings.register_profile(  # a slow machine is no failure; where CI says so, the same examples every time
    "course", deadline=None, derandomize=os.environ.get("CI") == "true"
)
settings.load_profile("course")


def pytest_collection_modifyitems(items):
    """Skips what is marked `thorough`, unless the command's --thorough asks for it."""
    if os.environ.get("ATTENTION_COURSE_THOROUGH") == "1":
        return
    skip = pytest.mark.skip(reason="takes long, rarely breaks: python course.py test --thorough")
    for item in items:
        if item.get_closest_marker("thorough"):
            item.add_marker(skip)
