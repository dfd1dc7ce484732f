"""Real glyphs for every script of the course, on every machine.

Matplotlib brings DejaVu Sans (Latin, Greek, Cyrillic, Arabic). The other scripts come from the Noto fonts (SIL Open
Font License 1.1), which pip installs with the course. Fonts of the operating system are never used: pictures look the
same everywhere. Chinese is drawn in the shapes that are usual in Japan, which differ in details only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
from matplotlib import font_manager, ft2font

PACKAGES = {  # name on PyPI: (module, file, what it draws)
    "fontpkg-noto-sans-thai": ("fontpkg_noto_sans_thai", "files/NotoSansThai[wdth,wght].ttf", "Thai"),
    "fontpkg-noto-sans-devanagari": (
        "fontpkg_noto_sans_devanagari",
        "files/NotoSansDevanagari[wdth,wght].ttf",
        "Devanagari",
    ),
    "noto-cjk-sans-jp-regular": (
        "noto_cjk_sans_jp_regular",
        "NotoSansCJKjp-Regular.otf",
        "Chinese, Japanese and Korean",
    ),
}


@cache
def font_files() -> dict[str, Path]:
    """Return the font files of the course by family name, in the order in which glyphs are looked for.

    Raises ImportError that names the pip package when one is missing.
    """
    bundled = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    files = {"DejaVu Sans": bundled}
    for package, (module, name, scripts) in PACKAGES.items():
        spec = find_spec(module)  # finds the folder without importing the package
        path = Path(next(iter(spec.submodule_search_locations or []))) / name if spec else None
        if path is None or not path.is_file():
            raise ImportError(f"The font that draws {scripts} is missing. Install it: pip install {package}")
        files[ft2font.FT2Font(str(path)).family_name] = path
    return files


def families() -> list[str]:
    """Make the fonts of the course known to matplotlib, and return their families as a value for `fontfamily=`.

    Matplotlib takes each glyph from the first family on the list that has it. Calling this twice changes nothing.
    Raises ImportError that names the pip package when one is missing.
    """
    manager = font_manager.fontManager
    known = {entry.fname for entry in manager.ttflist}
    for path in font_files().values():
        if str(path) not in known:
            manager.addfont(str(path))
            entry = manager.ttflist.pop()
            # In front: where the system has a font of the same name, ours is the one that is found. The second entry
            # serves bold text, which these fonts draw in their regular weight, without a warning.
            manager.ttflist[:0] = [entry, replace(entry, weight=700)]
    return list(font_files())


def use_fonts() -> list[str]:
    """Draw every text of every figure made from now on with the fonts of the course, and return their families.

    Raises ImportError that names the pip package when one is missing.
    """
    plt.rcParams["font.family"] = families()
    return families()


def missing_glyphs(texts: Iterable[str]) -> set[str]:
    """Return the characters that no font of the course can draw; line breaks and tabs do not count."""
    drawn = set().union(*(ft2font.FT2Font(str(path)).get_charmap() for path in font_files().values()))
    return {character for text in texts for character in text if ord(character) not in drawn} - {"\n", "\t"}


def clusters(text: str) -> list[tuple[int, int]]:
    """Return (start, stop) of each run of characters that is drawn as one: a letter and the marks that sit on it.

    The Thai ที่ is three characters, one letter with two marks, and gives one cluster.
    """
    spans: list[tuple[int, int]] = []
    for place, character in enumerate(text):
        if spans and unicodedata.category(character) in ("Mn", "Mc", "Me"):
            spans[-1] = (spans[-1][0], place + 1)
        else:
            spans.append((place, place + 1))
    return spans


def visual_order(text: str) -> list[int]:
    """Return the places of the characters in the order in which the eye meets them from left to right.

    For left-to-right text that is 0, 1, 2, … Arabic and Hebrew run from right to left, but numbers and Latin letters
    within them do not: so the whole is turned round, and each of these runs is turned back. Marks stay behind the
    letter they sit on. (This is the part of the Unicode bidirectional algorithm that a line of simple text needs.)
    """
    if not any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return list(range(len(text)))
    order: list[int] = []
    forward: list[int] = []  # a run that reads from left to right and is not yet placed
    for start, stop in clusters(text):
        if unicodedata.bidirectional(text[start]) in ("EN", "AN", "L"):
            forward += range(start, stop)
        else:
            order = [*range(start, stop), *forward, *order]
            forward = []
    return [*forward, *order]


def joined(text: str) -> list[str]:
    """Return one glyph for each character; Arabic letters take the form that joins them to their neighbours.

    Every other character stays as it is.
    """
    forms = _arabic_forms()
    result = []
    for place, letter in enumerate(text):
        before = place > 0 and "initial" in forms.get(text[place - 1], {}) and "final" in forms.get(letter, {})
        after = "initial" in forms.get(letter, {}) and "final" in forms.get(text[place + 1 : place + 2], {})
        names = {(True, True): "medial", (True, False): "final", (False, True): "initial", (False, False): "alone"}
        result.append(forms.get(letter, {}).get(names[before, after], letter))
    return result


@cache
def _arabic_forms() -> dict[str, dict[str, str]]:
    """Read from the Unicode tables which joining forms each Arabic letter has: {"ب": {"initial": "ﺑ", …}, …}."""
    forms: dict[str, dict[str, str]] = {}
    for code in range(0xFE80, 0xFEF5):  # the block of single letters; ligatures follow it
        form, _, letter = unicodedata.decomposition(chr(code)).partition(" ")
        forms.setdefault(chr(int(letter, 16)), {})[form.strip("<>")] = chr(code)
    return forms
