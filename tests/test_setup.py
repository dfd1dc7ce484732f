"""Setting up: one list of dependencies, installed once; a step that fails says what to do."""

import json
import os
import re
import subprocess
import sys
import time
import tomllib

import bounds
import installation
import pytest
import supported
import yaml
from installation import ROOT, Stop
from one_at_a_time import one_at_a_time

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WANTED = [text for extra in ("dev", "audit", "site") for text in PROJECT["optional-dependencies"][extra]]
WANTED += PROJECT["dependencies"]
NAME = re.compile(r"[A-Za-z0-9._-]+")


def lines(name):
    text = (ROOT / name).read_text("utf-8")
    return [line.split("#")[0].strip() for line in text.splitlines() if line.split("#")[0].strip()]


def names(requirements):
    return {NAME.match(requirement).group().lower() for requirement in requirements}


# ---- one list of dependencies ----


def test_the_tested_set_holds_exactly_the_direct_dependencies():
    wanted = names(WANTED)
    pinned = lines("constraints.txt")
    assert all(re.fullmatch(r"[a-z0-9._-]+==[0-9][0-9a-z.]*", line) for line in pinned)
    assert names(pinned) == wanted
    assert len(pinned) == len(wanted)


def test_each_tested_version_is_within_its_bounds():
    from packaging.requirements import Requirement

    pinned = dict(line.split("==") for line in lines("constraints.txt"))
    for text in WANTED:
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
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    jobs = workflow["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert {system.split("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    calls = {name: " ".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()}
    assert calls["test"].strip() == "bash .ci/run" and calls["thorough"].strip() == "bash .ci/run --thorough"
    assert {one["versions"] for one in jobs["bounds"]["strategy"]["matrix"]["include"]} == {"lowest-direct", "highest"}
    assert "schedule" in workflow[True]  # YAML reads the key `on` as true


def test_other_versions_are_pinned_for_exactly_the_direct_dependencies():
    resolved = "".join(f"{name}==1.{place}\n" for place, name in enumerate([*bounds.direct(), "of-others"]))
    pinned = bounds.pins(resolved, bounds.direct()).splitlines()
    assert names(pinned) == names(lines("constraints.txt")) and len(pinned) == len(lines("constraints.txt"))
    assert bounds.pins("PyYAML==6.0.1\nnoto_x==2\n", ["noto-x", "pyyaml"]) == "noto-x==2\npyyaml==6.0.1\n"
    with pytest.raises(KeyError, match="torch"):
        bounds.pins("numpy==2.0\n", ["torch"])


# ---- setting up ----


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A folder that stands for the course, in which nothing is really installed; the calls of pip are recorded."""
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    monkeypatch.setattr(installation, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(installation, "STAMP", tmp_path / ".venv" / "course.json")
    monkeypatch.setattr(installation, "LOCK", tmp_path / ".venv.lock")
    monkeypatch.setattr(installation, "lacking", lambda names: [])
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


def test_a_package_that_is_gone_behind_an_intact_stamp_is_installed_again(copy, monkeypatch, capsys):
    _, calls = copy
    installation.set_up(["dev"])
    monkeypatch.setattr(installation, "lacking", lambda names: [name for name in names if name == "seaborn"])
    assert installation.set_up([]) is True
    assert calls[-1][-1] == ".[dev]", "with the extras that were there"
    assert capsys.readouterr().out.count("Gone from .venv since it was set up: seaborn.") == 1


def test_every_direct_dependency_is_looked_for(monkeypatch):
    asked = installation.direct_dependencies(["dev"])
    assert names(asked) == names([PROJECT["name"], *PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]])
    monkeypatch.setattr(installation, "venv_python", lambda: sys.executable)
    assert installation.lacking(["pytest", "no-such-package", "PyYAML"]) == ["no-such-package"]


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


@pytest.mark.parametrize(
    ("version", "why"),
    [((3, 9, 1), r"3\.9, is too old"), ((3, 10), "too old"), ((3, 15, 0), r"3\.15, is so new"), ((4, 0), "so new")],
)
def test_a_python_that_torch_has_no_build_for_is_told_which_do(version, why):
    with pytest.raises(Stop, match=r"needs Python 3\.11 to 3\.14, and this one, .*" + why):
        supported.check_python(version)


def test_the_bounds_of_python_are_those_of_the_project():
    assert PROJECT["requires-python"] == ">=" + ".".join(map(str, supported.OLDEST))
    for minor in range(supported.OLDEST[1], supported.NEWEST[1] + 1):
        supported.check_python((3, minor, 2))


@pytest.mark.parametrize(
    ("system", "remedy"),
    [
        (("linux-i686", 32), "64-bit Python"),
        (("win32", 32), "64-bit Python"),
        (("win-arm64", 64), "for x86-64"),
        (("macosx-11.0-arm64", 64, "13.6.1"), "macOS 14 or newer, and this is 13.6.1"),
        (("macosx-10.13-x86_64", 64, "15.1"), "Intel.*Rosetta"),
    ],
)
def test_a_system_that_torch_has_no_build_for_is_told_what_to_do(system, remedy):
    with pytest.raises(Stop, match=remedy):
        supported.check_system(*system)


@pytest.mark.parametrize(
    "system", [("linux-x86_64", 64), ("linux-aarch64", 64), ("win-amd64", 64), ("macosx-11.0-arm64", 64, "14.0")]
)
def test_a_system_that_torch_has_a_build_for_passes(system):
    supported.check_system(*system)


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


# ---- two starts at once, and one that is killed ----


def test_a_second_start_waits_and_then_finds_everything_done(tmp_path, capsys):
    path, code = tmp_path / "x.lock", "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path"
    code += "; from one_at_a_time import one_at_a_time as one; lock = one(Path(sys.argv[2])); lock.__enter__()"
    code += "; print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(ROOT / "tools"), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline().strip() == b"held"
        slept = []

        def sleep(seconds):
            slept.append(seconds)
            other.kill()  # killed, not asked to end: the lock must go with it
            other.wait()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "sleep", sleep)
            with one_at_a_time(path):
                pass
    assert slept == [0.5]
    assert capsys.readouterr().out.startswith("Another start of the course is setting up this folder: waiting for it.")


def test_without_a_place_for_the_lock_everything_goes_on(tmp_path):
    with one_at_a_time(tmp_path / "not there" / "x.lock"):
        pass


def test_nobody_waits_when_nobody_else_sets_up(tmp_path, capsys):
    for _ in range(2):
        with one_at_a_time(tmp_path / "x.lock"):
            pass
    assert capsys.readouterr().out == ""


def test_another_start_that_installed_while_we_waited_leaves_nothing_to_do(copy, monkeypatch):
    _, calls = copy

    class Waited:
        def __enter__(self):
            installation.install({"dev"}, cpu=False)

        def __exit__(self, *problem):
            return None

    monkeypatch.setattr(installation, "one_at_a_time", lambda path: Waited())
    assert installation.set_up([]) is False
    assert len(calls) == 1


def test_what_a_killed_start_had_begun_ends_with_it(tmp_path):
    """The middle process stands for course.py, and the module `endless` for pip."""
    (tmp_path / "endless.py").write_text(
        "import os, time\nprint(os.getpid(), flush=True)\nwhile True: time.sleep(0.05)\n", "utf-8"
    )
    code = f"""
import sys; sys.path.insert(0, {str(ROOT / "tools")!r})
import installation
installation.venv_python = lambda: sys.executable
installation.environment = lambda **more: {{**__import__("os").environ, "PYTHONPATH": {str(tmp_path)!r}}}
installation.run_with_us("endless").wait()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as middle:
        assert int(middle.stdout.readline()) != middle.pid
        middle.kill()
        assert middle.stdout.read() == b"", "the pipe closes when the last process that writes to it has ended"


def test_a_child_that_ends_by_itself_tells_its_status(monkeypatch):
    monkeypatch.setattr(installation, "venv_python", lambda: sys.executable)
    with installation.run_with_us("pip", "--version", stdout=subprocess.PIPE) as child:
        assert child.stdout.read().startswith(b"pip ") and child.wait() == 0
    with installation.run_with_us("no_such_module", stderr=subprocess.PIPE) as child:
        assert b"No module named no_such_module" in child.stderr.read() and child.wait() == 1


# ---- a terminal, a file or a pipe that lacks our signs ----


@pytest.mark.parametrize("encoding", ["cp1252", "cp936", "ascii"])
def test_a_sign_that_the_output_lacks_becomes_a_question_mark(encoding):
    code = "from course_utils.terminal import print_anyway; print_anyway(); print('\\u2713 \\u0e01 done')"
    variables = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=variables, capture_output=True)
    assert done.returncode == 0 and done.stdout.rstrip().endswith(b"? done")


@pytest.mark.parametrize("name", ["course.py", "tools/build.py", "course_utils/__main__.py"])
def test_every_command_prints_whatever_the_output_lacks(name):
    assert re.search(r"^    print_anyway\(\)$", (ROOT / name).read_text("utf-8"), re.MULTILINE)
