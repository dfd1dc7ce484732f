"""A file is written as a whole or not at all, whoever reads or writes it at the same time."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from installation import ROOT

from course_utils.files import written_whole


def write(path, content):
    with written_whole(path) as file:
        for start in range(0, len(content), 1000):
            file.write(content[start : start + 1000])


def test_the_new_content_replaces_the_old(tmp_path):
    path = tmp_path / "file"
    for content in (b"old", b"new and longer", b""):
        write(path, content)
        assert path.read_bytes() == content and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt, OSError])
def test_an_error_in_the_middle_leaves_the_old_content_and_nothing_else(tmp_path, stop):
    path = tmp_path / "file"
    write(path, b"old")
    with pytest.raises(stop), written_whole(path) as file:
        file.write(b"half of the new")
        file.flush()
        raise stop
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_the_old_content(tmp_path):
    path = tmp_path / "file"
    write(path, b"old")
    code = (
        "import os, pathlib, sys; from course_utils.files import written_whole\n"
        "with written_whole(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(b'half of the new'); file.flush(); os._exit(1)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT).returncode == 1
    assert path.read_bytes() == b"old"
    assert [other.suffix for other in tmp_path.iterdir() if other != path] == [".partial"]


@pytest.mark.skipif(os.name == "nt", reason="Windows refuses to replace a file that is being read")
def test_readers_and_writers_at_once_see_one_content_or_another(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([letter]) * 50_000 for letter in b"abcd"]
    write(path, contents[0])

    def rewrite(content):
        for _ in range(20):
            write(path, content)

    with ThreadPoolExecutor(len(contents)) as pool:
        writers = [pool.submit(rewrite, content) for content in contents]
        seen = []
        while not all(writer.done() for writer in writers):
            seen.append(path.read_bytes() in contents)
    assert all(seen) and path.read_bytes() in contents and list(tmp_path.iterdir()) == [path]
    assert [writer.result() for writer in writers] == [None] * len(contents)


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "nowhere" / "file"):
        pass
