"""The style of the code is settled by a tool, so that nobody argues about it; rooms are small, typed and documented."""

import ast
import subprocess
import sys

import pytest
from installation import ROOT

ROOMS = sorted((ROOT / "course_utils").rglob("*.py"))


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(command):
    said = subprocess.run([sys.executable, "-m", "ruff", *command, "--quiet"], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, f"run: ruff check --fix; ruff format\n{said.stdout}{said.stderr}"


def public(path):
    """The functions and classes that others call, and the methods of these classes."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if any(isinstance(one, ast.Name) and one.id == "overload" for one in node.decorator_list):
                continue  # types only: what is said and done stands in the definition that follows
            yield node
            if isinstance(node, ast.ClassDef):
                methods = (inner for inner in node.body if isinstance(inner, ast.FunctionDef))
                yield from (inner for inner in methods if not inner.name.startswith("_"))


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_rooms_are_small_and_say_what_they_are(path):
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "a room says in its first line what it is for"
    if path.parent.name != "bank":  # a bank is a list: it grows with its lesson
        assert len(text.splitlines()) <= 220


@pytest.mark.parametrize("path", [room for room in ROOMS if room.parent.name != "bank"], ids=lambda path: path.stem)
def test_public_functions_have_a_sentence_and_types(path):
    for node in public(path):
        if node.name != "forward":  # its sentence and shapes stand in its class
            assert ast.get_docstring(node), f"{node.name} has no docstring"
        if isinstance(node, ast.FunctionDef):
            assert node.returns is not None, f"{node.name} does not say what it returns"
