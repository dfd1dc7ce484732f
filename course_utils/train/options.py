"""A field of a dataclass that says all about itself: kind, default, help, range, choices."""

from dataclasses import Field, field, fields
from math import inf
from types import NoneType
from typing import Any, get_args


def option(
    default: Any,
    help: str,
    *,
    least: float = -inf,
    above: float = -inf,
    most: float = inf,
    even: bool = False,
    choices: tuple[str, ...] = (),
    budget: bool = False,
) -> Any:
    """Makes a field of a dataclass; its annotation (str, int, float or bool, perhaps `| None`) says of which kind.

    Numbers must be at least `least`, above `above` and at most `most`; of options with `budget` one is given.
    """
    allowed = {"least": least, "above": above, "most": most, "even": even, "choices": choices}
    return field(default=default, metadata=allowed | {"help": help, "budget": budget})


def require_options(values: Any) -> None:
    """Raises ValueError for the first field of a dataclass that is not what its option says."""
    for one in fields(values):
        value = getattr(values, one.name)
        if not _fits(value, one):
            raise ValueError(f"{one.name}: got {value!r}, expected {expected(one)}")


def kind(one: Field) -> type:
    """The plain type of an option: str, int, float or bool."""
    return (get_args(one.type) or (one.type,))[0]


def expected(one: Field) -> str:
    """Says in words what an option may be, but for None."""
    least, above, most = (one.metadata[bound] for bound in ("least", "above", "most"))
    if one.metadata["choices"]:
        return f"one of {', '.join(one.metadata['choices'])}"
    if kind(one) in (bool, str):
        return "True or False" if kind(one) is bool else "a text"
    noun = "an even number" if one.metadata["even"] else "a whole number" if kind(one) is int else "a number"
    if above > -inf:
        return f"{noun} above {above}" + (f", up to {most}" if most < inf else "")
    return f"{noun} from {least} to {most}" if most < inf else f"{noun} of at least {least}"


def _fits(value: object, one: Field) -> bool:
    allowed = one.metadata
    if value is None:
        return NoneType in get_args(one.type)
    if kind(one) in (bool, str):
        return isinstance(value, kind(one)) and (not allowed["choices"] or value in allowed["choices"])
    if isinstance(value, bool) or not isinstance(value, int | float if kind(one) is float else int):
        return False
    in_range = allowed["least"] <= value <= allowed["most"] and value > allowed["above"]  # not for nan
    return in_range and not (allowed["even"] and value % 2)
