"""The documents: links lead somewhere, commands exist, and no file knows the machine on which it was written."""

import importlib
import json
import re
import subprocess
import tomllib

import build
import pytest
import torch
import yaml
from installation import ROOT

import course
from course_utils.checks import words

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def tracked():
    """The files that git keeps or would keep, with their text; pictures, fonts and weights left out."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this folder is not a git checkout")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path.suffix not in {".png", ".ttf", ".otf", ".pt"}:
            yield name, path.read_text("utf-8")


DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
IN_REFERENCE = sorted((ROOT / "reference").glob("*.md"))


def written():
    return [ROOT / name for name in DOCUMENTS] + sorted((ROOT / "lessons").glob("*.md")) + IN_REFERENCE


@pytest.mark.parametrize("path", written(), ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("https://", "#")):
            continue
        target = path.parent / link.split("#")[0]
        hint = "; ../notebooks/NAME.ipynb works in a lesson and in its notebook" if path.parent != ROOT else ""
        assert target.exists(), f"{path.name} links to {link}, which is not there{hint}"


@pytest.mark.parametrize("name", [*DOCUMENTS[:2], "reference/help.md"])
def test_commands_in_the_documents_exist(name, monkeypatch):
    commands = re.findall(r"python course\.py([^\n`]*)", (ROOT / name).read_text("utf-8"))
    assert commands
    for command in commands:
        words = re.sub(r"\[.*?\]|#.*", "", command).split()
        asked, more = course.parse(words)
        assert not more or asked.command in ("lab", "test"), f"course.py {command}"


def test_the_first_screen_of_the_readme_leads_to_site_lab_and_reference():
    first = (ROOT / "README.md").read_text("utf-8").split("## ")[0]
    for way in ("course.py site --open", "course.py lab", "#other-ways-in", *(path.name for path in IN_REFERENCE)):
        assert way in first, way


def test_the_readme_leads_to_the_website_once_its_address_is_known(monkeypatch):
    monkeypatch.setattr(build, "pages", lambda: "")
    assert build.readme_web() == ""
    monkeypatch.setattr(build, "pages", lambda: "https://owner.github.io/name/")
    monkeypatch.setattr(build, "address", lambda: "https://github.com/owner/name")
    line = build.readme_web()
    assert "(https://owner.github.io/name/)" in line and "(https://codespaces.new/owner/name)" in line
    assert re.search(r"<!-- web -->\n.*?<!-- /web -->", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


def test_the_container_sets_itself_up_by_the_course_s_own_command():
    told = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"))
    made, _ = course.parse(told["onCreateCommand"].removeprefix("python course.py ").split())
    opened, more = course.parse(told["postAttachCommand"].removeprefix("python course.py ").split())
    assert (made.command, made.cpu, opened.command) == ("setup", True, "lab") and len(more) == 1
    assert told["image"].rpartition(":")[2] in ("3.11", "3.12", "3.13", "3.14")


def test_the_site_is_published_only_once_the_address_is_known():
    jobs = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text("utf-8"))["jobs"]
    assert "needs.address.outputs.known == 'yes'" in jobs["build"]["if"] and jobs["publish"]["needs"] == "build"
    [look] = [step["run"] for step in jobs["address"]["steps"] if "run" in step]
    assert 'Repository = "https://github.com/${{ github.repository }}"' in look
    assert any(step.get("run") == "python course.py site --cpu" for step in jobs["build"]["steps"])


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


def test_the_example_in_contributing_works(tmp_path, monkeypatch):
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for name, kind in {"contributing_example.py": "python\nimport", "en/03.toml": "toml\n"}.items():
        found = re.search(rf"^```{kind}.*?^```$", text, re.DOTALL | re.MULTILINE).group()
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("\n".join(found.splitlines()[1:-1]) + "\n", "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(words, "FOLDER", tmp_path)
        patch.syspath_prepend(tmp_path)
        [exercise] = importlib.import_module("contributing_example").EXERCISES
    generator = torch.Generator().manual_seed(0)
    assert exercise.examine(exercise.oracle, generator).state == "passed"
    assert len(exercise.mistakes) >= 3
    for mistake in exercise.mistakes:
        assert exercise.examine(mistake.answer, generator).message == mistake.help


PLANNED: set[str] = set()  # lessons that are announced and not there yet
# "lessons 08 and 14, to come": what follows the last number speaks of the last number only
REFERENCE = re.compile(r"\b[Ll]essons?\s(\d+(?:(?:,|,? and|,? or| to)\s\d+)*)(,? to come\b)?")
VAGUE = re.compile(r"\b(?:[Ll]ater|[Nn]ext|[Cc]oming) lessons?\b(?!\]\()|\blessons? later\b")
SECTION = re.compile(r'\b(?:before|under|section) (?:\*([A-Z][^*\n]+)\*|"([A-Z][^"\n]+)")')


def lesson_numbers():
    return {path.name[:2] for path in (ROOT / "lessons").glob("[0-9][0-9]_*.md")}


def lost_lessons(text, there, planned=frozenset(PLANNED)):
    """What a text says about lessons that are not there: `there` holds the numbers of those that are."""
    found = []
    for match in REFERENCE.finditer(text):
        *before, last = re.findall(r"\d+", match.group(1))
        for number, announced in [*((one, False) for one in before), (last, bool(match.group(2)))]:
            if number in there and announced:
                found.append(f"{match.group()!r}: lesson {number} has come")
            elif number not in there and not (announced and number in planned):
                remedy = f"say: lesson {number}, to come" if number in planned else "no such lesson is planned"
                found.append(f"{match.group()!r}: lesson {number} is not there; {remedy}")
    return found + [f"{match.group()!r}: give the lesson's number" for match in VAGUE.finditer(text)]


def lost_sections(text, headings):
    """The sections and exercises that a text names and that none of the headings has."""
    named = [match.group(1) or match.group(2) for match in SECTION.finditer(text)]
    lost = [name for name in named if not any(name in heading for heading in headings)]
    numbers = re.findall(r"\b[Ee]xercises? (\d+\.\d+)", text)
    return lost + [number for number in numbers if not any(heading.startswith(f"{number} ") for heading in headings)]


def headings(path):
    """The headings of a manuscript; code is left out, for its comments look alike."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def test_every_lesson_that_is_named_is_there_or_announced():
    paths = [ROOT / name for name in DOCUMENTS[:2]] + sorted((ROOT / "lessons").glob("*.*")) + IN_REFERENCE
    paths += sorted((ROOT / "course_utils").rglob("*.toml")) + sorted((ROOT / "course_utils").rglob("*.py"))
    there = lesson_numbers()
    found = [f"{path.name}: {line}" for path in paths for line in lost_lessons(path.read_text("utf-8"), there)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", sorted((ROOT / "lessons").glob("*.md")), ids=lambda path: path.name)
def test_every_section_and_exercise_that_is_named_is_there(path):
    own = {path, path.with_name(f"{path.stem.removesuffix('_exercises')}.md")}
    exercises = (ROOT / "lessons").glob("*_exercises.md")
    found = lost_sections(path.read_text("utf-8"), [heading for one in own | {*exercises} for heading in headings(one)])
    assert not found, f"{path.name} names {found}"


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("as lesson 08 shows, and lessons 00 to 09", []),
        ("Lesson 14, to come, skips", []),
        ("a window (lessons 08 and 14, to come)", []),
        ("the [next lesson](../notebooks/01_search.ipynb)", []),
        ("as lesson 13 shows", ["13"]),
        ("lessons 12 and 14, to come", ["12"]),
        ("lesson 09, to come", ["09"]),
        ("lesson 16, to come", ["16"]),
        ("see lesson 9", ["9"]),
        ("lessons 03, 07 or 77", ["77"]),
        ("a later lesson tests it", ["later lesson"]),
    ],
)
def test_a_lost_lesson_is_found(text, lost):
    found = lost_lessons(text, {f"{number:02}" for number in range(10)}, planned={"14"})
    assert len(found) == len(lost) and all(one in line for one, line in zip(lost, found, strict=True))


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ('under "Five lines", in exercise 6.8, and before *Who asks?*', []),
        ("a pause before *Who answers?*", ["Who answers?"]),
        ('the mean of section "Beyond"', ["Beyond"]),
        ("write it in exercise 6.80", ["6.80"]),
    ],
)
def test_a_lost_section_is_found(text, lost):
    assert lost_sections(text, ["How does it learn? Five lines", "Who asks?", "6.8 Prune"]) == lost
