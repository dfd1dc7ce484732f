"""The command `python course.py`: what it hands on, what it calls, and the one place for the public address."""

import os
import subprocess
import sys
import tomllib

import public_address
import pytest
import testing
import working_copy
from installation import ROOT
from supported import Stop

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
    command = testing.test_command()
    assert command[-3:] == ["notebooks", "solutions", "tests"]
    assert "--nbval" in command and command[command.index("--dist") + 1] == "loadscope"
    assert 2 <= int(command[command.index("-n") + 1]) <= 8
    assert "--durations=10" in command


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
    command = testing.test_command(more)
    assert command[-len(more) :] == more
    assert ("solutions" in command) == everything


@pytest.fixture
def calls(monkeypatch):
    """The calls of pytest that would be made: (command, variables); each ends well unless its number is in `fail`."""
    made = []
    monkeypatch.setattr(course, "build", lambda arguments: 0)
    monkeypatch.setattr(testing, "run", lambda command, **more: made.append((command, more)) or len(made) in fail)
    fail = set()
    return made, fail


def test_thorough_checks_first_and_ends_with_the_round_that_failed(monkeypatch, calls, capfd):
    made, fail = calls
    built = []
    monkeypatch.setattr(course, "build", lambda arguments: built.append((arguments, len(made))) or 0)
    fail.add(2)
    assert course.test(True, []) == 1
    assert built == [(["--check"], 0)]
    assert "tests" in made[0][0] and "tests" not in made[1][0] and "exercises" in made[1][0]
    assert len(made) == 2, "the third round does not follow a round that failed"
    assert "Round 2 of 5" in capfd.readouterr().out.splitlines()[-1]


def test_what_is_marked_thorough_runs_once_and_the_last_rounds_disturb_what_may_not_matter(calls):
    made, _ = calls
    assert course.test(True, []) == 0
    told = ("ATTENTION_COURSE_THOROUGH", "ATEN_CPU_CAPABILITY", "ATTENTION_COURSE_NOISE", "ATTENTION_COURSE_SIZES")
    assert [[name in more for name in told] for _, more in made] == [
        [True, False, False, False],
        [False, False, False, False],
        [False, True, False, False],
        [False, False, True, False],
        [False, False, True, True],
    ]
    assert all(more["OMP_NUM_THREADS"] == "1" for _, more in made)


@pytest.mark.parametrize(("asked", "device"), [([], "cpu"), (["--device", "auto"], ""), (["--device", "mps"], "mps")])
def test_notebooks_compute_where_their_outputs_come_from_unless_told_otherwise(calls, capsys, asked, device):
    made, _ = calls
    said, more = course.parse(["test", *asked, "-x"])
    assert course.test(said.thorough, more, said.device) == 0
    assert made[0][1]["ATTENTION_COURSE_DEVICE"] == device and made[0][0][-1] == "-x"
    assert ("pictures are not" in capsys.readouterr().out) == bool(asked), "it says what is not compared"


def test_the_command_says_what_it_will_do_and_how_long(calls, capsys):
    for thorough in (False, True):
        course.test(thorough, [])
        first = capsys.readouterr().out.splitlines()[0]
        assert "lessons with exercises and solutions: about " in first and " minutes" in first
    course.test(False, ["tests/test_command.py"])
    assert capsys.readouterr().out.splitlines() == ["Running the tests that you name."]


def test_what_takes_long_is_skipped_with_the_words_how_to_run_it(tmp_path):
    (tmp_path / "test_long.py").write_text(
        "import pytest\n@pytest.mark.thorough\ndef test_long(): pass\ndef test_short(): pass\n", "utf-8"
    )
    asked = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    for thorough, passed in (("0", "1 passed, 1 skipped"), ("1", "2 passed")):
        variables = {**os.environ, "ATTENTION_COURSE_THOROUGH": thorough}
        command = [*asked, "--rootdir", str(ROOT), "--confcutdir", str(ROOT), "-p", "conftest", str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
        assert passed in done.stdout, done.stdout + done.stderr
        assert ("course.py test --thorough" in done.stdout) == (thorough == "0")


def test_thorough_says_when_notebooks_are_out_of_date(monkeypatch):
    monkeypatch.setattr(course, "build", lambda arguments: 1)
    with pytest.raises(Stop, match="course.py build"):
        course.test(True, [])


@pytest.mark.parametrize(
    ("command", "extras"),
    [
        (["setup"], set()),
        (["setup", "--cpu"], set()),
        (["site", "01", "--open"], {"site"}),
        (["test"], {"dev", "site"}),
        (["check"], {"dev"}),
    ],
)
def test_each_command_installs_what_it_needs_and_no_more(monkeypatch, command, extras):
    asked, ran = [], []
    monkeypatch.setattr(course, "set_up", lambda extras, cpu=False: asked.append((set(extras), cpu)))
    monkeypatch.setattr(course, "run", lambda command, **more: ran.append((list(command), more)) or 0)
    monkeypatch.setattr(course, "run_tests", lambda *arguments: 0)
    assert course.main(command) == 0
    assert asked == [(extras, "--cpu" in command)]
    if command[0] == "site":
        [(called, told)] = ran
        assert called[1:] == ["-m", "website", "01", "--open"] and told["PYTHONPATH"] == str(ROOT / "tools")


def test_the_lab_opens_the_first_lesson():
    command = course.lab_command(browser=False, more=["--port", "9999"])
    assert f"--LabApp.default_url=/lab/tree/{course.FIRST_LESSON}" in command
    assert (ROOT / course.FIRST_LESSON).exists()
    assert f"--ServerApp.root_dir={working_copy.COPY}" in command, "in the learner's copy, where its links lead too"
    assert "--no-browser" in command and command[-2:] == ["--port", "9999"]
    assert "--no-browser" not in course.lab_command(browser=True)


def test_without_a_screen_no_browser_is_opened(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert not course.has_browser()


def test_course_py_ends_with_the_sentence_and_an_exit_status(tmp_path):
    code = (
        "import runpy, sys; sys.path.insert(0, sys.argv[1] + '/tools'); import supported;"
        "supported.OLDEST = (9, 9);"
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
