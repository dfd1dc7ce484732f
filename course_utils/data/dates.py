"""Dates as people write them, in many languages, and the same dates in ISO form.

The formats are those of the Unicode CLDR, through babel: the ones that phones and computers really use. A date is
written field by field, so the true alignment (which characters are the year, the month, the day) is known.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from babel import Locale
from babel.dates import format_date, tokenize_pattern
from torch import Tensor

from course_utils.attention.guards import require_at_least

LANGUAGES = {
    "English": "en",
    "French": "fr",
    "German": "de",
    "Spanish": "es",
    "Finnish": "fi",
    "Hungarian": "hu",
    "Turkish": "tr",
    "Vietnamese": "vi",
    "Russian": "ru",
    "Greek": "el",
    "Arabic": "ar",
    "Hindi": "hi",
    "Thai": "th",
    "Korean": "ko",
    "Chinese": "zh",
    "Japanese": "ja",
}
MORE_LANGUAGES = {"Italian": "it", "Portuguese": "pt", "Ukrainian": "uk", "Georgian": "ka"}  # for longer trainings
ALL_LANGUAGES = {**LANGUAGES, **MORE_LANGUAGES}  # make_dates draws from LANGUAGES unless it is given these
FIELDS = ("year", "month", "day", "weekday", "other")
TARGET_FIELDS = ("year",) * 4 + ("other",) + ("month",) * 2 + ("other",) + ("day",) * 2  # of 2026-11-21
FIRST, LAST = date(1970, 1, 1), date(2069, 12, 31)

_SYMBOLS = {"y": "year", "M": "month", "L": "month", "d": "day", "E": "weekday", "c": "weekday", "G": "other"}
_DIRECTION_MARKS = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_SPACES = dict.fromkeys([0x00A0, 0x2007, 0x2009, 0x202F], " ")


class DatePair(NamedTuple):
    """One date in two forms: as a language writes it, and in ISO form.

    `fields` has one label for each character of `source`: year, month, day, weekday or other.
    """

    source: str
    target: str
    language: str
    fields: tuple[str, ...]


def clean(text: str) -> str:
    """Removes invisible direction marks, makes every space a plain one, and composes accents (NFC).

    Upper and lower case stay as they are: the pictures show dates as people write them.
    """
    return unicodedata.normalize("NFC", text.translate(_DIRECTION_MARKS).translate(_SPACES))


@cache
def patterns(language: str) -> tuple[str, ...]:
    """Gives the CLDR patterns of a language that can be read in one way only.

    Kept are medium, long and full, where the year has all its digits, and where a letter shows which number is the
    month: a name (Nov, tháng 11) or a marker (11月). Left out: 11/12/2026, which is two dates.
    Raises ValueError for a language that is not in ALL_LANGUAGES.
    """
    _require_languages([language])
    formats = Locale.parse(ALL_LANGUAGES[language]).date_formats
    found = [formats[length].pattern for length in ("full", "long", "medium") if length in formats]
    return tuple(pattern for pattern in dict.fromkeys(found) if _readable(pattern))


def _readable(pattern: str) -> bool:
    """Says whether a pattern has one four-digit year, one day, and one month marked by a letter."""
    tokens = tokenize_pattern(pattern)
    names = [_SYMBOLS.get(value[0]) for _, value in tokens if not isinstance(value, str)]  # what is no text is a field
    if None in names or any(names.count(name) != 1 for name in ("year", "month", "day")):
        return False
    for (_, value), (_, after) in zip(tokens, [*tokens[1:], ("chars", "")], strict=True):
        if isinstance(value, str):
            continue
        symbol, width = value
        if symbol == "y" and width not in (1, 4):
            return False
        if _SYMBOLS[symbol] == "month" and width < 3 and not (isinstance(after, str) and after[:1].isalpha()):
            return False
    return True


@cache
def _field_text(code: str, symbols: str, day: date) -> str:
    return clean(format_date(day, symbols, locale=code))


def _same_field(field: str, day: date) -> date:
    """Gives one date that stands for all dates with this field in common, so that few texts need formatting."""
    if field == "year":
        return day.replace(month=1, day=1)
    if field == "month":
        return date(2001, day.month, 1)
    if field == "day":
        return date(2001, 1, day.day)
    return date(2001, 1, 1 + day.weekday())  # 2001-01-01 was a Monday


def write_date(day: date, language: str, pattern: str) -> DatePair:
    """Writes a date by a CLDR pattern, field by field, with the label of every character.

    Raises ValueError for a language that is not in ALL_LANGUAGES.
    """
    _require_languages([language])
    source, fields = "", []
    for _, value in tokenize_pattern(pattern):
        if isinstance(value, str):
            field, text = "other", clean(value)
        else:
            symbol, width = value
            field = _SYMBOLS[symbol]
            text = _field_text(ALL_LANGUAGES[language], symbol * width, _same_field(field, day))
        source += text
        fields += [field] * len(text)
    return DatePair(source, day.isoformat(), language, tuple(fields))


def make_dates(count: int, languages: Iterable[str] = tuple(LANGUAGES), seed: int = 0) -> list[DatePair]:
    """Draws dates from 1970 to 2069, each in one of the languages and one of its formats.

    Day, language and format are drawn uniformly; the same seed gives the same dates.
    Raises ValueError for a negative count, no language, or a language that is not in ALL_LANGUAGES.
    """
    languages = _require_languages(languages)
    require_at_least(0, count=count)
    draw = random.Random(seed)
    pairs = []
    for _ in range(count):
        day = FIRST + timedelta(days=draw.randrange((LAST - FIRST).days + 1))
        language = draw.choice(languages)
        pairs.append(write_date(day, language, draw.choice(patterns(language))))
    return pairs


def split_dates(
    pairs: Sequence[DatePair], held_out: float = 0.1, seed: int = 0
) -> tuple[list[DatePair], list[DatePair]]:
    """Splits pairs into training and held-out ones that have no calendar date in common.

    `held_out` is the share of the dates, not of the pairs. A date held out in one language is held out in all.
    Raises ValueError unless 0 ≤ held_out ≤ 1.
    """
    if not 0 <= held_out <= 1:
        raise ValueError(f"held_out: got {held_out}, expected a share from 0 to 1")
    days = sorted({pair.target for pair in pairs})
    hidden = set(random.Random(seed).sample(days, round(held_out * len(days))))
    return [pair for pair in pairs if pair.target not in hidden], [pair for pair in pairs if pair.target in hidden]


def agreement(weights: Tensor, pairs: DatePair | Sequence[DatePair], tolerance: int = 0) -> float:
    """Gives the share of the eight digits whose most-looked-at source character lies in the true field.

    For each digit of the target (the two hyphens do not count) take the key with the largest weight. It agrees when
    a character of the digit's field (year, month or day) stands at that position or at most `tolerance` positions away.
    The largest weight on padding is a miss. Rows after the tenth (`<end>`, padding) are ignored.
    Shapes: weights (query, key) for one pair, (batch, query, key) for several; query ≥ 10, key ≥ longest source.
    Raises ValueError for weights of another shape, no pair, or a negative tolerance.
    """
    if isinstance(pairs, DatePair):
        weights, pairs = weights.unsqueeze(0), [pairs]
    if len(pairs) == 0:
        raise ValueError("pairs: got none, expected at least one pair")
    require_at_least(0, tolerance=tolerance)
    longest = max(len(pair.source) for pair in pairs)
    expected = f"({len(pairs)}, 10 or more, {longest} or more)"
    if weights.dim() != 3 or len(weights) != len(pairs) or weights.shape[1] < 10 or weights.shape[2] < longest:
        raise ValueError(f"weights: got shape {tuple(weights.shape)}, expected {expected} for these pairs")
    number = {field: index for index, field in enumerate(FIELDS)}
    wanted = torch.tensor([number[field] for field in TARGET_FIELDS])  # (query,)
    found = torch.full((len(pairs), weights.shape[2]), -1)  # (batch, key); padding stays −1, which no digit wants
    for row, pair in zip(found, pairs, strict=True):
        row[: len(pair.fields)] = torch.tensor([number[field] for field in pair.fields])
    right = found[:, None, :] == wanted[:, None]  # (batch, query, key)
    if tolerance:
        right = F.max_pool1d(right.float(), 2 * tolerance + 1, stride=1, padding=tolerance) > 0
        right &= found[:, None, :] >= 0
    most = weights[:, :10].argmax(dim=-1, keepdim=True).cpu()  # (batch, query, 1)
    agrees = right.gather(2, most).squeeze(2)  # (batch, query)
    return agrees[:, wanted != number["other"]].float().mean().item()


def _require_languages(languages: Iterable[str]) -> list[str]:
    languages = [languages] if isinstance(languages, str) else list(languages)
    unknown = [language for language in languages if language not in ALL_LANGUAGES]
    if unknown or not languages:
        given = f"{unknown[0]!r}" if unknown else "none"
        raise ValueError(f"languages: got {given}, expected names from {', '.join(ALL_LANGUAGES)}")
    return languages
