"""Dates: babel itself is the oracle, and a plain loop is the oracle of the agreement."""

import unicodedata
from datetime import date, timedelta

import pytest
import torch
from babel import Locale
from babel.dates import format_date
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data.dates import (
    ALL_LANGUAGES,
    FIELDS,
    FIRST,
    LANGUAGES,
    LAST,
    MORE_LANGUAGES,
    TARGET_FIELDS,
    DatePair,
    agreement,
    clean,
    make_dates,
    patterns,
    split_dates,
    write_date,
)

DAYS = st.dates(FIRST, LAST)
PAIRS = make_dates(400, seed=7)
FIRST_THREE = [  # what lesson 00 has always been given
    ("2039년 2월 15일 화요일", "2039-02-15", "Korean"),
    ("2016年6月16日", "2016-06-16", "Japanese"),
    ("2024年6月3日", "2024-06-03", "Japanese"),
]


def text_of(pair: DatePair, field: str) -> str:
    return "".join(c for c, f in zip(pair.source, pair.fields, strict=True) if f == field)


@pytest.mark.parametrize("language", ALL_LANGUAGES)
@settings(max_examples=25, deadline=None)
@given(day=DAYS)
def test_joined_fields_are_what_babel_writes(language, day):
    code = ALL_LANGUAGES[language]
    formats = Locale.parse(code).date_formats
    lengths = [length for length in ("full", "long", "medium") if formats[length].pattern in patterns(language)]
    assert "full" in lengths and "long" in lengths
    for length in lengths:
        pair = write_date(day, language, formats[length].pattern)
        assert pair.source == clean(format_date(day, length, locale=code))
        assert pair.target == day.isoformat()
        assert pair.language == language


@pytest.mark.parametrize("language", ALL_LANGUAGES)
@settings(max_examples=25, deadline=None)
@given(day=DAYS)
def test_labels_are_true(language, day):
    for pattern in patterns(language):
        pair = write_date(day, language, pattern)
        assert len(pair.fields) == len(pair.source)
        assert set(pair.fields) <= set(FIELDS)
        assert text_of(pair, "year") == f"{day.year:04d}"
        assert int(text_of(pair, "day")) == day.day
        month = text_of(pair, "month")
        digits = "".join(filter(str.isdigit, month))
        assert int(digits) == day.month if digits else any(map(str.isalpha, month))
        assert not any(map(str.isdigit, text_of(pair, "other") + text_of(pair, "weekday")))


def test_weekday_field_changes_with_the_weekday_only():
    week = [date(2026, 11, 16) + timedelta(days=n) for n in range(7)]
    names = [text_of(write_date(day, "Chinese", patterns("Chinese")[0]), "weekday") for day in week]
    assert len(set(names)) == 7
    assert names == [text_of(write_date(d + timedelta(7), "Chinese", patterns("Chinese")[0]), "weekday") for d in week]


def test_known_dates():
    day = date(2026, 11, 21)
    assert write_date(day, "Chinese", "y年M月d日").source == "2026年11月21日"
    french = write_date(day, "French", "EEEE d MMMM y")
    assert french.source == "samedi 21 novembre 2026"
    assert french.fields == (
        ("weekday",) * 6 + ("other",) + ("day",) * 2 + ("other",) + ("month",) * 8 + ("other",) + ("year",) * 4
    )


def test_every_text_has_one_right_answer():
    """Over all languages together: two texts that are equal mean the same date."""
    meaning = {}
    days = [date(2003, 1, 1) + timedelta(days=n) for n in range(2 * 365)]
    for language in ALL_LANGUAGES:
        for pattern in patterns(language):
            for day in days:
                pair = write_date(day, language, pattern)
                assert meaning.setdefault(pair.source, pair.target) == pair.target


def test_texts_are_clean():
    for pair in make_dates(3000, seed=1):
        assert pair.source == unicodedata.normalize("NFC", pair.source)
        assert pair.source == pair.source.strip()
        assert not {unicodedata.category(c) for c in pair.source} & {"Cf", "Cc", "Zl", "Zp"}
        assert {c for c in pair.source if unicodedata.category(c) == "Zs"} <= {" "}


def test_ambiguous_formats_are_left_out():
    for language, ambiguous in {"German": "dd.MM.y", "Finnish": "d.M.y", "Japanese": "y/MM/dd"}.items():
        assert ambiguous not in patterns(language)


@pytest.mark.parametrize(
    "pattern", ["d MMMM yy", "QQQ y", "MMMM y", "d MMMM y 'um' HH", "y. M. d.", "d M y", "d d MMM y"]
)
def test_odd_patterns_are_refused_without_a_crash(pattern):
    from course_utils.data import dates

    assert not dates._readable(pattern)


def test_same_seed_same_dates():
    assert make_dates(50, seed=3) == make_dates(50, seed=3)
    assert make_dates(50, seed=3) != make_dates(50, seed=4)
    assert make_dates(20, seed=3) == make_dates(50, seed=3)[:20]
    assert make_dates(0) == []


def test_range_and_languages():
    pairs = make_dates(20_000, seed=0)
    days = [date.fromisoformat(pair.target) for pair in pairs]
    assert min(days) >= FIRST and max(days) <= LAST
    assert {day.year for day in days} == set(range(1970, 2070))
    share = {name: sum(pair.language == name for pair in pairs) / len(pairs) for name in LANGUAGES}
    assert all(abs(s - 1 / len(LANGUAGES)) < 0.01 for s in share.values())
    assert {pair.language for pair in make_dates(50, ["Thai", "Greek"])} == {"Thai", "Greek"}
    assert {pair.language for pair in make_dates(5, "Thai")} == {"Thai"}


def test_there_are_many_languages_and_scripts():
    assert len(LANGUAGES) >= 10
    assert {"Chinese", "Japanese", "Arabic", "Thai"} <= set(LANGUAGES)


def test_four_languages_more_change_nothing_for_the_others():
    assert len(ALL_LANGUAGES) == 20 == len(LANGUAGES) + len(MORE_LANGUAGES)
    assert {pair.language for pair in make_dates(2000)} == set(LANGUAGES), "they must be asked for"
    assert {pair.language for pair in make_dates(2000, ALL_LANGUAGES)} == set(ALL_LANGUAGES)
    assert [tuple(pair[:3]) for pair in make_dates(3, seed=0)] == FIRST_THREE
    assert {pair.language for pair in make_dates(9, MORE_LANGUAGES)} <= set(MORE_LANGUAGES)


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 1), seed=st.integers(0, 1000))
def test_split_shares_no_date_and_loses_no_pair(share, seed):
    before = list(PAIRS)
    train, held_out = split_dates(PAIRS, share, seed)
    assert before == PAIRS
    assert not {p.target for p in train} & {p.target for p in held_out}
    assert sorted(train + held_out) == sorted(PAIRS)
    assert len({p.target for p in held_out}) == round(share * len({p.target for p in PAIRS}))
    assert split_dates(PAIRS, share, seed) == (train, held_out)
    assert train == [p for p in PAIRS if p in train]


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: make_dates(-1), "count"),
        (lambda: make_dates(3, ["Klingon"]), "languages: got 'Klingon'"),
        (lambda: make_dates(3, []), "languages: got none"),
        (lambda: patterns("Klingon"), "languages"),
        (lambda: write_date(date(2026, 1, 1), "Klingon", "y"), "languages"),
        (lambda: split_dates(PAIRS, 1.5), "held_out"),
        (lambda: agreement(torch.rand(2, 9, 60), PAIRS[:2]), "weights"),
        (lambda: agreement(torch.rand(10, 3), PAIRS[0]), "weights"),
        (lambda: agreement(torch.rand(3, 10, 60), PAIRS[:2]), "weights"),
        (lambda: agreement(torch.rand(10, 60), PAIRS[0], tolerance=-1), "tolerance"),
        (lambda: agreement(torch.rand(0, 10, 60), []), "pairs"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named) as caught:
        call()
    assert "expected" in str(caught.value)


def agreement_by_loop(weights, pairs, tolerance):
    agreed = []
    for rows, pair in zip(weights.tolist(), pairs, strict=True):
        for query, field in enumerate(TARGET_FIELDS):
            if field == "other":
                continue
            most = max(range(len(rows[query])), key=rows[query].__getitem__)
            near = [k for k in range(most - tolerance, most + tolerance + 1) if 0 <= k < len(pair.fields)]
            agreed.append(most < len(pair.fields) and any(pair.fields[k] == field for k in near))
    return sum(agreed) / len(agreed)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 5), tolerance=st.integers(0, 3), rows=st.integers(10, 12))
def test_agreement_is_the_plain_loop(seed, count, tolerance, rows):
    pairs = make_dates(count, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand(count, rows, 3 + max(len(p.source) for p in pairs), generator=generator)
    assert agreement(weights, pairs, tolerance) == pytest.approx(agreement_by_loop(weights, pairs, tolerance))
    assert agreement(weights[0], pairs[0], tolerance) == pytest.approx(
        agreement_by_loop(weights[:1], pairs[:1], tolerance)
    )


def test_agreement_of_true_and_shifted_alignments():
    pair = write_date(date(2026, 11, 21), "Chinese", "y年M月d日")  # 2026年11月21日
    true = torch.eye(11)[torch.tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])]
    before = true.clone()
    assert agreement(true, pair) == 1.0
    assert torch.equal(true, before)
    assert agreement(true.roll(1, dims=1), pair) == 5 / 8  # 2026 → 3 of 4, 11 → 1 of 2, 21 → 1 of 2
    assert agreement(true.roll(1, dims=1), pair, tolerance=1) == 1.0
    hyphens = true.clone()
    hyphens[[4, 7]] = torch.eye(11)[[0, 0]]
    assert agreement(hyphens, pair) == 1.0  # the hyphens do not count


def test_looking_at_padding_is_a_miss():
    pair = write_date(date(2026, 11, 21), "English", "MMM d, y")  # the year stands last, next to the padding
    weights = torch.zeros(10, len(pair.source) + 1)
    weights[:, -1] = 1.0
    assert agreement(weights, pair, tolerance=1) == 0.0


def test_target_fields_fit_an_iso_date():
    assert len(TARGET_FIELDS) == len("2026-11-21")
    assert [field == "other" for field in TARGET_FIELDS] == [character == "-" for character in "2026-11-21"]
