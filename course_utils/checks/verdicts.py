"""What an exercise is made of, and what a check finds: a verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from course_utils.checks.words import say

State = Literal["passed", "wrong", "not yet"]


@dataclass(frozen=True)
class Verdict:
    """What a check found: the state, one or two sentences, and the name of the known mistake, if it is one.

    `kind` says what the sentence is about: a known "mistake", the "form", a "property", a "relation" to the right
    result, its "shape", the "cases" or "entries" that are wrong, a "probe" of the arguments, "nan", a "misfit" of
    shapes, another "error", the one step that is the "culprit" or the "slip", or only the largest "difference".
    `evidence` is the function that shows what is said of a step: the answer mended, or a right one with that slip.
    """

    state: State
    message: str
    mistake: str | None = None
    kind: str = ""
    evidence: Any = None


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer: a function that makes it (or the wrong values of a prediction), and a sentence of help."""

    name: str
    answer: Any
    help: str


@dataclass(frozen=True)
class Property:
    """Something that must hold for every result: `holds(arguments, result)`. The sentence completes "… must …"."""

    sentence: str
    holds: Callable[[tuple, Any], bool]
    name: str = ""


@dataclass(frozen=True)
class Requirement:
    """Something that a witness must fulfil; where it does not, `help` says what is missing."""

    name: str
    holds: Callable[[Any], bool]
    help: str


def not_yet(hint: str = "") -> Verdict:
    """The verdict on what has not been written: a hint, or else what every untouched answer is told."""
    return Verdict("not yet", hint or say("verdict.not-yet"))


def wrong(sentence: str, **values: Any) -> Verdict:
    """The verdict on a wrong answer that no known mistake explains, in a sentence of common.toml on its form."""
    return Verdict("wrong", say(sentence, **values), kind="form")
