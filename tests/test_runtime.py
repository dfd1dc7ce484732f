"""runtime: numbers that print alike everywhere, and the first line of every notebook."""

import re
import subprocess
import sys

import hypothesis.strategies as st
import matplotlib.pyplot as plt
import pytest
import torch
from hypothesis import given

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


@pytest.mark.parametrize("seed", [-1, 1.5, "0"])
def test_start_names_a_bad_seed(seed):
    with pytest.raises(ValueError, match="^seed: got"):
        start(seed)


def test_importing_the_package_loads_nothing_heavy():
    code = "import course_utils, sys; assert not {'torch', 'numpy', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
