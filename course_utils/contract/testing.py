"""The contract as tests of pytest, a test for each clause.

from course_utils.contract.testing import contract

test_my_attention = contract(my_attention, mask="hidden", known={"empty-row-is-0"})
"""

import functools
from collections.abc import Callable, Collection
from typing import Any

import pytest

from course_utils.contract.auditing import audit
from course_utils.contract.clauses import CLAUSES


def contract(attention: Callable | functools.partial, known: Collection[str] = (), **declared: Any) -> Callable:
    """A test function with one test for each clause; what does not apply is skipped, with its reason.

    `attention` and `declared` are those of `audit`. The clauses in `known` are expected to fail: each is reported as
    such, and one that holds after all fails the run, so that the list stays true. The audit runs once, when the first
    test does. Raises ValueError for a clause that is not known.
    """
    names = [clause.name for clause in CLAUSES]
    if strange := set(known) - set(names):
        raise ValueError(f"known: got {', '.join(sorted(strange))}, expected some of {', '.join(names)}")

    @functools.cache
    def report() -> Any:
        return audit(attention, show=False, **declared)

    marked = [pytest.param(name, marks=pytest.mark.xfail(strict=True)) if name in known else name for name in names]

    @pytest.mark.parametrize("clause", marked)
    def test(clause: str) -> None:
        result = report()[clause]
        if result.state.startswith("not"):
            pytest.skip(f"{result.state}: {result.reason}")
        assert result.state == "passed", f"{result.says}\n{result.reason}\nsmallest input: {result.sizes}"

    return test
