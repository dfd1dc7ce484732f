"""The committed notebooks: nothing out of date, nothing unexecuted, honest numbers, cells that can be read."""

import ast
import json
import re
import statistics
import tomllib

import nbformat
import pytest
from build import check, drift, faults
from editions import EXECUTED, ROOT, editions, stems

NAMES = [f"{folder}/{stem}" for stem in stems() for folder in editions(stem)]
RUN = [name for name in NAMES if name.split("/")[0] in EXECUTED]
MASKED = re.compile(re.search(r"regex: (.*)", (ROOT / "tests/nbval_sanitize.cfg").read_text(encoding="utf-8")).group(1))


def read(name):
    return nbformat.read(ROOT / f"{name}.ipynb", as_version=4)


def code(name):
    """The code cells that people wrote for this notebook: neither quoted from the package nor the set-up for Colab."""
    skipped = {"quote", "set-up"}
    return [
        cell
        for cell in read(name).cells
        if cell.cell_type == "code" and not skipped & set(cell.metadata.get("tags", []))
    ]


def text(cell):
    """The text that a cell stores, as nbval compares it."""
    parts = [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    parts += [output.get("data", {}).get("text/html", "") for output in cell.outputs]
    return "".join(parts)


def test_nothing_is_out_of_date():
    problems = check()
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", NAMES)
def test_a_hand_edited_notebook_is_caught(name, tmp_path):
    folder, stem = name.split("/")
    notebook = read(name)
    notebook.cells[1].source += "\nedited by hand"
    path = tmp_path / folder / f"{stem}.ipynb"
    path.parent.mkdir()
    nbformat.write(notebook, path)
    assert f"the cell {notebook.cells[1].id!r} is not what the manuscript gives" in drift(path, editions(stem)[folder])


@pytest.mark.parametrize("name", RUN[:1])
def test_faults_are_caught(name, tmp_path):
    notebook = read(name)
    notebook.metadata["widgets"] = {}
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.execution_count = None
    path = tmp_path / name.split("/")[0] / "x.ipynb"
    path.parent.mkdir()
    nbformat.write(notebook, path)
    found = "\n".join(faults(path))
    assert "stores widgets" in found and f"the cell {first.id!r} has not been run" in found


def test_an_answer_left_in_an_exercise_is_caught(tmp_path):
    notebook = read("solutions/00_start")
    path = tmp_path / "exercises" / "00_start.ipynb"
    path.parent.mkdir()
    nbformat.write(notebook, path)
    assert any("an answer is left" in line for line in faults(path))


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_readable_unique_and_valid(name):
    notebook = json.loads((ROOT / f"{name}.ipynb").read_text(encoding="utf-8"))
    nbformat.validate(nbformat.from_dict(notebook))
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,64}", one) for one in ids)


@pytest.mark.parametrize("name", RUN)
def test_a_cell_that_prints_an_approximate_number_asserts_its_range(name):
    for cell in code(name):
        if "≈" in text(cell) or "approx(" in cell.source:
            assert any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell.source))), cell.id


@pytest.mark.parametrize("name", RUN)
def test_a_number_of_seconds_or_a_trained_number_is_never_printed_bare(name):
    for cell in code(name):
        timed = "perf_counter" in cell.source or "Timer(" in cell.source
        if timed and text(cell):
            assert "≈" in text(cell), f"{cell.id} times something and prints it without ≈"


def test_text_is_really_compared_in_more_than_95_of_100_cells_with_text():
    with_text = compared = 0
    for name in RUN:
        for cell in code(name):
            shown = re.sub(r"<Figure size [^>]*>", "", text(cell)).strip()
            if not shown:
                continue
            with_text += 1
            rest = re.sub(r"[\s|%·:;,.()-]", "", MASKED.sub("", shown))
            ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])
            compared += bool(rest) and not ignored
    assert with_text > 20
    assert compared / with_text > 0.95, f"only {compared} of {with_text}"


@pytest.mark.parametrize("name", RUN)
def test_outputs_name_no_machine_and_hold_no_warning(name):
    for cell in code(name):
        assert not any(output.get("name") == "stderr" for output in cell.outputs), f"{cell.id} writes to stderr"
        shown = text(cell)
        for word in ("/home/", "/root/", "/tmp/", "site-packages", "Warning", "cuda", " at 0x", "-0.000 ", "−0.000"):
            assert word not in shown, f"{cell.id} prints {word!r}"


@pytest.mark.parametrize("name", RUN)
def test_cells_are_short_enough_to_read(name):
    # Blank lines take no reading: they are not counted.
    lengths = sorted(sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in code(name))
    assert lengths[-1] <= 25, f"the longest cell has {lengths[-1]} lines"
    if name.startswith("notebooks/"):
        assert statistics.median(lengths) <= 8
        assert lengths[int(0.9 * (len(lengths) - 1))] <= 15


@pytest.mark.parametrize("stem", stems())
def test_a_lesson_has_its_form(stem):
    lesson = (ROOT / "lessons" / f"{stem}.md").read_text(encoding="utf-8")
    assert lesson.startswith("# ")
    parts = [
        "\nYou will ", "you will be able to", "**Time:**", "**Predict.**", "\n## What to remember", "\n## Exercises",
        f"](../exercises/{stem}.ipynb)", "\n## Sources", "shop", "start(seed=0)",
    ]  # fmt: skip
    for part in parts:
        assert part in lesson, f"lessons/{stem}.md lacks {part!r}"


def test_every_settled_claim_points_to_a_cell_that_asserts():
    claims = tomllib.loads((ROOT / "lessons/claims.toml").read_text(encoding="utf-8"))["claim"]
    assert len({claim["name"] for claim in claims}) == len(claims) >= 20
    for claim in claims:
        assert claim["verdict"] in {"right", "half", "wrong"} and claim["words"] and claim["instead"], claim
        if "source" in claim:  # told, not computed: by a paper that the lesson names
            text = (ROOT / f"lessons/{claim['lesson']}.md").read_text(encoding="utf-8")
            assert claim["source"] in text.partition("\n## Sources\n")[2] and "cell" not in claim, claim["name"]
            continue
        cells = {cell.id: cell for cell in code(f"notebooks/{claim['lesson']}")}
        assert claim["cell"] in cells, f"{claim['name']}: {claim['lesson']} has no cell {claim['cell']!r}"
        assert "assert" in cells[claim["cell"]].source, f"{claim['name']}: its cell asserts nothing"
