"""Experiments that lessons draw as measured earlier: each says how it was made; the script of lesson 07 runs."""

import sys
from pathlib import Path

import pytest
import torch

from course_utils.train.reports import experiments as room

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import one_vector


@pytest.mark.parametrize("name", room.experiments())
def test_an_experiment_says_how_it_was_made(name):
    report = room.experiment(name)
    assert report["command"].startswith("python ") and "/tmp" not in report["command"]
    assert report["date"] and report["machine"]["processor"] and report["machine"]["torch"]
    assert "seeds" in report or "seed" in report["settings"]


def test_what_is_written_is_read_again_and_says_whence_it_is(tmp_path, monkeypatch):
    report = {"command": "python x.py", "date": "2026-11-25", "seeds": [0, 1], "found": [1.5, 2.0]}
    report["machine"] = {"processor": "a processor", "threads": 1}
    room.write_experiment(report, "tried", tmp_path)
    monkeypatch.setattr(room, "STORED", tmp_path)
    assert room.experiments() == ["tried"] and room.experiment("tried") == report
    assert room.measured(report) == "measured 2026-11-25: python x.py (seeds 0, 1; a processor, 1 thread)"


def test_a_report_that_hides_its_making_and_an_unknown_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match="report: got none of command, machine"):
        room.write_experiment({"date": "x", "seeds": []}, "x", tmp_path)
    with pytest.raises(ValueError, match="name: got 'magic', expected one of .*one_vector"):
        room.experiment("magic")


def test_in_the_bottleneck_each_contestant_has_its_best_rate_inside_the_rates_tried():
    for name, found in room.experiment("one_vector")["contestants"].items():
        rates = sorted(map(float, found["dev by rate"]))
        assert f"{found['rate']:g}" == min(found["dev by rate"], key=found["dev by rate"].get)
        assert rates[0] < found["rate"] < rates[-1], f"{name}: the best rate lies at the edge"
        assert len(found["seeds"]) == 3


def test_keys_only_looks_alike_at_every_step():
    torch.manual_seed(0)
    scores = one_vector.KeysOnly(8)(torch.randn(2, 5, 8), torch.randn(2, 7, 8))
    assert scores.shape == (2, 5, 7) and torch.equal(scores, scores[:, :1].expand(2, 5, 7))


def test_the_script_of_the_bottleneck_runs_and_stores_nothing_of_a_trial(monkeypatch, capsys):
    before = room.experiment("one_vector")
    monkeypatch.setattr(one_vector, "RATES", [0.004])
    monkeypatch.setattr(sys, "argv", ["one_vector.py", "--pairs", "60", "--contestants", "keys only", "--longer",
                                      "keys only", "--seeds", "2", "--passes", "2"])  # fmt: skip
    one_vector.main()
    said = capsys.readouterr().out
    assert "on dev" in said and "2 passes" in said and "written" not in said
    assert room.experiment("one_vector") == before


def test_the_windows_have_the_best_rate_on_numbers_set_aside_for_each_job_and_number_of_steps():
    for job, kinds in room.experiment("windows")["jobs"].items():
        for kind, found in kinds.items():
            for steps, run in found.items():
                best = max(run["set aside"], key=run["set aside"].get)
                assert len(run["set aside"]) == 4 and f"{run['rate']:g}" == best, (job, kind, steps)
                assert len(run["right"]) == 3


def test_the_readers_of_dates_have_the_best_rate_on_dates_of_their_own():
    for name, found in room.experiment("dates")["contestants"].items():
        means = {rate: sum(runs) for rate, runs in found["right by rate"].items()}
        assert f"{found['rate']:g}" == max(means, key=means.get), name


def test_the_translators_were_all_trained_as_in_the_lessons():
    report = room.experiment("translators")
    assert report["seeds"] == [0, 1, 2] and report["steps"] == 1000 and len(report["runs"]) == 3
    assert all(set(run) == {"crossing", "inside", "search", "names"} for run in report["runs"])


@pytest.mark.parametrize("way", ["ALiBi", "relative bias"])
def test_the_race_of_positions_has_the_best_rate_for_each_number_of_steps(way):
    for steps, found in room.experiment("extrapolation")["tasks"]["latest even"][way].items():
        best = min(found["loss by rate"], key=found["loss by rate"].get)
        assert len(found["loss by rate"]) == 4 and f"{found['rate']:g}" == best, steps
        for runs in (found["right by rate"][best], found["right by rate"]["0.01"]):
            assert {len(seeds) for seeds in runs} == {3}


def test_each_score_rule_has_the_best_rate_for_each_number_of_steps():
    for name, by_steps in room.experiment("contest")["contestants"].items():
        for steps, found in by_steps.items():
            means = {rate: sum(runs) for rate, runs in found["by rate"].items()}
            assert len(means) == 5 and f"{found['rate']:g}" == max(means, key=means.get), (name, steps)
            assert len(found["seeds"]) == 5


@pytest.mark.parametrize("steps", ["300", "1200"])
def test_every_score_rule_stays_where_the_lesson_shows_it(steps):
    found = {name: by_steps[steps]["seeds"] for name, by_steps in room.experiment("contest")["contestants"].items()}
    assert max(found["rule 1 per key"] + found["rule 1 to all places"]) < 20
    assert min(found["rule 2"] + found["additive"]) > 98
    assert all(85 < one < 95 for one in found["bilinear"])
