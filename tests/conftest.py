"""What several files of tests share."""

import pytest


@pytest.fixture(scope="module")  # its event loop must not stay: others run loops of their own
def browser():
    """A Chromium, started once a file; the test is skipped where there is none."""
    from browser import FLAGS, chromium

    program = chromium()
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
