"""The court: K1 to K37 are all settled, quoted as the notebooks have it, and votes are counted."""

import io
import os
import re
import subprocess
import sys
import tomllib

import court_cases
import nbformat
import pytest
from installation import ROOT
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_utils.court import cases, court, scoreboard, verdict
from course_utils.court.__main__ import main
from course_utils.court.cases import read
from course_utils.court.page import page

CLAIMS = tomllib.loads((ROOT / "lessons/claims.toml").read_text("utf-8"))["claim"]


def test_the_claims_that_the_course_set_out_to_settle_are_all_there():
    """Each is settled by a cell that asserts (tests/test_notebooks.py looks into it), or by a source of the lesson."""
    given = [claim.get("number", []) for claim in CLAIMS]
    numbers = {one for some in given for one in ([some] if isinstance(some, str) else some)}
    assert numbers == {f"K{number}" for number in range(1, 38)}
    assert all(bool(case.cell) != bool(case.source) for case in cases())


def test_the_package_carries_what_claims_and_notebooks_say():
    assert not court_cases.stale(), "run: python course.py build"
    assert {case.name for case in cases()} == {claim["name"] for claim in CLAIMS}


@pytest.mark.parametrize("stem", sorted({claim["lesson"] for claim in CLAIMS}))
def test_what_is_quoted_stands_in_the_notebook(stem):
    cells = {cell.id: cell for cell in nbformat.read(ROOT / f"notebooks/{stem}.ipynb", as_version=4).cells}
    for case in cases(stem):
        if case.cell:
            assert case.code == cells[case.cell].source
            assert case.shown in "".join(output.get("text", "") for output in cells[case.cell].outputs)
            assert "<Figure" not in case.shown


def test_a_lesson_that_is_not_built_yet_is_quoted_without_a_cell(tmp_path):
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons/98_x.md").write_text("# It *claims*\n", "utf-8")
    said = (
        'name = "x"\nnumber = ["K1", "K2"]\nwords = "w"\nverdict = "half"\ninstead = "i"\nlesson = "98_x"\ncell = "c"'
    )
    (tmp_path / "lessons/claims.toml").write_text(f"[[claim]]\n{said}\n", "utf-8")
    made = court_cases.cases(tmp_path)
    assert '"K1"' in made and '"code": ""' in made and court_cases.stale(tmp_path)


# ---- in plain text ----


def test_a_verdict_says_whether_the_vote_agrees():
    claim = next(claim for claim in CLAIMS if claim.get("number") == "K13")
    said = verdict("K13", vote="wrong")
    assert said.startswith(f'You agree. "{claim["words"]}" is wrong. {claim["instead"]}') and claim["cell"] in said
    assert verdict("k13", vote=" Half ").startswith("You said half right. ")
    assert verdict(claim["name"]) == verdict("K13") and verdict("K13").startswith('"')
    assert "source: Towards" in verdict("K1")
    assert len(verdict("K30").splitlines()) == sum(claim.get("number") == "K30" for claim in CLAIMS) > 1


def rows(table):
    head, *lines = table.splitlines()
    return re.split(r"\s{2,}", head), {line.split()[0]: [int(one) for one in line.split()[1:]] for line in lines}


def test_the_scoreboard_counts_by_lesson():
    head, found = rows(scoreboard())
    assert head == ["lesson", "claims", "right", "half right", "wrong"]
    for stem in {claim["lesson"] for claim in CLAIMS}:
        here = [claim["verdict"] for claim in CLAIMS if claim["lesson"] == stem]
        assert found[stem[:2]] == [len(here), *(here.count(one) for one in ("right", "half", "wrong"))]
    assert found["all"][0] == len(CLAIMS) == sum(found["all"][1:])


def test_the_scoreboard_counts_votes():
    head, found = rows(scoreboard({"K13": "wrong", "K1": "right", "attention-is-seq2seq": "half"}))
    assert head == ["lesson", "claims", "voted", "agree"]
    assert found["00"][1:] == [2, 1] and found["04"][1:] == [1, 1] and found["all"][1:] == [3, 2]
    every = {claim["name"]: claim["verdict"] for claim in CLAIMS}
    assert rows(scoreboard(every))[1]["all"] == [len(CLAIMS)] * 3


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: verdict("K13", vote="maybe"), "vote: got 'maybe', expected right, half or wrong"),
        (lambda: verdict("K13", vote=1), "vote: got 1, expected right, half or wrong"),
        (lambda: verdict("K99"), "claim: got 'K99', expected a name, or a number from K1 to K37"),
        (lambda: scoreboard({"K13": ""}), "vote: got '', expected right, half or wrong"),
        (lambda: scoreboard({"nothing": "half"}), "claim: got 'nothing', expected"),
        (lambda: court("77"), "lesson: got '77', expected one of 00, 01,"),
    ],
)
def test_what_is_no_vote_and_no_claim_is_said(call, sentence):
    with pytest.raises(ValueError) as problem:
        call()
    assert str(problem.value).startswith(sentence)


def test_it_is_held_in_a_terminal(monkeypatch, capsys):
    first, second = cases("04")[:2]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"perhaps\n\n{first.verdict[0]}\nq\n"))
    assert main(["04"]) == 0
    said = capsys.readouterr().out
    assert said.count("right, half, wrong, or q: ") == 2 and verdict(first.name, first.verdict) in said
    assert f"    {first.code.splitlines()[0]}" in said and second.instead not in said
    assert rows(said[said.index("lesson      claims") :])[1]["04"][1:] == [1, 1]
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main([]) == 0 and "agree" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["77"])


# ---- the page ----


def test_the_page_is_the_same_wherever_it_is_made():
    told = [sys.executable, "-c", "from course_utils.court import court; print(ascii(court('02')._repr_html_()))"]
    other = subprocess.run(
        told, cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "7"}
    )
    assert other.stdout.strip() == ascii(court("02")._repr_html_())
    assert repr(court()) == f"The court: {len(CLAIMS)} claims, in a terminal by `python -m course_utils.court`"


def test_what_stands_in_a_claim_is_text_and_no_html(monkeypatch):
    from dataclasses import replace

    from course_utils.court.page import page

    bad = '<img src=x onerror="alert(1)">&'
    case = replace(cases()[0], words=bad, instead=bad, code=bad, shown=bad, title=bad, cell="c")
    made = page([case], link=lambda case: '"><b>')
    assert "<img" not in made and "<b>" not in made and made.count("&lt;img src=x") == 5
    assert "<cite>&lt;img" in page([replace(case, source=bad)])


def test_the_page_asks_nobody_for_anything():
    made = court()._repr_html_()
    assert not re.search(r"https?://|\bsrc=|@import|url\(", made.replace("https://github.com", ""))
    assert made.count("<li ") == len(CLAIMS) and made.count('<details class="lesson"') == made.count(' data-lesson="')


def test_a_notebook_that_shows_an_older_court_is_told(tmp_path):
    notebook = new_notebook(cells=[new_code_cell("court()")])
    (tmp_path / "lessons").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "lessons" / "00_a.md").write_text("# A\n", encoding="utf-8")
    claims = '[[claim]]\nname = "a"\nwords = "W"\nverdict = "right"\ninstead = "I"\nlesson = "00_a"\nsource = "S"\n'
    (tmp_path / "lessons" / "claims.toml").write_text(claims, encoding="utf-8")
    for shown, told in ((page(read(court_cases.cases(tmp_path))), []), ('<div class="attention-court">', ["00_a"])):
        notebook.cells[0].outputs = [new_output("display_data", {"text/html": shown})]
        nbformat.write(notebook, tmp_path / "notebooks" / "00_a.ipynb")
        assert court_cases.stale_pages(tmp_path) == told
