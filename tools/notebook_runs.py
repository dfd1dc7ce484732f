"""How nbval compares notebooks: a plugin of pytest, loaded by conftest.py.

What a notebook writes to stderr, such as a warning of a dependency, fails nothing; it is listed at the end. On another
device than the CPU, numbers are compared as closely as that device computes. ATTENTION_COURSE_NOISE disturbs every
model before its training: what is stored must not depend on it. With ATTENTION_COURSE_SIZES=1 the noise may be so
large that a model learns something else: then cells may fail, and only the sizes of figures are compared.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from functools import partial

import pytest
from nbval.plugin import IPyNbCell, coalesce_streams

SIZE = re.compile(r"<Figure size [^>]*>")
NUMBER = re.compile(r"[-−]?\d+\.?\d*(?:e[-+]?\d+)?")
ABSOLUTE, RELATIVE = 0.003, 0.01  # two units of the third decimal; a GPU's recurrent nets round products to 10 bits
PATIENCE = 60  # seconds for an output that is on its way; nbval's five are too few where others keep the machine busy
DISTURB = """\
import sys as _sys
import torch as _torch
_made = _torch.optim.Optimizer.__init__
def _checked():
    frame = _sys._getframe()
    while frame and not frame.f_globals.get("__name__", "").startswith("course_utils.checks"):
        frame = frame.f_back
    return frame is not None
def _disturbed(optimizer, parameters, *more, **options):
    _made(optimizer, parameters, *more, **options)
    if _checked():  # a check trains a model beside its own, to compare them
        return
    _draw = _torch.Generator().manual_seed(1)  # its own, so that nothing else that is drawn changes
    with _torch.no_grad():
        for _group in optimizer.param_groups:
            for _one in _group["params"]:
                _one.mul_(1 + {noise} * _torch.randn(_one.shape, generator=_draw).to(_one))
_torch.optim.Optimizer.__init__ = _disturbed
"""


def nearly(test: str, reference: str) -> str:
    """The reference, when the text says the same and differs in its numbers by rounding only; else the text."""
    words, others = ("".join(NUMBER.sub("#", text).split()) for text in (test, reference))  # numbers are padded
    if words != others:
        return test
    pairs = zip(NUMBER.findall(test), NUMBER.findall(reference), strict=True)
    numbers = ([float(number.replace("−", "-")) for number in pair] for pair in pairs)
    close = all(math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE) for one, other in numbers)
    return reference if close else test


def compare_nearly(cell: IPyNbCell, test: Sequence, reference: Sequence) -> bool:
    """nbval's comparison, after texts that are nearly those of the reference have been put in their place."""
    for one, other in zip(test, reference, strict=False):
        if one.get("text") and other.get("text"):
            one.text = nearly(one.text, other.text)
        for kind in {"text/plain", "text/html"} & one.get("data", {}).keys() & other.get("data", {}).keys():
            one.data[kind] = nearly(one.data[kind], other.data[kind])
    return IPyNbCell.compare_outputs(cell, test, reference)


def compare_sizes(cell: IPyNbCell, test: Sequence, reference: Sequence) -> bool:
    """Whether figures have the stored sizes; a cell that failed, since its model learned something else, has none."""
    if any(output.output_type == "error" for output in test):
        return True
    found, stored = (
        [SIZE.findall(output.get("data", {}).get("text/plain", "")) for output in one] for one in (test, reference)
    )
    cell.comparison_traceback = [f"sizes of figures depend on what was trained: {found}, stored {stored}"]
    return sum(found, []) == sum(stored, [])


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keeps stderr out of the comparison, makes it less strict on a GPU, and is patient with a busy machine."""
    if isinstance(item, IPyNbCell):
        item.output_timeout = PATIENCE
        if "stderr" not in item.parent.skip_compare:
            item.parent.skip_compare += ("stderr",)
        if os.environ.get("ATTENTION_COURSE_SIZES") == "1":
            item.options["check_exception"] = True  # an error ends the cell, not the test
            item.compare_outputs = partial(compare_sizes, item)
        elif os.environ.get("ATTENTION_COURSE_DEVICE") != "cpu":
            item.compare_outputs = partial(compare_nearly, item)


@pytest.hookimpl(trylast=True)  # the kernel has started by then
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Disturbs what a notebook will train, where that is asked for."""
    noise = os.environ.get("ATTENTION_COURSE_NOISE")
    if noise and isinstance(item, IPyNbCell) and item.cell_num == 0:
        kernel = item.parent.kernel
        asked = kernel.execute_cell_input(DISTURB.format(noise=float(noise)), allow_stdin=False)
        kernel.await_reply(asked, timeout=PATIENCE)
        kernel.await_idle(asked, PATIENCE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Hands on what a cell wrote to stderr, from the process that ran it to the one that reports."""
    report = yield
    if call.when == "call" and isinstance(item, IPyNbCell):
        for output in coalesce_streams(item.test_outputs or []):
            if output.output_type == "stream" and output.name == "stderr":
                report.user_properties.append(("stderr", output.text))
    return report


def pytest_terminal_summary(terminalreporter) -> None:
    """Lists what notebooks wrote to stderr: each text once, with the first cell that wrote it."""
    found: dict[str, list[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == "stderr":
                    found.setdefault(re.sub(r"ipykernel_\d+", "ipykernel", text).strip(), []).append(report.nodeid)
    if found:
        terminalreporter.section("written to stderr by notebooks; compared with nothing")
    for text, cells in found.items():
        more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        terminalreporter.write_line(f"{cells[0]}{more}: {text}")
