"""The course on the web, built by its own command: every link leads somewhere, nothing is asked of anybody else."""

import functools
import gzip
import http.server
import os
import re
import subprocess
import sys
import threading
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from browser import ARTEFACTS, patient
from clean_copy import ADDRESS, clean_copy
from installation import ROOT
from test_explorer_browser import audit

pytest.importorskip("furo")
THOROUGH = os.environ.get("ATTENTION_COURSE_THOROUGH") == "1"
LESSON = "notebooks/02_scores.html"  # it has formulas, folded answers, figures, and a living picture
LESSONS = [LESSON, "notebooks/01_search.html"]
CLOSED = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}  # nobody listens there
SCHEMES = ["light", "dark"]


class Page(HTMLParser):
    """What stands in a page: its anchors, its links, what it fetches, its pictures."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.ids, self.links, self.fetched, self.pictures, self.blocking = set(), [], [], [], []
        self.head = True
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, pairs):
        told = dict(pairs)
        self.ids |= {told[name] for name in ("id", "name") if told.get(name)}
        self.head &= tag != "body"
        if tag == "a" and told.get("href"):
            self.links.append(told["href"])
        if tag == "img":
            self.pictures.append(told)
        if tag == "script" and told.get("src") and self.head and not {"defer", "async"} & told.keys():
            self.blocking.append(told["src"])
        source = told.get("src") or (told.get("href") if tag == "link" and _is_fetched(told) else None)
        if source:
            self.fetched.append(source)


def _is_fetched(told):
    return {"stylesheet", "icon", "preload", "prefetch", "shortcut"} & set(told.get("rel", "").split())


def build_site(folder, chosen=(), root=ROOT):
    """Builds the site by its command, without a network."""
    command = [sys.executable, "-m", "website", *chosen, "--into", str(folder)]
    told = {**os.environ, **CLOSED, "PYTHONPATH": str(root / "tools"), "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=root, env=told, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One lesson and all other pages, or with --thorough all."""
    return build_site(tmp_path_factory.mktemp("web") / "site", [] if THOROUGH else ["02"])


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob("*.html"))}


def test_every_link_and_every_anchor_leads_somewhere(site, pages):
    lost = []
    for name, page in pages.items():
        for link in page.links + page.fetched:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in ("https", "mailto", "data"), f"{name}: {link}"
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            if not target.resolve().is_file():
                lost.append(f"{name}: {link} is not there")
            elif parts.fragment and target.suffix == ".html":
                there = pages[target.resolve().relative_to(site.resolve()).as_posix()]
                if unquote(parts.fragment) not in there.ids:
                    lost.append(f"{name}: {link} has no such place")
    assert not lost, "\n".join(lost)


def test_nothing_comes_from_elsewhere_and_nothing_holds_up_the_first_paint(pages):
    for name, page in pages.items():
        assert not [source for source in page.fetched if urlsplit(source).scheme not in ("", "data")], name
        assert not page.blocking, f"{name} waits for {page.blocking}"


def test_every_picture_says_what_to_see_and_how_large_it_is(pages):
    seen = 0
    for name, page in pages.items():
        for picture in page.pictures:
            assert len(picture.get("alt") or "") >= 30, f"{name}: {picture}"
            assert {"width", "height"} <= picture.keys() and picture.get("loading") == "lazy", f"{name}: {picture}"
            seen += 1
    assert seen >= 9


def weight(site, name, pages):
    """Bytes of a page and of all that it fetches, as sent: pictures as they are, the rest through gzip."""
    files = {(site / name).resolve()}
    files |= {((site / name).parent / urlsplit(link).path).resolve() for link in pages[name].fetched}
    for path in [path for path in files if path.suffix == ".css"]:
        found = re.findall(r"url\(\"?([^)\"]+)\"?\)", path.read_text("utf-8"))
        files |= {(path.parent / one).resolve() for one in found if not one.startswith("data:")}
    sent = [path.read_bytes() for path in sorted(files)]
    return sum(min(len(data), len(gzip.compress(data, 6))) for data in sent)


def test_pages_are_light(site, pages):
    assert weight(site, "index.html", pages) <= 600_000
    for name in pages:
        if name.startswith("notebooks/"):
            assert weight(site, name, pages) <= 2_500_000, name


def test_every_kind_of_page_is_there(pages):
    wanted = ["index", "exercises", "claims", "results", "start", "teach", "contributing", "changelog", "search"]
    wanted += ["reference/glossary", "reference/sheet", "reference/help", "reference/map", "api/index", "api/attention"]
    assert {f"{name}.html" for name in wanted} <= pages.keys()


def test_without_an_address_nothing_points_to_one(site):
    from website import address

    if address.repository():
        pytest.skip("the address is known")
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        assert "og:url" not in text and "colab.research.google.com" not in text and 'rel="edit"' not in text, path.name


@pytest.mark.thorough
def test_with_an_address_ways_to_colab_cards_and_edit_links_appear(tmp_path):
    copy = clean_copy(tmp_path / "clean")
    built = build_site(tmp_path / "site", ["02"], copy)
    home, lesson = ((built / name).read_text("utf-8") for name in ("index.html", LESSON))
    assert '"og:url" content="https://owner.github.io/name/index.html"' in home
    assert '"og:image" content="https://owner.github.io/name/figures/alignment.png"' in home
    assert (built / "figures/alignment.png").is_file()
    assert f'href="{ADDRESS}/edit/main/lessons/02_scores.md"' in lesson
    assert 'href="https://colab.research.google.com/github/owner/name/blob/main/notebooks/02_scores.ipynb"' in lesson
    assert not [source for source in Page(built / LESSON).fetched if urlsplit(source).scheme not in ("", "data")]


# ---- in a real browser ----


@pytest.fixture(scope="module")
def served(site):
    """The site's address on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def visit(browser, served):
    """Opens a page; at the end, no script has failed and nobody else was asked for anything."""
    contexts, asked, complaints = [], [], []

    def open_page(name, scheme="light", width=1280, **more):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **more
        )
        contexts.append(context)
        page = patient(context).new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.on("response", lambda got: complaints.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        page.goto(served + name)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
    assert [url for url in asked if not url.startswith((served, "data:", "blob:"))] == []


def kept(page, name):
    """Keeps a screenshot for people."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"site-{name.replace('/', '-')}.png")


@pytest.mark.browser
def test_home_is_alive(visit):
    page = visit("index.html")
    picture = page.get_by_role("group").filter(has=page.get_by_role("slider")).first
    picture.get_by_role("option").first.click()
    assert "attends to" in picture.get_by_role("status").inner_text()
    assert audit(page) == []
    kept(page, "home")


@pytest.mark.browser
def test_an_answer_is_one_click_away(visit):
    page = visit(LESSON)
    cell = page.locator("#cell-rule-1-as-a-loop")
    fold = cell.locator("xpath=following-sibling::*[1]")
    assert fold.evaluate("node => node.matches('details.answer:not([open])')")
    words = fold.get_by_text("Not at all. Every customer is offered the laptop")
    assert not words.is_visible(), "the words that read the answer stay hidden with it"
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert words.is_visible() and fold.locator("pre").is_visible()
    assert page.locator("math").count() > 20 and page.locator(".formula math").first.bounding_box()["height"] > 12
    assert page.evaluate("document.fonts.ready.then(all => [...all].some(font => font.status === 'loaded'))")
    assert "Course formulas" in page.locator("math").first.evaluate("node => getComputedStyle(node).fontFamily")
    kept(page, "lesson")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_court_is_held_on_its_page(visit, scheme):
    page = visit("claims.html", scheme)
    card = page.locator("#scaled-dot-is-cosine")
    assert not card.get_by_text("Cosine divides by both norms").is_visible()
    card.get_by_role("button", name="wrong", exact=True).click()
    assert card.get_by_role("status").inner_text() == "You agree with the verdict."
    assert audit(page, judged=("color-contrast", "heading-order")) == []
    kept(page, f"claims-{scheme}")
    card.get_by_role("link", name="lesson 02").click()
    assert page.url.endswith("notebooks/02_scores.html#cell-cosine-is-not-scaled-dot")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index.html", LESSON])
def test_a_narrow_screen_scrolls_down_only(visit, name):
    page = visit(name, "dark", 360)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    kept(page, f"{name.removesuffix('.html')}-narrow")


@pytest.mark.browser
@pytest.mark.thorough
def test_no_page_scrolls_sideways_or_fails_on_a_narrow_screen(visit, pages):
    for name in pages:
        page = visit(name, "dark", 360)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        page.context.close()


@pytest.mark.browser
@pytest.mark.thorough
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "name", ["index.html", *LESSONS, "exercises/02_scores.html", "reference/glossary.html", "reference/map.html"]
)
def test_axe_finds_no_fault(visit, name, scheme):
    # the colours of code are judged in the exercises: in a lesson their thousands of words take a minute
    where = "{exclude: [['.highlight pre']]}" if name in LESSONS else "document"
    for width in (1400, 360):
        page = visit(name, scheme, width)
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        page.wait_for_timeout(200)  # what the folds held learns its width
        assert audit(page, where, ["color-contrast", "link-name", "heading-order"]) == []
        kept(page, f"{name.removesuffix('.html')}-{scheme}-{width}")
        page.context.close()


@pytest.mark.browser
@pytest.mark.thorough
def test_search_finds_words_of_every_kind_of_page(visit):
    page = visit("search.html?q=bottleneck")
    page.locator("#search-results li").first.wait_for()
    found = page.locator("#search-results li a").evaluate_all("all => all.map(link => link.getAttribute('href'))")
    assert any("notebooks/00_start" in link for link in found) and any("glossary" in link for link in found)
    page = visit("search.html?q=masked_softmax")
    page.locator("#search-results li").first.wait_for()
    first = page.locator("#search-results li a").first.get_attribute("href")
    assert "api/attention" in first


@pytest.mark.browser
@pytest.mark.thorough
def test_the_keyboard_reaches_lists_at_the_side_and_boxes_that_scroll(visit):
    page = visit(LESSON, width=360)
    menu = page.get_by_role("button", name="All pages")
    page.keyboard.press("Tab")
    assert "skip-to-content" in page.evaluate("document.activeElement.className")
    page.keyboard.press("Tab")
    assert menu.evaluate("node => node === document.activeElement"), "lists that are out of sight are skipped"
    assert not page.get_by_role("textbox", name="Search").is_visible()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Search").wait_for()
    assert menu.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="Search").wait_for(state="hidden")
    wide = "all => all.filter(box => box.scrollWidth > box.clientWidth + 1 && box.tabIndex !== 0).length"
    assert page.locator("article pre, article .math-wrapper, article .table-wrapper").evaluate_all(wide) == 0


@pytest.mark.browser
@pytest.mark.thorough
def test_paper_shows_what_is_folded(visit):
    page = visit(LESSON)
    page.emulate_media(media="print")
    answer = page.locator("details.answer pre").first
    assert answer.bounding_box()["height"] > 10
    assert not page.locator(".sidebar-drawer").is_visible()


@pytest.mark.browser
@pytest.mark.thorough
def test_without_scripts_a_lesson_can_be_read(visit):
    page = visit(LESSON, java_script_enabled=False)
    assert page.locator(".attention-explorer table").is_visible() and page.locator("math").first.is_visible()
    page.locator("details.answer summary").first.click()
    assert page.locator("details.answer pre").first.is_visible()


@pytest.mark.browser
@pytest.mark.thorough
def test_light_and_dark_can_be_chosen_and_the_living_picture_follows(visit):
    page = visit("index.html", "light")
    ink = "node => getComputedStyle(node).color"
    option = page.get_by_role("option").first
    seen = {option.evaluate(ink)}
    for _ in range(2):
        page.locator(".theme-toggle-content .theme-toggle").click()
        seen.add(option.evaluate(ink))
    assert len(seen) == 2
