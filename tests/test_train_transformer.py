"""The command trains Transformers and a language model as it trains the recurrent ones: stopped, resumed, reported."""

import itertools
import random
from contextlib import contextmanager

import pytest
import torch

from course_utils.data.text import Vocabulary
from course_utils.models.language import LanguageModel
from course_utils.models.transformer import Transformer
from course_utils.train import loop, run
from course_utils.train.bars import RunBar
from course_utils.train.checkpoint import load_model
from course_utils.train.command import main
from course_utils.train.distributed import Team
from course_utils.train.evaluation import answers
from course_utils.train.loop import Training
from course_utils.train.picture import draw
from course_utils.train.reports import load_report
from course_utils.train.settings import recipe
from course_utils.train.tasks import load_task, make_model

TINY = ["--size", "16", "--heads", "2", "--hidden", "16", "--layers", "1", "--precision", "float32", "--threads", "1"]
WORDS = ["the", "a", "big", "small", "red", "cat", "dog", "house", "sees", "likes", "takes"]


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", "0")


@pytest.fixture
def no_picture(monkeypatch):
    monkeypatch.setattr("course_utils.train.picture.draw_file", lambda report, file: file.write(b"a picture"))


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory):
    """A small pronouncing dictionary, in which each letter has one sound."""
    draw = random.Random(0)
    words = {"".join(draw.choices("abcdefgh", k=draw.randint(2, 6))) for _ in range(200)}
    path = tmp_path_factory.mktemp("data") / "dictionary.txt"
    path.write_text("".join(f"{word} {' '.join(word.upper())}\n" for word in sorted(words)))
    return path


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """English sentences, a tabulator, and what stands for their French."""
    draw = random.Random(0)
    lines = {" ".join(draw.choices(WORDS, k=draw.randint(3, 7))) for _ in range(300)}
    path = tmp_path_factory.mktemp("data") / "sentences.txt"
    path.write_text("".join(f"{line}.\t{line[::-1]}.\n" for line in sorted(lines)))
    return path


def stop_after(steps, monkeypatch, arguments):
    """Runs a command that is asked to stop after some steps."""
    looks = itertools.count()

    @contextmanager
    def entering():
        yield lambda: next(looks) >= steps

    with monkeypatch.context() as patch:
        patch.setattr(run, "asked_to_stop", entering)
        assert main(arguments) == 130


@pytest.mark.parametrize("task", ["g2p", "lm"])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    task, dictionary, sentences, tmp_path, monkeypatch, no_picture
):
    path = dictionary if task == "g2p" else sentences
    more = ["--positions", "relative", "--norm", "post"] if task == "g2p" else ["--at-least", "1", "--dropout", "0.1"]
    arguments = [task, "--model", "transformer", "--path", str(path), "--steps", "25", "--batch-tokens", "100"]
    arguments += [*TINY, *more, "--out"]
    assert main([*arguments, str(tmp_path / "whole")]) == 0
    stop_after(13, monkeypatch, [*arguments, str(tmp_path / "parts")])
    assert main([task, "--out", str(tmp_path / "parts"), "--resume"]) == 0
    one, two = (load_model(tmp_path / name) for name in ("whole", "parts"))
    weights = two[0].state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in one[0].state_dict().items())
    first, second = (load_report(tmp_path / name) for name in ("whole", "parts"))
    assert first["metrics"] == second["metrics"] and first["examples"] == second["examples"]
    assert first["settings"]["model"] == "transformer" and first["steps"] == 25


def test_a_transformer_learns_and_its_model_answers_as_the_report_says(dictionary, tmp_path, no_picture):
    arguments = ["g2p", "--model", "transformer", "--path", str(dictionary), "--steps", "150", "--rate", "0.01"]
    arguments += [*TINY, "--dropout", "0", "--batch-tokens", "200", "--decoder-layers", "2"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    report = load_report(tmp_path)
    dev = report["history"]["dev"]
    assert dev[-1] < 0.6 * dev[0] and report["metrics"]["test"]["greedy"]["PER"] < 60
    model, task = load_model(tmp_path)
    assert isinstance(model, Transformer) and len(model.encoder.blocks) == 1 and len(model.decoder.blocks) == 2
    found = answers(model, task.shown, task.sources, task.targets, torch.device("cpu"))
    assert [list(one) for one in found] == [example["target"] for example in report["examples"]]
    for example in report["examples"]:
        rows = example["weights"]
        assert len(rows) == len(example["target"]) and {len(row) for row in rows} <= {len(example["source"])}
        assert all(sum(row) == pytest.approx(1, abs=0.01) for row in rows)


def test_a_language_model_learns_and_its_report_holds_counts_beside_it(sentences, tmp_path):
    arguments = ["lm", "--path", str(sentences), "--steps", "60", "--rate", "0.01", "--batch-tokens", "400"]
    assert main([*arguments, *TINY, "--at-least", "1", "--out", str(tmp_path)]) == 0
    report = load_report(tmp_path)
    found = {who: values["perplexity"] for who, values in report["metrics"]["test"].items()}
    assert found["counts of characters"] > found["counts of pairs"] > found["counts of triples"] > 1
    assert found["model"] < found["counts of characters"], "sixty steps teach it something"
    rows = report["by_length"]["rows"]["model"]
    assert sum(count for _, _, count, _ in rows) == sum(1 for _ in load_model(tmp_path)[1].tests["test"])
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    titles = [ax.get_title(loc) for ax in draw(report).axes for loc in ("left", "center")]
    assert "Perplexity by length" in titles and isinstance(load_model(tmp_path)[0], LanguageModel)


def test_texts_of_a_language_model_are_whole_sentences_and_none_of_the_test_is_learned(sentences):
    task = load_task(recipe("lm", path=str(sentences), at_least=1))
    learned = {pair.source for pair in task.train}
    assert all(pair.source == pair.target and pair.source.endswith(".") for pair in task.train)
    assert not learned & {question.source for question in task.tests["test"]}
    assert not learned & {pair.source for pair in task.dev}
    assert isinstance(task.targets, Vocabulary) and set("abc. ") <= set(task.targets.entries)


def test_the_clock_may_be_the_processor_s(dictionary, monkeypatch):
    now = itertools.count()
    monkeypatch.setattr(loop, "process_time", lambda: next(now) * 0.01)
    settings = recipe(
        "g2p", model="transformer", path=str(dictionary), minutes=0.02, clock="cpu", size=16, heads=2, hidden=16,
        batch_tokens=60, precision="float32",
    )  # fmt: skip
    task = load_task(settings)
    training = Training(make_model(settings, task), settings, task, torch.device("cpu"), Team())
    assert training.run(lambda state: None, lambda: False, RunBar("", shown=False))
    assert 1.2 <= training.reached.elapsed <= 1.3, "a second and a fifth of a clock that ticks when it is read"
    assert 10 < training.reached.step < 120


@pytest.mark.parametrize("positions", ["sine", "learned", "rotary", "alibi", "relative", "none"])
def test_every_way_to_tell_positions_takes_a_step_in_both_precisions(positions, dictionary):
    for precision in ("float32", "bfloat16"):
        settings = recipe(
            "g2p", model="transformer", path=str(dictionary), steps=2, size=16, heads=2, hidden=16, layers=1,
            positions=positions, precision=precision,
        )  # fmt: skip
        task = load_task(settings)
        training = Training(make_model(settings, task), settings, task, torch.device("cpu"), Team())
        before = [weight.clone() for weight in training.weights]
        assert training.run(lambda state: None, lambda: False, RunBar("", shown=False))
        assert all(not torch.equal(old, new) for old, new in zip(before, training.weights, strict=True)), positions
