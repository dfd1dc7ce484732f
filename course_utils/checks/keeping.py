"""What a check leaves as it was: random states, warnings, streams, PyTorch's defaults, and matplotlib's state."""

import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def nothing_moves(plots: bool = True) -> Iterator[None]:
    """Puts back what the code inside may have changed for the whole process, even where it raises.

    Without `plots` matplotlib is left out, whose settings take a millisecond to copy.
    """
    with ExitStack() as later:
        later.callback(random.setstate, random.getstate())
        later.callback(np.random.set_state, np.random.get_state())
        later.callback(torch.set_rng_state, torch.get_rng_state())
        if torch.cuda.is_initialized():
            later.callback(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
        later.callback(torch.set_default_dtype, torch.get_default_dtype())
        later.callback(_set_streams, sys.stdin, sys.stdout, sys.stderr)
        later.enter_context(warnings.catch_warnings())
        later.enter_context(_kernel_stays())
        if plots and "matplotlib" in sys.modules:
            later.enter_context(sys.modules["matplotlib"].rc_context())
        if plots and "matplotlib.pyplot" in sys.modules:
            later.enter_context(_figures())
        yield


@contextmanager
def new_memory_is_nan() -> Iterator[None]:
    """Lets `torch.empty` give nan: what an answer never writes to could hold the right numbers by chance."""
    memory: Any = torch.utils.deterministic  # its attribute is made while it is imported
    mode, fill = torch.get_deterministic_debug_mode(), memory.fill_uninitialized_memory
    memory.fill_uninitialized_memory = True
    torch.set_deterministic_debug_mode("warn")  # without it nothing is filled
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(mode)
        memory.fill_uninitialized_memory = fill


def seed_all(seed: int) -> None:
    """Gives Python, NumPy and PyTorch's CPU generator one seed. `torch.manual_seed` would move the GPU's too."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)


def _set_streams(*streams: object) -> None:
    for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
        setattr(sys, name, stream)


@contextmanager
def _kernel_stays() -> Iterator[None]:
    """In Jupyter, `exit()` ends the kernel after the cell: inside it raises SystemExit, as it does elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or "ask_exit" in vars(shell):
        yield
        return
    shell.ask_exit = sys.exit
    try:
        yield
    finally:
        del shell.ask_exit


@contextmanager
def _figures() -> Iterator[None]:
    """Closes the figures that were opened inside; the current one is the current one again."""
    pyplot = sys.modules["matplotlib.pyplot"]
    before = pyplot.get_fignums()
    current = pyplot.gcf().number if before else None
    try:
        yield
    finally:
        for number in set(pyplot.get_fignums()) - set(before):
            pyplot.close(number)
        if current in pyplot.get_fignums():
            pyplot.figure(current)
