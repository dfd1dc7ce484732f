"""Quoting: shows code of the package in a lesson, so that it has one home and the learner still reads and edits it."""

import ast
import importlib
import inspect
import re
import sys
import textwrap
import tokenize
from collections.abc import Collection
from types import ModuleType

OPENING, CLOSING = set("([{"), set(")]}")


class QuoteError(ValueError):
    """A quote cell that cannot be resolved."""


def quoted(source: str) -> str:
    """Turns `from course_utils.room import thing, other` into the source of these things.

    Raises QuoteError when the cell holds anything but such imports, or when a name does not exist.
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise QuoteError(f"a quote cell must hold imports only, got {source!r}") from error
    shown = []
    for statement in statements:
        if not isinstance(statement, ast.ImportFrom) or not (statement.module or "").startswith("course_utils."):
            raise QuoteError(f"a quote cell must hold `from course_utils.room import thing`, got {source!r}")
        room = importlib.import_module(statement.module)
        for name in (alias.name for alias in statement.names):
            if not inspect.isfunction(thing := getattr(room, name, None)) and not inspect.isclass(thing):
                raise QuoteError(f"{statement.module} has no function or class {name!r}")
            shown.append(shorten(inspect.getsource(thing), guards(sys.modules[thing.__module__])))
    return "\n\n\n".join(shown)


def guards(room: ModuleType) -> set[str]:
    """The names in a room that do nothing but raise: what comes from a room `guards`, and functions of its own.

    A function is a guard when it returns nothing and each of its statements, branches and loops included, ends in a
    `raise` or in a call of another guard.
    """
    functions = {name: thing for name, thing in vars(room).items() if inspect.isfunction(thing)}
    found = {name for name, function in functions.items() if function.__module__.endswith(".guards")}
    own = {name: function for name, function in functions.items() if function.__module__ == room.__name__}
    while True:
        more = {name for name in own.keys() - found if _only_raises(inspect.getsource(own[name]), found)}
        if not more:
            return found
        found |= more


def _only_raises(source: str, known: set[str]) -> bool:
    body = ast.parse(textwrap.dedent(source)).body[0].body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):  # a docstring
        body = body[1:]
    return bool(body) and all(_raises(statement, known) for statement in body)


def _raises(node: ast.stmt, known: set[str]) -> bool:
    if isinstance(node, ast.If | ast.For):
        return all(_raises(inner, known) for inner in (*node.body, *node.orelse))
    return isinstance(node, ast.Raise) or _called(node) in known


def _called(node: ast.stmt) -> str | None:
    """The name of the function that a statement calls, where it does nothing else."""
    called = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    return called.id if isinstance(called, ast.Name) else None


def shorten(source: str, guarding: Collection[str] = ()) -> str:
    """Drops type hints, guards, and all of a docstring but its first sentence and its line of shapes.

    A guard is a call of a function named in `guarding`, or an `if` that does nothing but raise: the package meets bad
    input with a clear error; a lesson shows the mechanism.
    """
    source = textwrap.dedent(source).rstrip()
    lines = source.split("\n")
    edits: list[tuple[int, int, list[str]]] = []  # first line, last line, what stands there instead
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            edits.append(_signature(node, lines))
            edits += [(guard.lineno, guard.end_lineno, []) for guard in node.body if _is_guard(guard, guarding)]
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            edits.append(_docstring(node))
    for first, last, instead in sorted(edits, reverse=True):
        lines[first - 1 : last] = instead
    return "\n".join(lines)


def _is_guard(node: ast.stmt, guarding: Collection[str]) -> bool:
    if isinstance(node, ast.If):
        return not node.orelse and all(isinstance(inner, ast.Raise) for inner in node.body)
    return _called(node) in guarding


def _signature(node: ast.FunctionDef, lines: list[str]) -> tuple[int, int, list[str]]:
    """The `def` line without type hints; comments inside a signature and behind it are lost."""
    plain = node.args
    for argument in [*plain.posonlyargs, *plain.args, *plain.kwonlyargs, plain.vararg, plain.kwarg]:
        if argument is not None:
            argument.annotation = None
    return node.lineno, _colon(lines, node.lineno), [f"{' ' * node.col_offset}def {node.name}({ast.unparse(plain)}):"]


def _colon(lines: list[str], first: int) -> int:
    """The line of the colon that ends the signature beginning at a line; a remark may follow it."""
    depth = 0
    for token in tokenize.generate_tokens(iter([f"{line}\n" for line in lines[first - 1 :]]).__next__):
        depth += (token.string in OPENING) - (token.string in CLOSING)
        if token.string == ":" and depth == 0:
            return first - 1 + token.start[0]
    raise QuoteError(f"no colon ends the signature {lines[first - 1]!r}")


def _docstring(node: ast.FunctionDef | ast.ClassDef) -> tuple[int, int, list[str]]:
    text = ast.get_docstring(node)
    margin = " " * (node.col_offset + 4)
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    first = _sentence(paragraphs[0])
    shapes = [_sentence(part) for part in paragraphs[1:] if part.startswith("Shapes:")]
    where = node.body[0]
    if not shapes:
        return where.lineno, where.end_lineno, [f'{margin}"""{first}"""']
    wrapped = textwrap.wrap(shapes[0], 110 - len(margin))
    lines = [f'{margin}"""{first}', "", *(margin + line for line in wrapped), f'{margin}"""']
    return where.lineno, where.end_lineno, lines


def _sentence(paragraph: str) -> str:
    """The first sentence; the period of an abbreviation such as "et al. 2015" does not end it."""
    return re.split(r"(?<!al)(?<!e\.g)(?<!i\.e)\. ", paragraph)[0].rstrip(".") + "."
