"""The explorer in a real browser: mouse, keyboard, screen reader, dark and light, exported pages and JupyterLab."""

import importlib.util
from html import escape
from pathlib import Path

import nbformat
import pytest
import torch
from browser import ARTEFACTS, jupyterlab, patient, wait

from course_utils.explorer import explore

pytestmark = pytest.mark.browser
WORDS = ["the", "laptop", "fits", "my", "bag"]
SHOP_SCORES = torch.tensor([[3.1, 2.4, 1.3, 0.2], [0.3, 1.4, 3.0, -torch.inf], [1.0, 1.2, 0.8, 2.9]])
SHOP = ["notebook", "pen", "school"], ["laptop", "paper", "pen", "backpack"]
HEADS = torch.softmax(2 * torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(0)), -1)
TITLES = ("What each search finds", "Words look at words")
CODE = """\
import torch
from course_utils.explorer import explore
inf = torch.inf
scores = torch.tensor({scores})
explore(torch.softmax(scores, -1), {queries}, {keys}, scores=scores, title="{title}", caption="A shop.")
"""


def pictures():
    shop = explore(torch.softmax(SHOP_SCORES, -1), *SHOP, scores=SHOP_SCORES, title=TITLES[0], caption="A shop.")
    return shop, explore(HEADS, WORDS, WORDS, title=TITLES[1], layers=["first", "second"])


def sentence(query, weights, keys):
    """What a screen reader must hear: the three largest weights."""
    best = sorted(range(len(keys)), key=lambda key: -weights[key])[:3]
    return f"{query} attends to " + ", ".join(f"{keys[k]} {weights[k]:.2f}" for k in best if weights[k] >= 0.005)


def exported(folder):
    """A notebook with both pictures in its outputs, exported to a page as anybody would."""
    from nbconvert import HTMLExporter

    cells = []
    for shown in pictures():
        data = {"text/plain": repr(shown), "text/html": shown._repr_html_()}
        output = nbformat.v4.new_output("execute_result", data, execution_count=1)
        cells.append(nbformat.v4.new_code_cell("explore(…)", outputs=[output], execution_count=1))
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    path = folder / "exported.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


def bare(folder, style):
    """Nothing but both pictures, on paper of a given colour."""
    body = "\n".join(shown._repr_html_() for shown in pictures())
    path = folder / "bare.html"
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Explorer</title><style>{style}</style>'
    path.write_text(f"{head}<main><h1>Explorer</h1>{body}</main>", encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser):
    """A page without a network, which fails the test when a script fails."""
    context = patient(browser.new_context(viewport={"width": 1000, "height": 1100}, reduced_motion="reduce"))
    page = context.new_page()
    page.failures, page.asked = [], []
    page.on("pageerror", lambda error: page.failures.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.route("http*://**", lambda route: route.abort())
    yield page
    assert not page.failures
    context.close()


@pytest.fixture
def both(page, tmp_path):
    """The two pictures on an exported page."""
    page.goto(exported(tmp_path), wait_until="domcontentloaded")
    return page.get_by_role("group", name=TITLES[0]), page.get_by_role("group", name=TITLES[1])


def shown(picture):
    """The numbers at the bars."""
    return [float(text) for text in picture.locator(".keys b").all_inner_texts()]


def test_arrow_keys_choose_a_query_and_say_where_it_looks(page, both):
    shop, _ = both
    weights = torch.softmax(SHOP_SCORES, -1).tolist()
    said = shop.get_by_role("status")
    assert said.inner_text() == "Choose a query: move over it, or use the arrow keys."
    assert said.evaluate("node => node.ariaLive || node.getAttribute('role')") in ("polite", "status")
    shop.get_by_role("slider").focus()
    page.keyboard.press("Tab")
    for query, name in enumerate(SHOP[0]):
        assert said.inner_text() == sentence(name, weights[query], SHOP[1])
        chosen = shop.get_by_role("option", selected=True)
        assert chosen.inner_text() == name
        assert chosen.evaluate("node => node === node.getRootNode().activeElement && node.matches(':focus-visible')")
        assert chosen.evaluate("node => parseFloat(getComputedStyle(node).outlineWidth)") >= 2
        assert shown(shop) == pytest.approx(weights[query], abs=0.0056)
        page.keyboard.press("ArrowDown")
    assert shop.get_by_role("option", selected=True).inner_text() == "notebook"  # round the end
    page.keyboard.press("End")
    assert said.inner_text().startswith("school attends to backpack")
    page.keyboard.press("ArrowUp")
    assert said.inner_text().startswith("pen attends to pen")
    page.keyboard.press("Escape")
    assert said.inner_text().startswith("Choose") and shop.get_by_role("option", selected=True).count() == 0


def test_the_mouse_looks_and_a_click_keeps(page, both):
    shop, _ = both
    said = shop.get_by_role("status")
    shop.get_by_role("option", name="pen").hover()
    assert said.inner_text().startswith("pen attends to")
    assert shop.get_by_role("option", selected=True).count() == 0
    shop.get_by_text("What each search finds").hover()
    assert said.inner_text().startswith("Choose")
    shop.get_by_role("option", name="pen").click()
    shop.get_by_role("option", name="school").hover()
    assert said.inner_text().startswith("school attends to")
    shop.get_by_text("What each search finds").hover()
    assert said.inner_text().startswith("pen attends to")


def test_lines_and_bars_are_as_large_as_the_weights(page, both):
    shop, _ = both
    shop.get_by_role("option", name="school").click()
    weights = torch.softmax(SHOP_SCORES, -1)[2]
    widths = shop.locator(".keys i").evaluate_all("bars => bars.map(bar => bar.getBoundingClientRect().width)")
    whole = shop.locator(".track").first.evaluate("track => track.getBoundingClientRect().width")
    assert torch.tensor(widths) / max(widths) == pytest.approx((weights / weights.max()).tolist(), abs=0.02)
    assert 0.5 < max(widths) / whole < weights.max()
    strokes = shop.locator(".chosen path").evaluate_all("all => all.map(line => parseFloat(line.style.strokeWidth))")
    assert [s / max(strokes) for s in strokes] == pytest.approx((weights / weights.max()).tolist(), abs=0.02)


def test_the_temperature_is_softmax_anew(page, both):
    shop, _ = both
    shop.get_by_role("option", name="pen").click()
    slider = shop.get_by_role("slider", name="temperature")
    values = set()
    for place in range(int(slider.get_attribute("max")) + 1):
        slider.fill(str(place))
        temperature = float(slider.get_attribute("aria-valuetext"))
        values.add(temperature)
        expected = torch.softmax(SHOP_SCORES / temperature, -1)
        assert shown(shop) == pytest.approx(expected[1].tolist(), abs=0.01)
        cells = page.locator(".attention-explorer").first.locator("td").all_text_contents()
        assert [float(cell) for cell in cells] == pytest.approx(expected.flatten().tolist(), abs=0.01)
    assert {0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0} <= values
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "0.06"
    assert shown(shop)[3] == 0  # hidden by a mask at every temperature


def test_the_slider_starts_at_the_temperature_of_the_weights(page, tmp_path):
    weights = torch.softmax(SHOP_SCORES / 0.35, -1)
    cold = explore(weights, *SHOP, scores=SHOP_SCORES, temperature=0.35)
    path = tmp_path / "cold.html"
    path.write_text(f'<!doctype html><meta charset="utf-8">{cold._repr_html_()}', encoding="utf-8")
    page.goto(path.as_uri())
    page.get_by_role("option", name="notebook").click()
    slider = page.get_by_role("slider", name="temperature")
    assert slider.get_attribute("aria-valuetext") == "0.35"
    assert shown(page) == pytest.approx(weights[0].tolist(), abs=0.01)
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "1"
    assert shown(page) == pytest.approx(torch.softmax(SHOP_SCORES[0], -1).tolist(), abs=0.01)


def test_buttons_choose_head_and_layer(page, both):
    _, words = both
    words.get_by_role("option", name="laptop").click()
    said = words.get_by_role("status")
    assert said.inner_text() == sentence("laptop", HEADS[0, 0, 1].tolist(), WORDS)
    words.get_by_role("radio", name="2", exact=True).click()
    words.get_by_role("radio", name="second").click()
    assert said.inner_text() == sentence("laptop", HEADS[1, 1, 1].tolist(), WORDS)
    words.get_by_role("radiogroup", name="head").get_by_role("radio", checked=True).focus()
    page.keyboard.press("ArrowRight")
    assert words.get_by_role("radio", checked=True).all_inner_texts() == ["second", "3"]
    assert said.inner_text() == sentence("laptop", HEADS[1, 2, 1].tolist(), WORDS)
    assert shown(words) == pytest.approx(HEADS[1, 2, 1].tolist(), abs=0.0056)
    words.get_by_text("The weights as a table").click()
    table = page.get_by_role("table", name="weights, layer second, head 3")
    cells = [float(cell) for cell in table.locator("td").all_inner_texts()]
    assert cells == pytest.approx(HEADS[1, 2].flatten().tolist(), abs=0.0056)


def test_two_pictures_do_not_disturb_each_other(page, both):
    shop, words = both
    shop.get_by_role("option", name="pen").click()
    before = shop.inner_html()
    words.get_by_role("option", name="laptop").click()
    words.get_by_role("radio", name="second").click()
    page.keyboard.press("ArrowRight")
    assert shop.inner_html() == before
    assert words.get_by_role("slider").count() == 0 and shop.get_by_role("radio").count() == 0


def test_without_scripts_a_plain_table_stands_there(browser, tmp_path):
    context = patient(browser.new_context(java_script_enabled=False))
    page = context.new_page()
    page.goto(exported(tmp_path), wait_until="domcontentloaded")
    assert [table.is_visible() for table in page.locator("table").all()] == [True, True]
    assert page.get_by_text(TITLES[0], exact=True).is_visible() and page.get_by_text("A shop.").is_visible()
    cells = [float(cell) for cell in page.locator("table").first.locator("td").all_inner_texts()]
    assert cells == pytest.approx(torch.softmax(SHOP_SCORES, -1).flatten().tolist(), abs=0.0056)
    context.close()


def test_it_works_in_a_sandboxed_frame_as_hosted_notebooks_have_it(page, tmp_path):
    frame = f'<iframe sandbox="allow-scripts" width="800" height="600" srcdoc="{escape(pictures()[0]._repr_html_())}">'
    path = tmp_path / "frame.html"
    path.write_text(f'<!doctype html><meta charset="utf-8">{frame}</iframe>', encoding="utf-8")
    page.goto(path.as_uri())
    inside = page.frame_locator("iframe")
    inside.get_by_role("option", name="pen").click()
    page.keyboard.press("ArrowDown")
    assert inside.get_by_role("status").inner_text().startswith("school attends to backpack")


def test_nothing_is_fetched(page, tmp_path):
    page.goto(bare(tmp_path, ""))
    page.locator("[role=option]").first.hover()
    assert [address for address in page.asked if not address.startswith("file:")] == []


@pytest.mark.thorough
def test_lines_move_smoothly_unless_a_person_wants_less_motion(page, both):
    shop, _ = both
    width = "parseFloat(node.getRootNode().querySelectorAll('.chosen path')[2].style.strokeWidth)"
    at_once = f"node => {{ node.click(); return {width} }}"
    option = shop.get_by_role("option", name="pen")
    still = option.evaluate(at_once)  # the fixture asks for reduced motion
    assert still > 10
    page.keyboard.press("Escape")
    page.emulate_media(reduced_motion="no-preference")
    shop.get_by_role("option", name="school").click()
    page.wait_for_timeout(400)
    assert option.evaluate(at_once) < still / 2
    wait("the line does not reach its width", lambda: option.evaluate(f"node => {width}") == still)


def audit(page, where="document", judged=("aria-required-children", "color-contrast")):
    """Runs axe-core, with its rules for WCAG 2.2 AA and its best practices; returns one line for each violation.

    `judged` are rules that must have found something to judge.
    """
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None:
        pytest.skip("axe-core is not here: pip install axe-playwright-python")
    page.evaluate((Path(spec.origin).parent / "axe.min.js").read_text("utf-8"))
    found = page.evaluate(f"axe.run({where})")
    assert set(judged) <= {rule["id"] for rule in found["passes"]}
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


@pytest.mark.thorough  # the page in JupyterLab is audited in every test
@pytest.mark.parametrize(
    "style",
    [
        "body { background: white; color: rgba(0, 0, 0, 0.87) }",
        "body { background: #111; color: rgba(255, 255, 255, 0.87) }",
        "body { background: #383838; color: #d5d5d5 }",
    ],
    ids=["light", "dark", "grey"],
)
def test_axe_finds_no_fault(page, tmp_path, style, request):
    page.goto(bare(tmp_path, style))
    assert audit(page) == []
    for picture in [page.get_by_role("group", name=title) for title in TITLES]:
        picture.get_by_role("option").nth(1).click()
        picture.get_by_text("The weights as a table").click()
    page.get_by_role("radio", name="second").click()
    page.get_by_role("option", name="the").hover()
    assert audit(page) == []
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"explorer-{request.node.callspec.id}.png", full_page=True)


@pytest.mark.thorough
def test_colours_follow_the_page(page, tmp_path):
    """The strong colour is the blue of the plots on white, its sky blue on black, with enough contrast on both."""
    stroke = "node => { const c = document.createElement('canvas').getContext('2d'); c.fillStyle ="
    stroke += " getComputedStyle(node).stroke; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data] }"
    for paper, ink, colour in (("white", "black", "#0072B2"), ("black", "white", "#56B4E9")):
        page.goto(bare(tmp_path, f"body {{ background: {paper}; color: {ink} }}"))
        drawn = page.locator(".chosen path").first.evaluate(stroke)[:3]
        expected = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        assert max(abs(one - two) for one, two in zip(drawn, expected, strict=True)) <= 12, (drawn, expected)


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a stranger's notebook with two pictures, where it is not trusted yet."""
    cells = []
    for title in TITLES:
        source = CODE.format(scores=SHOP_SCORES.tolist(), queries=SHOP[0], keys=SHOP[1], title=title).rstrip()
        stored = explore(torch.softmax(SHOP_SCORES, -1), *SHOP, scores=SHOP_SCORES, title=title, caption="A shop.")
        data = {"text/plain": repr(stored), "text/html": stored._repr_html_()}
        output = nbformat.v4.new_output("execute_result", data, execution_count=1)
        cells.append(nbformat.v4.new_code_cell(source, outputs=[output], execution_count=1))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "two.ipynb")
    with jupyterlab(tmp_path) as lab:
        yield lab


def test_in_jupyterlab(browser, lab):
    page = patient(browser.new_page(viewport={"width": 1200, "height": 1300}))
    try:
        page.goto(lab.address("two.ipynb"))
        tables = page.locator(".jp-NotebookPanel .jp-OutputArea-output table")
        tables.nth(1).wait_for()  # not trusted yet: tables, and nothing that runs
        assert tables.count() == 2 and page.get_by_role("group", name=TITLES[0]).count() == 0
        lab.run_all(page)
        first, second = (page.get_by_role("group", name=title) for title in TITLES)
        second.wait_for()
        weights = torch.softmax(SHOP_SCORES, -1).tolist()
        first.get_by_role("option", name="notebook").click()
        active = "document.querySelectorAll('.jp-Notebook .jp-Cell')[0].classList.contains('jp-mod-active')"
        was_active = page.evaluate(active)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        assert first.get_by_role("status").inner_text() == sentence("school", weights[2], SHOP[1])
        assert page.evaluate(active) == was_active, "an arrow key has moved to another cell"
        first.get_by_role("slider").focus()
        for _ in range(3):  # 0.8, 0.6, 0.5
            page.keyboard.press("ArrowLeft")
        halved = torch.softmax(SHOP_SCORES[2] / 0.5, -1)
        assert shown(first) == pytest.approx(halved.tolist(), abs=0.01)
        assert second.get_by_role("status").inner_text().startswith("Choose")
        page.add_style_tag(content="body { height: 100vh }")  # it has none, and axe-core would judge no colours
        outputs = "{include: [['.attention-explorer']]}"
        assert audit(page, outputs) == []
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTEFACTS / "explorer-lab-light.png")
        page.get_by_role("menuitem", name="Settings", exact=True).click()
        page.get_by_text("Theme", exact=True).hover()
        page.get_by_text("JupyterLab Dark", exact=True).click()
        page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
        page.wait_for_timeout(500)
        second.get_by_role("option", name="pen").hover()
        assert audit(page, outputs) == []
    finally:
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTEFACTS / "explorer-lab.png")
        page.close()
