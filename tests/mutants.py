"""Mutants: right answers changed mechanically, one step of their syntax tree at a time.

A mutant is a function or a class made from the text of a right answer of tests/variants. What it does is compared with
the oracle of its exercise on fresh draws; nothing of the bank's own mistakes goes into it. A check looks for a wrong
step by changing single steps too, so the changes named in FOREIGN are of kinds that it does not try: they show what is
said where that search cannot help.
"""

import ast
import contextlib
import copy
import inspect
import itertools
import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from course_utils.checks import Exercise
from course_utils.checks.compare import same
from course_utils.checks.limits import TimeUp, within

DRAWS = 20
NUMBERS = itertools.count(1)
SECONDS = 3.0  # of one mutant: some never end
OWN = (  # kinds of verdict that say more than a number
    "form", "property", "relation", "probe", "cases", "entries", "nan", "changed", "misfit", "culprit", "slip", "shape",
)  # fmt: skip
FOREIGN = ("a line left out", "a line twice", "another variable", "without a loop's first", "softened")
SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt,
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
NAMES = {
    "mT": None, "T": None, "softmax": "sigmoid", "tril": "triu", "triu": "tril", "argmax": "argmin", "max": "min",
    "sum": "mean", "mean": "sum", "sqrt": "abs", "exp": "abs", "masked_fill": "masked_fill_",
    "repeat_interleave": "repeat", "sub": "sub_", "add": "add_",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A changed answer, and what was changed."""

    key: str
    what: str
    answer: Any
    single: bool = True  # one change, not a pair


def source_of(answer: Any) -> ast.AST | None:
    """The syntax tree of a right answer: a function, a class, or a lambda that stands alone on its line."""
    try:
        if getattr(answer, "__name__", "") != "<lambda>":
            return ast.parse(inspect.cleandoc("\n" + inspect.getsource(answer))).body[0]
        tree = ast.parse(inspect.getsource(sys.modules[answer.__module__]))
    except (OSError, TypeError, SyntaxError, KeyError):
        return None
    line = answer.__code__.co_firstlineno
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda) and node.lineno == line]
    return found[0] if len(found) == 1 else None


def compiled(tree: ast.AST, answer: Any) -> Any:
    """A syntax tree as a function or a class, in the module of the answer that it was made from."""
    scope = dict(vars(sys.modules[answer.__module__]))
    file = f"<mutant {next(NUMBERS)}>"
    text = ast.unparse(tree) + "\n"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # a learner's line is known too
    tree = ast.parse(text, mode="eval").body if isinstance(tree, ast.Lambda) else ast.parse(text).body[0]
    if isinstance(tree, ast.Lambda):
        return eval(compile(ast.fix_missing_locations(ast.Expression(tree)), file, "eval"), scope)
    exec(compile(ast.fix_missing_locations(ast.Module([tree], [])), file, "exec"), scope)
    return scope[tree.name]


def changes(tree: ast.AST) -> list[tuple[str, Callable[[ast.AST], None]]]:
    """All single changes of a tree: what each does, and a function that makes it in a copy of the tree."""
    nodes = list(ast.walk(tree))
    variables = sorted({node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)})
    found: list[tuple[str, Callable]] = []
    for place, node in enumerate(nodes):
        for what, change in itertools.chain(_of_node(node), _foreign(node, variables)):
            found.append((f"{what} in line {getattr(node, 'lineno', 0)}", _at(place, change)))
    return found


def _foreign(node: ast.AST, variables: list[str]) -> Iterator[tuple[str, Callable]]:
    """Changes of the kinds in FOREIGN, which no check tries itself."""
    if isinstance(node, ast.AugAssign | ast.Expr) or (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)
    ):
        yield "a line left out", lambda n, t: _statement(t, n, [ast.Pass()])
        yield "a line twice", lambda n, t: _statement(t, n, [n, copy.deepcopy(n)])
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in variables:
        after = variables[(variables.index(node.id) + 1) % len(variables)]
        if after != node.id:
            yield "another variable", lambda n, t: setattr(n, "id", after)
    if isinstance(node, ast.For):
        yield "without a loop's first", lambda n, t: setattr(n, "iter", _called("list", n.iter, slice_from=1))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield "softened", lambda n, t: setattr(n, "left", ast.parse(f"({ast.unparse(n.left)}).tanh()").body[0].value)


def _called(name: str, argument: ast.expr, slice_from: int) -> ast.expr:
    return ast.parse(f"{name}({ast.unparse(argument)})[{slice_from}:]").body[0].value  # type: ignore[attr-defined]


def _statement(tree: ast.AST, old: ast.AST, new: list[ast.AST]) -> None:
    for parent in ast.walk(tree):
        for value in (value for _, value in ast.iter_fields(parent) if isinstance(value, list)):
            if any(item is old for item in value):
                place = [item is old for item in value].index(True)
                value[place : place + 1] = new
                return


def _at(place: int, change: Callable) -> Callable[[ast.AST], None]:
    return lambda tree: change(list(ast.walk(tree))[place], tree)


def _of_node(node: ast.AST) -> Iterator[tuple[str, Callable]]:
    if isinstance(node, ast.BinOp | ast.Compare | ast.BoolOp):
        operators = node.ops if isinstance(node, ast.Compare) else [node.op]
        for number, operator in enumerate(operators):
            if swap := SWAPS.get(type(operator)):
                yield f"{type(operator).__name__} becomes {swap.__name__}", _operator(number, swap)
    if isinstance(node, ast.BinOp):
        yield f"the left of {ast.unparse(node)} alone", lambda n, t: _replace(t, n, n.left)
        yield f"the right of {ast.unparse(node)} alone", lambda n, t: _replace(t, n, n.right)
        if not isinstance(node.op, ast.Add | ast.Mult):
            yield f"{ast.unparse(node)} with sides swapped", _sides
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Invert | ast.Not):
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            yield f"another constant for {ast.unparse(node)}", lambda n, t: _constant(n.operand, 1)
        yield f"{ast.unparse(node)} without its sign", lambda n, t: _replace(t, n, n.operand)
    if isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        if isinstance(node.value, bool):
            yield f"{node.value} turned", lambda n, t: setattr(n, "value", not n.value)
        else:
            yield f"{node.value} and one more", lambda n, t: _constant(n, 1)
            yield f"{node.value} and one less", lambda n, t: _constant(n, -1)
    if isinstance(node, ast.Call):
        yield from _of_call(node)
    if isinstance(node, ast.Attribute) and node.attr in ("mT", "T"):
        yield f"no .{node.attr}", lambda n, t: _replace(t, n, n.value)
    if isinstance(node, ast.Return) and node.value is not None:
        yield "no return", lambda n, t: setattr(n, "value", None)
        if isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
            yield "results swapped", lambda n, t: n.value.elts.reverse()
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
        yield "right sides swapped", lambda n, t: n.value.elts.reverse()


def _of_call(node: ast.Call) -> Iterator[tuple[str, Callable]]:
    text = ast.unparse(node)[:60]
    for one, two in itertools.pairwise(range(len(node.args))):
        yield f"arguments {one} and {two} of {text} swapped", _arguments(one, two)
    for number, word in enumerate(node.keywords):
        if word.arg:
            yield f"{text} without {word.arg}", lambda n, t, number=number: n.keywords.pop(number)
    if isinstance(node.func, ast.Attribute):
        other = NAMES.get(node.func.attr)
        if other:
            yield f"{other} for {node.func.attr}", lambda n, t, other=other: setattr(n.func, "attr", other)
        if not isinstance(node.func.value, ast.Name) or node.func.value.id not in ("torch", "F", "math", "nn", "np"):
            yield f"{text} without the step", lambda n, t: _replace(t, n, n.func.value)
        elif node.args:
            yield f"{text} without the step", lambda n, t: _replace(t, n, n.args[0])


def _operator(number: int, swap: type) -> Callable:
    def change(node: Any, tree: ast.AST) -> None:
        if isinstance(node, ast.Compare):
            node.ops[number] = swap()
        else:
            node.op = swap()

    return change


def _sides(node: Any, tree: ast.AST) -> None:
    node.left, node.right = node.right, node.left


def _arguments(one: int, two: int) -> Callable:
    def change(node: Any, tree: ast.AST) -> None:
        node.args[one], node.args[two] = node.args[two], node.args[one]

    return change


def _constant(node: Any, step: int) -> None:
    node.value = node.value + step


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(item is old for item in value):
                value[[item is old for item in value].index(True)] = new


def mutants_of(key: str, answer: Any, pairs: int = 0, dice: Any = None) -> Iterator[Mutant]:
    """All single mutants of a right answer, and so many pairs of changes, drawn by the dice."""
    tree = source_of(answer)
    if tree is None:
        return
    single = changes(tree)
    twice = list(itertools.combinations(single, 2))
    drawn = dice.sample(twice, min(pairs, len(twice))) if pairs else []
    texts = {ast.unparse(tree)}
    for chosen in [*((one,) for one in single), *drawn]:
        changed = copy.deepcopy(tree)
        with contextlib.suppress(Exception):  # two changes may be at odds
            for _, change in chosen:
                change(changed)
            text = ast.unparse(changed)
            if text not in texts:
                texts.add(text)
                what = f"{getattr(answer, '__name__', 'answer')}: " + " and ".join(what for what, _ in chosen)
                node = ast.parse(text, mode="eval").body if isinstance(tree, ast.Lambda) else ast.parse(text).body[0]
                yield Mutant(key, what, compiled(node, answer), single=len(chosen) == 1)


class Slow(Exception):
    """A mutant that does not end."""


def agree(exercise: Exercise, one: Any, two: Any, one_adapted: bool = True, two_adapted: bool = True) -> bool:
    """Whether two answers do the same on twenty fresh draws. Raises Slow for one that does not end."""

    def compare() -> bool:
        for seed in range(DRAWS):
            generator = torch.Generator().manual_seed(1000 + seed)
            cases = exercise.inputs(generator)
            first = exercise.outcomes(one, cases, seed, one_adapted)
            second = exercise.outcomes(two, cases, seed, two_adapted)
            if not all(same(a, b, exercise.tolerance) for a, b in zip(first, second, strict=True)):
                return False
        return True

    try:
        return within(compare, SECONDS * DRAWS)
    except TimeUp as late:
        raise Slow from late


def right(exercise: Exercise, answer: Any) -> bool:
    """Whether an answer does what the oracle does, on twenty fresh draws."""
    return agree(exercise, answer, exercise.oracle, two_adapted=False)


def fate(exercise: Exercise, mutant: Mutant, seed: int = 1) -> tuple[str, Any]:
    """What becomes of a mutant: "equivalent", "passed", "false", "named", "unnamed" or "endless", and the verdict."""
    verdict = exercise.examine(mutant.answer, torch.Generator().manual_seed(seed))
    if "had not ended" in verdict.message:
        return "endless", verdict
    if verdict.state == "passed":
        return ("equivalent" if right(exercise, mutant.answer) else "passed"), verdict
    if verdict.kind == "mistake":
        known = next(one for one in exercise.mistakes if one.name == verdict.mistake)
        return ("named" if _true(exercise, mutant.answer, known.answer) else "false"), verdict
    if verdict.kind == "culprit" and not right(exercise, verdict.evidence):
        return "false", verdict
    if verdict.kind == "slip" and not _true(exercise, mutant.answer, verdict.evidence):
        return "false", verdict
    own = verdict.kind in OWN
    return ("named" if own or verdict.state == "not yet" else "unnamed"), verdict


def _true(exercise: Exercise, answer: Any, known: Any) -> bool:
    """Whether a named mistake does what the answer does, on every one of twenty fresh draws."""
    for seed in range(DRAWS):
        cases = exercise.inputs(torch.Generator().manual_seed(2000 + seed))
        found, mistake = exercise.outcomes(answer, cases, seed), exercise.outcomes(known, cases, seed)
        truth = exercise.outcomes(exercise.oracle, cases, seed, adapted=False)
        if not exercise.behaves_as(mistake, found, truth):
            return False
    return True
