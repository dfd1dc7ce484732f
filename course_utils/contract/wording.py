"""A convention in words: for the head of a report, as a line of Python, and as options of the command."""

import shlex
from dataclasses import fields
from typing import Any

from course_utils.contract.convention import MASKS, Convention

FLAGS = ("projects", "causal", "equal_lengths")  # options of the command without a value


def describe(convention: Convention, name: str) -> list[str]:
    """The convention in words, for the head of a report."""
    named = ", ".join(convention.order.split())
    mask = "" if convention.mask is None else ", mask"
    mask = f", {convention.mask_name}=mask" if mask and convention.mask_name else mask
    returned = "chosen by a function" if callable(convention.returns) else convention.returns.replace(" ", ", ")
    returned = "context, and more" if returned == "first" else returned
    traits = [f"({convention.layout.replace(' ', ', ')})"]
    if convention.size is not None:
        traits.append(f"size {convention.size}")
    if convention.heads > 1:
        traits.append(f"{convention.heads} heads")
    flags = {
        "as many queries as keys": convention.equal_lengths,
        "causal": convention.causal,
        f"window {convention.window}": convention.window is not None,
        "knows positions": convention.positions,
        "projects": convention.projects,
    }
    traits += [word for word, on in flags.items() if on]
    said = []
    if convention.mask:
        axes = "batch" if convention.mask == "lengths" else convention.mask_axes.replace(" ", ", ")
        kind = "" if convention.mask_type == "bool" or convention.mask == "lengths" else f", as {convention.mask_type}"
        said = [f"mask ({axes}), {MASKS[convention.mask]}{kind}"]
    return [f"{name}({named}{mask}) → {returned}", " · ".join(traits), *said]


def declared_in(convention: Convention, base: Convention | None = None) -> dict[str, Any]:
    """What a convention declares that another one, this course's, does not."""
    base = base or Convention()
    return {
        one.name: getattr(convention, one.name)
        for one in fields(Convention)
        if getattr(convention, one.name) != getattr(base, one.name)
    }


def in_python(name: str, declared: dict[str, Any]) -> str:
    """The line that declares it: `audit(mine, order="source", size=8)`."""
    said = [f"{key}={_quoted(value)}" for key, value in declared.items()]
    return f"audit({', '.join([name, *said])})"


def in_shell(declared: dict[str, Any]) -> str:
    """The options that declare it: `--order source --size 8`; what only Python can say is left out."""
    words = []
    for key, value in declared.items():
        flag = f"--{key.replace('_', '-')}"
        if key in FLAGS and value:
            words.append(flag)
        elif isinstance(value, dict):
            words += [f"--argument {shlex.quote(f'{one}={what!r}')}" for one, what in value.items()]
        elif value is True:
            words.append(flag)
        elif value is None:
            words.append(f"{flag} none")
        elif isinstance(value, str | int):
            words.append(f"{flag} {shlex.quote(str(value))}")
    return " ".join(words)


def _quoted(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return getattr(value, "__name__", repr(value)) if callable(value) else repr(value)
