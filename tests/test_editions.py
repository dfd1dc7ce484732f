"""From manuscript to notebooks: quoting, ids, answers taken out, marks of nbgrader, the address."""

import subprocess
import sys

import nbformat
import pytest
from editions import ROOT, ManuscriptError, badge, editions, slug, without_answers
from quote import QuoteError, quoted, shorten

LESSON = """# Attention blends

You will see it.

```python
from course_utils.runtime import start
```

## Why divide by √d?

Because.

```python name="roots"
x = 1
```

It is one.

```python tags=["quote"]
from course_utils.attention import attend
```
"""
EXERCISES = """# Exercises

```python
x = 1
```

## 9.1 Write it

```python
def double(value):
    # BEGIN SOLUTION
    result = value * 2
    return result
    # END SOLUTION
```

```python
check("9.1", double)
```

<!-- BEGIN SOLUTION -->
It works because two is two.
<!-- END SOLUTION -->
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons/09_x.md").write_text(LESSON, encoding="utf-8")
    (tmp_path / "lessons/09_x_exercises.md").write_text(EXERCISES, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    return tmp_path


def cells(notebook):
    return {cell.id: cell for cell in notebook.cells}


def test_a_manuscript_becomes_three_editions(project):
    made = editions("09_x", project)
    assert list(made) == ["notebooks", "solutions", "exercises"]
    for notebook in made.values():
        nbformat.validate(notebook)
    assert list(cells(made["notebooks"])) == [
        "attention-blends", "colab", "attention-blends-code", "why-divide-by-d", "roots", "roots-read", "roots-code",
    ]  # fmt: skip


def test_answers_and_remarks_are_taken_out(project):
    made = editions("09_x", project)
    assert "result = value * 2" in cells(made["solutions"])["answer-9-1"].source
    assert cells(made["exercises"])["answer-9-1"].source == "def double(value):\n    ...  # your answer"
    assert "remark-9-1" in cells(made["solutions"]) and "remark-9-1" not in cells(made["exercises"])
    assert without_answers(made["exercises"]) == made["exercises"]


def test_predictions_keep_their_labels(project):
    path = project / "lessons/09_x_exercises.md"
    region = '# BEGIN SOLUTION\nshapes["the scores"] = (2, 3)\nshapes["sum"] = 1\n# END SOLUTION'
    path.write_text(EXERCISES + f"\n## 9.2 Predict\n\n```python\nshapes = {{}}\n{region}\n```\n", encoding="utf-8")
    stub = cells(editions("09_x", project)["exercises"])["answer-9-2"].source
    assert stub == 'shapes = {}\nshapes["the scores"] = ...  # your answer\nshapes["sum"] = ...  # your answer'


def test_a_name_that_waits_for_its_value_is_the_stub(project):
    path = project / "lessons/09_x_exercises.md"
    region = "five = ...\n# BEGIN SOLUTION\nfive = 5\n# END SOLUTION"
    path.write_text(EXERCISES + f"\n## 9.2 Find\n\n```python\n{region}\n```\n", encoding="utf-8")
    assert cells(editions("09_x", project)["exercises"])["answer-9-2"].source == "five = ...  # your answer"


def test_answers_and_checks_carry_the_marks_of_nbgrader(project):
    found = cells(editions("09_x", project)["solutions"])
    answer, graded = found["answer-9-1"].metadata.nbgrader, found["check-9-1"].metadata.nbgrader
    assert (answer.solution, answer.grade, answer.grade_id) == (True, False, "answer-9-1")
    assert (graded.solution, graded.grade, graded.locked, graded.points) == (False, True, True, 1)


def test_an_id_lasts_when_another_section_changes(project):
    before = [cell.id for cell in editions("09_x", project)["notebooks"].cells]
    path = project / "lessons/09_x.md"
    path.write_text(LESSON.replace("## Why", "## New\n\nWords.\n\n```python\ny = 2\n```\n\n## Why"), encoding="utf-8")
    after = [cell.id for cell in editions("09_x", project)["notebooks"].cells]
    assert [one for one in after if one in before] == before and len(after) == len(before) + 2


def test_two_cells_with_one_name_are_refused(project):
    path = project / "lessons/09_x.md"
    path.write_text(LESSON + '\n```python name="roots"\nz = 1\n```\n', encoding="utf-8")
    with pytest.raises(ManuscriptError, match=r"09_x.md: two cells are named 'roots'"):
        editions("09_x", project)


def test_the_badge_appears_with_the_address(project):
    assert badge("09_x", "notebooks", project) == ""
    assert 'get("ATTENTION_COURSE_PIP", "")' in cells(editions("09_x", project)["notebooks"])["colab"].source
    (project / "pyproject.toml").write_text(
        '[project]\nname = "x"\n[project.urls]\nRepository = "https://github.com/someone/course"\n', encoding="utf-8"
    )
    made = editions("09_x", project)
    for folder, notebook in made.items():
        link = f"https://colab.research.google.com/github/someone/course/blob/main/{folder}/09_x.ipynb"
        assert link in notebook.cells[0].source
        assert '"git+https://github.com/someone/course"' in cells(notebook)["colab"].source
        assert notebook.cells[0].id in {"attention-blends", "exercises"}


def test_a_quote_shows_the_function_without_hints_and_guards():
    shown = quoted("from course_utils.attention import scaled_dot, attend")
    assert shown.startswith("def scaled_dot(query, key):\n")
    assert "\n\n\ndef attend(query, key, value, mask=None, score=scaled_dot):\n" in shown
    assert "Shapes: query" in shown and "Raises" not in shown and "Tensor" not in shown and "raise " not in shown
    compile(shown, "quote", "exec")


def test_a_quoted_class_keeps_its_shape():
    shown = shorten(
        'class Score(Module):\n    """Scores. More words.\n\n    Shapes: a → b. Even more.\n    """\n\n'
        "    def __init__(self, size: int, *, bias: bool = True) -> None:\n        super().__init__()\n\n"
        "    def forward(\n        self,\n        query: Tensor,\n    ) -> Tensor:\n"
        "        # why\n        return query\n"
    )
    assert shown == (
        'class Score(Module):\n    """Scores.\n\n    Shapes: a → b.\n    """\n\n'
        "    def __init__(self, size, *, bias=True):\n        super().__init__()\n\n"
        "    def forward(self, query):\n        # why\n        return query"
    )


@pytest.mark.parametrize(
    "signature",
    [
        "def f(x: int, y: dict[str, int] = {}) -> Tensor:  # type: ignore[override]  # a pair: not one input",
        "def f(\n    x: int,  # the first: a number\n    y={},\n) -> Tensor:  # why\n\n    # a remark:",
        "def f(x: Callable[[int], int], y={}) -> dict[str, list[int]]:",
    ],
)
def test_a_remark_behind_a_signature_does_not_hide_its_end(signature):
    shown = shorten(f"{signature}\n    z = x  # kept\n    return z")
    assert shown.startswith("def f(x, y={}):\n") and shown.endswith("\n    z = x  # kept\n    return z")
    assert "Tensor" not in shown and "override" not in shown


@pytest.mark.parametrize(
    "source",
    ["x = 1", "import course_utils.attention", "from torch import nn", "from course_utils.attention import absent",
     "from course_utils.attention import Score"],
)  # fmt: skip
def test_a_quote_that_cannot_be_resolved_is_named(source):
    with pytest.raises(QuoteError):
        quoted(source)


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Why divide by √d?", "why-divide-by-d"), ("2.1 Write it", "2-1-write-it"), ("笔记本", "section-155c2f5d")],
)
def test_slugs(title, expected):
    assert slug(title) == expected


def test_the_command_says_what_is_wrong():
    done = subprocess.run(
        [sys.executable, "tools/build.py", "no-such-lesson"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and "no such lesson: no-such-lesson" in done.stderr
