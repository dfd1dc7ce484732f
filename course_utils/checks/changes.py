"""Single changes of an answer's text, one step of its syntax tree at a time, each with the name of what is changed.

A change is the name of a sentence in common.toml, under [step], the values that fill it in, and the line where it is.
Some changes are slips that people make, and some mend one; whether a change does either is for `steps` to find out.
"""

import ast
import copy
import inspect
import itertools
import linecache
import pickle
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from course_utils.checks.rewriting import (
    Step,
    calling,
    exchanged,
    operator,
    put,
    replaced,
    setting,
    sides,
    transposed,
    without_keyword,
)  # fmt: skip

OTHER: dict[type, list[type]] = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div, ast.MatMult], ast.Div: [ast.Mult],
    ast.MatMult: [ast.Mult], ast.FloorDiv: [ast.Div, ast.Mod], ast.Mod: [ast.FloorDiv], ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.LtE], ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq], ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd], ast.And: [ast.Or], ast.Or: [ast.And],
}  # fmt: skip
SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**", ast.FloorDiv: "//",
    ast.Mod: "%", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.BitAnd: "&", ast.BitOr: "|", ast.And: "and", ast.Or: "or", ast.USub: "-", ast.Invert: "~", ast.Not: "not",
}  # fmt: skip
ALIKE = [("softmax", "sigmoid"), ("tril", "triu"), ("argmax", "argmin"), ("max", "min"), ("amax", "amin"),
         ("sum", "mean"), ("sqrt", "abs"), ("exp", "abs"), ("repeat", "repeat_interleave"), ("sin", "cos"),
         ("floor", "ceil"), ("int", "round"), ("log", "log2")]  # fmt: skip
HOMES = ("torch", "F", "math", "nn", "np")  # modules, not tensors whose method is called


@dataclass(frozen=True)
class Change:
    """One changed step: what is said of it, the line where it stands, and the changed text as a syntax tree."""

    name: str
    values: tuple[tuple[str, str], ...]
    line: int
    tree: ast.AST


def tree_of(answer: Any) -> Any:
    """The syntax tree of a function, a class or a lambda, or None where its text is not known.

    Decorators are left out: they would run again with each change, and may keep what they are given.
    """
    try:
        if not isinstance(answer, type) and answer.__name__ != "<lambda>":
            return _bare(ast.parse(textwrap.dedent(inspect.getsource(answer))).body[0])
        if isinstance(answer, type):
            code = next(one.__code__ for one in vars(answer).values() if hasattr(one, "__code__"))
        else:
            code = answer.__code__
        whole = ast.parse("".join(linecache.getlines(code.co_filename)))
    except (OSError, TypeError, SyntaxError, AttributeError, StopIteration):
        return None
    if isinstance(answer, type):
        found = [one for one in ast.walk(whole) if isinstance(one, ast.ClassDef) and one.name == answer.__name__]
        return _bare(found[-1]) if found else None
    line = answer.__code__.co_firstlineno
    alone = [one for one in ast.walk(whole) if isinstance(one, ast.Lambda) and one.lineno == line]
    return alone[0] if len(alone) == 1 else None


def _bare(tree: Any) -> Any:
    tree.decorator_list = []
    return tree


def compiled(tree: Any, answer: Any) -> Any:
    """A changed tree as a function or a class that sees what the answer sees. Raises what its definition raises."""
    scope = dict(getattr(answer, "__globals__", None) or vars(sys.modules[answer.__module__]))
    if not isinstance(answer, type) and answer.__closure__:
        scope |= dict(inspect.getclosurevars(answer).nonlocals)
    if isinstance(tree, ast.Lambda):
        return eval(compile(ast.fix_missing_locations(ast.Expression(tree)), "<changed>", "eval"), scope)
    exec(compile(ast.fix_missing_locations(ast.Module([tree], [])), "<changed>", "exec"), scope)
    return scope[tree.name]


def changes(tree: ast.AST) -> Iterator[Change]:
    """Every single change of a tree; the tree itself is left as it is."""
    arguments, kept = _arguments_of(tree), pickle.dumps(tree)  # much faster than a deep copy
    below_minus = {id(getattr(node, "operand", None)) for node in ast.walk(tree) if _is_negative(node)}
    for place, node in enumerate(ast.walk(tree)):
        if id(node) in below_minus:
            continue
        for name, values, change in _of_node(node, arguments):
            changed = pickle.loads(kept)
            change(next(itertools.islice(ast.walk(changed), place, None)), changed)
            yield Change(name, tuple(values.items()), getattr(node, "lineno", 0), changed)


Found = Iterator[tuple[str, dict[str, str], Step]]


def _of_node(node: Any, arguments: list[str]) -> Found:
    if isinstance(node, ast.BinOp | ast.Compare | ast.BoolOp | ast.AugAssign):
        yield from _of_operators(node)
    if isinstance(node, ast.UnaryOp) and type(node.op) in SIGNS and not _is_negative(node):
        yield "sign", {"sign": SIGNS[type(node.op)]}, lambda n, t: put(t, n, n.operand)
    if _is_negative(node) or (isinstance(node, ast.Constant) and type(node.value) in (int, float, bool)):
        yield from _of_number(node)
    if isinstance(node, ast.Call):
        yield from _of_call(node)
    if isinstance(node, ast.Attribute) and node.attr in ("mT", "T"):
        yield "transposed", {}, lambda n, t: put(t, n, n.value)
    if isinstance(node, ast.Return | ast.Assign) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
        yield "order", {}, lambda n, t: n.value.elts.reverse()
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in arguments:
        for other in arguments:
            if other != node.id:
                yield "argument", {"one": other, "two": node.id}, setting("id", other)
        yield "inverted", {"name": node.id}, lambda n, t: put(t, n, ast.UnaryOp(ast.Invert(), copy.copy(n)))
        yield "negated", {"name": node.id}, lambda n, t: put(t, n, ast.UnaryOp(ast.USub(), copy.copy(n)))


def _of_operators(node: Any) -> Found:
    operators = node.ops if isinstance(node, ast.Compare) else [node.op]
    for number, one in enumerate(operators):
        for other in OTHER.get(type(one), []):
            values = {"one": SIGNS[other], "two": SIGNS[type(one)]}
            yield "operator", values, operator(number, other)
    if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
        sign = {"operator": SIGNS[type(node.op)]}
        if not isinstance(node.op, ast.Add | ast.Mult):
            yield "sides", sign, sides
        yield "alone", sign, lambda n, t: put(t, n, n.left)
        yield "alone", sign, lambda n, t: put(t, n, n.right)
        if isinstance(node.op, ast.MatMult):
            for side in "left", "right":
                yield "not-transposed", {}, transposed(side)


def _of_number(node: Any) -> Found:
    value: Any = node.value if isinstance(node, ast.Constant) else -node.operand.value
    others = [not value] if isinstance(value, bool) else [value + 1, value - 1, *([-value] if value else [])]
    for other in others:
        yield "number", {"one": str(other), "two": str(value)}, replaced(ast.Constant(other))


def _is_negative(node: Any) -> bool:
    """Whether a node is a number with a minus sign, which is two nodes of a tree."""
    operand = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else None
    return isinstance(operand, ast.Constant) and type(operand.value) in (int, float)


def _of_call(node: Any) -> Found:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for one in range(len(node.args) - 1):
        yield "arguments", {"function": name}, exchanged(one)
    for number, word in enumerate(node.keywords):
        if word.arg:
            values = {"function": name, "word": word.arg}
            yield "keyword", values, without_keyword(number)
    for other in [two if one == name else one for one, two in ALIKE if name in (one, two)]:
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield "name", {"one": other, "two": name}, calling(field, other)
    if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") not in (*HOMES, "self"):
        yield "left-out", {"function": name}, lambda n, t: put(t, n, n.func.value)
    elif node.args and not isinstance(node.args[0], ast.Starred):
        yield "left-out", {"function": name}, lambda n, t: put(t, n, n.args[0])


def _arguments_of(tree: ast.AST) -> list[str]:
    return [one.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for one in node.args
            if one.arg != "self"]  # fmt: skip
