"""The first line of every notebook, and what the environment asks for."""

import contextlib
import io
import logging
import os
import sys
import warnings
from typing import Any

import torch

from course_utils.train.allocator import keep_memory


def start(seed: int = 0) -> torch.device:
    """Seeds PyTorch, sets how numbers and figures look, and returns the device to compute on.

    The device is CUDA's where there is one that computes, else the CPU; the environment variable
    ATTENTION_COURSE_DEVICE overrides it (cpu, cuda, cuda:1, mps). Draw random numbers on the CPU and then move them:
    so they are the same everywhere. Raises ValueError for a seed that is not a whole number of at least 0, and for a
    device that PyTorch does not know.
    """
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: got {seed!r}, expected a whole number of at least 0")
    keep_memory()
    from course_utils.plots import use_style  # matplotlib takes half a second: only notebooks pay for it

    torch.manual_seed(seed)
    torch.set_printoptions(precision=3, sci_mode=False)
    use_style()
    return device()


def device() -> torch.device:
    """The device that the environment asks for, else CUDA's where it computes, else the CPU.

    A GPU that is older than the kernels in PyTorch's wheel counts as available, and dies at the first of them. So a
    small product is tried; where it fails, one line on standard error says so.
    """
    asked = os.environ.get("ATTENTION_COURSE_DEVICE")
    if asked:
        try:
            return torch.device(asked)
        except RuntimeError:
            raise ValueError(
                f"ATTENTION_COURSE_DEVICE: got {asked!r}, expected a device of PyTorch's such as cpu, cuda or mps"
            ) from None
    with warnings.catch_warnings():  # PyTorch's own on an old driver or card; ours says what becomes of it
        warnings.simplefilter("ignore")
        if not torch.cuda.is_available():
            return torch.device("cpu")
        problem = failure(torch.device("cuda"))
    if problem is None:
        return torch.device("cuda")
    if os.environ.get("ATTENTION_COURSE_PROGRESS") != "0":  # like a bar: for people, not where outputs are compared
        print(f"The GPU is there but cannot compute ({problem}): going on with the CPU.", file=sys.stderr)
    return torch.device("cpu")


def failure(where: torch.device) -> str | None:
    """The first words of the error that a small product raises on a device, or None where it comes out right."""
    try:
        ones = torch.ones(2, 2, device=where)
        total = (ones @ ones).sum().item()  # .item() waits for the kernels, whose errors come late
    except (RuntimeError, AssertionError) as error:  # the second: a PyTorch that was built without this device
        return str(error).partition("\n")[0][:100]
    return None if total == 8.0 else f"1 + 1 gives {total / 4}"


def strict() -> bool:
    """Whether a check must raise an error instead of printing a line: an automatic grader runs the notebook.

    ATTENTION_COURSE_STRICT=1 says so, 0 says no. nbgrader sets NBGRADER_EXECUTION to autograde or validate.
    """
    asked = os.environ.get("ATTENTION_COURSE_STRICT")
    return asked == "1" if asked else bool(os.environ.get("NBGRADER_EXECUTION"))


def __getattr__(name: str) -> Any:
    """Gives `Timer` of torch.utils.benchmark, whose import prints a line where CUDA is installed without a GPU."""
    if name != "Timer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    logger = logging.getLogger("torch.utils.cpp_extension")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # older releases print it
            from torch.utils.benchmark import Timer
    finally:
        logger.setLevel(before)
    return Timer
