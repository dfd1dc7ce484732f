"""The reference of course_utils, from the docstrings; read from the files, nothing is imported."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from installation import ROOT

from website.markdown import outside_code

PACKAGE = "course_utils"
LEFT_OUT = re.compile(r"checks/bank/lesson_|__main__")  # what a learner should not read before the exercise


def rooms(root: Path = ROOT) -> dict[str, list[Path]]:
    """The entries at the top of the package, with their files."""
    found: dict[str, list[Path]] = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        inside = path.relative_to(root / PACKAGE).as_posix()
        if inside != "__init__.py" and not LEFT_OUT.search(inside):
            found.setdefault(inside.split("/")[0].removesuffix(".py"), []).append(path)
    return found


def floor_plan(root: Path = ROOT) -> dict[str, str]:
    """What course_utils/__init__.py says about each of its rooms."""
    text = ast.get_docstring(ast.parse((root / PACKAGE / "__init__.py").read_text("utf-8"))) or ""
    found = re.findall(r"^    (\w+)  +(.+(?:\n {8,}.+)*)", text, re.MULTILINE)
    return {name: " ".join(words.split()) for name, words in found}


def front(root: Path = ROOT) -> str:
    """The first page of the reference."""
    said = floor_plan(root)
    rows = "\n".join(f"| [{name}]({name}.md) | {said.get(name, '')} |" for name in rooms(root))
    tree = "\n".join(rooms(root))
    return (
        "# Reference: course_utils\n\n"
        "The package behind the lessons, room by room. Tensors are named as in the lessons, "
        'axes are `(batch, heads, query, key)`, and a mask is boolean: True means "may attend".\n\n'
        f"| room | what it holds |\n|---|---|\n{rows}\n\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n"
    )


def room(name: str, root: Path = ROOT) -> str:
    """The page of one room: its floor plan, then each file with its public functions and classes."""
    made = []
    for path in sorted(rooms(root)[name], key=lambda path: (path.name != "__init__.py", path)):
        tree = ast.parse(path.read_text("utf-8"))
        parts = path.relative_to(root).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        said = _markdown(ast.get_docstring(tree) or "")
        made.append(f"# {name}\n" if not made else f"## {module.removeprefix(f'{PACKAGE}.')}\n")
        made.append(f"```{{py:module}} {module}\n```\n\n{said}\n")
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and not _form(node):
                made.append(_entry(node))
    return "\n".join(made)


def _entry(node: ast.FunctionDef | ast.ClassDef) -> str:
    said = _markdown(ast.get_docstring(node) or "")
    if isinstance(node, ast.FunctionDef):
        return f"````{{py:function}} {_signature(node)}\n\n{said}\n````\n"
    begin = next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
    head = _signature(begin, method=True).replace("__init__", node.name, 1).split(" -> ")[0] if begin else node.name
    methods = [
        f"````{{py:method}} {_signature(one, method=True)}\n\n{_markdown(ast.get_docstring(one) or '')}\n````\n"
        for one in node.body
        if isinstance(one, ast.FunctionDef) and not one.name.startswith("_") and ast.get_docstring(one)
    ]
    return f"`````{{py:class}} {head}\n\n{said}\n\n" + "\n".join(methods) + "`````\n"


def _form(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether this is only one of the forms of a function that follows."""
    return any(ast.unparse(one) == "overload" for one in node.decorator_list)


def _signature(node: ast.FunctionDef, method: bool = False) -> str:
    bare = ast.parse(ast.unparse(node.args).join(["def f(", "): ..."])).body[0].args
    if method and not any(ast.unparse(one) == "staticmethod" for one in node.decorator_list):
        (bare.posonlyargs or bare.args).pop(0)
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(bare)}){returns}"


def _markdown(docstring: str) -> str:
    """A docstring as Markdown: signs that mean something there are made plain."""
    return outside_code(docstring, lambda text: re.sub(r"(?<!\\)([<$*_\[\]{}])", r"\\\1", text))
