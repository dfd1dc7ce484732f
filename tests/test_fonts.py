"""Fonts and the alignment picture: every script has glyphs, nothing warns, and what is drawn is what was given."""

import logging
import subprocess
import sys
import unicodedata
import warnings
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import pytest
import torch
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.collections import QuadMesh
from matplotlib.patches import Rectangle

from course_utils.data.dates import LANGUAGES, TARGET_FIELDS, patterns, write_date
from course_utils.plots import fonts
from course_utils.plots.alignment import FIELD_COLOURS, ISO_FIELDS, alignment
from course_utils.plots.fonts import clusters, font_files, joined, missing_glyphs, use_fonts, visual_order

DAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def quiet(caplog):
    """Turn warnings into errors, allow no word from matplotlib's log, and leave the settings as they were."""
    with matplotlib.rc_context(), warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        yield
        plt.close("all")
    assert [record.getMessage() for record in caplog.records if record.name.startswith("matplotlib")] == []


def example(language: str, day: date = DAY):
    pair = write_date(day, language, patterns(language)[0])
    weights = torch.rand(11, len(pair.source) + 2, generator=torch.Generator().manual_seed(0))
    return pair, torch.softmax(4 * weights, dim=-1)


@cache
def tables() -> list[dict]:
    """What fontTools, which has no part in the drawing, reads from the font files."""
    read = []
    for path in font_files().values():
        with TTFont(path) as font:
            axes = {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes} if "fvar" in font else {}
            read.append({"characters": set(font.getBestCmap()), "weight": font["OS/2"].usWeightClass, "axes": axes})
    return read


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_character_of_a_language_has_a_glyph(language):
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]  # all months, days and weekdays
    texts = {write_date(day, language, pattern).source for pattern in patterns(language) for day in days}
    drawn = {code for font in tables() for code in font["characters"]}
    assert {c for text in texts for c in (*text, *joined(text)) if ord(c) not in drawn} == set()
    assert missing_glyphs(texts) == set()


def test_a_missing_glyph_is_found():
    assert missing_glyphs(["a\U00012000b\n"]) == {"\U00012000"}  # a cuneiform sign


def test_fonts_are_regular_and_free():
    for font in tables():
        assert font["weight"] == 400
        assert font["axes"].get("wght", 400) == 400  # a variable font is drawn at its default


def test_a_picture_leaves_the_settings_alone():
    plt.rcParams["font.family"] = ["sans-serif"]
    pair, weights = example("Japanese")
    ax = plt.subplots()[1]  # made before the fonts of the course were asked for
    alignment(weights, pair.source, pair.target, pair.fields, title=pair.source, ax=ax)
    plt.gcf().canvas.draw()
    assert plt.rcParams["font.family"] == ["sans-serif"]


def test_use_fonts_twice_changes_nothing():
    families = use_fonts()
    entries = list(font_manager.fontManager.ttflist)
    assert use_fonts() == families == plt.rcParams["font.family"]
    assert font_manager.fontManager.ttflist == entries


def test_fonts_of_the_system_are_not_used(monkeypatch):
    manager = font_manager.fontManager
    course = {str(path) for path in font_files().values()}
    bundled = str(font_files()["DejaVu Sans"])
    others = [entry for entry in manager.ttflist if entry.fname not in course - {bundled}]
    impostors = [replace(others[0], fname="/impostor.ttf", name=name) for name in font_files() if name != "DejaVu Sans"]
    monkeypatch.setattr(manager, "ttflist", impostors + others)
    for family in use_fonts():
        for weight in ("normal", "bold"):
            prop = font_manager.FontProperties(family=family, weight=weight)
            found = Path(manager.findfont(prop)).resolve()  # .venv may be a link
            assert found == font_files()[family].resolve() or found.name == "DejaVuSans-Bold.ttf"


def test_missing_package_names_the_remedy(monkeypatch):
    monkeypatch.setattr(fonts, "find_spec", lambda module: None)
    fonts.font_files.cache_clear()
    try:
        with pytest.raises(ImportError, match="pip install fontpkg-noto-sans-thai"):
            use_fonts()
    finally:
        fonts.font_files.cache_clear()


def test_font_packages_are_not_imported():
    code = "import sys, course_utils.plots.fonts as f; f.use_fonts(); print([m for m in sys.modules if 'fontpkg' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@given(st.text())
def test_clusters_cut_the_text_without_loss(text):
    spans = clusters(text)
    assert "".join(text[start:stop] for start, stop in spans) == text
    assert all(not unicodedata.category(c).startswith("M") for s, e in spans if s for c in text[s])
    assert all(stop > start for start, stop in spans)


def test_thai_and_hindi_clusters():
    assert [stop - start for start, stop in clusters("ที่")] == [3]
    assert [stop - start for start, stop in clusters("फ़र")] == [2, 1]
    assert [stop - start for start, stop in clusters("ab1")] == [1, 1, 1]


@given(st.text())
def test_visual_order_is_a_permutation(text):
    assert sorted(visual_order(text)) == list(range(len(text)))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("21 novembre", "21 novembre"),
        ("2026年11月", "2026年11月"),
        ("אבג 21 דה 2026", "2026 הד 21 גבא"),
        ("א ab ג", "ג ab א"),
        ("בָּא", "אבָּ"),  # the two marks stay behind their letter
    ],
)
def test_visual_order(text, seen):
    assert "".join(text[place] for place in visual_order(text)) == seen


@given(st.text(alphabet="ابتثجحخدذرزسشصضطظعغفقكلمنهوي ءآأؤإئةى،2", max_size=20))
def test_arabic_letters_join_their_neighbours(text):
    """The joining form of a letter says whether it holds hands with its neighbours: both must agree."""
    forms = joined(text)
    assert len(forms) == len(text)
    assert unicodedata.normalize("NFKC", "".join(forms)) == unicodedata.normalize("NFKC", text)
    kinds = [unicodedata.decomposition(form).partition(">")[0].strip("<") for form in forms]
    for here, following in zip(kinds, kinds[1:], strict=False):
        assert (here in ("initial", "medial")) == (following in ("medial", "final"))


def test_known_joined_word():
    assert [unicodedata.name(form).rsplit(" ", 2)[-2:] for form in joined("يناير")] == [
        ["INITIAL", "FORM"],
        ["MEDIAL", "FORM"],
        ["FINAL", "FORM"],
        ["INITIAL", "FORM"],
        ["FINAL", "FORM"],
    ]
    assert joined("21 nov") == list("21 nov")


@pytest.mark.parametrize("language", LANGUAGES)
def test_alignment_is_drawn_without_a_warning(language, tmp_path):
    pair, weights = example(language)
    alignment(weights, pair.source, pair.target, pair.fields, title=f"{language}: {pair.language}")
    plt.gcf().savefig(tmp_path / "alignment.png")
    assert (tmp_path / "alignment.png").stat().st_size > 5000


@pytest.mark.parametrize("language", ["Chinese", "French", "Arabic", "Thai"])
def test_the_map_shows_the_given_weights(language):
    pair, weights = example(language)
    given_weights = weights.clone()
    alignment(weights, pair.source, pair.target, pair.fields)
    assert torch.equal(weights, given_weights)
    ax = plt.gcf().axes[0]
    shown = next(c for c in ax.collections if isinstance(c, QuadMesh)).get_array().reshape(10, len(pair.source))
    expected = weights[:10][:, visual_order(pair.source)]
    assert torch.allclose(torch.as_tensor(shown, dtype=torch.float32), expected)
    assert next(c for c in ax.collections).get_clim() == (0, 1)
    assert ax.yaxis_inverted()  # the first query on top
    assert [label.get_text() for label in ax.get_yticklabels()] == list(pair.target)
    letters = "".join(label.get_text() for label in ax.get_xticklabels())
    seen = "".join(pair.source[place] for place in visual_order(pair.source))
    assert unicodedata.normalize("NFKC", letters) == unicodedata.normalize("NFKC", seen)
    assert ax.get_xlabel().endswith("from right to left") == (language == "Arabic")


def test_frames_stand_round_the_true_fields():
    pair, weights = example("Chinese")  # 2026年11月21日星期六
    alignment(weights, pair.source, pair.target, pair.fields)
    frames = {
        (*patch.get_xy(), patch.get_width(), patch.get_height(), matplotlib.colors.to_hex(patch.get_edgecolor()))
        for patch in plt.gcf().axes[0].patches
        if isinstance(patch, Rectangle)
    }
    colours = [FIELD_COLOURS[field].lower() for field in ("year", "month", "day")]
    assert frames == {(0, 0, 4, 4, colours[0]), (5, 5, 2, 2, colours[1]), (8, 8, 2, 2, colours[2])}


def test_words_stand_clear_of_letters_title_and_label():
    for language in ("Chinese", "Thai", "French"):
        for width in (5.0, 9.5):
            pair, weights = example(language, date(2026, 5, 1))
            figure, ax = plt.subplots(figsize=(width, 4.5), layout="constrained")
            alignment(weights, pair.source, pair.target, pair.fields, title="Each digit looks at its own field", ax=ax)
            figure.draw_without_rendering()
            words = [text.get_window_extent() for text in ax.texts]
            assert len(words) == len({*pair.fields} - {"other"}) + 3
            outer = [ax.title, ax.yaxis.label, ax.xaxis.label, *ax.get_yticklabels(), *ax.get_xticklabels()]
            for text in (t for t in outer if t.get_text().strip()):
                assert not any(text.get_window_extent().overlaps(word) for word in words), text.get_text()


def test_plain_texts_need_no_fields():
    alignment(torch.eye(3), "abc", "abc", title="a diagonal")
    assert plt.gcf().axes[0].texts[:] == []
    assert plt.gcf().axes[0].get_title(loc=plt.rcParams["axes.titlelocation"]) == "a diagonal"


def test_fields_of_other_targets():
    alignment(torch.eye(3), "abc", "abc", fields=["day", "other", "year"], target_fields=["day", "year", "other"])
    assert len([p for p in plt.gcf().axes[0].patches if isinstance(p, Rectangle)]) == 2


def test_iso_fields_agree_with_the_data():
    assert ISO_FIELDS == TARGET_FIELDS


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((torch.rand(9, 11), "2026年11月21日", "2026-11-21"), "weights"),
        ((torch.rand(10, 10), "2026年11月21日", "2026-11-21"), "weights"),
        ((torch.rand(1, 10, 11), "2026年11月21日", "2026-11-21"), "weights"),
        ((torch.rand(3, 3), "abc", "abc", ["day"]), "fields"),
    ],
)
def test_bad_input_is_named(arguments, named):
    with pytest.raises(ValueError, match=f"{named}: got .*expected"):
        alignment(*arguments)
