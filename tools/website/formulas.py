"""Formulas without a script: LaTeX becomes MathML when the site is built, drawn by a small font that the site brings.

Every browser of today draws MathML by itself. The font is STIX Two Math (SIL Open Font License 1.1), as the package
ziamath carries it, cut down to the signs that the pages use.
"""

from __future__ import annotations

import html
import re
from importlib.resources import files
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

FONT = "formulas.woff"
PLAIN = "".join(map(chr, range(0x20, 0x7F)))
GREEK = "ΓΔΘΛΞΠΣΦΨΩαβγδεζηθικλμνξπρστυφχψωϵϑϕ∂∇"
# A browser draws the letters of a formula in italics, and these stand elsewhere in the font.
SLANTED = "".join(map(chr, [*range(0x1D434, 0x1D468), 0x210E, *range(0x1D6E2, 0x1D71C)]))
SIGN = re.compile(
    r"(<mo[^>]*>(?:[=<>≤≥,;(\[→·]|&#x0003D;|&#x0002C;|&#x00028;)</mo>)\s*<mo>(−|-|&#x02212;|\+)</mo>"
)  # of one number
BAR = re.compile(r"<mo[^>]*>(?:\||&#x0007C;|∣|&#x02223;|&#x0007c;)</mo>")
OPERATORS = "−·×÷±∓∗⋆∘∙≤≥≠≈≡∼∝∞∑∏∫√∈∉⊂⊆∪∩∅∀∃→←↔⇒⇔↦…⋯⋮⊤⊥⊙⊗⊕∥∣⌈⌉⌊⌋⟨⟩′ˆ˜¯^~‾ℝℤℕ𝔼𝟙"


def mathml(latex: str, block: bool) -> str:
    """A formula as MathML, with its LaTeX inside for those who copy it. Raises what latex2mathml raises."""
    made = convert(latex.strip(), display="block" if block else "inline")
    inside = SIGN.sub(r'\1<mo form="prefix">\2</mo>', re.sub(r"\A<math[^>]*>|</math>\Z", "", made))
    inside = inside.replace("<mo>&#x0221E;</mo>", "<mi>∞</mi>")
    inside = BAR.sub('<mo lspace="0" rspace="0" stretchy="false">|</mo>', inside)
    source = f'<annotation encoding="application/x-tex">{html.escape(latex.strip(), quote=False)}</annotation>'
    return f'<math display="{"block" if block else "inline"}"><semantics>{inside}{source}</semantics></math>'


def show_inline(writer, node: nodes.math) -> None:
    """Writes a formula in a line."""
    writer.body.append(mathml(node.astext(), block=False))
    raise nodes.SkipNode


def show_block(writer, node: nodes.math_block) -> None:
    """Writes a formula that stands alone; a wide one scrolls by itself."""
    writer.body.append(f'<div class="formula">{mathml(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode


def write_font(path: Path, extra: str = "") -> None:
    """Writes the font with the signs above and those in `extra`."""
    import logging

    from fontTools import subset

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # Sphinx would show each of its steps

    options = subset.Options(
        flavor="woff", layout_features=["ssty", "dtls", "kern"], notdef_outline=True, hinting=False
    )
    options.drop_tables += ["DSIG"]
    with files("ziamath.fonts").joinpath("STIXTwoMath-Regular.ttf").open("rb") as source:
        font = subset.load_font(source, options, lazy=False)
    cut = subset.Subsetter(options)
    cut.populate(text=PLAIN + GREEK + SLANTED + OPERATORS + extra)
    cut.subset(font)
    path.parent.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(path), options)
