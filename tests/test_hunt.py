"""The checks are hunted: right answers are changed mechanically, and no wrong one passes or is told another's mistake.

The whole hunt takes minutes, and runs in the thorough tests; a sample of it runs always. What is known and cannot be
mended stands in EXCEPTIONS with its reason.
"""

import collections
import random
import sys

import pytest
from mutants import FOREIGN, fate, mutants_of
from test_exercises import BANKED, EVERY

from course_utils.checks import Exercise, limits
from course_utils.checks.bank import bank

WRITTEN = [(lesson, key) for lesson, key in EVERY if isinstance(bank(lesson)[key], Exercise)]
SAMPLE, PAIRS = 2, 12
SHARE = 0.6  # of the mutants that are in no bank, those that must get a true sentence of their own
FOREIGN_SHARE = 0.5  # the same of those whose changes no check tries itself
EXCEPTIONS: dict[tuple[str, str], str] = {}


def hunt(lesson, key, pairs, most=None):
    """Every mutant of an exercise with its fate: a list of (what was changed, fate, verdict)."""
    dice = random.Random(key)
    mutants = [one for answer in BANKED[lesson].RIGHT[key] for one in mutants_of(key, answer, pairs, dice)]
    if most is not None:
        mutants = dice.sample(mutants, min(most, len(mutants)))
    return [(one.what, *fate(bank(lesson)[key], one)) for one in mutants]


def bad(key, found):
    """The holes and the false diagnoses that no exception explains."""
    return [
        f"{key} {what}: {'passes, and is wrong' if end == 'passed' else f'is told {verdict.mistake!r}'}"
        for what, end, verdict in found
        if end in ("passed", "false") and (key, what) not in EXCEPTIONS
    ]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 5.0)
    # What stops an endless mutant may reach it while pytest reports something else, which would fail the test.
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)


@pytest.mark.parametrize(("lesson", "key"), WRITTEN)
def test_a_sample_of_mutants_finds_no_hole(lesson, key):
    assert not bad(key, hunt(lesson, key, pairs=0, most=SAMPLE))


@pytest.mark.thorough
@pytest.mark.parametrize(("lesson", "key"), WRITTEN)
def test_no_mutant_passes_or_is_told_the_mistake_of_another(lesson, key):
    assert not bad(key, hunt(lesson, key, PAIRS))


@pytest.mark.thorough
def test_most_mutants_that_no_bank_knows_get_a_sentence_of_their_own():
    counted: dict[bool, collections.Counter] = {True: collections.Counter(), False: collections.Counter()}
    for lesson, key in WRITTEN:
        for what, end, verdict in hunt(lesson, key, pairs=0):
            foreign = any(kind in what for kind in FOREIGN)
            own = (
                "said by Python, in plain words"
                if verdict.kind == "misfit"
                else "in a bank"
                if verdict.mistake
                else end
            )
            counted[foreign][own if end == "named" else end] += 1
    for foreign, least in ((False, SHARE), (True, FOREIGN_SHARE)):
        found = counted[foreign]
        named = found["named"] + found["said by Python, in plain words"]
        share = named / (named + found["unnamed"])
        kinds = "of kinds that no check tries" if foreign else "of the usual kinds"
        print(f"{kinds}: {dict(found)}: {share:.0%} of the mutants that are in no bank get a sentence of their own")
        assert share >= least
