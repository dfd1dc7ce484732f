"""Setting up: one list of dependencies, installed once; a step that fails says what to do."""

import json
import re
import sys
import tomllib

import installation
import pytest
import yaml
from installation import ROOT, Stop

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAME = re.compile(r"[A-Za-z0-9._-]+")


def lines(name):
    text = (ROOT / name).read_text("utf-8")
    return [line.split("#")[0].strip() for line in text.splitlines() if line.split("#")[0].strip()]


def names(requirements):
    return {NAME.match(requirement).group().lower() for requirement in requirements}


# ---- one list of dependencies ----


def test_the_tested_set_holds_exactly_the_direct_dependencies():
    wanted = names(PROJECT["dependencies"]) | names(PROJECT["optional-dependencies"]["dev"])
    pinned = lines("constraints.txt")
    assert all(re.fullmatch(r"[a-z0-9._-]+==[0-9][0-9a-z.]*", line) for line in pinned)
    assert names(pinned) == wanted
    assert len(pinned) == len(wanted)


def test_each_tested_version_is_within_its_bounds():
    from packaging.requirements import Requirement

    pinned = dict(line.split("==") for line in lines("constraints.txt"))
    for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pinned[requirement.name.lower()]), text
        assert not requirement.marker, f"{text}: in Colab the first cell installs by name, without markers"


def test_conda_gives_python_and_pip_and_pip_does_the_rest():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert conda["name"] == PROJECT["name"]
    *plain, last = conda["dependencies"]
    assert plain == [f"python{PROJECT['requires-python']}", "pip"]
    assert last == {"pip": ["-c constraints.txt", "-e .[dev]"]}


def test_the_package_has_its_version_in_one_place():
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"] == PROJECT["version"]


def test_continuous_integration_covers_the_promised_systems_and_versions():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert {system.split("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    assert any("bash .ci/run" in step.get("run", "") for step in jobs["test"]["steps"])


# ---- setting up ----


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A folder that stands for the course, in which nothing is really installed; the calls of pip are recorded."""
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    monkeypatch.setattr(installation, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(installation, "STAMP", tmp_path / ".venv" / "course.json")
    monkeypatch.setattr(installation, "make_venv", lambda: (tmp_path / ".venv").mkdir(exist_ok=True))
    monkeypatch.setattr(installation, "fetch_data", lambda: None)
    calls = []
    monkeypatch.setattr(installation, "pip_install", lambda *arguments: calls.append(arguments))
    return tmp_path, calls


def test_a_second_set_up_does_nothing(copy):
    _, calls = copy
    assert installation.set_up(["dev"]) is True
    assert installation.set_up(["dev"]) is False
    assert installation.set_up([]) is False, "`lab` after `test` takes nothing away"
    assert calls == [("-c", "constraints.txt", "-e", ".[dev]")]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_what_changed_is_installed_with_the_extras_that_were_there(copy, name):
    folder, calls = copy
    installation.set_up(["dev"])
    (folder / name).write_text((folder / name).read_text("utf-8") + "# changed\n", "utf-8")
    assert installation.set_up([]) is True
    assert calls[-1][-1] == ".[dev]"


def test_an_installation_that_failed_leaves_no_stamp(copy, monkeypatch):
    folder, _ = copy
    installation.set_up([])

    def fail(*arguments):
        raise Stop("no network")

    monkeypatch.setattr(installation, "pip_install", fail)
    with pytest.raises(Stop):
        installation.set_up(["dev"])
    assert not (folder / ".venv" / "course.json").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"key": 1}'])
def test_a_damaged_stamp_counts_as_none(copy, content):
    folder, calls = copy
    installation.set_up([])
    (folder / ".venv" / "course.json").write_text(content, "utf-8")
    assert installation.set_up([]) is True
    assert len(calls) == 2


@pytest.mark.parametrize(("platform", "asked"), [("linux", True), ("darwin", False), ("win32", False)])
def test_only_linux_has_an_index_without_cuda(copy, monkeypatch, platform, asked):
    _, calls = copy
    monkeypatch.setattr(sys, "platform", platform)
    installation.set_up([], cpu=True)
    with_index = [call for call in calls if installation.CPU_INDEX in call]
    assert bool(with_index) == asked
    assert all("--no-deps" in call and call[-1] == "torch" for call in with_index), (
        "PyTorch's index is asked for PyTorch only"
    )


def test_jupyterlab_asks_for_no_news(copy):
    folder, _ = copy
    installation.set_up([])
    settings = json.loads((folder / ".venv/share/jupyter/lab/settings/overrides.json").read_text("utf-8"))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_nothing_outside_the_folder_is_written_or_read(monkeypatch):
    for name in (
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "JUPYTER_PATH",
        "JUPYTER_CONFIG_DIR",
        "MPLBACKEND",
        "PIP_USER",
    ):
        monkeypatch.setenv(name, "elsewhere")
    made = installation.environment(OMP_NUM_THREADS="1")
    assert "elsewhere" not in made.values()
    assert made["OMP_NUM_THREADS"] == "1"
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        assert made[name].startswith(str(installation.VENV))


# ---- a step that fails says what to do ----


def test_an_old_python_is_told_what_it_needs():
    with pytest.raises(Stop, match=r"needs Python 3\.11 or newer, and this is 3\.9"):
        installation.check_python((3, 9, 1))
    installation.check_python((3, 11, 0))


def test_a_python_without_its_venv_part_is_told_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(installation, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(installation.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Stop, match="sudo apt install python3-venv"):
        installation.make_venv()


@pytest.mark.parametrize("python", [None, "#!/bin/sh\nexit 1\n"])
def test_a_broken_venv_is_told_the_remedy(tmp_path, monkeypatch, python):
    monkeypatch.setattr(installation, "VENV", tmp_path / ".venv")
    program = installation.VENV / "bin" / "python"
    program.parent.mkdir(parents=True)
    if python:
        program.write_text(python, "utf-8")
        program.chmod(0o755)
    with pytest.raises(Stop, match="delete the folder .venv"):
        installation.make_venv()


@pytest.mark.parametrize(
    ("errors", "remedy"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("WARNING: Retrying ... NewConnectionError('...: Failed to establish a new connection')", "check the network"),
        ("ERROR: No matching distribution found for torch==2.13.0", "64-bit Python"),
        ("/x/.venv/bin/python: No module named pip", "delete the folder .venv"),
        ("something else", "see its message above"),
    ],
)
def test_each_failure_of_pip_has_its_remedy(errors, remedy):
    assert remedy in installation.advice(errors)
