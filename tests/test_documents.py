"""The documents: links lead somewhere, commands exist, and no file knows the machine on which it was written."""

import re
import subprocess
import tomllib

import pytest
from installation import ROOT

import course

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def tracked():
    """The files that git keeps or would keep, with their text; pictures and fonts left out."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this folder is not a git checkout")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path.suffix not in {".png", ".ttf", ".otf"}:
            yield name, path.read_text("utf-8")


DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]


def written():
    return [ROOT / name for name in DOCUMENTS] + sorted((ROOT / "lessons").glob("*.md"))


@pytest.mark.parametrize("path", written(), ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("https://", "#")):
            continue
        target = path.parent / link.split("#")[0]
        hint = "; ../notebooks/NAME.ipynb works in a lesson and in its notebook" if path.parent != ROOT else ""
        assert target.exists(), f"{path.name} links to {link}, which is not there{hint}"


@pytest.mark.parametrize("name", DOCUMENTS[:2])
def test_commands_in_the_documents_exist(name, monkeypatch):
    commands = re.findall(r"python course\.py([^\n`]*)", (ROOT / name).read_text("utf-8"))
    assert commands
    for command in commands:
        words = re.sub(r"\[.*?\]|#.*", "", command).split()
        asked, more = course.parse(words)
        assert not more or asked.command in ("lab", "test"), f"course.py {command}"


def test_continuous_integration_runs_the_readmes_test_command():
    assert "python course.py test\n" in (ROOT / "README.md").read_text("utf-8")
    last = (ROOT / ".ci/run").read_text("utf-8").rstrip().splitlines()[-1]
    assert last == 'exec "$python" course.py test "$@"'


def test_the_readme_has_its_table_and_its_figure():
    readme = (ROOT / "README.md").read_text("utf-8")
    table = re.search(r"<!-- lessons -->\n(.*?)<!-- /lessons -->", readme, re.DOTALL).group(1)
    for lesson in sorted((ROOT / "lessons").glob("[0-9][0-9]_*.md")):
        assert f"notebooks/{lesson.stem.removesuffix('_exercises')}.ipynb" in table
    for alt, source in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", readme):
        if not source.startswith("https://"):
            assert len(alt) > 40 and (ROOT / source).exists()


def test_no_file_names_a_machine_or_an_invented_address():
    known = PROJECT.get("urls", {}).get("Repository", "https://github.com/owner/name")
    for name, text in tracked():
        if name.startswith("tests/"):  # where such words are looked for
            continue
        found = re.search(r"(?<![\w.])/(?:home|root|Users|work|private)/\w+", text)
        assert not found, f"{name} holds the path {found.group()}"
        for address in re.findall(r"github\.com/[\w-]+/[\w.-]+", text):
            allowed = ("github.com/owner/name", "github.com/github/", known.removeprefix("https://"))
            assert address.startswith(allowed), f"{name} names {address}"


def test_the_example_in_contributing_works():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    code = re.search(r"^```python\n(import torch\n.*?)^```$", text, re.DOTALL | re.MULTILINE).group(1)
    names = {}
    exec(code, names)  # it is our own example
    [exercise] = names["EXERCISES"]
    generator = names["torch"].Generator().manual_seed(0)
    assert exercise.examine(exercise.oracle, generator).state == "passed"
    assert len(exercise.mistakes) >= 3
    for mistake in exercise.mistakes:
        assert exercise.examine(mistake.answer, generator).message == mistake.help
