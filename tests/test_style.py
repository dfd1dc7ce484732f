"""The code is clean, formatted, typed and documented where others call it."""

import ast
import subprocess
import sys

import pytest
from editions import ROOT

ROOMS = sorted((ROOT / "course_utils").rglob("*.py"))


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_ruff_is_content(command):
    done = subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def public(path):
    """The functions and classes that others call, and the methods of these classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                methods = (inner for inner in node.body if isinstance(inner, ast.FunctionDef))
                yield from (inner for inner in methods if not inner.name.startswith("_"))


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_rooms_are_small_and_say_what_they_are(path):
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "a room says in its first line what it is for"
    if path.parent.name != "exercises":  # a bank is a list: it grows with its lesson
        assert len(text.splitlines()) <= 220


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_public_functions_have_a_sentence_and_types(path):
    if path.parent.name == "exercises":  # wrong answers on purpose, each one explained by its sentence of help
        pytest.skip("the bank")
    for node in public(path):
        if isinstance(node, ast.ClassDef) or node.name != "forward":
            assert ast.get_docstring(node), f"{node.name} has no docstring"
        if isinstance(node, ast.FunctionDef):
            assert node.returns is not None, f"{node.name} does not say what it returns"
