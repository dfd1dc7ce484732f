"""From files of the repository to pages of the site, without building it: texts, links, formulas, figures."""

import re

import pytest
from installation import ROOT
from predict import PROMPT

pytest.importorskip("furo")
from website import address, api, claims, formulas, lessons, links, markdown, sources

STEMS = lessons.stems()


def test_every_lesson_on_disk_becomes_a_page():
    known = sources.known_pages(STEMS)
    assert len(STEMS) >= 11 and {f"notebooks/{stem}.ipynb" for stem in STEMS} <= known.keys()
    assert {f"exercises/{path.name}" for path in (ROOT / "exercises").glob("*.ipynb")} <= known.keys()


def test_every_section_of_the_readme_is_shown():
    shown = {heading for _, headings in sources.README.values() for heading in headings} | set(sources.HOME)
    assert set(markdown.sections((ROOT / "README.md").read_text("utf-8"))) - {""} <= shown


@pytest.mark.parametrize("stem", STEMS)
def test_every_figure_has_a_text_of_what_to_see(stem):
    """The paragraph after the picture in its section reads it; where there is none, the one before says what comes."""
    cells = lessons.read("notebooks", stem).cells
    texts = lessons.texts_of_figures(cells)
    drawn = [cell.id for cell in cells if cell.cell_type == "code" and lessons.is_figure(cell)]
    assert list(texts) == drawn and drawn
    for name, text in texts.items():
        assert len(text) >= 30 and text[-1] in ".:?!)", f"{stem}, {name}: write a sentence beside the figure: {text!r}"


@pytest.mark.parametrize("stem", STEMS)
def test_the_head_of_a_lesson_is_read(stem):
    head = lessons.lesson(stem)
    assert head.title and head.promise and 0 < head.minutes <= 75 and head.skills
    assert all(number < stem[:2] for number in head.needs)
    assert len(lessons.tasks(stem)) >= 4


@pytest.mark.parametrize("stem", STEMS)
def test_every_formula_becomes_mathml(stem):
    for cell in lessons.read("notebooks", stem).cells:
        if cell.cell_type == "markdown":
            for block, inline in re.findall(
                r"\$\$(.+?)\$\$|(?<![\\$\w])\$([^$\n]+?)\$", markdown.CODE.sub("", cell.source), re.DOTALL
            ):
                made = formulas.mathml(block or inline, bool(block))
                assert made.startswith("<math ") and "merror" not in made
                shown = re.sub(r"<annotation.*?</annotation>|<[^>]+>", "", made)
                assert "\\" not in shown, f"{stem}: {block or inline} is not understood: {shown}"


@pytest.mark.parametrize("stem", STEMS)
def test_every_answer_to_a_prompt_is_folded(stem):
    page = lessons.page("notebooks", stem, sources.known_pages(STEMS))
    hidden = [
        cell.id for cell in lessons.read("notebooks", stem).cells if "hide-output" in cell.metadata.get("tags", [])
    ]
    folded = [cell.id for cell in page.cells if "folded" in cell.metadata.get("tags", [])]
    prompts = sum(PROMPT in cell.source for cell in page.cells)
    assert set(folded) <= set(hidden) and bool(folded) == bool(prompts)
    without_outputs = {cell.id for cell in page.cells if cell.cell_type == "code" and not cell.outputs}
    assert set(hidden) - set(folded) <= without_outputs


def test_a_link_leads_to_the_page_of_its_file(monkeypatch):
    known = {"notebooks/01_a.ipynb": "notebooks/01_a.ipynb", "README.md": "index.md", "README.md#start": "start.md"}
    given = "[a](../notebooks/01_a.ipynb#x) [`b`](../README.md) [s](../README.md#start)"
    given += " [c](../LICENSE) [d](https://x.org) `[e](f)`"
    monkeypatch.setattr(address, "address", lambda: "")
    made = links.relinked(given, "lessons/02_b.md", "notebooks/02_b.ipynb", known)
    assert made == "[a](01_a.ipynb#x) [`b`](../index.md) [s](../start.md) c [d](https://x.org) `[e](f)`"
    monkeypatch.setattr(address, "address", lambda: "https://github.com/owner/name")
    assert "[c](https://github.com/owner/name/blob/main/LICENSE)" in links.relinked(
        given, "lessons/02_b.md", "notebooks/02_b.ipynb", known
    )


@pytest.mark.parametrize(
    ("given", "pages"),
    [
        ("", ""),
        ("https://github.com/Owner/name", "https://owner.github.io/name/"),
        ("https://github.com/owner/owner.github.io", "https://owner.github.io/"),
    ],
)
def test_the_address_of_the_site_follows_from_that_of_the_repository(monkeypatch, given, pages):
    monkeypatch.setattr(address, "address", lambda: given)
    assert address.pages() == pages


def test_claims_are_all_on_the_scoreboard():
    known, cases = sources.known_pages(STEMS), claims.cases()
    page = claims.court(known)
    assert page.count('<li id="') == len(cases) and f"**{len(cases)} claims: " in claims.scoreboard(known)
    assert page.count(".html#cell-") == sum(bool(case.cell) for case in cases)
    assert "#cell-" not in claims.court({})


def test_the_reference_has_every_public_function_and_no_answers():
    rooms = api.rooms()
    assert "attention" in rooms and not any(
        "bank/lesson_" in path.as_posix() for files in rooms.values() for path in files
    )
    page = api.room("attention")
    assert "{py:function} attend(query: Tensor, key: Tensor, value: Tensor" in page and "{py:class} Additive(" in page
    assert set(api.floor_plan()) >= set(rooms)


def test_code_is_left_alone_and_comments_go():
    given = "a<!-- numbers: 7 --> `b <!-- c -->`\n\n```text\n<!-- d -->\n```\n"
    assert markdown.without_comments(given) == "a `b <!-- c -->`\n\n```text\n<!-- d -->\n```\n"
    assert markdown.first_sentences("One. Two **three** [four](x.md). " + "Y" * 300 + ".") == "One. Two three four."


def test_every_page_names_the_file_that_makes_it():
    for page in {
        name.rpartition(".")[0]
        for name in sources.known_pages(STEMS).values()
        if "#" not in name and ".png" not in name
    }:
        assert (ROOT / sources.source_of(page)).exists() or (ROOT / f"{sources.source_of(page)}.py").exists(), page


def test_a_link_in_an_output_leads_to_the_page_of_its_notebook(monkeypatch):
    known = {"notebooks/13_a.ipynb": "notebooks/13_a.ipynb"}
    given = '<a href="13_a.ipynb">a</a> <a href="13_a.ipynb#c">c</a> <a href="12_b.ipynb">b</a> <a href="https://x.ipynb">x</a>'
    monkeypatch.setattr(address, "address", lambda: "")
    made = links.relinked_output(given, "notebooks/14_d.ipynb", "notebooks/14_d.ipynb", known)
    assert made == '<a href="13_a.html">a</a> <a href="13_a.html#c">c</a> b <a href="https://x.ipynb">x</a>'
