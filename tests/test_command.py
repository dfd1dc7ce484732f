"""The command `python course.py`: what it hands on, what it calls, and the one place for the public address."""

import subprocess
import sys
import tomllib

import public_address
import pytest
from installation import ROOT, Stop

import course

# ---- course.py: the command line ----


def test_arguments_of_others_are_handed_on_in_order():
    asked, more = course.parse(["test", "--cpu", "-k", "not browser", "-x", "tests/test_setup.py"])
    assert asked.command == "test" and asked.cpu and not asked.thorough
    assert more == ["-k", "not browser", "-x", "tests/test_setup.py"]
    asked, more = course.parse(["lab", "--no-browser", "--ip", "0.0.0.0"])
    assert asked.no_browser and more == ["--ip", "0.0.0.0"]


def test_other_commands_refuse_what_they_do_not_know(capsys):
    with pytest.raises(SystemExit):
        course.parse(["check", "--fast"])
    assert "unknown argument --fast" in capsys.readouterr().err


def test_the_tests_are_one_call_of_pytest_over_everything():
    command = course.test_command()
    assert command[-4:] == ["tests", "notebooks", "solutions", "exercises"]
    assert "--nbval" in command and command[command.index("--dist") + 1] == "loadscope"
    assert 2 <= int(command[command.index("-n") + 1]) <= 8


@pytest.mark.parametrize(
    ("more", "everything"),
    [
        (["-x"], True),
        (["-k", "tests"], True),  # a word to look for, though a folder has the same name
        (["tests/test_setup.py"], False),
        (["-x", "tests/test_setup.py::test_the_tests_are_one_call_of_pytest_over_everything"], False),
    ],
)
def test_a_path_takes_the_place_of_everything(more, everything):
    command = course.test_command(more)
    assert command[-len(more) :] == more
    assert ("solutions" in command) == everything


def test_thorough_checks_first_and_ends_with_the_round_that_failed(monkeypatch, capfd):
    calls = []
    monkeypatch.setattr(course, "build", lambda arguments: calls.append(("build", arguments)) or 0)
    monkeypatch.setattr(course, "run", lambda command, **more: calls.append((command, more)) or len(calls) // 3)
    assert course.test(True, []) == 1
    assert calls[0] == ("build", ["--check"])
    assert "tests" in calls[1][0] and "tests" not in calls[2][0]
    assert len(calls) == 3, "the third round does not follow a round that failed"
    assert "Round 2 of 3" in capfd.readouterr().out.splitlines()[-1]


def test_the_last_round_imitates_another_processor(monkeypatch):
    calls = []
    monkeypatch.setattr(course, "build", lambda arguments: 0)
    monkeypatch.setattr(course, "run", lambda command, **more: calls.append(more) or 0)
    assert course.test(True, []) == 0
    assert [("ATEN_CPU_CAPABILITY" in more, "MKL_CBWR" in more) for more in calls] == [
        (False,) * 2,
        (False,) * 2,
        (True,) * 2,
    ]
    assert all(more["OMP_NUM_THREADS"] == "1" for more in calls)


def test_thorough_says_when_notebooks_are_out_of_date(monkeypatch):
    monkeypatch.setattr(course, "build", lambda arguments: 1)
    with pytest.raises(Stop, match="course.py build"):
        course.test(True, [])


def test_the_lab_opens_the_first_lesson():
    command = course.lab_command(browser=False, more=["--port", "9999"])
    assert f"--LabApp.default_url=/lab/tree/{course.FIRST_LESSON}" in command
    assert (ROOT / course.FIRST_LESSON).exists()
    assert "--no-browser" in command and command[-2:] == ["--port", "9999"]
    assert "--no-browser" not in course.lab_command(browser=True)


def test_without_a_screen_no_browser_is_opened(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert not course.has_browser()


def test_course_py_ends_with_the_sentence_and_an_exit_status(tmp_path):
    code = (
        "import runpy, sys; sys.path.insert(0, sys.argv[1] + '/tools'); import installation;"
        "installation.OLDEST = (9, 9);"
        "path = sys.argv[1] + '/course.py'; sys.argv = [path, 'lab']; runpy.run_path(path, run_name='__main__')"
    )
    said = subprocess.run([sys.executable, "-c", code, str(ROOT)], capture_output=True, text=True, cwd=tmp_path)
    assert said.returncode == 1
    assert "The course needs Python" in said.stderr and "Traceback" not in said.stderr


# ---- the address ----


@pytest.mark.parametrize(
    ("text", "remote", "address"),
    [
        ("https://github.com/owner/name", False, "https://github.com/owner/name"),
        ("https://github.com/owner/na.me_1/", False, "https://github.com/owner/na.me_1"),
        ("https://github.com/owner/name.git", False, "https://github.com/owner/name"),
        ("https://someone:secret@github.com/owner/name.git\n", True, "https://github.com/owner/name"),
        ("git@github.com:owner/name.git\n", True, "https://github.com/owner/name"),
        ("ssh://git@github.com/owner/name", True, "https://github.com/owner/name"),
        ("git@github.com:owner/name.git", False, None),
        ("http://github.com/owner/name", False, None),
        ("https://github.com/owner", False, None),
        ("https://github.com/owner/name/tree/main", False, None),
        ("https://github.com/-owner/name", False, None),
        ("https://github.com/owner/..", False, None),
        ('https://github.com/owner/na"me', False, None),
        ("https://github.com.example.org/owner/name", False, None),
        ("https://gitlab.com/owner/name", True, None),
        ("/srv/git/name.git", True, None),
        ("", True, None),
    ],
)
def test_an_address_is_read_or_refused(text, remote, address):
    assert public_address.github_address(text, remote) == address


def test_the_address_has_one_place_and_can_be_changed(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    for name in ("first", "second"):
        public_address.write_address(f"https://github.com/owner/{name}", path)
        read = tomllib.loads(path.read_text("utf-8"))
        assert read["project"]["urls"] == {"Repository": f"https://github.com/owner/{name}"}
    before = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    before["project"]["urls"], read["project"]["urls"] = {}, {}
    assert read == before, "nothing else may change"


@pytest.mark.parametrize("remote", ["git@github.com:owner/name.git", "https://example.org/owner/name", None])
def test_the_address_of_the_remote(tmp_path, remote):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    if remote:
        subprocess.run(["git", "remote", "add", "origin", remote], cwd=tmp_path, check=True)
    if remote and "github" in remote:
        assert public_address.origin_address(tmp_path) == "https://github.com/owner/name"
    else:
        with pytest.raises(Stop, match="not on GitHub"):
            public_address.origin_address(tmp_path)


def test_a_wrong_address_is_refused_before_anything_changes(monkeypatch):
    monkeypatch.setattr(course, "write_address", lambda *arguments: pytest.fail("nothing may be written"))
    with pytest.raises(Stop, match="looks like https://github.com/owner/name"):
        course.address("https://example.org/owner/name")
