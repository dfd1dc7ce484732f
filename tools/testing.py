"""The call of pytest behind `python course.py test`: what runs, in which order, in which rounds."""

from __future__ import annotations

import os
from collections.abc import Sequence

from installation import ROOT, run, venv_python

NOTEBOOKS = ("notebooks", "solutions", "exercises")
CALM = {"OMP_NUM_THREADS": "1", "ATTENTION_COURSE_PROGRESS": "0"}  # parallel by process, not by thread; no bars
OTHER_PROCESSOR = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}  # the kernels of an old machine
OPTIONS_WITH_VALUE = {"-c", "-k", "-m", "-n", "-o", "-p", "-W"}  # pytest's: what follows is no path


def test_command(more: Sequence[str] = (), paths: Sequence[str] = ("tests", *NOTEBOOKS)) -> list[str]:
    """The one call of pytest; paths among the caller's own arguments take the place of all."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    values = {position + 1 for position, argument in enumerate(more) if argument in OPTIONS_WITH_VALUE}
    for position, argument in enumerate(more):
        if position not in values and not argument.startswith("-") and (ROOT / argument.split("::")[0]).exists():
            paths = ()
    return [
        *[venv_python(), "-m", "pytest", "-n", str(max(2, min(cores, 8))), "--dist", "loadscope"],
        "--no-loadscope-reorder",  # in the order given: the longest, whole lessons in a bare runtime, come early
        *["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "300"],
        *["--nbval-sanitize-with", "tests/nbval_sanitize.cfg", *paths, *more],
    ]


def run_tests(thorough: bool, more: Sequence[str]) -> int:
    """Runs the tests and returns pytest's exit status. Nothing is printed after pytest's own closing line."""
    for name in ("ATTENTION_COURSE_PIP", "ATTENTION_COURSE_STRICT"):  # they would change what notebooks print
        os.environ.pop(name, None)
    if not thorough:
        return run(test_command(more), **CALM)
    rounds = [
        ("all tests, all notebooks", {}, test_command(more)),
        ("all notebooks again", {}, test_command(more, NOTEBOOKS)),
        ("all notebooks, as on another processor", OTHER_PROCESSOR, test_command(more, NOTEBOOKS)),
    ]
    for number, (title, variables, command) in enumerate(rounds, 1):
        print(f"\nRound {number} of {len(rounds)}: {title}.", flush=True)
        status = run(command, **CALM, **variables)
        if status:  # stop here, so that the closing line is that of the round that failed
            break
    return status
