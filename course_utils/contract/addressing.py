"""What stands at `package.module:name`, and whose error it is where it cannot be had."""

import ast
import importlib
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


class TheirError(Exception):
    """The user's own code raised, before the audit began; the message shows where, in their file."""


def find(address: str) -> Any:
    """What stands at `package.module:name`.

    Raises ValueError that says which part is not there, and TheirError where the module raises while it is imported.
    """
    module, _, name = address.partition(":")
    if not module or not name:
        raise ValueError(f"address: got {address!r}, expected package.module:name")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # so that a file in the working folder is found, however this was started
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None:
            raise TheirError(shown(error, f"the module {module!r} raised while it was imported")) from error
        if module == error.name or module.startswith(f"{error.name}."):
            raise ValueError(f"address: got {error.name!r}, expected a module to be found from {Path.cwd()}") from None
        raise ValueError(f"address: got {module!r}, expected {error.name!r}, which it needs, to be installed") from None
    except Exception as error:
        raise TheirError(shown(error, f"the module {module!r} raised while it was imported")) from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"address: got {name!r}, expected a name that the module {module!r} has")
        found = getattr(found, part)
    return found


def values(option: str, text: str, what: str) -> tuple[list, dict[str, Any]]:
    """Arguments that are written as in Python: `12, 3, batch_first=True`. Raises ValueError for other text."""
    try:
        call: Any = ast.parse(f"f({text})", mode="eval").body
        positional = [ast.literal_eval(one) for one in call.args]
        return positional, {one.arg: ast.literal_eval(one.value) for one in call.keywords}
    except (SyntaxError, ValueError, AttributeError):
        raise ValueError(f"{option}: got {text!r}, expected {what}") from None


def build(made: Callable, text: str) -> Any:
    """Calls a class with arguments that are written as in Python.

    Raises ValueError for text that is not a list of plain values, and TheirError where the class raises.
    """
    positional, keywords = values("--build", text, "arguments such as 12, 3, batch_first=True")
    try:
        return made(*positional, **keywords)
    except Exception as error:
        raise TheirError(shown(error, f"building it with {text!r} raised")) from error


def shown(error: Exception, what: str) -> str:
    """The error as Python shows it, from the user's first line on; what is ours is left out."""
    if isinstance(error, SyntaxError):
        lines = traceback.format_exception_only(error)
    else:
        ours = (str(Path(__file__).parent), "<frozen importlib", importlib.__file__)
        frames = [one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith(ours)]
        lines = [*traceback.format_list(frames), *traceback.format_exception_only(error)]
    return f"This is not the contract's: {what}.\n{''.join(lines).rstrip()}"
