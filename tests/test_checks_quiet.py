"""A check changes nothing of the learner's: one test goes through every exercise of every bank."""

import copy
import random
import sys
import warnings

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib import pyplot
from test_exercises import BANKED, EVERY

from course_utils.checks import Exercise
from course_utils.checks.bank import bank
from course_utils.checks.compare import equal
from course_utils.checks.keeping import nothing_moves


def state():
    """Everything that a check might move, in a form that can be compared."""
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),
        "torch": torch.get_rng_state().tolist(),
        "default dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "warnings": list(warnings.filters),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "settings": {name: str(value) for name, value in matplotlib.rcParams.items()},
        "figures": (pyplot.get_fignums(), pyplot.gcf().number),
    }


@pytest.mark.parametrize(("lesson", "key"), EVERY)
def test_nothing_of_the_learners_changes(lesson, key):
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    pyplot.figure(41), pyplot.figure(40)
    exercise = bank(lesson)[key]
    answers = [*BANKED[lesson].RIGHT[key], *(one for some in BANKED[lesson].WRONG[key].values() for one in some)]
    answers = answers[:1] + answers[-2:]
    before = state()
    for answer in answers:
        given = None if isinstance(exercise, Exercise) else copy.deepcopy(answer)
        exercise.examine(answer, torch.Generator().manual_seed(5))
        assert given is None or equal(given, answer, 0.0) or repr(given) == repr(answer)
        after = state()
        assert {name for name in before if before[name] != after[name]} == set()
    pyplot.close("all")


def meddles(x):
    random.random(), np.random.rand(), torch.rand(1)
    torch.set_default_dtype(torch.float64)
    warnings.simplefilter("ignore")
    matplotlib.rcParams["figure.dpi"] = 17
    pyplot.figure()
    sys.stdout = sys.stderr
    torch.set_grad_enabled(False)
    return 2 * x.float()


def test_an_answer_that_meddles_is_cleared_up_after():
    exercise = Exercise(
        "9.1", "double", oracle=lambda x: 2 * x, inputs=lambda g: [(torch.randn(3, generator=g),)], mistakes=[]
    )
    pyplot.figure(7)
    before = state()
    assert exercise.examine(meddles, torch.Generator().manual_seed(1)).state == "passed"
    assert state() == before
    pyplot.close("all")


def test_a_module_that_is_given_keeps_its_mode_and_its_numbers():
    module = torch.nn.BatchNorm1d(3)
    exercise = Exercise(
        "9.2", "norm", oracle=lambda x: x, inputs=lambda g: [(torch.randn(5, 3, generator=g),)], mistakes=[]
    )
    before = copy.deepcopy(module.state_dict())
    exercise.examine(module, torch.Generator().manual_seed(1))
    assert module.training and equal(before, module.state_dict(), 0.0)


def test_what_is_kept_is_kept_after_an_error_too():
    pyplot.figure(7)
    before = state()
    with pytest.raises(KeyError), nothing_moves():
        torch.rand(3)
        {}["lost"]
    assert state() == before
    pyplot.close("all")


def test_in_jupyter_the_kernel_outlives_an_exit(monkeypatch):
    class Shell:
        def ask_exit(self):
            raise AssertionError("the kernel ends")

    shell = Shell()
    monkeypatch.setitem(sys.modules, "IPython", type("IPython", (), {"get_ipython": staticmethod(lambda: shell)}))
    with pytest.raises(SystemExit), nothing_moves():
        shell.ask_exit()
    with pytest.raises(AssertionError, match="the kernel ends"):
        shell.ask_exit()


def test_what_an_answer_prints_is_not_repeated_for_the_explanation(capsys):
    exercise = Exercise(
        "9.3", "double", oracle=lambda x: 2 * x, inputs=lambda g: [(torch.randn(3, generator=g),)] * 2, mistakes=[]
    )
    assert exercise.examine(lambda x: print("seen") or x.sin(), torch.Generator().manual_seed(1)).state == "wrong"
    assert capsys.readouterr().out == "seen\nseen\n"
