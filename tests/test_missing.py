"""colab: what a hosted runtime lacks, by name, marker and version, and what is never touched there."""

import importlib.metadata
import subprocess

import pytest

from course_utils import colab
from course_utils.colab import install_missing, missing


@pytest.fixture
def runtime(monkeypatch):
    """A runtime with packages of our choosing: (present versions by name, requirements by name, what pip installed)."""
    present, needs, installed = {}, {}, []

    def version(name):
        if name not in present:
            raise importlib.metadata.PackageNotFoundError(name)
        return present[name]

    def pip(command, **_):
        installed.append(command[-1])
        present[command[-1].split(">")[0]] = "99"
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(colab.importlib.metadata, "version", version)
    monkeypatch.setattr(colab.importlib.metadata, "requires", needs.__getitem__)
    monkeypatch.setattr(colab.subprocess, "run", pip)
    return present, needs, installed


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        ("babel>=2.12", ["babel>=2.12"]),  # absent
        ("seaborn", []),  # present
        ("seaborn>=0.13", ["seaborn>=0.13"]),  # present, and too old
        ("tqdm>=4.66", []),  # present, and new enough
        ("torch>=99", []),  # never touched, whatever its version
        ("numpy>=99", []),
        ("jupyterlab>=4", []),  # a hosted notebook is its own front end
        ('ruff; extra == "dev"', []),  # an extra
        ('colorama; sys_platform == "no such platform"', []),  # another platform's
        ('portalocker>=1; python_version >= "3"', ["portalocker>=1"]),  # a marker that holds
    ],
)
def test_a_requirement_is_missing_when_it_is_ours_and_absent_or_too_old(runtime, requirement, said):
    present, needs, _ = runtime
    present.update(seaborn="0.12.2", tqdm="4.70.1", torch="2.11", numpy="2.1")
    needs["attention-course"] = [requirement]
    assert missing() == said


def test_what_a_missing_package_needs_is_installed_too(runtime):
    present, needs, installed = runtime
    present["babel"] = "2.18"
    needs.update(
        {
            "attention-course": ["torch>=2.6", "sacrebleu>=2.4", "babel"],
            "sacrebleu": ["numpy", "portalocker", 'lxml; extra == "x"'],
            "portalocker": [],
        }
    )
    install_missing()
    assert installed == ["sacrebleu>=2.4", "portalocker"]


def test_a_failure_of_pip_is_told_in_its_own_words(runtime, monkeypatch):
    _, needs, _ = runtime
    needs["attention-course"] = ["babel"]
    monkeypatch.setattr(
        colab.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "no network")
    )
    with pytest.raises(RuntimeError, match="babel.*\n.*no network"):
        install_missing()
