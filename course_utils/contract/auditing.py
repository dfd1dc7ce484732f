"""The audit: every clause, on one attention, the smallest input first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from course_utils.contract.cases import Inputs
from course_utils.contract.clauses import CLAUSES
from course_utils.contract.clauses.base import CannotTell, Clause
from course_utils.contract.clauses.order import waits_for
from course_utils.contract.convention import Convention, known, settings
from course_utils.contract.discovering import discover, missing
from course_utils.contract.hiding import random_mask
from course_utils.contract.reading import read_signature
from course_utils.contract.reference import from_projections
from course_utils.contract.report import WAITS, ContractBroken, Report, Result
from course_utils.contract.subject import Subject, explain, undisturbed


def audit(
    attention: Callable,
    convention: Convention | None = None,
    *,
    name: str | None = None,
    show: bool = True,
    strict: bool = False,
    **declared: Any,
) -> Report:
    """Puts an attention through every clause of the contract that applies to it, and prints the table.

    `attention` is a function or a module. Without a convention it is called as this course calls attention,
    `attention(query, key, value, mask) → context, weights` with True = may attend; PyTorch's own are known. One that
    does not run so is tried in the common conventions, and the report begins with the line that declares what was
    found. What is otherwise is declared by keyword, in one line: `audit(mine, mask="hidden", returns="context")`;
    Convention lists all of them. The inputs are the same every time, and the caller's random state and the module
    stay as they were.
    With `strict=True` a broken clause raises ContractBroken, with the table as its message. Raises ValueError for
    something that cannot be called, and for a declaration that is not known.
    """
    if isinstance(attention, type):
        raise ValueError(f"attention: got the class {attention.__name__}, expected an instance of it, or a function")
    if not callable(attention):
        raise ValueError(f"attention: got {type(attention).__name__}, expected a function or a module")
    if unknown := set(declared) - set(settings()):
        raise ValueError(f"convention: got {', '.join(sorted(unknown))}, expected some of {', '.join(settings())}")
    name = name or _name(attention)
    with undisturbed():
        subject, found, tried = _subject(attention, convention, declared)
        report = Report(name, subject.convention, judged(subject), found, tried)
    if strict and report.failed:
        raise ContractBroken(str(report))
    if show:
        print(report)
    return report


def _name(attention: Callable) -> str:
    attention = getattr(attention, "func", attention)  # functools.partial has the function in it
    name = getattr(attention, "__name__", type(attention).__name__)
    return "attention" if name == "<lambda>" else name


def _subject(attention: Callable, given: Convention | None, declared: dict[str, Any]) -> tuple[Subject, bool, str]:
    """The attention in the convention that was given; or, where it does not run so, in one that was found by trying."""
    convention = _with_reference(replace(given or known(attention), **declared), attention)
    subject = Subject(attention, convention)
    if given is not None or (known(attention) != Convention() and subject.dims):
        return subject, False, ""
    if subject.dims and not _says_otherwise(attention, declared) and _runs_with_a_mask(subject, declared):
        return subject, False, ""
    found = discover(attention, declared)
    if found.convention is None:
        if found.wants_more:  # it ran by chance, with a mask in the place of something else
            subject.dims, subject.problem = [], "It needs more than tensors and a mask."
        return subject, False, "" if subject.dims else found.tried
    other = Subject(attention, _with_reference(found.convention, attention))
    return (other, True, "") if other.dims else (subject, False, found.tried)


def _with_reference(convention: Convention, attention: Callable) -> Convention:
    if convention.reference != "projections":
        return convention
    return replace(convention, reference=from_projections(attention, convention.heads))


def _says_otherwise(attention: Callable, declared: dict[str, Any]) -> bool:
    """Whether the names of its arguments say that it wants them in another order, or more of them."""
    reading = read_signature(attention)
    in_names = "order" not in declared and sorted(reading.roles) == ["key", "query", "value"]
    return (in_names and reading.roles[0] != "query") or bool(missing(reading, declared))


def _runs_with_a_mask(subject: Subject, declared: dict[str, Any]) -> bool:
    if subject.convention.mask is None or any(name.startswith("mask") for name in declared):
        return True
    wide = next((dims for dims in subject.dims if dims.keys > 1), None)
    if wide is None:
        return True
    try:
        subject(random_mask(subject.convention, subject.draw(wide, 0)))
    except Exception:
        return False
    return True


def judged(subject: Subject) -> tuple[Result, ...]:
    """Judges every clause, and before it those for which it waits; the results stand in the order of the report."""
    named, found = {clause.name: clause for clause in CLAUSES}, {}

    def judge(clause: Clause) -> Result:
        if clause.name not in found:
            waits = [name for name in waits_for(clause) if judge(named[name]).state == "failed"] if subject.dims else []
            found[clause.name] = _judge(clause, subject, waits)
        return found[clause.name]

    subject.masks = judge(named["runs-with-a-mask"]).state != "failed"
    return tuple(judge(clause) for clause in CLAUSES)


def _judge(clause: Clause, subject: Subject, waits: list[str]) -> Result:
    """Searches for the smallest input that breaks a clause."""
    about = (clause.name, clause.group, clause.says)
    if clause.name != "runs" and not subject.dims:
        return Result(*about, "not tried", WAITS)
    if reason := clause.excused(subject):
        return Result(*about, "not applicable", reason)
    if waits:
        return Result(*about, "not tried", f"it waits for {' and '.join(waits[:2])}")
    given, tried = None, False
    try:
        for given in clause.inputs(subject):
            tried = True
            if sentence := clause.broken(subject, given):
                return _failure(about, sentence, given)
    except CannotTell as reason:
        return Result(*about, "not applicable", str(reason))
    except Exception as error:  # whatever the attention raises is a result
        return _failure(about, explain(error), given)
    if not tried:
        return Result(*about, "not applicable", "it runs with no input that could tell")
    return Result(*about, "passed")


def _failure(about: tuple[str, str, str], sentence: str, given: Inputs | None) -> Result:
    if given is None:
        return Result(*about, "failed", sentence, "none was found")
    return Result(*about, "failed", sentence, str(given.dims), given.named)
