"""Every exercise of every lesson: right answers pass, each known mistake draws exactly its own sentence, and the
exercise notebook as it is given out runs through.

tests/variants/lesson_NN.py holds the answers: RIGHT, at least three for each exercise, in different styles; WRONG, one
for each known mistake, written independently of the bank.
"""

import importlib.util
import io
import sys
from contextlib import redirect_stdout
from pathlib import Path

import nbformat
import pytest
import torch
from editions import ROOT, editions, stems

from course_utils.checks import Exercise, Prediction, Witness
from course_utils.checks.bank import bank, lessons
from course_utils.checks.record import Record

SEEDS = range(5)
FOLDER = Path(__file__).parent / "variants"


def variants(lesson):
    path = FOLDER / f"lesson_{lesson}.py"
    spec = importlib.util.spec_from_file_location(f"variants_{lesson}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # so that the text of its functions can be found
    spec.loader.exec_module(module)
    return module


EVERY = [(lesson, key) for lesson in lessons() for key in bank(lesson)]
BANKED = {lesson: variants(lesson) for lesson in lessons()}


def known(exercise):
    """The mistakes of an exercise, by name, with their sentences."""
    listed = exercise.requirements if isinstance(exercise, Witness) else exercise.mistakes
    return {mistake.name: mistake.help for mistake in listed}


def examine(exercise, answer, seed):
    return exercise.examine(answer, torch.Generator().manual_seed(seed))


def test_every_lesson_with_exercises_has_a_bank_and_variants():
    assert [stem[:2] for stem in stems() if "exercises" in editions(stem)] == lessons()
    for stem in stems():
        text = (ROOT / "lessons" / f"{stem}_exercises.md").read_text(encoding="utf-8")
        for key in bank(stem[:2]):
            assert f'check("{key}"' in text, f"lessons/{stem}_exercises.md never checks {key}"
            assert f"\n## {key} " in text or f"\n### {key} " in text, f"{stem}_exercises.md has no heading for {key}"


def test_nobody_imports_the_bank_into_the_variants():
    for path in FOLDER.glob("*.py"):
        assert "course_utils.checks.bank" not in path.read_text(encoding="utf-8"), f"{path.name} must stand alone"


@pytest.mark.parametrize(("lesson", "key"), EVERY)
def test_an_exercise_knows_three_mistakes_each_with_its_own_sentence(lesson, key):
    mistakes = known(bank(lesson)[key])
    assert len(mistakes) >= 3
    assert len(set(mistakes.values())) == len(mistakes)
    for help in mistakes.values():
        assert 20 < len(help) < 400 and help.rstrip().endswith((".", "?", ")")), help


@pytest.mark.parametrize(("lesson", "key"), EVERY)
@pytest.mark.parametrize("seed", SEEDS)
def test_right_answers_pass(lesson, key, seed):
    right = BANKED[lesson].RIGHT[key]
    for answer in right:
        verdict = examine(bank(lesson)[key], answer, seed)
        assert verdict.state == "passed", verdict.message


@pytest.mark.parametrize(("lesson", "key"), EVERY)
def test_right_answers_are_given_in_three_styles(lesson, key):
    right = BANKED[lesson].RIGHT[key]
    assert len(right) >= 3, "give three styles, such as a loop, a product of matrices and einsum"
    assert len({repr(answer) for answer in right}) == len(right)


@pytest.mark.thorough
@pytest.mark.parametrize(("lesson", "key"), EVERY)
def test_right_answers_pass_twenty_draws(lesson, key):
    for seed in range(100, 120):
        test_right_answers_pass(lesson, key, seed)


@pytest.mark.parametrize(("lesson", "key"), EVERY)
@pytest.mark.parametrize("seed", SEEDS)
def test_each_known_mistake_draws_its_own_sentence(lesson, key, seed):
    exercise = bank(lesson)[key]
    mistakes = known(exercise)
    wrong = BANKED[lesson].WRONG[key]
    assert wrong.keys() == mistakes.keys()
    for name, answers in wrong.items():
        for answer in answers:
            verdict = examine(exercise, answer, seed)
            assert (verdict.state, verdict.mistake) == ("wrong", name), f"{name}: {verdict}"
            assert verdict.message.split(" (Python says: ")[0] == mistakes[name]


@pytest.mark.parametrize(("lesson", "key"), EVERY)
def test_the_banks_own_wrong_answers_are_recognised_too(lesson, key):
    exercise = bank(lesson)[key]
    if isinstance(exercise, Exercise):
        for mistake in exercise.mistakes:
            assert examine(exercise, mistake.answer, 11).mistake == mistake.name
    if isinstance(exercise, Prediction):
        truth = dict(exercise.truth())
        assert exercise.examine(truth).state == "passed"
        for mistake in exercise.mistakes:
            assert exercise.examine({**truth, **mistake.answer}).mistake == mistake.name


@pytest.mark.parametrize(("lesson", "key"), EVERY)
def test_what_a_bank_edits_is_a_right_answer(lesson, key):
    exercise = bank(lesson)[key]
    if isinstance(exercise, Exercise):
        for right in {mistake.answer.right for mistake in exercise.mistakes if hasattr(mistake.answer, "right")}:
            verdict = examine(exercise, right, 11)
            assert verdict.state == "passed", verdict.message


@pytest.mark.parametrize("stem", stems())
def test_known_mistakes_cannot_be_read_from_the_exercise_notebook(stem):
    text = "\n".join(cell.source for cell in editions(stem)["exercises"].cells)
    for exercise in bank(stem[:2]).values():
        for help in known(exercise).values():
            assert help not in text


@pytest.mark.parametrize("stem", stems())
def test_an_untouched_exercise_notebook_runs_through_and_says_not_yet(stem, monkeypatch):
    printed = run(nbformat.read(ROOT / "exercises" / f"{stem}.ipynb", as_version=4), monkeypatch)
    for key in bank(stem[:2]):
        lines = [line for line in printed.splitlines() if line.startswith(f"○ {key} ")]
        assert len(lines) == 1, f"{key} should print one friendly line, got {lines}"
    assert "✗" not in printed and "✓" not in printed


@pytest.mark.parametrize("stem", stems())
def test_the_solutions_pass_every_check(stem, monkeypatch):
    printed = run(nbformat.read(ROOT / "solutions" / f"{stem}.ipynb", as_version=4), monkeypatch)
    for key in bank(stem[:2]):
        assert f"✓ {key} " in printed
    assert "✗" not in printed and "○" not in printed


def run(notebook, monkeypatch):
    """Runs the code cells of a notebook in this process, and returns what they print."""
    import matplotlib

    from course_utils import checks

    monkeypatch.setattr(checks, "_record", Record())
    matplotlib.use("Agg", force=True)
    space = {"__name__": "__main__"}
    with redirect_stdout(io.StringIO()) as printed:
        for cell in notebook.cells:
            if cell.cell_type == "code" and cell.id != "colab":
                exec(compile(cell.source, cell.id, "exec"), space)
    matplotlib.pyplot.close("all")
    return printed.getvalue()
