"""A limit for code that may never end, without signals: it holds in Jupyter, in any thread, and on Windows.

The work runs in a thread of its own. When its time is up, an exception is raised inside that thread; a thread that
cannot be stopped so, because it waits in C or catches everything, is left behind, and whoever asked is told.
"""

import contextvars
import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import torch

SECONDS = 20.0
BUSY = 0.5  # of the seconds that the process must have computed; on a crowded machine it waits longer
AT_MOST = 3  # times as long by the clock
STEP = 0.2  # seconds between two looks: on Windows a wait in one piece could not be interrupted
GRACE = 2.0  # seconds in which a thread may end after it was told to

T = TypeVar("T")


class Stopped(BaseException):
    """Raised inside work whose time is up; not an Exception, so that `except Exception` lets it pass."""


class TimeUp(Exception):
    """Raised for whoever asked for the work. `ended` says whether it could be stopped."""

    def __init__(self, seconds: float, ended: bool) -> None:
        super().__init__(f"no end after {seconds:g} seconds")
        self.seconds, self.ended = seconds, ended


def within(work: Callable[[], T], seconds: float = SECONDS, at_most: float | None = None) -> T:
    """What `work` returns or raises, if it ends within so many seconds; else raises TimeUp.

    With `at_most` it may take that long by the clock, where the machine is too crowded for it to have computed much.
    Gradients, inference mode, the default device and context variables are as they are for the caller. Under a
    debugger the work runs here and has all the time in the world.
    """
    if sys.gettrace() is not None:
        return work()
    outcome: dict[str, Any] = {}
    done = threading.Event()
    context, settings = contextvars.copy_context(), _settings()

    def runner() -> None:
        try:
            outcome["value"] = context.run(_with, settings, work)
        except BaseException as error:
            outcome["error"] = error
        finally:
            done.set()

    thread = threading.Thread(target=runner, daemon=True, name="check")
    thread.start()
    try:
        ended = _wait(done, seconds, seconds if at_most is None else at_most)
    except BaseException:  # the Stop button: the work stops too
        _stop(thread, done)
        raise
    if not ended:
        raise TimeUp(seconds, _stop(thread, done))
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _settings() -> tuple[bool, bool, torch.device]:
    """What PyTorch keeps for each thread."""
    return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_device()


def _with(settings: tuple[bool, bool, torch.device], work: Callable[[], T]) -> T:
    grad, inference, device = settings
    with torch.inference_mode(inference), torch.set_grad_enabled(grad):
        if device == torch.get_default_device():
            return work()
        with device:
            return work()


def _wait(done: threading.Event, seconds: float, at_most: float) -> bool:
    begun, computed = time.monotonic(), time.process_time()
    while (taken := time.monotonic() - begun) < at_most:
        if taken >= seconds and time.process_time() - computed >= BUSY * seconds:
            break
        end = seconds if taken < seconds else at_most
        if done.wait(min(STEP, end - taken)):
            return True
    return done.is_set()


def _stop(thread: threading.Thread, done: threading.Event) -> bool:
    """Raises Stopped in a thread, again and again while it catches it, and says whether it ended."""
    end = time.monotonic() + GRACE
    while not done.is_set() and time.monotonic() < end:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped))
        done.wait(STEP)
    return done.is_set()
