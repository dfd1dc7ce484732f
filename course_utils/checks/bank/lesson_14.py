"""The exercises of lesson 14: for each patient of the clinic, its fault to name (14.1 to 14.20) and to mend (14.21 on).

The wrong names that have a sentence of their own are those that the words list; clinic_mends has the mending.
"""

from course_utils.checks.bank.clinic_mends import MENDS
from course_utils.checks.diagnosis import Diagnosis, diagnose
from course_utils.checks.words import sentences
from course_utils.clinic import PATIENTS, Patient


def _name(one: Patient) -> Diagnosis:
    key = f"14.{one.number}"
    wrong = [name.replace("-", " ") for name in sentences(key) if name != "title"]
    return diagnose(key, fault=one.fault, wrong=wrong)


EXERCISES = [*map(_name, PATIENTS), *MENDS]
