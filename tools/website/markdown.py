"""What is code in a Markdown text and what is not: changes are made outside of code only."""

from __future__ import annotations

import re
from collections.abc import Callable

CODE = re.compile(r"(^(?P<fence>`{3,}|~{3,})[^\n]*\n.*?^(?P=fence)[ \t]*$|`+[^`\n]*`+)", re.DOTALL | re.MULTILINE)
COMMENT = re.compile(r"[ ]?<!--.*?-->", re.DOTALL)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Applies `change` to what stands outside of fences and of code in a line."""
    made, place = [], 0
    for code in CODE.finditer(text):
        made += [change(text[place : code.start()]), code.group()]
        place = code.end()
    return "".join([*made, change(text[place:])])


def without_comments(text: str) -> str:
    """Takes out comments: they speak to authors and tests."""
    return outside_code(text, lambda part: COMMENT.sub("", part))


def title_of(text: str) -> str:
    """The first heading of a document, without its sign; "" where there is none."""
    found = TITLE.search(text)
    return found.group(1) if found else ""


def sections(text: str) -> dict[str, str]:
    """The sections of a document by their headings of level two, in order; what stands before is under ""."""
    found, name = {"": ""}, ""
    fenced = False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            name = line[3:].strip()
            found[name] = ""
        else:
            found[name] += line
    return found


def plain(text: str) -> str:
    """Words alone: links by their text, no marks of emphasis, formulas without their dollars."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", COMMENT.sub("", text))
    text = re.sub(r"<[^>]+>|(?<!\w)[*_]{1,2}|[*_]{1,2}(?!\w)|[`$]|\\(?=[A-Za-z])", "", text)
    return " ".join(text.split())


def first_sentences(text: str, most: int = 240) -> str:
    """The sentences from the start of a paragraph that fit into `most` characters; at least one."""
    made = ""
    for sentence in re.split(r"(?<=[.!?:]) (?=[A-Z0-9\"])", plain(text)):
        if made and len(made) + len(sentence) >= most:
            break
        made = f"{made} {sentence}".strip()
    return made
