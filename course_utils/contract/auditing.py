"""The audit: every clause, on one attention, the smallest input first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from course_utils.contract.cases import Inputs
from course_utils.contract.clauses import CLAUSES
from course_utils.contract.clauses.base import CannotTell, Clause
from course_utils.contract.clauses.manners import SAME_TWICE
from course_utils.contract.convention import Convention, known, settings
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
    `attention(query, key, value, mask) → context, weights` with True = may attend; PyTorch's own are known. What is
    otherwise is declared by keyword, in one line: `audit(mine, mask="hidden", returns="context")`; Convention lists
    all of them. The inputs are the same every time, the caller's random state and the module stay as they were.
    With `strict=True` a broken clause raises ContractBroken, with the table as its message. Raises ValueError for
    something that cannot be called, and for a declaration that is not known.
    """
    if isinstance(attention, type):
        raise ValueError(f"attention: got the class {attention.__name__}, expected an instance of it, or a function")
    if not callable(attention):
        raise ValueError(f"attention: got {type(attention).__name__}, expected a function or a module")
    if unknown := set(declared) - set(settings()):
        raise ValueError(f"convention: got {', '.join(sorted(unknown))}, expected some of {', '.join(settings())}")
    convention = replace(convention or known(attention), **declared)
    with undisturbed():
        subject = Subject(attention, convention)
        subject.steady = not subject.dims or _judge(SAME_TWICE, subject).state == "passed"
        results = tuple(_judge(clause, subject) for clause in CLAUSES)
    name = name or _name(attention)
    report = Report(name, convention.describe(name), results)
    if strict and report.failed:
        raise ContractBroken(str(report))
    if show:
        print(report)
    return report


def _name(attention: Callable) -> str:
    attention = getattr(attention, "func", attention)  # functools.partial has the function in it
    name = getattr(attention, "__name__", type(attention).__name__)
    return "attention" if name == "<lambda>" else name


def _judge(clause: Clause, subject: Subject) -> Result:
    """Searches for the smallest input that breaks a clause."""
    about = (clause.name, clause.group, clause.says)
    if reason := _excuse(clause, subject):
        return Result(*about, "not applicable", reason)
    given, judged = None, False
    try:
        for given in clause.inputs(subject):
            judged = True
            if sentence := clause.broken(subject, given):
                return _failure(about, sentence, given)
    except CannotTell as reason:
        return Result(*about, "not applicable", str(reason))
    except Exception as error:  # whatever the attention raises is a result
        return _failure(about, explain(error), given)
    if not judged:
        return Result(*about, "not applicable", "it runs with no input that could tell")
    return Result(*about, "passed")


def _excuse(clause: Clause, subject: Subject) -> str:
    if clause.name != "runs" and not subject.dims:
        return WAITS
    if reason := clause.excused(subject):
        return reason
    if clause.compares and not subject.steady:
        return "it draws at random"
    return ""


def _failure(about: tuple[str, str, str], sentence: str, given: Inputs | None) -> Result:
    if given is None:
        return Result(*about, "failed", sentence, "none was found")
    return Result(*about, "failed", sentence, str(given.dims), given.named)
