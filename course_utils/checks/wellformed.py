"""Form before content: what is said about an answer that cannot run as the check runs it, whatever it computes.

Each function returns a sentence, or "" where it has nothing to say. The check's own code calls the answer through an
adapter; what goes wrong there is told in terms of the answer, never of the adapter.
"""

import difflib
import inspect
import re
import sysconfig
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from course_utils.checks.compare import Outcome
from course_utils.checks.words import say

HERE = str(Path(__file__).parent)
COURSE, PYTHON = str(Path(__file__).parents[1]), sysconfig.get_paths()["stdlib"]
TORCH = str(Path(torch.__file__).parent)
MODULE_WITHOUT_FORWARD = 'missing the required "forward" function'
KINDS = {  # how PyTorch says it → the sentence in common.toml
    r"same dtype|expected scalar type|Found dtype|must have the same dtype|but found (Double|Float)": "form.dtype",
    r"on the same device|Expected all tensors to be on|meta tensor": "form.device",
    r"does not require grad|requires grad\. Use|One of the differentiated Tensors|appears to not have been used": (
        "form.gradient"
    ),
    r"before Module\.__init__\(\) call": "form.super-init",
    r"maximum recursion depth": "form.recursion",
}


def of_the_answer(answer: Any) -> str:
    """What can be said before anything runs: a generator or a coroutine."""
    inner = answer if not isinstance(answer, type) else None
    if inspect.isgeneratorfunction(inner):
        return say("form.generator")
    if inspect.iscoroutinefunction(inner):
        return say("form.coroutine")
    return ""


def of_the_call(answer: Any, found: list[Outcome], call: Callable | None = None) -> str:
    """What stops the call itself: an exit, other arguments, a method that is misspelt or returns nothing."""
    for outcome in found:
        if isinstance(outcome.value, types.GeneratorType):
            return say("form.generator")
        if isinstance(outcome.value, torch.Tensor) and outcome.value.device.type == "meta":
            return say("form.device", line="")
        error = outcome.error
        if isinstance(error, SystemExit | KeyboardInterrupt | GeneratorExit):
            return say("form.exit", error=type(error).__name__)
        if error is None:
            continue
        if MODULE_WITHOUT_FORWARD in str(error):
            return _no_method(_module_of(error) or answer, "forward")
        if _raised_here(error, call) and (sentence := _of_the_adapter(answer, error)):
            return sentence
    return ""


def of_the_errors(found: list[Outcome]) -> str:
    """What is behind an error that the answer's own code raises: types, devices, gradients, names."""
    for outcome in found:
        error = outcome.error
        if error is None:
            continue
        if isinstance(error, NameError):
            name = getattr(error, "name", None) or str(error).split("'")[1]
            unbound = isinstance(error, UnboundLocalError)
            return say("form.unbound" if unbound else "form.name", name=name, line=line_of(error))
        for pattern, sentence in KINDS.items():
            if re.search(pattern, str(error)):
                return say(sentence, line=line_of(error))
    return ""


def line_of(error: BaseException) -> str:
    """The learner's line that raised, as " in the line `…`", or "" where none is known."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _learners(frame.filename)]
    text = (frames[-1].line or "") if frames else ""
    return say("form.line", code=text[:80]) if text else ""


def _learners(file: str) -> bool:
    return not file.startswith((COURSE, TORCH, PYTHON)) and "site-packages" not in file


def _raised_here(error: BaseException, call: Callable | None) -> bool:
    """Whether the last step outside PyTorch was the check's or its adapter's, not the learner's."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    codes = [code for code in codes if not code.co_filename.startswith(TORCH)]
    return not codes or codes[-1] is getattr(call, "__code__", None) or codes[-1].co_filename.startswith(HERE)


def _of_the_adapter(answer: Any, error: BaseException) -> str:
    if isinstance(error, AttributeError) and error.name:
        if error.obj is None:
            return say("form.gives-nothing")
        if isinstance(error.obj, torch.Tensor | tuple | list | dict | int | float | str):
            return say("form.gives-another", kind=type(error.obj).__name__)
        return _no_method(error.obj, error.name)
    if not isinstance(error, TypeError):
        return ""
    if re.search(r"'NoneType' object|not NoneType", str(error)):
        return say("form.gives-nothing")
    if re.search(r"takes .* but .* given|missing \d+ required|unexpected keyword", str(error)):
        return _other_arguments(answer, error)
    return ""


def _other_arguments(answer: Any, error: BaseException) -> str:
    called = re.match(r"([\w.<>]+)\(\)", str(error))
    name = called[1].replace("<lambda>", "lambda").split(".<locals>.")[-1] if called else type(answer).__name__
    method = _method(answer, name)
    takes = _arguments(method) if method else ""
    problem = re.sub(r"^[\w.<>]+\(\) ", "", str(error))
    return say("form.arguments", name=name, takes=takes or "…", problem=problem)


def _method(answer: Any, name: str) -> Callable | None:
    if isinstance(answer, type):
        found = getattr(answer, name.split(".")[-1], None)
        return found if callable(found) else None
    return answer if callable(answer) else None


def _arguments(function: Callable) -> str:
    try:
        return ", ".join(name for name in inspect.signature(function).parameters if name != "self")
    except (TypeError, ValueError):
        return ""


def _no_method(owner: Any, wanted: str) -> str:
    kind = owner if isinstance(owner, type) else type(owner)
    own = [name for name in vars(kind) if not name.startswith("_")] + [
        name for name in vars(owner) if not name.startswith("_")
    ]
    close = difflib.get_close_matches(wanted.lower(), [name.lower() for name in own], n=1, cutoff=0.6)
    meant = next((name for name in own if close and name.lower() == close[0]), None)
    if meant:
        return say("form.misspelt", kind=kind.__name__, wanted=wanted, meant=meant)
    return say("form.no-method", kind=kind.__name__, wanted=wanted)


def _module_of(error: BaseException) -> Any:
    """The module whose `forward` was called and does not exist: it stands in the last frame of the error."""
    trace, found = error.__traceback__, None
    while trace is not None:
        found = trace.tb_frame.f_locals.get("self", found)
        trace = trace.tb_next
    return found
