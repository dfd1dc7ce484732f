"""`python course.py new`: a lesson that builds and passes from its first minute, and nobody's files are overwritten."""

import os
import shutil
import subprocess
import sys

import pytest
from installation import ROOT, Stop
from new_lesson import HOMES, new_lesson
from patience import NBVAL

STEM = "98_clocks"


@pytest.fixture
def house(tmp_path):
    for home in HOMES.values():
        (tmp_path / home).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "lessons" / "04_masks.md").write_text("# Masks\n", "utf-8")
    return tmp_path


def test_five_files_are_made_with_their_number_in_place(house):
    made = new_lesson(STEM, house)
    assert len(made) == 5 and all(path.is_file() for path in made)
    for path in made:
        text = path.read_text("utf-8")
        for word in ("STEM", "NUMBER", "KEY", "TIME"):
            assert word not in text, f"{path.name} still says {word}"
    assert 'check("98.1", weights)' in (house / f"lessons/{STEM}_exercises.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("stem", "said"),
    [
        ("clocks", "no name for a lesson"),
        ("98-clocks", "no name for a lesson"),
        ("98_clocks_exercises", "no name for a lesson"),
        ("../98_clocks", "no name for a lesson"),
        ("04_clocks", "Lesson 04 is there already: 04_masks.md"),
    ],
)
def test_a_name_that_cannot_be_is_refused(house, stem, said):
    with pytest.raises(Stop, match=said):
        new_lesson(stem, house)


@pytest.mark.parametrize("home", HOMES.values())
def test_a_file_that_exists_is_left_alone_and_nothing_else_is_written(house, home):
    mine = house / home.format(stem=STEM, number="98")
    mine.write_text("mine", "utf-8")
    before = sorted(house.rglob("*"))
    with pytest.raises(Stop, match="already"):
        new_lesson(STEM, house)
    assert mine.read_text("utf-8") == "mine" and sorted(house.rglob("*")) == before


@pytest.mark.thorough
def test_a_new_lesson_builds_and_passes(tmp_path):
    """In a copy of the project: made, built, and held against the tests that hold every lesson."""
    house = tmp_path / "house"
    written = ("notebooks", "exercises", "solutions", "figures", "reference")
    for name in ("lessons", "course_utils", "tools", "tests", *written):
        shutil.copytree(ROOT / name, house / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, house / path.name)
    variables = {**os.environ, "PYTHONPATH": str(house), "OMP_NUM_THREADS": "1"}

    def run(*command):
        done = subprocess.run(
            [sys.executable, *command], cwd=house, env=variables, capture_output=True, text=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    code = f"import sys; sys.path.insert(0, 'tools'); from new_lesson import new_lesson; new_lesson({STEM!r})"
    run("-c", code)
    run("tools/build.py", STEM)
    tests = ["tests/test_exercises.py", "tests/test_notebooks.py", "tests/test_editions.py"]
    passed = run("-m", "pytest", *tests, "-q", "-k", "98", "-p", "no:cacheprovider")
    assert int(passed.rsplit(" passed", 1)[0].split()[-1]) >= 20
    for folder in ("notebooks", "solutions"):
        run("-m", "pytest", *NBVAL, f"{folder}/{STEM}.ipynb", "-q", "-p", "no:cacheprovider")
