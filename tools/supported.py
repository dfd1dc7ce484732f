"""Which Pythons and systems the course runs on: those that PyTorch has a build for on the package index."""

from __future__ import annotations

import platform
import sys
import sysconfig

OLDEST = (3, 11)  # the course's own bound, the same as in pyproject.toml
NEWEST = (3, 14)  # torch has no build for 3.15 today: raise this when constraints.txt pins one that has
OLDEST_MAC = (14,)  # torch's builds are named macosx_14_0_arm64
AGAIN = "then run the same command again."
DOWNLOADS = "https://www.python.org/downloads"


class Stop(Exception):
    """Ends the run with one sentence that says what to do."""


def span() -> str:
    """The Pythons that the course runs on, in words."""
    return f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"


def check_python(version: tuple = tuple(sys.version_info)) -> None:
    """Stops when this Python is too old, or so new that PyTorch has no build for it."""
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        old = tuple(version[:2]) < OLDEST
        why = "is too old" if old else "is so new that PyTorch has no build for it yet"
        raise Stop(
            f"The course needs Python {span()}, and this one, {version[0]}.{version[1]}, {why}: "
            f"install one of those from {DOWNLOADS} and start course.py with it."
        )


def check_system(
    built_for: str = sysconfig.get_platform(), bits: int = 64 if sys.maxsize > 2**32 else 32, mac: str | None = None
) -> None:
    """Stops on a system that PyTorch has no build for: a Python of 32 bits, an old or Intel Mac, ARM's own on Windows.

    `built_for` is what this Python was built for ("win-amd64"), `mac` the release of macOS ("14.5").
    """
    if bits != 64:
        raise Stop(f"This Python has 32 bits, and PyTorch needs 64: install a 64-bit Python from {DOWNLOADS}.")
    if built_for == "win-arm64":
        raise Stop(
            "PyTorch has no build for the ARM64 Python of Windows on the package index: install the 64-bit Python for "
            f"x86-64 from {DOWNLOADS}/windows, which Windows on ARM runs too, and start course.py with it."
        )
    if not built_for.startswith("macosx"):
        return
    release = platform.mac_ver()[0] if mac is None else mac
    if release and tuple(map(int, release.split(".")[:1])) < OLDEST_MAC:
        raise Stop(f"PyTorch needs macOS {OLDEST_MAC[0]} or newer, and this is {release}: update macOS, {AGAIN}")
    if built_for.endswith("x86_64") or (built_for.endswith("universal2") and platform.machine() == "x86_64"):
        raise Stop(
            "PyTorch has no build for Macs with an Intel processor. If this Mac has Apple silicon, this Python or this "
            f"terminal runs under Rosetta: take a Python for arm64 from {DOWNLOADS}/macos. Else use Colab (README.md)."
        )
