"""What every test run needs, however it is started: one thread a process, no progress bars, the tools on the path."""

import os
import sys
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two threads on a busy two-core machine are ten times slower than one
os.environ["ATTENTION_COURSE_PROGRESS"] = "0"
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # the debugger's warning would stand in the outputs

settings.register_profile(  # a slow machine is no failure; where CI says so, the same examples every time
    "course", deadline=None, derandomize=os.environ.get("CI") == "true"
)
settings.load_profile("course")
