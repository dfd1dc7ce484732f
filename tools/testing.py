"""The call of pytest behind `python course.py test`: what runs, in which order, in which rounds."""

from __future__ import annotations

import os
from collections.abc import Sequence

from installation import ROOT, run, venv_python

CALM = {  # parallel by process, not by thread; no bars; what is compared was stored from the CPU
    "OMP_NUM_THREADS": "1",
    "ATTENTION_COURSE_PROGRESS": "0",
    "ATTENTION_COURSE_PROGRESS_FILE": "0",
    "ATTENTION_COURSE_DEVICE": "cpu",
}
OTHER_PROCESSOR = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}  # the kernels of an old machine
OTHER_TRAINING = {"ATTENTION_COURSE_NOISE": "1e-3"}  # every model starts a little beside where it would
OTHER_MODELS = {"ATTENTION_COURSE_NOISE": "0.3", "ATTENTION_COURSE_SIZES": "1"}  # far beside: it learns something else
OPTIONS_WITH_VALUE = {"-c", "-k", "-m", "-n", "-o", "-p", "-W"}  # pytest's: what follows is no path
RUN = ("notebooks", "solutions")  # the exercises run in tests/test_exercises.py, and in the rounds of --thorough
# CPU-seconds of the tests and of those that take long, of one lesson with its solutions, and of its rehearsal of Colab,
# where nothing else runs
UNITS, LONG, LESSON, REHEARSAL = 325, 2400, 45, 50


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2


def names_paths(more: Sequence[str]) -> bool:
    """Whether the caller's own arguments to pytest say which files to run."""
    values = {position + 1 for position, argument in enumerate(more) if argument in OPTIONS_WITH_VALUE}
    return any(
        position not in values and not argument.startswith("-") and (ROOT / argument.split("::")[0]).exists()
        for position, argument in enumerate(more)
    )


def test_command(more: Sequence[str] = (), paths: Sequence[str] = (*RUN, "tests")) -> list[str]:
    """The one call of pytest; paths among the caller's own arguments take the place of all."""
    return [
        *[venv_python(), "-m", "pytest", "-n", str(max(2, min(cores(), 8))), "--dist", "loadscope"],
        "--no-loadscope-reorder",  # in the order given: lessons that train come early, none is left for the end
        "--durations=10",
        *["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "600", "--nbval-kernel-startup-timeout", "600"],
        *["--nbval-sanitize-with", "tests/nbval_sanitize.cfg", *([] if names_paths(more) else paths), *more],
    ]


def rounds(thorough: bool, more: Sequence[str]) -> list[tuple[str, dict[str, str], list[str]]]:
    """Title, variables and command of each call of pytest."""
    if not thorough:
        return [("every test and every notebook", {}, test_command(more))]
    every = (*RUN, "exercises")
    longer = {"ATTENTION_COURSE_THOROUGH": "1"}
    return [
        ("all tests, those that take long too, and all notebooks", longer, test_command(more, (*every, "tests"))),
        ("all notebooks again", {}, test_command(more, every)),
        ("all notebooks, as on another processor", OTHER_PROCESSOR, test_command(more, every)),
        ("all lessons, their models trained from a start beside", OTHER_TRAINING, test_command(more, RUN)),
        ("sizes of figures, with models that learn something else", OTHER_MODELS, test_command(more, RUN)),
    ]


def announcement(thorough: bool, device: str, more: Sequence[str]) -> str:
    """What is going to run, and about how long it takes."""
    lines = []
    if names_paths(more):
        lines.append("Running the tests that you name.")
    else:
        lessons = len(list((ROOT / "notebooks").glob("[0-9]*.ipynb")))
        seconds = UNITS + LESSON * lessons
        if thorough:
            seconds = UNITS + LONG + (5 * LESSON + REHEARSAL) * lessons
        minutes = round(seconds / min(cores(), 8) / 60) + 1
        what = "All tests, and in five rounds" if thorough else "All tests, and"
        lines.append(
            f"{what} {lessons} lessons with exercises and solutions: about {minutes} minutes "
            f"where nothing else keeps these {cores()} cores busy."
        )
        if not thorough:
            lines.append("What takes long and rarely breaks is skipped: --thorough runs it too.")
    if device != "cpu":
        lines.append(
            "Notebooks compute on the device that is found." if device == "auto" else f"Notebooks compute on {device}."
        )
        lines.append(
            "Their texts are compared, numbers to 0.003 or 1 %; pictures are not, nor what stands after ≈, "
            "for which the lessons' own assertions stand."
        )
    return "\n".join(lines)


def run_tests(thorough: bool, more: Sequence[str], device: str = "cpu") -> int:
    """Runs the tests and returns pytest's exit status. Nothing is printed after pytest's own closing line.

    The notebooks compute on `device`: "cpu", "auto" (what `start()` finds) or a name that PyTorch knows.
    """
    for name in ("ATTENTION_COURSE_PIP", "ATTENTION_COURSE_STRICT"):  # they would change what notebooks print
        os.environ.pop(name, None)
    print(announcement(thorough, device, more), flush=True)
    chosen = {**CALM, "ATTENTION_COURSE_DEVICE": "" if device == "auto" else device}  # empty: nothing was chosen
    asked = rounds(thorough, more)
    for number, (title, variables, command) in enumerate(asked, 1):
        if thorough:
            print(f"\nRound {number} of {len(asked)}: {title}.", flush=True)
        status = run(command, **chosen, **variables)
        if status:  # stop here, so that the closing line is that of the round that failed
            break
    return status
