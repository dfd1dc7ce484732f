"""The first lesson in a real browser: JupyterLab opens it, Run All, no error, the figures are there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from installation import ROOT, environment

import course

LESSON = ROOT / course.FIRST_LESSON
ARTEFACTS = ROOT / "artefacts"
PLACES = (
    *("chromium", "chromium-browser", "google-chrome", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def chromium():
    """The path of a Chromium or Chrome; skips the test where there is none."""
    named = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else PLACES)), None)
    return found or pytest.skip("no Chromium here: install one, or name its path in the variable CHROMIUM")


def wait(seconds, what, attempt):
    """Calls `attempt` until it returns something true, and returns that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = attempt()
        if result:
            return result
        time.sleep(0.5)
    pytest.fail(f"after {seconds} seconds: {what}")


@pytest.fixture
def server(tmp_path):
    """JupyterLab as `course.py lab` starts it, on a copy without outputs; the address, the token and the folder."""
    (tmp_path / "notebooks").mkdir()
    notebook = nbformat.read(LESSON, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, tmp_path / "notebooks" / LESSON.name)
    own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    own = {name: str(tmp_path / "jupyter" / folder) for name, folder in own.items()}
    ends = ["--ServerApp.shutdown_no_activity_timeout=900", "--MappingKernelManager.cull_idle_timeout=600"]
    ends.append("--MappingKernelManager.cull_connected=True")  # it ends by itself, should this test be killed
    command = course.lab_command(browser=False, more=ends, folder=tmp_path)
    command[0] = sys.executable  # the Python that runs this test, be it in .venv or conda's
    log = tmp_path / "log.txt"
    group = {"start_new_session": True} if os.name == "posix" else {}
    with log.open("wb") as stream:
        variables = environment(**own, **course.CALM)
        child = subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=stream, stderr=stream, **group)
    try:
        runtime = tmp_path / "jupyter" / "runtime"

        def started():
            assert child.poll() is None, f"JupyterLab has ended:\n{log.read_text('utf-8', 'replace')}"
            texts = [path.read_text("utf-8") for path in runtime.glob("jpserver-*.json")]
            return texts and texts[0].endswith("}") and json.loads(texts[0])

        said = wait(60, f"JupyterLab does not answer, see {log}", started)
        yield said["url"], said["token"], tmp_path
    finally:
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGTERM)
        else:
            subprocess.call(["taskkill", "/F", "/T", "/PID", str(child.pid)], stdout=subprocess.DEVNULL)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)


def pictures(notebook):
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.browser
def test_the_first_lesson_runs_in_a_real_browser(server):
    program = chromium()
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    url, token, folder = server
    path = folder / "notebooks" / LESSON.name

    def kernel_is_idle():
        request = urllib.request.Request(f"{url}api/kernels", headers={"Authorization": f"token {token}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                kernels = json.load(answer)
        except OSError:  # its first answers may be errors
            return False
        return any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": 1300, "height": 1500})
        page.goto(f"{url}lab/tree/{course.FIRST_LESSON}?token={token}")
        page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=60_000)
        wait(60, "the kernel is not ready", kernel_is_idle)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()

        def saved_when_done():
            page.keyboard.press("Control+s")
            try:
                notebook = nbformat.read(path, as_version=4)
            except nbformat.reader.NotJSONError:  # it is being written at this moment
                return False
            cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
            failed = [cell for cell in cells if any(output.output_type == "error" for output in cell.outputs)]
            assert not failed, f"the cell {failed[0].id!r} fails: {failed[0].outputs}"
            return kernel_is_idle() and all(cell.execution_count for cell in cells) and notebook

        try:
            notebook = wait(400, "not every cell has run", saved_when_done)
            figure = page.locator(".jp-OutputArea-output img").first
            figure.scroll_into_view_if_needed()
            assert figure.evaluate("image => image.naturalWidth") > 200
        finally:
            ARTEFACTS.mkdir(exist_ok=True)
            page.screenshot(path=ARTEFACTS / f"browser-{LESSON.stem}.png")
            browser.close()

    stored = nbformat.read(LESSON, as_version=4)
    assert pictures(notebook) >= pictures(stored) > 0
    text = json.dumps(notebook)
    assert "Glyph" not in text, "a figure lacks a glyph"
