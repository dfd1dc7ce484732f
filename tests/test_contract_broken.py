"""Every broken attention breaks exactly the clauses that it should: the contract sees the fault, and no ghosts."""

import functools

import broken_attentions_public
import pytest
from broken_attentions import BROKEN

from course_utils.contract import CLAUSES, audit

NAMES = [clause.name for clause in CLAUSES]


@functools.cache
def report_on(name):
    return audit(BROKEN[name].attention, name=name, show=False, **BROKEN[name].declared)


@pytest.mark.parametrize("name", BROKEN)
def test_it_breaks_exactly_what_it_should(name):
    report = report_on(name)
    assert set(report.failed) == BROKEN[name].breaks, report
    for clause in report.failed:
        assert report[clause].reason.endswith((".", "?")), report[clause].reason
        assert report[clause].sizes


def test_there_are_enough_of_them_and_every_clause_has_one():
    assert len(BROKEN) >= 60
    assert sum(one.attention.__module__ == broken_attentions_public.__name__ for one in BROKEN.values()) >= 25
    assert all(one.breaks <= set(NAMES) for one in BROKEN.values())
    assert {clause for one in BROKEN.values() for clause in one.breaks} == set(NAMES)


HINTS = {
    "no_root": ("equals-pytorch", "without the root of the size"),
    "RootOfTheWholeSize": ("equals-pytorch", "expected"),
    "root_of_all_heads": ("equals-pytorch", "the root of all heads' size, not of one's"),
    "inverted_mask": ("hidden-key-weighs-0", "is the mask the other way round?"),
    "nan_on_empty_row": ("empty-row-is-finite", "is nan"),
    "nan_gradient_on_empty_row": ("empty-row-is-finite", "the gradient of the query is not"),
    "uniform_on_empty_row": ("empty-row-is-0", "it looks where nothing is"),
    "fill_that_float16_cannot_hold": ("half-precision", "In float16: It raised"),
    "CausalOnlyInTraining": ("future-changes-nothing", "in evaluation mode"),
    "FixedWidth": ("any-number-of-keys", "It runs with 4 keys only."),
    "BlindToTheQuery": ("query-moves-weights", "its weights never moved"),
    "scores_into_the_mask": ("arguments-unchanged", "the mask that it was given"),
    "dropout_left_on": ("same-twice", "dropout?"),
    "first_of_the_batch": ("batch-is-apart", "With 2 elements it does not run."),
    "gradient_cut": ("gradient", "differs from finite differences"),
    "map_recorded_without_mask": ("weights-are-used", "it used 0"),
    "not_written_yet": ("runs", "is there a `return`?"),
}


@pytest.mark.parametrize("name", HINTS)
def test_the_sentence_says_what_happened(name):
    clause, words = HINTS[name]
    assert words in report_on(name)[clause].reason
