"""A real browser and a JupyterLab of its own, for the tests that look at pages as people do."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from installation import ROOT, environment
from patience import PATIENCE

import course

ARTEFACTS = ROOT / "artefacts"  # screenshots
PLACES = (
    *("chromium", "chromium-browser", "google-chrome", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def chromium() -> str:
    """The path of a Chromium or Chrome; skips the test where there is none."""
    named = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else PLACES)), None)
    return found or pytest.skip("no Chromium here: install one, or name its path in the variable CHROMIUM")


def patient(page: Any) -> Any:
    """Lets a page, or a context, wait as long as everything here does, and gives it back."""
    page.set_default_timeout(1000 * PATIENCE)
    return page


def wait(what: str, attempt: Callable[[], Any], progress: Callable[[], Any] = lambda: None) -> Any:
    """Calls `attempt` until it returns something true, and returns that.

    Fails when PATIENCE went by in which nothing came of it, and `progress` stayed what it was.
    """
    at, end = progress(), time.monotonic() + PATIENCE
    while time.monotonic() < end:
        result = attempt()
        if result:
            return result
        if (now := progress()) != at:  # slow is no failure
            at, end = now, time.monotonic() + PATIENCE
        time.sleep(0.5)
    pytest.fail(f"after {PATIENCE} seconds: {what}")


class Lab(NamedTuple):
    """A running JupyterLab."""

    url: str
    token: str
    folder: Path

    def address(self, path: str) -> str:
        """Where a notebook opens."""
        return f"{self.url}lab/tree/{path}?token={self.token}"

    def is_idle(self) -> bool:
        """Whether a kernel is connected and has nothing to do."""
        request = urllib.request.Request(f"{self.url}api/kernels", headers={"Authorization": f"token {self.token}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                kernels = json.load(answer)
        except OSError:  # its first answers may be errors
            return False
        return any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels)

    def run_all(self, page: Any) -> None:
        """Run All, from the menu, as soon as the kernel is ready."""
        wait("the kernel is not ready", self.is_idle)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()


@contextmanager
def jupyterlab(folder: Path) -> Iterator[Lab]:
    """JupyterLab on a folder as `course.py lab` starts it, without the user's own settings."""
    own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    own = {name: str(folder / "jupyter" / inside) for name, inside in own.items()}
    ends = ["--ServerApp.shutdown_no_activity_timeout=900", "--MappingKernelManager.cull_idle_timeout=600"]
    ends.append("--MappingKernelManager.cull_connected=True")  # it ends by itself, should this test be killed
    command = course.lab_command(browser=False, more=ends, folder=folder)
    command[0] = sys.executable  # the Python that runs this test, be it in .venv or conda's
    log = folder / "log.txt"
    group = {"start_new_session": True} if os.name == "posix" else {}
    with log.open("wb") as stream:
        variables = environment(**own, **course.CALM)
        child = subprocess.Popen(command, cwd=folder, env=variables, stdout=stream, stderr=stream, **group)
    try:

        def started():
            assert child.poll() is None, f"JupyterLab has ended:\n{log.read_text('utf-8', 'replace')}"
            texts = [path.read_text("utf-8") for path in (folder / "jupyter/runtime").glob("jpserver-*.json")]
            return texts and texts[0].endswith("}") and json.loads(texts[0])

        said = wait(f"JupyterLab does not answer, see {log}", started)
        yield Lab(said["url"], said["token"], folder)
    finally:
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGTERM)
        else:
            subprocess.call(["taskkill", "/F", "/T", "/PID", str(child.pid)], stdout=subprocess.DEVNULL)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL) if os.name == "posix" else child.kill()
            child.wait(20)
