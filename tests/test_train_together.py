"""Several processes train as one would: the same gradients, the same stop, the same run taken up again."""

import random
import signal
import subprocess
import sys
import time

import pytest
import torch
from installation import ROOT
from patience import PATIENCE

from course_utils.data.text import Pair, Vocabulary, collate
from course_utils.train.bars import RunBar
from course_utils.train.checkpoint import Checkpoints, stored_settings
from course_utils.train.command import main
from course_utils.train.distributed import Team
from course_utils.train.loop import Training
from course_utils.train.reports import load_report
from course_utils.train.tasks import load_task, make_model

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no torch.distributed")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
TINY = [
    *("--size", "8", "--embedding", "4", "--batch-tokens", "60", "--steps", "300"),
    *("--precision", "float32", "--threads", "1", "--save-every", "0"),
]
# Nothing hides a wrong scale of the gradients: no dropout, and no clipping.
PLAIN = ["--dropout", "0", "--clip", "1e9", "--smoothing", "0"]


@pytest.fixture
def dictionary(tmp_path):
    """A small pronouncing dictionary; two words have a length of their own, so that one process has no row."""
    draw = random.Random(1)
    words = {"".join(draw.choices("abcdefgh", k=draw.randint(2, 9))) for _ in range(400)} | {"a" * 20, "b" * 13}
    path = tmp_path / "dictionary.txt"
    path.write_text("".join(f"{word} {' '.join(word.upper())}\n" for word in sorted(words)))
    return path


def alone(folder, steps):
    """The state after the same number of steps in one process."""
    settings = stored_settings(folder)
    task = load_task(settings)
    torch.manual_seed(settings.seed)
    training = Training(make_model(settings, task), settings, task, torch.device("cpu"), Team())
    stop = training.run(lambda state: None, lambda: training.reached.step >= steps, RunBar("", shown=False))
    assert stop is False and training.reached.step == steps
    return training.state()


def close(one, other, scale):
    """Whether tensors in two nested states agree, up to rounding that has been through `scale` steps."""
    if isinstance(one, torch.Tensor):
        return torch.allclose(one.float(), other.float(), rtol=1e-4 * scale, atol=1e-6 * scale)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(value, other[key], scale) for key, value in one.items())
    return True


@pytest.mark.thorough
@pytest.mark.parametrize("model", ["recurrent", "transformer"])
def test_two_processes_equal_one_and_are_stopped_and_resumed_together(dictionary, tmp_path, monkeypatch, model):
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", "0")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    arguments = ["-m", "course_utils.train", "g2p", "--path", str(dictionary), "--out", str(tmp_path), *TINY, *PLAIN]
    arguments += ["--model", model]
    pipes = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    for _ in range(5):  # on a busy machine a run may be over before the signal has reached it: then once more
        team = subprocess.Popen([*TORCHRUN, *arguments], **pipes)
        end = time.monotonic() + PATIENCE
        while not list(tmp_path.glob("checkpoint-*.pt")):
            assert team.poll() is None and time.monotonic() < end, team.communicate()
            time.sleep(0.01)
        team.send_signal(signal.SIGTERM)  # torchrun hands it on to both
        said, problem = team.communicate(timeout=PATIENCE)
        if "stopped at step" in problem:
            break
        assert load_report(tmp_path)["steps"] == 300, (said, problem)
        for written in tmp_path.glob("checkpoint-*.pt"):
            written.unlink()
    assert "stopped at step" in problem, (said, problem)

    together = Checkpoints(tmp_path).load()[0]["training"]
    steps = together["place"]["step"]
    one = alone(tmp_path, steps)
    # A key's bias changes no weight: its gradient is rounding alone, which AdamW makes as large as any other.
    idle = [name for name in together["model"] if name.endswith("project_key.bias")]
    assert len(idle) == (6 if model == "transformer" else 0)
    for name in idle:
        del together["model"][name], one["model"][name]
    assert close(together["model"], one["model"], scale=10)
    assert close(together["optimizer"]["state"], one["optimizer"]["state"], scale=10)  # holds means of the gradients
    assert together["place"]["tokens"] == one["place"]["tokens"]

    done = subprocess.run([*TORCHRUN, *arguments, "--resume"], timeout=PATIENCE, **pipes)
    assert done.returncode == 0 and "goes on at step" in done.stdout, done.stderr
    report = load_report(tmp_path)
    assert report["steps"] == 300 and report["machine"]["processes"] == 2
    assert report["command"].startswith("torchrun --nproc-per-node 2 -m course_utils.train g2p")
    assert done.stdout.count("beam 5") == 1  # one of them speaks

    single = tmp_path / "single"
    monkeypatch.setattr("course_utils.train.picture.draw_file", lambda report, file: file.write(b"a picture"))
    assert main([*arguments[2:3], "--path", str(dictionary), "--out", str(single), *arguments[7:]]) == 0
    assert report["history"]["dev"] == pytest.approx(load_report(single)["history"]["dev"], rel=1e-3)
    # Of the interval in which it was stopped, only the first process's losses are kept.
    assert report["history"]["train"] == pytest.approx(load_report(single)["history"]["train"], rel=2e-2)


@pytest.mark.parametrize("rows, size", [(1, 2), (2, 2), (5, 2), (3, 4), (7, 4)])
def test_every_row_of_a_batch_is_counted_once(rows, size):
    letters = Vocabulary(["abcdefg"])
    pairs = [Pair("abcdefg"[row] * 3, "abcdefg"[row]) for row in range(rows)]
    batch = collate(pairs, letters, letters)
    shares = [Team(rank, size).share(batch) for rank in range(size)]
    assert all(len(mine) == len(mine.source) == len(mine.target_out) >= 1 for mine, _ in shares)
    counted = [pair for mine, weight in shares if weight == 1 for pair in mine.pairs]
    assert sorted(counted) == sorted(pairs) and {weight for _, weight in shares} <= {0.0, 1.0}


def test_a_team_of_one_needs_nobody():
    team = Team()
    assert team.leads and team.agree(1.5, True) == (1.5, True) and team.total([1.0]) == [1.0]
