"""The sentences of the checks, apart from their code: words/<language>/NN.toml for a lesson, common.toml for all.

A language may be incomplete: each sentence that it lacks is said in English. ATTENTION_COURSE_LANGUAGE chooses the
language, and must be set before the first check; without it the checks speak English.
"""

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ENGLISH = "en"


class Sentences(dict[str, str]):
    """The sentences of one exercise by name; a name that no language has raises KeyError and says where it belongs."""

    def __init__(self, found: dict[str, str], home: str) -> None:
        super().__init__(found)
        self.home = home

    def __missing__(self, name: str) -> str:
        raise KeyError(f"words: got no sentence {name!r}, expected one in words/{ENGLISH}/{self.home}")


def language() -> str:
    """The language that the checks speak, "en" unless ATTENTION_COURSE_LANGUAGE says otherwise."""
    return os.environ.get("ATTENTION_COURSE_LANGUAGE", "").strip() or ENGLISH


def sentences(key: str) -> Sentences:
    """The sentences of the exercise with this key ("2.1"), in English where the language lacks them."""
    return _table(f"{key.split('.')[0].zfill(2)}.toml", key)


def say(name: str, /, **values: Any) -> str:
    """A sentence of the checks themselves ("difference.shape" in common.toml), with its values filled in."""
    table, name = name.split(".")
    return _table("common.toml", table)[name].format(**values)


def languages() -> list[str]:
    """The languages that have at least one file: ["en", …]."""
    return sorted({path.parent.name for path in FOLDER.glob("*/*.toml")})


def lacking(spoken: str) -> list[str]:
    """What a language still says in English, as "02.toml 2.1 no-root", in the order of the English files."""
    return [
        f"{path.name} {table} {name}"
        for path in sorted((FOLDER / ENGLISH).glob("*.toml"))
        for table, found in _read(path).items()
        for name in found
        if name not in _read(FOLDER / spoken / path.name).get(table, {})
    ]


def _table(file: str, table: str) -> Sentences:
    english, spoken = (_read(FOLDER / which / file).get(table, {}) for which in (ENGLISH, language()))
    return Sentences(english | spoken, f"{file}, under [{table}]")


@cache
def _read(path: Path) -> dict[str, dict[str, str]]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
