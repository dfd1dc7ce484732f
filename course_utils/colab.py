"""What a hosted runtime such as Colab lacks, and how it is installed there: the set-up cell of every notebook."""

import importlib
import importlib.metadata
import subprocess
import sys

from packaging.requirements import Requirement

NEVER_INSTALLED_HERE = {"torch", "numpy", "jupyterlab"}  # a hosted runtime brings its own, tuned to its accelerator


def missing(distribution: str = "attention-course") -> list[str]:
    """Gives the requirements of a distribution that this Python lacks or has too old, without torch and numpy.

    A requirement whose marker names an extra, another Python or another platform is none of ours.
    """
    absent = []
    for line in importlib.metadata.requires(distribution) or []:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if requirement.name.lower() in NEVER_INSTALLED_HERE:
            continue
        try:
            fits = requirement.specifier.contains(importlib.metadata.version(requirement.name), prereleases=True)
        except importlib.metadata.PackageNotFoundError:
            fits = False
        if not fits:
            absent.append(f"{requirement.name}{requirement.specifier}")
    return absent


def install_missing(distribution: str = "attention-course") -> None:
    """Installs by name what a distribution needs and a hosted runtime lacks, and what that needs in turn.

    torch and numpy are never touched. Raises RuntimeError with the names when pip fails.
    """
    for requirement in missing(distribution):
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", requirement]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode:
            raise RuntimeError(f"pip could not install {requirement}:\n{done.stderr.strip()}")
        importlib.invalidate_caches()
        install_missing(Requirement(requirement).name)
