"""The course's own command, for Linux, macOS and Windows; it needs a Python of 3.11 to 3.14 and nothing else.

    python course.py lab       set up, and open JupyterLab at the first lesson, in your own copy of the course
    python course.py copy      make that copy, the folder my_course, or bring it up to date (lab does it too)
    python course.py progress  what you have done of the whole course, and the minutes that are left
    python course.py reset 03  a fresh exercise notebook in your copy; the old one is kept beside it
    python course.py test      set up, and run every test and every notebook
    python course.py site      set up, and build the course as a website; --open shows it
    python course.py setup     set up, and nothing more
    python course.py new NAME  for authors: begin a lesson, such as 16_clocks, that builds and passes at once
    python course.py build     for authors: turn lessons/ into notebooks/, solutions/ and exercises/
    python course.py check     for authors: is every notebook what its lesson says?
    python course.py data      make the data ready again (lab and test do it when they set up)
    python course.py address   for the owner: write the public address into pyproject.toml

Setting up makes the folder .venv and installs there what pyproject.toml and constraints.txt say; a second run
starts at once. To remove the course, delete its folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))

from installation import LOCK, ROOT, fetch_data, run, set_up, venv_python
from new_lesson import new_lesson
from one_at_a_time import one_at_a_time
from public_address import github_address, origin_address, write_address
from supported import Stop, check_python, check_system
from testing import CALM, run_tests

from course_utils.terminal import print_anyway

FIRST_LESSON = "notebooks/00_start.ipynb"


def has_browser() -> bool:
    """Whether a browser would open; one that fills this terminal does not count."""
    if sys.platform.startswith("linux") and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))):
        return False
    try:
        return bool(webbrowser.get())
    except webbrowser.Error:
        return False


def lab_command(browser: bool, more: Sequence[str] = (), folder: Path = ROOT / "my_course") -> list[str]:
    """JupyterLab at the first lesson of the learner's copy. Where a port is taken, Jupyter takes the next."""
    command = [venv_python(), "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    command.append(f"--LabApp.default_url=/lab/tree/{FIRST_LESSON}")
    command.append("--LanguageServerManager.autodetect=False")  # it would start npm, which writes to the home folder
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container everybody is root
        command.append("--allow-root")
    return [*command, *more]


def copy() -> int:
    """Makes the learner's own copy of the notebooks, or brings it to the edition of today without losing a line."""
    from working_copy import refresh  # here: an older Python must come as far as the line that says which one it needs

    with one_at_a_time(LOCK):
        for line in refresh():
            print(line, flush=True)
    return 0


def progress() -> int:
    """Says how far the learner has come."""
    from progress import progress as told

    print(told())
    return 0


def reset(lesson: str) -> int:
    """Gives out the exercises of a lesson anew, and keeps the old file beside them."""
    from fresh import reset as given_out

    with one_at_a_time(LOCK):
        for line in given_out(lesson):
            print(line)
    return 0


def lab(browser: bool, more: Sequence[str]) -> int:
    """Opens JupyterLab and waits until it ends."""
    copy()
    browser = browser and has_browser()
    where = "JupyterLab opens in your browser." if browser else "Open the address that JupyterLab prints below."
    print(f"{where} To end it, press Ctrl-C here, twice.", flush=True)
    return run(lab_command(browser, more))


def test(thorough: bool, more: Sequence[str], device: str = "cpu") -> int:
    """Runs the tests, notebooks on `device`, and returns pytest's exit status."""
    if thorough and build(["--check"]):
        raise Stop("Some notebooks are not what their lessons say: run `python course.py build`, then try again.")
    return run_tests(thorough, more, device)


def build(arguments: Sequence[str]) -> int:
    """Calls the builder of the notebooks."""
    return run([venv_python(), ROOT / "tools" / "build.py", *arguments], **CALM)


def site(names: Sequence[str], show: bool) -> int:
    """Calls the builder of the website."""
    more = [*names, *(["--open"] if show else [])]
    return run([venv_python(), "-m", "website", *more], PYTHONPATH=str(ROOT / "tools"), **CALM)


def new(name: str) -> int:
    """Begins a lesson, and says what to do next."""
    for path in new_lesson(name):
        print(path.relative_to(ROOT).as_posix())
    print(f"Edit these, then run: python course.py build {name[:2]}")
    return 0


def address(given: str | None) -> int:
    """Writes the public address to its one place, and rebuilds what shows it."""
    found = github_address(given) if given else origin_address()
    if not found:
        raise Stop(f"{given} is no repository on GitHub: its address looks like https://github.com/owner/name.")
    write_address(found)
    print(f"The public address is now {found}. Rebuilding what shows it.", flush=True)
    set_up(["dev"])
    return build([])


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """What the command line asks for, and what is handed on to JupyterLab or pytest."""
    parser = argparse.ArgumentParser(
        prog="course.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    added = {
        name: commands.add_parser(name, allow_abbrev=False, **more)
        for name, more in {
            "lab": {"help": "open the first lesson; other options go to JupyterLab"},
            "copy": {"help": "make your own copy of the notebooks, or bring it up to date"},
            "progress": {"help": "say what you have done of the whole course, and what is left"},
            "reset": {"help": "begin the exercises of a lesson anew, and keep the old ones"},
            "test": {"help": "run every test and every notebook; other arguments go to pytest"},
            "site": {"help": "build the course as a website, without running anything"},
            "setup": {"help": "make the folder .venv, and nothing more"},
            "new": {"help": "begin a lesson: manuscript, exercises, bank, words, variants"},
            "build": {"help": "build the notebooks that changed"},
            "check": {"help": "say which notebooks are out of date"},
            "data": {"help": "make the data ready"},
            "address": {"help": "set the public address of the course"},
        }.items()
    }
    added["lab"].add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    added["test"].add_argument("--thorough", action="store_true", help="also what takes long, and notebooks five times")
    added["test"].add_argument("--device", default="cpu", help="where notebooks compute: cpu, auto, cuda, mps")
    for name in ("lab", "test", "site", "setup"):
        added[name].add_argument("--cpu", action="store_true", help="on Linux: PyTorch without CUDA, gigabytes less")
    added["site"].add_argument("names", nargs="*", help="lessons, such as 01 (default: all)")
    added["site"].add_argument("--open", action="store_true", help="show it in your browser")
    added["reset"].add_argument("lesson", help="such as 03")
    added["new"].add_argument("name", help="such as 16_clocks: two digits, an underscore, small letters")
    added["build"].add_argument("names", nargs="*", help="lessons, such as 01 (default: all)")
    added["address"].add_argument("url", nargs="?", help="https://github.com/owner/name (default: git's remote origin)")
    asked, more = parser.parse_known_args(arguments)
    if more and asked.command not in ("lab", "test"):
        added[asked.command].error(f"unknown argument {more[0]}")
    return asked, more


def main(arguments: Sequence[str]) -> int:
    """Carries out one command and returns the exit status."""
    asked, more = parse(arguments or ["--help"])
    if asked.command == "address":
        return address(asked.url)
    if asked.command == "copy":
        return copy()
    if asked.command == "progress":
        return progress()
    if asked.command == "reset":
        return reset(asked.lesson)
    if asked.command == "new":
        return new(asked.name)
    extras = ["dev"] if asked.command in ("test", "build", "check") else []
    if asked.command in ("test", "site"):  # a test builds the site
        extras.append("site")
    if getattr(asked, "thorough", False):
        extras.append("audit")  # attention by others, for the contract's thorough tests
    installed = set_up(extras, cpu=getattr(asked, "cpu", False))
    if asked.command == "lab":
        return lab(not asked.no_browser, more)
    if asked.command == "test":
        return test(asked.thorough, more, asked.device)
    if asked.command == "site":
        return site(asked.names, asked.open)
    if asked.command == "setup":
        return 0
    if asked.command == "data":
        if not installed:  # an installation has just done it
            fetch_data()
        return 0
    return build(asked.names if asked.command == "build" else ["--check"])


if __name__ == "__main__":
    print_anyway()
    try:
        check_python()
        check_system()
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.exit(f"\n{stop}")
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
