"""Messages of errors have one grammar, `name: got this, expected that`, wherever the package refuses something."""

import ast
import re

import pytest
from installation import ROOT

PACKAGE = ROOT / "course_utils"
GRAMMAR = re.compile(r"[^\s:][^:]*: got .+, expected .+", re.DOTALL)
REFUSALS = {"ValueError", "FileNotFoundError"}  # others, such as RuntimeError, say what failed and what to do
FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if "checks" not in path.parts
)  # checks speak to learners, in words
EXCEPTIONS: dict[str, str] = {}  # the beginning of a message: why it is not in the grammar


def text(node):
    """A message as it stands in the code; what is put in when it runs becomes …"""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text, node.values))
    return "…"


def refusals(source):
    """Every message with which a program refuses something, and its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in REFUSALS:
            yield node.lineno, text(node.exc.args[0]) if node.exc.args else ""
        elif isinstance(node, ast.Raise) and node.exc is not None and ast.unparse(node.exc) in REFUSALS:
            yield node.lineno, ""


def test_every_refusal_says_the_name_what_it_got_and_what_it_expected():
    found = [
        (f"{path.relative_to(ROOT)}:{line}", said)
        for path in FILES
        for line, said in refusals(path.read_text(encoding="utf-8"))
    ]
    assert len(found) > 100, "the reader of the syntax trees finds too little"
    wrong = [(where, said) for where, said in found if not GRAMMAR.fullmatch(said)]
    assert [one for one in wrong if not one[1].startswith(tuple(EXCEPTIONS))] == []
    unused = [start for start in EXCEPTIONS if not any(said.startswith(start) for _, said in wrong)]
    assert unused == [], "exceptions that nobody needs any more"


@pytest.mark.parametrize(
    ("source", "right"),
    [
        ('raise ValueError(f"size: got {size}, expected at least 1")', True),
        (
            'if x:\n    raise ValueError(\n        f"{name}: got {x!r}, "\n        f"expected {y}"\n    ) from error',
            True,
        ),
        ('raise FileNotFoundError("path: got x, where no file is, expected one")', True),
        ('raise ValueError(f"size: given {size}; expected at least 1")', False),
        ('raise ValueError("size: got 0")', False),
        ('raise ValueError("got 0, expected 1")', False),
        ("raise ValueError(message)", False),
        ("raise ValueError()", False),
        ("raise ValueError", False),
    ],
)
def test_the_reader_tells_right_from_wrong(source, right):
    ((_, said),) = refusals(source)
    assert bool(GRAMMAR.fullmatch(said)) is right
