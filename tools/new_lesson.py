"""A new lesson that builds and passes from its first minute: manuscript, exercises, bank, words, variants."""

from __future__ import annotations

import re
from pathlib import Path

from installation import ROOT, Stop

TEMPLATES = Path(__file__).resolve().parent / "templates"
HOMES = {  # template: where it goes
    "lesson.md": "lessons/{stem}.md",
    "exercises.md": "lessons/{stem}_exercises.md",
    "bank.py": "course_utils/checks/bank/lesson_{number}.py",
    "words.toml": "course_utils/checks/words/en/{number}.toml",
    "variants.py": "tests/variants/lesson_{number}.py",
}
NAME = re.compile(r"\d\d_[a-z][a-z0-9_]*")


def new_lesson(stem: str, root: Path = ROOT) -> list[Path]:
    """Writes the five files of a lesson called "16_clocks", say, and returns their paths.

    Raises Stop for a name of another form, for a number that another lesson has, and where one of the files exists:
    nothing is written then.
    """
    if not NAME.fullmatch(stem) or stem.endswith("_exercises"):
        raise Stop(
            f"{stem} is no name for a lesson: take two digits, an underscore and small letters, as in 16_clocks."
        )
    number = stem[:2]
    if taken := sorted((root / "lessons").glob(f"{number}_*.md")):
        raise Stop(f"Lesson {number} is there already: {taken[0].name}. Take another number.")
    words = {"STEM": stem, "NUMBER": number, "KEY": f"{int(number)}.1", "TIME": "5 minutes, and 5 for the exercises."}
    made = {root / home.format(stem=stem, number=number): filled(name, words) for name, home in HOMES.items()}
    if there := [path for path in made if path.exists()]:
        raise Stop(f"{there[0].relative_to(root).as_posix()} exists already: nothing was written.")
    for path, text in made.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(made)


def filled(template: str, words: dict[str, str]) -> str:
    """A template with each of the words in capitals put in its place."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return re.sub(r"\b(" + "|".join(words) + r")\b", lambda found: words[found.group()], text)
