"""What was done, from one sitting to the next: one file that people can read, in the learner's own folder.

It is `attention_progress.json` in the folder my_course where there is one, else beside the notebook. Nothing is
written under a grader, in solutions/, or where ATTENTION_COURSE_PROGRESS_FILE is 0; else that variable names the file.
"""

import datetime
import json
import os
from pathlib import Path
from typing import cast

from course_utils.checks.verdicts import State
from course_utils.checks.words import say
from course_utils.files import written_whole
from course_utils.journey import states_in
from course_utils.journey.kept import FORMAT
from course_utils.runtime import strict

NAME = "attention_progress.json"
COPY, EDITION = "my_course", ".course"  # tools/working_copy.py makes them


class Record:
    """The states of exercises by key, of this session and of those before; `last` is the exercise checked last."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.last: str | None = None
        self.read_from: Path | None = None
        self.warned = False

    def note(self, key: str, state: State) -> None:
        """Keeps what a check found. What was right once stays done: trying on breaks nothing."""
        self.read()
        self.last = key
        if self.states.get(key) != "passed":
            self.states[key] = state
        self._write()

    def read(self) -> None:
        """Takes over what the file holds; a file that cannot be read is kept beside, and a line says so."""
        path = place()
        if path is None or not path.exists():
            return
        try:
            states, last = states_in(path.read_text(encoding="utf-8"))
        except OSError as error:
            return self._warn("progress.unwritten", path, error)
        except (ValueError, KeyError, TypeError, AttributeError):
            kept = _free(path)
            try:
                path.replace(kept)
            except OSError as error:
                return self._warn("progress.unwritten", path, error)
            return print(say("progress.damaged", path=path, kept=kept.name))
        for key, state in cast(dict[str, State], states).items():
            if self.states.get(key) != "passed":
                self.states[key] = state if state == "passed" else self.states.get(key, state)
        self.last = self.last or last

    def _write(self) -> None:
        path = place()
        if path is None:
            return
        today = datetime.date.today().isoformat()
        content = {"format": FORMAT, "changed": today, "last": self.last, "exercises": dict(_sorted(self.states))}
        try:
            with written_whole(path) as file:
                file.write((json.dumps(content, indent=2) + "\n").encode())
        except OSError as error:
            self._warn("progress.unwritten", path, error)

    def _warn(self, sentence: str, path: Path, error: OSError) -> None:
        if not self.warned:
            print(say(sentence, path=path, reason=error.strerror or type(error).__name__))
        self.warned = True


def place() -> Path | None:
    """The file that keeps what was done, or None where nothing is to be kept."""
    asked = os.environ.get("ATTENTION_COURSE_PROGRESS_FILE", "").strip()
    if strict() or asked == "0":
        return None
    if asked:
        return Path(asked).expanduser()
    here = Path.cwd()
    if here.name == "solutions":  # what is solved there is not the learner's
        return None
    for folder in (here, *here.parents, here / COPY):
        if (folder / EDITION).is_dir():
            return folder / NAME
    return here / NAME if os.access(here, os.W_OK) else None


def _sorted(states: dict[str, State]) -> list[tuple[str, State]]:
    return sorted(states.items(), key=lambda item: [int(part) if part.isdigit() else 0 for part in item[0].split(".")])


def _free(path: Path) -> Path:
    """A name beside a file that nothing has yet."""
    number = 1
    while (kept := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    return kept
