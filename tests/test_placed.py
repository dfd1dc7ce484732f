"""The table of positions: the script trains every way alike, and the stored report is whole."""

import sys
from pathlib import Path

import pytest
import torch

from course_utils.models.places import Embedded
from course_utils.train.reports import experiments as room
from course_utils.train.settings import recipe
from course_utils.train.tasks import load_task

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import placed


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    words = ["un", "chat", "noir", "dort", "ici", "et", "la"]
    lines = [f"{one} {two} {three}.\t{three} {two} {one}." for one in words for two in words for three in words]
    lines += [f"{one} is long.\t{' '.join([one] * 18)}." for one in words]
    path = tmp_path_factory.mktemp("data") / "sentences.txt"
    path.write_text("\n".join(lines))
    return path


def test_a_way_is_trained_and_measured_on_both_tests(sentences):
    settings = recipe(
        "translation", model="transformer", path=str(sentences), steps=3, size=16, heads=2, hidden=16, layers=1,
        positions="alibi", at_least=1, precision="float32",
    )  # fmt: skip
    task = load_task(settings)
    found = placed.measure(settings, task, 3)
    assert found["steps"] == 3 and len(found["history"]["dev"]) > 1 and found["parameters"] > 0
    assert len(task.tests) == 2
    for test in task.tests:
        assert set(found[test]) == {"greedy", "beam 5"} and all(0 <= value <= 100 for value in found[test].values())


def test_shifted_places_are_those_of_a_random_start_and_only_in_training():
    torch.manual_seed(0)
    embedded, tokens = Embedded(9, 8), torch.tensor([[1, 2, 3]])
    starts = [embedded(tokens, start) for start in range(4)]
    embedded.__class__, embedded.most = placed.Shifted, 3
    found = [embedded(tokens) for _ in range(60)]
    seen = {next(place for place, one in enumerate(starts) if torch.equal(one, x)) for x in found}
    assert seen == {0, 1, 2, 3}
    embedded.eval()
    assert torch.equal(embedded(tokens), starts[0]) and torch.equal(embedded(tokens, 2), starts[2])


def test_the_stored_report_has_every_way_with_the_recipe_of_today():
    report = room.experiment("placed")
    assert list(report["ways"]) == placed.WAYS
    minutes = report["settings"]["minutes"]
    today = recipe("translation", model="transformer", minutes=minutes, clock="cpu", seed=placed.SEED)
    assert report["settings"] == {name: getattr(today, name) for name in report["settings"]}
    for found in report["ways"].values():
        assert found["history"]["seconds"][-1] == pytest.approx(60 * minutes, abs=1)
        assert set(found) >= {"test", "18 to 20 tokens", "steps", "parameters"}
    assert set(report["shifted"]) >= {"most", "way", "test", "18 to 20 tokens", "steps", "parameters"}
    assert report["shifted"]["parameters"] == report["ways"][report["shifted"]["way"]]["parameters"]
