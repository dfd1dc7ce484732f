"""The reports that come with the course are whole, say where they come from, and hold what RESULTS.md says."""

from pathlib import Path

import pytest

from course_utils.train import reports
from course_utils.train.evaluation import MAIN
from course_utils.train.settings import recipe


@pytest.mark.parametrize("name", reports.names())
def test_a_stored_report_says_how_it_was_made(name):
    report = reports.stored(name)
    settings = report["settings"]
    assert name == f"{settings['task']}-{recipe(**settings).contestant}-{settings['seed']}"
    assert report["command"].startswith(f"python -m course_utils.train {settings['task']}")
    assert "/" not in report["command"], "no path of the machine where it was made"
    assert report["machine"]["processor"] and report["machine"]["torch"] and report["date"]
    assert report["by_length"]["measure"] == MAIN[settings["task"]]
    for rows in report["by_length"]["rows"].values():
        assert all(low <= high and count > 0 and 0 <= value <= 100 for low, high, count, value in rows)


@pytest.mark.parametrize("name", reports.names())
def test_a_stored_report_was_made_with_the_recipe_of_today(name):
    settings = reports.stored(name)["settings"]
    given = {name: settings[name] for name in ("model", "attention", "clock", "seed")}
    today = recipe(settings["task"], **given)
    assert settings == {key: getattr(today, key) for key in settings}


def test_each_report_has_a_partner_without_attention():
    for name in reports.names():
        settings = reports.stored(name)["settings"]
        if settings["model"] == "recurrent":
            assert f"{settings['task']}-none-{settings['seed']}" in reports.names()


@pytest.mark.parametrize("name", reports.names())
def test_the_results_page_gives_the_same_numbers(name):
    page = (Path(__file__).parent.parent / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    for ways in reports.stored(name)["metrics"].values():
        for metric, value in ways["model" if name.startswith("lm-") else "beam 5"].items():
            if metric in ("WER", "BLEU"):
                assert f"{value:.1f}" in page, f"{name}: {metric} {value:.1f}"
            if metric == "perplexity":
                assert f"{value:.2f}" in page, f"{name}: {metric} {value:.2f}"


def test_an_unknown_name_is_named():
    with pytest.raises(ValueError, match="name: got 'g2p-magic-0', expected one of"):
        reports.stored("g2p-magic-0")
