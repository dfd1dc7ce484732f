"""The clinic: twenty attentions with one fault each, seen first by their symptoms, then by the contract, then opened.

    from course_utils.clinic import symptom, chart, faults, open_up
    symptom("14.3")                  # what it complains of, computed now
    chart("14.3")                    # what the contract says
    open_up("14.3", diagnosis)       # its code, once its fault is named

faults          the list from which a diagnosis is chosen
ward            who lies here: complaint, fault, symptom, and how each is called
visiting        symptom, chart, open_up
scoring, hiding, splitting    the patients' code
symptoms, symptoms_more       the ways in which a symptom shows; shop has what everybody is examined with
gallery         sixteen symptoms on one wall, and the tree from symptom to test to cause
"""

from course_utils.clinic.faults import FAULTS, faults
from course_utils.clinic.visiting import chart, open_up, report_on, symptom
from course_utils.clinic.ward import PATIENTS, Patient, patient

__all__ = ["FAULTS", "PATIENTS", "Patient", "chart", "faults", "open_up", "patient", "report_on", "symptom"]
