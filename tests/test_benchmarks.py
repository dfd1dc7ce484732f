"""The benchmark runs and measures the same thing for all; no time is asserted here, for machines are busy."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import attention as benchmark  # noqa: E402  the folder is no package


@pytest.mark.parametrize("mode", ["forward", "training"])
def test_all_contestants_compute_the_same(mode):
    x = torch.randn(1, 12, benchmark.SIZE)
    entered = benchmark.contestants(torch.device("cpu"))
    with torch.set_grad_enabled(mode == "training"):
        for attention in entered.values():
            benchmark.set_mode(attention, mode)
        outputs = {name: attention(x) for name, attention in entered.items()}
    expected = outputs.pop(benchmark.WITHOUT)
    for name, output in outputs.items():
        torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-4, msg=name)


def test_modules_are_really_switched():
    for attention in benchmark.contestants(torch.device("cpu")).values():
        modules = [cell.cell_contents for cell in attention.__closure__]
        modules = [module for module in modules if isinstance(module, torch.nn.Module)]
        for mode in ("forward", "training"):
            benchmark.set_mode(attention, mode)
            assert modules and all(module.training == (mode == "training") for module in modules)


def test_ratios_compare_like_with_like():
    found = {benchmark.WITHOUT: [2.0, 4.0, 6.0], benchmark.WITH: [10.0, 10.0, 10.0], "ours": [1.0, 1.0, 2.0]}
    assert benchmark.ratio(found, "ours") == 3.0
    assert benchmark.ratio({**found, "ours with weights": [5.0, 10.0, 2.0]}, "ours with weights") == 2.0


@pytest.mark.parametrize("mode", ["forward", "training"])
def test_times_and_memory_are_measured(mode):
    found = benchmark.times(8, mode, 2, torch.device("cpu"))
    assert {len(seconds) for seconds in found.values()} == {2}
    assert all(second > 0 for seconds in found.values() for second in seconds)
    memory = benchmark.extra_memory("ours", 8, mode, torch.device("cpu"))
    assert math.isnan(memory) or memory >= 0


def test_the_command_prints_a_line_for_each():
    command = [sys.executable, BENCHMARKS / "attention.py", "--lengths", "8", "--modes", "forward", "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("forward")]
    assert len(lines) == len(benchmark.contestants(torch.device("cpu")))
