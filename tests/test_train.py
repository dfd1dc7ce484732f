"""Long runs: killed at any moment they go on as if nothing had happened, and they say plainly what they refuse."""

import io
import itertools
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict

import matplotlib.pyplot as plt
import pytest
import torch
from installation import ROOT
from patience import PATIENCE

from course_utils import plots
from course_utils.models.seq2seq import token_loss
from course_utils.train import loop
from course_utils.train.bars import RunBar
from course_utils.train.checkpoint import Checkpoints, load_model, stored_settings
from course_utils.train.command import main
from course_utils.train.distributed import Team
from course_utils.train.evaluation import answers, grade
from course_utils.train.loop import Training
from course_utils.train.picture import draw_alignment
from course_utils.train.reports import load_report, origin, table
from course_utils.train.settings import ATTENTIONS, recipe
from course_utils.train.tasks import Question, load_task, make_model

TINY = ["--size", "8", "--embedding", "4", "--batch-tokens", "60", "--precision", "float32", "--threads", "1"]


@pytest.fixture(scope="session")
def dictionary(tmp_path_factory):
    """A small pronouncing dictionary, in which each letter has one sound."""
    draw = random.Random(0)
    words = {"".join(draw.choices("abcdefgh", k=draw.randint(2, 9))) for _ in range(400)} | {"a" * 20, "b" * 13}
    path = tmp_path_factory.mktemp("data") / "dictionary.txt"
    path.write_text("".join(f"{word} {' '.join(word.upper())}\n" for word in sorted(words)))
    return path


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", "0")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def command(dictionary, out, *more):
    return ["g2p", "--path", str(dictionary), "--out", str(out), *TINY, *more]


def start(arguments, module=("-m", "course_utils.train")):
    call = [sys.executable, *module, *arguments]
    return subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def weights(folder):
    return torch.load(folder / "weights.pt")["model"]


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def wait_for(condition, process):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.01)


HANDLERS = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}


def stop_after(steps, arguments, number=signal.SIGTERM):
    """Runs a command in this process and sends it a signal after some steps of training."""
    from course_utils.train import run

    entered, looks = run.asked_to_stop, itertools.count()

    @contextmanager
    def entering():
        with entered() as asked:

            def look():
                if next(looks) == steps:
                    signal.raise_signal(number)
                return asked()

            yield look

    before = signal.signal(number, HANDLERS[number])  # nohup, a background job or CI may have it ignored
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run, "asked_to_stop", entering)
            assert main(arguments) == 130
        assert signal.getsignal(number) == HANDLERS[number]
    finally:
        signal.signal(number, before)


class Clock:
    """A clock for the loop: a hundredth of a second passes whenever it is read, and what a test adds."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        self.now += 0.01
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """The loop's time; measuring on held-out data takes a minute of it."""
    clock, mean_loss = Clock(), loop.mean_loss

    def slow(*given):
        clock.now += 60
        return mean_loss(*given)

    monkeypatch.setattr(loop, "perf_counter", clock)
    monkeypatch.setattr(loop, "mean_loss", slow)
    return clock


@pytest.fixture
def no_picture(monkeypatch):
    """Pictures take seconds; one test looks at one."""
    monkeypatch.setattr("course_utils.train.picture.draw_file", lambda report, file: file.write(b"a picture"))


@pytest.fixture(scope="session")
def finished(dictionary, tmp_path_factory):
    """A run that nobody interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    os.environ["ATTENTION_COURSE_PROGRESS"] = "0"
    assert main(command(dictionary, folder, "--steps", "150")) == 0
    return folder


# ---- killed, stopped, and gone on ----


@pytest.mark.thorough
def test_a_run_killed_at_random_moments_ends_as_if_it_had_not_been(dictionary, finished, tmp_path):
    draw, out = random.Random(), tmp_path / "run"  # other moments in every test run
    arguments = command(dictionary, out, "--steps", "150", "--save-every", "0", "--resume")
    steps = []
    for _ in range(2):
        process = start(arguments)
        known = {path.name for path in out.glob("checkpoint-*.pt")}
        wait_for(lambda known=known: {path.name for path in out.glob("checkpoint-*.pt")} - known, process)
        time.sleep(draw.uniform(0, 0.2))
        process.kill()  # SIGKILL: nothing can be put in order
        process.communicate()
        if (out / "report.json").exists():  # a fast machine was done before
            break
        steps.append(Checkpoints(out).load()[0]["training"]["place"]["step"])
    assert steps == sorted(steps)
    said, problem = start(arguments).communicate(timeout=PATIENCE)
    assert "goes on at step" in said or "is finished" in said, problem
    assert same(weights(out), weights(finished))
    one, two = load_report(out), load_report(finished)
    for name in ("metrics", "by_length", "examples", "steps", "parameters"):
        assert one[name] == two[name], name
    assert one["history"]["dev"] == two["history"]["dev"] and one["history"]["train"] == two["history"]["train"]
    assert not list(out.glob("checkpoint-*")) and not list(out.glob("*.partial"))


@pytest.mark.parametrize("number", HANDLERS)
def test_a_run_asked_to_stop_saves_at_once_and_time_out_of_it_does_not_count(
    dictionary, tmp_path, number, capsys, no_picture, clock
):
    arguments = command(dictionary, tmp_path, "--minutes", "0.03")
    stop_after(10, arguments, number)
    place = Checkpoints(tmp_path).load()[0]["training"]["place"]
    assert place["step"] == 10 and 0.1 <= place["elapsed"] < 1
    assert "stopped at step 10; to go on" in capsys.readouterr().err
    clock.now += 3600
    assert main([*arguments, "--resume"]) == 0
    report = load_report(tmp_path)
    assert report["seconds"] == 1.8 and report["steps"] > 10
    seconds = report["history"]["seconds"]
    assert seconds == sorted(seconds) and seconds[-1] == pytest.approx(1.8, abs=0.03)


def test_only_what_is_left_of_the_minutes_is_trained_after_a_stop(dictionary, clock):
    settings = recipe("g2p", path=str(dictionary), minutes=0.05, size=8, batch_tokens=60, precision="float32")
    task = load_task(settings)
    training = Training(make_model(settings, task), settings, task, torch.device("cpu"), Team())
    training.reached.elapsed = 2.9  # of 3 seconds
    assert training.run(lambda state: None, lambda: False, RunBar("", shown=False))
    assert 1 <= training.reached.step <= 10 and 2.9 < training.reached.elapsed <= 3.02


def child(code, *arguments):
    """Runs code in a process of its own, in which the code itself says what a signal does."""
    code = "import signal, sys\nfrom course_utils.train.run import asked_to_stop\n" + code
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("number", HANDLERS)
def test_the_first_signal_is_a_wish_and_the_second_one_ends_the_process(number):
    done = child(
        "number = int(sys.argv[1])\n"
        "signal.signal(number, signal.SIG_DFL)\n"
        "with asked_to_stop() as asked:\n"
        "    print(asked())\n"
        "    signal.raise_signal(number)\n"
        "    print(asked(), flush=True)\n"
        "    signal.raise_signal(number)\n"
        "    print('never')\n",
        str(int(number)),
    )
    assert done.stdout.split() == ["False", "True"] and done.returncode != 0 and not done.stderr


def test_handlers_are_put_back_and_a_signal_that_is_ignored_stays_ignored():
    done = child(
        "mine = lambda *_: None\n"
        "signal.signal(signal.SIGTERM, mine)\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "with asked_to_stop() as asked:\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    print(asked(), signal.getsignal(signal.SIGTERM) is mine)\n"
        "print(signal.getsignal(signal.SIGTERM) is mine, signal.getsignal(signal.SIGINT) == signal.SIG_IGN)\n"
    )
    assert done.stdout.split() == ["False", "False", "True", "True"], done.stderr


def test_resume_needs_nothing_but_the_folder_and_refuses_other_settings(dictionary, tmp_path, capsys):
    arguments = command(dictionary, tmp_path, "--steps", "100000", "--rate", "0.002")
    stop_after(10, arguments)
    assert stored_settings(tmp_path).rate == 0.002
    assert main(arguments) == 2 and "--resume, or --force" in capsys.readouterr().err
    base = ["g2p", "--out", str(tmp_path), "--resume"]
    for other, name in [
        (["--rate", "0.01"], "rate: got 0.01, expected 0.002"),
        (["--attention", "dot"], "attention: got 'dot', expected 'additive'"),
        (["--minutes", "1"], "minutes: got 1.0, expected None"),
        (["--seed", "4"], "seed: got 4, expected 0"),
    ]:
        assert main([*base, *other]) == 2
        assert name in capsys.readouterr().err
    assert main(["dates", *base[1:]]) == 2 and "task: got 'dates', expected 'g2p'" in capsys.readouterr().err
    before = Checkpoints(tmp_path).load()[0]["training"]["place"]["step"]
    stop_after(10, base)
    assert Checkpoints(tmp_path).load()[0]["training"]["place"]["step"] == before + 10


def test_a_damaged_checkpoint_costs_a_few_steps_and_changes_nothing(dictionary, finished, tmp_path, capsys, no_picture):
    arguments = command(dictionary, tmp_path, "--steps", "150", "--save-every", "0", "--resume")
    stop_after(40, arguments)
    damage(Checkpoints(tmp_path).found()[0], "truncated")
    assert main(arguments) == 0
    assert "is damaged; taking the one before it" in capsys.readouterr().out
    assert same(weights(tmp_path), weights(finished))


def test_a_run_of_another_version_is_not_gone_on_with(tmp_path, capsys):
    Checkpoints(tmp_path).save({"settings": asdict(recipe("g2p")) | {"colour": 1}, "training": {}}, 1)
    assert main(["g2p", "--out", str(tmp_path), "--resume"]) == 2
    assert "colour: got a run that another version of the course began, expected" in capsys.readouterr().err


# ---- what is there already ----


def test_a_finished_run_is_never_overwritten_unasked(dictionary, finished, capsys):
    before = (finished / "report.json").read_bytes()
    again = command(dictionary, finished, "--steps", "150")
    assert main(again) == 2
    assert "--force" in capsys.readouterr().err and (finished / "report.json").read_bytes() == before
    assert main([*again, "--resume"]) == 0 and "this run is finished" in capsys.readouterr().out


def test_force_begins_again(dictionary, tmp_path, no_picture):
    arguments = command(dictionary, tmp_path, "--steps", "3")
    assert main(arguments) == 0 and main([*arguments, "--force"]) == 0
    assert load_report(tmp_path)["steps"] == 3


# ---- checkpoints ----


def damage(path, how):
    content = bytearray(path.read_bytes())
    if how == "truncated":
        content = content[: len(content) // 2]
    elif how == "a flipped bit":
        content[len(content) // 2] ^= 1
    elif how == "empty":
        content = b""
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["truncated", "a flipped bit", "empty"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, how):
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 20, 300):
        checkpoints.save({"weights": torch.full((1000,), float(step))}, step)
    assert [path.name for path in checkpoints.found()] == ["checkpoint-000000300.pt", "checkpoint-000000020.pt"]
    damage(checkpoints.found()[0], how)
    state, said = checkpoints.load()
    assert state["weights"][0] == 20 and said == ["checkpoint-000000300.pt is damaged; taking the one before it"]
    damage(checkpoints.found()[1], how)
    with pytest.raises(ValueError, match="all damaged, expected a whole one; begin again with --force"):
        checkpoints.load()


def test_no_checkpoint_is_no_error(tmp_path):
    assert Checkpoints(tmp_path).load() == (None, []) and stored_settings(tmp_path) is None


# ---- the report ----


def test_a_report_says_what_was_done_and_what_came_out(finished):
    report = load_report(finished)
    assert report == load_report(finished / "report.json")
    assert report["command"].startswith("python -m course_utils.train g2p --path")
    assert report["settings"]["size"] == 8 and report["steps"] == 150 and report["settings"]["seed"] == 0
    assert {"processor", "cores", "threads", "torch", "device", "precision"} <= set(report["machine"])
    history = report["history"]
    assert len({len(values) for values in history.values()}) == 1 and len(history["dev"]) == 21
    assert history["step"][-1] == 150 and history["dev"][-1] < history["dev"][0]
    for way in ("greedy", "beam 5"):
        assert report["metrics"]["test"][way]["PER"] >= 0 and 0 <= report["metrics"]["test"][way]["WER"] <= 100
        rows = report["by_length"]["rows"][way]
        whole = sum(count * wrong for _, _, count, wrong in rows) / sum(count for _, _, count, _ in rows)
        assert whole == pytest.approx(report["metrics"]["test"][way]["WER"])
    for example in report["examples"]:
        assert len(example["weights"]) == len(example["target"])
        assert all(len(row) == len(example["source"]) for row in example["weights"])
    assert (finished / "report.png").read_bytes().startswith(b"\x89PNG")
    assert "seed 0" in origin(report) and report["command"] in origin(report)
    assert "beam 5" in table(report)


def test_what_is_no_report_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="where no report is, expected"):
        load_report(tmp_path)
    path = tmp_path / "report.json"
    path.write_text('{"settings":')
    with pytest.raises(ValueError, match="which is not JSON"):
        load_report(path)
    path.write_text(json.dumps({"settings": {}}))
    with pytest.raises(ValueError, match="which lacks by_length, command"):
        load_report(path)


def test_every_kind_of_alignment_is_drawn():
    for source, target in [
        (["la", "voiture"], ["the", "car"]),
        (list("knight"), ["N", "AY", "T"]),
        (list("5 يونيو"), "06"),
    ]:
        ax = plots.row(1)[0]
        draw_alignment(
            {"source": source, "target": target, "weights": [[1 / len(source)] * len(source)] * len(target)}, ax
        )
        assert len(ax.get_yticklabels()) == len(target)
        plt.close(ax.figure)


def test_answers_are_graded_against_all_references():
    def grades(task, *answers_and_references):
        found, references = zip(*answers_and_references, strict=True)
        return grade(task, found, [Question("", wanted, 1) for wanted in references])

    dates = grades("dates", (tuple("2026-11-21"), ("2026-11-21",)), (tuple("2026-11-22"), ("2026-11-21",)))
    assert dates == {"exact match": 50, "wrong dates": 50}
    sounds = grades("g2p", (("R", "EH", "D"), (("R", "IY", "D"), ("R", "EH", "D"))), (("AY", "T"), (("N", "AY", "T"),)))
    assert sounds == {"WER": 50, "PER": pytest.approx(100 / 6)}
    words = ("it", "is", "a", "white", "house", ".")
    french = grades("translation", (words, (("that's", "a", "house", "."), words)))
    assert french["BLEU"] == pytest.approx(100) and "tok:13a" in french["signature"]


@pytest.mark.parametrize("watched", [True, False])
def test_people_see_a_bar_and_log_files_get_a_line_now_and_then(monkeypatch, watched):
    class Screen(io.StringIO):
        def isatty(self):
            return watched

    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", "1")
    monkeypatch.setattr("course_utils.train.bars.EVERY", 0.0)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # a plugin of the tests has loaded it
    monkeypatch.setattr(sys, "stdout", screen := Screen())
    with RunBar("g2p, dot") as shown:
        shown.show(0.25, 1.5, 12345.6, 75)
    text = screen.getvalue()
    assert "g2p, dot" in text and "25" in text and "loss 1.500, 12,346 tokens/s, 1:15 left" in text
    assert ("\r" in text) == watched
    RunBar("another process", shown=False).show(0.5, 1.0, 1.0, 1.0)
    assert screen.getvalue() == text


# ---- settings ----


@pytest.mark.parametrize("name", ATTENTIONS)
def test_every_attention_and_cell_learns_in_both_precisions(dictionary, name):
    for precision, cell in (("float32", "lstm"), ("bfloat16", "gru")):
        changes = {"attention": name, "precision": precision, "cell": cell, "size": 8, "embedding": 8, "tied": True}
        settings = recipe("g2p", path=str(dictionary), steps=12, batch_tokens=60, rate=0.01, **changes)
        task = load_task(settings)
        training = Training(make_model(settings, task), settings, task, torch.device("cpu"), Team())
        assert training.run(lambda state: None, lambda: False, RunBar("", shown=False))
        assert training.history["dev"][-1] < training.history["dev"][0] and training.reached.step == 12
        assert {weight.dtype for weight in training.weights} == {torch.float32}
        assert all(weight.grad is not None for weight in training.weights)


def test_a_subset_is_the_first_pairs_and_makes_the_vocabulary(dictionary):
    whole, part = (load_task(recipe("g2p", path=str(dictionary), subset=subset)) for subset in (None, 3))
    assert part.train == whole.train[:3] and part.tests == whole.tests
    assert set(part.sources.entries) == {letter for pair in part.train for letter in pair.source}


def test_a_loss_gone_wrong_ends_the_run_with_the_remedy_and_is_never_kept(dictionary, tmp_path, capsys, monkeypatch):
    def wrong(model, batch, smoothing=0.0):
        total, tokens = token_loss(model, batch, smoothing)
        return total * (math.nan if model.training and training["step"] > 5 else 1), tokens

    class Watched(Training):
        def _step(self, *given):
            training["step"] = self.reached.step
            super()._step(*given)

    training = {"step": 0}
    monkeypatch.setattr(loop, "loss_of", lambda settings: wrong)
    monkeypatch.setattr("course_utils.train.run.Training", Watched)
    assert main(command(dictionary, tmp_path, "--steps", "400", "--save-every", "0")) == 2
    assert "loss: became nan before step" in (problem := capsys.readouterr().err) and "--rate" in problem
    assert Checkpoints(tmp_path).load()[0]["training"]["place"]["step"] <= 6


def test_the_model_of_a_finished_run_answers_as_the_report_says(finished, tmp_path):
    model, task = load_model(finished)
    assert not model.training
    for example in load_report(finished)["examples"]:
        word = "".join(example["source"])
        assert answers(model, [word], task.sources, task.targets, torch.device("cpu")) == [tuple(example["target"])]
    with pytest.raises(FileNotFoundError, match="expected the folder of a finished run"):
        load_model(tmp_path)
