"""The experiment of lesson 00: every contestant had every rate, its best lies inside them, and the script runs."""

import sys
from pathlib import Path

import pytest

from course_utils.train.reports.experiments import experiment

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import reversal


@pytest.mark.parametrize("name", reversal.CONTESTANTS)
def test_each_contestant_has_its_best_rate_inside_the_rates_tried(name):
    report = experiment("reversal")
    found = report["contestants"][name]
    assert [float(rate) for rate in found["by rate"]] == reversal.RATES
    best = max(found["by rate"], key=lambda rate: sum(found["by rate"][rate]))
    assert found["rate"] == float(best) and reversal.RATES[0] < found["rate"] < reversal.RATES[-1]
    for runs in (found["by length"], found["three times the steps"]):
        assert len(runs) == len(report["seeds"]) == 3 and {len(run) for run in runs} == {len(report["lengths"])}
    assert not set(reversal.TUNING) & set(report["seeds"]), "rates are compared on seeds of their own"


def test_strings_to_compare_rates_on_are_not_those_that_are_reported():
    task = reversal.Reversal()
    (compared,) = ({pair.source for pair in exam.pairs} for exam in task.compare.values())
    assert not compared & {pair.source for pair in task.report[reversal.LONGEST].pairs}


def test_the_script_runs_and_stores_nothing_of_a_trial(monkeypatch, capsys):
    before = experiment("reversal")
    monkeypatch.setattr(reversal, "STEPS", 1)
    monkeypatch.setattr(reversal, "RATES", [0.01])
    monkeypatch.setattr(reversal, "TUNING", [10])
    monkeypatch.setattr(reversal, "LENGTHS", [2, 3])
    monkeypatch.setattr(sys, "argv", ["reversal.py", "--only", "no attention", "--seeds", "1"])
    reversal.main()
    said = capsys.readouterr().out
    assert "no attention, rate 0.01" in said and "written" not in said
    assert experiment("reversal") == before


def test_lesson_02_draws_the_same_readers_where_both_were_measured():
    mine, other = experiment("reversal"), experiment("root")["tasks"]["reversal"]
    place, shared = mine["lengths"].index(reversal.LONGEST), 0
    for name, called in {"dot": "plain", "scaled dot": "with the root"}.items():
        found = mine["contestants"][name]
        for label, theirs in (("by length", "by rate"), ("three times the steps", "three times the steps")):
            runs, stored = [run[place] for run in found[label]], other[called][theirs]
            if theirs == "by rate":
                stored = stored[f"{found['rate']:g}"]
            elif found["rate"] != other[called]["rate"]:
                continue
            assert runs == stored
            shared += 1
    assert shared == 3
