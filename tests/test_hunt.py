"""The checks are hunted: right answers are changed mechanically, and no wrong one passes or is told another's mistake.

The whole hunt takes about half an hour of one core, and runs in the thorough tests, one class for each lesson, so that
several processes share it; a sample runs always. What is known and cannot be mended stands in EXCEPTIONS with its
reason.
"""

import collections
import json
import os
import random
import sys

import pytest
from mutants import FOREIGN, fate, mutants_of
from test_exercises import BANKED, EVERY

from course_utils.checks import Exercise, limits
from course_utils.checks.bank import bank

WRITTEN = [(lesson, key) for lesson, key in EVERY if isinstance(bank(lesson)[key], Exercise)]
LESSONS = sorted({lesson for lesson, _ in WRITTEN})
SAMPLE, PAIRS = 2, 12
SHARE = 0.6  # of the mutants that are in no bank, those that must get a true sentence of their own
FOREIGN_SHARE = 0.5  # the same of those whose changes no check tries itself
EXCEPTIONS: dict[tuple[str, str], str] = {}


def hunt(lesson, key, pairs, most=None):
    """Every mutant of an exercise with its fate: a list of (mutant, fate, verdict)."""
    dice = random.Random(key)
    mutants = [one for answer in BANKED[lesson].RIGHT[key] for one in mutants_of(key, answer, pairs, dice)]
    if most is not None:
        mutants = dice.sample(mutants, min(most, len(mutants)))
    return [(one, *fate(bank(lesson)[key], one)) for one in mutants]


def bad(found):
    """The holes and the false diagnoses that no exception explains."""
    return [
        f"{one.key} {one.what}: {'passes, and is wrong' if end == 'passed' else f'({verdict.kind}) {verdict.message}'}"
        for one, end, verdict in found
        if end in ("passed", "false") and (one.key, one.what) not in EXCEPTIONS
    ]


def counted(found):
    """How many single changes of the usual kinds, and of those that no check tries, came to which end."""
    ends = {"usual": collections.Counter(), "foreign": collections.Counter()}
    for one, end, verdict in found:
        if one.single:
            if end == "named" and verdict.mistake:
                end = "in a bank"
            elif end == "named" and verdict.kind == "misfit":
                end = "said by Python, in plain words"
            ends["foreign" if any(kind in one.what for kind in FOREIGN) else "usual"][end] += 1
    return ends


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 5.0)
    # What stops an endless mutant may reach it while pytest reports something else, which would fail the test.
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)


@pytest.mark.parametrize(("lesson", "key"), WRITTEN)
def test_a_sample_of_mutants_finds_no_hole(lesson, key):
    assert not bad(hunt(lesson, key, pairs=0, most=SAMPLE))


def pytest_generate_tests(metafunc):
    """Gives each class the exercises of its lesson."""
    if metafunc.cls is not None and "key" in metafunc.fixturenames:
        metafunc.parametrize("key", [key for lesson, key in WRITTEN if lesson == metafunc.cls.lesson])


class Hunted:
    """All mutants of a lesson's exercises, and what is said of them; a process of the test run takes a lesson."""

    lesson: str

    @pytest.mark.thorough
    def test_no_mutant_passes_or_is_told_the_mistake_of_another(self, key):
        found = hunt(self.lesson, key, PAIRS)
        self.ends[key] = counted(found)
        assert not bad(found)

    @pytest.mark.thorough
    def test_most_mutants_that_no_bank_knows_get_a_sentence_of_their_own(self, tmp_path_factory):
        keys = {key for lesson, key in WRITTEN if lesson == self.lesson}
        if self.ends.keys() != keys:
            pytest.skip("only some of the lesson's exercises were hunted")
        folder = of_the_whole_run(tmp_path_factory) / "hunt"
        folder.mkdir(exist_ok=True)
        kept = folder / f"{self.lesson}.part"
        kept.write_text(json.dumps(self.ends))
        kept.replace(folder / f"{self.lesson}.json")  # whole, or not there
        lessons = [json.loads(one.read_text()) for one in folder.glob("*.json")]
        if len(lessons) == len(LESSONS):  # the lesson that ends last counts for all
            check_shares([ends for lesson in lessons for ends in lesson.values()])


def of_the_whole_run(tmp_path_factory):
    """A folder that all processes of a test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def check_shares(exercises):
    """Prints and checks the shares of mutants that get a sentence of their own, of those that are in no bank."""
    for kind, least in (("usual", SHARE), ("foreign", FOREIGN_SHARE)):
        found = sum((collections.Counter(ends[kind]) for ends in exercises), collections.Counter())
        named = found["named"] + found["said by Python, in plain words"]
        share = named / (named + found["unnamed"])
        print(f"{kind} changes: {dict(found)}: {share:.0%} of the mutants in no bank get a sentence of their own")
        assert share >= least


for _lesson in LESSONS:
    globals()[f"TestLesson{_lesson}"] = type(f"TestLesson{_lesson}", (Hunted,), {"lesson": _lesson, "ends": {}})
