"""runtime: numbers that print alike everywhere, and the first line of every notebook."""

import os
import re
import subprocess
import sys
import warnings

import hypothesis.strategies as st
import matplotlib.pyplot as plt
import pytest
import torch
from hypothesis import given

from course_utils import runtime
from course_utils.printing import approx, tidy
from course_utils.runtime import start


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_tidy_rounds_and_never_gives_minus_zero(value, digits):
    for found in (tidy(value, digits), tidy(torch.tensor([value], dtype=torch.float64), digits).item()):
        assert abs(found - value) <= 0.5 * 10**-digits * (1 + 1e-6) + 1e-9
        assert not str(found).startswith("-0.0") or found != 0


@given(st.floats(-999, 999), st.sampled_from(["", "%", "s", "MB"]))
def test_what_follows_the_sign_is_one_number_of_a_fixed_width(value, unit):
    shown = approx(value, unit)
    assert re.fullmatch(r"≈ *-?\d+\.\d" + (f" {unit}" if unit else ""), shown)
    assert len(shown) == len(approx(0.0, unit))


def test_start_seeds_and_honours_the_chosen_device(monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_DEVICE", "cpu")
    assert start(3) == torch.device("cpu")
    first = torch.rand(3)
    start(3)
    assert torch.equal(torch.rand(3), first)
    assert plt.rcParams["figure.constrained_layout.use"]


@pytest.fixture
def card(monkeypatch):
    """A graphics card that PyTorch calls available; the function says what its first kernel does."""
    monkeypatch.delenv("ATTENTION_COURSE_DEVICE", raising=False)
    monkeypatch.delenv("ATTENTION_COURSE_PROGRESS", raising=False)
    ones = torch.ones

    def available():
        warnings.warn("Found GPU0 GeForce GTX 1080 which is of compute capability (CC) 6.1.", stacklevel=2)
        return True

    def behave(first_kernel):
        monkeypatch.setattr(torch.cuda, "is_available", available)
        monkeypatch.setattr(torch, "ones", lambda *size, device: first_kernel(ones(*size)))

    return behave


def no_kernel(ones):
    raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors might")


def test_a_card_that_computes_is_used(card, capfd):
    card(lambda ones: ones)
    assert runtime.device() == torch.device("cuda") and capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("first_kernel", "words"), [(no_kernel, "no kernel image is available"), (lambda ones: 2 * ones, "gives 8.0")]
)
def test_a_card_older_than_the_kernels_is_left_for_the_cpu_with_one_line(card, capfd, first_kernel, words):
    card(first_kernel)
    assert start(0) == torch.device("cpu")
    out, err = capfd.readouterr()
    assert out == "" and words in err and err.endswith("going on with the CPU.\n") and err.count("\n") == 1


def test_where_outputs_are_compared_it_says_nothing(card, capfd, monkeypatch):
    card(no_kernel)
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", "0")
    assert runtime.device() == torch.device("cpu") and capfd.readouterr() == ("", "")


def test_a_device_that_is_asked_for_is_not_tried(card, monkeypatch):
    card(no_kernel)
    monkeypatch.setenv("ATTENTION_COURSE_DEVICE", "cuda:1")
    assert runtime.device() == torch.device("cuda:1")
    monkeypatch.setenv("ATTENTION_COURSE_DEVICE", "gpu")
    with pytest.raises(ValueError, match="^ATTENTION_COURSE_DEVICE: got 'gpu', expected"):
        runtime.device()


@pytest.mark.parametrize(
    ("strict", "nbgrader", "expected"),
    [("", "", False), ("1", "", True), ("", "autograde", True), ("", "validate", True), ("0", "autograde", False)],
)
def test_checks_are_strict_where_a_grader_runs_them(monkeypatch, strict, nbgrader, expected):
    monkeypatch.setenv("ATTENTION_COURSE_STRICT", strict)
    monkeypatch.setenv("NBGRADER_EXECUTION", nbgrader)
    assert runtime.strict() is expected


def test_a_toolkit_without_a_card_prints_nothing(tmp_path):
    code = """if True:
        import torch
        torch.cuda._is_compiled, torch.version.cuda = (lambda: True), "13.0"  # as a build with CUDA
        torch._C._cuda_getDeviceCount = lambda: 0  # without a card
        from course_utils.runtime import Timer
        import torch.utils.benchmark
        assert Timer is torch.utils.benchmark.Timer"""
    variables = {**os.environ, "CUDA_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("seed", [-1, 1.5, "0"])
def test_start_names_a_bad_seed(seed):
    with pytest.raises(ValueError, match="^seed: got"):
        start(seed)


def test_importing_the_package_loads_nothing_heavy():
    code = "import course_utils, sys; assert not {'torch', 'numpy', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
