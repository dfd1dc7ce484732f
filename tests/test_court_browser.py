"""The court in a real browser: vote first, by mouse and by keyboard; in light, in dark, in sandboxes."""

from html import escape

import nbformat
import pytest
from browser import ARTEFACTS, jupyterlab, patient
from test_explorer_browser import audit

from course_utils.court import cases, court

pytestmark = pytest.mark.browser
FIRST, SECOND = cases("02")[:2]
DARK = "body { background: #111; color: rgba(255, 255, 255, 0.87) }"
LIGHT = "body { background: white; color: rgba(0, 0, 0, 0.87) }"


@pytest.fixture
def context(browser):
    """A browser of its own, which asks nobody for anything and fails the test when a script fails."""
    context = patient(browser.new_context(viewport={"width": 1000, "height": 1000}, reduced_motion="reduce"))
    failures = []
    context.on("weberror", lambda error: failures.append(str(error.error)))
    context.route("http*://**", lambda route: (failures.append(route.request.url), route.abort()))
    yield context
    assert not failures
    context.close()


def bare(folder, style=LIGHT, body=None):
    path = folder / "court.html"
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Court</title><style>{style}</style>'
    path.write_text(f"{head}<main><h1>Court</h1>{body or court('02')._repr_html_()}</main>", encoding="utf-8")
    return path.as_uri()


def card(page, case):
    return page.locator(f"#{case.name}")


def vote(page, case, word):
    card(page, case).get_by_role("button", name=word, exact=True).click()


def test_the_verdict_opens_after_the_vote(context, tmp_path):
    page = context.new_page()
    page.goto(bare(tmp_path))
    assert page.get_by_text("Vote first").is_visible()
    here = card(page, FIRST)
    assert not here.get_by_text(FIRST.instead).is_visible() and not here.locator("pre").first.is_visible()
    vote(page, FIRST, "half right")
    assert here.get_by_text(FIRST.instead).is_visible()
    assert (
        here.locator("pre").first.inner_text() == FIRST.code and here.locator("pre").nth(1).inner_text() == FIRST.shown
    )
    assert here.get_by_role("status").inner_text() == "You said half right; the verdict is wrong."
    here.get_by_role("button", name="wrong", exact=True).dispatch_event("click")  # the first vote counts
    assert here.get_by_role("button", pressed=True).inner_text() == "half right"
    assert not card(page, SECOND).get_by_text(SECOND.instead).is_visible()
    vote(page, SECOND, "wrong")
    assert card(page, SECOND).get_by_role("status").inner_text() == "You agree with the verdict."
    assert page.locator(".sum").inner_text() == f"2 of {len(cases('02'))} voted on; 1 of your votes agree."
    page.get_by_text("Your scoreboard by lesson").first.click()
    assert page.locator("tbody tr").first.inner_text().split() == ["02", str(len(cases("02"))), "2", "1"]


def test_the_keyboard_votes(context, tmp_path):
    page = context.new_page()
    page.goto(bare(tmp_path))
    card(page, FIRST).get_by_role("button").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    focused = card(page, FIRST).get_by_role("button", name="wrong", exact=True)
    assert focused.evaluate("node => node === document.activeElement && node.matches(':focus-visible')")
    page.keyboard.press("Space")
    assert card(page, FIRST).get_by_role("status").inner_text() == "You agree with the verdict."
    assert focused.evaluate("node => node === document.activeElement"), "the focus is lost"


def test_votes_are_kept_until_begun_anew(context, tmp_path):
    page = context.new_page()
    address = bare(tmp_path)
    page.goto(address)
    page.evaluate("localStorage.setItem('attention-course-court', JSON.stringify({other: 'half', bad: 'maybe'}))")
    page.goto(address)
    vote(page, FIRST, "wrong")
    page.goto(address)
    assert card(page, FIRST).get_by_text(FIRST.instead).is_visible()
    page.get_by_role("button", name="Begin anew").click()
    assert not card(page, FIRST).get_by_text(FIRST.instead).is_visible()
    assert page.evaluate("localStorage.getItem('attention-course-court')") == '{"other":"half"}'
    page.evaluate("localStorage.setItem('attention-course-court', 'no json')")
    page.goto(address)
    assert page.get_by_text("Vote first").is_visible()


def test_it_works_in_a_sandboxed_frame_as_hosted_notebooks_have_it(context, tmp_path):
    frame = f'<iframe sandbox="allow-scripts" width="900" height="900" srcdoc="{escape(court("02")._repr_html_())}">'
    page = context.new_page()
    page.goto(bare(tmp_path, body=f"{frame}</iframe>"))
    inside = page.frame_locator("iframe")
    vote(inside, FIRST, "wrong")
    assert inside.locator(".sum").inner_text().startswith("1 of ")


def test_without_scripts_each_claim_unfolds(browser, tmp_path):
    context = patient(browser.new_context(java_script_enabled=False))
    page = context.new_page()
    page.goto(bare(tmp_path))
    here = card(page, FIRST)
    assert here.get_by_text(FIRST.words).is_visible() and not here.get_by_text(FIRST.instead).is_visible()
    here.locator("summary").click()
    assert here.get_by_text(FIRST.instead).is_visible()
    context.close()


@pytest.mark.parametrize("style", [LIGHT, DARK], ids=["light", "dark"])
def test_axe_finds_no_fault(context, tmp_path, style, request):
    page = context.new_page()
    page.goto(bare(tmp_path, style))
    for case in cases("02"):
        vote(page, case, "wrong")
    page.get_by_text("Your scoreboard by lesson").first.click()
    assert audit(page, judged=("color-contrast", "button-name")) == []
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"court-{request.node.callspec.id}.png", full_page=True)
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_in_jupyterlab(browser, tmp_path):
    code = "from course_utils.court import court\n\ncourt('02')"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "court.ipynb")
    with jupyterlab(tmp_path) as lab:
        page = patient(browser.new_page(viewport={"width": 1200, "height": 1300}))
        try:
            page.goto(lab.address("court.ipynb"))
            page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
            lab.run_all(page)
            card(page, FIRST).wait_for()
            card(page, FIRST).get_by_role("button").first.focus()
            page.keyboard.press("Tab")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")  # of the button, and not of the notebook
            assert card(page, FIRST).get_by_role("status").inner_text() == "You agree with the verdict."
            assert card(page, FIRST).locator("pre").first.inner_text() == FIRST.code
            page.add_style_tag(content="body { height: 100vh }")  # it has none, and axe-core would judge no colours
            outputs = "{include: [['.attention-court']]}"
            assert audit(page, outputs, ["color-contrast"]) == []
            page.get_by_role("menuitem", name="Settings", exact=True).click()
            page.get_by_text("Theme", exact=True).hover()
            page.get_by_text("JupyterLab Dark", exact=True).click()
            page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
            page.wait_for_timeout(500)
            assert audit(page, outputs, ["color-contrast"]) == []
        finally:
            ARTEFACTS.mkdir(exist_ok=True)
            page.screenshot(path=ARTEFACTS / "court-lab.png")
            page.close()
