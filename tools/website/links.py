"""Links between files of the repository become links between pages of the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

from website import address

LINK = re.compile(r"(?P<picture>!?)\[(?P<text>(?:[^\[\]]|`[^`]*`)*)\]\((?P<target>[^)\s]+)\)")
ANCHOR = re.compile(r'<a href="(?P<target>[^"#]+\.ipynb)(?P<anchor>#[^"]*)?">(?P<words>.*?)</a>', re.DOTALL)
ELSEWHERE = re.compile(r"[a-z]+:|#|//")


def relinked(text: str, file: str, page: str, known: Mapping[str, str]) -> str:
    """The text of `file`, which becomes `page`, with each link to another file of the repository set right.

    `known` says which file becomes which page. A file without a page is linked on GitHub where the address is known,
    and is plain words otherwise. Paths are those from the root of the repository, and of the folder of sources.
    """

    def one(found: re.Match) -> str:
        words, target = found["text"], found["target"]
        if ELSEWHERE.match(target):
            return found.group()
        path, sign, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
        if f"{path}#{anchor}" in known:  # a section that has a page of its own
            return f"{found['picture']}[{words}]({towards(known[f'{path}#{anchor}'], page)})"
        if path in known:
            return f"{found['picture']}[{words}]({towards(known[path], page)}{sign}{anchor})"
        there = address.file(path)
        return f"{found['picture']}[{words}]({there})" if there else words

    return _outside_code(text, one)


def relinked_output(text: str, file: str, page: str, known: Mapping[str, str]) -> str:
    """The HTML that a cell of the notebook `file` shows, with its links to notebooks set right in the same way."""

    def one(found: re.Match) -> str:
        if ELSEWHERE.match(found["target"]):
            return found.group()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file), found["target"]))
        there, anchor = address.file(path), found["anchor"] or ""
        if path in known:
            there = towards(known[path], page).removesuffix(".ipynb") + ".html" + anchor
        return f'<a href="{there}">{found["words"]}</a>' if there else found["words"]

    return ANCHOR.sub(one, text)


def _outside_code(text: str, change: Callable[[re.Match], str]) -> str:
    """Changes links, also those whose words hold code; code that only looks like a link is left."""
    hidden: list[str] = []

    def hide(part: re.Match) -> str:
        hidden.append(part.group())
        return f"\0{len(hidden) - 1}\0"

    text = re.sub(r"^(`{3,})[^\n]*\n.*?^\1[ \t]*$", hide, text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`+[^`\n]*`+", hide, text)
    text = LINK.sub(change, text)
    return re.sub(r"\0(\d+)\0", lambda part: hidden[int(part[1])], text)


def towards(target: str, page: str) -> str:
    """The way from a page to another one, both named from the root of the site."""
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def targets(text: str) -> list[str]:
    """What a text links to."""
    found: list[str] = []
    _outside_code(text, lambda match: found.append(match["target"]) or match.group())
    return found
