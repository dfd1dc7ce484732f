"""Steps that rewrite a node of a syntax tree in place; `changes` says which of them fit where."""

import ast
from collections.abc import Callable
from typing import Any

Step = Callable[[Any, ast.AST], None]  # changes a node of a tree


def setting(field: str, value: Any) -> Step:
    """Sets a field of the node."""
    return lambda node, tree: setattr(node, field, value)


def replaced(new: ast.AST) -> Step:
    """Puts another node in its place."""
    return lambda node, tree: put(tree, node, new)


def calling(field: str, name: str) -> Step:
    """Calls a function of another name."""
    return lambda node, tree: setattr(node.func, field, name)


def transposed(side: str) -> Step:
    """Transposes what stands on one side."""
    return lambda node, tree: setattr(node, side, ast.Attribute(getattr(node, side), "mT", ast.Load()))


def without_keyword(number: int) -> Step:
    """Leaves out one keyword of a call."""
    return lambda node, tree: node.keywords.pop(number)


def operator(number: int, other: type) -> Step:
    """Takes another operator."""

    def change(node: Any, tree: ast.AST) -> None:
        if isinstance(node, ast.Compare):
            node.ops[number] = other()
        else:
            node.op = other()

    return change


def exchanged(place: int) -> Step:
    """Exchanges two neighbouring arguments."""

    def change(node: Any, tree: ast.AST) -> None:
        node.args[place : place + 2] = node.args[place : place + 2][::-1]

    return change


def sides(node: Any, tree: ast.AST) -> None:
    """Exchanges the two sides."""
    node.left, node.right = node.right, node.left


def put(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Puts a node in the place of another."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                value[:] = [new if item is old else item for item in value]
