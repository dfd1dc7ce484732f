"""The first line of every notebook, and numbers that print alike on every machine."""

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys

import torch

from course_utils.allocator import keep_memory

NEVER_INSTALLED_HERE = {"torch", "numpy"}  # a hosted runtime brings them, tuned to its own accelerator


def start(seed: int = 0) -> torch.device:
    """Seeds PyTorch, sets how numbers and figures look, and returns the device to compute on.

    The device is CUDA's where there is one, else the CPU; the environment variable ATTENTION_COURSE_DEVICE
    overrides it. Draw random numbers on the CPU and then move them: so they are the same everywhere.
    Raises ValueError for a seed that is not a whole number of at least 0.
    """
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: got {seed!r}, expected a whole number of at least 0")
    keep_memory()
    from course_utils.plots import use_style  # matplotlib takes half a second: only notebooks pay for it

    torch.manual_seed(seed)
    torch.set_printoptions(precision=3, sci_mode=False)
    use_style()
    chosen = os.environ.get("ATTENTION_COURSE_DEVICE")
    return torch.device(chosen or ("cuda" if torch.cuda.is_available() else "cpu"))


def tidy(value: float | torch.Tensor, digits: int = 3) -> float | torch.Tensor:
    """Rounds a number or a tensor for printing, and turns −0 into 0.

    Two machines may compute −0.0001 and 0.0001 for the same thing; rounded and signed alike, both print 0.000.
    Shapes: (…) → (…), on the CPU, without a gradient.
    """
    if isinstance(value, torch.Tensor):
        scaled = torch.round(value.detach().cpu() * 10**digits) / 10**digits
        return scaled + 0.0  # −0.0 + 0.0 is 0.0
    return round(float(value), digits) + 0.0


def approx(value: float, unit: str = "", digits: int = 1) -> str:
    """Writes a number that depends on the machine: `≈ 99.4 %`.

    What follows ≈ is not compared between machines; an assertion in the same cell states the range that holds on
    all of them. The width is fixed, so that tables stay in line.
    """
    number = f"≈ {tidy(value, digits):>6.{digits}f}"
    return f"{number} {unit}" if unit else number


def missing(distribution: str = "attention-course") -> list[str]:
    """The requirements of the installed course that this Python lacks, without torch and numpy."""
    absent = []
    for requirement in importlib.metadata.requires(distribution) or []:
        if ";" in requirement:  # an extra, or another platform's
            continue
        name = _name(requirement)
        if name.lower() in NEVER_INSTALLED_HERE | {"jupyterlab"}:  # a hosted notebook is its own front end
            continue
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            absent.append(requirement)
    return absent


def install_missing(distribution: str = "attention-course") -> None:
    """Installs by name what a distribution needs and a hosted runtime lacks, and what that needs in turn.

    torch and numpy are never touched. Raises RuntimeError with the names when pip fails.
    """
    for requirement in missing(distribution):
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", requirement]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"pip could not install {requirement}:\n{done.stderr.strip()}")
        importlib.invalidate_caches()
        install_missing(_name(requirement))


def _name(requirement: str) -> str:
    return re.match(r"[A-Za-z0-9._-]+", requirement).group()
