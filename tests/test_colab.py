"""A rehearsal of Colab: a bare runtime, the wheel, no checkout, no network.

One lesson runs there from top to bottom, and so does what every other lesson and its solutions import; all of them run
whole with --thorough.

The runtime is a virtual environment that sees the packages of this one, except the course, JupyterLab,
and what Colab lacks. What pip may install there lies in a folder of wheels; every other way out is closed.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution, requires
from pathlib import Path

import nbformat
import pytest
from clean_copy import ADDRESS, clean_copy
from editions import editions
from installation import ROOT
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from packaging.requirements import Requirement
from patience import PATIENCE

from course_utils.data.wheels import cache_folder

LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
SOLUTIONS = sorted((ROOT / "solutions").glob("[0-9][0-9]_*.ipynb"))
WHOLE = "05"  # runs whole in every test: it is quick, and shows the explorer
BROUGHT = {"torch", "numpy", "matplotlib", "seaborn", "tqdm", "packaging", "scikit-learn"}  # Colab has these already
SITE = Path(distribution("numpy").locate_file("")).resolve()


def lacking():
    """What the course needs and the runtime lacks: to be installed there by name."""
    needed = {Requirement(text).name for text in requires("attention-course") if ";" not in text}
    return needed - BROUGHT - {"jupyterlab"}


def files_of(name):
    return [file for file in distribution(name).files if ".." not in file.parts and "__pycache__" not in file.parts]


def repack(name, folder):
    """Makes a wheel again from an installed package."""
    label = next(file.parts[0] for file in files_of(name) if file.name == "METADATA").removesuffix(".dist-info")
    with zipfile.ZipFile(folder / f"{label}-py3-none-any.whl", "w") as wheel:
        for file in files_of(name):
            if file.name not in {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}:
                wheel.write(file.locate(), file.as_posix())
        wheel.writestr(f"{label}.dist-info/RECORD", "")


def link(source, target):
    """Makes `target` stand for `source`; where Windows allows no links, a junction or a copy does."""
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:
        if source.is_dir():
            __import__("_winapi").CreateJunction(str(source), str(target))
        else:
            shutil.copy(source, target)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """A folder with the course's wheel, built from a copy so that the checkout stays clean, and those it may need."""
    copy, folder = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheels")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "course_utils", copy / "course_utils", ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "-w", str(folder), str(copy)], check=True)
    for name in lacking():
        repack(name, folder)
    return folder


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The packages that the runtime brings: all of this environment but the course and what Colab lacks."""
    folder = tmp_path_factory.mktemp("packages")
    hidden = {"attention_course", "course_utils", "jupyterlab"}
    hidden |= {file.parts[0] for name in lacking() for file in files_of(name)}
    for source in SITE.iterdir():
        stem = source.name.split("-")[0]
        editable = stem.startswith("__editable__") or source.suffix == ".pth"  # they lead to the checkout
        if not editable and not {source.name, stem} & hidden:
            link(source, folder / source.name)
    return folder


@pytest.fixture
def runtime(tmp_path, packages, wheels, monkeypatch):
    """A fresh runtime: its folder of installed packages. Kernels named `rehearsal` start in it."""
    venv.create(tmp_path / "runtime", with_pip=False)
    inside = tmp_path / "runtime" / ("Scripts" if os.name == "nt" else "bin")
    python = inside / ("python.exe" if os.name == "nt" else "python")
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip())
    (site / "brought.pth").write_text(f"{packages}\n", "utf-8")
    (site / "google" / "colab").mkdir(parents=True)
    (site / "google" / "colab" / "__init__.py").write_text('"""A stub of Colab\'s own module."""\n', "utf-8")
    kernel = tmp_path / "jupyter" / "kernels" / "rehearsal"
    kernel.mkdir(parents=True)
    argv = f'["{python.as_posix()}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (kernel / "kernel.json").write_text(f'{{"argv": {argv}, "display_name": "x", "language": "python"}}', "utf-8")
    for name in list(os.environ):
        if name.startswith(("PIP_", "PYTHON")) and name != "PYTHONUTF8":
            monkeypatch.delenv(name)
    monkeypatch.delenv("ATTENTION_COURSE_PIP", raising=False)
    closed = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    closed |= {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}  # nobody listens there
    calm = {"OMP_NUM_THREADS": "1", "ATTENTION_COURSE_PROGRESS": "0", "JUPYTER_PATH": str(tmp_path / "jupyter")}
    # In Colab the sentences come on first use. Here nothing can come: they lie where the set-up has put them.
    fetched = {"ATTENTION_COURSE_DATA": str(cache_folder())}
    for name, value in {**closed, **calm, **fetched}.items():
        monkeypatch.setenv(name, value)
    return site


def run(notebook, folder, kernel="rehearsal"):
    """Runs a notebook in an empty folder."""
    content = folder / "content"
    content.mkdir()
    client = NotebookClient(
        notebook,
        timeout=PATIENCE,
        startup_timeout=PATIENCE,
        kernel_name=kernel,
        resources={"metadata": {"path": str(content)}},
    )
    client.execute()
    assert not list(content.iterdir()), "a lesson leaves no files behind"


def first_cell():
    """The Colab cell alone."""
    notebook = nbformat.read(LESSONS[0], as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id == "colab"]
    assert len(notebook.cells) == 1
    return notebook


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def imports(path):
    """What a notebook imports after its first cell, in order, and how it starts."""
    lines = []
    for cell in code_cells(path)[1:]:
        parsed = ast.parse(TransformerManager().transform_cell(cell.source))
        lines += [ast.unparse(node) for node in ast.walk(parsed) if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(dict.fromkeys([*lines, "from course_utils.runtime import start", "start(seed=0)"]))


def rehearse(path, others, runtime, wheels, tmp_path, monkeypatch):
    """Runs a lesson, then what others import and the banks of exercises; returns what pip has installed."""
    monkeypatch.setenv("ATTENTION_COURSE_PIP", str(next(wheels.glob("attention_course-*.whl"))))
    notebook = nbformat.read(path, as_version=4)
    asked = {f"imports-{other.parent.name}-{other.stem}".replace("_", "-"): imports(other) for other in others}
    asked["words"] = "from course_utils.checks.bank import bank, lessons\nassert all(map(bank, lessons()))"
    asked["where-is-the-course"] = (
        f"import course_utils; assert course_utils.__file__.startswith(r'{runtime}'), course_utils.__file__"
    )
    notebook.cells += [nbformat.v4.new_code_cell(source, id=name) for name, source in asked.items()]
    run(notebook, tmp_path)
    return {folder.name.split("-")[0].lower().replace("_", "-") for folder in runtime.glob("*.dist-info")}


def test_all_notebooks_begin_with_the_same_cell():
    first = {(cells[0].id, cells[0].source) for cells in map(code_cells, [*LESSONS, *SOLUTIONS])}
    assert len(first) == 1 and first.pop()[0] == "colab"


def test_a_lesson_runs_in_colab_and_so_does_what_the_others_import(runtime, wheels, tmp_path, monkeypatch):
    whole = next(path for path in LESSONS if path.name.startswith(WHOLE))
    others = [path for path in (*LESSONS, *SOLUTIONS) if path != whole]
    installed = rehearse(whole, others, runtime, wheels, tmp_path, monkeypatch)
    assert installed == {"attention-course"} | lacking(), "torch, numpy and what Colab brings are never touched"


@pytest.mark.thorough
@pytest.mark.parametrize("path", [path for path in LESSONS if not path.name.startswith(WHOLE)], ids=lambda p: p.stem)
def test_every_other_lesson_runs_in_colab(path, runtime, wheels, tmp_path, monkeypatch):
    rehearse(path, [], runtime, wheels, tmp_path, monkeypatch)


@pytest.mark.thorough
@pytest.mark.parametrize("folder", ["notebooks", "exercises"])
def test_a_badge_opens_a_notebook_that_fetches_the_course_from_its_address(
    folder, runtime, wheels, tmp_path, monkeypatch
):
    """The address is pretended: git is told to find it in a clean copy of this checkout."""
    if not shutil.which("git"):
        pytest.skip("no git here")
    copy = clean_copy(tmp_path / "clean")
    stem = LESSONS[0].stem
    notebook = editions(stem, copy)[folder]
    link = re.search(r"\]\((https://colab\.research\.google\.com/github/[^)]+)\)", notebook.cells[0].source)[1]
    assert (copy / link.partition("/blob/main/")[2]).is_file()
    assert link.startswith("https://colab.research.google.com/github/owner/name/blob/main/")
    repack("setuptools", wheels)  # pip builds the course there, and needs it
    told = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{copy.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
    }
    for name, value in {**told, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}.items():
        monkeypatch.setenv(name, value)
    notebook.cells = [cell for cell in notebook.cells if cell.id == "colab"]
    notebook.cells.append(nbformat.v4.new_code_cell("from course_utils.checks import check", id="it-is-there"))
    run(notebook, tmp_path)
    assert (runtime / "course_utils" / "checks" / "words").is_dir(), "it was installed from the address, data and all"


def test_without_a_wheel_the_first_cell_says_what_to_do(runtime, tmp_path):
    with pytest.raises(CellExecutionError, match="ATTENTION_COURSE_PIP"):
        run(first_cell(), tmp_path)
    assert not list(runtime.glob("*.dist-info"))


def test_with_a_path_that_leads_nowhere_the_first_cell_names_it(runtime, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_PIP", "no-such.whl")
    with pytest.raises(CellExecutionError, match=r"(?s)no-such\.whl.*Upload its wheel"):
        run(first_cell(), tmp_path)


def test_elsewhere_the_first_cell_does_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_PIP", "no-such.whl")  # it would fail if it tried
    notebook = first_cell()
    run(notebook, tmp_path, kernel="python3")
    assert notebook.cells[0].outputs == []
