"""Sets the course up: makes .venv, installs there what changed, and says what to do when a step fails.

Standard library only; `course.py` is its only caller. Nothing is written outside the course's folder, except that
pip keeps its own cache of downloads.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from one_at_a_time import one_at_a_time
from supported import AGAIN, OLDEST, Stop, span

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "course.json"  # what is installed, so that a second run need not ask pip
LOCK = ROOT / ".venv.lock"  # beside .venv, which may not be there yet
CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # PyTorch's own: what others offer for Linux brings CUDA along
SPACE = {"with CUDA": 10, "without": 2}  # gigabytes that an installation wants
LOOK = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
lacking = []
for name in sys.argv[1:]:
    try:
        version(name)
    except PackageNotFoundError:
        lacking.append(name)
print(json.dumps(lacking))
"""


def venv_python() -> str:
    """The Python of .venv."""
    return str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def environment(**more: str) -> dict[str, str]:
    """The variables for every program that we start: the user's, without those that would reach outside .venv."""
    strange = ("PYTHON", "JUPYTER", "IPYTHON", "MPLBACKEND", "VIRTUAL_ENV", "PIP_TARGET", "PIP_USER", "PIP_PREFIX")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    home = VENV / "jupyter"  # by themselves JupyterLab, IPython and matplotlib write to the home folder
    own = {
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
        "MPLCONFIGDIR": home / "matplotlib",
        "PYTHONUTF8": 1,  # the lessons print ≈ and many scripts, on Windows too
    }
    return {**kept, **{name: str(value) for name, value in own.items()}, **more}


def run(command: Iterable, **more: str) -> int:
    """Runs a program in the course's folder, with `more` variables, and returns its exit status."""
    child = subprocess.Popen([str(part) for part in command], cwd=ROOT, env=environment(**more))
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the child has it too, and ends in its own way
            continue


def run_with_us(module: str, *arguments: str, **more) -> subprocess.Popen:
    """Starts a module of .venv's Python that ends when we end, also when somebody kills us alone."""
    command = [venv_python(), "-P", Path(__file__).with_name("ends_with_us.py"), module, *arguments]
    return subprocess.Popen([str(part) for part in command], cwd=ROOT, env=environment(), stdin=subprocess.PIPE, **more)


def advice(errors: str) -> str:
    """One sentence on what to do after pip has failed, from what it wrote."""
    if re.search(r"No space left|Errno 28|not enough space", errors):
        return f"The disk is full: free {SPACE['with CUDA']} GB ({SPACE['without']} GB with --cpu), {AGAIN}"
    if re.search(r"Max retries|NewConnection|ConnectTimeout|Read timed out|name resolution|getaddrinfo", errors):
        return f"The package index could not be reached: check the network, {AGAIN}"
    if "No module named pip" in errors:
        return f"The folder .venv has no pip: delete the folder .venv, {AGAIN}"
    if re.search(r"No matching distribution|ResolutionImpossible", errors):
        return f"A package has no build for this Python or system: delete .venv, take a 64-bit Python {span()}."
    return f"pip could not install the packages: see its message above, {AGAIN}"


def pip_install(*arguments: str) -> None:
    """Runs pip in .venv. Its progress and its errors are shown; the errors also decide what we advise."""
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    options = ["install", "--disable-pip-version-check", "--no-input", *quiet, *arguments]
    with run_with_us("pip", *options, stderr=subprocess.PIPE) as child:
        said = []
        for line in child.stderr:
            said.append(line.decode("utf-8", "replace"))
            sys.stderr.write(said[-1])
        child.wait()  # before the pipe closes, which would end it
    if child.returncode:
        raise Stop(advice("".join(said)))


def make_venv() -> None:
    """Makes .venv where there is none, and stops when the one that is there does not work."""
    if not VENV.exists():
        if not importlib.util.find_spec("ensurepip"):
            raise Stop(f"This Python lacks its venv part: on Debian or Ubuntu `sudo apt install python3-venv`, {AGAIN}")
        print("Making the folder .venv for the course's packages.", flush=True)
        if run([sys.executable, "-m", "venv", VENV]):
            shutil.rmtree(VENV, ignore_errors=True)  # half a .venv would be taken for a whole one
            raise Stop(f"The folder .venv could not be made: see the message above, free some disk space, {AGAIN}")
    try:
        usable = not run([venv_python(), "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})"])
    except OSError:
        usable = False
    if not usable:
        raise Stop(f"The folder .venv does not work with a Python of today: delete the folder .venv, {AGAIN}")
    if "pip" in lacking(["pip"]):  # its making was interrupted, or another tool made it
        run([venv_python(), "-m", "ensurepip"])


def wanted_key() -> str:
    """Changes when there is something to install: other packages are asked for, or the folder was moved."""
    text = "".join((ROOT / name).read_text("utf-8") for name in ("pyproject.toml", "constraints.txt"))
    return hashlib.sha256(f"{ROOT}\n{text}".encode()).hexdigest()


def read_stamp() -> tuple[str | None, set[str]]:
    """What was installed: the key, and the extras."""
    try:
        stamp = json.loads(STAMP.read_text("utf-8"))
        return stamp["key"], set(stamp["extras"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, set()


def direct_dependencies(extras: Iterable[str]) -> list[str]:
    """The names that pyproject.toml asks for, with those of some extras, and the course's own."""
    import tomllib  # here: an older Python must come as far as the line that says which one it needs

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = project["dependencies"] + [line for extra in extras for line in project["optional-dependencies"][extra]]
    return [project["name"], *(re.match(r"[\w.-]+", line)[0] for line in asked if ";" not in line)]


def lacking(names: Iterable[str]) -> list[str]:
    """Those of some packages that .venv lacks. Raises OSError or ValueError when its Python does not answer."""
    asked = subprocess.run([venv_python(), "-c", LOOK, *names], env=environment(), capture_output=True, text=True)
    return json.loads(asked.stdout)


def up_to_date(extras: set[str]) -> bool:
    """Whether nothing is to be installed: the stamp fits, and each direct dependency is really there."""
    if read_stamp() != (wanted_key(), extras):
        return False
    try:
        gone = lacking(direct_dependencies(extras))
    except (OSError, ValueError, KeyError):  # making .venv says what is wrong
        return False
    if gone:
        STAMP.unlink(missing_ok=True)  # so that it is said once
        print(f"Gone from .venv since it was set up: {', '.join(gone)}.", flush=True)
    return not gone


def warn(cuda: bool) -> None:
    """Says beforehand what an installation from nothing will take."""
    needed, free = SPACE["with CUDA" if cuda else "without"], shutil.disk_usage(ROOT).free / 1e9
    if free < needed:
        print(f"This disk has {free:.1f} GB left, and the packages may need {needed} GB.")
    if cuda and not shutil.which("nvidia-smi") and not any(VENV.glob("lib/python*/site-packages/torch")):
        print("No NVIDIA GPU in this machine? Then --cpu saves a download of some gigabytes.")


def set_up(extras: Iterable[str] = (), cpu: bool = False) -> bool:
    """Makes .venv, installs what changed, and makes the data ready. Returns whether there was anything to do."""
    extras = set(extras) | read_stamp()[1]  # `lab` after `test` takes nothing away
    if up_to_date(extras):
        return False
    with one_at_a_time(LOCK):
        extras |= read_stamp()[1]
        if up_to_date(extras):  # another start has done it while we waited
            return False
        install(extras, cpu and sys.platform.startswith("linux"))
    return True


def install(extras: set[str], cpu: bool) -> None:
    """Installs everything, and writes the stamp when all of it is there."""
    make_venv()
    if read_stamp()[0] is None:
        warn(cuda=sys.platform.startswith("linux") and not cpu)
    print("Installing the course's packages. The first time takes a few minutes.", flush=True)
    STAMP.unlink(missing_ok=True)
    if cpu:  # alone, so that this index is asked for PyTorch and for nothing else
        pip_install("--no-deps", "-c", "constraints.txt", "--extra-index-url", CPU_INDEX, "torch")
    pip_install("-c", "constraints.txt", "-e", f".[{','.join(sorted(extras))}]" if extras else ".")
    silence_news()
    fetch_data()
    STAMP.write_text(json.dumps({"key": wanted_key(), "extras": sorted(extras)}), "utf-8")


def silence_news() -> None:
    """Keeps JupyterLab from asking about news and from looking for updates."""
    overrides = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    overrides.parent.mkdir(parents=True, exist_ok=True)
    notices = {"fetchNews": "false", "checkForUpdates": False}
    overrides.write_text(json.dumps({"@jupyterlab/apputils-extension:notification": notices}), "utf-8")


def fetch_data() -> None:
    """Makes the data of the lessons ready, so that they run without a network."""
    with run_with_us("course_utils") as child:
        child.wait()  # before the pipe closes, which would end it
    if child.returncode:
        raise Stop("The data is not ready: see the message above, then run `python course.py data`.")
