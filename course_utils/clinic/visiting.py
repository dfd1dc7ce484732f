"""What a doctor does: look at a symptom, ask for the contract's report, and open up when the diagnosis is made."""

import inspect
import re
import textwrap

from course_utils.clinic.faults import FAULTS
from course_utils.clinic.symptoms import without_cpp
from course_utils.clinic.ward import Patient, patient
from course_utils.contract import Report, audit
from course_utils.plots import row

WIDTH = 96
GIVEN_UP = "i give up"


def symptom(which: str | int) -> None:
    """Prints and draws the symptom of a patient, computed from its code now."""
    one = patient(which)
    shown = one.shows(one.attention)
    print(f"{one.name}: {one.complaint}")
    for line in shown.lines:
        print(f"  {line}")
    for ax, draw in zip(row(len(shown.drawings), 4.9, 3.4) if shown.drawings else [], shown.drawings, strict=True):
        draw(ax)


def report_on(one: Patient) -> Report:
    """The contract's whole report on a patient."""
    return audit(one.called or one.attention, name=one.name, show=False, **one.declared)


def chart(which: str | int) -> None:
    """Prints what the contract says of a patient: the clauses that it breaks, and how many it keeps."""
    report = report_on(patient(which))
    print(f"Contract of {report.name}: {report.summary}")
    for clause in report.failed:
        result = report[clause]
        print(f"  broken, {clause}: {result.says}")
        for line in textwrap.wrap(f"{said(result.reason)} ({result.sizes})", WIDTH):
            print(f"      {line}")


def said(reason: str) -> str:
    """A reason without what changes from version to version: names of C++, sizes that PyTorch lists, lines of code."""
    reason = re.sub(r" \(\w+\.py, line \d+\)", "", without_cpp(reason))
    return re.sub(r"(RuntimeError): (?!value cannot)(?:[^.]|\.\S)*\.", r"\1.", reason)


def open_up(which: str | int, diagnosis: object = None) -> None:
    """Prints the code of a patient whose fault was named; "I give up" opens it too, and names the fault."""
    one = patient(which)
    answered = diagnosis.casefold().strip() if isinstance(diagnosis, str) else ""
    if answered not in (one.fault, GIVEN_UP):
        print(f'{one.name} stays closed: name its fault first, or write open_up("14.{one.number}", "I give up").')
        return
    if answered == GIVEN_UP:
        print(f"{one.fault}: {FAULTS[one.fault]}\n")
    print(inspect.getsource(one.attention).rstrip())
