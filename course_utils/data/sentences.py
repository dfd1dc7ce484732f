"""Sentences into tokens and back: plain rules for French and English, everything in lower case."""

from __future__ import annotations

import re
import sys
import unicodedata

# Curly apostrophes and quotes become straight ones, every space a plain one; what cannot be seen goes.
_PLAIN = [
    (strange, usual)
    for strange_ones, usual in (
        ("\u2018\u2019\u02bc", "'"),
        ("\u201c\u201d\u00ab\u00bb", '"'),
        ("\u00a0\u2009\u202f\u3000", " "),
        ("\u2010\u2011", "-"),
        ("\u00ad\u200b\ufeff", ""),
    )
    for strange in strange_ones
]
_NUMBER = r"\d+(?:[.,:]\d+)*"
_WORD = r"\w+(?:['-]\w+)*"
ENGLISH = re.compile(rf"{_NUMBER}(?!\w)|(?:[a-z]\.){{2,}}|{_WORD}|[^\w\s]")
_WHOLE = r"(?:aujourd'hui|c'est-à-dire|quelqu'une?|presqu'[îi]les?)(?!\w)"  # no clitic, though they look like it
_CLITIC = r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?=\w)"
_LEANING = r"je|tu|ils?|elles?|on|nous|vous|ce|moi|toi|lui|leurs?|les?|la|là|ci|y|en|[mt]'(?:en|y)|mêmes?"
_PRONOUN = rf"(?:-t)?-(?:{_LEANING})(?!'?\w)"  # a closing quote may follow
FRENCH = re.compile(rf"{_NUMBER}(?!\w)|{_WHOLE}|{_CLITIC}|(?<=\w){_PRONOUN}|\w+(?:(?!{_PRONOUN})['-]\w+)*|[^\w\s]")
_TIGHT_BEFORE = set(".,!?;:%)")
_TIGHT_AFTER = set("($")


def plain(text: str) -> str:
    """Lower case, accents composed (NFC), straight quotes and apostrophes, plain spaces."""
    for strange, usual in _PLAIN:  # on a text of megabytes much faster than str.translate
        text = text.replace(strange, usual)
    return unicodedata.normalize("NFC", text.lower())


def tokenize_english(text: str) -> tuple[str, ...]:
    """Cuts an English sentence into words, numbers and signs, in lower case.

    Contractions and words with hyphens stay whole (don't, o'clock, well-known), so do numbers (10:30) and letters with
    full stops (p.m.); every other sign is a token.
    """
    return cut(plain(text), ENGLISH)


def tokenize_french(text: str) -> tuple[str, ...]:
    """Cuts a French sentence into words, numbers and signs, in lower case.

    What leans on the next word is split off with its apostrophe (j' ai, l' eau, qu' il), and a pronoun that leans on
    the word before with its hyphen (est -ce, y a -t-il, celui -ci). Aujourd'hui and quelqu'un stay whole.
    """
    return cut(plain(text), FRENCH)


def cut(text: str, language: re.Pattern) -> tuple[str, ...]:
    """Cuts text that is plain already into the tokens of a language, ENGLISH or FRENCH; equal tokens are one string."""
    return tuple(map(sys.intern, language.findall(text)))


def detokenize(tokens: tuple[str, ...] | list[str]) -> str:
    """Writes tokens of either language as a sentence, with spaces where English has them.

    Tokenised again, it gives the same tokens. A straight quote opens and closes in turn.
    """
    text, tight, opened = "", True, False
    for token in tokens:
        closing = token == '"' and opened
        before = tight or token in _TIGHT_BEFORE or closing or (len(token) > 1 and token[0] == "-")
        text += token if before else f" {token}"
        opened ^= token == '"'
        tight = token in _TIGHT_AFTER or (token == '"' and opened) or (len(token) > 1 and token[-1] == "'")
    return text


def bare(text: str) -> str:
    """What near-duplicates have in common: the letters and digits, in lower case and without accents.

    Other signs become one space, except the end of a line and the tabulator, so that it works on a whole file too.
    """
    text = unicodedata.normalize("NFKD", plain(text).replace("œ", "oe").replace("æ", "ae"))
    for sign in sorted(set(text) - set("\t\n")):
        if unicodedata.combining(sign):
            text = text.replace(sign, "")
        elif not sign.isalnum():
            text = text.replace(sign, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip(" ")
